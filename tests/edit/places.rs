//! Finds the places in a text that belong to a part of the manifest or to one of its fields.

use std::ops::Range;

use norouter::{
    edit::{Change, List, Owner, Reach},
    manifest::source::{Id, Kind, Source},
};

use crate::{meaning::is_inherited, reading::Reading};

/// The lines that a change of an existing field may touch: the lines of the field if the owner has the field itself, those
/// of the whole entry of the owner with `Here`, and those where the value is written with `Everywhere`.
pub(crate) fn written(
    before: &Reading,
    owner: &Owner,
    field: &[String],
    change: &Change,
    reach: Option<Reach>,
) -> Option<Range<usize>> {
    let source = &before.source;
    let (key, value) = match reach {
        None => field_nodes(source, owner, field)?,
        Some(Reach::Here) => field_nodes(source, owner, &field[..1])?,
        Some(Reach::Everywhere) => {
            let is_inherited = is_inherited(&before.content, owner, field);
            let owner = if is_inherited {
                &Owner::Template
            } else {
                owner
            };
            let mut map = owner_anywhere(source, owner)?;
            let mut found = None;
            for key in field {
                let (holder, at) = source.find(map, key)?;
                let entry = source.entries(holder)[at];
                map = source.target(entry.value);
                found = Some(match change {
                    // An alias is removed, and its key with it.
                    Change::Clear => (entry.key, entry.value),
                    _ if map == entry.value => (entry.key, map),
                    // The key of an alias stands elsewhere.
                    _ => (map, map),
                });
            }
            found?
        }
    };
    let (key, value) = (source.node(key), source.node(value));
    let end = value.span.end.max(key.span.end);
    Some(key.span.start..next_line(&before.source.text, end))
}

/// The lines of a field, if its owner has it itself and not through an alias or a merge key.
pub(crate) fn field_range(
    before: &Reading,
    owner: &Owner,
    field: &[String],
) -> Option<Range<usize>> {
    written(before, owner, field, &Change::Clear, None)
}

/// The bytes of the value of a field, if the owner has the field itself. A comment after a value on the same line does
/// not belong to the value, but comments between the lines of a list do.
pub(crate) fn value_span(
    before: &Reading,
    owner: &Owner,
    field: &[String],
) -> Option<Range<usize>> {
    let source = &before.source;
    let (_, value) = field_nodes(source, owner, field)?;
    let node = source.node(value);
    let is_below = match &node.kind {
        Kind::List { flow, .. } | Kind::Map { flow, .. } => !flow,
        Kind::Scalar { .. } | Kind::Alias(_) => false,
    };
    let end = if is_below {
        next_line(&before.source.text, node.span.end)
    } else {
        node.span.end
    };
    Some(node.inner..end)
}

/// The key and the value of a field, if the owner has the field itself and not by an alias or a merge key.
pub(crate) fn field_nodes(source: &Source, owner: &Owner, field: &[String]) -> Option<(Id, Id)> {
    let (map, at) = own(source, owner_of(source, owner)?, field)?;
    let entry = source.entries(map)[at];
    Some((entry.key, entry.value))
}

/// The map and the number of the entry to which a path leads without an alias or a merge key.
pub(crate) fn own(source: &Source, map: Id, path: &[String]) -> Option<(Id, usize)> {
    let (last, path) = path.split_last()?;
    let mut map = map;
    for key in path {
        let at = source.own(map, key)?;
        map = source.entries(map)[at].value;
    }
    Some((map, source.own(map, last)?))
}

/// The map of an owner, if it is written in its place.
pub(crate) fn owner_of(source: &Source, owner: &Owner) -> Option<Id> {
    let value = |map: Id, key: &str| {
        let at = source.own(map, key)?;
        Some(source.entries(map)[at].value)
    };
    match owner {
        Owner::Manifest => Some(source.root),
        Owner::Template => value(source.root, "hostTemplate"),
        Owner::Host(name) => value(value(source.root, "hosts")?, name),
        Owner::Item(..) => owner_anywhere(source, owner),
        Owner::Groups => value(value(source.root, "policy")?, "groups"),
    }
}

/// The map of an owner, wherever it is written.
pub(crate) fn owner_anywhere(source: &Source, owner: &Owner) -> Option<Id> {
    let value = |map: Id, key: &str| {
        let (map, at) = source.find(map, key)?;
        Some(source.target(source.entries(map)[at].value))
    };
    match owner {
        Owner::Manifest => Some(source.root),
        Owner::Template => value(source.root, "hostTemplate"),
        Owner::Host(name) => value(value(source.root, "hosts")?, name),
        Owner::Item(list, at) => {
            let mut path = list_path(*list).into_iter();
            let items = path.try_fold(source.root, value)?;
            Some(source.target(*source.items(items).get(*at)?))
        }
        Owner::Groups => value(value(source.root, "policy")?, "groups"),
    }
}

/// The keys that lead to a list.
pub(crate) fn list_path(list: List) -> Vec<&'static str> {
    match list {
        List::Routes => vec!["routes"],
        List::Rules => vec!["policy", "rules"],
        List::Tests => vec!["policy", "tests"],
    }
}

pub(crate) fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |it| at + it + 1)
}
