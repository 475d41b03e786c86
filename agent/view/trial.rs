//! The trial of one host, step by step: whether its command leads to an agent.

use serde::{Deserialize, Serialize};

use super::{install::InstallView, prompt::PromptView, trouble::Trouble};

/// News of a trial, in the order of the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum TrialNews {
    /// A step is over.
    Step {
        /// The step.
        step: TrialStep,
        /// The step in words.
        text: String,
        /// When the step was over, in milliseconds since the trial began.
        at_ms: u64,
        /// How long the step took, in milliseconds.
        took_ms: u64,
    },
    /// How much of the agent has been sent to the host.
    Install {
        /// The progress.
        install: InstallView,
    },
    /// The questions that wait for a person now; none if all are answered.
    Asks {
        /// The questions, oldest first.
        prompts: Vec<PromptView>,
    },
    /// A line that the command has written to standard error.
    Said {
        /// The line, without control characters.
        line: String,
    },
    /// Something that a person should know, and that does not end the trial.
    Remark {
        /// The sentence.
        text: String,
    },
    /// The trial is over. Everything that it has started is being ended.
    Over {
        /// The outcome.
        outcome: TrialOutcome,
        /// When the trial was over, in milliseconds since it began.
        at_ms: u64,
        /// The version of the agent, if it has answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Why the host cannot be a member, and what to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trouble: Option<Trouble>,
        /// The last lines that the command has written to standard error.
        said: Vec<String>,
    },
}

/// A step on the way to an agent. Which steps can be seen depends on the host's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TrialStep {
    /// The program of the command was found, and runs.
    Program,
    /// The machine was connected to. Only `ssh` reports this.
    Connected,
    /// The machine has shown a host key that is known. Only `ssh` reports this.
    HostKey,
    /// The machine has accepted the user. Only `ssh` reports this.
    LoggedIn,
    /// The first output has arrived.
    Answered,
    /// The host's shell has answered.
    Shell,
    /// An agent was on the host already.
    Present,
    /// An agent was sent.
    Sent,
    /// The agent was checked on the host.
    Checked,
    /// The command has written something before the agent started.
    Banner,
    /// The agent has answered its configuration.
    Agent,
    /// The agent has said what it can do.
    Features,
}

/// The outcome of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum TrialOutcome {
    /// The host can be a member of a network.
    Member,
    /// The host cannot be a member as it is.
    Failed,
    /// The trial was ended before its outcome was known.
    Ended,
}
