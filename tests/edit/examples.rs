//! Single edits, each with the text that it has to produce, and edits that are refused.

use norouter::edit::{Change, Edit, List, Owner, Reach, Refusal, apply, between, spliced, unified};
use norouter::manifest::value::Value;

fn field(owner: Owner, field: &str, change: Change, reach: Option<Reach>) -> Edit {
    Edit::Field {
        owner,
        field: field.split('.').map(str::to_owned).collect(),
        change,
        reach,
    }
}

fn set(host: &str, name: &str, text: &str, reach: Option<Reach>) -> Edit {
    let value = Value::Text(text.to_owned());
    field(
        Owner::Host(host.to_owned()),
        name,
        Change::Set(value),
        reach,
    )
}

fn diff(text: &str, edit: &Edit) -> Vec<String> {
    let applied = apply(text, edit).unwrap_or_else(|refusal| panic!("{refusal:?}\n{text}"));
    assert_eq!(spliced(text, &applied.splices), applied.text);
    assert_eq!(spliced(&applied.text, &between(&applied.text, text)), text);
    let lines = unified(text, &applied.text);
    let changed = lines.lines().filter(|line| line.starts_with(['-', '+']));
    changed.map(str::to_owned).collect()
}

const SHARED: &str = "\
x-proxy: &proxy {listen: \"127.0.0.1:1\"} # all
hostTemplate:
  dns: {listen: 53} # for all
hosts:
  a:
    http: *proxy # shared
  b:
    http: *proxy
    cmd: ssh b norouter
  c: &c
    cmd: ssh c norouter
  d:
    <<: *c
    vip: 127.0.42.9
";

#[test]
fn a_field_of_the_manifest_itself_is_shared_with_nobody() {
    let edit = |reach| {
        let value = Value::Text("127.0.43.0/24".to_owned());
        field(Owner::Manifest, "network", Change::Set(value), reach)
    };
    for reach in [None, Some(Reach::Here), Some(Reach::Everywhere)] {
        let lines = diff("hosts: {a: {}}\n", &edit(reach));
        assert_eq!(lines, ["+network: \"127.0.43.0/24\""], "{reach:?}");
    }
}

#[test]
fn a_change_of_a_shared_value_has_to_say_how_far_it_reaches() {
    let edit = |reach| set("a", "http.listen", "127.0.0.1:2", reach);
    let refused = apply(SHARED, &edit(None)).unwrap_err();
    let Refusal::Shared { field, with } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(field, "http.listen of a");
    assert_eq!(with, ["b", "x-proxy"]);
    assert_eq!(
        diff(SHARED, &edit(Some(Reach::Everywhere))),
        [
            "-x-proxy: &proxy {listen: \"127.0.0.1:1\"} # all",
            "+x-proxy: &proxy {listen: \"127.0.0.1:2\"} # all"
        ]
    );
    assert_eq!(
        diff(SHARED, &edit(Some(Reach::Here))),
        [
            "-    http: *proxy # shared",
            "+    http: {listen: \"127.0.0.1:2\"} # shared"
        ]
    );
}

#[test]
fn a_value_of_the_template_is_changed_there_or_written_out() {
    let edit = |reach| set("b", "dns.listen", "54", reach);
    let refused = apply(SHARED, &edit(None)).unwrap_err();
    let field_of_b = "dns.listen of b".to_owned();
    let with = ["a", "c", "d"].map(str::to_owned).to_vec();
    assert_eq!(
        refused,
        Refusal::FromTemplate {
            field: field_of_b,
            with
        }
    );
    assert_eq!(
        diff(SHARED, &edit(Some(Reach::Everywhere))),
        [
            "-  dns: {listen: 53} # for all",
            "+  dns: {listen: \"54\"} # for all"
        ]
    );
    assert_eq!(
        diff(SHARED, &edit(Some(Reach::Here))),
        ["+    dns:", "+      listen: \"54\""]
    );
    let clear = |reach| field(Owner::Host("b".to_owned()), "dns", Change::Clear, reach);
    let here = apply(SHARED, &clear(Some(Reach::Here))).unwrap_err();
    assert_eq!(here.to_string(), "dns of b comes from hostTemplate");
}

#[test]
fn a_value_that_other_hosts_take_is_not_changed_for_them_unasked() {
    let edit = |reach| set("c", "cmd", "ssh x norouter", reach);
    let with = vec!["d".to_owned()];
    let refused = apply(SHARED, &edit(None)).unwrap_err();
    let field = "cmd of c".to_owned();
    assert_eq!(
        refused,
        Refusal::Shared {
            field,
            with: with.clone()
        }
    );
    let refused = apply(SHARED, &edit(Some(Reach::Here))).unwrap_err();
    assert_eq!(refused, Refusal::Entangled { with: with.clone() });
    assert_eq!(diff(SHARED, &edit(Some(Reach::Everywhere))).len(), 2);
    let name = "c".to_owned();
    let refused = apply(SHARED, &Edit::RemoveHost { name }).unwrap_err();
    assert_eq!(refused, Refusal::Entangled { with });
    // The host d has this command by a merge key, and can get a command of its own.
    assert_eq!(
        diff(
            SHARED,
            &set("d", "cmd", "ssh d norouter", Some(Reach::Here))
        ),
        ["+    cmd: \"ssh d norouter\""]
    );
}

#[test]
fn a_field_that_does_not_exist_cannot_be_removed_from_a_copy() {
    let text = "x-node: &node {cmd: ssh a norouter}\nhosts: {a: *node, b: {cmd: ssh b norouter}}\n";
    for (text, host, name) in [
        (text, "a", "kubernetes.context"),
        (SHARED, "a", "http.allow"),
        (SHARED, "b", "dns.disable"),
    ] {
        let owner = Owner::Host(host.to_owned());
        let edit = field(owner, name, Change::Clear, Some(Reach::Here));
        let refused = apply(text, &edit).unwrap_err();
        assert!(
            matches!(refused, Refusal::Missing(_)),
            "{name}: {refused:?}"
        );
    }
}

const ROUTES: &str = "\
hosts: {a: {}, b: {cmd: ssh b norouter}} # hosts

routes:
  # ten
  - via: b # through b
    to: [\"10.0.0.0/8\"]

  # others
  # and more
  - {via: b, to: [\"192.168.0.0/16\"]} # last";

#[test]
fn a_route_moves_with_the_comments_above_it() {
    let moved = "\
hosts: {a: {}, b: {cmd: ssh b norouter}} # hosts

routes:
  # others
  # and more
  - {via: b, to: [\"192.168.0.0/16\"]} # last
  # ten
  - via: b # through b
    to: [\"10.0.0.0/8\"]";
    for (from, to) in [(0, 1), (1, 0)] {
        let applied = apply(
            ROUTES,
            &Edit::Move {
                list: List::Routes,
                from,
                to,
            },
        )
        .unwrap();
        let squeezed = applied
            .text
            .replace("\n\n  #", "\n  #")
            .replace("/8\"]\n\n", "/8\"]");
        assert_eq!(
            squeezed.replace("routes:\n\n", "routes:\n").trim_end(),
            moved
        );
        assert_eq!(applied.changed, ["route 1", "route 2"]);
    }
}

#[test]
fn comments_above_stay_when_a_value_is_removed() {
    assert_eq!(
        diff(
            ROUTES,
            &Edit::Remove {
                list: List::Routes,
                at: 0
            }
        ),
        ["-  - via: b # through b", "-    to: [\"10.0.0.0/8\"]"]
    );
    let name = "b".to_owned();
    let applied = apply(ROUTES, &Edit::RemoveHost { name }).unwrap();
    assert_eq!(applied.also.len(), 2, "{:?}", applied.also);
    for comment in ["# hosts", "# ten", "# others", "# and more"] {
        assert!(applied.text.contains(comment), "{}", applied.text);
    }
    assert!(applied.text.contains("routes: []"), "{}", applied.text);
}

#[test]
fn impossible_edits_are_refused_with_a_reason() {
    for (text, edit, refusal) in [
        ("hosts: {a: ", set("a", "vip", "x", None), "has errors"),
        (
            "hosts:\n  ? a\n  : {}\n",
            set("a", "vip", "x", None),
            "cannot be edited safely",
        ),
        (
            "hosts: {a: {}}",
            set("z", "vip", "x", None),
            "the host \"z\" does not exist",
        ),
        (
            "hosts: {a: {}}",
            set("a", "vipp", "x", None),
            "a has no field \"vipp\"",
        ),
        (
            "hosts: {a: {}}",
            set("a", "loopback.allow", "x", None),
            "same-user or any",
        ),
        (
            "hosts: {a: {}}",
            Edit::RemoveHost { name: "a".into() },
            "\"hosts\" is empty",
        ),
        (
            "hosts: {a: {}}",
            Edit::AddHost {
                name: "A".into(),
                fields: Value::Null,
            },
            "the name \"A\" is taken",
        ),
        (
            "hosts: {a: {}, b: {cmd: x}}\npolicy: {groups: {g: [a]}}",
            Edit::RemoveHost { name: "a".into() },
            "the group g would be empty",
        ),
    ] {
        let refused = apply(text, &edit).unwrap_err();
        assert!(refused.to_string().contains(refusal), "{refused}");
        assert!(!refused.hint().is_empty());
    }
}

#[test]
fn a_host_is_renamed_wherever_it_is_named() {
    let text = "\
hosts: {web: {aliases: [shop]}, db: {cmd: ssh db norouter, ports: [\"5432:127.0.0.1:5432\"]}}
routes: [{via: [db, web], to: [\"10.0.0.0/8\"]}] # db
policy:
  groups: {all: [web, db]}
  rules: [{from: web, to: db, action: allow}]
  tests: [{from: web, to: \"db:5432\", expect: allow}]
";
    let (from, to) = ("db".to_owned(), "data".to_owned());
    let applied = apply(text, &Edit::RenameHost { from, to }).unwrap();
    let expected = text
        .replace("db: {cmd", "data: {cmd")
        .replace("[db, web]", "[data, web]")
        .replace("web, db]", "web, data]")
        .replace("to: db,", "to: data,")
        .replace("\"db:5432\"", "\"data:5432\"");
    assert_eq!(applied.text, expected);
    assert_eq!(applied.also.len(), 4, "{:?}", applied.also);
}

fn item(fields: &[(&str, &str)]) -> Value {
    let fields = fields.iter();
    let fields = fields.map(|(key, text)| ((*key).to_owned(), Value::Text((*text).to_owned())));
    Value::Map(fields.collect())
}

#[test]
fn the_first_rule_makes_the_policy_and_the_next_one_follows_the_style() {
    let add = |text: &str, list| {
        let fields = match list {
            List::Tests => [("from", "a"), ("to", "b:80"), ("expect", "allow")],
            List::Rules | List::Routes => [("action", "allow"), ("to", "b"), ("from", "a")],
        };
        let item = item(&fields);
        diff(
            text,
            &Edit::Insert {
                list,
                at: None,
                item,
            },
        )
    };
    let hosts = "hosts: {a: {}, b: {}}\n";
    assert_eq!(
        add(hosts, List::Rules),
        [
            "+policy:",
            "+  rules:",
            "+    - from: a",
            "+      to: b",
            "+      action: allow"
        ]
    );
    let flow = format!("{hosts}policy: {{rules: [{{from: b, to: a, action: deny}}]}} # who\n");
    let policy =
        "policy: {rules: [{from: b, to: a, action: deny}, {from: a, to: b, action: allow}]} # who";
    assert_eq!(add(&flow, List::Rules)[1], format!("+{policy}"));
    let other = format!("{hosts}policy: # who\n  default: deny\n");
    assert_eq!(
        add(&other, List::Tests),
        [
            "+  tests:",
            "+    - from: a",
            "+      to: \"b:80\"",
            "+      expect: allow"
        ]
    );
}

#[test]
fn a_group_may_have_a_dot_in_its_name_and_is_removed_alone() {
    let text = "\
hosts: {a: {}, b: {}}
policy:
  groups:
    # the old ones
    old: [a] # not many
    web.front: [b]
";
    let edit = |name: &str, change| Edit::Field {
        owner: Owner::Groups,
        field: vec![name.to_owned()],
        change,
        reach: None,
    };
    let at = None;
    let item = "a".to_owned();
    assert_eq!(
        diff(text, &edit("web.front", Change::Add { at, item })),
        ["-    web.front: [b]", "+    web.front: [b, a]"]
    );
    assert_eq!(
        diff(text, &edit("old", Change::Clear)),
        ["-    old: [a] # not many"]
    );
    let merged = "x-old: &old {old: [a]}\nhosts: {a: {}}\npolicy: {groups: {<<: *old, web: [a]}}\n";
    let here = Edit::Field {
        owner: Owner::Groups,
        field: vec!["old".to_owned()],
        change: Change::Clear,
        reach: Some(Reach::Here),
    };
    let refused = apply(merged, &here).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the group old comes from a merge key",
        "{refused:?}"
    );
    let refused = apply(text, &edit("x-old", Change::Set(Value::List(Vec::new())))).unwrap_err();
    assert!(matches!(refused, Refusal::Field(_)), "{refused:?}");
}

#[test]
fn a_list_that_others_take_or_that_is_no_list_is_not_changed() {
    let shared = "\
x-rules: &rules
  - {from: a, to: b, action: allow}
  - &second {from: b, to: a, action: deny}
hosts: {a: {}, b: {}}
policy: {rules: *rules, x-old: *second}
";
    let item = item(&[("from", "a"), ("to", "a"), ("action", "allow")]);
    let list = List::Rules;
    for edit in [
        Edit::Insert {
            list,
            at: Some(0),
            item: item.clone(),
        },
        Edit::Remove { list, at: 0 },
        Edit::Move {
            list,
            from: 0,
            to: 1,
        },
    ] {
        let refused = apply(shared, &edit).unwrap_err();
        let with = vec!["x-rules".to_owned()];
        assert_eq!(refused, Refusal::Entangled { with }, "{edit:?}");
    }
    let anchored = "\
hosts: {a: {}, b: {}}
policy:
  rules: [&first {from: a, to: b, action: allow}, {<<: *first, to: a}]
";
    let refused = apply(anchored, &Edit::Remove { list, at: 0 }).unwrap_err();
    let with = vec!["rule 2".to_owned()];
    assert_eq!(refused, Refusal::Entangled { with });
    // The dash was forgotten, so the rule must not be replaced by another one.
    let without_dash =
        "hosts: {a: {}}\npolicy:\n  rules:\n    from: a\n    to: a\n    action: deny\n";
    let refused = apply(
        without_dash,
        &Edit::Insert {
            list,
            at: None,
            item,
        },
    )
    .unwrap_err();
    assert_eq!(refused, Refusal::Style);
}

#[test]
fn a_shared_value_becomes_a_copy_of_its_own_before_it_is_changed() {
    let text = "\
hosts: {a: {}, b: {}}
policy:
  groups: {both: &both [a, b]}
  rules: [{from: *both, to: \"*\", action: allow}]
";
    let copy = Edit::Field {
        owner: Owner::Item(List::Rules, 0),
        field: vec!["from".to_owned()],
        change: Change::Set(Value::List(vec![
            Value::Text("a".to_owned()),
            Value::Text("b".to_owned()),
        ])),
        reach: Some(Reach::Here),
    };
    let lines = diff(text, &copy);
    assert_eq!(
        lines[1],
        "+  rules: [{from: [a, b], to: \"*\", action: allow}]"
    );
}
