//! Questions to an agent that explain the state of a connection, and do not change anything. Every question gets
//! exactly one [`Reply`]: the agent's answer, or the reason why there is none.

use std::time::Duration;

use super::loss::said;
use crate::wire::{
    control::Outcome,
    probe::{Found, Probe},
};

/// A question to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Asks whether the agent still answers. The answer is [`Found::default`].
    Alive,
    /// Asks the agent to perform this check.
    Probe(Probe),
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The agent's answer, made safe to show, and the time from the question to the answer.
    Found(Found, Duration),
    /// The agent could not perform the check, for this reason.
    Unable(String),
    /// There was no answer in time.
    Silent,
    /// The agent ended before it answered.
    Lost,
    /// The agent does not serve, so it was not asked.
    NotUp,
    /// The agent is too old to know this question.
    CannotBeAsked,
    /// Too many questions to the agent are open.
    Busy,
}

impl Reply {
    /// Reads an answer that took this long. If `wants_data` is true, an answer without data is not valid.
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
