//! The pause before the next retry: short at first, doubled after each failure, and with jitter. While the agent is
//! ready, the doublings are undone one by one.

use std::time::Duration;

/// Jitter shortens a pause by at most this many percent, so that hosts that were lost together do not all return at the
/// same moment. It never lengthens a pause, because the pause is documented as a maximum.
const JITTER: u64 = 20;

/// While the agent is ready, one doubling is undone for each period of this length. A host that was well for about ten
/// seconds is thus tried again after the shortest pause, however often it was lost before.
const RECOVERY: Duration = Duration::from_millis(1_500);

/// The speed with which the retries follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// For causes that may pass at any moment.
    Quick,
    /// For causes that somebody has to remove, such as a missing program.
    Slow,
}

impl Pace {
    /// The first pause, the number of doublings after which the pause would exceed its maximum, and this maximum.
    const fn limits(self) -> (Duration, u32, Duration) {
        match self {
            Self::Quick => (Duration::from_millis(500), 6, Duration::from_secs(30)),
            Self::Slow => (Duration::from_secs(4), 7, Duration::from_mins(5)),
        }
    }
}

/// Counts the retries since the agent was last well.
pub(super) struct Backoff {
    attempt: u32,
    quick: u32,
    slow: u32,
    random: u64,
}

impl Backoff {
    /// Creates a counter. `seed` determines the jitter.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            attempt: 0,
            quick: 0,
            slow: 0,
            random: seed,
        }
    }

    /// The number of the next retry, counted from 1, and the pause before it.
    pub(super) fn next(&mut self, pace: Pace) -> (u32, Duration) {
        let (shortest, most, longest) = pace.limits();
        let doublings = match pace {
            Pace::Quick => &mut self.quick,
            Pace::Slow => &mut self.slow,
        };
        let pause = (shortest * (1 << *doublings)).min(longest);
        *doublings = (*doublings + 1).min(most);
        self.attempt = self.attempt.saturating_add(1);
        (self.attempt, pause * (100 - self.percent()) / 100)
    }

    /// Makes the next pause the shortest one. This is called when a person or an event has changed the situation.
    pub(super) fn reset(&mut self) {
        (self.attempt, self.quick, self.slow) = (0, 0, 0);
    }

    /// Undoes a part of the doublings, because the agent was ready for as long as `well`.
    pub(super) fn recover(&mut self, well: Duration) {
        let taken = u32::try_from(well.as_millis() / RECOVERY.as_millis()).unwrap_or(u32::MAX);
        self.quick = self.quick.saturating_sub(taken);
        self.slow = self.slow.saturating_sub(taken);
        if (self.quick, self.slow) == (0, 0) {
            self.attempt = 0;
        }
    }

    /// A number from 0 to [`JITTER`], made with `SplitMix`.
    fn percent(&mut self) -> u32 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((bits >> 32) % (JITTER + 1)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_or_five_minutes_and_are_never_longer_than_that() {
        for pace in [Pace::Quick, Pace::Slow] {
            let mut backoff = Backoff::new(1);
            let (shortest, _, longest) = pace.limits();
            let mut exact = shortest;
            for attempt in 1..100 {
                let (number, pause) = backoff.next(pace);
                assert_eq!(number, attempt);
                assert!(
                    pause <= exact && pause >= exact * 8 / 10,
                    "{pause:?} {exact:?}"
                );
                exact = (exact * 2).min(longest);
            }
            backoff.reset();
            assert!(backoff.next(pace).1 <= shortest);
        }
    }

    #[test]
    fn time_in_which_the_agent_was_well_takes_the_pauses_back() {
        let lost_after = |seconds: u64| {
            let mut backoff = Backoff::new(1);
            for _ in 0..50 {
                backoff.next(Pace::Quick);
                backoff.next(Pace::Slow);
            }
            backoff.recover(Duration::from_secs(seconds));
            backoff.next(Pace::Quick)
        };
        assert_eq!(lost_after(1).0, 101);
        assert!(lost_after(1).1 > Duration::from_secs(20));
        let (attempt, pause) = lost_after(5);
        assert_eq!(attempt, 101, "it still flaps");
        assert!(pause > Duration::from_secs(3) && pause <= Duration::from_secs(4));
        assert!(lost_after(10).1 <= Duration::from_millis(500));
        assert_eq!(lost_after(11).0, 1);
    }

    #[test]
    fn the_two_paces_are_counted_apart() {
        let mut backoff = Backoff::new(7);
        for _ in 0..20 {
            backoff.next(Pace::Quick);
        }
        assert!(backoff.next(Pace::Slow).1 <= Duration::from_secs(4));
    }

    #[test]
    fn hosts_that_are_lost_together_come_back_one_after_the_other() {
        let pauses: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| Backoff::new(seed).next(Pace::Quick).1)
            .collect();
        assert!(pauses.len() > 10, "only {} different pauses", pauses.len());
    }
}
