//! Makes random edits that suit a text.

use norouter::{
    edit::{Change, Edit, List, Owner, Reach},
    manifest::{
        fields::{Form, Of, form, names},
        value::{Content, Value},
    },
};

use crate::{chance::Chance, places::list_path};

/// The decisions of rules and tests.
const DECISIONS: [&str; 2] = ["allow", "deny"];

/// A random edit, which may or may not be possible in a text with this content.
pub(crate) fn edit(chance: &mut Chance, now: &Content) -> Edit {
    let hosts: Vec<&String> = now
        .order
        .iter()
        .filter(|name| !name.starts_with("x-"))
        .collect();
    let host = (*chance.of(&hosts)).clone();
    match chance.below(20) {
        0 => Edit::AddHost {
            name: name(chance),
            fields: fields(chance),
        },
        1 => Edit::RemoveHost { name: host },
        2 => Edit::RenameHost {
            from: host,
            to: name(chance),
        },
        3 => Edit::DuplicateHost {
            from: host,
            to: name(chance),
        },
        4 | 5 => of_list(chance, now, List::Routes, &host),
        6 => of_list(chance, now, List::Rules, &host),
        7 => of_list(chance, now, List::Tests, &host),
        _ => field(chance, now, &host),
    }
}

/// The items of a list.
fn items(now: &Content, list: List) -> &[Value] {
    let mut path = list_path(list).into_iter();
    let found = path.try_fold(&now.root, |value, key| value.get(key));
    found.map_or(&[], Value::items)
}

/// Adds, removes or moves an item.
fn of_list(chance: &mut Chance, now: &Content, list: List, host: &str) -> Edit {
    let count = items(now, list).len();
    match chance.below(4) {
        0 if count > 0 => Edit::Remove {
            list,
            at: chance.below(count),
        },
        1 | 2 if count > 0 => Edit::Move {
            list,
            from: chance.below(count),
            to: chance.below(count),
        },
        _ => Edit::Insert {
            list,
            at: chance.flip().then(|| chance.below(count + 1)),
            item: item(chance, list, host),
        },
    }
}

fn item(chance: &mut Chance, list: List, host: &str) -> Value {
    let word = |text: &str| Value::Text(text.to_owned());
    let fields = match list {
        List::Routes => vec![
            ("via", word(host)),
            ("to", Value::List(vec![Value::Text(pattern(chance))])),
        ],
        List::Rules => vec![
            ("from", word("*")),
            ("to", Value::List(vec![word(host), word(host)])),
            ("ports", Value::List(vec![Value::Text(port(chance))])),
            ("action", decision(chance)),
        ],
        List::Tests => vec![
            ("from", word(host)),
            ("to", Value::Text(format!("{host}:{}", port(chance)))),
            ("expect", decision(chance)),
        ],
    };
    let fields = fields.into_iter();
    Value::Map(fields.map(|(key, value)| (key.to_owned(), value)).collect())
}

fn decision(chance: &mut Chance) -> Value {
    let word: &&str = chance.of(&DECISIONS);
    Value::Text((*word).to_owned())
}

fn field(chance: &mut Chance, now: &Content, host: &str) -> Edit {
    let owner = owner(chance, now, host);
    let name = if chance.flip() && matches!(owner.of(), Of::Host | Of::Template) {
        "ports".to_owned()
    } else {
        match owner {
            Owner::Groups => chance.of(&groups(now)).clone(),
            _ => chance.of(&names(owner.of())).clone(),
        }
    };
    let path: Vec<String> = match owner {
        Owner::Groups => vec![name],
        _ => name.split('.').map(str::to_owned).collect(),
    };
    let policy = now.root.get("policy");
    let old = match &owner {
        Owner::Template => now.root.get("hostTemplate"),
        Owner::Host(name) => now.root.get("hosts").and_then(|it| it.get(name)),
        Owner::Item(list, at) => items(now, *list).get(*at),
        Owner::Groups => policy.and_then(|policy| policy.get("groups")),
        Owner::Manifest => Some(&now.root),
    };
    let old = old.and_then(|old| path.iter().try_fold(old, |value, key| value.get(key)));
    Edit::Field {
        change: change(chance, &owner, &path, old, host),
        owner,
        field: path,
        reach: *chance.of(&[None, None, Some(Reach::Here), Some(Reach::Everywhere)]),
    }
}

/// The names of the groups, and a name that is new.
fn groups(now: &Content) -> Vec<String> {
    let groups = now.root.get("policy").and_then(|it| it.get("groups"));
    let mut names = vec!["new.group".to_owned()];
    if let Some(Value::Map(groups)) = groups {
        names.extend(groups.keys().cloned());
    }
    names
}

/// The part of the manifest whose field is changed.
fn owner(chance: &mut Chance, now: &Content, host: &str) -> Owner {
    let list = *chance.of(&[List::Routes, List::Rules, List::Tests]);
    let count = items(now, list).len();
    match chance.below(9) {
        0 => Owner::Template,
        1..=3 if count > 0 => Owner::Item(list, chance.below(count)),
        4 => Owner::Groups,
        _ => Owner::Host(host.to_owned()),
    }
}

fn change(
    chance: &mut Chance,
    owner: &Owner,
    path: &[String],
    old: Option<&Value>,
    host: &str,
) -> Change {
    if chance.below(6) == 0 && (old.is_some() || chance.below(8) == 0) {
        return Change::Clear;
    }
    let count = old.map_or(0, |old| old.items().len());
    let name = path.last().map_or("", String::as_str);
    let text = |chance: &mut Chance| match owner {
        Owner::Item(List::Rules | List::Tests, _) | Owner::Groups => word(chance, name, host),
        Owner::Item(List::Routes, _) | Owner::Manifest | Owner::Template | Owner::Host(_) => {
            text(chance, name)
        }
    };
    match form(owner.of(), path).unwrap() {
        Form::Text => Change::Set(Value::Text(text(chance))),
        Form::Word(words) => Change::Set(Value::Text((*chance.of(words)).to_owned())),
        Form::Flag => Change::Set(Value::Flag(chance.flip())),
        Form::Texts | Form::TextOrTexts => match chance.below(6) {
            0 => {
                let items = (0..=chance.below(3)).map(|_| Value::Text(text(chance)));
                Change::Set(Value::List(items.collect()))
            }
            1 if count > 0 => Change::Replace {
                at: chance.below(count),
                item: text(chance),
            },
            2 | 3 if count > 0 => Change::Take {
                at: chance.below(count),
            },
            _ => Change::Add {
                at: chance.flip().then(|| chance.below(count + 1)),
                item: text(chance),
            },
        },
        Form::Map => unreachable!("maps are set by their parts"),
    }
}

/// A word for the field with this name of a rule, a test or a group.
fn word(chance: &mut Chance, name: &str, host: &str) -> String {
    match name {
        "ports" => port(chance),
        "action" | "expect" => (*chance.of(&DECISIONS)).to_owned(),
        "to" if chance.flip() => pattern(chance),
        "to" => format!("{host}:{}", port(chance)),
        _ => host.to_owned(),
    }
}

fn port(chance: &mut Chance) -> String {
    (chance.below(60_000) + 1).to_string()
}

/// A value for the field with this name.
fn text(chance: &mut Chance, name: &str) -> String {
    match name {
        "ports" => {
            let (listen, connect) = (chance.below(60_000) + 1, chance.below(60_000) + 1);
            format!("{listen}:127.0.0.1:{connect}")
        }
        "vip" => format!("127.0.{}.{}", chance.below(200) + 43, chance.below(254) + 1),
        "listen" => format!("127.0.0.1:{}", chance.below(60_000) + 1),
        "to" | "notTo" => pattern(chance),
        _ => {
            let words = [
                "web1",
                "a b",
                "ssh x -- norouter",
                "it's",
                "no",
                "12",
                "# x",
                "a: b",
                "é\"\\",
            ];
            (*chance.of(&words)).to_owned()
        }
    }
}

fn pattern(chance: &mut Chance) -> String {
    match chance.below(2) {
        0 => format!("10.{}.0.0/16", chance.below(256)),
        _ => format!("*.n{}.internal", chance.below(1_000)),
    }
}

fn name(chance: &mut Chance) -> String {
    format!("new{}", chance.below(10_000))
}

fn fields(chance: &mut Chance) -> Value {
    let ports = (0..chance.below(4)).map(|_| Value::Text(text(chance, "ports")));
    let ports = Value::List(ports.collect());
    let mut map = std::collections::BTreeMap::new();
    if chance.flip() {
        map.insert("ports".to_owned(), ports);
    }
    if chance.flip() {
        map.insert(
            "cmd".to_owned(),
            Value::Text("ssh new -- norouter".to_owned()),
        );
    }
    if chance.flip() {
        let listen = Value::Text(text(chance, "listen"));
        map.insert(
            "http".to_owned(),
            Value::Map([("listen".to_owned(), listen)].into()),
        );
    }
    Value::Map(map)
}
