//! Checks that an edit keeps the bytes and the comments that it is not about.

use std::ops::Range;

use norouter::{
    edit::{Applied, Change, Edit, Owner, Reach},
    manifest::{
        source::{Id, Kind, Source},
        value::Value,
    },
};

use crate::{
    meaning::names,
    places::{field_nodes, field_range, list_path, next_line, own, value_span, written},
    reading::Reading,
};

/// Whether an edit has changed only the bytes that it is about.
pub(crate) fn bytes_are_kept(edit: &Edit, before: &Reading, applied: &Applied) -> bool {
    let (text, splices) = (&before.source.text, &applied.splices);
    let (removed, added) = splices.iter().fold((0, 0), |(removed, added), it| {
        let old = &text.as_bytes()[it.range.clone()];
        let same = common(old, it.text.as_bytes());
        (removed + old.len() - same, added + it.text.len() - same)
    });
    match edit {
        // An edit may replace a null, or an empty pair of brackets.
        Edit::AddHost { .. } | Edit::DuplicateHost { .. } => removed == 0,
        Edit::Insert { .. } => removed <= 2,
        Edit::RemoveHost { .. } | Edit::Remove { .. } => added <= 3 * splices.len(),
        Edit::RenameHost { .. } => applied.splices.len() <= applied.also.len() + 1,
        Edit::Move { .. } => sorted_bytes(text) == sorted_bytes(&applied.text),
        Edit::Field {
            owner,
            field,
            change,
            reach,
        } => match (reach, change) {
            (None | Some(Reach::Everywhere), Change::Take { .. } | Change::Clear) => added <= 3,
            (Some(Reach::Here), Change::Take { .. } | Change::Clear)
                if field_nodes(&before.source, owner, field).is_some_and(|(_, value)| {
                    let is_alias = matches!(before.source.node(value).kind, Kind::Alias(_));
                    *change == Change::Clear || !is_alias
                }) =>
            {
                added <= 3
            }
            _ => written(before, owner, field, change, *reach).is_none_or(|range| {
                let mut splices = splices.iter();
                splices.all(|it| it.range.start >= range.start && it.range.end <= range.end)
            }),
        },
    }
}

/// How many bytes two texts have in common in the same order.
fn common(one: &[u8], other: &[u8]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for a in one {
        let mut before = 0;
        for (at, b) in other.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if a == b {
                before + 1
            } else {
                above.max(row[at])
            };
            before = above;
        }
    }
    row[other.len()]
}

/// The sorted bytes of a text. Line breaks, blanks and commas are left out, because a move may add or remove them.
fn sorted_bytes(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().filter(|it| !b"\r\n ,".contains(it)).collect();
    bytes.sort_unstable();
    bytes
}

/// The comments that are lost although they were not inside anything that was removed or replaced.
pub(crate) fn lost_comments(edit: &Edit, before: &Reading, after: &Reading) -> Vec<String> {
    let mut kept: Vec<&str> = after.comments.iter().map(|it| it.1.as_str()).collect();
    let mut missing = Vec::new();
    for (at, comment) in &before.comments {
        match kept.iter().position(|it| it == comment) {
            Some(found) => {
                kept.swap_remove(found);
            }
            None => missing.push((*at, comment)),
        }
    }
    if missing.is_empty() {
        return Vec::new();
    }
    // Of several comments with the same words, those may be lost that are inside what is removed.
    let mut gone: Vec<&str> = Vec::new();
    for range in self::gone(edit, before) {
        let inside = before.comments.iter().filter(|(at, _)| range.contains(at));
        gone.extend(inside.map(|(_, comment)| comment.as_str()));
    }
    let lost = missing.into_iter().filter(|(_, comment)| {
        let found = gone.iter().position(|it| it == comment);
        found.map(|found| gone.swap_remove(found)).is_none()
    });
    lost.map(|(_, comment)| comment.clone()).collect()
}

/// The parts of a text in which comments may be lost.
fn gone(edit: &Edit, before: &Reading) -> Vec<Range<usize>> {
    let (text, source) = (&before.source.text, &before.source);
    let lines = |id: Id| {
        let span = source.node(id).span.clone();
        let start = source.node(id).dash.unwrap_or(span.start);
        start..next_line(text, span.end)
    };
    match edit {
        Edit::RemoveHost { name } => {
            let path = ["hosts".to_owned(), name.clone()];
            let own = field_range(before, &Owner::Manifest, &path);
            let host = before.content.root.get("hosts").and_then(|it| it.get(name));
            let names = names(name, host.unwrap_or(&Value::Null));
            own.into_iter()
                .chain(naming(source, &names).into_iter().map(lines))
                .collect()
        }
        Edit::Remove { list, at } => {
            let path: Vec<String> = list_path(*list).into_iter().map(str::to_owned).collect();
            let found = own(source, source.root, &path);
            let found = found.map(|(map, at)| source.target(source.entries(map)[at].value));
            let items = found.map_or(&[][..], |items| source.items(items));
            let item = items.get(*at).into_iter();
            item.map(|item| lines(*item)).collect()
        }
        Edit::Field {
            owner,
            field,
            change,
            reach,
        } => match (reach, change) {
            (None, Change::Add { .. }) => Vec::new(),
            (None, Change::Set(_) | Change::Replace { .. }) => {
                value_span(before, owner, field).into_iter().collect()
            }
            _ => written(before, owner, field, change, *reach)
                .into_iter()
                .collect(),
        },
        Edit::AddHost { .. }
        | Edit::RenameHost { .. }
        | Edit::DuplicateHost { .. }
        | Edit::Insert { .. }
        | Edit::Move { .. } => Vec::new(),
    }
}

/// The routes, rules, tests and members of groups with one of these names in them.
fn naming(source: &Source, names: &[String]) -> Vec<Id> {
    let value = |map: Id, key: &str| {
        let (map, at) = source.find(map, key)?;
        Some(source.target(source.entries(map)[at].value))
    };
    let policy = value(source.root, "policy");
    let of_policy = |key: &str| value(policy?, key);
    let lists = [
        value(source.root, "routes"),
        of_policy("rules"),
        of_policy("tests"),
    ];
    let lists = lists.into_iter().flatten();
    let items = lists.flat_map(|list| source.items(list).iter().map(|item| source.target(*item)));
    let groups = of_policy("groups").map_or(&[][..], |groups| source.entries(groups));
    let groups = groups.iter().map(|entry| source.target(entry.value));
    let is_name = |text: &str| {
        let host = text.split(':').next().unwrap_or(text);
        names.iter().any(|name| name.eq_ignore_ascii_case(host))
    };
    let is_named = |id: &Id| has_text(&source.value(*id), &is_name);
    items.chain(groups).filter(is_named).collect()
}

/// Whether one of the texts in a value fulfils a condition.
fn has_text(value: &Value, condition: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Null | Value::Flag(_) => false,
        Value::Text(text) => condition(text),
        Value::List(items) => items.iter().any(|item| has_text(item, condition)),
        Value::Map(fields) => fields.values().any(|item| has_text(item, condition)),
    }
}
