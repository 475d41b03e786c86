//! How an agent gets onto a host that has only a shell.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::figures;

/// A step on the way to an agent on a host that has only a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum InstallStep {
    /// The command connects, and the shell looks for an agent.
    Connect,
    /// The agent is sent.
    Upload,
    /// The host compares the agent's sum, and tries it.
    Verify,
    /// The agent starts.
    Start,
}

/// What is being done to get an agent onto a host that has only a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InstallView {
    /// The present step.
    pub step: InstallStep,
    /// How many bytes of the agent the host has kept; 0 unless the agent is being sent.
    pub kept: u64,
    /// How many bytes there are; 0 unless the agent is being sent.
    pub size: u64,
}

impl fmt::Display for InstallView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            InstallStep::Connect => f.write_str("its shell is asked for an agent"),
            InstallStep::Upload => write!(
                f,
                "the agent is sent: {} of {}",
                figures::bytes(self.kept),
                figures::bytes(self.size)
            ),
            InstallStep::Verify => f.write_str("the agent is checked"),
            InstallStep::Start => f.write_str("the agent is started"),
        }
    }
}
