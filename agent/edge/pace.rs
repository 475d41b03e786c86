//! Limits how fast an agent sends packets to the manager, and how many bytes are under way. The limits are a little below
//! what the manager accepts, and what the link takes without a queue.
//!
//! When an agent has used up its budget, the manager stops reading from it. Then everything on the link waits, even the
//! answers to hosts that have sent little. The same happens if the link itself is full. If the agent holds packets back,
//! a packet waits only behind other packets to the same host. Packets to hosts with little traffic do not wait at all.

use crate::{
    budget::{Effort, UNITS_PER_SECOND, Work},
    flow::{Pick, SentPacket},
    inflight::Inflight,
    time::Instant,
    wire::control::Mark,
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
    /// What is under way to the manager; `None` if the manager does not answer marks.
    inflight: Option<Inflight>,
    /// The number of the last mark.
    last_mark: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            work: Work::new(SHARE, UNITS_MAX),
            until: None,
            inflight: None,
            last_mark: 0,
        }
    }
}

impl Pace {
    /// Notes whether the manager answers marks. If it does, they are sent from now on.
    pub(super) fn note_marks(&mut self, answers: bool) {
        if answers {
            self.inflight.get_or_insert_default();
        } else {
            self.inflight = None;
        }
    }

    /// Whether a mark is the only thing that may be sent now, and more may follow only after its answer.
    pub(super) fn needs_mark(&self) -> bool {
        self.inflight.as_ref().is_some_and(Inflight::needs_mark)
    }

    /// The mark that has to be sent now; `None` if none is due. `has_more` says whether packets are to follow, and
    /// `has_talked` whether a message was just sent.
    ///
    /// The first mark is due at once, because it shows how long a round trip takes if nothing else is under way. After a
    /// message, such as the answer to a heartbeat, a mark is due for what was sent before it.
    pub(super) fn poll_mark(
        &mut self,
        now: Instant,
        has_more: bool,
        has_talked: bool,
    ) -> Option<Mark> {
        let inflight = self.inflight.as_mut()?;
        let is_due = inflight.wants_mark(has_more) || (has_talked && inflight.has_unmarked());
        if self.last_mark > 0 && !is_due {
            return None;
        }
        self.last_mark += 1;
        inflight.mark(now, self.last_mark);
        Some(Mark {
            number: self.last_mark,
        })
    }

    /// Notes that the manager has come to a mark.
    pub(super) fn handle_mark(&mut self, now: Instant, mark: Mark) {
        if let Some(inflight) = &mut self.inflight {
            inflight.handle_mark(now, mark.number);
        }
    }

    /// Counts a message that was sent.
    pub(super) fn spend_message(&mut self, now: Instant, bytes: usize) {
        self.work.spend(now, Effort::Message(bytes).units());
    }

    /// Counts a packet that was sent in a frame of this many bytes.
    pub(super) fn spend(&mut self, now: Instant, sent: SentPacket, bytes: usize) {
        if let Some(inflight) = &mut self.inflight {
            inflight.note_sent(now, bytes);
        }
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

    /// The packets that may be sent until the time of [`Pace::poll_timeout`], or until the manager has come to a mark.
    pub(super) fn pick(&self) -> Pick {
        let is_full = self.inflight.as_ref().is_some_and(Inflight::is_full);
        if is_full || self.until.is_some() {
            Pick::Fresh
        } else {
            Pick::Any
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
                    pace.spend(now, sent, 1_000);
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
