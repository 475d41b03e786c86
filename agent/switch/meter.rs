//! Measures how much one end of a flow has sent. This costs a few additions per packet and one division per second.

use std::time::Duration;

use crate::time::Instant;

/// The shortest time over which the rate is measured.
const WINDOW: Duration = Duration::from_secs(1);

/// Counts the bytes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    bytes: u64,
    packets: u64,
    /// The beginning of the current window. `before` is the number of bytes at that time.
    since: Instant,
    before: u64,
    /// Bytes per second in the previous window; `None` before the first window has ended.
    rate: Option<u64>,
}

/// The values of a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes of the stream, without headers.
    pub bytes: u64,
    /// Packets, including those without payload.
    pub packets: u64,
    /// Bytes per second, over about the last second.
    pub rate: u64,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            bytes: 0,
            packets: 0,
            since: now,
            before: 0,
            rate: None,
        }
    }

    /// Counts a packet with this many new bytes. Retransmitted bytes are not new.
    pub(super) fn count(&mut self, now: Instant, bytes: u32) {
        if now - self.since >= WINDOW {
            self.rate = Some(self.rate_of_window(now));
            (self.since, self.before) = (now, self.bytes);
        }
        self.bytes += u64::from(bytes);
        self.packets += 1;
    }

    pub(super) fn read(&self, now: Instant) -> Reading {
        let rate = match self.rate {
            Some(rate) if now - self.since < WINDOW => rate,
            _ => self.rate_of_window(now),
        };
        Reading {
            bytes: self.bytes,
            packets: self.packets,
            rate,
        }
    }

    /// The rate in the current window. A window that has lasted less than a second counts as a whole second.
    fn rate_of_window(&self, now: Instant) -> u64 {
        let micros = (now - self.since).max(WINDOW).as_micros();
        let rate = u128::from(self.bytes - self.before) * 1_000_000 / micros.max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    #[test]
    fn a_rate_is_that_of_the_last_second_and_falls_to_nothing() {
        let mut meter = Meter::new(at(0));
        for tick in 0..20 {
            meter.count(at(tick * 100), 1_000);
        }
        assert_eq!(meter.read(at(1_950)).rate, 10_000);
        assert_eq!(meter.read(at(1_950)).bytes, 20_000);
        assert_eq!(meter.read(at(11_000)).rate, 1_000);
        meter.count(at(60_000), 0);
        assert!(meter.read(at(60_100)).rate < 200);
        assert_eq!(meter.read(at(61_500)).rate, 0);
    }
}
