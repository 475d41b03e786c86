//! Tests of what an agent finds when its manager sends it a probe.

use crate::wire::open_ports::OpenPorts;
use serde_json::{Value, json};

use super::*;
use crate::wire::{Cause, probe::Found};

/// Sends the agent a probe in a request with the number 7.
fn probe(core: &mut Core, args: &Value) {
    let json = json!({"type": "request", "body": {"id": 7, "op": "probe", "args": args}});
    let mut frame = BytesMut::new();
    frame::put_control(&mut frame, json.to_string().as_bytes());
    core.handle_bytes(Instant::ZERO, &mut frame).unwrap();
}

/// The body of the agent's only message, which must be the answer to request 7.
#[track_caller]
fn answer(core: &mut Core) -> Value {
    let said = said(core);
    let [answer] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(answer["body"]["request_id"], 7);
    assert_eq!(answer["body"]["op"], "probe");
    answer["body"].clone()
}

fn cause(core: &mut Core, args: &Value) -> Value {
    probe(core, args);
    answer(core)["data"]["cause"].clone()
}

fn errands(core: &mut Core) -> Vec<Errand> {
    let outputs = outputs(core).into_iter();
    outputs
        .map(|output| {
            let Output::Probe(7, errand) = output else {
                panic!("{output:?}");
            };
            errand
        })
        .collect()
}

fn dial(host: &str, port: u16) -> Value {
    json!({"what": "dial", "host": host, "port": port})
}

#[test]
fn it_tells_where_it_listens_and_why_it_does_not() {
    let mut core = settled(&args());
    let at = |address: &str| json!({"what": "listener", "address": address});
    let other = network(OTHER);
    core.handle_listening(Instant::ZERO, other, Ok(()));
    let taken = NotListening {
        cause: Cause::InUse,
        reason: "in use".to_owned(),
        remedy: None,
    };
    let own = network(SocketAddrV4::new(ME, 80));
    core.handle_listening(Instant::ZERO, own, Err(taken));
    said(&mut core);
    outputs(&mut core);
    assert_eq!(cause(&mut core, &at("127.0.42.100:8080")), Value::Null);
    assert_eq!(cause(&mut core, &at("127.0.42.101:80")), "inUse");
    assert_eq!(cause(&mut core, &at("127.0.42.101:81")), "notAllowed");
    probe(&mut core, &json!({"what": "weather"}));
    assert!(answer(&mut core)["error"].is_string());
    assert_eq!(outputs(&mut core), []);
}

#[test]
fn it_dials_what_it_publishes_and_answers_once() {
    let mut core = settled(&args());
    probe(&mut core, &dial("127.0.42.101", 80));
    let published = Errand::Published("web.internal".to_owned(), 8000);
    assert_eq!(errands(&mut core), [published]);
    assert!(said(&mut core).is_empty(), "the driver goes first");
    let refused = Found {
        cause: Some(Cause::Refused),
        reason: "nobody".to_owned(),
        instead: Some("[::1]:8000".parse().unwrap()),
    };
    core.handle_probed(7, Err(refused));
    let data = answer(&mut core)["data"].clone();
    assert_eq!(
        data,
        json!({"cause": "refused", "reason": "nobody", "instead": "[::1]:8000"})
    );
    core.handle_probed(7, Ok(()));
    assert!(said(&mut core).is_empty());
}

#[test]
fn it_dials_nothing_that_it_would_not_dial_for_a_flow() {
    let mut args = args();
    args["routes"] = json!([
        {"toCIDR": ["10.0.0.0/8", "0.0.0.0/0"], "toHostnameGlob": ["*.internal"], "via": "127.0.42.101", "notTo": ["10.9.0.0/16"]},
        {"toCIDR": ["10.8.0.0/16"], "via": "127.0.42.100"},
    ]);
    let mut core = settled(&args);
    for (host, port) in [
        ("127.0.42.101", 22),
        ("127.0.0.1", 22),
        ("127.0.42.100", 8080),
        ("169.254.169.254", 80),
        ("10.8.0.1", 80),
        ("localhost", 80),
        ("example.com", 80),
        ("no host", 80),
    ] {
        assert_eq!(cause(&mut core, &dial(host, port)), "notAllowed", "{host}");
    }
    assert_eq!(errands(&mut core), []);
    for host in ["10.1.2.3", "db.internal"] {
        probe(&mut core, &dial(host, 80));
        let found = errands(&mut core);
        assert!(matches!(&found[..], [Errand::ForOthers(_)]), "{found:?}");
        core.handle_probed(7, Ok(()));
        assert_eq!(answer(&mut core)["data"]["cause"], Value::Null);
    }
    let mut before = Core::new(1, Capacity::default());
    probe(&mut before, &dial("10.1.2.3", 80));
    assert_eq!(answer(&mut before)["data"]["cause"], "notAllowed");
}

#[test]
fn only_a_few_dials_are_under_way_at_a_time() {
    let mut core = settled(&args());
    let ask = |core: &mut Core, id: u64| {
        let json = json!({"type": "request", "body": {"id": id, "op": "probe", "args": dial("127.0.42.101", 80)}});
        let mut frame = BytesMut::new();
        frame::put_control(&mut frame, json.to_string().as_bytes());
        core.handle_bytes(Instant::ZERO, &mut frame).unwrap();
    };
    for id in 1..=9 {
        ask(&mut core, id);
    }
    assert_eq!(outputs(&mut core).len(), 8);
    let refused = said(&mut core);
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["body"]["request_id"], 9);
    core.handle_probed(1, Ok(()));
    ask(&mut core, 10);
    assert_eq!(outputs(&mut core).len(), 1);
}

#[test]
fn open_ports_are_listed_once_for_each_request() {
    let mut core = settled(&args());
    let ask = |core: &mut Core| {
        let json = json!({"type": "request", "body": {"id": 7, "op": "openPorts", "args": null}});
        let mut frame = BytesMut::new();
        frame::put_control(&mut frame, json.to_string().as_bytes());
        core.handle_bytes(Instant::ZERO, &mut frame).unwrap();
    };
    ask(&mut core);
    assert_eq!(outputs(&mut core), [Output::OpenPorts(7)]);
    let listed = OpenPorts {
        ports: Vec::new(),
        more: 3,
    };
    core.handle_open_ports(7, Ok(listed));
    core.handle_open_ports(7, Err("late".to_owned()));
    let said = said(&mut core);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["body"]["op"], "openPorts");
    assert_eq!(said[0]["body"]["data"], json!({"ports": [], "more": 3}));
    ask(&mut core);
    core.handle_open_ports(7, Err("this system has no list".to_owned()));
    let said = super::said(&mut core);
    assert_eq!(said[0]["body"]["error"], "this system has no list");
}
