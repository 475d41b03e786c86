//! Points in time, as values. Code that decides gets the present time as a value.
//!
//! Only `driver` reads a clock. An [`Instant`] counts microseconds since a moment that the driver has chosen. In tests,
//! time begins at zero, so that transcripts are the same in every run.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// A moment, in microseconds since the driver's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    micros: u64,
}

impl Instant {
    /// The moment from which all others are counted.
    pub const ZERO: Self = Self { micros: 0 };

    /// The moment `micros` microseconds after [`Instant::ZERO`].
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// Microseconds since [`Instant::ZERO`].
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// The time from `earlier` to this moment; zero if this moment is not later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self {
            micros: self.micros.saturating_add(micros),
        }
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Seconds with milliseconds, right-aligned, as transcripts show them: `  1.250s`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:3}.{:03}s",
            self.micros / 1_000_000,
            self.micros / 1_000 % 1_000
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_as_seconds() {
        let instant = Instant::ZERO + Duration::from_millis(1_250);
        assert_eq!(instant.to_string(), "  1.250s");
    }

    #[test]
    fn the_past_is_never_negative() {
        let late = Instant::from_micros(7);
        assert_eq!(Instant::ZERO - late, Duration::ZERO);
    }
}
