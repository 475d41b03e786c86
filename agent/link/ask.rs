//! Questions that an agent is asked beside its work, so that its answers explain its state. Every question gets exactly
//! one [`AgentReply`]: the agent's answer, or the reason why there is none.

use std::time::Duration;

use super::said::said;
use crate::wire::{
    control::Outcome,
    probe::{Found, Probe},
};

/// A question to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentQuestion {
    /// Asks whether the agent is alive. The answer is [`Found::default`].
    Alive,
    /// Asks for the result of this probe.
    Probe(Probe),
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentReply {
    /// The agent's answer, made safe to show, and the time between question and answer.
    Found(Found, Duration),
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
    /// Reads an answer. `took` is the time since its question. If `wants_data` is true, an answer without data is
    /// invalid.
    pub(super) fn read(outcome: &Outcome, took: Duration, wants_data: bool) -> Self {
        if let Some(reason) = outcome.failure() {
            return Self::Unable(said(&reason));
        }
        if !wants_data {
            return Self::Found(Found::default(), took);
        }
        match outcome.data.read::<Found>() {
            Ok(mut found) => {
                found.reason = said(&found.reason);
                Self::Found(found, took)
            }
            Err(_) => Self::Unable("its answer cannot be read".to_owned()),
        }
    }
}
