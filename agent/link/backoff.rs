//! The pause before the next retry: short at first, doubled after each failure, and with jitter.

use std::time::Duration;

/// The pause after the first loss.
const SHORTEST: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// The number of doublings after which [`SHORTEST`] exceeds [`LONGEST`].
const DOUBLINGS: u32 = 6;

/// The most by which jitter shortens a pause, in percent, so that hosts that were lost together do not all return at
/// the same moment. Jitter never lengthens a pause, because the pause is documented as a maximum.
const JITTER: u64 = 20;

/// Counts the retries since the last call of [`Backoff::reset`].
pub(super) struct Backoff {
    attempt: u32,
    random: u64,
}

impl Backoff {
    /// Creates a counter. `seed` determines the jitter.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            attempt: 0,
            random: seed,
        }
    }

    /// The number of the next retry, counted from 1, and the pause before it. `longest` selects the longest pause, for
    /// a loss whose cause takes time to fix, such as a missing program.
    pub(super) fn next(&mut self, longest: bool) -> (u32, Duration) {
        let pause = if longest {
            LONGEST
        } else {
            (SHORTEST * (1 << self.attempt.min(DOUBLINGS))).min(LONGEST)
        };
        self.attempt = self.attempt.saturating_add(1);
        (self.attempt, pause * (100 - self.percent()) / 100)
    }

    /// Makes the next pause the shortest one. This is called when the agent has served for a while, or when a person or
    /// an event has changed the situation.
    pub(super) fn reset(&mut self) {
        self.attempt = 0;
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
    fn pauses_double_up_to_half_a_minute_and_are_never_longer_than_that() {
        let mut backoff = Backoff::new(1);
        let mut exact = SHORTEST;
        for attempt in 1..100 {
            let (number, pause) = backoff.next(false);
            assert_eq!(number, attempt);
            assert!(
                pause <= exact && pause >= exact * 8 / 10,
                "{pause:?} {exact:?}"
            );
            exact = (exact * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.next(false).1 <= SHORTEST);
    }

    #[test]
    fn what_does_not_pass_in_a_moment_waits_longest_from_the_start() {
        assert!(Backoff::new(7).next(true).1 >= LONGEST * 8 / 10);
    }

    #[test]
    fn hosts_that_are_lost_together_come_back_one_after_the_other() {
        let pauses: std::collections::BTreeSet<_> = (0..100)
            .map(|seed| Backoff::new(seed).next(false).1)
            .collect();
        assert!(pauses.len() > 10, "only {} different pauses", pauses.len());
    }
}
