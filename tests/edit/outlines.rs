//! Compares the outline of a text with its plan, and with the results of edits.

use std::collections::BTreeSet;

use norouter::{
    edit::{Change, Edit, List, Owner, Refusal, apply},
    editor::{edited, outline},
    manifest::value::Value,
    plan,
    view::{
        EditReach, EditRequest, Edited, FieldOutline, FieldValue, ListRef, Origin, Outline,
        OwnerRef, RefusalCode, Way,
    },
};

fn field<'o>(fields: &'o [FieldOutline], name: &str) -> &'o FieldOutline {
    let mut fields = fields.iter();
    fields.find(|field| field.field == name).unwrap()
}

fn texts(texts: &[&str]) -> FieldValue {
    FieldValue::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

fn shared(with: &[&str], index: Option<usize>) -> Origin {
    let with = with.iter().map(|&name| name.to_owned()).collect();
    Origin::Shared { with, index }
}

const TEXT: &str = "\
network: 127.0.43.0/24
x-proxy: &proxy {listen: \"127.0.0.1:1\"} # all
hostTemplate:
  ports: [\"8080:127.0.0.1:80\", \"8082:127.0.0.1:82\"]
  dns: {listen: 53}
hosts:
  a:
    http: *proxy
    ports:
      - \"8081:127.0.0.1:81\"
  b: &b
    ssh: [-p, \"22\", b]
    dns: {disable: true}
  c:
    <<: *b
    vip: 127.0.43.9
    socks: {allow: any}
  d: {docker: {service: web, project: shop}, loopback: {disable: false}}
routes:
  - {via: b, to: [10.0.0.0/8]}
  - via: [c, d]
    to: [\"*.x\"]
    notTo: [\"y.x\"]
policy: {default: deny}
";

#[test]
fn every_field_says_where_it_is_written() {
    let outline = outline(TEXT).unwrap();
    let [a, b, c, d] = &outline.hosts[..] else {
        panic!("{outline:?}");
    };
    let own = Origin::Own { index: None };
    let template = Origin::Template { index: None };
    let ports = field(&a.fields, "ports");
    assert_eq!(
        ports.value,
        texts(&[
            "8080:127.0.0.1:80",
            "8082:127.0.0.1:82",
            "8081:127.0.0.1:81"
        ])
    );
    assert_eq!(
        ports.items.as_deref().unwrap(),
        [
            Origin::Template { index: Some(0) },
            Origin::Template { index: Some(1) },
            Origin::Own { index: Some(0) },
        ]
    );
    assert_eq!(a.line, 7);
    let listen = field(&a.fields, "http.listen");
    assert_eq!(listen.origin, shared(&["x-proxy"], None));
    assert_eq!(field(&a.fields, "dns.listen").origin, template);
    let ssh = field(&b.fields, "ssh");
    assert_eq!(ssh.value, texts(&["-p", "22", "b"]));
    assert_eq!(ssh.origin, shared(&["c"], None));
    assert_eq!(ssh.items.as_ref().unwrap()[1], shared(&["c"], Some(1)));
    assert_eq!(field(&c.fields, "ssh").origin, shared(&["b"], None));
    assert_eq!(field(&c.fields, "vip").origin, own);
    // A map of the host replaces the map in hostTemplate.
    assert!(b.fields.iter().all(|field| field.field != "dns.listen"));
    assert_eq!(
        field(&b.fields, "dns.disable").value,
        FieldValue::Flag(true)
    );
    assert_eq!(
        field(&d.fields, "docker.service").value,
        FieldValue::Text("web".into())
    );
    assert_eq!(field(&d.fields, "ports").origin, template);
    let ways = [a.way, b.way, c.way, d.way];
    assert_eq!(ways, [Way::Local, Way::Ssh, Way::Ssh, Way::Docker]);
    assert_eq!(
        (a.vip.as_str(), c.vip.as_str()),
        ("127.0.43.100", "127.0.43.9")
    );
    assert_eq!(outline.next_vip.as_deref(), Some("127.0.43.103"));
    assert_eq!(outline.next_port, 8083);
    assert!(a.argv.is_empty() && b.argv[0] == "ssh" && d.argv[0] == "docker");
    assert_eq!(outline.network.len(), 2);
    assert_eq!(
        field(&outline.network, "policy.default").value,
        FieldValue::Text("deny".into())
    );
    assert_eq!(outline.routes.len(), 2);
    assert_eq!(
        field(&outline.routes[1].fields, "via").value,
        texts(&["c", "d"])
    );
    assert_eq!(
        field(&outline.template, "ports").items.as_ref().unwrap()[1],
        Origin::Own { index: Some(1) }
    );
}

#[test]
fn a_text_with_mistakes_is_outlined_as_far_as_it_can_be_read() {
    let text = "hosts:\n  a: {vip: 10.0.0.1, ssh: a, cmd: b, ports: [x], colour: red}\n  b: {vip: 127.0.42.1}\n  c: {vip: 127.0.42.1, ports: 1}\n  d:\nroutes: [{via: z}, 7]\n";
    assert!(plan::load("n", text).plan.is_none());
    let said = outline(text).unwrap();
    let vips: Vec<&str> = said.hosts.iter().map(|host| host.vip.as_str()).collect();
    assert_eq!(
        vips,
        ["10.0.0.1", "127.0.42.1", "127.0.42.1", "127.0.42.100"]
    );
    assert_eq!(
        field(&said.hosts[2].fields, "ports").value,
        FieldValue::Text("1".into())
    );
    assert!(said.hosts[0].argv.is_empty());
    assert_eq!((said.routes.len(), said.next_port), (2, 8080));
    for unreadable in ["hosts: {a: ", "hosts:\n\t- a", "a: b: c"] {
        assert_eq!(outline(unreadable), None, "{unreadable}");
    }
    let empty = outline("# nothing yet\nhosts:\n").unwrap();
    assert!(empty.hosts.is_empty());
    assert_eq!(empty.next_vip.as_deref(), Some("127.0.42.100"));
}

/// Checks the origin of each field by an edit that does not say how far it reaches. The edit must be refused exactly if
/// the value is shared or comes from hostTemplate.
fn origins_are_true(name: &str, text: &str, said: &Outline) {
    let hosts = said.hosts.iter();
    let owned = hosts.map(|host| (Owner::Host(host.name.clone()), &host.fields));
    let policy = said.policy.as_ref();
    let lists = [
        (List::Routes, &said.routes[..]),
        (List::Rules, policy.map_or(&[][..], |policy| &policy.rules)),
        (List::Tests, policy.map_or(&[][..], |policy| &policy.tests)),
    ];
    let items = lists.into_iter().flat_map(|(list, items)| {
        let items = items.iter().enumerate();
        items.map(move |(at, item)| (Owner::Item(list, at), &item.fields))
    });
    let groups = policy.map(|policy| (Owner::Groups, &policy.groups));
    let others = [(Owner::Template, &said.template)]
        .into_iter()
        .chain(groups);
    for (owner, fields) in owned.chain(items).chain(others) {
        for field in fields {
            let value = match &field.value {
                FieldValue::Flag(flag) => Value::Flag(!flag),
                FieldValue::Texts(all) => {
                    let all = all.iter().map(|text| Value::Text(format!("{text}9")));
                    Value::List(all.collect())
                }
                FieldValue::Text(_) if field.field.ends_with("allow") => {
                    Value::Text("any".to_owned())
                }
                FieldValue::Text(word) if ["action", "expect"].contains(&field.field.as_str()) => {
                    let other = if word == "allow" { "deny" } else { "allow" };
                    Value::Text(other.to_owned())
                }
                FieldValue::Text(text) => Value::Text(format!("{text}9")),
                FieldValue::Null => continue,
            };
            let edit = Edit::Field {
                owner: owner.clone(),
                field: match owner {
                    Owner::Groups => vec![field.field.clone()],
                    _ => field.field.split('.').map(str::to_owned).collect(),
                },
                change: Change::Set(value),
                reach: None,
            };
            let made = apply(text, &edit);
            let is_true = match &field.origin {
                Origin::Own { .. } => !matches!(
                    made,
                    Err(Refusal::Shared { .. } | Refusal::FromTemplate { .. })
                ),
                // A host can get ports besides those of the template, so this edit is not refused.
                Origin::Template { .. } if field.field == "ports" => true,
                Origin::Template { .. } => matches!(made, Err(Refusal::FromTemplate { .. })),
                // An edit that sets the present value again changes nothing for others, so it need not be refused.
                Origin::Shared { .. } => {
                    matches!(made, Err(Refusal::Shared { .. })) || {
                        let value = &field.value;
                        *value == FieldValue::Text("any".to_owned())
                    }
                }
            };
            assert!(is_true, "{name}: {owner:?} {field:?}: {made:?}");
        }
    }
}

#[test]
fn every_manifest_is_outlined_as_it_is_planned() {
    for (name, text) in super::corpus() {
        let said = outline(&text).unwrap_or_else(|| panic!("{name}"));
        let plan = plan::load(&name, &text).plan.unwrap();
        let view = plan.view();
        let planned: Vec<_> = view
            .hosts
            .iter()
            .map(|host| (host.name.to_lowercase(), &host.vip, &host.command))
            .collect();
        let outlined: Vec<_> = said
            .hosts
            .iter()
            .map(|host| (host.name.to_lowercase(), &host.vip, &host.argv))
            .collect();
        assert_eq!(planned, outlined, "{name}");
        assert_eq!(said.routes.len(), view.routes.len(), "{name}");
        for host in &said.hosts {
            let line = text.lines().nth(host.line - 1).unwrap_or_default();
            assert!(line.contains(&host.name), "{name}: {}: {line}", host.name);
            let ports: BTreeSet<u16> = view
                .hosts
                .iter()
                .flat_map(|host| host.publishes.iter().map(|port| port.port))
                .collect();
            assert!(!ports.contains(&said.next_port), "{name}");
        }
        if name.contains("as written") {
            origins_are_true(&name, &text, &said);
        }
    }
}

fn done(text: &str, requests: Vec<EditRequest>) -> (String, Outline) {
    match edited(text, requests) {
        Edited::Done { text, outline, .. } => (text, *outline),
        refused @ Edited::Refused { .. } => panic!("{refused:?}"),
    }
}

fn refused(text: &str, requests: Vec<EditRequest>) -> (usize, RefusalCode, Vec<String>) {
    match edited(text, requests) {
        Edited::Refused { at, code, with, .. } => (at, code, with),
        done @ Edited::Done { .. } => panic!("{done:?}"),
    }
}

fn set(host: &str, field: &str, value: FieldValue, reach: Option<EditReach>) -> EditRequest {
    EditRequest::Set {
        owner: OwnerRef::Host { name: host.into() },
        field: field.into(),
        value,
        reach,
    }
}

#[test]
fn edits_are_made_together_or_not_at_all() {
    let text = |value: &str| FieldValue::Text(value.into());
    let rename = EditRequest::RenameHost {
        from: "a".into(),
        to: "z".into(),
    };
    // The second edit uses the new name of the host, because the first edit has renamed the host.
    let (new, said) = done(
        TEXT,
        vec![rename.clone(), set("z", "vip", text("127.0.43.7"), None)],
    );
    assert!(new.contains("  z:\n"), "{new}");
    assert_eq!(said.hosts[0].vip, "127.0.43.7");
    let both = vec![rename, set("a", "vip", text("127.0.43.7"), None)];
    assert_eq!(refused(TEXT, both), (1, RefusalCode::Missing, Vec::new()));
    // The host is to be reached in another way. Between the two edits, it has two ways, and this is not refused.
    let (new, said) = done(
        TEXT,
        vec![
            set("d", "lxc", text("c1"), None),
            EditRequest::Clear {
                owner: OwnerRef::Host { name: "d".into() },
                field: "docker".into(),
                reach: None,
            },
        ],
    );
    assert_eq!(said.hosts[3].way, Way::Lxc, "{new}");
    assert!(plan::load("n", &new).plan.is_some(), "{new}");
    assert_eq!(done(TEXT, Vec::new()).0, TEXT);
}

#[test]
fn a_refusal_has_a_code_and_names_the_others() {
    let text = |value: &str| FieldValue::Text(value.into());
    for (request, code, with) in [
        (
            set("a", "http.listen", text("127.0.0.1:2"), None),
            RefusalCode::Shared,
            &["x-proxy"][..],
        ),
        (
            set("d", "dns.listen", text("54"), None),
            RefusalCode::FromTemplate,
            &["a"],
        ),
        (
            set("d", "dns", FieldValue::Null, Some(EditReach::Here)),
            RefusalCode::Inherited,
            &[],
        ),
        (
            set("b", "ssh", text("x"), Some(EditReach::Here)),
            RefusalCode::Entangled,
            &["c"],
        ),
        (
            set("a", "colour", text("red"), None),
            RefusalCode::Field,
            &[],
        ),
        (
            set("a", "loopback.allow", text("red"), None),
            RefusalCode::Field,
            &[],
        ),
        (
            EditRequest::AddHost {
                name: "n".into(),
                fields: [("http.colour".to_owned(), text("red"))].into(),
            },
            RefusalCode::Field,
            &[],
        ),
        (
            EditRequest::AddHost {
                name: "A".into(),
                fields: [].into(),
            },
            RefusalCode::Taken,
            &[],
        ),
        (
            EditRequest::Remove {
                list: ListRef::Routes,
                at: 2,
            },
            RefusalCode::Missing,
            &[],
        ),
        (
            set("a", "vip", text(&"1".repeat(1 << 20)), None),
            RefusalCode::TooLong,
            &[],
        ),
    ] {
        let (_, found, others) = refused(TEXT, vec![request.clone()]);
        assert_eq!(found, code, "{request:?}");
        assert_eq!(others, with, "{request:?}");
    }
    let unreadable = refused("hosts: {", vec![set("a", "vip", text("x"), None)]);
    assert_eq!(unreadable.1, RefusalCode::Unreadable);
    // The refusal names the edit after which the manifest is invalid.
    let (at, code, _) = refused(
        "hosts: {a: {}, b: {}}\n",
        vec![
            set("b", "vip", text("127.0.42.5"), None),
            EditRequest::RemoveHost { name: "a".into() },
            EditRequest::RemoveHost { name: "b".into() },
        ],
    );
    assert_eq!((at, code), (2, RefusalCode::Invalid));
}

#[test]
fn the_policy_is_outlined_with_the_lines_of_its_parts() {
    let text = "\
hosts: {a: {}, b: {}}
policy:
  default: deny
  groups:
    both: &both [a, b]
    x-old: [a]
  rules:
    - from: *both
      to: \"*\"
      action: allow
  tests: [{from: a, to: \"b:80\", expect: allow}]
";
    let said = outline(text).unwrap();
    let policy = said.policy.unwrap();
    let groups: Vec<_> = policy.groups.iter().map(|it| it.field.as_str()).collect();
    assert_eq!((policy.line, groups), (2, vec!["both"]));
    let shared = |with: &str| Origin::Shared {
        with: vec![with.to_owned()],
        index: None,
    };
    assert_eq!(policy.groups[0].origin, shared("rule 1"));
    let [rule] = &policy.rules[..] else {
        panic!("{:?}", policy.rules)
    };
    assert_eq!(field(&rule.fields, "from").origin, shared("the group both"));
    assert_eq!(policy.tests.len(), 1);
    assert_eq!(
        field(&said.network, "policy.default").origin,
        Origin::Own { index: None }
    );
    assert_eq!(outline("hosts: {a: {}}\npolicy:\n").unwrap().policy, None);
}
