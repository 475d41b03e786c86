//! The content of a manifest without places, and with anchors, aliases and merge keys resolved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::yaml::{self, Kind};

/// A value of YAML, as this program understands it. A number is a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`, without quotes.
    Flag(bool),
    /// Any other single value.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
}

/// The content of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Everything.
    pub root: Value,
    /// The keys of `hosts` in the order of the file, on which assigned addresses depend.
    pub order: Vec<String>,
}

impl Value {
    /// The value of a scalar. `plain` says whether it can mean null or a flag.
    pub(super) fn scalar(text: &str, plain: bool) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" if plain => Self::Null,
            "true" | "True" | "TRUE" if plain => Self::Flag(true),
            "false" | "False" | "FALSE" if plain => Self::Flag(false),
            _ => Self::Text(text.to_owned()),
        }
    }

    fn of(node: &yaml::Node) -> Self {
        match &node.kind {
            Kind::Scalar { text, plain } => Self::scalar(text, *plain),
            Kind::List(items) => Self::List(items.iter().map(|item| Self::of(item)).collect()),
            Kind::Map(entries) => {
                let mut map = BTreeMap::new();
                for entry in entries {
                    map.entry(entry.key.to_string())
                        .or_insert_with(|| Self::of(&entry.value));
                }
                Self::Map(map)
            }
        }
    }

    /// The value of a key; `None` if this is not a map, or the key is missing.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.get(key),
            Self::Null | Self::Flag(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The items of a list; empty if this is not a list.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Flag(_) | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The text of a single value that is neither null nor a flag.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Flag(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl Content {
    pub(super) fn of(root: &yaml::Node) -> Self {
        let hosts = root.get("hosts").map_or(&[][..], yaml::Node::entries);
        Self {
            order: hosts.iter().map(|entry| entry.key.to_string()).collect(),
            root: Value::of(root),
        }
    }
}

/// The content of a text as the reader of manifests finds it; `None` if it is not YAML.
pub fn content(text: &str) -> Option<Content> {
    let (root, _) = yaml::parse(text);
    root.as_deref().map(Content::of)
}
