//! The edits that can be made, and the steps that each of them consists of. Each step is found in the text that the
//! previous step has written.

use super::{
    op::Op,
    owner::{List, Owner, changed},
    references::{at, references},
    refusal::Refusal,
};
use crate::{
    manifest::{
        fields::{Form, Of, form},
        source::{Id, Kind, Source},
        value::Value,
    },
    text::quote,
};

/// The keys that lead to the groups of the policy.
const GROUPS: [&str; 2] = ["policy", "groups"];

/// The reach of a change of a shared value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The value is changed where it is written, for all parts of the manifest that take it from there.
    Everywhere,
    /// One part of the manifest gets a changed copy of the value.
    Here,
}

/// A change of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named by what they are")]
pub enum Edit {
    /// Adds a host at the end, with a map of its fields.
    AddHost { name: String, fields: Value },
    /// Removes a host, and the routes, rules and tests that would be incomplete without it.
    RemoveHost { name: String },
    /// Renames a host, also in routes and in the policy.
    RenameHost { from: String, to: String },
    /// Adds a copy of a host at the end, without its address and aliases.
    DuplicateHost { from: String, to: String },
    /// Changes a field.
    Field {
        owner: Owner,
        /// The keys that lead to the field, as in `["http", "listen"]`.
        field: Vec<String>,
        change: Change,
        /// Required if other parts of the manifest take the value from the same place.
        reach: Option<Reach>,
    },
    /// Adds an item, a map of its fields, before the item with this number, or at the end.
    Insert {
        list: List,
        at: Option<usize>,
        item: Value,
    },
    /// Removes an item.
    Remove { list: List, at: usize },
    /// Moves an item, so that it has the number `to` afterwards.
    Move { list: List, from: usize, to: usize },
}

/// A change of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named by what they are")]
pub enum Change {
    /// Sets the whole value.
    Set(Value),
    /// Removes the field.
    Clear,
    /// Adds an item to a list, before the item with this number, or at the end.
    Add { at: Option<usize>, item: String },
    /// Replaces an item of a list.
    Replace { at: usize, item: String },
    /// Removes an item of a list.
    Take { at: usize },
}

/// Changes that are made together. A change that the edit does not name has a sentence for people.
pub(super) struct Step {
    pub(super) ops: Vec<Op>,
    pub(super) also: Vec<String>,
}

impl Step {
    fn one(op: Op) -> Self {
        Self {
            ops: vec![op],
            also: Vec::new(),
        }
    }
}

/// The next step of an edit after `done` steps; `None` after the last one.
pub(super) fn next(source: &Source, edit: &Edit, done: usize) -> Result<Option<Step>, Refusal> {
    let op = match edit {
        Edit::RemoveHost { name } => return remove(source, name, done),
        Edit::DuplicateHost { from, to } => duplicate(source, from, to, done)?,
        _ if done > 0 => None,
        Edit::RenameHost { from, to } => return rename(source, from, to),
        Edit::AddHost { name, fields } => {
            let map = hosts(source)?;
            free(source, map, name)?;
            Some(Op::Put {
                map,
                key: name.clone(),
                value: fields.clone(),
            })
        }
        Edit::Field {
            owner,
            field,
            change,
            reach,
        } => {
            suits(owner.of(), &owner.name(), field, change)?;
            Some(in_field(source, owner, field, change, *reach)?)
        }
        Edit::Insert { list, at, item } => Some(insert(source, *list, *at, item)?),
        Edit::Remove { list, at } => {
            let id = list_with(source, *list, *at)?;
            let own = Owner::Item(*list, *at).name();
            unneeded(source, source.items(id)[*at], &[own])?;
            Some(Op::Take { list: id, at: *at })
        }
        Edit::Move { list, from, to } => {
            let list = list_with(source, *list, (*from).max(*to))?;
            let (from, to) = (*from, *to);
            (from != to).then_some(Op::Move { list, from, to })
        }
    };
    Ok(op.map(Step::one))
}

fn hosts(source: &Source) -> Result<Id, Refusal> {
    at(source, source.root, "hosts").ok_or(Refusal::Missing("hosts".to_owned()))
}

/// The entry of a host in the map of hosts.
fn host(source: &Source, name: &str) -> Result<(Id, usize), Refusal> {
    let map = hosts(source)?;
    if let Some(at) = source.own(map, name) {
        return Ok((map, at));
    }
    Err(Refusal::Missing(format!("the host {}", quote(name))))
}

/// Fails if a host cannot have this name.
fn free(source: &Source, hosts: Id, name: &str) -> Result<(), Refusal> {
    if name.starts_with("x-") {
        let why = "the name of a host cannot begin with \"x-\"";
        return Err(Refusal::Field(why.to_owned()));
    }
    let mut entries = source.entries(hosts).iter();
    if entries.any(|entry| source.key(*entry).eq_ignore_ascii_case(name)) {
        return Err(Refusal::Taken(name.to_owned()));
    }
    Ok(())
}

fn rename(source: &Source, from: &str, to: &str) -> Result<Option<Step>, Refusal> {
    let (map, at) = host(source, from)?;
    if from == to {
        return Ok(None);
    }
    if !from.eq_ignore_ascii_case(to) {
        free(source, map, to)?;
    }
    let to_text = to.to_owned();
    let mut step = Step::one(Op::Rename {
        map,
        at,
        to: to_text,
    });
    let names = [from.to_owned()];
    let mut places = references(source);
    places.retain(|place| place.is_one_of(&names) && place.name() != to);
    for (number, place) in places.iter().enumerate() {
        // A name that is written once and used in several places is renamed once.
        let is_done = places[..number].iter().any(|it| it.is_at(place));
        let is_alias = match source.node(place.node).kind {
            Kind::Alias(target) => places.iter().any(|it| it.node == target),
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Map { .. } => false,
        };
        if !is_done && !is_alias {
            step.ops.push(place.renamed(source, to));
            let sentence = format!("{} now has the name {}", place.place, quote(to));
            step.also.push(sentence);
        }
    }
    Ok(Some(step))
}

fn remove(source: &Source, name: &str, done: usize) -> Result<Option<Step>, Refusal> {
    let (map, at) = match host(source, name) {
        Ok(found) => found,
        // A previous step has removed the host.
        Err(_) if done > 0 => return Ok(None),
        Err(missing) => return Err(missing),
    };
    let value = source.value(source.entries(map)[at].value);
    let mut names = vec![name.to_owned()];
    let aliases = value.get("aliases").map_or(&[][..], Value::items);
    let words = aliases.iter().chain(value.get("vip"));
    names.extend(words.filter_map(Value::text).map(str::to_owned));
    let mut places = references(source).into_iter();
    if let Some(place) = places.find(|place| place.is_one_of(&names)) {
        let word = quote(&place.text);
        if let Some(op) = place.taken(source) {
            let also = vec![format!("{} loses {word}", place.place)];
            let ops = vec![op];
            return Ok(Some(Step { ops, also }));
        }
        let Some((list, at)) = place.whole else {
            let why = format!("{} would be empty without {word}", place.place);
            return Err(Refusal::Invalid(why));
        };
        let also = vec![format!(
            "{} is removed as well, because it would be incomplete without {word}",
            place.place
        )];
        let ops = vec![Op::Take { list, at }];
        return Ok(Some(Step { ops, also }));
    }
    unneeded(source, source.entries(map)[at].value, &names[..1])?;
    Ok(Some(Step::one(Op::Remove { map, at })))
}

/// Fails if other parts of the manifest take a value from inside this one. `own` are the names of this part.
fn unneeded(source: &Source, value: Id, own: &[String]) -> Result<(), Refusal> {
    let is_needed = source.nodes().any(|(id, node)| match node.kind {
        Kind::Alias(target) => source.is_inside(target, value) && !source.is_inside(id, value),
        Kind::Scalar { .. } | Kind::List { .. } | Kind::Map { .. } => false,
    });
    if is_needed {
        let with = sharers(source, value, own);
        return Err(Refusal::Entangled { with });
    }
    Ok(())
}

fn duplicate(source: &Source, from: &str, to: &str, done: usize) -> Result<Option<Op>, Refusal> {
    if done == 0 {
        let (map, at) = host(source, from)?;
        free(source, map, to)?;
        let to = to.to_owned();
        return Ok(Some(Op::Copy { map, at, to }));
    }
    let (map, at) = host(source, to)?;
    let copy = source.entries(map)[at].value;
    // Two hosts cannot have the same address or alias, so the copy has none of these.
    let own = ["vip", "aliases"];
    if let Kind::Alias(_) = source.node(copy).kind
        && let Value::Map(mut value) = source.value(copy)
    {
        value.retain(|key, _| !own.contains(&key.as_str()));
        let (key, value) = (to.to_owned(), Value::Map(value));
        return Ok(Some(Op::Put { map, key, value }));
    }
    for key in own {
        let Some((holder, at)) = source.find(copy, key) else {
            continue;
        };
        if source.value(source.entries(holder)[at].value) == Value::Null {
            continue;
        }
        return Ok(Some(if holder == copy {
            Op::Remove { map: copy, at }
        } else {
            // A null in the map itself hides the value that comes through a merge key.
            let (map, key, value) = (copy, key.to_owned(), Value::Null);
            Op::Put { map, key, value }
        }));
    }
    Ok(None)
}

/// The node of a list of the manifest; `None` if there is none, or if it is not a list.
fn list_of(source: &Source, list: List) -> Option<Id> {
    let mut path = list.path().iter();
    let id = path.try_fold(source.root, |map, key| at(source, map, key))?;
    matches!(source.node(id).kind, Kind::List { .. }).then_some(id)
}

/// The node of a list; an error if the list has no item with this number.
fn list_with(source: &Source, list: List, number: usize) -> Result<Id, Refusal> {
    let found = list_of(source, list).filter(|id| number < source.items(*id).len());
    found.ok_or_else(|| Refusal::Missing(Owner::Item(list, number).name()))
}

fn insert(source: &Source, list: List, number: Option<usize>, item: &Value) -> Result<Op, Refusal> {
    let value = item.clone();
    if let Some(id) = list_of(source, list) {
        let count = source.items(id).len();
        let at = number.unwrap_or(count);
        if at > count {
            return Err(Refusal::Missing(Owner::Item(list, at).name()));
        }
        let list = id;
        return Ok(Op::Insert { list, at, value });
    }
    let path: Vec<String> = list.path().iter().map(|&key| key.to_owned()).collect();
    let value = Value::List(vec![value]);
    match walk(source, source.root, &path, false)? {
        Way::Found(map, at) if source.value(source.entries(map)[at].value) == Value::Null => {
            Ok(put(map, &path[path.len() - 1..], value))
        }
        Way::Absent(map, depth) => Ok(put(map, &path[depth..], value)),
        // Something else is written in place of the list.
        Way::Found(..) | Way::Indirect(..) => Err(Refusal::Style),
    }
}

/// Sets the value at a path of keys. The maps on the way are new, except the first one.
fn put(map: Id, path: &[String], value: Value) -> Op {
    let mut value = value;
    for key in path[1..].iter().rev() {
        value = Value::Map([(key.clone(), value)].into());
    }
    let key = path[0].clone();
    Op::Put { map, key, value }
}

/// Fails if the field does not exist, or if it cannot have such a value.
pub fn suits(of: Of, owner: &str, field: &[String], change: &Change) -> Result<(), Refusal> {
    let name = quote(&field.join("."));
    let Some(form) = form(of, field) else {
        let why = format!("{owner} has no field {name}");
        return Err(Refusal::Field(why));
    };
    let wrong = |what: &str| Err(Refusal::Field(format!("{name} must be {what}")));
    match (form, change) {
        (_, Change::Clear)
        | (Form::Text | Form::TextOrTexts, Change::Set(Value::Text(_)))
        | (Form::Flag, Change::Set(Value::Flag(_)))
        | (
            Form::Texts | Form::TextOrTexts,
            Change::Set(Value::List(_))
            | Change::Add { .. }
            | Change::Replace { .. }
            | Change::Take { .. },
        )
        | (Form::Map, Change::Set(Value::Map(_))) => Ok(()),
        (Form::Word(words), Change::Set(Value::Text(text))) if words.contains(&text.as_str()) => {
            Ok(())
        }
        (Form::Word(words), _) => wrong(&words.join(" or ")),
        (Form::Flag, _) => wrong("true or false"),
        (Form::Texts, _) => wrong("a list of texts"),
        (Form::Text, _) => wrong("one text"),
        (Form::TextOrTexts, _) => wrong("a text or a list of texts"),
        (Form::Map, _) => wrong("set by its parts"),
    }
}

/// The place to which a path of keys leads, or where the path ends.
enum Way {
    /// The entry exists, at this place of this map.
    Found(Id, usize),
    /// The map at this depth has no such key.
    Absent(Id, usize),
    /// The value at this depth comes through an alias or a merge key of this map.
    Indirect(Id, usize),
}

/// Follows a path of keys. If `follow` is true, the path may also lead through aliases and merge keys.
fn walk(source: &Source, from: Id, path: &[String], follow: bool) -> Result<Way, Refusal> {
    let mut map = from;
    for (depth, key) in path.iter().enumerate() {
        let is_last = depth + 1 == path.len();
        if source.value(map) == Value::Null {
            return Ok(Way::Absent(map, depth));
        }
        if !matches!(source.node(map).kind, Kind::Map { .. }) {
            return Err(Refusal::Style);
        }
        let Some((holder, at)) = source.find(map, key) else {
            return Ok(Way::Absent(map, depth));
        };
        let value = source.entries(holder)[at].value;
        let target = source.target(value);
        if !follow && (holder != map || target != value && !is_last) {
            return Ok(Way::Indirect(map, depth));
        }
        if is_last {
            return Ok(Way::Found(holder, at));
        }
        map = target;
    }
    Err(Refusal::Field("the edit names no field".to_owned()))
}

fn in_field(
    source: &Source,
    owner: &Owner,
    field: &[String],
    change: &Change,
    reach: Option<Reach>,
) -> Result<Op, Refusal> {
    let (from, mut path) = match owner {
        Owner::Manifest => (source.root, Vec::new()),
        Owner::Template => (source.root, vec!["hostTemplate".to_owned()]),
        Owner::Host(name) => {
            host(source, name)?;
            (source.root, vec!["hosts".to_owned(), name.clone()])
        }
        Owner::Item(list, number) => {
            let list = list_with(source, *list, *number)?;
            (source.target(source.items(list)[*number]), Vec::new())
        }
        Owner::Groups => {
            if field[0].starts_with("x-") {
                let why = "the name of a group cannot begin with \"x-\"";
                return Err(Refusal::Field(why.to_owned()));
            }
            (source.root, GROUPS.map(str::to_owned).to_vec())
        }
    };
    let top = path.len();
    path.extend_from_slice(field);
    if let Owner::Host(name) = owner
        && let Some(inherited) = inherited(source, name, &field[0])
    {
        return in_inherited(source, name, field, inherited, change, reach);
    }
    let shared = |id: Id| Refusal::Shared {
        field: owner.field_name(field),
        with: sharers(source, id, &owner.changed_names(field)),
    };
    match walk(source, from, &path, reach == Some(Reach::Everywhere))? {
        Way::Found(map, at) => {
            let value = source.entries(map)[at].value;
            let target = source.target(value);
            let key = path.last().cloned().unwrap_or_default();
            if target == value || *change == Change::Clear {
                return on_value(source, Holder::Entry(map, at, key), value, change);
            }
            match reach {
                None => Err(shared(target)),
                Some(Reach::Here) => {
                    let new = changed_value(Some(source.value(value)), change)?;
                    let value = new.unwrap_or(Value::Null);
                    Ok(Op::Put { map, key, value })
                }
                Some(Reach::Everywhere) => {
                    let holder = holder(source, target).ok_or(Refusal::Style)?;
                    on_value(source, holder, target, change)
                }
            }
        }
        Way::Absent(map, depth) => {
            let new = changed_value(None, change)?;
            let value = new.ok_or_else(|| Refusal::Missing(quote(&field.join("."))))?;
            Ok(put(map, &path[depth..], value))
        }
        Way::Indirect(map, depth) => {
            let key = path[depth].clone();
            let (holder, at) = source.find(map, &key).ok_or(Refusal::Style)?;
            let value = source.entries(holder)[at].value;
            if reach.is_none() {
                return Err(shared(match walk(source, from, &path, true)? {
                    Way::Found(holder, at) => source.target(source.entries(holder)[at].value),
                    Way::Absent(..) | Way::Indirect(..) => source.target(value),
                }));
            }
            if depth + 1 < top {
                return Err(Refusal::Style);
            }
            let old = Some(source.value(value));
            let new = written_out(old, &path[depth + 1..], change)?;
            if new.is_none() && *owner == Owner::Groups {
                return Err(Refusal::Inherited {
                    field: owner.field_name(field),
                    from: "a merge key",
                });
            }
            // A null in the map itself hides the value from a merge key.
            let value = new.unwrap_or(Value::Null);
            Ok(Op::Put { map, key, value })
        }
    }
}

/// The change of a field that a host has from `hostTemplate`.
fn in_inherited(
    source: &Source,
    name: &str,
    field: &[String],
    inherited: Value,
    change: &Change,
    reach: Option<Reach>,
) -> Result<Op, Refusal> {
    let owner = Owner::Host(name.to_owned());
    match reach {
        None => Err(Refusal::FromTemplate {
            field: owner.field_name(field),
            with: heirs(source, name, &field[0]),
        }),
        Some(Reach::Everywhere) => in_field(source, &Owner::Template, field, change, reach),
        Some(Reach::Here) => {
            let new = written_out(Some(inherited), &field[1..], change)?;
            let new = new.ok_or_else(|| Refusal::Inherited {
                field: owner.field_name(field),
                from: "hostTemplate",
            })?;
            let (hosts, at) = host(source, name)?;
            let map = source.entries(hosts)[at].value;
            if source.target(map) != map {
                return Err(Refusal::Style);
            }
            let (key, value) = (field[0].clone(), new);
            Ok(Op::Put { map, key, value })
        }
    }
}

/// The value that a host has from `hostTemplate` because it does not have this field itself.
fn inherited(source: &Source, name: &str, field: &str) -> Option<Value> {
    let given = |map: Option<Id>| {
        let value = at(source, map?, field)?;
        Some(source.value(value)).filter(|value| *value != Value::Null)
    };
    let hosts = at(source, source.root, "hosts")?;
    let own = given(at(source, hosts, name));
    // The ports of the template are added to those of each host.
    if own.is_some() || field == "ports" {
        return None;
    }
    given(at(source, source.root, "hostTemplate"))
}

/// The other hosts that take a field from `hostTemplate`.
fn heirs(source: &Source, name: &str, field: &str) -> Vec<String> {
    let hosts = at(source, source.root, "hosts").map_or_else(Vec::new, |id| source.all(id));
    let names = hosts.into_iter().map(|host| source.key(host));
    let others = names.filter(|other| *other != name && !other.starts_with("x-"));
    others
        .filter(|other| inherited(source, other, field).is_some())
        .map(str::to_owned)
        .collect()
}

/// The entry of a map, or the item of a list, that contains a value.
enum Holder {
    Entry(Id, usize, String),
    Item(Id, usize),
}

/// The entry or item that contains the value with this number.
fn holder(source: &Source, id: Id) -> Option<Holder> {
    let parent = source.node(id).parent?;
    let mut entries = source.entries(parent).iter();
    if let Some(at) = entries.position(|entry| entry.value == id) {
        let key = source.key(source.entries(parent)[at]).to_owned();
        return Some(Holder::Entry(parent, at, key));
    }
    let at = source.items(parent).iter().position(|item| *item == id)?;
    Some(Holder::Item(parent, at))
}

/// The operation that changes this value where it is written.
fn on_value(source: &Source, holder: Holder, id: Id, change: &Change) -> Result<Op, Refusal> {
    let list = id;
    let count = source.items(id).len();
    let is_list = matches!(source.node(id).kind, Kind::List { .. });
    match change {
        Change::Clear => match holder {
            Holder::Entry(map, at, _) => return Ok(Op::Remove { map, at }),
            Holder::Item(list, at) => return Ok(Op::Take { list, at }),
        },
        Change::Add { at, item } if is_list && at.unwrap_or(0) <= count => {
            let at = at.unwrap_or(count);
            let value = Value::Text(item.clone());
            return Ok(Op::Insert { list, at, value });
        }
        Change::Replace { at, item } if is_list && *at < count => {
            let (at, value) = (*at, Value::Text(item.clone()));
            return Ok(Op::SetItem { list, at, value });
        }
        Change::Take { at } if is_list && *at < count => return Ok(Op::Take { list, at: *at }),
        Change::Set(_) | Change::Add { .. } | Change::Replace { .. } | Change::Take { .. } => {}
    }
    let new = changed_value(Some(source.value(id)), change)?;
    let value = new.unwrap_or(Value::Null);
    Ok(match holder {
        Holder::Entry(map, _, key) => Op::Put { map, key, value },
        Holder::Item(list, at) => Op::SetItem { list, at, value },
    })
}

/// The value after a change; `None` if the change removes it.
fn changed_value(old: Option<Value>, change: &Change) -> Result<Option<Value>, Refusal> {
    let mut items = match old {
        Some(Value::List(items)) => items,
        Some(Value::Text(text)) => vec![Value::Text(text)],
        Some(Value::Null | Value::Flag(_) | Value::Map(_)) | None => Vec::new(),
    };
    let missing = |at: usize| Refusal::Missing(format!("item {} of the list", at + 1));
    match change {
        Change::Set(value) => return Ok(Some(value.clone())),
        Change::Clear => return Ok(None),
        Change::Add { at, item } => {
            let at = at.unwrap_or(items.len());
            if at > items.len() {
                return Err(missing(at));
            }
            items.insert(at, Value::Text(item.clone()));
        }
        Change::Replace { at, item } => {
            *items.get_mut(*at).ok_or_else(|| missing(*at))? = Value::Text(item.clone());
        }
        Change::Take { at } if *at < items.len() => {
            items.remove(*at);
        }
        Change::Take { at } => return Err(missing(*at)),
    }
    Ok(Some(Value::List(items)))
}

/// A copy of a value from another place, with a change at this path inside the copy.
fn written_out(
    old: Option<Value>,
    path: &[String],
    change: &Change,
) -> Result<Option<Value>, Refusal> {
    let Some((key, rest)) = path.split_first() else {
        return changed_value(old, change);
    };
    let mut map = match old {
        Some(Value::Map(map)) => map,
        Some(Value::Null) | None => std::collections::BTreeMap::new(),
        Some(Value::Flag(_) | Value::Text(_) | Value::List(_)) => return Err(Refusal::Style),
    };
    let inner = map.remove(key);
    if inner.is_none() && *change == Change::Clear {
        return Err(Refusal::Missing(quote(&path.join("."))));
    }
    if let Some(new) = written_out(inner, rest, change)? {
        map.insert(key.clone(), new);
    }
    Ok(Some(Value::Map(map)))
}

/// The other parts of the manifest that take a value from this node.
fn sharers(source: &Source, id: Id, own: &[String]) -> Vec<String> {
    let mut other = source.clone();
    *other.kind_mut(id) = Kind::Scalar {
        text: "\0".to_owned(),
        plain: false,
    };
    let mut names = changed(&source.content(), &other.content());
    names.retain(|name| !own.contains(name));
    if names.is_empty() {
        names.insert("the place where it is written".to_owned());
    }
    names.into_iter().collect()
}
