//! Computes the expected content after each edit without the editor, from the content of the old text.

use std::collections::BTreeMap;

use norouter::{
    edit::{Change, Edit, List, Owner, Reach},
    manifest::{
        source::{Entry, Id, Kind, Source},
        value::{Content, Value},
    },
};

use crate::{
    places::{list_path, own, owner_anywhere, owner_of},
    reading::Reading,
};

/// The expected content after an edit; `None` if this file cannot compute it.
pub(crate) fn meant(edit: &Edit, before: &Reading) -> Option<Content> {
    if let Edit::Field {
        owner,
        field,
        change,
        reach,
    } = edit
    {
        return in_field(before, owner, field, change, *reach);
    }
    let mut after = before.content.clone();
    match edit {
        Edit::AddHost { name, fields } => {
            map(map(&mut after.root).get_mut("hosts")?).insert(name.clone(), fields.clone());
            after.order.push(name.clone());
        }
        Edit::RemoveHost { name } => {
            let host = map(map(&mut after.root).get_mut("hosts")?).remove(name)?;
            after.order.retain(|it| it != name);
            unnamed(&mut after.root, &names(name, &host));
        }
        Edit::RenameHost { from, to } => {
            let hosts = map(map(&mut after.root).get_mut("hosts")?);
            let host = hosts.remove(from)?;
            hosts.insert(to.clone(), host);
            for name in &mut after.order {
                if name == from {
                    name.clone_from(to);
                }
            }
            named(&mut after.root, from, to);
        }
        Edit::DuplicateHost { from, to } => {
            let hosts = map(map(&mut after.root).get_mut("hosts")?);
            let mut host = hosts.get(from)?.clone();
            if let Value::Map(fields) = &mut host {
                fields.retain(|key, _| key != "vip" && key != "aliases");
            }
            hosts.insert(to.clone(), host);
            after.order.push(to.clone());
        }
        Edit::Insert { list, at, item } => {
            let items = items_of(&mut after.root, *list);
            items.insert(at.unwrap_or(items.len()), item.clone());
        }
        Edit::Remove { list, at } => {
            items_of(&mut after.root, *list).remove(*at);
        }
        Edit::Move { list, from, to } => {
            let items = items_of(&mut after.root, *list);
            let item = items.remove(*from);
            items.insert(*to, item);
        }
        Edit::Field { .. } => {}
    }
    Some(after)
}

/// The items of a list. The list is added if it is missing.
fn items_of(root: &mut Value, list: List) -> &mut Vec<Value> {
    let mut path = list_path(list).into_iter();
    let value = path.try_fold(root, |value, key| {
        Some(map(value).entry(key.to_owned()).or_insert(Value::Null))
    });
    self::list(value.unwrap())
}

/// The content after a change of a field.
fn in_field(
    before: &Reading,
    owner: &Owner,
    field: &[String],
    change: &Change,
    reach: Option<Reach>,
) -> Option<Content> {
    let source = &before.source;
    let is_inherited = is_inherited(&before.content, owner, field);
    let is_missing = *owner == Owner::Groups && owner_anywhere(source, owner).is_none();
    if reach == Some(Reach::Everywhere) && !is_missing {
        let owner = if is_inherited {
            &Owner::Template
        } else {
            owner
        };
        return Some(everywhere(source, owner, field, change));
    }
    let own = owner_of(source, owner).and_then(|map| own(source, map, field));
    if let Some((map, at)) = own.filter(|_| *change == Change::Clear && !is_inherited) {
        // A merge key may have another value for the field.
        let mut source = source.clone();
        entries(&mut source, map).remove(at);
        return Some(source.content());
    }
    let mut after = before.content.clone();
    let template = before.content.root.get("hostTemplate");
    let template = template.and_then(|it| it.get(&field[0])).cloned();
    let root = map(&mut after.root);
    let of = match owner {
        Owner::Manifest => &mut after.root,
        Owner::Template => root.entry("hostTemplate".to_owned()).or_insert(Value::Null),
        Owner::Host(name) => map(root.get_mut("hosts")?).get_mut(name)?,
        Owner::Item(list, at) => items_of(&mut after.root, *list).get_mut(*at)?,
        Owner::Groups => map(root.entry("policy".to_owned()).or_insert(Value::Null))
            .entry("groups".to_owned())
            .or_insert(Value::Null),
    };
    if is_inherited {
        map(of).insert(field[0].clone(), template?);
    } else if *change == Change::Clear && is_merged(source, owner, field) {
        // A null hides the value of the merge key.
        let hidden = Change::Set(Value::Null);
        change_at(of, field, &hidden)?;
        return Some(after);
    }
    change_at(of, field, change)?;
    Some(after)
}

/// Whether the host takes the field from `hostTemplate`.
pub(crate) fn is_inherited(content: &Content, owner: &Owner, field: &[String]) -> bool {
    let Owner::Host(name) = owner else {
        return false;
    };
    let hosts = content.root.get("hosts");
    let is_set = |map: Option<&Value>| {
        let value = map.and_then(|map| map.get(&field[0]));
        value.is_some_and(|value| *value != Value::Null)
    };
    field[0] != "ports"
        && !is_set(hosts.and_then(|hosts| hosts.get(name)))
        && is_set(content.root.get("hostTemplate"))
}

/// Whether a merge key brings the last part of the field, and the owner itself has everything above.
fn is_merged(source: &Source, owner: &Owner, field: &[String]) -> bool {
    let mut map = owner_of(source, owner);
    for key in &field[..field.len() - 1] {
        map = map.and_then(|map| {
            let at = source.own(map, key)?;
            Some(source.entries(map)[at].value)
        });
    }
    map.is_some_and(|map| matches!(source.node(map).kind, Kind::Map { .. }))
}

/// The content after a change at the place where the field is written, for everybody who takes it from there.
fn everywhere(source: &Source, owner: &Owner, field: &[String], change: &Change) -> Content {
    let mut new = source.clone();
    let Some(owner) = owner_anywhere(&new, owner) else {
        let mut value = Value::Null;
        change_at(&mut value, field, change).unwrap();
        let root = new.root;
        put(&mut new, root, "hostTemplate", &value);
        return new.content();
    };
    let mut map = owner;
    for (depth, key) in field.iter().enumerate() {
        let Some((holder, at)) = new.find(map, key) else {
            let mut value = Value::Map(BTreeMap::new());
            change_at(&mut value, &field[depth..], change).unwrap();
            put(&mut new, map, key, value.get(key).unwrap());
            break;
        };
        let value = new.target(new.entries(holder)[at].value);
        if depth + 1 < field.len() {
            map = value;
        } else if *change == Change::Clear {
            entries(&mut new, holder).remove(at);
        } else {
            changed_node(&mut new, value, change);
        }
    }
    new.content()
}

fn put(source: &mut Source, map: Id, key: &str, value: &Value) {
    let kind = node(source, value);
    let value = source.add(kind);
    let key = source.add(Kind::Scalar {
        text: key.to_owned(),
        plain: false,
    });
    entries(source, map).push(Entry { key, value });
}

/// Changes the value at a node; everybody who takes it from there gets the new one.
fn changed_node(source: &mut Source, id: Id, change: &Change) {
    let is_list = matches!(source.node(id).kind, Kind::List { .. });
    let text = |text: &str| Kind::Scalar {
        text: text.to_owned(),
        plain: false,
    };
    match change {
        Change::Add { at, item } if is_list => {
            let new = source.add(text(item));
            let items = items(source, id);
            items.insert(at.unwrap_or(items.len()), new);
        }
        Change::Replace { at, item } if is_list => {
            let id = source.items(id)[*at];
            *source.kind_mut(id) = text(item);
        }
        Change::Take { at } if is_list => {
            items(source, id).remove(*at);
        }
        _ => {
            let mut value = Value::Map([("it".to_owned(), source.value(id))].into());
            change_at(&mut value, &["it".to_owned()], change).unwrap();
            let kind = node(source, value.get("it").unwrap());
            *source.kind_mut(id) = kind;
        }
    }
}

/// The node of a value.
fn node(source: &mut Source, value: &Value) -> Kind {
    let plain = |text: &str| Kind::Scalar {
        text: text.to_owned(),
        plain: true,
    };
    match value {
        Value::Null => plain("~"),
        Value::Flag(flag) => plain(&flag.to_string()),
        Value::Text(text) => Kind::Scalar {
            text: text.clone(),
            plain: false,
        },
        Value::List(list) => {
            let mut items = Vec::new();
            for item in list {
                let kind = node(source, item);
                items.push(source.add(kind));
            }
            Kind::List { items, flow: true }
        }
        Value::Map(map) => {
            let entries = Vec::new();
            let id = source.add(Kind::Map {
                entries,
                flow: true,
            });
            for (key, value) in map {
                put(source, id, key, value);
            }
            source.node(id).kind.clone()
        }
    }
}

fn entries(source: &mut Source, map: Id) -> &mut Vec<Entry> {
    if source.value(map) == Value::Null {
        *source.kind_mut(map) = Kind::Map {
            entries: Vec::new(),
            flow: true,
        };
    }
    match source.kind_mut(map) {
        Kind::Map { entries, .. } => entries,
        other => panic!("no map: {other:?}"),
    }
}

fn items(source: &mut Source, list: Id) -> &mut Vec<Id> {
    match source.kind_mut(list) {
        Kind::List { items, .. } => items,
        other => panic!("no list: {other:?}"),
    }
}

fn change_at(of: &mut Value, field: &[String], change: &Change) -> Option<()> {
    let (last, path) = field.split_last()?;
    let mut value = of;
    for key in path {
        value = map(value).entry(key.clone()).or_insert(Value::Null);
    }
    let entries = map(value);
    if *change == Change::Clear {
        entries.remove(last)?;
        return Some(());
    }
    let old = entries.entry(last.clone()).or_insert(Value::Null);
    let count = list_or_text(old);
    match change {
        Change::Set(new) => *old = new.clone(),
        Change::Clear => {}
        Change::Add { at, item } => {
            list(old).insert(at.unwrap_or(count), Value::Text(item.clone()));
        }
        Change::Replace { at, item } => list(old)[*at] = Value::Text(item.clone()),
        Change::Take { at } => {
            list(old).remove(*at);
        }
    }
    Some(())
}

/// The number of items of a list. A text counts as one item.
fn list_or_text(value: &Value) -> usize {
    match value {
        Value::List(items) => items.len(),
        Value::Text(_) => 1,
        _ => 0,
    }
}

fn map(value: &mut Value) -> &mut BTreeMap<String, Value> {
    if *value == Value::Null {
        *value = Value::Map(BTreeMap::new());
    }
    match value {
        Value::Map(map) => map,
        other => panic!("no map: {other:?}"),
    }
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    match value {
        Value::Null => *value = Value::List(Vec::new()),
        Value::Text(text) => *value = Value::List(vec![Value::Text(text.clone())]),
        _ => {}
    }
    match value {
        Value::List(list) => list,
        other => panic!("no list: {other:?}"),
    }
}

/// The content without the address and the aliases of a host, if these are null.
pub(crate) fn without_nulls(content: &Content, host: &str) -> Content {
    let mut content = content.clone();
    let hosts = map(&mut content.root).get_mut("hosts").map(map);
    if let Some(Value::Map(fields)) = hosts.and_then(|hosts| hosts.get_mut(host)) {
        for key in ["vip", "aliases"] {
            if fields.get(key) == Some(&Value::Null) {
                fields.remove(key);
            }
        }
    }
    content
}

/// The content without the keys of a person's own (`x-`) in the manifest and in its policy.
pub(crate) fn known(content: &Content) -> Content {
    let mut content = content.clone();
    let root = map(&mut content.root);
    root.retain(|key, _| !key.starts_with("x-"));
    if let Some(Value::Map(policy)) = root.get_mut("policy") {
        policy.retain(|key, _| !key.starts_with("x-"));
    }
    content
}

/// Gives a host another name wherever a route or the policy names it.
fn named(root: &mut Value, from: &str, to: &str) {
    let name = |text: &mut String, has_port: bool| {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) if has_port => (host, Some(port)),
            _ => (text.as_str(), None),
        };
        if host.eq_ignore_ascii_case(from) {
            *text = port.map_or_else(|| to.to_owned(), |port| format!("{to}:{port}"));
        }
    };
    let texts = |value: Option<&mut Value>, has_port: bool| match value {
        Some(Value::Text(text)) => name(text, has_port),
        Some(Value::List(items)) => {
            for item in items {
                if let Value::Text(text) = item {
                    name(text, has_port);
                }
            }
        }
        _ => {}
    };
    let each = |part: Option<&mut Value>, keys: &[&str], has_port: bool| {
        let Some(Value::List(items)) = part else {
            return;
        };
        for item in items {
            if let Value::Map(fields) = item {
                for key in keys {
                    texts(fields.get_mut(*key), has_port);
                }
            }
        }
    };
    let root = map(root);
    each(root.get_mut("routes"), &["via"], false);
    let Some(Value::Map(policy)) = root.get_mut("policy") else {
        return;
    };
    if let Some(Value::Map(groups)) = policy.get_mut("groups") {
        for group in groups.values_mut() {
            texts(Some(group), false);
        }
    }
    each(policy.get_mut("rules"), &["from", "to", "via"], false);
    each(policy.get_mut("tests"), &["from", "to"], true);
}

/// The names by which routes and the policy can mean this host.
pub(crate) fn names(name: &str, host: &Value) -> Vec<String> {
    let aliases = host.get("aliases").map_or(&[][..], Value::items);
    let words = aliases.iter().chain(host.get("vip"));
    let words = words.filter_map(Value::text).map(str::to_owned);
    words.chain([name.to_owned()]).collect()
}

/// Removes these names of a host from routes and the policy, and with them every route, rule and test that would be
/// incomplete.
fn unnamed(root: &mut Value, names: &[String]) {
    let root = map(root);
    if let Some(routes) = root.get_mut("routes") {
        retain(routes, &["via"], names, false);
    }
    let Some(Value::Map(policy)) = root.get_mut("policy") else {
        return;
    };
    if let Some(Value::Map(groups)) = policy.get_mut("groups") {
        for group in groups.values_mut() {
            retain_texts(group, names, false);
        }
    }
    if let Some(rules) = policy.get_mut("rules") {
        retain(rules, &["from", "to", "via"], names, false);
    }
    if let Some(tests) = policy.get_mut("tests") {
        retain(tests, &["from", "to"], names, true);
    }
}

/// Removes names from these keys of all items of a list, and the items that would be incomplete.
fn retain(list: &mut Value, keys: &[&str], names: &[String], has_port: bool) {
    let Value::List(items) = list else {
        return;
    };
    items.retain_mut(|item| {
        let Value::Map(fields) = item else {
            return true;
        };
        let mut keys = keys.iter();
        keys.all(|key| {
            let value = fields.get_mut(*key);
            value.is_none_or(|value| retain_texts(value, names, has_port))
        })
    });
}

/// Removes names from a list. Returns whether anything is left.
fn retain_texts(value: &mut Value, names: &[String], has_port: bool) -> bool {
    let is_kept = |value: &Value| {
        let Value::Text(text) = value else {
            return true;
        };
        let host = match text.split_once(':') {
            Some((host, _)) if has_port => host,
            _ => text,
        };
        !names.iter().any(|name| name.eq_ignore_ascii_case(host))
    };
    match value {
        Value::List(items) => {
            let count = items.len();
            items.retain(is_kept);
            count == 0 || !items.is_empty()
        }
        other => is_kept(other),
    }
}

/// The ports and addresses that an edit writes.
pub(crate) fn to_be_quoted(edit: &Edit) -> Vec<&str> {
    let Edit::Field { change, .. } = edit else {
        return Vec::new();
    };
    let texts: Vec<&str> = match change {
        Change::Set(Value::Text(text)) => vec![text],
        Change::Set(value) => value.items().iter().filter_map(Value::text).collect(),
        Change::Add { item, .. } | Change::Replace { item, .. } => vec![item],
        Change::Clear | Change::Take { .. } => Vec::new(),
    };
    let is_address = |text: &&str| text.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    texts.into_iter().filter(is_address).collect()
}
