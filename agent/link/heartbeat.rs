//! Heartbeats: the manager regularly asks whether an agent is alive, and measures how long its answer takes.
//!
//! Silence is measured by the number of checks without a sign of life, not by time. While a laptop sleeps or a process
//! is stopped, no checks take place, so this time is not held against an agent.

use std::time::Duration;

use super::signs::{Sign, Signs};
use crate::time::Instant;

/// The time between two checks. A stall of fewer than [`MISSED_MAX`] checks never ends an agent. A longer stall is
/// detected at most one check later.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One heartbeat is sent per this many checks, so the agent hears something every 2 s.
const ASK_EVERY: u32 = 2;

/// An agent counts as dead if this many checks in a row have found no sign of life. A dead agent is therefore detected
/// within 9 s of its last sign of life. The documents promise 10 s, so a busy machine may be 1 s late.
const MISSED_MAX: u32 = 8;

/// The maximum number of checks for which the bytes of an incomplete frame count as a sign of life: enough for 64 KiB
/// at 2 KiB/s.
const PARTS_MAX: u32 = 32;

/// After the machine has slept, a check takes place at once. If this many further checks find no sign of life, the
/// agent counts as dead.
const AFTER_SLEEP: u32 = 4;

/// A latency is reported if it differs from the last reported one by more than a quarter.
const NEWS: u32 = 4;

/// The shortest time between two reports of a latency. On a busy machine the latency differs from answer to answer, and
/// each report makes a new snapshot for everybody who watches.
const NEWS_EVERY: Duration = Duration::from_secs(10);

/// Tracks one agent's signs of life.
#[derive(Debug)]
pub(super) struct Heartbeat {
    look_at: Instant,
    /// The number of checks until the next heartbeat.
    ask_after: u32,
    signs: Signs,
    /// The latency that was reported last, and the time of the report.
    latency: Option<(Instant, Duration)>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// There is nothing to do.
    Wait,
    /// Send a heartbeat.
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
            ask_after: 0,
            signs,
            latency: None,
        }
    }

    /// Notes a sign of life.
    pub(super) fn hear(&mut self, sign: Sign) {
        self.signs.hear(sign);
    }

    /// Performs a check if one is due.
    pub(super) fn look(&mut self, now: Instant) -> Look {
        if self.look_at > now {
            return Look::Wait;
        }
        self.look_at = now + LOOK_EVERY;
        if self.signs.look(PARTS_MAX) >= MISSED_MAX {
            return Look::Dead;
        }
        if self.ask_after > 0 {
            self.ask_after -= 1;
            return Look::Wait;
        }
        self.ask_after = ASK_EVERY - 1;
        Look::Ask
    }

    /// Notes that the machine has slept. A heartbeat is due at once, and the agent has less time than usual to answer
    /// it.
    pub(super) fn doubt(&mut self, now: Instant) {
        (self.look_at, self.ask_after) = (now, 0);
        self.signs.forget(MISSED_MAX - AFTER_SLEEP - 1);
    }

    /// Takes the latency of an answer that has arrived now. Returns true if the latency has to be reported: it is the
    /// first one, or it differs enough from the last reported one and the last report is at least [`NEWS_EVERY`] old.
    /// Other latencies are not kept, because later answers show whether a change lasts.
    pub(super) fn measure(&mut self, now: Instant, latency: Duration) -> bool {
        let is_news = self.latency.is_none_or(|(told_at, last)| {
            now >= told_at + NEWS_EVERY
                && latency.abs_diff(last) > last / NEWS + Duration::from_millis(1)
        });
        if is_news {
            self.latency = Some((now, latency));
        }
        is_news
    }

    /// The time between a heartbeat and its answer, as last reported; `None` before the first answer.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.latency.map(|(_, latency)| latency)
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

    /// The time at which an agent counts as dead if its last sign of life came at `last`, both in milliseconds.
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
    fn death_is_found_within_9_s_and_a_stall_of_8_s_is_none() {
        for last in (0..4_000).step_by(100) {
            let after = dead_at(last) - last;
            assert!((8_000..=9_000).contains(&after), "{after} ms after {last}");
        }
    }

    #[test]
    fn a_sleep_counts_as_one_look_however_long_it_was() {
        let mut heart = Heartbeat::new(at(0));
        assert_eq!(heart.look(at(0)), Look::Ask);
        assert_eq!(heart.look(at(3_600_000)), Look::Wait);
        assert!(heart.measure(at(3_600_000), Duration::from_hours(1)));
        assert!(heart.measure(at(3_610_000), Duration::from_millis(50)));
    }

    #[test]
    fn after_a_sleep_a_silent_agent_is_given_up_within_4_s() {
        let mut heart = Heartbeat::new(at(0));
        heart.look(at(0));
        heart.doubt(at(1_000));
        let looks = [1_000, 2_000, 3_000, 4_000, 5_000].map(|now| heart.look(at(now)));
        let (ask, wait) = (Look::Ask, Look::Wait);
        assert_eq!(looks, [ask, wait, ask, wait, Look::Dead]);
    }

    #[test]
    fn the_agent_hears_something_every_2_s_however_late_its_answers_are() {
        let mut heart = Heartbeat::new(at(0));
        for number in 0..40 {
            let asks = heart.look(at(number * 1_000)) == Look::Ask;
            assert_eq!(asks, number % 2 == 0);
            heart.hear(Sign::Whole);
        }
        assert!(heart.measure(at(40_000), Duration::from_secs(32)));
        assert_eq!(heart.latency(), Some(Duration::from_secs(32)));
    }

    #[test]
    fn latency_is_news_only_when_it_has_changed() {
        let mut heart = Heartbeat::new(at(0));
        let answers = [(0, 40), (20_000, 41), (40_000, 45), (60_000, 90)];
        let news =
            answers.map(|(now, latency)| heart.measure(at(now), Duration::from_millis(latency)));
        assert_eq!(news, [true, false, false, true]);
        assert_eq!(heart.latency(), Some(Duration::from_millis(90)));
    }

    #[test]
    fn a_latency_that_jumps_is_news_every_10_s_and_the_last_one_is_told() {
        let mut heart = Heartbeat::new(at(0));
        let news = (0..100)
            .filter(|number| {
                let latency = if number % 2 == 0 { 1 } else { 50 };
                heart.measure(at(number * 2_000), Duration::from_millis(latency))
            })
            .count();
        assert!((10..=20).contains(&news), "{news} in 200 s");
        heart.measure(at(300_000), Duration::from_millis(400));
        assert_eq!(heart.latency(), Some(Duration::from_millis(400)));
        // The latency falls soon after a report. The fall is reported with the first answer that comes late enough.
        assert!(!heart.measure(at(302_000), Duration::from_millis(2)));
        assert!(heart.measure(at(310_000), Duration::from_millis(2)));
    }
}
