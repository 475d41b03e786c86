//! Questions to an agent beside its work, which explain how things stand. Every question gets exactly one [`Reply`]:
//! the agent's answer, or the reason why there is none.

use std::{collections::BTreeMap, time::Duration};

use super::{Link, Output, State, loss::said};
use crate::{
    time::Instant,
    wire::{
        control::{Message, Outcome, feature},
        probe::{Found, Probe},
    },
};

/// How long an agent may take for an answer: a little longer than its own limit for a dial.
const ANSWER_MAX: Duration = Duration::from_secs(12);

/// How many questions may be open to one agent.
const OPEN_MAX: usize = 16;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the agent is there. The answer is [`Found::default`].
    Alive,
    /// What the agent finds when it checks this.
    Probe(Probe),
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The agent's answer, cleaned, and how long it took, the way to the agent and back included.
    Found(Found, Duration),
    /// The agent could not do it, for this reason.
    Unable(String),
    /// There was no answer in time.
    Silent,
    /// The agent has ended meanwhile.
    Lost,
    /// The agent is not up, so that nothing was asked.
    NotUp,
    /// The agent is of a version that cannot be asked.
    CannotBeAsked,
    /// Too many questions are open.
    Busy,
}

/// The questions that are open to an agent.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<u64, Waiting>);

/// An open question.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// Whether the answer has to have data.
    wants_data: bool,
}

impl Open {
    /// When the first open question is given up.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.0.values().map(|waiting| waiting.since).min();
        first.map(|since| since + ANSWER_MAX)
    }
}

impl Link {
    /// Asks the agent something. The reply comes as [`Output::Reply`] with the number that is returned. If nothing can
    /// be asked, the reply is returned at once.
    pub fn ask(&mut self, now: Instant, question: &Question) -> Result<u64, Reply> {
        if self.state != State::Ready {
            return Err(Reply::NotUp);
        }
        let needs = match question {
            Question::Alive => feature::HEARTBEAT,
            Question::Probe(_) => feature::PROBE,
        };
        if !self.life.can(needs) {
            return Err(Reply::CannotBeAsked);
        }
        if self.life.open.0.len() >= OPEN_MAX {
            return Err(Reply::Busy);
        }
        self.request(|id, _| match question {
            Question::Alive => Message::ping(id),
            Question::Probe(probe) => Message::probe(id, probe),
        });
        let waiting = Waiting {
            since: now,
            wants_data: *question != Question::Alive,
        };
        self.life.open.0.insert(self.requests, waiting);
        Ok(self.requests)
    }

    /// Takes the answer to an open question; false if there was no such question.
    pub(super) fn handle_reply(&mut self, now: Instant, outcome: &Outcome) -> bool {
        let Some(waiting) = self.life.open.0.remove(&outcome.request_id) else {
            return false;
        };
        let reply = match outcome.failure() {
            Some(reason) => Reply::Unable(said(&reason)),
            None if !waiting.wants_data => Reply::Found(Found::default(), now - waiting.since),
            None => match outcome.data.read::<Found>() {
                Ok(mut found) => {
                    found.reason = said(&found.reason);
                    Reply::Found(found, now - waiting.since)
                }
                Err(_) => Reply::Unable("its answer cannot be read".to_owned()),
            },
        };
        self.outputs
            .push_back(Output::Reply(outcome.request_id, reply));
        true
    }

    /// Gives up the questions that have waited for too long.
    pub(super) fn give_up_waiting(&mut self, now: Instant) {
        let outputs = &mut self.outputs;
        self.life.open.0.retain(|id, waiting| {
            let waits = now - waiting.since < ANSWER_MAX;
            if !waits {
                outputs.push_back(Output::Reply(*id, Reply::Silent));
            }
            waits
        });
    }

    /// Gives up all open questions, because the agent answers nothing more.
    pub(super) fn give_up_all(&mut self) {
        let open = std::mem::take(&mut self.life.open.0);
        let lost = open.into_keys().map(|id| Output::Reply(id, Reply::Lost));
        self.outputs.extend(lost);
    }
}
