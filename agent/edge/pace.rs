//! Sends packets to the manager a little more slowly than the manager takes them.
//!
//! A manager stops reading from an agent that has used up its share of work. Everything in the pipe then waits,
//! including answers to hosts that asked for little. Packets that wait here instead delay only packets to the same
//! host; packets to a host with little traffic are not delayed at all.

use crate::{
    budget::{Effort, UNITS_PER_SECOND, Work},
    flow::{Pick, Sent},
    time::Instant,
};

/// The part of an agent's budget at the manager that packets may use; the rest is for messages.
const SHARE: u32 = UNITS_PER_SECOND / 10 * 9;

/// How many units may be saved up. The manager allows more, so that it never has to stop reading.
const UNITS_MAX: u32 = 256;

#[derive(Debug)]
pub(super) struct Pace {
    work: Work,
    /// Until this time, only packets of flows with little traffic may be sent. `None` means that all may.
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

    /// Decides whether all packets may be sent now.
    pub(super) fn look(&mut self, now: Instant) {
        self.until = self.work.wait(now);
    }

    /// The kind of packets that may be sent before [`Pace::poll_timeout`].
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
            let sent = Sent {
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
