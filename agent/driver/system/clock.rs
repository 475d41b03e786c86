//! The only clock of the program, and the detection that the computer was suspended.

use std::time::{Duration, Instant as SystemInstant};

use crate::time::Instant;

/// Tells state machines the time, in microseconds since the clock was made.
///
/// The clock is monotonic: setting or correcting the system time does not affect it. On Linux (`CLOCK_MONOTONIC`) and
/// macOS (`CLOCK_UPTIME_RAW`) it also stops while the computer is suspended.
#[derive(Clone, Copy, Debug)]
pub(in crate::driver) struct Clock {
    start: SystemInstant,
}

impl Clock {
    pub(in crate::driver) fn start() -> Self {
        Self {
            start: SystemInstant::now(),
        }
    }

    pub(in crate::driver) fn now(self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// Sleeps until `at`, or for ever if it is `None`.
    pub(in crate::driver) async fn sleep_until(self, at: Option<Instant>) {
        match at {
            Some(at) => tokio::time::sleep_until((self.start + (at - Instant::ZERO)).into()).await,
            None => std::future::pending().await,
        }
    }
}

/// If a timer fires later than this, the computer was suspended, or this process was stopped.
const LATE: Duration = Duration::from_secs(5);

/// If the time since boot is ahead of our clock by at least this much, the computer was suspended.
const SLEPT: Duration = Duration::from_secs(2);

/// Detects that the computer was suspended. There are two signs of that: the time since boot is ahead of our clock, or
/// a timer has fired much too late.
pub(in crate::driver) struct SleepWatch {
    outside: Duration,
    inside: SystemInstant,
}

impl SleepWatch {
    pub(in crate::driver) fn start() -> Self {
        Self {
            outside: since_boot(),
            inside: SystemInstant::now(),
        }
    }

    /// Whether the computer was suspended since the last call. `late` is the delay of the timer that has just fired.
    pub(in crate::driver) fn has_slept(&mut self, late: Duration) -> bool {
        let before = std::mem::replace(self, Self::start());
        let outside = self.outside.saturating_sub(before.outside);
        let inside = self.inside.saturating_duration_since(before.inside);
        late >= LATE || outside.saturating_sub(inside) >= SLEPT
    }
}

/// The time since the computer was started, including the time during which it was suspended. On systems whose usual
/// clock includes that time, the result is zero. There, only a late timer shows that the computer was suspended.
fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }
    #[cfg(target_vendor = "apple")]
    {
        use rustix::time::{ClockId, clock_gettime};
        // On these systems `CLOCK_MONOTONIC` includes the time for which the computer was suspended, unlike the clock
        // of the standard library.
        let time = clock_gettime(ClockId::Monotonic);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    Duration::ZERO
}

/// A random number as the seed of a state machine.
pub(in crate::driver) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library seeds its hash tables from the operating system.
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_timer_is_a_sleep_and_a_busy_moment_is_none() {
        let mut watch = SleepWatch::start();
        assert!(!watch.has_slept(Duration::from_millis(300)));
        assert!(watch.has_slept(Duration::from_mins(10)));
        assert!(!watch.has_slept(Duration::ZERO), "it is told once");
    }

    #[test]
    fn time_that_only_passed_outside_is_a_sleep() {
        let mut watch = SleepWatch::start();
        watch.outside = watch.outside.saturating_sub(Duration::from_mins(10));
        let counts = !since_boot().is_zero();
        assert_eq!(watch.has_slept(Duration::ZERO), counts);
    }
}
