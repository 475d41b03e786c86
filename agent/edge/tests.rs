//! Tests of an agent's state machine without a driver: a test gives it the inputs by hand, and looks at its outputs.

mod gateway;
mod limited;
mod listeners;
mod marks;
mod pages;
mod path;
mod policy;
mod probe;
mod way;

use std::time::Duration;

use super::{listeners::LISTEN_RETRY, *};
use crate::VERSION;

const ME: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);
const OTHER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 42, 100), 8080);

fn args() -> serde_json::Value {
    serde_json::json!({
        "me": "127.0.42.101",
        "forwards": [{"listen_port": 80, "connect_ip": "web.internal", "connect_port": 8000, "proto": "tcp"}],
        "others": [{"ip": "127.0.42.100", "port": 8080, "proto": "tcp"}],
        "features": ["problems"],
    })
}

fn request(args: &serde_json::Value) -> BytesMut {
    let json =
        serde_json::json!({"type": "request", "body": {"id": 1, "op": "configure", "args": args}});
    let mut out = BytesMut::new();
    frame::put_control(&mut out, json.to_string().as_bytes());
    out
}

fn configured(args: &serde_json::Value) -> Core {
    let mut core = Core::new(1, Capacity::default());
    core.handle_bytes(Instant::ZERO, &mut request(args))
        .unwrap();
    core
}

/// An agent that was configured, and whose outputs and messages so far were taken.
fn settled(args: &serde_json::Value) -> Core {
    let mut core = configured(args);
    outputs(&mut core);
    said(&mut core);
    core
}

/// The listener for connections from programs on this host to an address of the network.
fn network(address: SocketAddrV4) -> Listener {
    Listener {
        purpose: Purpose::Network,
        address: address.into(),
    }
}

fn outputs(core: &mut Core) -> Vec<Output> {
    std::iter::from_fn(|| core.poll_output()).collect()
}

/// The control messages that the agent sends to its manager.
fn said(core: &mut Core) -> Vec<serde_json::Value> {
    let mut out = BytesMut::new();
    core.poll_frames(Instant::ZERO, &mut out, usize::MAX);
    let mut decoder = Decoder::new(wire::CONTROL_MAX_FROM_AGENT);
    let items = std::iter::from_fn(|| decoder.poll(&mut out).unwrap());
    items
        .filter_map(|item| match item {
            Item::Control(json) => Some(serde_json::from_slice(&json).unwrap()),
            Item::Packet(_) | Item::Damaged | Item::Unknown(_) => None,
        })
        .collect()
}

/// The packets that the agent sends to its manager.
fn packets(core: &mut Core) -> Vec<Vec<u8>> {
    let mut out = BytesMut::new();
    core.poll_frames(Instant::ZERO, &mut out, usize::MAX);
    let mut decoder = Decoder::new(wire::CONTROL_MAX_FROM_AGENT);
    let items = std::iter::from_fn(|| decoder.poll(&mut out).unwrap());
    items
        .filter_map(|item| match item {
            Item::Packet(frame) => Some(frame.payload().to_vec()),
            Item::Control(_) | Item::Damaged | Item::Unknown(_) => None,
        })
        .collect()
}

/// A SYN from another host to this address.
fn syn_to(destination: SocketAddrV4) -> Vec<u8> {
    let mut table = Table::new(9, Capacity::default());
    table
        .connect(
            Instant::ZERO,
            Holder::Owner,
            crate::flow::Reach::Near,
            (*OTHER.ip(), destination),
        )
        .unwrap();
    let mut out = BytesMut::new();
    table
        .poll_packet(Instant::ZERO, crate::flow::Pick::Any, &mut out)
        .unwrap();
    out[HEADER_LEN..].to_vec()
}

#[test]
fn it_answers_a_configuration_and_listens_for_everybody() {
    let mut core = configured(&args());
    let own = SocketAddrV4::new(ME, 80);
    assert_eq!(
        outputs(&mut core),
        [Output::Listen(network(OTHER)), Output::Listen(network(own))]
    );
    let said = said(&mut core);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["body"]["request_id"], 1);
    assert_eq!(said[0]["body"].get("error"), None);
    assert_eq!(said[0]["body"]["data"]["version"], VERSION);
}

#[test]
fn without_loopback_it_listens_nowhere() {
    let mut args = args();
    args["loopback"] = serde_json::json!({"disable": true});
    let outputs = outputs(&mut configured(&args));
    assert_eq!(outputs, [Output::Write(Box::default())]);
}

#[test]
fn a_bad_request_is_answered_with_the_reason() {
    for (change, words) in [
        (
            serde_json::json!({"me": "10.0.0.1"}),
            "not inside 127.0.0.0/8",
        ),
        (serde_json::json!({"me": 7}), "invalid type"),
        (serde_json::json!({}), "missing field `me`"),
    ] {
        let mut core = configured(&change);
        let answer = said(&mut core)[0]["body"]["error"].to_string();
        assert!(answer.contains(words), "{answer}");
    }
}

#[test]
fn a_connection_to_a_published_port_is_dialled_before_it_is_answered() {
    let mut core = configured(&args());
    outputs(&mut core);
    said(&mut core);
    core.handle_packet(Instant::ZERO, &syn_to(SocketAddrV4::new(ME, 80)));
    let dials = outputs(&mut core);
    let [
        Output::Dial { flow, host, port },
        Output::Wake(_) | Output::EndPredecessor(..) | Output::Silent,
    ] = &dials[..]
    else {
        panic!("{dials:?}");
    };
    assert_eq!((host.as_str(), *port), ("web.internal", 8000));
    assert!(packets(&mut core).is_empty(), "nothing is promised yet");
    core.handle_dialled(*flow, false);
    let answer = packets(&mut core);
    assert!(Packet::parse(&answer[0]).unwrap().segment().flags.rst);
    assert_eq!(core.flow_count(), 0);
}

#[test]
fn what_is_not_published_is_refused_at_once() {
    let mut core = configured(&args());
    outputs(&mut core);
    said(&mut core);
    for destination in ["127.0.42.101:81", "127.0.42.200:80"] {
        core.handle_packet(Instant::ZERO, &syn_to(destination.parse().unwrap()));
        assert_eq!(outputs(&mut core), []);
        let answer = packets(&mut core);
        assert!(Packet::parse(&answer[0]).unwrap().segment().flags.rst);
    }
}

/// Has one host connect to an address again and again; returns how many dials are begun.
fn dials_for_one_host(core: &mut Core, remote: SocketAddrV4) -> usize {
    outputs(core);
    let mut clients = Table::new(5, Capacity::default());
    let mut out = BytesMut::new();
    for _ in 0..=arrivals::DIALS_MAX {
        clients
            .connect(
                Instant::ZERO,
                Holder::Owner,
                crate::flow::Reach::Near,
                (*OTHER.ip(), remote),
            )
            .unwrap();
        clients
            .poll_packet(Instant::ZERO, crate::flow::Pick::Any, &mut out)
            .unwrap();
        core.handle_packet(Instant::ZERO, &out.split()[HEADER_LEN..]);
    }
    let outputs = outputs(core).into_iter();
    outputs
        .filter(|output| matches!(output, Output::Dial { .. }))
        .count()
}

#[test]
fn one_host_does_not_take_all_dials() {
    let mut core = configured(&args());
    let dials = dials_for_one_host(&mut core, SocketAddrV4::new(ME, 80));
    assert_eq!(dials, arrivals::DIALS_MAX / 2);
}

#[test]
fn a_port_that_cannot_be_had_is_reported_and_tried_again() {
    let mut core = configured(&args());
    outputs(&mut core);
    said(&mut core);
    let other = network(OTHER);
    core.handle_listening(Instant::ZERO, other, Err("in use".to_owned().into()));
    core.handle_listening(Instant::ZERO, network(SocketAddrV4::new(ME, 80)), Ok(()));
    outputs(&mut core);
    let report = said(&mut core);
    assert_eq!(report[0]["body"]["type"], "problems");
    assert_eq!(
        report[0]["body"]["data"]["problems"][0]["what"],
        "listen on 127.0.42.100:8080"
    );

    let (retry_at, why) = core.poll_timeout().unwrap();
    assert_eq!(
        (retry_at - Instant::ZERO, why),
        (LISTEN_RETRY, "a listener's next try")
    );
    core.handle_timeout(retry_at);
    assert_eq!(outputs(&mut core), [Output::Listen(other)]);
    core.handle_listening(retry_at, other, Err("in use".to_owned().into()));
    assert!(said(&mut core).is_empty(), "the same problem is not news");
    core.handle_listening(retry_at, other, Ok(()));
    let report = said(&mut core);
    assert_eq!(report[0]["body"]["data"]["problems"], serde_json::json!([]));
}

#[test]
fn a_manager_that_does_not_ask_hears_no_reports() {
    let mut args = args();
    args["features"] = serde_json::Value::Null;
    let mut core = configured(&args);
    said(&mut core);
    core.handle_listening(
        Instant::ZERO,
        network(OTHER),
        Err("in use".to_owned().into()),
    );
    assert!(said(&mut core).is_empty());
}

#[test]
fn a_hosts_own_port_is_reached_without_the_manager() {
    let mut core = configured(&args());
    outputs(&mut core);
    said(&mut core);
    let own = SocketAddrV4::new(ME, 80);
    let client = core.connect(Instant::ZERO, Holder::Owner, own).unwrap();
    assert!(packets(&mut core).is_empty(), "nothing crosses the wire");
    let dial = outputs(&mut core)
        .into_iter()
        .find_map(|output| match output {
            Output::Dial { flow, .. } => Some(flow),
            Output::Listen(_)
            | Output::Wake(_)
            | Output::EndPredecessor(..)
            | Output::Silent
            | Output::Probe(..)
            | Output::OpenPorts(_)
            | Output::Write(_)
            | Output::Hold(_)
            | Output::Close(_)
            | Output::Serve(..) => None,
        });
    core.handle_dialled(dial.unwrap(), true);
    assert!(packets(&mut core).is_empty());
    assert!(core.is_established(client));
}

#[test]
fn strange_packets_and_messages_do_nothing() {
    let mut core = configured(&args());
    outputs(&mut core);
    said(&mut core);
    core.handle_packet(Instant::ZERO, b"short");
    core.handle_control(Instant::ZERO, b"{}");
    core.handle_control(Instant::ZERO, br#"{"type":"event","body":{"type":"x"}}"#);
    assert_eq!(outputs(&mut core), []);
    assert!(!core.wants_wire());
}

/// The second in which an agent reports that its manager is gone, if the manager announces `features` and sends a ping
/// every second until `last`; `None` if the agent does not report it.
fn silent_at(features: &[&str], last: u64) -> Option<u64> {
    let mut args = args();
    args["features"] = serde_json::json!(features);
    let mut core = settled(&args);
    (1..100).find(|second| {
        let now = Instant::ZERO + Duration::from_secs(*second);
        if *second <= last {
            let mut ping = BytesMut::new();
            frame::put_control(&mut ping, &Message::ping(*second).to_json());
            core.handle_bytes(now, &mut ping).unwrap();
            let said = said(&mut core);
            assert_eq!(said[0]["body"]["request_id"], *second);
            assert!(said[0]["body"].get("error").is_none());
        }
        core.handle_timeout(now);
        outputs(&mut core).contains(&Output::Silent)
    })
}

#[test]
fn a_manager_that_promised_to_speak_and_is_silent_is_gone() {
    let gone = silent_at(&["heartbeat"], 50).unwrap();
    assert!((59..=60).contains(&gone), "{gone}");
    assert_eq!(silent_at(&["problems"], 50), None);
}

#[test]
fn another_configuration_adds_and_removes_and_leaves_the_rest_alone() {
    let mut core = settled(&args());
    let own = SocketAddrV4::new(ME, 80);
    core.handle_packet(Instant::ZERO, &syn_to(own));
    let dial = outputs(&mut core);
    let [Output::Dial { flow, .. }, ..] = dial[..] else {
        panic!("{dial:?}");
    };
    core.handle_dialled(flow, true);
    outputs(&mut core);
    let mut more = args();
    more["others"] = serde_json::json!([
        {"ip": "127.0.42.100", "port": 8081, "proto": "tcp"},
    ]);
    core.handle_bytes(Instant::ZERO, &mut request(&more))
        .unwrap();
    let other = SocketAddrV4::new(*OTHER.ip(), 8081);
    assert_eq!(
        outputs(&mut core),
        [
            Output::Close(network(OTHER)),
            Output::Listen(network(other))
        ]
    );
    assert!(!core.is_reset(flow), "its port is still there");
    let mut less = more;
    less["forwards"] = serde_json::json!([]);
    core.handle_bytes(Instant::ZERO, &mut request(&less))
        .unwrap();
    assert!(core.is_reset(flow), "its port is gone");
    assert!(outputs(&mut core).contains(&Output::Close(network(own))));
}

#[test]
fn a_configuration_that_cannot_be_changes_nothing() {
    let mut core = settled(&args());
    for (key, value) in [
        ("me", serde_json::json!("127.0.42.7")),
        ("http", serde_json::json!({"listen": "?"})),
    ] {
        let mut bad = args();
        bad[key] = value;
        core.handle_bytes(Instant::ZERO, &mut request(&bad))
            .unwrap();
        assert!(outputs(&mut core).is_empty());
        assert!(said(&mut core)[0]["body"]["error"].is_string());
        assert_eq!(core.me().unwrap().address(), ME);
    }
}

#[test]
fn an_agent_seals_what_it_writes_to_a_manager_that_takes_sums_and_says_what_it_was_told() {
    for (features, is_sealed) in [
        (serde_json::json!(["problems"]), false),
        (serde_json::json!(["sums"]), true),
    ] {
        let mut args = args();
        args["features"] = features;
        let mut asked = request(&args);
        let sum = wire::sum::of_control(&asked[HEADER_LEN..]);
        let mut core = Core::new(1, Capacity::default());
        core.handle_bytes(Instant::ZERO, &mut asked).unwrap();
        let mut out = BytesMut::new();
        core.poll_frames(Instant::ZERO, &mut out, usize::MAX);
        assert_eq!(out[6..8] != [0, 0], is_sealed);
        let item = Decoder::with_banner(1 << 20).poll(&mut out).unwrap();
        let Some(Item::Control(json)) = item else {
            panic!("{item:?}");
        };
        let answer: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(answer["body"]["data"]["sum"], sum);
    }
}
