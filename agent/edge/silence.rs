//! Detects that the manager is gone. The manager counts as gone if it has promised heartbeats but sends nothing: it has
//! ended, or cannot be reached. When the manager is back, it will start another agent, which needs the same ports.
//!
//! As in the manager, silence is measured by the number of checks without a sign of life, not by time. The time for
//! which the machine is suspended therefore does not count as silence.

use std::time::Duration;

use crate::{
    link::{Sign, Signs},
    time::Instant,
};

/// The time between two checks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After this many checks in a row without a sign of life, the manager counts as gone. The agent notices the loss
/// within 10 s, like the manager: a connection that is dead in one direction is found as fast as one that is dead in
/// both. The manager sends a heartbeat every 2 s, so a stall of 7 s does not end the agent.
const MISSED_MAX: u32 = 9;

/// The maximum number of checks for which the bytes of an incomplete frame count as a sign of life.
const PARTS_MAX: u32 = 30;

/// Tracks the manager's signs of life.
pub(super) struct Silence {
    look_at: Instant,
    signs: Signs,
}

impl Silence {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            look_at: now + LOOK_EVERY,
            signs: Signs::default(),
        }
    }

    /// Notes a sign of life.
    pub(super) fn hear(&mut self, sign: Sign) {
        self.signs.hear(sign);
    }

    /// Performs a check if it is due; returns true if the manager is gone.
    pub(super) fn look(&mut self, now: Instant) -> bool {
        if self.look_at > now {
            return false;
        }
        self.look_at = now + LOOK_EVERY;
        self.signs.look(PARTS_MAX) >= MISSED_MAX
    }

    pub(super) fn due(&self) -> Instant {
        self.look_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_manager_is_given_up_within_10_s_and_not_before_9() {
        for last in 0..6 {
            let mut silence = Silence::new(Instant::ZERO);
            let gone = (0..60).find(|second| {
                if *second == last {
                    silence.hear(Sign::Whole);
                }
                silence.look(Instant::ZERO + Duration::from_secs(*second))
            });
            let after = gone.unwrap() - last;
            assert!((9..=10).contains(&after), "{after} s after {last}");
        }
    }

    #[test]
    fn a_sleep_is_no_silence() {
        let mut silence = Silence::new(Instant::ZERO);
        assert!(!silence.look(Instant::ZERO + Duration::from_hours(10)));
    }
}
