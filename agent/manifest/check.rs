//! Compares a tree with the tables of `schema`, and collects everything that does not fit.

use std::rc::Rc;

use super::{
    problem::{Problem, Problems, Span},
    schema::{Field, Level, Shape, places_of},
    yaml::{Entry, Kind, Node},
};
use crate::text::{Synonyms, meant_or_synonym, quote};

/// Adds a problem for everything in a map that does not fit the table of the map's keys.
pub(super) fn check_map(node: &Node, level: &Level, problems: &mut Problems) {
    if let Some(problem) = node.tag_problem() {
        problems.push(problem);
        return;
    }
    check_keys(node, level, problems);
}

fn check_keys(node: &Node, level: &Level, problems: &mut Problems) {
    let Kind::Map(entries) = &node.kind else {
        if !node.is_null() || level.fields.iter().any(|field| field.required) {
            let keys: Vec<_> = level.fields.iter().map(|field| field.name).collect();
            let message = format!("{} is a map, but this is {}", level.place, found(node));
            problems.push(
                Problem::error(node.span, message)
                    .hint(format!("its keys are: {}", keys.join(", "))),
            );
        }
        return;
    };
    for entry in entries {
        if problems.is_full() {
            return;
        }
        let key = &*entry.key;
        if let Some(field) = level.fields.iter().find(|field| field.name == key) {
            check_value(&entry.value, field, problems);
        } else if level.refused.contains(&key) {
            if !entry.value.is_null() {
                let message = format!("{} must not have the key {}", level.place, quote(key));
                problems.push(
                    Problem::error(entry.key_span, message)
                        .hint("it belongs to one host: move it there"),
                );
            }
        } else if key == "<<" {
            // The key `<<` has quotes or a tag here, so it is not a merge key, and merges nothing into the network.
            // That is an error, while other unknown keys are only warnings.
            let message = "this \"<<\" is a text, and merges nothing";
            problems.push(
                Problem::error(entry.key_span, message)
                    .hint("write it without quotes and without a tag: <<: *name"),
            );
        } else if !key.starts_with("x-") {
            problems.push_remark(|| {
                let message = format!("unknown key {} in {}", quote(key), level.place);
                Problem::warning(entry.key_span, message).hint(unknown_key_hint(key, level))
            });
        }
    }
    for field in level.fields {
        if field.required && node.get(field.name).is_none() {
            let mut span = node.span;
            if entries.iter().any(|entry| &*entry.key == field.name) || entries.is_empty() {
                // The key is written without a value, or the whole map is empty.
                span = entries
                    .iter()
                    .find(|entry| &*entry.key == field.name)
                    .map_or(span, |entry| entry.key_span);
            }
            let message = format!("{} needs {}", level.place, quote(field.name));
            problems.push(
                Problem::error(span, message)
                    .hint(format!("for example: {}: {}", field.name, field.example)),
            );
        }
    }
}

fn check_value(node: &Node, field: &Field, problems: &mut Problems) {
    if let Some(problem) = node.tag_problem() {
        problems.push(problem);
        return;
    }
    if node.is_null() {
        return;
    }
    let name = quote(field.name);
    let mut wrong = |wanted: &str| {
        let message = format!("{name} must be {wanted}, but this is {}", found(node));
        problems.push(
            Problem::error(node.span, message)
                .hint(format!("for example: {}: {}", field.name, field.example)),
        );
    };
    match (field.shape, &node.kind) {
        (
            Shape::Text | Shape::Port | Shape::Ports | Shape::TextOrTexts | Shape::TextOrMap(_),
            Kind::Scalar { .. },
        ) => {}
        (Shape::Text, _) => wrong("a text"),
        (Shape::Word(words), Kind::Scalar { text, .. }) if words.contains(&text.as_str()) => {}
        (Shape::Word(words), _) => {
            let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
            wrong(&words.join(" or "));
        }
        (Shape::Port, _) => wrong("a port"),
        (Shape::Flag, _) if node.flag().is_some() => {}
        (Shape::Flag, _) => wrong("true or false, without quotes"),
        (Shape::Texts | Shape::Ports | Shape::TextOrTexts, Kind::List(items)) => {
            check_items(&name, items, problems);
        }
        (Shape::Ports, _) => wrong("a list of ports"),
        (Shape::NamedTexts, Kind::Map(entries)) => {
            for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
                let name = quote(&entry.key);
                if let Some(problem) = entry.value.tag_problem() {
                    problems.push(problem);
                } else if let Kind::List(items) = &entry.value.kind {
                    check_items(&name, items, problems);
                } else {
                    let message =
                        format!("{name} must be a list, but this is {}", found(&entry.value));
                    problems.push(
                        Problem::error(entry.value.span, message)
                            .hint(format!("for example: {}: {}", field.name, field.example)),
                    );
                }
            }
        }
        (Shape::NamedTexts, _) => wrong("a map from names to lists"),
        (Shape::TextOrTexts, _) => wrong("a text or a list of words"),
        (Shape::TextOrMap(level) | Shape::Map(level), Kind::Map(_)) => {
            check_keys(node, level, problems);
        }
        (Shape::TextOrMap(_), _) => wrong("a text or a map"),
        (Shape::Map(_), _) => wrong("a map"),
        (Shape::Named(level), Kind::Map(entries)) => {
            for entry in entries {
                if problems.is_full() {
                    return;
                }
                if entry.key.starts_with("x-") {
                    note_about_own_key(entry, problems);
                } else if is_a_key(&entry.key, &entry.value, level) {
                    problems.push(indented_too_little(
                        &entry.key,
                        entry.key_span,
                        &entry.value,
                    ));
                } else {
                    check_map(&entry.value, level, problems);
                }
            }
            if !entries.iter().any(|entry| !entry.key.starts_with("x-")) {
                problems.push(
                    Problem::error(node.span, format!("{name} is empty"))
                        .hint(format!("for example: {}: {}", field.name, field.example)),
                );
            }
        }
        (Shape::Named(_), _) => wrong("a map from names to hosts"),
        (Shape::List(level), Kind::List(items)) => {
            for item in items {
                if problems.is_full() {
                    return;
                }
                check_map(item, level, problems);
            }
        }
        (Shape::Texts | Shape::List(_), _) => wrong("a list"),
    }
}

/// Checks that every item of a list is a single value.
fn check_items(name: &str, items: &[Rc<Node>], problems: &mut Problems) {
    for item in items {
        if let Some(problem) = item.tag_problem() {
            problems.push(problem);
        } else if item.text().is_none() {
            problems.push(not_a_text(name, item));
        }
        if problems.is_full() {
            return;
        }
    }
}

fn not_a_text(name: &str, item: &Node) -> Problem {
    let message = format!(
        "an item of {name} must be a text, but this is {}",
        found(item)
    );
    let problem = Problem::error(item.span, message);
    // A colon with a space behind it makes a key, as in "- 8080: 127.0.0.1:80".
    match item.entries() {
        [entry] if entry.value.text().is_some() => {
            let text = entry.value.text().unwrap_or_default();
            let whole = quote(&format!("{}:{text}", entry.key));
            problem.hint(format!("write {whole}, without a space after the colon"))
        }
        _ => problem.hint("put quotes around it, or remove it"),
    }
}

/// Adds a remark if a key begins with `x-`, and is therefore not a host, but its value looks like a host.
fn note_about_own_key(entry: &Entry, problems: &mut Problems) {
    if entry.value.get("vip").is_some() || entry.value.get("cmd").is_some() {
        problems.push_remark(|| {
            let message = format!(
                "{} is not a host: its name begins with \"x-\"",
                quote(&entry.key)
            );
            Problem::note(entry.key_span, message)
                .hint("keys that begin with \"x-\" are yours and ignored; give a host another name")
        });
    }
}

fn found(node: &Node) -> String {
    match &node.kind {
        Kind::List(_) => "a list".into(),
        Kind::Map(_) => "a map".into(),
        Kind::Scalar { .. } if node.is_null() => "empty".into(),
        Kind::Scalar { text, .. } => format!("the text {}", quote(text)),
    }
}

/// Keys in the files of other programs, and the keys here that mean the same.
const SYNONYMS: &Synonyms = &[
    (&["command", "exec", "run", "entrypoint"], &["cmd"]),
    (&["ip", "addr"], &["vip"]),
    (&["address"], &["vip", "listen"]),
    (&["names", "hostnames", "aka"], &["aliases"]),
    (&["expose", "forward", "forwards", "publish"], &["ports"]),
    (&["port"], &["listen", "ports"]),
    (&["proxy", "httpproxy"], &["http"]),
    (&["socks5", "socksproxy"], &["socks"]),
    (&["etchosts", "hostsfile"], &["writeEtcHosts"]),
    (&["folder", "path"], &["pathOnAgent"]),
    (&["nodes", "machines", "services", "servers"], &["hosts"]),
    (&["defaults", "default", "template"], &["hostTemplate"]),
    (&["subnet", "cidr"], &["network"]),
    (&["acl"], &["policy"]),
    (&["gateway", "through"], &["via"]),
    (&["destination"], &["to"]),
    (&["source"], &["from"]),
    (&["except", "exclude", "without"], &["notTo"]),
    (&["users", "auth"], &["credentials"]),
];

/// Keys that people write in a host although the setting belongs in the host's command, and what to do instead.
const IN_THE_COMMAND: &[(&[&str], &str)] = &[
    (
        &["password", "passphrase", "pass", "secret"],
        "remove it: if the command asks for it, \"norouter answer\" answers; a key of ssh is better",
    ),
    (
        &["user", "username", "login", "hostname"],
        "write it in cmd, as in: ssh USER@HOSTNAME -- norouter",
    ),
    (
        &["key", "identityfile", "privatekey"],
        "write it in cmd, as in: ssh -i FILE web1 -- norouter",
    ),
];

/// Whether a name in a map of hosts is probably not a host, but a key of the host above that is not indented enough.
/// This is assumed if hosts may have such a key and its value has no keys of a host.
fn is_a_key(name: &str, value: &Node, level: &Level) -> bool {
    level.has(name) && !value.entries().iter().any(|entry| level.has(&entry.key))
}

fn indented_too_little(key: &str, span: Span, value: &Node) -> Problem {
    let message = format!("{} is the name of a host here", quote(key));
    let problem = if value.is_null() || matches!(value.kind, Kind::Map(_)) {
        Problem::warning(span, message)
    } else {
        Problem::error(span, message)
    };
    problem.hint("is this line indented too little? it is a key of a host")
}

fn unknown_key_hint(key: &str, level: &Level) -> String {
    let names = level.fields.iter().map(|field| field.name);
    if let Some(name) = meant_or_synonym(key, names, SYNONYMS) {
        if name == "cmd" {
            return "did you mean \"cmd\"? Without cmd, a host runs on this machine".to_owned();
        }
        return format!("did you mean {}?", quote(name));
    }
    if level.has("cmd") {
        let lower = key.to_lowercase();
        let mut rows = IN_THE_COMMAND.iter();
        if let Some((_, advice)) = rows.find(|(words, _)| words.contains(&lower.as_str())) {
            return (*advice).to_owned();
        }
    }
    let homes = places_of(key);
    if !homes.is_empty() {
        return format!(
            "it is a key of {}: check the indentation",
            homes.join(" and ")
        );
    }
    let keys: Vec<_> = level.fields.iter().map(|field| field.name).collect();
    format!("it is ignored; known keys are: {}", keys.join(", "))
}

/// Whether a host has no `cmd`, but has a key that is probably meant as `cmd`.
pub(super) fn has_misspelt_cmd(host: &Node) -> bool {
    let is_cmd =
        |entry: &Entry| meant_or_synonym(&entry.key, ["cmd", "vip"], SYNONYMS) == Some("cmd");
    host.get("cmd").is_none() && host.entries().iter().any(is_cmd)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn every_counterpart_of_a_synonym_is_a_key() {
        for (words, keys) in SYNONYMS {
            assert!(
                keys.iter().all(|key| !schema::places_of(key).is_empty()),
                "{words:?}"
            );
        }
    }
}
