//! Finds the places at which a manifest names its hosts: in routes and in the policy.

use super::{
    op::Op,
    owner::{List, Owner, group_name},
};
use crate::manifest::{
    source::{Id, Kind, Source},
    value::Value,
};

/// A place where a host may be named.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// The list or map that contains the text.
    holder: Id,
    /// The number of the item or entry there.
    at: usize,
    /// The node with the text, or with an alias of the text.
    pub(super) node: Id,
    /// The text, which is the name of a host, perhaps with a port.
    pub(super) text: String,
    /// The list with the route, rule or test, and its number there; `None` for a member of a group.
    pub(super) whole: Option<(Id, usize)>,
    /// The name of the route, group, rule or test with the place, for messages.
    pub(super) place: String,
    /// Whether a port follows the name.
    has_port: bool,
}

impl Reference {
    /// The host's name in the text. In a test of the policy, the text also has a port.
    pub(super) fn name(&self) -> &str {
        match self.text.split_once(':') {
            Some((host, _)) if self.has_port => host,
            _ => &self.text,
        }
    }

    /// Whether `other` is the same place. Several routes or rules can share one place.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        (self.holder, self.at) == (other.holder, other.at)
    }

    /// Whether the text is one of these names of a host.
    pub(super) fn is_one_of(&self, names: &[String]) -> bool {
        let mut names = names.iter();
        names.any(|name| name.eq_ignore_ascii_case(self.name()))
    }

    /// Renames the host at this place.
    pub(super) fn renamed(&self, source: &Source, to: &str) -> Op {
        let text = format!("{to}{}", &self.text[self.name().len()..]);
        let value = Value::Text(text);
        let (list, at) = (self.holder, self.at);
        match source.entries(self.holder).get(at) {
            Some(entry) => Op::Put {
                map: self.holder,
                key: source.key(*entry).to_owned(),
                value,
            },
            None => Op::SetItem { list, at, value },
        }
    }

    /// Removes the host from the list at this place; `None` if the host is not in a list, or is the only one there.
    pub(super) fn taken(&self, source: &Source) -> Option<Op> {
        let (list, at) = (self.holder, self.at);
        (source.items(list).len() > 1).then_some(Op::Take { list, at })
    }
}

/// All places of a manifest where hosts may be named.
pub(super) fn references(source: &Source) -> Vec<Reference> {
    let mut found = Vec::new();
    let root = source.root;
    if let Some(routes) = at(source, root, "routes") {
        whole(source, routes, List::Routes, &["via"], &mut found);
    }
    let Some(policy) = at(source, root, "policy") else {
        return found;
    };
    if let Some(groups) = at(source, policy, "groups") {
        for (number, entry) in source.entries(groups).iter().enumerate() {
            let place = group_name(source.key(*entry));
            texts(source, groups, number, None, &place, &mut found);
        }
    }
    if let Some(rules) = at(source, policy, "rules") {
        whole(
            source,
            rules,
            List::Rules,
            &["from", "to", "via"],
            &mut found,
        );
    }
    if let Some(tests) = at(source, policy, "tests") {
        whole(source, tests, List::Tests, &["from", "to"], &mut found);
    }
    found
}

/// The value of a key, with aliases and merge keys followed.
pub(super) fn at(source: &Source, map: Id, key: &str) -> Option<Id> {
    let (map, at) = source.find(map, key)?;
    Some(source.target(source.entries(map)[at].value))
}

fn whole(source: &Source, id: Id, list: List, keys: &[&str], found: &mut Vec<Reference>) {
    for (number, item) in source.items(id).iter().enumerate() {
        for key in keys {
            if let Some((map, at)) = source.find(source.target(*item), key) {
                let place = Owner::Item(list, number).name();
                texts(source, map, at, Some((id, number)), &place, found);
            }
        }
    }
}

/// The text of an entry, or the texts of its list.
fn texts(
    source: &Source,
    map: Id,
    at: usize,
    whole: Option<(Id, usize)>,
    place: &str,
    found: &mut Vec<Reference>,
) {
    let written = source.entries(map)[at].value;
    let value = source.target(written);
    let mut add = |holder, at, id| {
        if let Value::Text(text) = source.value(id) {
            found.push(Reference {
                holder,
                at,
                node: id,
                text,
                whole,
                has_port: place.starts_with("test "),
                place: place.to_owned(),
            });
        }
    };
    match &source.node(value).kind {
        Kind::Scalar { .. } => add(map, at, written),
        Kind::List { items, .. } => {
            for (at, item) in items.iter().enumerate() {
                add(value, at, *item);
            }
        }
        Kind::Map { .. } | Kind::Alias(_) => {}
    }
}
