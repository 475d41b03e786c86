//! The parts of a manifest that have fields, and the difference between two manifests as a list of parts.

use std::collections::BTreeSet;

use crate::manifest::{
    fields::Of,
    value::{Content, Value},
};

/// The key of the policy, which is also its name in messages.
const POLICY: &str = "policy";

/// A part of a manifest that has fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The manifest itself.
    Manifest,
    /// `hostTemplate`.
    Template,
    /// The host with this name.
    Host(String),
    /// The item with this number, from 0, of a list.
    Item(List, usize),
    /// The groups of the policy. The name of each group is a field.
    Groups,
}

/// A list of a manifest whose items have fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The routes.
    Routes,
    /// The rules of the policy.
    Rules,
    /// The tests of the policy.
    Tests,
}

impl List {
    /// The keys that lead to the list.
    pub(super) fn path(self) -> &'static [&'static str] {
        match self {
            Self::Routes => &["routes"],
            Self::Rules => &["policy", "rules"],
            Self::Tests => &["policy", "tests"],
        }
    }

    /// The name of one item in messages.
    fn item(self) -> &'static str {
        match self {
            Self::Routes => "route",
            Self::Rules => "rule",
            Self::Tests => "test",
        }
    }
}

impl Owner {
    /// The name of a field of this part in messages.
    pub(super) fn field(&self, field: &[String]) -> String {
        match self {
            Self::Groups => group(&field.join(".")),
            Self::Manifest | Self::Template | Self::Host(_) | Self::Item(..) => {
                format!("{} of {}", field.join("."), self.name())
            }
        }
    }

    /// The names under which a change of this field, and of nothing else, is listed by [`changed`].
    pub(super) fn of_field(&self, field: &[String]) -> Vec<String> {
        match self {
            // The fields of the manifest are parts of their own.
            Self::Manifest => vec![field[..1].join("."), field.join(".")],
            // The first group makes the list of groups, and perhaps the policy.
            Self::Groups => vec![group(&field.join(".")), POLICY.to_owned()],
            Self::Template | Self::Host(_) | Self::Item(..) => vec![self.name()],
        }
    }

    /// The name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Manifest => "the manifest".to_owned(),
            Self::Template => "hostTemplate".to_owned(),
            Self::Host(name) => name.clone(),
            Self::Item(list, at) => format!("{} {}", list.item(), at + 1),
            Self::Groups => "the groups".to_owned(),
        }
    }

    /// The table of the fields that this part can have.
    pub fn of(&self) -> Of {
        match self {
            Self::Manifest => Of::Manifest,
            Self::Template => Of::Template,
            Self::Host(_) => Of::Host,
            Self::Item(List::Routes, _) => Of::Route,
            Self::Item(List::Rules, _) => Of::Rule,
            Self::Item(List::Tests, _) => Of::Test,
            Self::Groups => Of::Groups,
        }
    }
}

/// The name of a group of the policy in messages.
pub fn group(name: &str) -> String {
    format!("the group {name}")
}

/// The names of the parts whose content differs.
pub(super) fn changed(before: &Content, after: &Content) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, old, new) in differing(&before.root, &after.root) {
        match (key.as_str(), old, new) {
            ("hosts", Some(old), Some(new)) => {
                found.extend(differing(old, new).map(|(name, ..)| name));
            }
            ("routes", Some(old), Some(new)) => items(List::Routes, &key, old, new, &mut found),
            ("policy", Some(old @ Value::Map(_)), Some(new @ Value::Map(_))) => {
                in_policy(old, new, &mut found);
            }
            _ => {
                found.insert(key);
            }
        }
    }
    found
}

fn in_policy(before: &Value, after: &Value, found: &mut BTreeSet<String>) {
    for (key, old, new) in differing(before, after) {
        match (key.as_str(), old, new) {
            ("groups", Some(old), Some(new)) => {
                found.extend(differing(old, new).map(|(name, ..)| group(&name)));
            }
            ("rules", Some(old), Some(new)) => items(List::Rules, POLICY, old, new, found),
            ("tests", Some(old), Some(new)) => items(List::Tests, POLICY, old, new, found),
            (_, Some(_), Some(_)) => {
                found.insert(format!("{POLICY}.{key}"));
            }
            _ => {
                found.insert(POLICY.to_owned());
            }
        }
    }
}

/// The items of a list that differ; the whole part of the manifest if their number differs.
fn items(list: List, part: &str, before: &Value, after: &Value, found: &mut BTreeSet<String>) {
    let (old, new) = (before.items(), after.items());
    if old.len() != new.len() || old.is_empty() {
        found.insert(part.to_owned());
        return;
    }
    let pairs = old.iter().zip(new).enumerate();
    let other = pairs.filter(|(_, (old, new))| old != new);
    found.extend(other.map(|(at, _)| Owner::Item(list, at).name()));
}

/// The keys whose values differ in two maps, each with the values.
fn differing<'v>(
    before: &'v Value,
    after: &'v Value,
) -> impl Iterator<Item = (String, Option<&'v Value>, Option<&'v Value>)> {
    let keys = keys(before, after).into_iter();
    let pairs = keys.map(|key| (before.get(&key), after.get(&key), key));
    pairs.filter_map(|(old, new, key)| (old != new).then_some((key, old, new)))
}

/// The keys that one or both of two maps have.
fn keys(one: &Value, other: &Value) -> BTreeSet<String> {
    let maps = [one, other].into_iter().filter_map(|value| match value {
        Value::Map(map) => Some(map),
        Value::Null | Value::Flag(_) | Value::Text(_) | Value::List(_) => None,
    });
    maps.flat_map(|map| map.keys().cloned()).collect()
}
