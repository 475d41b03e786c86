//! Tests of the policy in an agent: which connections it accepts, what it connects to for each host, and which flows it
//! ends.

use super::*;
use crate::{destination::Destination, route::policy::By};

const GATEWAY: Ipv4Addr = ME;
const FRIEND: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 100);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 103);

fn rule(number: u16, from: &str, to: &str, beyond: &[&str], action: &str) -> serde_json::Value {
    let to = if to.is_empty() { vec![] } else { vec![to] };
    serde_json::json!({
        "number": number, "from": [from], "to": to, "beyond": beyond, "via": ["*"], "ports": [], "action": action,
    })
}

/// The configuration of a gateway that publishes a port, in a network of three hosts.
fn args(default: &str, rules: &[serde_json::Value]) -> serde_json::Value {
    let mut args = super::args();
    args["hostnameMap"] =
        serde_json::json!({"gate": GATEWAY, "friend": FRIEND, "stranger": STRANGER});
    args["routes"] = serde_json::json!([
        {"toCIDR": ["10.0.0.0/8"], "toHostnameGlob": ["*.internal"], "via": GATEWAY},
    ]);
    args["nameServers"] = serde_json::json!([{"ip": GATEWAY, "port": 10053, "proto": "tcp"}]);
    args["relays"] = serde_json::json!([{"ip": GATEWAY, "port": 10054, "proto": "tcp"}]);
    args["policy"] = serde_json::json!({"default": default, "rules": rules});
    args
}

fn syn(from: Ipv4Addr, to: &str) -> Vec<u8> {
    let mut table = Table::new(9, Capacity::default());
    table
        .connect(
            Instant::ZERO,
            Holder::Owner,
            crate::flow::Reach::Near,
            (from, to.parse().unwrap()),
        )
        .unwrap();
    let mut out = BytesMut::new();
    table
        .poll_packet(Instant::ZERO, crate::flow::Pick::Any, &mut out)
        .unwrap();
    out.split_off(HEADER_LEN).to_vec()
}

/// Whether the agent accepts a connection, that is, dials or serves something for it.
fn lets_in(core: &mut Core, from: Ipv4Addr, to: &str) -> bool {
    core.handle_packet(Instant::ZERO, &syn(from, to));
    let taken = !begun(core).is_empty();
    packets(core);
    taken
}

/// The dials and services that the agent asks its driver for.
fn begun(core: &mut Core) -> Vec<Output> {
    let mut outputs = outputs(core);
    outputs.retain(|output| matches!(output, Output::Dial { .. } | Output::Serve(..)));
    outputs
}

fn destination(text: &str) -> Destination {
    Destination::parse(text, None).unwrap()
}

#[test]
fn who_is_not_allowed_is_refused_at_the_door_too() {
    let rules = [
        rule(1, "127.0.42.103", "127.0.42.101", &[], "deny"),
        rule(2, "127.0.42.103", "", &["10.0.0.0/9"], "deny"),
    ];
    let mut core = settled(&args("allow", &rules));
    assert!(lets_in(&mut core, FRIEND, "127.0.42.101:80"));
    assert!(!lets_in(&mut core, STRANGER, "127.0.42.101:80"));
    assert!(lets_in(&mut core, FRIEND, "10.1.2.3:443"));
    assert!(!lets_in(&mut core, STRANGER, "10.1.2.3:443"));
    assert!(lets_in(&mut core, STRANGER, "10.200.2.3:443"));
    // The relay and the DNS server accept this host, because the policy still allows it some destinations.
    assert!(lets_in(&mut core, STRANGER, "127.0.42.101:10054"));
    assert!(lets_in(&mut core, STRANGER, "127.0.42.101:10053"));
    // This address belongs to no host.
    assert!(!lets_in(
        &mut core,
        Ipv4Addr::new(127, 0, 42, 77),
        "127.0.42.101:80"
    ));
}

#[test]
fn a_gateway_asks_the_policy_by_name_and_by_address() {
    let rules = [
        rule(1, "*", "", &["secret.internal", "10.9.0.0/16"], "deny"),
        rule(2, "127.0.42.100", "", &["*.internal"], "allow"),
    ];
    let core = settled(&args("deny", &rules));
    let denies = |from, name: &str, address: Option<[u8; 4]>| {
        core.rights()
            .denies(from, &destination(name), address.map(IpAddr::from))
    };
    assert_eq!(denies(FRIEND, "db.internal:5432", None), None);
    assert_eq!(
        denies(FRIEND, "db.internal:5432", Some([10, 1, 0, 1])),
        None
    );
    let first = Some(By::Rule(1));
    assert_eq!(
        denies(FRIEND, "db.internal:5432", Some([10, 9, 0, 1])),
        first
    );
    assert_eq!(denies(FRIEND, "secret.internal:5432", None), first);
    assert_eq!(denies(FRIEND, "10.1.0.1:22", None), Some(By::Default));
    assert_eq!(
        denies(STRANGER, "db.internal:5432", None),
        Some(By::Default)
    );

    // The gateway's DNS server looks up a name only if the policy may allow a connection to it.
    assert!(core.rights().may_ask_for_name(FRIEND, Some("db.internal")));
    assert!(
        !core
            .rights()
            .may_ask_for_name(FRIEND, Some("secret.internal"))
    );
    assert!(
        !core
            .rights()
            .may_ask_for_name(FRIEND, Some("elsewhere.example"))
    );
    assert!(
        !core
            .rights()
            .may_ask_for_name(STRANGER, Some("db.internal"))
    );
    assert!(!core.rights().may_ask_for_name(FRIEND, None));
    assert!(
        core.rights()
            .may_ask_for_name(GATEWAY, Some("elsewhere.example"))
    );
}

#[test]
fn a_right_that_is_taken_away_cuts_what_was_asked_for_by_name() {
    let allow = rule(1, "127.0.42.100", "", &["*.internal"], "allow");
    let mut core = settled(&args("deny", std::slice::from_ref(&allow)));
    core.handle_packet(Instant::ZERO, &syn(FRIEND, "127.0.42.101:10054"));
    let [Output::Serve(flow, Service::Relay)] = begun(&mut core)[..] else {
        panic!("the relay is not served");
    };
    core.handle_relayed(flow, destination("db.internal:5432"), [10, 1, 0, 1].into());
    packets(&mut core);
    assert!(!core.is_reset(flow));
    // A new rule about another name does not end this flow.
    let other = rule(1, "127.0.42.100", "", &["secret.internal"], "deny");
    let both = args("deny", &[other.clone(), allow]);
    core.handle_bytes(Instant::ZERO, &mut request(&both))
        .unwrap();
    assert!(!core.is_reset(flow));
    let rest = rule(3, "127.0.42.100", "", &["web.internal"], "allow");
    let without = args("deny", &[other, rest]);
    core.handle_bytes(Instant::ZERO, &mut request(&without))
        .unwrap();
    assert!(core.is_reset(flow));
    // The gateway connects after the policy has changed, so the flow is ended at once.
    let mut core = settled(&without);
    core.handle_packet(Instant::ZERO, &syn(FRIEND, "127.0.42.101:10054"));
    core.handle_relayed(flow, destination("db.internal:5432"), [10, 1, 0, 1].into());
    assert!(core.is_reset(flow));
}

#[test]
fn a_flow_to_a_port_that_is_denied_from_now_on_is_cut() {
    let mut core = settled(&args("allow", &[]));
    core.handle_packet(Instant::ZERO, &syn(FRIEND, "127.0.42.101:80"));
    let [Output::Dial { flow, .. }] = begun(&mut core)[..] else {
        panic!("it is not dialled");
    };
    core.handle_dialled(flow, true);
    let deny = rule(1, "127.0.42.100", "127.0.42.101", &[], "deny");
    core.handle_bytes(Instant::ZERO, &mut request(&args("allow", &[deny])))
        .unwrap();
    assert!(core.is_reset(flow));
}

#[test]
fn why_something_is_refused_is_told_by_its_rule() {
    let rules = [
        rule(4, "127.0.42.101", "127.0.42.100", &[], "deny"),
        rule(5, "127.0.42.101", "", &["db.internal"], "deny"),
    ];
    let mut args = args("allow", &rules);
    args["routes"][0]["via"] = serde_json::json!(STRANGER);
    let core = settled(&args);
    let refusal = core.rights().refusal(OTHER).unwrap();
    assert_eq!(
        refusal.reason,
        "friend:8080 is not allowed to this host by rule 4 of the policy."
    );
    let gateway = |text: &str| {
        let Path::Gateways(gateways) = core.rights().path(&destination(text)).unwrap() else {
            panic!("no gateway");
        };
        core.rights()
            .refusal_through(&gateways[0], &destination(text))
    };
    assert!(
        gateway("db.internal:1")
            .unwrap()
            .reason
            .contains("rule 5 of the policy")
    );
    assert_eq!(gateway("web.internal:1"), None);
}

#[test]
fn a_policy_that_cannot_be_understood_changes_nothing() {
    let good = rule(1, "*", "127.0.42.101", &[], "deny");
    for (field, value) in [
        ("action", serde_json::json!("reject")),
        ("from", serde_json::json!(["everybody"])),
        ("to", serde_json::json!(["127.0.0.1"])),
        ("beyond", serde_json::json!(["10.0.0.1"])),
        ("via", serde_json::Value::Null),
        ("ports", serde_json::json!([[1]])),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let mut core = Core::new(1, Capacity::default());
        core.handle_bytes(Instant::ZERO, &mut request(&args("allow", &[bad])))
            .unwrap();
        assert_eq!(core.me(), None, "{field}");
        assert!(said(&mut core)[0]["body"]["error"].is_string(), "{field}");
    }
    let mut core = Core::new(1, Capacity::default());
    core.handle_bytes(Instant::ZERO, &mut request(&args("published", &[])))
        .unwrap();
    assert_eq!(core.me(), None);
}

#[test]
fn what_a_gateway_refuses_is_told_to_the_manager_in_sum() {
    let mut args = args("deny", &[]);
    args["features"] = serde_json::json!(["policy"]);
    let mut core = settled(&args);
    for number in 0..1_000_u16 {
        let to = destination(&format!("host-{number}.internal:80"));
        core.refuse(Instant::ZERO, FRIEND, &to, None, By::Default);
    }
    let address = [10, 9, 0, 1].into();
    let told = core.refuse(
        Instant::ZERO,
        STRANGER,
        &destination("db.internal:80"),
        Some(address),
        By::Rule(2),
    );
    assert_eq!(
        told.reason,
        "db.internal:80 is 10.9.0.1 there, which is not allowed to this host by rule 2 of the policy."
    );
    assert!(said(&mut core).is_empty());
    let (due, why) = core.poll_timeout().unwrap();
    assert_eq!(
        (due, why),
        (Instant::ZERO + Duration::from_secs(1), "what was refused")
    );
    core.handle_timeout(due);
    let said = said(&mut core);
    let event = &said[0]["body"];
    assert_eq!((said.len(), event["type"].as_str()), (1, Some("refused")));
    let asks = event["data"]["refused"].as_array().unwrap();
    let times: u64 = asks.iter().map(|ask| ask["times"].as_u64().unwrap()).sum();
    assert!(asks.len() < 200 && times == 1_001, "{} {times}", asks.len());
    // If a manager has not asked for reports, it gets none.
    args["features"] = serde_json::json!([]);
    let mut core = settled(&args);
    core.refuse(
        Instant::ZERO,
        FRIEND,
        &destination("a.internal:80"),
        None,
        By::Default,
    );
    core.handle_timeout(due);
    assert_eq!(core.poll_timeout(), None);
}
