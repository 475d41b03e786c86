//! The requests to an agent that it has not answered yet. The id of an answer tells which request it answers.

use std::{collections::BTreeMap, time::Duration};

use super::ask::AnswerData;
use crate::time::Instant;

/// The time that an agent has to answer a question: a little longer than its own limit for a dial.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// The maximum number of open questions to one agent.
const ASKS_MAX: usize = 16;

/// The maximum number of heartbeats whose times are remembered. The answer to an older heartbeat still shows that the
/// agent is alive, but gives no latency.
const PINGS_MAX: usize = 16;

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// A configuration; `sum` is the checksum of its message.
    Configure { sum: u16 },
    /// The lists of lost and of far hosts.
    Lost,
    /// A question that is not part of the agent's work.
    Ask {
        since: Instant,
        /// The kind of data in the answer.
        data: AnswerData,
    },
    /// A heartbeat that was sent at this time.
    Ping { since: Instant },
    /// A heartbeat that marks a place in the stream to the agent.
    Mark,
    /// A heartbeat that is so old that its time is no longer stored.
    Forgotten,
}

/// The unanswered requests.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// The id of the last request. The ids continue when the agent is restarted.
    pub(super) last: u64,
    open: BTreeMap<u64, Pending>,
    /// The highest id of a heartbeat or mark that was discarded; `None` if there was none.
    forgotten: Option<u64>,
}

impl Requests {
    /// A new id.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds a request under its id.
    pub(super) fn add(&mut self, id: u64, pending: Pending) {
        if matches!(pending, Pending::Ping { .. }) {
            self.forget_pings();
        }
        self.open.insert(id, pending);
    }

    /// Discards the oldest heartbeats to make room for another one. A heartbeat is sent even if older ones are
    /// unanswered, because the agent also needs it as a sign of life.
    fn forget_pings(&mut self) {
        let pings = (self.open.iter()).filter(|(_, open)| matches!(open, Pending::Ping { .. }));
        let pings: Vec<_> = pings.map(|(id, _)| *id).collect();
        let surplus = (pings.len() + 1).saturating_sub(PINGS_MAX);
        for id in pings.into_iter().take(surplus) {
            self.open.remove(&id);
            self.forgotten = Some(id);
        }
    }

    /// Removes the request with this id; `None` if there is none.
    pub(super) fn take(&mut self, id: u64) -> Option<Pending> {
        let open = self.open.remove(&id);
        if open.is_none() && self.forgotten.is_some_and(|last| id <= last) {
            return Some(Pending::Forgotten);
        }
        open
    }

    /// Removes the marks up to this id. Their answers, if they still come, say nothing new.
    pub(super) fn forget_marks(&mut self, id: u64) {
        let marks = (self.open.range(..=id)).filter(|(_, open)| **open == Pending::Mark);
        let marks: Vec<_> = marks.map(|(id, _)| *id).collect();
        for id in marks {
            self.open.remove(&id);
            self.forgotten = self.forgotten.max(Some(id));
        }
    }

    /// Whether the agent has not answered the last lists of hosts yet.
    pub(super) fn tells_lost(&self) -> bool {
        self.open.values().any(|open| *open == Pending::Lost)
    }

    /// Whether no more questions may be asked now.
    pub(super) fn is_full(&self) -> bool {
        self.asked().count() >= ASKS_MAX
    }

    /// The time at which the oldest open question expires; `None` if no question is open.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.asked().map(|(_, since)| since).min();
        first.map(|since| since + ANSWER_MAX)
    }

    /// Removes the expired questions, and returns their ids.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<u64> {
        let overdue = (self.asked()).filter(|(_, since)| now - *since >= ANSWER_MAX);
        let overdue = overdue.map(|(id, _)| id).collect();
        self.without(overdue)
    }

    /// Removes all questions, because the agent can no longer answer, and returns their ids.
    pub(super) fn take_asked(&mut self) -> Vec<u64> {
        let asked = self.asked().map(|(id, _)| id).collect();
        self.without(asked)
    }

    /// Removes all requests to the previous agent.
    pub(super) fn begin_anew(&mut self) {
        self.open.clear();
        self.forgotten = None;
    }

    /// The ids of the open questions, each with the time at which it was asked.
    fn asked(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.open.iter().filter_map(|(id, open)| match open {
            Pending::Ask { since, .. } => Some((*id, *since)),
            Pending::Configure { .. }
            | Pending::Lost
            | Pending::Ping { .. }
            | Pending::Mark
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
    fn an_agent_that_answers_only_its_newest_mark_leaves_none_behind() {
        let mut requests = Requests::default();
        for _ in 0..100 {
            for _ in 0..10 {
                let id = requests.number();
                requests.add(id, Pending::Mark);
            }
            let last = requests.last;
            assert_eq!(requests.take(last), Some(Pending::Mark));
            requests.forget_marks(last);
            assert!(requests.open.is_empty());
            assert_eq!(requests.take(last - 1), Some(Pending::Forgotten));
        }
    }

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
