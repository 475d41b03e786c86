//! The questions of hosts' commands and the answers of people.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

/// A question that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PromptView {
    /// The number of the question, unique in the network.
    pub id: u64,
    /// The kind of answer that the question wants.
    pub kind: PromptKind,
    /// The text of the question, without control characters; it may have several lines.
    pub text: String,
}

/// The kind of answer that a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PromptKind {
    /// A password or another secret, hidden while it is typed.
    Secret,
    /// The answer "yes" or "no".
    Confirm,
    /// A text that anybody may see.
    Text,
}

/// A person's answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The number of the question.
    pub prompt: u64,
    /// The answer; absent if the person refuses to answer.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub text: Option<Secret>,
    /// Whether to give the same answer again if the host asks the same question after a restart.
    #[serde(default)]
    pub remember: bool,
}

/// A question of a host's command, sent by our askpass helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Proves that the sender is the host's command in its present run.
    #[cfg_attr(test, schemars(with = "String"))]
    pub token: Secret,
    /// The kind of answer that the question needs. Absent if the text needs no answer.
    pub kind: Option<PromptKind>,
    /// The text of the question.
    pub text: String,
    /// The id of the process that asks, or 0 if it is not known. If the same process asks the same question again, it
    /// has not accepted the previous answer.
    #[serde(default)]
    pub asker: u32,
}

/// The answer for the askpass helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The answer, if there is one.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub text: Option<Secret>,
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
