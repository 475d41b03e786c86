//! What people and programs are told when they ask why a connection works or does not.

use serde::{Deserialize, Serialize};

/// The way of a connection, step by step, as it was found a moment ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhyView {
    /// Where the connection is to go: a name or an address, and a port.
    pub target: String,
    /// The name of the host where it is to begin.
    pub from: String,
    /// The steps, in the order in which a connection takes them.
    pub steps: Vec<WhyStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WhyStep {
    /// Which: `name`, `rule`, `source`, `destination` or `gateway`, `listener`, `dial`.
    pub step: String,
    /// Whether it works.
    pub outcome: WhyOutcome,
    /// What was found, for people.
    pub text: String,
    /// Microseconds until the agent had answered, if one was asked: what it did, and the way to it and back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// What to do about it, if it does not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Whether a step works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum WhyOutcome {
    /// It does.
    Ok,
    /// It does not.
    Failed,
    /// Nobody could tell.
    Unknown,
    /// It was not looked at: there is no such step, or another one has to work first.
    Skipped,
}

impl WhyView {
    /// The first step that does not work.
    pub fn first_failed(&self) -> Option<&WhyStep> {
        let mut steps = self.steps.iter();
        steps.find(|step| step.outcome == WhyOutcome::Failed)
    }
}
