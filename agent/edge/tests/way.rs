//! Tests of the path of a proxy's client: a test gives each step an outcome, and checks the next step.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::*;
use crate::{
    destination::Destination,
    edge::way::{Asking, Checking, Finding, Opening, Resolving, Sorting, Step, Suggesting},
    limits::Permits,
    proxy::Outward,
    wire::Cause,
};

const GW: &str = "127.0.42.110";
const GW2: &str = "127.0.42.111";

/// A network with two gateways that have a relay and a DNS server each. This host is called "web", and is the gateway
/// of another route.
fn args() -> Value {
    json!({
        "me": "127.0.42.101",
        "hostnameMap": {"web": "127.0.42.101", "db": "127.0.42.102", "bastion": GW, "bastion2": GW2},
        "routes": [
            {"toCIDR": ["10.0.0.0/8", "fd00::/8"], "toHostnameGlob": ["*.internal"], "via": GW, "orVia": [GW2]},
            {"toCIDR": ["192.168.7.0/24"], "via": "127.0.42.101"},
        ],
        "nameServers": [{"ip": GW, "port": 53, "proto": "tcp"}, {"ip": GW2, "port": 53, "proto": "tcp"}],
        "relays": [{"ip": GW, "port": 54, "proto": "tcp"}, {"ip": GW2, "port": 54, "proto": "tcp"}],
    })
}

/// The same network with gateways that have no relay, like those of the Go version.
fn args_without_relays() -> Value {
    let mut args = args();
    args["relays"] = json!([]);
    args
}

/// A policy with one rule. The rule refuses these hosts or destinations to this host.
fn deny(to: &[&str], beyond: &[&str], via: &str) -> Value {
    json!({"default": "allow", "rules": [{
        "number": 1, "from": ["127.0.42.101"], "to": to, "beyond": beyond, "via": [via], "ports": [], "action": "deny",
    }]})
}

fn destination(text: &str) -> Destination {
    Destination::parse(text, Some(443)).unwrap()
}

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn first(core: &Core, text: &str) -> Step {
    Step::first(core.rights(), destination(text), false)
}

#[track_caller]
fn opens(step: Step, to: &str) -> Opening {
    let shown = format!("{step:?}");
    let Step::Open(address, opening) = step else {
        panic!("{shown}");
    };
    assert_eq!(address.to_string(), to);
    opening
}

#[track_caller]
fn asks(step: Step, gateway: &str, about: &str) -> Asking {
    let shown = format!("{step:?}");
    let Step::Ask(address, destination, asking) = step else {
        panic!("{shown}");
    };
    assert_eq!(address.to_string(), format!("{gateway}:54"));
    assert_eq!(destination.to_string(), about);
    asking
}

#[track_caller]
fn finds(step: Step, gateway: &str, about: &str) -> Finding {
    let shown = format!("{step:?}");
    let Step::Find(address, name, finding) = step else {
        panic!("{shown}");
    };
    assert_eq!(address.to_string(), format!("{gateway}:53"));
    assert_eq!(name, about);
    finding
}

#[track_caller]
fn suggests(step: Step, behind: &str, suggested: &[Ipv4Addr]) -> Suggesting {
    let shown = format!("{step:?}");
    let Step::Suggest(gateway, addresses, suggesting) = step else {
        panic!("{shown}");
    };
    assert_eq!(gateway.to_string(), behind);
    assert_eq!(addresses, suggested);
    suggesting
}

#[track_caller]
fn checks(step: Step, gateway: &str) -> Checking {
    let shown = format!("{step:?}");
    let Step::Check(address, checking) = step else {
        panic!("{shown}");
    };
    assert_eq!(address.to_string(), format!("{gateway}:53"));
    checking
}

#[track_caller]
fn resolves(step: Step) -> Resolving {
    let shown = format!("{step:?}");
    let Step::Resolve(resolving) = step else {
        panic!("{shown}");
    };
    resolving
}

#[track_caller]
fn sorts(step: Step, doubtful: &[&str]) -> Sorting {
    let shown = format!("{step:?}");
    let Step::Sort(named, sorting) = step else {
        panic!("{shown}");
    };
    assert_eq!(named, addresses(doubtful));
    sorting
}

#[track_caller]
fn dials(step: &Step, to: &[&str]) {
    let Step::Dial(dialled) = step else {
        panic!("{step:?}");
    };
    assert_eq!(*dialled, addresses(to));
}

/// Asserts that the next step is to ask the person's own proxy.
#[track_caller]
fn goes_out(step: &Step) {
    let Step::GoOut(proxy) = step else {
        panic!("{step:?}");
    };
    assert_eq!(proxy.to_string(), "proxy.corp:3128");
}

/// The network, and a person who has set a proxy in the environment.
fn with_own_proxy(args: &Value) -> Core {
    let mut core = settled(args);
    let (outward, ignored) = Outward::read(|name| match name {
        "https_proxy" => Some("http://ann:secret@proxy.corp:3128".to_owned()),
        "no_proxy" => Some("exempt.org".to_owned()),
        _ => None,
    });
    assert!(ignored.is_empty());
    core.go_out_through(outward);
    core
}

#[track_caller]
fn gives_up(step: &Step, cause: Cause, reason: &str) {
    let Step::GiveUp(failure) = step else {
        panic!("{step:?}");
    };
    assert_eq!((failure.cause, failure.reason.as_str()), (cause, reason));
}

#[test]
fn a_host_of_the_network_is_connected_to_and_its_failure_is_worded_by_its_cause() {
    const MORE: &str = "Where the network runs, this says more: norouter why db:5432 --from web";
    let mut args = args();
    args["others"] = json!([{"ip": "127.0.42.102", "port": 80, "proto": "tcp"}]);
    let mut core = settled(&args);
    let fails = |core: &Core, cause, what| {
        let opening = opens(first(core, "db:5432"), "127.0.42.102:5432");
        opening.handle_failed(core.rights(), cause, what)
    };
    gives_up(
        &fails(&core, Cause::Refused, "connection refused"),
        Cause::Refused,
        &format!(
            "db:5432 (127.0.42.102:5432) does not accept connections: db does not publish 5432, but 80. {MORE}"
        ),
    );
    gives_up(
        &fails(&core, Cause::TimedOut, "deadline has elapsed"),
        Cause::TimedOut,
        &format!("db:5432 (127.0.42.102:5432) cannot be reached: deadline has elapsed. {MORE}"),
    );
    args["others"][0]["port"] = json!(5432);
    core = settled(&args);
    gives_up(
        &fails(&core, Cause::Refused, "connection refused"),
        Cause::Refused,
        &format!(
            "db:5432 (127.0.42.102:5432) does not accept connections: db cannot connect to its service. {MORE}"
        ),
    );
    core.handle_lost(Lost {
        hosts: vec!["127.0.42.102".parse().unwrap()],
        ..Lost::default()
    });
    gives_up(
        &fails(&core, Cause::Refused, "connection refused"),
        Cause::HostDown,
        &format!("db:5432 (127.0.42.102:5432) cannot be reached: db is not up. {MORE}"),
    );
}

#[test]
fn what_the_policy_refuses_is_tried_and_then_told_by_its_rule() {
    let mut args = args();
    args["policy"] = deny(&["127.0.42.102"], &[], "*");
    let core = settled(&args);
    let opening = opens(first(&core, "db:5432"), "127.0.42.102:5432");
    gives_up(
        &opening.handle_failed(core.rights(), Cause::Refused, ""),
        Cause::NotAllowed,
        "db:5432 is not allowed to this host by rule 1 of the policy.",
    );
}

#[test]
fn the_rights_that_count_are_those_at_the_time_of_the_outcome() {
    let mut later = args();
    later["policy"] = deny(&["127.0.42.102"], &[], "*");
    let opening = opens(first(&settled(&args()), "db:5432"), "127.0.42.102:5432");
    gives_up(
        &opening.handle_failed(settled(&later).rights(), Cause::Refused, ""),
        Cause::NotAllowed,
        "db:5432 is not allowed to this host by rule 1 of the policy.",
    );
}

#[test]
fn a_name_of_the_network_that_no_host_has_is_given_up_at_once() {
    gives_up(
        &first(&settled(&args()), "nobody.norouter"),
        Cause::NameNotFound,
        "No host of the network is called nobody.norouter.",
    );
}

#[test]
fn the_first_gateway_whose_relay_accepts_gives_the_final_answer() {
    let core = settled(&args());
    let asking = asks(first(&core, "mail.internal:25"), GW, "mail.internal:25");
    let failure = Failure {
        cause: Cause::NameNotFound,
        reason: "The name mail.internal cannot be resolved: no.".to_owned(),
    };
    gives_up(
        &asking.handle_refused(core.rights(), &failure),
        Cause::NameNotFound,
        "Through bastion: The name mail.internal cannot be resolved: no.",
    );
}

#[test]
fn the_next_gateway_is_asked_if_a_relay_does_not_accept() {
    let core = settled(&args());
    let asking = asks(first(&core, "10.0.0.5"), GW, "10.0.0.5:443");
    let asking = asks(asking.handle_closed(core.rights()), GW2, "10.0.0.5:443");
    let failure = Failure {
        cause: Cause::Refused,
        reason: "It refused.".to_owned(),
    };
    gives_up(
        &asking.handle_refused(core.rights(), &failure),
        Cause::Refused,
        "Through bastion2: It refused.",
    );
}

#[test]
fn a_gateway_without_a_relay_is_not_asked() {
    let mut args = args();
    args["relays"] = json!([{"ip": GW2, "port": 54, "proto": "tcp"}]);
    let core = settled(&args);
    let asking = asks(first(&core, "10.0.0.5"), GW2, "10.0.0.5:443");
    opens(asking.handle_closed(core.rights()), "10.0.0.5:443");
}

#[test]
fn a_gateway_that_the_policy_refuses_is_left_out_if_another_is_allowed() {
    let mut args = args();
    args["policy"] = deny(&[], &["10.0.0.0/8"], GW);
    let core = settled(&args);
    let rights = core.rights();
    let asking = asks(first(&core, "10.0.0.5"), GW2, "10.0.0.5:443");
    // If the other gateway cannot connect, the failure says that the policy does not allow the first one.
    let opening = opens(asking.handle_closed(rights), "10.0.0.5:443");
    gives_up(
        &opening.handle_failed(rights, Cause::TimedOut, ""),
        Cause::NotAllowed,
        "10.0.0.5:443 is not allowed to this host by rule 1 of the policy.",
    );
}

#[test]
fn if_the_policy_refuses_every_gateway_the_first_is_asked_and_reports_it() {
    let mut args = args();
    args["policy"] = deny(&[], &["10.0.0.0/8", "fd00::/8"], "*");
    let core = settled(&args);
    let rights = core.rights();
    let asking = asks(first(&core, "10.0.0.5"), GW, "10.0.0.5:443");
    let failure = Failure {
        cause: Cause::NotAllowed,
        reason: "Not you.".to_owned(),
    };
    gives_up(
        &asking.handle_refused(rights, &failure),
        Cause::NotAllowed,
        "Through bastion: Not you.",
    );
    // If no gateway answers, this host itself reports the refusal.
    let asking = asks(first(&core, "[fd00::5]:443"), GW, "[fd00::5]:443");
    let asking = asks(asking.handle_closed(rights), GW2, "[fd00::5]:443");
    gives_up(
        &asking.handle_closed(rights),
        Cause::NotAllowed,
        "[fd00::5]:443 is not allowed to this host by rule 1 of the policy.",
    );
}

#[test]
fn without_a_relay_an_address_is_connected_to_by_packets() {
    let core = settled(&args_without_relays());
    let opening = opens(first(&core, "10.0.0.5"), "10.0.0.5:443");
    gives_up(
        &opening.handle_failed(core.rights(), Cause::TimedOut, "deadline has elapsed"),
        Cause::TimedOut,
        "10.0.0.5:443, which is reached through bastion or bastion2, did not accept the connection, or bastion or \
         bastion2 is not up.",
    );
}

#[test]
fn without_a_relay_no_ipv6_address_is_reached() {
    gives_up(
        &first(&settled(&args_without_relays()), "[fd00::5]:443"),
        Cause::HostDown,
        "[fd00::5]:443 is reached through bastion or bastion2, which is not up, or whose agent knows IPv4 only.",
    );
}

#[test]
fn without_a_relay_a_name_is_looked_up_by_the_first_dns_server_that_answers() {
    let core = settled(&args_without_relays());
    let rights = core.rights();
    let finding = finds(first(&core, "mail.internal:25"), GW, "mail.internal");
    let finding = finds(finding.handle_found(rights, None), GW2, "mail.internal");
    let found = [Ipv4Addr::new(10, 0, 0, 5), Ipv4Addr::new(10, 0, 0, 6)];
    // The manager has to learn which gateway leads to the addresses before it receives packets to them.
    let step = finding.handle_found(rights, Some(found.to_vec()));
    let suggesting = suggests(step, GW2, &found);
    let opening = opens(suggesting.handle_suggested(rights), "10.0.0.5:25");
    let step = opening.handle_failed(rights, Cause::Refused, "connection refused");
    let opening = opens(step, "10.0.0.6:25");
    gives_up(
        &opening.handle_failed(rights, Cause::Unreachable, ""),
        Cause::Unreachable,
        "mail.internal:25, which is reached through bastion or bastion2, did not accept the connection, or bastion or \
         bastion2 is not up.",
    );
}

#[test]
fn a_dns_server_that_knows_no_address_gives_the_final_answer() {
    let core = settled(&args_without_relays());
    let finding = finds(first(&core, "mail.internal:25"), GW, "mail.internal");
    gives_up(
        &finding.handle_found(core.rights(), Some(Vec::new())),
        Cause::NameNotFound,
        "The DNS server of bastion knows no IPv4 address of mail.internal.",
    );
}

#[test]
fn a_name_that_no_dns_server_is_asked_for_is_behind_gateways_that_are_down() {
    let reason = "mail.internal:25 is reached through bastion or bastion2, which is not up.";
    let core = settled(&args_without_relays());
    let rights = core.rights();
    let finding = finds(first(&core, "mail.internal:25"), GW, "mail.internal");
    let finding = finds(finding.handle_found(rights, None), GW2, "mail.internal");
    let step = finding.handle_found(rights, None);
    gives_up(&step, Cause::HostDown, reason);
    let mut args = args_without_relays();
    args["nameServers"] = json!([]);
    let step = first(&settled(&args), "mail.internal:25");
    gives_up(&step, Cause::HostDown, reason);
}

#[test]
fn a_refusal_behind_gateways_is_one_of_them_being_down_if_no_dns_server_accepts() {
    let core = settled(&args_without_relays());
    let rights = core.rights();
    let refused = || {
        let opening = opens(first(&core, "10.0.0.5"), "10.0.0.5:443");
        opening.handle_failed(rights, Cause::Refused, "connection refused")
    };
    let checking = checks(refused(), GW);
    let checking = checks(checking.handle_checked(rights, false), GW2);
    gives_up(
        &checking.handle_checked(rights, false),
        Cause::HostDown,
        "10.0.0.5:443 is reached through bastion or bastion2, which is not up.",
    );
    let did_not_accept = "10.0.0.5:443, which is reached through bastion or bastion2, did not accept the connection, \
                          or bastion or bastion2 is not up.";
    let checking = checks(refused(), GW);
    let step = checking.handle_checked(rights, true);
    gives_up(&step, Cause::Refused, did_not_accept);
    let checking = checks(checks(refused(), GW).handle_checked(rights, false), GW2);
    let step = checking.handle_checked(rights, true);
    gives_up(&step, Cause::Refused, did_not_accept);
}

#[test]
fn nothing_is_said_about_gateways_if_one_has_no_dns_server() {
    let mut args = args_without_relays();
    args["nameServers"] = json!([{"ip": GW, "port": 53, "proto": "tcp"}]);
    let core = settled(&args);
    let opening = opens(first(&core, "10.0.0.5"), "10.0.0.5:443");
    gives_up(
        &opening.handle_failed(core.rights(), Cause::Refused, "connection refused"),
        Cause::Refused,
        "10.0.0.5:443, which is reached through bastion or bastion2, did not accept the connection, or bastion or \
         bastion2 is not up.",
    );
}

#[test]
fn what_is_outside_the_network_is_dialled_at_all_its_addresses_in_order() {
    let core = settled(&args());
    let found = [
        "[2001:db8::1]:443",
        "192.0.2.1:443",
        "127.0.0.1:443",
        "192.168.7.1:443",
    ];
    let resolving = resolves(first(&core, "www.example"));
    let step = resolving.handle_resolved(core.rights(), addresses(&found));
    dials(&step, &found);
}

#[test]
fn before_the_configuration_everything_is_outside_the_network() {
    let core = Core::new(1, Capacity::default());
    let resolving = resolves(first(&core, "db:443"));
    let found = ["10.0.0.5:443"];
    let step = resolving.handle_resolved(core.rights(), addresses(&found));
    dials(&step, &found);
}

#[test]
fn a_name_that_resolves_to_a_host_of_the_network_leads_there() {
    let core = settled(&args());
    let resolving = resolves(first(&core, "alias.example"));
    let found = addresses(&["192.0.2.1:443", "127.0.42.102:443", "10.0.0.5:443"]);
    let step = resolving.handle_resolved(core.rights(), found);
    let opening = opens(step, "127.0.42.102:443");
    gives_up(
        &opening.handle_failed(core.rights(), Cause::TimedOut, "deadline has elapsed"),
        Cause::TimedOut,
        "alias.example:443 (127.0.42.102:443) cannot be reached: deadline has elapsed. Where the network runs, this says \
         more: norouter why db:443 --from web",
    );
}

#[test]
fn a_name_that_resolves_to_an_address_of_a_route_leads_through_its_gateways() {
    let core = settled(&args());
    let resolving = resolves(first(&core, "alias.example"));
    let found = addresses(&["10.0.0.5:443", "127.0.42.102:443"]);
    let step = resolving.handle_resolved(core.rights(), found);
    asks(step, GW, "10.0.0.5:443");
}

#[test]
fn a_client_on_another_machine_reaches_this_ones_own_addresses_only_where_a_route_means_them() {
    let core = settled(&args());
    let rights = core.rights();
    let found = [
        "127.0.0.1:443",
        "169.254.169.254:443",
        "192.0.2.7:443",
        "192.168.7.1:443",
        "192.0.2.8:443",
        "[::1]:443",
    ];
    let resolving = resolves(Step::first(rights, destination("www.example"), true));
    let step = resolving.handle_resolved(rights, addresses(&found));
    let sorting = sorts(step, &["192.0.2.7:443", "192.0.2.8:443"]);
    let step = sorting.handle_sorted(rights, &addresses(&["192.0.2.7:443"]));
    dials(&step, &["192.168.7.1:443", "192.0.2.8:443"]);
}

#[test]
fn a_client_on_another_machine_is_told_if_only_own_addresses_are_left() {
    let core = settled(&args());
    let rights = core.rights();
    for (found, doubtful) in [
        (&["127.0.0.1:443", "[::1]:443"][..], &[][..]),
        (&["127.0.0.1:443", "192.0.2.7:443"], &["192.0.2.7:443"]),
    ] {
        let resolving = resolves(Step::first(rights, destination("localhost"), true));
        let step = resolving.handle_resolved(rights, addresses(found));
        let sorting = sorts(step, doubtful);
        gives_up(
            &sorting.handle_sorted(rights, &addresses(doubtful)),
            Cause::NotAllowed,
            "localhost:443 is an address of the proxy's own machine, which only its own programs reach.",
        );
    }
}

#[test]
fn of_several_addresses_those_are_dialled_that_the_machine_permits() {
    let mut limits = Limits::default();
    let permits = Permits::from_words("the option --restrict", ["dial=192.0.2.0/24"]);
    limits.add(permits.unwrap());
    let core = Core::limited(1, Capacity::default(), Ok(limits));
    let rights = core.rights();
    let found = addresses(&["10.0.0.1:443", "192.0.2.1:443"]);
    let step = resolves(first(&core, "www.example")).handle_resolved(rights, found);
    dials(&step, &["192.0.2.1:443"]);
    // If the limits permit none of the addresses, the refusal of the first one is reported.
    let found = addresses(&["10.0.0.1:443", "10.0.0.2:443"]);
    let step = resolves(first(&core, "www.example")).handle_resolved(rights, found);
    let Step::NotPermitted(failure) = &step else {
        panic!("{step:?}");
    };
    let refusal = rights.may_connect(&destination("www.example"), [10, 0, 0, 1].into());
    assert_eq!(failure.cause, Cause::Limited);
    assert_eq!(refusal.as_ref(), Err(failure));
}

#[test]
fn the_persons_own_proxy_leads_to_what_is_neither_in_the_network_nor_routed_nor_exempt() {
    let mut args = args();
    args["routes"] = json!([{"toHostnameGlob": ["*.internal"], "via": GW}]);
    let core = with_own_proxy(&args);
    for text in ["example.org:443", "192.0.2.7:22"] {
        goes_out(&first(&core, text));
    }
    opens(first(&core, "db:5432"), "127.0.42.102:5432");
    asks(first(&core, "mail.internal:25"), GW, "mail.internal:25");
    for text in ["exempt.org:443", "localhost:80", "127.0.0.1:80"] {
        resolves(first(&core, text));
    }
}

#[test]
fn where_addresses_are_routed_a_name_is_looked_up_before_the_persons_own_proxy_is_asked() {
    let core = with_own_proxy(&args());
    let rights = core.rights();
    let begin = || resolves(first(&core, "example.org:443"));
    let failure = Failure {
        cause: Cause::NameNotFound,
        reason: "The name example.org cannot be resolved: no.".to_owned(),
    };
    goes_out(&begin().handle_unresolved(rights, failure.clone()));
    goes_out(&begin().handle_resolved(rights, addresses(&["192.0.2.7:443"])));
    let routed = begin().handle_resolved(rights, addresses(&["10.0.0.5:443"]));
    asks(routed, GW, "10.0.0.5:443");
    let here = begin().handle_resolved(rights, addresses(&["127.0.0.1:443"]));
    dials(&here, &["127.0.0.1:443"]);
    // This host is itself the gateway of that route, so it connects directly.
    resolves(first(&core, "192.168.7.1:443"));
    let alone = settled(&args());
    let step = resolves(first(&alone, "example.org:443"));
    gives_up(
        &step.handle_unresolved(alone.rights(), failure),
        Cause::NameNotFound,
        "example.org is not a host of this network, no route leads there, and web cannot resolve it: no.",
    );
    let failure = Failure {
        cause: Cause::NameNotFound,
        reason: "The name bd cannot be resolved: no.".to_owned(),
    };
    gives_up(
        &resolves(first(&alone, "bd:443")).handle_unresolved(alone.rights(), failure),
        Cause::NameNotFound,
        "bd is not a host of this network (did you mean db?), no route leads there, and web cannot resolve it: no.",
    );
}

#[test]
fn a_proxy_of_this_host_is_not_asked_by_itself() {
    let mut args = args();
    args["routes"] = json!([]);
    args["http"] = json!({"listen": "127.0.0.1:18080"});
    let mut core = settled(&args);
    let (outward, _) =
        Outward::read(|name| (name == "all_proxy").then(|| "http://localhost:18080".to_owned()));
    core.go_out_through(outward);
    resolves(first(&core, "example.org:443"));
    let pac = core.rights().pac("127.0.0.1:18080".parse().unwrap());
    assert!(
        !pac.unwrap().contains("127\\."),
        "everything else is direct"
    );
}

#[test]
fn a_client_on_another_machine_does_not_use_the_persons_own_proxy() {
    let mut args = args();
    args["routes"] = json!([]);
    let core = with_own_proxy(&args);
    let example = Destination::parse("example.org:443", None).unwrap();
    goes_out(&Step::first(core.rights(), example.clone(), false));
    let resolving = |core: &Core| {
        let step = Step::first(core.rights(), example.clone(), true);
        let Step::Resolve(resolving) = step else {
            panic!("{step:?}");
        };
        resolving
    };
    let unknown = Failure {
        cause: Cause::NameNotFound,
        reason: "no".to_owned(),
    };
    let step = resolving(&core).handle_unresolved(core.rights(), unknown);
    gives_up(
        &step,
        Cause::NameNotFound,
        "example.org is not a host of this network, no route leads there, and web cannot resolve it: no",
    );
    let found = vec!["192.0.2.1:443".parse().unwrap()];
    let step = resolving(&core).handle_resolved(core.rights(), found);
    assert!(matches!(step, Step::Sort(..)), "{step:?}");
}

#[test]
fn browsers_are_led_to_everything_else_through_the_proxy_if_that_asks_the_persons_own() {
    let pac = with_own_proxy(&args())
        .rights()
        .pac("127.0.0.1:18080".parse().unwrap());
    let everything = r"if (!/^127\./.test(host) && !/^\[?::1\]?$/.test(host)) return proxy;";
    assert!(pac.as_ref().unwrap().contains(everything), "{pac:?}");
}
