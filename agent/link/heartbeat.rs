//! Whether an agent is still there, which the manager asks from time to time, and how long its answer takes.
//!
//! Silence is counted in looks and not in time: while a laptop sleeps, or a stopped process stands still, nobody looks,
//! and nobody can be blamed for not having answered.

use std::time::Duration;

use super::signs::{Sign, Signs};
use crate::time::Instant;

/// The time between two looks, each of which asks the agent. A stall that is shorter than [`MISSED_MAX`] of them ends
/// nothing, whenever it begins; a longer one is found after at most one more.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many looks in a row may find nothing new, so that a dead agent is found within 10 s of its last sign of life.
const MISSED_MAX: u32 = 4;

/// How many looks a frame may take to arrive: enough for 64 KiB at 2 KiB/s.
const PARTS_MAX: u32 = 16;

/// How many misses are left to an agent after the machine has slept.
const AFTER_SLEEP: u32 = 2;

/// A latency is news if it differs from the last one by more than one part in this many.
const NEWS: u32 = 4;

/// The signs of life of one agent.
#[derive(Debug)]
pub(super) struct Heartbeat {
    look_at: Instant,
    signs: Signs,
    latency: Option<Duration>,
}

/// The result of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It is not time yet.
    Wait,
    /// It is time to ask the agent.
    Ask,
    /// The agent is gone.
    Dead,
}

impl Heartbeat {
    pub(super) fn new(now: Instant) -> Self {
        let mut signs = Signs::default();
        signs.hear(Sign::Whole);
        Self {
            look_at: now,
            signs,
            latency: None,
        }
    }

    /// Notes that something has come from the agent.
    pub(super) fn hear(&mut self, sign: Sign) {
        self.signs.hear(sign);
    }

    /// Looks for signs of life, if it is time.
    pub(super) fn look(&mut self, now: Instant) -> Look {
        if self.look_at > now {
            return Look::Wait;
        }
        self.look_at = now + LOOK_EVERY;
        if self.signs.look(PARTS_MAX) >= MISSED_MAX {
            return Look::Dead;
        }
        Look::Ask
    }

    /// Notes that the machine has slept: the agent is asked at once, and has less time than usual.
    pub(super) fn doubt(&mut self, now: Instant) {
        self.look_at = now;
        self.signs.forget(MISSED_MAX - AFTER_SLEEP - 1);
    }

    /// Takes how long an answer took, and returns whether that is news.
    pub(super) fn measure(&mut self, latency: Duration) -> bool {
        let news = self
            .latency
            .is_none_or(|last| latency.abs_diff(last) > last / NEWS + Duration::from_millis(1));
        if news {
            self.latency = Some(latency);
        }
        news
    }

    /// How long the last answer took, roughly.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency
    }

    pub(super) fn due(&self) -> Instant {
        self.look_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// When an agent is found dead whose last sign came at `last`; both in milliseconds.
    fn dead_at(last: u64) -> u64 {
        let mut heart = Heartbeat::new(at(0));
        let mut now = 0;
        loop {
            if now == last {
                heart.hear(Sign::Whole);
            }
            if heart.look(at(now)) == Look::Dead {
                return now;
            }
            now += 100;
        }
    }

    #[test]
    fn death_is_found_within_10_s_and_a_stall_of_8_s_is_none() {
        for last in (0..4_000).step_by(100) {
            let after = dead_at(last) - last;
            assert!((8_000..=10_000).contains(&after), "{after} ms after {last}");
        }
    }

    #[test]
    fn a_sleep_counts_as_one_look_however_long_it_was() {
        let mut heart = Heartbeat::new(at(0));
        assert_eq!(heart.look(at(0)), Look::Ask);
        assert_eq!(heart.look(at(3_600_000)), Look::Ask);
        assert!(heart.measure(Duration::from_hours(1)));
        assert!(heart.measure(Duration::from_millis(50)));
    }

    #[test]
    fn after_a_sleep_a_silent_agent_is_given_up_within_4_s() {
        let mut heart = Heartbeat::new(at(0));
        heart.look(at(0));
        heart.doubt(at(1_000));
        let looks = [1_000, 3_000, 5_000].map(|now| heart.look(at(now)));
        assert_eq!(looks, [Look::Ask, Look::Ask, Look::Dead]);
    }

    #[test]
    fn the_agent_hears_something_every_2_s_however_late_its_answers_are() {
        let mut heart = Heartbeat::new(at(0));
        for number in 0..20 {
            assert_eq!(heart.look(at(number * 2_000)), Look::Ask);
            heart.hear(Sign::Whole);
        }
        assert!(heart.measure(Duration::from_secs(32)));
        assert_eq!(heart.latency(), Some(Duration::from_secs(32)));
    }

    #[test]
    fn latency_is_news_only_when_it_has_changed() {
        let mut heart = Heartbeat::new(at(0));
        let news = [40, 41, 45, 90].map(|latency| heart.measure(Duration::from_millis(latency)));
        assert_eq!(news, [true, false, false, true]);
        assert_eq!(heart.latency(), Some(Duration::from_millis(90)));
    }
}
