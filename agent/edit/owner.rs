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

    /// The name of the list in messages.
    pub(super) fn name(self) -> String {
        self.path().join(".")
    }

    /// Whether [`changed`] may give this name to a change of the list.
    pub(super) fn has(self, name: &str) -> bool {
        let number = name.strip_prefix(self.item());
        name == self.name() || number.is_some_and(|number| number.starts_with(' '))
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
    pub(super) fn field_name(&self, field: &[String]) -> String {
        match self {
            Self::Groups => group_name(&field.join(".")),
            Self::Manifest | Self::Template | Self::Host(_) | Self::Item(..) => {
                format!("{} of {}", field.join("."), self.name())
            }
        }
    }

    /// The names that [`changed`] may give a change of this field.
    pub(super) fn changed_names(&self, field: &[String]) -> Vec<String> {
        match self {
            // The fields of the manifest are parts of their own.
            Self::Manifest => vec![field[..1].join("."), field.join(".")],
            Self::Groups => vec![group_name(&field.join("."))],
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
pub fn group_name(group: &str) -> String {
    format!("the group {group}")
}

/// The names of the parts whose content differs.
pub(super) fn changed(before: &Content, after: &Content) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, old, new) in differing(&before.root, &after.root) {
        match (key.as_str(), map_or_none(old), map_or_none(new)) {
            ("hosts", Some(old), Some(new)) => {
                found.extend(differing(old, new).map(|(name, ..)| name));
            }
            ("routes", ..) => items(List::Routes, old, new, &mut found),
            ("policy", Some(old), Some(new)) => in_policy(old, new, &mut found),
            _ => {
                found.insert(key);
            }
        }
    }
    found
}

fn in_policy(before: &Value, after: &Value, found: &mut BTreeSet<String>) {
    for (key, old, new) in differing(before, after) {
        match (key.as_str(), map_or_none(old), map_or_none(new)) {
            ("groups", Some(old), Some(new)) => {
                found.extend(differing(old, new).map(|(name, ..)| group_name(&name)));
            }
            ("rules", ..) => items(List::Rules, old, new, found),
            ("tests", ..) => items(List::Tests, old, new, found),
            _ => {
                found.insert(format!("policy.{key}"));
            }
        }
    }
}

/// The value as a map, which is empty if there is no value; `None` if the value is something else.
fn map_or_none(value: Option<&Value>) -> Option<&Value> {
    match value {
        None => Some(&Value::Null),
        Some(value @ (Value::Null | Value::Map(_))) => Some(value),
        Some(Value::Flag(_) | Value::Text(_) | Value::List(_)) => None,
    }
}

/// Adds the items of a list that differ; the whole list if their number differs, or if it is not a list.
fn items(list: List, old: Option<&Value>, new: Option<&Value>, found: &mut BTreeSet<String>) {
    let (before, after) = match (old, new) {
        (Some(Value::List(old)), Some(Value::List(new))) if old.len() == new.len() => (old, new),
        _ => {
            found.insert(list.name());
            return;
        }
    };
    let pairs = before.iter().zip(after).enumerate();
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
