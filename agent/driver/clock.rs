//! The one clock.

use std::time::Instant as SystemInstant;

use crate::time::Instant;

/// Tells machines the time, in microseconds since it was made.
///
/// It is monotonic: neither a clock that is set nor one that drifts changes what a machine sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: SystemInstant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            start: SystemInstant::now(),
        }
    }

    pub(super) fn now(self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// Sleeps until `at`; for ever without it.
    pub(super) async fn sleep_until(self, at: Option<Instant>) {
        match at {
            Some(at) => tokio::time::sleep_until((self.start + (at - Instant::ZERO)).into()).await,
            None => std::future::pending().await,
        }
    }
}

/// A number that no other process is likely to have, to seed a machine with.
pub(super) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library seeds its hash tables from the operating system.
    RandomState::new().hash_one(std::process::id())
}
