//! The small changes of which every edit consists, and the effect of each on the tree. The changed tree is the meaning
//! of an edit, and the new text is compared with it.

use crate::manifest::{
    source::{Entry, Id, Kind, Source},
    value::Value,
};

/// One change at one place.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Sets the value of a key of a map. The key may be new.
    Put { map: Id, key: String, value: Value },
    /// Removes an entry of a map.
    Remove { map: Id, at: usize },
    /// Renames the key of an entry.
    Rename { map: Id, at: usize, to: String },
    /// Adds a copy of an entry, with another key, at the end of the map.
    Copy { map: Id, at: usize, to: String },
    /// Replaces an item of a list.
    SetItem { list: Id, at: usize, value: Value },
    /// Inserts an item into a list, before the item with this number.
    Insert { list: Id, at: usize, value: Value },
    /// Removes an item of a list.
    Take { list: Id, at: usize },
    /// Moves an item of a list, so that it has the number `to` afterwards.
    Move { list: Id, from: usize, to: usize },
}

impl Op {
    /// Changes the tree, but not the text. Aliases of a changed node change with it.
    pub(super) fn model(&self, source: &mut Source) {
        match self {
            Self::Put { map, key, value } => {
                let kind = kind(source, value);
                if let Some(at) = source.own(*map, key) {
                    let id = source.entries(*map)[at].value;
                    *source.kind_mut(id) = kind;
                } else {
                    let value = source.add(kind);
                    let key = text(source, key);
                    entries(source, *map).push(Entry { key, value });
                }
            }
            Self::Remove { map, at } => {
                entries(source, *map).remove(*at);
            }
            Self::Rename { map, at, to } => {
                let key = text(source, to);
                entries(source, *map)[*at].key = key;
            }
            Self::Copy { map, at, to } => {
                let value = source.entries(*map)[*at].value;
                let value = copy(source, value);
                let key = text(source, to);
                entries(source, *map).push(Entry { key, value });
            }
            Self::SetItem { list, at, value } => {
                let kind = kind(source, value);
                let id = source.items(*list)[*at];
                *source.kind_mut(id) = kind;
            }
            Self::Insert { list, at, value } => {
                let kind = kind(source, value);
                let id = source.add(kind);
                items(source, *list).insert(*at, id);
            }
            Self::Take { list, at } => {
                items(source, *list).remove(*at);
            }
            Self::Move { list, from, to } => {
                let items = items(source, *list);
                let item = items.remove(*from);
                items.insert(*to, item);
            }
        }
    }
}

fn text(source: &mut Source, text: &str) -> Id {
    source.add(Kind::Scalar {
        text: text.to_owned(),
        plain: false,
    })
}

/// The entries of a map. A node that is null is first made an empty map.
fn entries(source: &mut Source, map: Id) -> &mut Vec<Entry> {
    let kind = source.kind_mut(map);
    if !matches!(kind, Kind::Map { .. }) {
        *kind = Kind::Map {
            entries: Vec::new(),
            flow: false,
        };
    }
    match kind {
        Kind::Map { entries, .. } => entries,
        Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias(_) => unreachable!("it is a map now"),
    }
}

fn items(source: &mut Source, list: Id) -> &mut Vec<Id> {
    match source.kind_mut(list) {
        Kind::List { items, .. } => items,
        Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias(_) => {
            unreachable!("only lists are edited by items")
        }
    }
}

/// Adds the parts of a value to the tree.
fn kind(source: &mut Source, value: &Value) -> Kind {
    let plain = |text: &str| Kind::Scalar {
        text: text.to_owned(),
        plain: true,
    };
    match value {
        Value::Null => plain("null"),
        Value::Flag(flag) => plain(&flag.to_string()),
        Value::Text(text) => Kind::Scalar {
            text: text.clone(),
            plain: false,
        },
        Value::List(list) => {
            let mut items = Vec::new();
            for item in list {
                let kind = kind(source, item);
                items.push(source.add(kind));
            }
            Kind::List { items, flow: true }
        }
        Value::Map(map) => {
            let mut entries = Vec::new();
            for (key, value) in map {
                let kind = kind(source, value);
                let value = source.add(kind);
                let key = text(source, key);
                entries.push(Entry { key, value });
            }
            Kind::Map {
                entries,
                flow: true,
            }
        }
    }
}

/// Copies the tree at `id`. Nothing else leads to the nodes of the copy.
fn copy(source: &mut Source, id: Id) -> Id {
    let kind = match source.node(id).kind.clone() {
        Kind::List { mut items, flow } => {
            for item in &mut items {
                *item = copy(source, *item);
            }
            Kind::List { items, flow }
        }
        Kind::Map { mut entries, flow } => {
            for entry in &mut entries {
                entry.value = copy(source, entry.value);
            }
            Kind::Map { entries, flow }
        }
        other @ (Kind::Scalar { .. } | Kind::Alias(_)) => other,
    };
    source.add(kind)
}
