//! Limits how fast an agent sends packets to the manager. The limit is a little below what the manager accepts.
//!
//! When an agent has used up its budget, the manager stops reading from it. Then everything on the link waits, even the
//! answers to hosts that have sent little. If the agent itself holds packets back, a packet waits only behind other
//! packets to the same host. Packets to hosts with little traffic do not wait at all.

use crate::{
    budget::{Effort, UNITS_PER_SECOND, Work},
    flow::{Pick, SentPacket},
    time::Instant,
};

/// The part of the manager's budget that is for packets; the rest is for messages.
const SHARE: u32 = UNITS_PER_SECOND / 10 * 9;

/// The maximum number of units that may be saved up. It is below the maximum in the manager's budget for this agent.
const UNITS_MAX: u32 = 256;

#[derive(Debug)]
pub(super) struct Pace {
    work: Work,
    /// Before this time, only packets to newly active hosts may be sent; `None` if packets to all hosts may be sent.
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
    pub(super) fn spend(&mut self, now: Instant, sent: SentPacket) {
        let effort = if sent.begins {
            Effort::Connection
        } else {
            Effort::Packet
        };
        self.work.spend(now, effort.units());
    }

    /// Determines again whether packets to any host may be sent now, or only those to newly active hosts.
    pub(super) fn look(&mut self, now: Instant) {
        self.until = self.work.wait(now);
    }

    /// The packets that may be sent until the time of [`Pace::poll_timeout`].
    pub(super) const fn pick(&self) -> Pick {
        match self.until {
            Some(_) => Pick::Fresh,
            None => Pick::Any,
        }
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
            let sent = SentPacket {
                to: [127, 0, 42, 101].into(),
                begins,
            };
            let (mut pace, mut now, mut count) = (Pace::default(), Instant::ZERO, 0);
            let end = Instant::from_micros(1_000_000);
            while now < end {
                while pace.pick() == Pick::Any {
                    pace.spend(now, sent);
                    pace.look(now);
                    count += 1;
                }
                (now, _) = pace.poll_timeout().unwrap();
                pace.handle_timeout(now);
                assert_eq!(pace.pick(), Pick::Any);
            }
            assert!((most / 10 * 8..most).contains(&count), "{count} of {most}");
        }
    }
}
