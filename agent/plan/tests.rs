//! Tests of how the proxies, DNS servers and routes of a manifest appear in the plan, and of the problems that invalid
//! ones cause.

use std::net::IpAddr;

use super::*;
use crate::{
    addr::Port,
    manifest::{HOSTS_MAX, Position, problem::MADE},
};

mod spelling;

/// The plan of a manifest without problems.
#[track_caller]
fn plan(text: &str) -> Plan {
    let loaded = load("test.yaml", text);
    assert_eq!(loaded.problems, [], "{}", loaded.report(false));
    loaded.plan.unwrap()
}

/// The one problem of a manifest.
#[track_caller]
fn problem(text: &str) -> Problem {
    let loaded = load("test.yaml", text);
    let [problem] = &loaded.problems[..] else {
        panic!("{}", loaded.report(false));
    };
    assert_eq!(
        loaded.plan.is_none(),
        problem.severity == Severity::Error,
        "{}",
        loaded.report(false)
    );
    problem.clone()
}

/// The text that a problem points at.
fn place<'t>(text: &'t str, problem: &Problem) -> &'t str {
    let Position { byte: start, .. } = problem.span.start;
    &text[start..problem.span.end.byte]
}

fn ports(host: &HostPlan) -> (Option<u16>, Option<u16>) {
    (host.dns.map(Port::get), host.relay.map(Port::get))
}

#[test]
fn a_proxy_on_loopback_needs_nothing_more() {
    for listen in [
        "127.0.0.1:18080",
        "localhost:18080",
        "127.0.42.7:1",
        "[::1]:18080",
    ] {
        let plan = plan(&format!("hosts: {{a: {{http: {{listen: '{listen}'}}}}}}"));
        let http = plan.hosts[0].http.as_ref().unwrap();
        assert!(
            http.listen.ip().is_loopback() && http.credentials.is_none(),
            "{http:?}"
        );
    }
}

#[test]
fn a_proxy_for_other_machines_needs_their_permission_and_a_file_of_users() {
    for listen in [
        "0.0.0.0:18080",
        ":18080",
        "192.0.2.1:18080",
        "[::]:18080",
        "[2001:db8::1]:18080",
    ] {
        for key in ["http", "socks"] {
            let manifest =
                |more: &str| format!("hosts: {{a: {{{key}: {{listen: '{listen}'{more}}}}}}}");
            for (more, missing) in [
                ("", &["\"allowRemote: true\"", "\"credentials\""][..]),
                (
                    ", allowRemote: false",
                    &["\"allowRemote: true\"", "\"credentials\""],
                ),
                (
                    ", credentials: ''",
                    &["\"allowRemote: true\"", "\"credentials\""],
                ),
                (", allowRemote: true", &["\"credentials\"", "USER:PASSWORD"]),
                (", credentials: users", &["\"allowRemote: true\""]),
                (
                    ", credentials: users, allowRemote: false",
                    &["\"allowRemote: true\""],
                ),
            ] {
                let text = manifest(more);
                let problem = problem(&text);
                assert_eq!(problem.severity, Severity::Error);
                assert!(problem.message.contains("other machines"), "{problem:?}");
                assert_eq!(place(&text, &problem), format!("'{listen}'"));
                let hint = problem.hint.unwrap();
                assert!(hint.contains("\"127.0.0.1:18080\""), "{hint}");
                assert!(
                    missing.iter().all(|word| hint.contains(word)),
                    "{more} {hint}"
                );
                assert_eq!(
                    hint.contains("allowRemote"),
                    missing.contains(&"\"allowRemote: true\""),
                    "only what is missing: {hint}"
                );
                assert_eq!(
                    hint.contains("\"credentials\""),
                    missing.contains(&"\"credentials\""),
                    "only what is missing: {hint}"
                );
            }
            let plan = plan(&manifest(
                ", allowRemote: true, credentials: '~/${X}/users'",
            ));
            let host = &plan.hosts[0];
            let proxy = host.http.as_ref().or(host.socks.as_ref()).unwrap();
            assert_eq!(proxy.credentials.as_deref(), Some("~/${X}/users"));
            assert!(!proxy.listen.ip().is_loopback());
        }
    }
}

#[test]
fn the_templates_proxy_is_judged_where_it_is_written_and_replaced_as_a_whole() {
    let text = "{hostTemplate: {http: {listen: ':1'}}, hosts: {a: {}, b: {cmd: x}}}";
    assert_eq!(place(text, &problem(text)), "':1'");
    let plan = plan(
        "hostTemplate: {http: {listen: ':1', allowRemote: true, credentials: users}}
hosts: {a: {}, b: {cmd: x, http: {listen: '127.0.0.1:2'}}, c: {cmd: x, http: {credentials: x}}}",
    );
    let http = |host: usize| plan.hosts[host].http.clone();
    assert_eq!(http(0).unwrap().credentials.as_deref(), Some("users"));
    assert_eq!(http(1).unwrap().credentials, None);
    assert_eq!(http(2), None, "without listen there is no proxy");
}

#[test]
fn two_proxies_cannot_have_one_address() {
    let text = "hosts: {a: {http: {listen: '127.0.0.1:1'}, socks: {listen: 'localhost:1'}}}";
    let problem = problem(text);
    assert_eq!(place(text, &problem), "'localhost:1'");
    assert!(problem.hint.unwrap().contains("another port"));
}

#[test]
fn every_host_answers_dns_questions_unless_it_is_told_not_to() {
    let plan = plan(
        "hostTemplate: {dns: {listen: 5353}}
hosts: {a: {dns: {}}, b: {cmd: x}, c: {cmd: x, dns: {listen: '53'}}, d: {cmd: x, dns: {disable: true}}}",
    );
    let dns: Vec<_> = plan.hosts.iter().map(|host| ports(host).0).collect();
    assert_eq!(dns, [Some(10_053), Some(5_353), Some(53), None]);
}

#[test]
fn a_dns_port_that_is_none_says_what_to_write() {
    for wrong in ["0", "65536", "udp", "'127.0.42.1:53'"] {
        let text = format!("hosts: {{a: {{dns: {{listen: {wrong}}}}}}}");
        let problem = problem(&text);
        assert_eq!(problem.severity, Severity::Error);
        assert_eq!(place(&text, &problem), wrong);
        assert!(problem.hint.unwrap().contains("like 10053"));
    }
    let text = "hosts: {a: {dns: {listen: 70000, disable: true}}}";
    assert_eq!(problem(text).severity, Severity::Error);
}

#[test]
fn a_published_port_goes_before_the_usual_dns_port_with_a_warning() {
    let text = "hosts: {a: {ports: ['10053:127.0.0.1:53']}}";
    let loaded = load("test.yaml", text);
    let problem = problem(text);
    assert_eq!(problem.severity, Severity::Warning);
    assert!(
        problem.message.contains("\"a\" publishes port 10053"),
        "{problem:?}"
    );
    assert_eq!(place(text, &problem), "a");
    let hint = problem.hint.unwrap();
    assert!(
        hint.contains("dns: {listen: PORT}") && hint.contains("disable: true"),
        "{hint}"
    );
    let plan = loaded.plan.unwrap();
    assert_eq!(ports(&plan.hosts[0]).0, None);
    assert_eq!(plan.hosts[0].forwards.len(), 1);
}

#[test]
fn a_dns_port_that_is_written_and_published_is_an_error() {
    let text = "hosts: {a: {ports: ['53:127.0.0.1:53'], dns: {listen: 53}}}";
    let problem = problem(text);
    assert_eq!(problem.severity, Severity::Error);
    assert!(
        text[problem.span.start.byte..].starts_with("53}"),
        "{problem:?}"
    );

    // Both the port of the DNS server and the published port may come from the template.
    let text = "{hostTemplate: {dns: {listen: 80}}, hosts: {a: {ports: ['80:b:80']}}}";
    assert_eq!(self::problem(text).severity, Severity::Error);
    let text = "{hostTemplate: {ports: ['80:b:80']}, hosts: {a: {dns: {listen: 80}}}}";
    assert_eq!(self::problem(text).severity, Severity::Error);
    // A DNS server that is disabled does not conflict with a published port.
    plan("hosts: {a: {ports: ['53:127.0.0.1:53'], dns: {listen: 53, disable: true}}}");
}

#[test]
fn only_gateways_have_a_relay_and_it_keeps_out_of_the_way() {
    let plan = plan(
        "hosts:
  a: {}
  b: {cmd: x}
  c: {cmd: x, ports: ['10054:x:1', '10055:x:1'], dns: {listen: 10056}}
  d: {cmd: x, dns: {disable: true}}
routes: [{via: [b, c], to: ['*']}, {via: d, to: [10.0.0.0/8]}]",
    );
    let ports: Vec<_> = plan.hosts.iter().map(ports).collect();
    assert_eq!(
        ports,
        [
            (Some(10_053), None),
            (Some(10_053), Some(10_054)),
            (Some(10_056), Some(10_057)),
            (None, Some(10_054)),
        ]
    );
}

#[test]
fn a_route_leads_through_several_hosts_by_any_of_their_names_each_once() {
    let plan = plan(
        "hosts: {a: {vip: 127.0.42.1}, b: {vip: 127.0.42.2, cmd: x, aliases: [Gate]}, c: {vip: 127.0.42.3, cmd: x}}
routes:
  - via: [gate, C, 127.0.42.2, b, a]
    to: ['*.internal', 10.0.0.0/8]
    notTo: [10.9.0.0/16, 'old.*', 'fd00::/8']
  - {via: c, to: ['*']}",
    );
    let routes: Vec<_> = plan.routes.iter().collect();
    let via = |route: usize| -> Vec<_> {
        routes[route]
            .via
            .iter()
            .map(|vip| vip.address().octets()[3])
            .collect()
    };
    assert_eq!((via(0), via(1)), (vec![2, 3, 1], vec![3]));
    let texts: Vec<_> = routes[0].not_to.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10.9.0.0/16", "old.*", "fd00::/8"]);
    let gateway = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        plan.routes
            .to_address(address)
            .map(|route| route.via[0].address().octets()[3])
    };
    assert_eq!((gateway("10.1.0.1"), gateway("10.9.0.1")), (Some(2), None));
    let name = |name: &str| {
        plan.routes
            .to_name(name)
            .map(|route| route.via[0].address().octets()[3])
    };
    assert_eq!(
        (name("a.internal"), name("old.internal")),
        (Some(3), Some(3)),
        "the last route wins"
    );
}

#[test]
fn every_wrong_word_of_a_route_is_shown_with_a_next_step() {
    let text = "hosts: {a: {}}
routes: [{via: [a, nobody, 127.0.42.9], to: [10.0.0.1], notTo: ['a b', fd00::1, 10.0.0.0/64]}, {via: [], to: ['*']}]";
    let loaded = load("test.yaml", text);
    assert!(loaded.plan.is_none());
    let shown: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| (place(text, problem), problem.hint.clone().unwrap()))
        .collect();
    let expected = [
        ("nobody", "the name, an alias or the VIP of a host: a"),
        ("127.0.42.9", "the name, an alias or the VIP of a host: a"),
        ("10.0.0.1", "\"10.0.0.1/32\""),
        ("'a b'", "compute.internal"),
        ("fd00::1", "\"fd00::1/128\""),
        ("10.0.0.0/64", "192.168.95.0/24"),
        ("{via: [], to: ['*']}", "as \"via\""),
    ];
    assert_eq!(shown.len(), expected.len(), "{}", loaded.report(false));
    for ((place, hint), (wanted, words)) in shown.iter().zip(expected) {
        assert_eq!(*place, wanted);
        assert!(hint.contains(words), "{wanted}: {hint}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_errors() {
    for text in [
        "hosts: {a: {http: {listen: '127.0.0.1:1', allowRemote: 'yes'}}}",
        "hosts: {a: {http: {listen: '127.0.0.1:1', credentials: [x]}}}",
        "hosts: {a: {dns: 53}}",
        "hosts: {a: {dns: {listen: [53]}}}",
        "hosts: {a: {dns: {disable: 1}}}",
        "{hosts: {a: {}}, routes: [{via: {a: b}, to: ['*']}]}",
        "{hosts: {a: {}}, routes: [{via: a, to: ['*'], notTo: '*'}]}",
    ] {
        let loaded = load("test.yaml", text);
        assert!(loaded.plan.is_none(), "{text}");
        assert!(
            loaded.problems.iter().all(|problem| problem.hint.is_some()),
            "{text}"
        );
    }
}

#[test]
fn the_plan_for_faces_has_what_is_written_and_what_was_filled_in() {
    let plan = plan(
        "hosts:\n  laptop: {vip: 127.0.42.100, http: {listen: '127.0.0.1:18080'}, stateDir: {disable: true}}\n  \
         office: {vip: 127.0.42.101, cmd: ssh office norouter, aliases: [hq], dns: {disable: true}, \
         ports: ['8080:127.0.0.1:80', '5432:db.internal:5432']}\n  \
         spare: {vip: 127.0.42.102, cmd: ssh spare norouter}\n\
         routes: [{to: ['10.0.0.0/8'], notTo: ['10.9.0.0/16'], via: [office, spare]}]",
    );
    let view = plan.view();
    let [laptop, office, _] = &view.hosts[..] else {
        panic!("{view:?}");
    };
    assert!(laptop.command.is_empty() && !laptop.gateway);
    assert_eq!(laptop.http.as_deref(), Some("127.0.0.1:18080"));
    assert_eq!(laptop.dns.as_deref(), Some("127.0.42.100:10053"));
    let command = ["ssh", "office", "norouter", "agent", "--automated"];
    assert_eq!(office.command, command);
    assert_eq!(
        (&office.aliases[..], &office.dns),
        (&["hq".to_owned()][..], &None)
    );
    assert!(office.gateway && office.socks.is_none());
    let publishes: Vec<_> = office
        .publishes
        .iter()
        .map(|it| (it.port, &it.target[..]))
        .collect();
    assert_eq!(
        publishes,
        [(8080, "127.0.0.1:80"), (5432, "db.internal:5432")]
    );
    let route = &view.routes[0];
    assert_eq!(
        (&route.to[0][..], &route.not_to[0][..]),
        ("10.0.0.0/8", "10.9.0.0/16")
    );
    assert_eq!(
        (&route.via[..], &route.or_via[..]),
        ("office", &["spare".to_owned()][..])
    );
}

/// Checks that a manifest that would cost too much work is refused with the message `told`, and that at most `most`
/// problems are created before that.
#[track_caller]
fn costs(text: &str, told: &str, most: usize) {
    let before = MADE.get();
    let loaded = load("costly.yaml", text);
    let made = MADE.get() - before;
    let report = loaded.report(false);
    assert!(loaded.plan.is_none() && report.contains(told), "{report}");
    assert!(made <= most, "{made} problems were made");
    assert!(loaded.problems.len() <= PROBLEMS_MAX + 1);
    let longest = report.lines().map(str::len).max();
    assert!(longest < Some(2_000), "{longest:?}");
    assert!(loaded.manifest.hosts.len() <= HOSTS_MAX);
}

fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

#[test]
fn a_network_has_so_many_hosts_and_so_many_ports() {
    let ports = |count| many(count, |i| format!("'{}:127.0.0.1:80'", i + 1));
    let network = |hosts, count| {
        let (hosts, ports) = (many(hosts, |i| format!("h{i}: {{}}")), ports(count));
        format!("{{network: 127.0.0.0/8, hostTemplate: {{ports: [{ports}]}}, hosts: {{{hosts}}}}}")
    };
    let loaded = load("large.yaml", &network(1_000, 100));
    assert_eq!(loaded.plan.unwrap().hosts.len(), 1_000);
    assert!(load("most.yaml", &network(HOSTS_MAX, 0)).plan.is_some());
    costs(
        &network(HOSTS_MAX + 1, 0),
        "this is host 1025 of the network",
        2,
    );
    costs(
        &network(1_000, 101),
        "together with those of \"h990\" the network has 100091 ports",
        2,
    );
    costs(
        &network(1_000, 10_000),
        "all hosts together may publish 100000",
        2,
    );
    costs(
        &network(30_000, 20_000),
        "this is host 1025 of the network",
        3,
    );
}

#[test]
fn a_manifest_costs_no_more_because_more_of_it_is_wrong() {
    let in_hosts = |inside: String| format!("hosts: {{a: {{{inside}}}}}");
    let more = "at least 900 more problems from here on";
    costs(
        &in_hosts(format!("ports: [{}]", many(90_000, |_| "x".into()))),
        more,
        1_100,
    );
    costs(
        &in_hosts(format!("aliases: [{}]", many(250_000, |_| "x".into()))),
        more,
        1_100,
    );
    costs(&in_hosts(many(200_000, |_| "x: y".into())), more, 1_100);
    costs(
        &in_hosts(format!("ports: [{}]", many(250_000, |_| "[]".into()))),
        more,
        1_100,
    );
    let hosts = many(1_000, |i| format!("h{i}: {{ports: [x, y]}}"));
    costs(&format!("hosts: {{{hosts}}}"), more, 1_100);
    let routes = many(20_000, |_| "{via: b, to: [x y, '!']}".into());
    costs(
        &format!("{{hosts: {{a: {{}}}}, routes: [{routes}]}}"),
        more,
        1_100,
    );
    // A manifest with unknown keys can still be run.
    let loaded = load("keys.yaml", &in_hosts(many(80_000, |i| format!("k{i}: y"))));
    assert!(loaded.plan.is_some());
    assert_eq!(loaded.problems.len(), PROBLEMS_MAX + 1);
}

#[test]
fn aliases_repeat_no_more_than_a_file_could_hold() {
    let again = many(300_000, |_| "*a".into());
    let told = "aliases repeat too much here";
    costs(
        &format!("hosts: {{a: {{aliases: [&a x,{again}]}}}}"),
        told,
        1,
    );
    let hosts = many(40_000, |i| format!("h{i}: {{cmd: *a}}"));
    costs(
        &format!("{{x-a: &a [a,b,c,d,e,f,g,h,i,j], hosts: {{{hosts}}}}}"),
        told,
        1,
    );
    let words = many(900, |i| format!("h{i}: {{cmd: *a}}"));
    let fair =
        format!("{{x-a: &a [a,b,c,d,e,f,g,h,i,j], network: 127.0.0.0/8, hosts: {{{words}}}}}");
    assert!(load("fair.yaml", &fair).plan.is_some());
}

#[test]
fn a_key_at_the_level_of_the_names_is_indented_too_little() {
    for (text, is_error) in [
        ("hosts:\n  a:\n  ports: ['1:a:1']\n", true),
        ("hosts:\n  a:\n  http: {listen: '127.0.0.1:1'}\n", false),
        ("hosts:\n  a:\n  cmd:\n", false),
    ] {
        let loaded = load("test.yaml", text);
        let report = loaded.report(false);
        assert_eq!(loaded.problems.len(), 1, "{report}");
        assert_eq!(loaded.plan.is_none(), is_error, "{report}");
        assert!(
            report.contains("is this line indented too little?"),
            "{report}"
        );
    }
    let loaded = load(
        "test.yaml",
        "hosts: {a: {}, dns: {cmd: 'ssh dns norouter'}}",
    );
    assert_eq!(loaded.report(false), "");
}

#[test]
fn a_key_by_another_name_is_guessed() {
    let report = load("test.yaml", "hosts: {a: {command: x}}").report(false);
    assert!(report.contains("did you mean \"cmd\"?"), "{report}");
}

#[test]
fn an_alias_that_is_nearly_an_anchor_is_guessed() {
    let text = "x-base: &base {ports: ['1:a:1']}\nhosts:\n  a: *bsae\n";
    let report = load("test.yaml", text).report(false);
    assert!(report.contains("did you mean *base?"), "{report}");
}
