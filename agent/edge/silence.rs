//! Detects that the manager is gone. A manager that has promised to send something at regular intervals, and does not,
//! has ended or cannot be reached. When it is back, it will start another agent, which needs the ports that this one
//! holds.
//!
//! As in the manager, silence is counted in checks and not in seconds, so that a suspended machine does not take its
//! own sleep for silence.

use std::time::Duration;

use crate::{
    link::{Sign, Signs},
    time::Instant,
};

/// The time between two checks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many checks in a row may find that nothing has arrived. The agent knows within 10 s, as the manager does, so
/// that a connection that is dead in one direction only is noticed as fast as one that is dead in both. A manager sends
/// something every 2 s, so a stall of 7 s does not end anything.
const MISSED_MAX: u32 = 9;

/// How many checks may pass until a frame that has begun to arrive is complete.
const PARTS_MAX: u32 = 30;

/// Watches for signs of life of the manager.
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

    /// Notes that bytes or a frame have arrived.
    pub(super) fn hear(&mut self, sign: Sign) {
        self.signs.hear(sign);
    }

    /// Makes a check if it is due. Returns true if the manager is gone.
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
