//! Questions that the manager asks an agent besides its work, to explain the agent's state. Every question gets exactly
//! one [`AgentReply`]: the agent's answer, or the reason why there is none.

use std::time::Duration;

use super::said::said;
use crate::wire::{
    control::{Outcome, feature},
    open_ports::{OPEN_PORTS_MAX, OpenPorts},
    probe::{Found, Probe},
};

/// A question to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentQuestion {
    /// Asks whether the agent is alive. The answer is [`Found::default`].
    Alive,
    /// Asks for the result of this probe.
    Probe(Probe),
    /// Asks for the ports of the agent's host on which programs listen.
    OpenPorts,
}

/// The kind of data in the answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerData {
    None,
    Found,
    OpenPorts,
}

impl AgentQuestion {
    /// The feature that an agent needs to answer, and the data of its answer.
    pub(super) const fn needs(&self) -> (&'static str, AnswerData) {
        match self {
            Self::Alive => (feature::HEARTBEAT, AnswerData::None),
            Self::Probe(_) => (feature::PROBE, AnswerData::Found),
            Self::OpenPorts => (feature::OPEN_PORTS, AnswerData::OpenPorts),
        }
    }
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentReply {
    /// The agent's answer, made safe to show, and the time between question and answer.
    Found(Found, Duration),
    /// The open ports of the agent's host, made safe to show.
    OpenPorts(OpenPorts),
    /// The agent could not answer, for this reason.
    Unable(String),
    /// No answer came in time.
    Silent,
    /// The agent ended before it answered.
    Lost,
    /// The agent is not up, so the question was not sent.
    NotUp,
    /// The agent is of a version that does not support this question.
    CannotBeAsked,
    /// Too many questions to the agent are open.
    Busy,
}

impl AgentReply {
    /// Reads an answer with this data. `took` is the time since its question.
    pub(super) fn read(outcome: &Outcome, took: Duration, data: AnswerData) -> Self {
        if let Some(reason) = outcome.failure() {
            return Self::Unable(said(&reason));
        }
        let unreadable = || Self::Unable("its answer cannot be read".to_owned());
        match data {
            AnswerData::None => Self::Found(Found::default(), took),
            AnswerData::Found => match outcome.data.read::<Found>() {
                Ok(mut found) => {
                    found.reason = said(&found.reason);
                    Self::Found(found, took)
                }
                Err(_) => unreadable(),
            },
            AnswerData::OpenPorts => match outcome.data.read::<OpenPorts>() {
                Ok(mut open) => {
                    let more = open.ports.len().saturating_sub(OPEN_PORTS_MAX);
                    open.more = open.more.saturating_add(more as u64);
                    open.ports.truncate(OPEN_PORTS_MAX);
                    for port in &mut open.ports {
                        port.program = said(&port.program);
                    }
                    Self::OpenPorts(open)
                }
                Err(_) => unreadable(),
            },
        }
    }
}
