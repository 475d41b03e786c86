//! Questions to an agent beside its work, which explain how things stand. Every question gets exactly one
//! [`AgentReply`]: the agent's answer, or the reason why there is none.

use std::time::Duration;

use super::loss::said;
use crate::wire::{
    control::Outcome,
    probe::{Found, Probe},
};

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentQuestion {
    /// Whether the agent is there. The answer is [`Found::default`].
    Alive,
    /// What the agent finds when it checks this.
    Probe(Probe),
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentReply {
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

impl AgentReply {
    /// What an answer says that took so long. `wants_data` says whether it has to have data.
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
