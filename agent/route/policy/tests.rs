//! Compares the rulings of a policy with those of a plain list of its rules.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn vip(last: u8) -> Vip {
    Vip::new(Ipv4Addr::new(127, 0, 42, last)).unwrap()
}

fn port(number: u16) -> Port {
    Port::new(number).unwrap()
}

fn only(hosts: &[u8]) -> Hosts {
    Hosts::Only(hosts.iter().map(|last| vip(*last)).collect())
}

fn targets(texts: &[&str]) -> Beyond {
    Beyond::Only(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn rule(from: Hosts, to: Hosts, beyond: Beyond, action: Action) -> Rule {
    Rule {
        number: 0,
        line: Line::default(),
        from,
        to,
        beyond,
        via: Hosts::Everybody,
        ports: Vec::new(),
        action,
    }
}

fn at(ports: &[u16], rule: Rule) -> Rule {
    let ports = ports.iter().map(|port| *port..=*port).collect();
    Rule { ports, ..rule }
}

const DNS: u16 = 10_053;
const RELAY: u16 = 10_054;

/// A policy for nine hosts, each with a DNS server. The last host is a gateway.
fn policy(default: Action, rules: Vec<Rule>) -> Policy {
    let rules = rules.into_iter().zip(1..);
    let rules = rules.map(|(rule, number)| Rule { number, ..rule });
    let hosts = (1..=9).map(vip);
    let dns = (1..=9).map(|last| ((vip(last), port(DNS)), Service::Dns));
    let relay = ((vip(9), port(RELAY)), Service::Relay);
    Policy::new(default, rules.collect(), hosts, dns.chain([relay]))
}

fn outside<'a>(name: Name<'a>, address: Option<&str>) -> Outside<'a> {
    Outside {
        gateway: vip(9),
        name,
        address: address.map(|address| address.parse().unwrap()),
    }
}

use Action::{Allow, Deny};

#[test]
fn without_rules_everybody_reaches_what_is_published() {
    let open = Policy::default();
    assert!(open.is_open() && open.allows(vip(1), vip(2), port(80)));
    assert!(open.through(vip(1), vip(9)).is_allowed());
    let closed = policy(Deny, Vec::new());
    assert!(!closed.is_open() && !closed.allows(vip(1), vip(2), port(80)));
    // A host does not need the network to reach itself.
    assert!(closed.allows(vip(1), vip(1), port(80)));
    assert_eq!(
        closed.at_port(vip(1), vip(2), port(80)).denies,
        Some(By::Default)
    );
}

#[test]
fn the_first_rule_that_fits_decides() {
    let none = || targets(&[]);
    let policy = policy(
        Allow,
        vec![
            at(&[80], rule(only(&[1]), only(&[2]), none(), Allow)),
            rule(Hosts::Everybody, only(&[2]), none(), Deny),
            rule(only(&[3]), only(&[2]), none(), Allow),
        ],
    );
    assert_eq!(
        policy.at_port(vip(1), vip(2), port(80)).allows,
        Some(By::Rule(1))
    );
    assert_eq!(
        policy.at_port(vip(1), vip(2), port(81)).denies,
        Some(By::Rule(2))
    );
    assert_eq!(
        policy.at_port(vip(3), vip(2), port(80)).denies,
        Some(By::Rule(2))
    );
    assert_eq!(
        policy.at_port(vip(3), vip(4), port(80)).allows,
        Some(By::Default)
    );
}

#[test]
fn a_host_that_no_plan_has_may_do_nothing() {
    let none = || targets(&[]);
    let policy = policy(Allow, vec![rule(only(&[1]), only(&[2]), none(), Deny)]);
    assert!(!policy.allows(vip(77), vip(3), port(80)));
    assert!(!policy.through(vip(77), vip(9)).may_be_allowed());
}

#[test]
fn the_dns_server_is_for_those_who_reach_something_there_and_a_rule_may_say_otherwise() {
    let none = || targets(&[]);
    let policy = policy(
        Deny,
        vec![
            at(&[5432], rule(only(&[1]), only(&[2]), none(), Allow)),
            at(&[DNS], rule(only(&[3]), only(&[4]), none(), Deny)),
            at(&[22], rule(only(&[3]), only(&[4]), none(), Allow)),
            rule(only(&[5]), only(&[]), targets(&["10.0.0.0/8"]), Allow),
        ],
    );
    assert!(policy.allows(vip(1), vip(2), port(DNS)));
    assert!(!policy.allows(vip(1), vip(3), port(DNS)));
    assert!(policy.allows(vip(3), vip(4), port(22)) && !policy.allows(vip(3), vip(4), port(DNS)));
    assert!(!policy.allows(vip(5), vip(8), port(DNS)));
    // A host with a route through the gateway needs the gateway's DNS server and its relay.
    assert!(policy.allows(vip(5), vip(9), port(DNS)) && policy.allows(vip(5), vip(9), port(RELAY)));
    assert!(!policy.allows(vip(1), vip(9), port(RELAY)));
}

#[test]
fn a_name_and_its_address_are_judged_together_and_in_order() {
    let none = || only(&[]);
    let policy = policy(
        Deny,
        vec![
            rule(only(&[1]), none(), targets(&["secret.internal"]), Deny),
            rule(only(&[1]), none(), targets(&["10.9.0.0/16"]), Deny),
            rule(only(&[1]), none(), targets(&["*.internal"]), Allow),
        ],
    );
    let says = |name, address: Option<&str>| policy.outside(vip(1), &outside(name, address), 443);
    let known = Name::Known("Web.Internal.");
    assert!(says(known, Some("10.1.0.1")).is_allowed());
    assert_eq!(says(known, Some("10.9.0.1")).denies, Some(By::Rule(2)));
    assert_eq!(
        says(known, Some("::ffff:10.9.0.1")).denies,
        Some(By::Rule(2))
    );
    // A name that has not been looked up yet may turn out to be allowed.
    assert!(says(known, None).may_be_allowed() && !says(known, None).is_allowed());
    assert!(!says(Name::Known("secret.internal"), None).may_be_allowed());
    // The client has asked for an address (`None`), or for a name that the policy does not know (`Unknown`).
    assert_eq!(says(Name::None, Some("10.1.0.1")).denies, Some(By::Default));
    assert_eq!(
        says(Name::Unknown, Some("10.1.0.1")).denies,
        Some(By::Rule(1))
    );
}

#[test]
fn a_rule_about_a_gateway_is_about_that_way_only() {
    let by_gateway = Rule {
        via: only(&[9]),
        ..rule(only(&[1]), only(&[]), Beyond::Everything, Deny)
    };
    let policy = policy(Allow, vec![by_gateway]);
    assert!(!policy.through(vip(1), vip(9)).may_be_allowed());
    assert!(policy.through(vip(1), vip(8)).is_allowed());
    assert!(policy.allows(vip(1), vip(9), port(80)));
    assert!(!policy.allows(vip(1), vip(9), port(RELAY)));
}

#[test]
fn a_route_is_allowed_wholly_partly_or_not() {
    let policy = policy(
        Deny,
        vec![
            rule(
                only(&[1]),
                only(&[]),
                targets(&["10.0.0.0/8", "*.internal"]),
                Allow,
            ),
            rule(only(&[2]), only(&[]), targets(&["10.1.0.0/16"]), Allow),
        ],
    );
    let says = |from, to: &str| policy.on_route(vip(from), vip(9), &to.parse().unwrap(), 80);
    assert!(says(1, "10.2.0.0/16").is_allowed() && says(1, "*.db.internal").is_allowed());
    assert!(says(2, "10.0.0.0/8").may_be_allowed() && !says(2, "10.0.0.0/8").is_allowed());
    assert!(!says(2, "192.168.0.0/16").may_be_allowed());
    // A name may resolve to an address in the block that is allowed.
    assert!(says(2, "*.internal").may_be_allowed());
    assert!(!says(1, "*.example").is_allowed());
}

#[test]
fn patterns_overlap_where_one_name_matches_both() {
    let overlaps = |one: &str, other: &str| {
        let glob = |text: &str| match text.parse().unwrap() {
            Target::Glob(glob) => glob,
            Target::Cidr(_) => panic!("no glob"),
        };
        overlap(&glob(one), &glob(other))
    };
    for (one, other) in [
        ("*", "db.internal"),
        ("*.internal", "db.*"),
        ("a*c", "ab*"),
        ("a*b*c", "axxbc*"),
        ("**", "x"),
    ] {
        assert!(
            overlaps(one, other) && overlaps(other, one),
            "{one} {other}"
        );
    }
    assert!(!overlaps("*.internal", "*.example") && !overlaps("a*", "b*"));
    assert!(!overlaps("db", "db2"));
}

#[test]
fn a_rule_covers_what_it_is_wholly_before() {
    let all = rule(Hosts::Everybody, Hosts::Everybody, Beyond::Everything, Deny);
    let some = at(
        &[80],
        rule(
            only(&[1]),
            only(&[2]),
            targets(&["10.1.0.0/16", "db.internal"]),
            Allow,
        ),
    );
    assert!(all.covers(&some) && !some.covers(&all) && some.covers(&some));
    let wider = Rule {
        ports: vec![1..=100],
        beyond: targets(&["10.0.0.0/8", "*.internal"]),
        ..some.clone()
    };
    assert!(wider.covers(&some) && !some.covers(&wider));
    let other = Rule {
        via: only(&[9]),
        ..some.clone()
    };
    assert!(some.covers(&other) && !other.covers(&some));
}

/// Whether a rule fits. This second implementation is as plain as possible. The real implementation is compared with
/// it.
fn fits_plainly(rule: &Rule, from: Vip, at: &At, port: u16) -> bool {
    let is = |hosts: &Hosts, host: Vip| match hosts {
        Hosts::Everybody => true,
        Hosts::Only(hosts) => hosts.iter().any(|it| *it == host),
    };
    let to = match at {
        At::Host(to) => is(&rule.to, *to),
        At::Outside(name, address) => {
            let target = match &rule.beyond {
                Beyond::Everything => true,
                Beyond::Only(targets) => {
                    targets
                        .iter()
                        .any(|target| match target.to_string().as_str() {
                            "10.0.0.0/8" => address[0] == 10,
                            "10.1.0.0/16" => address[0] == 10 && address[1] == 1,
                            "*.internal" => name.is_some_and(|name| name.ends_with(".internal")),
                            "db.internal" => *name == Some("db.internal"),
                            other => panic!("{other}"),
                        })
                }
            };
            target && is(&rule.via, vip(9))
        }
    };
    let ports = rule.ports.is_empty()
        || rule
            .ports
            .iter()
            .any(|ports| (*ports.start()..=*ports.end()).contains(&port));
    is(&rule.from, from) && to && ports
}

#[derive(Clone, Debug)]
enum At {
    Host(Vip),
    Outside(Option<&'static str>, [u8; 4]),
}

fn some_hosts() -> impl Strategy<Value = Hosts> {
    prop_oneof![
        1 => Just(Hosts::Everybody),
        3 => prop::collection::btree_set((1_u8..=9).prop_map(vip), 0..4).prop_map(Hosts::Only),
    ]
}

fn some_beyond() -> impl Strategy<Value = Beyond> {
    let one = prop::sample::select(vec![
        "10.0.0.0/8",
        "10.1.0.0/16",
        "*.internal",
        "db.internal",
    ]);
    prop_oneof![
        1 => Just(Beyond::Everything),
        4 => prop::collection::vec(one, 0..3).prop_map(|texts| targets(&texts)),
    ]
}

fn some_rule() -> impl Strategy<Value = Rule> {
    let ports = prop::collection::vec(
        (1_u16..6, 0_u16..3).prop_map(|(first, more)| first..=first + more),
        0..3,
    );
    let action = prop::sample::select(vec![Allow, Deny]);
    (
        some_hosts(),
        some_hosts(),
        some_beyond(),
        some_hosts(),
        ports,
        action,
    )
        .prop_map(|(from, to, beyond, via, ports, action)| Rule {
            number: 0,
            line: Line::default(),
            from,
            to,
            beyond,
            via,
            ports,
            action,
        })
}

fn somewhere() -> impl Strategy<Value = At> {
    let name = prop::sample::select(vec![
        None,
        Some("db.internal"),
        Some("web.internal"),
        Some("x.example"),
    ]);
    let address = prop::sample::select(vec![[10, 1, 0, 1], [10, 2, 0, 1], [192, 0, 2, 1]]);
    prop_oneof![
        (1_u8..=9).prop_map(|last| At::Host(vip(last))),
        (name, address).prop_map(|(name, address)| At::Outside(name, address)),
    ]
}

proptest! {
    #[test]
    fn the_decision_is_that_of_a_plain_list(
        rules in prop::collection::vec(some_rule(), 0..150),
        deny in any::<bool>(),
        cases in prop::collection::vec(((1_u8..=8).prop_map(vip), somewhere(), 1_u16..9), 40),
    ) {
        let default = if deny { Deny } else { Allow };
        let whole = policy(default, rules.clone());
        for (from, at, number) in cases {
            let plain = rules.iter().zip(1..).find(|(rule, _)| fits_plainly(rule, from, &at, number));
            let (action, by) = plain.map_or((default, By::Default), |(rule, number)| (rule.action, By::Rule(number)));
            // Each of the two agents of a connection knows only a part of the rules. Nevertheless, both must decide the
            // same.
            let far = match at {
                At::Host(to) => to,
                At::Outside(..) => vip(9),
            };
            let parts = [from, far].map(|host| {
                let (default, rules) = whole.about(host);
                Policy::new(default, rules.into_iter().cloned().collect(), (1..=9).map(vip), [])
            });
            for policy in [&whole, &parts[0], &parts[1]] {
                let ruling = match &at {
                    At::Host(to) => policy.at_port(from, *to, port(number)),
                    At::Outside(name, address) => {
                        let name = name.map_or(Name::None, Name::Known);
                        let outside = Outside { gateway: vip(9), name, address: Some(Ipv4Addr::from(*address).into()) };
                        policy.outside(from, &outside, number)
                    }
                };
                if matches!(at, At::Host(to) if to == from) {
                    prop_assert!(ruling.is_allowed());
                    continue;
                }
                prop_assert_eq!(ruling.is_allowed(), action == Allow);
                if !policy.is_open() {
                    prop_assert_eq!(ruling.allows.or(ruling.denies), Some(by));
                }
                prop_assert!(ruling.allows.is_none() || ruling.denies.is_none());
            }
        }
    }

    #[test]
    fn what_is_not_known_yet_never_turns_a_no_into_a_yes(
        rules in prop::collection::vec(some_rule(), 0..12),
        deny in any::<bool>(),
        from in (1_u8..=8).prop_map(vip),
        number in 1_u16..9,
        name in prop::sample::select(vec!["db.internal", "web.internal", "x.example"]),
        address in prop::sample::select(vec![[10, 1, 0, 1], [10, 2, 0, 1], [192, 0, 2, 1]]),
    ) {
        let policy = policy(if deny { Deny } else { Allow }, rules);
        let known = |name, address: Option<[u8; 4]>| Outside {
            gateway: vip(9),
            name,
            address: address.map(|address| Ipv4Addr::from(address).into()),
        };
        let full = policy.outside(from, &known(Name::Known(name), Some(address)), number);
        let early = policy.outside(from, &known(Name::Known(name), None), number);
        let nameless = policy.outside(from, &known(Name::Unknown, Some(address)), number);
        if full.is_allowed() {
            prop_assert!(early.may_be_allowed() && policy.through(from, vip(9)).may_be_allowed());
        } else {
            prop_assert!(!early.is_allowed() && !nameless.is_allowed());
        }
    }
}
