//! Limits how fast commands are started. When a network begins, it starts all its commands at once. Later, hosts are
//! started a few at a time, so that two hundred hosts that were lost together do not overload the laptop.

use std::{collections::VecDeque, time::Duration};

use crate::{addr::Vip, time::Instant};

/// The pause between two starts, after [`BURST`] starts without a pause.
const STEP: Duration = Duration::from_millis(50);

/// The maximum number of starts that may follow each other without a pause, if there were no starts for a while before.
const BURST: u32 = 20;

/// Commands that wait to be started, and how many of them may be started now.
pub(super) struct Pace {
    allowed: u32,
    counted: Instant,
    waiting: VecDeque<Vip>,
}

impl Pace {
    /// Allows the first `allowed` starts immediately.
    pub(super) fn new(allowed: u32) -> Self {
        Self {
            allowed,
            counted: Instant::ZERO,
            waiting: VecDeque::new(),
        }
    }

    /// Allows one more start immediately.
    pub(super) fn allow(&mut self) {
        self.allowed = self.allowed.saturating_add(1);
    }

    pub(super) fn push(&mut self, vip: Vip) {
        self.waiting.push_back(vip);
    }

    /// Cancels a waiting start; false if the command was started already.
    pub(super) fn cancel(&mut self, vip: Vip) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| *waiting != vip);
        self.waiting.len() < before
    }

    /// The next command to start now; `None` if no start is waiting, or none is allowed yet.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Vip> {
        let steps = (now - self.counted).as_micros() / STEP.as_micros();
        if steps > 0 {
            let earned = u32::try_from(steps).unwrap_or(BURST).min(BURST);
            self.allowed = self.allowed.max((self.allowed + earned).min(BURST));
            self.counted = now;
        }
        if self.allowed == 0 {
            return None;
        }
        let vip = self.waiting.pop_front()?;
        self.allowed -= 1;
        Some(vip)
    }

    /// When to call [`Pace::pop`] again.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = !self.waiting.is_empty();
        waits.then(|| self.counted + STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_begins_at_once_and_comes_back_in_steps() {
        let vip: Vip = "127.0.42.1".parse().unwrap();
        let mut pace = Pace::new(200);
        let started_until = |millis: u64, pace: &mut Pace| {
            let now = Instant::ZERO + Duration::from_millis(millis);
            std::iter::from_fn(|| pace.pop(now)).count()
        };
        (0..200).for_each(|_| pace.push(vip));
        assert_eq!(started_until(0, &mut pace), 200);
        (0..200).for_each(|_| pace.push(vip));
        let mut seconds = Vec::new();
        for second in 1..=10 {
            let ticks = (second * 1_000..(second + 1) * 1_000).step_by(50);
            seconds.push(ticks.map(|at| started_until(at, &mut pace)).sum::<usize>());
        }
        assert_eq!(seconds[0], 39, "a burst, and one for each step");
        assert!(seconds[1..].iter().all(|count| *count <= 20), "{seconds:?}");
        assert_eq!(seconds.iter().sum::<usize>(), 200);
        assert_eq!(pace.due(), None);
    }
}
