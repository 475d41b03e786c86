//! The parts of a manifest that have fields, and the difference between two manifests as a list of parts.

use std::collections::BTreeSet;

use crate::manifest::{
    fields::Of,
    value::{Content, Value},
};

/// A part of a manifest that has fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The manifest itself.
    Manifest,
    /// `hostTemplate`.
    Template,
    /// The host with this name.
    Host(String),
    /// The route with this number, from 0.
    Route(usize),
}

impl Owner {
    /// The name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Manifest => "the manifest".to_owned(),
            Self::Template => "hostTemplate".to_owned(),
            Self::Host(name) => name.clone(),
            Self::Route(at) => format!("route {}", at + 1),
        }
    }

    /// The table of the fields that this part can have.
    pub fn of(&self) -> Of {
        match self {
            Self::Manifest => Of::Manifest,
            Self::Template => Of::Template,
            Self::Host(_) => Of::Host,
            Self::Route(_) => Of::Route,
        }
    }
}

/// The names of the parts whose content differs.
pub(super) fn changed(before: &Content, after: &Content) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for key in keys(&before.root, &after.root) {
        let (old, new) = (before.root.get(&key), after.root.get(&key));
        if old == new {
            continue;
        }
        match (key.as_str(), old, new) {
            ("hosts", Some(old), Some(new)) => {
                let names = keys(old, new).into_iter();
                found.extend(names.filter(|name| old.get(name) != new.get(name)));
            }
            ("routes", Some(Value::List(old)), Some(Value::List(new)))
                if old.len() == new.len() =>
            {
                let pairs = old.iter().zip(new).enumerate();
                let other = pairs.filter(|(_, (old, new))| old != new);
                found.extend(other.map(|(at, _)| Owner::Route(at).name()));
            }
            _ => {
                found.insert(key);
            }
        }
    }
    found
}

/// The keys that one or both of two maps have.
fn keys(one: &Value, other: &Value) -> BTreeSet<String> {
    let maps = [one, other].into_iter().filter_map(|value| match value {
        Value::Map(map) => Some(map),
        Value::Null | Value::Flag(_) | Value::Text(_) | Value::List(_) => None,
    });
    maps.flat_map(|map| map.keys().cloned()).collect()
}
