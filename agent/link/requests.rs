//! The requests to an agent that it has not answered yet, in one table: what an answer means depends on its number alone.

use std::{collections::BTreeMap, time::Duration};

use crate::time::Instant;

/// How long an agent may take for the answer to a question: a little longer than its own limit for a dial.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// How many questions may be open to one agent.
const ASKS_MAX: usize = 16;

/// How many heartbeats are remembered. An answer to an older one shows that the agent lives, but not how long the way
/// is.
const PINGS_MAX: usize = 16;

/// What waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// A configuration, with the sum of its message.
    Configure { sum: u16 },
    /// The list of the hosts that are lost.
    Lost,
    /// A question beside the agent's work.
    Ask {
        since: Instant,
        /// Whether the answer has to have data.
        wants_data: bool,
    },
    /// A heartbeat.
    Ping { since: Instant },
    /// A heartbeat that is too old to be remembered.
    Forgotten,
}

/// The requests that were not answered yet.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The number of the last request. It goes on from one agent of the host to the next.
    pub(super) last: u64,
    open: BTreeMap<u64, Pending>,
    /// The number of the last heartbeat that was forgotten.
    forgotten: Option<u64>,
}

impl Requests {
    /// The number for another request.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Notes what waits for the answer with this number.
    pub(super) fn add(&mut self, id: u64, pending: Pending) {
        if matches!(pending, Pending::Ping { .. }) {
            self.forget_pings();
        }
        self.open.insert(id, pending);
    }

    /// Forgets the oldest heartbeats, so that there is room for one. A late answer does not hold up further ones, since
    /// the agent lives by them, too.
    fn forget_pings(&mut self) {
        let pings = (self.open.iter()).filter(|(_, open)| matches!(open, Pending::Ping { .. }));
        let pings: Vec<_> = pings.map(|(id, _)| *id).collect();
        let surplus = (pings.len() + 1).saturating_sub(PINGS_MAX);
        for id in pings.into_iter().take(surplus) {
            self.open.remove(&id);
            self.forgotten = Some(id);
        }
    }

    /// Takes out what waits for an answer; `None` if nobody has asked for it.
    pub(super) fn take(&mut self, id: u64) -> Option<Pending> {
        let open = self.open.remove(&id);
        if open.is_none() && self.forgotten.is_some_and(|last| id <= last) {
            return Some(Pending::Forgotten);
        }
        open
    }

    /// Whether the last list of lost hosts was not answered yet.
    pub(super) fn tells_lost(&self) -> bool {
        self.open.values().any(|open| *open == Pending::Lost)
    }

    /// Whether no further question may be asked.
    pub(super) fn is_full(&self) -> bool {
        self.asked().count() >= ASKS_MAX
    }

    /// When the first open question is given up.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.asked().map(|(_, since)| since).min();
        first.map(|since| since + ANSWER_MAX)
    }

    /// Takes out the questions that have waited for too long.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<u64> {
        let overdue = (self.asked()).filter(|(_, since)| now - *since >= ANSWER_MAX);
        let overdue = overdue.map(|(id, _)| id).collect();
        self.without(overdue)
    }

    /// Takes out all questions, because the agent answers nothing more.
    pub(super) fn take_asked(&mut self) -> Vec<u64> {
        let asked = self.asked().map(|(id, _)| id).collect();
        self.without(asked)
    }

    /// Forgets everything that the last agent was asked.
    pub(super) fn begin_anew(&mut self) {
        self.open.clear();
        self.forgotten = None;
    }

    /// The open questions, and when they were asked.
    fn asked(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.open.iter().filter_map(|(id, open)| match open {
            Pending::Ask { since, .. } => Some((*id, *since)),
            Pending::Configure { .. }
            | Pending::Lost
            | Pending::Ping { .. }
            | Pending::Forgotten => None,
        })
    }

    fn without(&mut self, ids: Vec<u64>) -> Vec<u64> {
        for id in &ids {
            self.open.remove(id);
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_only_if_somebody_has_asked() {
        let mut requests = Requests::default();
        let id = requests.number();
        requests.add(id, Pending::Lost);
        assert!(requests.tells_lost());
        assert_eq!(requests.take(id + 1), None);
        assert_eq!(requests.take(id), Some(Pending::Lost));
        assert_eq!(requests.take(id), None);
        assert!(!requests.tells_lost());
    }

    #[test]
    fn a_heartbeat_that_was_forgotten_may_be_answered_at_any_time() {
        let mut requests = Requests::default();
        let since = Instant::ZERO;
        for _ in 0..20 {
            let id = requests.number();
            requests.add(id, Pending::Ping { since });
        }
        assert_eq!(requests.take(4), Some(Pending::Forgotten));
        assert_eq!(requests.take(5), Some(Pending::Ping { since }));
        assert_eq!(requests.take(21), None, "nobody has asked it");
    }

    #[test]
    fn numbers_go_on_when_everything_else_begins_anew() {
        let mut requests = Requests::default();
        let id = requests.number();
        requests.add(id, Pending::Configure { sum: 7 });
        requests.begin_anew();
        assert_eq!(requests.take(id), None);
        assert_eq!(requests.number(), 2);
    }
}
