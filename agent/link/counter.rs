//! Counts how often something has happened within a window of time.

use std::time::Duration;

use crate::time::Instant;

/// The count in the present window of time.
pub(super) struct Counter {
    window: Duration,
    since: Instant,
    count: u32,
}

impl Counter {
    pub(super) const fn within(window: Duration) -> Self {
        Self {
            window,
            since: Instant::ZERO,
            count: 0,
        }
    }

    /// The time at which the present window ends.
    pub(super) fn end(&self) -> Instant {
        self.since + self.window
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.end() <= now
    }

    pub(super) fn count(&mut self, now: Instant) -> u32 {
        if self.is_over(now) {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        self.count
    }
}
