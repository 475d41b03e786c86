//! How fast packets go to the manager: a little slower than it takes them.
//!
//! A manager stops reading from an agent that has used up its share of work. Everything in that pipe then waits,
//! including the answers to hosts that asked for little. Packets that are held back here instead wait only behind
//! others to the same host.

use crate::{
    budget::{Effort, UNITS_PER_SECOND, Work},
    flow::Sent,
    time::Instant,
};

/// The share of packets in what a manager takes; the rest is for messages.
const SHARE: u32 = UNITS_PER_SECOND / 10 * 9;

/// How many units may be saved up: fewer than at the manager.
const UNITS_MAX: u32 = 256;

#[derive(Debug)]
pub(super) struct Pace {
    work: Work,
    /// No packet may go before this time.
    until: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            work: Work::new(SHARE, UNITS_MAX),
            until: None,
        }
    }
}

impl Pace {
    /// Counts a packet that was sent.
    pub(super) fn spend(&mut self, now: Instant, sent: Sent) {
        let effort = if sent.begins {
            Effort::Connection
        } else {
            Effort::Packet
        };
        self.work.spend(now, effort.units());
    }

    /// Whether the next packet may go now.
    pub(super) fn lets_go(&mut self, now: Instant) -> bool {
        self.until = self.work.wait(now);
        self.until.is_none()
    }

    /// Whether nothing may go before [`Pace::poll_timeout`].
    pub(super) const fn waits(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.until = self.until.filter(|until| *until > now);
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Some((self.until?, "the next packets"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_less_goes_than_a_manager_takes() {
        for (begins, most) in [(false, UNITS_PER_SECOND), (true, UNITS_PER_SECOND / 16)] {
            let sent = Sent {
                to: [127, 0, 42, 101].into(),
                begins,
            };
            let (mut pace, mut now, mut count) = (Pace::default(), Instant::ZERO, 0);
            let end = Instant::from_micros(1_000_000);
            while now < end {
                while pace.lets_go(now) {
                    pace.spend(now, sent);
                    count += 1;
                }
                assert!(pace.waits());
                (now, _) = pace.poll_timeout().unwrap();
                pace.handle_timeout(now);
                assert!(!pace.waits());
            }
            assert!((most / 10 * 8..most).contains(&count), "{count} of {most}");
        }
    }
}
