//! The explanation of why a connection works or does not, as people and programs see it.

use serde::{Deserialize, Serialize};

/// The steps of a connection through the network, as they were found a moment ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhyView {
    /// The destination of the connection: a name or an address, and a port.
    pub target: String,
    /// The name of the host where the connection would begin.
    pub from: String,
    /// The steps, in the order in which a connection takes them.
    pub steps: Vec<WhyStep>,
}

/// One step on the way of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhyStep {
    /// The name of the step: `name`, `rule`, `source`, `destination` or `gateway`, `listener`, `dial`.
    pub step: String,
    /// Whether the step works.
    pub outcome: WhyOutcome,
    /// The finding, for people.
    pub text: String,
    /// Microseconds until the agent answered, if an agent was asked. They include the agent's probe, and the way to the
    /// agent and back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// The remedy, if the step does not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Whether a step works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum WhyOutcome {
    /// The step works.
    Ok,
    /// The step does not work.
    Failed,
    /// Whether the step works could not be found out.
    Unknown,
    /// The step was not tested: this connection does not have it, or an earlier step has to work first.
    Skipped,
}

impl WhyView {
    /// The first step that does not work.
    pub fn first_failed(&self) -> Option<&WhyStep> {
        let mut steps = self.steps.iter();
        steps.find(|step| step.outcome == WhyOutcome::Failed)
    }
}
