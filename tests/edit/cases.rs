//! Makes random edits that suit a text.

use norouter::{
    edit::{Change, Edit, Owner, Reach},
    manifest::{
        fields::{Form, Of, form, names},
        value::{Content, Value},
    },
};

use crate::chance::Chance;

/// A random edit, which may or may not be possible in a text with this content.
pub(crate) fn edit(chance: &mut Chance, now: &Content) -> Edit {
    let hosts: Vec<&String> = now
        .order
        .iter()
        .filter(|name| !name.starts_with("x-"))
        .collect();
    let host = (*chance.of(&hosts)).clone();
    let routes = now.root.get("routes").map_or(0, |it| it.items().len());
    // Most edits of routes need an existing route.
    let kinds = if routes == 0 { 5 } else { 8 };
    match chance.below(20) {
        kind if (kinds..8).contains(&kind) => field(chance, now, host, routes),
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
        4 => Edit::AddRoute {
            at: chance.flip().then(|| chance.below(routes + 1)),
            route: Value::Map(
                [
                    ("via".to_owned(), Value::Text(host)),
                    (
                        "to".to_owned(),
                        Value::List(vec![Value::Text(pattern(chance))]),
                    ),
                ]
                .into(),
            ),
        },
        5 => Edit::RemoveRoute {
            at: chance.below(routes),
        },
        6 | 7 => Edit::MoveRoute {
            from: chance.below(routes),
            to: chance.below(routes),
        },
        _ => field(chance, now, host, routes),
    }
}

fn field(chance: &mut Chance, now: &Content, host: String, routes: usize) -> Edit {
    let owner = match chance.below(8) {
        0 => Owner::Template,
        1 | 2 if routes > 0 => Owner::Route(chance.below(routes)),
        _ => Owner::Host(host),
    };
    let name = if chance.flip() && owner.of() != Of::Route {
        "ports".to_owned()
    } else {
        chance.of(&names(owner.of())).clone()
    };
    let path: Vec<String> = name.split('.').map(str::to_owned).collect();
    let old = match &owner {
        Owner::Template => now.root.get("hostTemplate"),
        Owner::Host(name) => now.root.get("hosts").and_then(|it| it.get(name)),
        Owner::Route(at) => now.root.get("routes").and_then(|it| it.items().get(*at)),
        Owner::Manifest => Some(&now.root),
    };
    let old = old.and_then(|old| path.iter().try_fold(old, |value, key| value.get(key)));
    Edit::Field {
        change: change(chance, &owner, &path, old),
        owner,
        field: path,
        reach: *chance.of(&[None, None, Some(Reach::Here), Some(Reach::Everywhere)]),
    }
}

fn change(chance: &mut Chance, owner: &Owner, path: &[String], old: Option<&Value>) -> Change {
    if chance.below(6) == 0 && (old.is_some() || chance.below(8) == 0) {
        return Change::Clear;
    }
    let count = old.map_or(0, |old| old.items().len());
    let name = path.last().map_or("", String::as_str);
    match form(owner.of(), path).unwrap() {
        Form::Text => Change::Set(Value::Text(text(chance, name))),
        Form::Word(words) => Change::Set(Value::Text((*chance.of(words)).to_owned())),
        Form::Flag => Change::Set(Value::Flag(chance.flip())),
        Form::Texts | Form::TextOrTexts => match chance.below(6) {
            0 => {
                let items = (0..=chance.below(3)).map(|_| Value::Text(text(chance, name)));
                Change::Set(Value::List(items.collect()))
            }
            1 if count > 0 => Change::Replace {
                at: chance.below(count),
                item: text(chance, name),
            },
            2 | 3 if count > 0 => Change::Take {
                at: chance.below(count),
            },
            _ => Change::Add {
                at: chance.flip().then(|| chance.below(count + 1)),
                item: text(chance, name),
            },
        },
        Form::Map => unreachable!("maps are set by their parts"),
    }
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
