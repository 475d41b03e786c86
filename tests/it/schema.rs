//! The JSON schema and `check` agree about the form of manifests: of those in files, and of some hundreds that are
//! generated from a seed.

use std::fs;

use jsonschema::Validator;
use norouter::{
    manifest::{self, Problem, Severity, json_schema::json_schema},
    plan,
};
use serde_json::{Value, json};

use crate::golden::files;

fn schema() -> Validator {
    jsonschema::validator_for(&serde_json::from_str(&json_schema()).unwrap()).unwrap()
}

/// Parses YAML with a second, independent parser; `None` if it is not valid.
fn as_json(text: &str) -> Option<Value> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    value.apply_merge().ok()?;
    serde_json::to_value(value).ok()
}

/// Whether a problem is about the form of a manifest, not about YAML. Only the form can be described by a schema.
fn is_form(problem: &Problem) -> bool {
    [
        "unknown key",
        "must be",
        "must not have",
        "needs \"",
        "is a map, but",
        "is empty",
    ]
    .iter()
    .any(|words| problem.message.contains(words))
}

/// Whether the schema accepts a manifest. It must refuse every wrong form that `check` finds, and must accept
/// everything that `check` accepts without a problem.
fn accepts(schema: &Validator, text: &str, value: &Value) -> bool {
    let loaded = plan::load("test.yaml", text);
    let (_, form) = manifest::read(text);
    let form: Vec<_> = form.into_vec().into_iter().filter(is_form).collect();
    if let Err(error) = schema.validate(value) {
        let told = loaded
            .problems
            .iter()
            .any(|problem| problem.severity > Severity::Note);
        assert!(
            told,
            "only the schema refuses {text}: {error} at {}",
            error.instance_path()
        );
        return false;
    }
    assert!(form.is_empty(), "the schema accepts {text}, but {form:?}");
    true
}

#[test]
fn the_schema_and_check_agree_about_every_manifest_in_a_file() {
    let schema = schema();
    let (mut good, mut bad) = (0, 0);
    for folder in [
        "docs/examples",
        "tests/data/manifests/valid",
        "tests/data/manifests/invalid",
    ] {
        for path in files(folder, ".yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let Some(value) = as_json(&text) else {
                continue;
            };
            if accepts(&schema, &text, &value) {
                good += 1;
            } else {
                bad += 1;
            }
        }
    }
    assert!(good >= 18 && bad >= 12, "{good} and {bad}");
}

#[test]
fn the_schema_refuses_what_editors_should_mark() {
    let schema = schema();
    for text in [
        "{}",
        "hosts: {}",
        "hosts: {x-a: {}}",
        "hosts: {a b: {}}",
        "hosts: {a: {prots: []}}",
        "hosts: {a: {ports: text}}",
        "hosts: {a: {ports: ['8080']}}",
        "hosts: {a: {ports: ['8080::80']}}",
        "hosts: {a: {vip: 10.0.0.1}}",
        "hosts: {a: {vip: 127.0.042.1}}",
        "hosts: {a: {aliases: [-b]}}",
        "hosts: {a: {aliases: [null]}}",
        "hosts: {a: {http: {listen: 0.0.0.0}}}",
        "hosts: {a: {dns: {listen: 'udp'}}}",
        "{hosts: {a: {}}, network: 10.0.0.0/8}",
        "{hosts: {a: {}}, hostTemplate: {vip: 127.0.42.1}}",
        "{hosts: {a: {}}, routes: [{to: ['*']}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: [10.0.0.1]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: [a b]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: }]}",
        "{hosts: {a: {}}, policy: {default: allow}}",
        "hosts: {localhost: {}}",
        "hosts: {b.LocalHost: {}}",
        "hosts: {'127.1': {}}",
        "hosts: {'0x7F.017': {}}",
        "hosts: {'101': {}}",
        "hosts: {a: {aliases: ['7']}}",
        "hosts: {a: {aliases: [xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]}}",
        "hosts: {a: {vip: 127.0.0.1}}",
        "hosts: {a: {vip: 127.255.255.255}}",
        "hosts: {a: {cmd: ''}}",
        "hosts: {a: {cmd: []}}",
        "hosts: {a: {ports: ['65536:b:1']}}",
        "hosts: {a: {ports: ['1:127.1:1']}}",
        "hosts: {a: {ports: ['1:256.0.0.1:1']}}",
        "hosts: {a: {ports: ['1:b..c:1']}}",
        "hosts: {a: {ports: ['1:b.1:1']}}",
        "hosts: {a: {ports: ['1:[127.0.0.1]:1']}}",
        "hosts: {a: {http: {listen: '127.0.0.1:99999'}}}",
        "hosts: {a: {http: {listen: '[::1%1]:80'}}}",
        "hosts: {a: {dns: {listen: '65536'}}}",
        "hosts: {a: {stateDir: {pathOnAgent: \"a\\tb\"}}}",
        "hosts: {a: {stateDir: {pathOnAgent: \"a\\x7f\"}}}",
        "{hosts: {a: {}}, routes: [{via: a, to: [10.0.0.0/33]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: [10/8]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: [/8]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: [010.0.0.0/8]}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: ['fd00::/129']}]}",
        "{hosts: {a: {}}, routes: [{via: [], to: ['*']}]}",
        "{hosts: {a: {}}, policy: {rules: [{from: '*', to: '*', ports: [0], action: allow}]}}",
        "{hosts: {a: {}}, policy: {rules: [{from: '*', to: '*', ports: ['1-65536'], action: allow}]}}",
        "{hosts: {a: {}}, policy: {rules: [{from: [], to: '*', action: allow}]}}",
        "{hosts: {a: {}}, policy: {rules: [{from: '*', to: [], action: allow}]}}",
        "{hosts: {a: {}}, policy: {tests: [{from: '*', to: [], expect: deny}]}}",
    ] {
        assert!(!accepts(&schema, text, &as_json(text).unwrap()), "{text}");
    }
}

#[test]
fn the_schema_takes_numbers_where_check_takes_them_for_texts() {
    let schema = schema();
    for text in [
        "hosts: {a: {cmd: [ssh, -p, 2222, true]}}",
        "hosts: {a: {cmd: 7, aliases: [1e3, true], stateDir: {pathOnAgent: 0777}}}",
        "hosts: {a: , x-note: only a text, x-a b: 1}",
        "{hosts: {a: {}}, routes: [{via: [a], to: [10, 1.5, 'fd00::/8']}]}",
        "hosts: {a: {dns: {listen: '053'}, ports: ['08080:[::1]:80/udp'], http: {listen: ''}}}",
        "{hosts: {a: {}}, policy: {rules: [{from: '*', ports: [1, '2 - 3'], action: allow}]}}",
        "{hosts: {a: {}}, hostTemplate: {vip: , cmd: ~, aliases: null}}",
        "{hosts: {0x7g: {cmd: b, aliases: [localhosts, 7.x, localhost.c]}, a: {ports: ['00065535:7.b-7.:9', '10000:0-1:60000']}}}",
        "{hosts: {a: {}}, routes: [{via: a, to: [10.0.0.0/08, 255.0.0.0/32, '::/0', '::ffff:1.2.3.4/128', 1.*]}]}",
        "hosts: {a: {vip: 127.0.0.11}, b: {cmd: c, vip: 127.255.255.25, stateDir: {pathOnAgent: '~/a é'}}}",
    ] {
        assert!(accepts(&schema, text, &as_json(text).unwrap()), "{text}");
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one(&mut self, of: &[Value]) -> Value {
        of[self.below(of.len())].clone()
    }
}

/// A value for a key. Usually it is one that may stand there, and otherwise any value.
fn value(dice: &mut Dice, key: &str) -> Value {
    if dice.below(25) == 0 {
        return dice.one(&[
            json!(null),
            json!(true),
            json!(7),
            json!(1.5),
            json!("a b"),
            json!(""),
            json!([]),
            json!([null]),
            json!({}),
            json!({"x-a": 1}),
            json!([["a"]]),
        ]);
    }
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    let some: Vec<Value> = match key {
        "vip" => texts(&[
            "127.0.42.7",
            "127.255.0.1",
            "10.0.0.1",
            "127.0.1",
            "127.0.42.07",
        ]),
        "network" => texts(&["127.0.42.0/24", "127.0.0.0/8", "127.0.42.0", "10.0.0.0/8"]),
        "cmd" => vec![json!("ssh a"), json!(["ssh", "-p", 22, true]), json!(9)],
        "ports" => vec![
            json!(["1:a:1"]),
            json!(["08080:127.0.0.1:80/udp", "2:[::1]:2"]),
            json!(["8080"]),
            json!(["70000:a:1"]),
            json!(["1::1"]),
            json!(["1:a:1", 8080]),
        ],
        "aliases" => vec![
            json!(["b", "c.example"]),
            json!([1.5]),
            json!(["x_y", "-z"]),
        ],
        "listen" => texts(&["127.0.0.1:1", ":2", "LocalHost:3", "[::1]:4", "0.0.0.0", ""]),
        "dnsPort" => vec![
            json!(53),
            json!("053"),
            json!(0),
            json!("udp"),
            json!(70000),
        ],
        "flag" => vec![json!(true), json!(false), json!("true")],
        "allow" => texts(&["any", "same-user", "nobody"]),
        "to" => vec![
            json!(["10.0.0.0/8", "*.internal"]),
            json!(["fd00::/8", 10]),
            json!(["10.0.0.1"]),
            json!(["010.0.0.0/8"]),
            json!("*"),
        ],
        "via" => vec![json!("a"), json!(["a"]), json!([])],
        "rulePorts" => vec![
            json!(22),
            json!([22, "8000-8010"]),
            json!("1 - 2"),
            json!(["x"]),
        ],
        "action" => texts(&["allow", "deny", "maybe"]),
        _ => texts(&["text", "~/x"]),
    };
    // The first third of each list has valid values.
    let most = if dice.below(15) == 0 {
        some.len()
    } else {
        some.len().div_ceil(3)
    };
    dice.one(&some[..most])
}

/// A map with some of these keys, each with a value of its kind. Sometimes it also has an unknown key.
fn map(dice: &mut Dice, keys: &[(&str, &str)]) -> Value {
    let mut map = serde_json::Map::new();
    for (key, kind) in keys {
        if dice.below(3) > 0 {
            map.insert((*key).into(), value(dice, kind));
        }
    }
    match dice.below(25) {
        0 => _ = map.insert("prots".into(), json!([])),
        1 => _ = map.insert("x-own".into(), json!([{"any": null}])),
        _ => {}
    }
    Value::Object(map)
}

fn made(dice: &mut Dice) -> Value {
    let proxy = [
        ("listen", "listen"),
        ("allowRemote", "flag"),
        ("allow", "allow"),
    ];
    let mut host = map(
        dice,
        &[
            ("vip", "vip"),
            ("cmd", "cmd"),
            ("ports", "ports"),
            ("aliases", "aliases"),
            ("writeEtcHosts", "flag"),
        ],
    );
    let parts = [
        ("http", map(dice, &proxy)),
        (
            "dns",
            map(dice, &[("listen", "dnsPort"), ("disable", "flag")]),
        ),
        (
            "loopback",
            map(dice, &[("allow", "allow"), ("disable", "flag")]),
        ),
        (
            "stateDir",
            map(dice, &[("pathOnAgent", "text"), ("disable", "flag")]),
        ),
    ];
    for (key, part) in parts {
        if dice.below(3) == 0 {
            host[key] = part;
        }
    }
    let route = map(dice, &[("via", "via"), ("to", "to"), ("notTo", "to")]);
    let rule = map(
        dice,
        &[
            ("from", "via"),
            ("to", "via"),
            ("ports", "rulePorts"),
            ("action", "action"),
        ],
    );
    let names = ["a", "a.B_c", "x-a", "a b"];
    let most = if dice.below(10) == 0 { 4 } else { 2 };
    let name = names[dice.below(most)];
    let mut manifest = json!({"hosts": {name: host}});
    for (key, part) in [
        ("network", value(dice, "network")),
        ("routes", json!([route])),
        (
            "policy",
            json!({"rules": [rule], "groups": {"g": value(dice, "via")}}),
        ),
        (
            "hostTemplate",
            map(dice, &[("ports", "ports"), ("vip", "vip")]),
        ),
        ("hosts", value(dice, "text")),
    ] {
        let often = if key == "hosts" { 40 } else { 4 };
        if dice.below(often) == 0 {
            manifest[key] = part;
        }
    }
    manifest
}

#[test]
fn the_schema_and_check_agree_about_what_a_seed_makes() {
    let schema = schema();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..2_000 {
        let value = made(&mut dice);
        // Every JSON text is also YAML.
        if accepts(&schema, &value.to_string(), &value) {
            good += 1;
        } else {
            bad += 1;
        }
    }
    assert!(good >= 500 && bad >= 500, "{good} and {bad}");
}
