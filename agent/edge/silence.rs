//! Whether the manager is still there. A manager that has promised to send something from time to time, and does not,
//! is gone or cannot be reached. It will start another agent when it is back, and this one must not hold its ports
//! then.
//!
//! As in the manager, silence is counted in looks and not in time, so that a sleep of the machine is not taken for
//! silence.

use std::time::Duration;

use crate::{
    link::{Sign, Signs},
    time::Instant,
};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many looks in a row may find nothing. The agent is sure within 10 s, as the manager is, so that a connection
/// that is dead in one direction alone is found as fast as one that is dead in both. A manager asks every 2 s: a stall
/// of 7 s ends nothing.
const MISSED_MAX: u32 = 9;

/// How many looks a frame may take to arrive.
const PARTS_MAX: u32 = 30;

/// The signs of life of the manager.
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

    /// Notes that something has come.
    pub(super) fn hear(&mut self, sign: Sign) {
        self.signs.hear(sign);
    }

    /// Looks if it is time; true if the manager is gone.
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
