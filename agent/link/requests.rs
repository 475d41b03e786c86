//! The requests that an agent has not answered yet. An answer is matched to its request by its number alone.

use std::{collections::BTreeMap, time::Duration};

use crate::time::Instant;

/// How long an agent may take to answer a question. It is a little longer than the agent's own time limit for a dial.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// How many questions to one agent may be open.
const ASKS_MAX: usize = 16;

/// How many heartbeats are remembered. An answer to an older one shows that the agent is alive, but does not measure
/// the latency.
const PINGS_MAX: usize = 16;

/// The kind of a request that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// A configuration, with the sum of its message.
    Configure { sum: u16 },
    /// The list of lost hosts.
    Lost,
    /// A question that explains the state of a connection.
    Ask {
        since: Instant,
        /// Whether a valid answer has to have data.
        wants_data: bool,
    },
    /// A heartbeat and its time.
    Ping { since: Instant },
    /// A heartbeat whose time has been forgotten.
    Forgotten,
}

/// The requests that were not answered yet, by number.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The number of the last request. Numbers go on when the host's agent is started again.
    pub(super) last: u64,
    open: BTreeMap<u64, Pending>,
    /// The number of the last heartbeat whose time has been forgotten.
    forgotten: Option<u64>,
}

impl Requests {
    /// Returns a new number for a request.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a request with this number.
    pub(super) fn add(&mut self, id: u64, pending: Pending) {
        if matches!(pending, Pending::Ping { .. }) {
            self.forget_pings();
        }
        self.open.insert(id, pending);
    }

    /// Forgets the oldest heartbeats, so that there is room for one more. Heartbeats go on even if answers are late,
    /// because the agent in turn watches for them.
    fn forget_pings(&mut self) {
        let pings = (self.open.iter()).filter(|(_, open)| matches!(open, Pending::Ping { .. }));
        let pings: Vec<_> = pings.map(|(id, _)| *id).collect();
        let surplus = (pings.len() + 1).saturating_sub(PINGS_MAX);
        for id in pings.into_iter().take(surplus) {
            self.open.remove(&id);
            self.forgotten = Some(id);
        }
    }

    /// Removes the request with this number, and returns its kind. `None` if there is no such request.
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

    /// Whether no more questions may be asked now.
    pub(super) fn is_full(&self) -> bool {
        self.asked().count() >= ASKS_MAX
    }

    /// The time at which the oldest open question becomes overdue. `None` if no question is open.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.asked().map(|(_, since)| since).min();
        first.map(|since| since + ANSWER_MAX)
    }

    /// Removes the questions that have waited for too long, and returns their numbers.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<u64> {
        let overdue = (self.asked()).filter(|(_, since)| now - *since >= ANSWER_MAX);
        let overdue = overdue.map(|(id, _)| id).collect();
        self.without(overdue)
    }

    /// Removes all questions, because the agent will not answer any more, and returns their numbers.
    pub(super) fn take_asked(&mut self) -> Vec<u64> {
        let asked = self.asked().map(|(id, _)| id).collect();
        self.without(asked)
    }

    /// Forgets all requests to the last agent.
    pub(super) fn begin_anew(&mut self) {
        self.open.clear();
        self.forgotten = None;
    }

    /// The numbers of the open questions, with the times at which they were asked.
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
