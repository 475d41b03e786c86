//! What a host's command asks a person, and what the person says.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secret::Secret;

/// A question that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PromptView {
    /// Its number; no other question of the network has it.
    pub id: u64,
    /// What kind of answer it wants.
    pub kind: PromptKind,
    /// What the command says, cleaned; several lines if it says several.
    pub text: String,
}

/// What kind of answer a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PromptKind {
    /// A password or the like, which is not to be seen while it is typed.
    Secret,
    /// "yes" or "no".
    Confirm,
    /// Something that anybody may see.
    Text,
}

/// What a person says to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The question's number.
    pub prompt: u64,
    /// The answer; without one the question is refused.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub text: Option<Secret>,
    /// Whether the same question of the same host gets the same answer when the host is started again.
    #[serde(default)]
    pub remember: bool,
}

/// What a host's command asks through our helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// What shows that it is the command of that host, in its present life.
    #[cfg_attr(test, schemars(with = "String"))]
    pub token: Secret,
    /// What kind of answer is wanted; none for a word that only wants to be read.
    pub kind: Option<PromptKind>,
    /// What is asked.
    pub text: String,
    /// The process that asks, where that is known: one that asks the same again did not like the answer.
    #[serde(default)]
    pub asker: u32,
}

/// What the helper hears.
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
