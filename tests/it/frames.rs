//! Frames that are recorded in files. The frames of an upstream manager (0.6.5) have to be understood, and are never
//! rewritten. The frames of this version show every change of the format. `UPDATE=1` rewrites only these frames.

use std::{fs, path::PathBuf};

use bytes::BytesMut;
use norouter::wire::{
    CONTROL_MAX_FROM_MANAGER, Cause, Decoder, Item, PacketFrame,
    control::{
        Configure, Endpoint, Event, Message, Outcome, Policy, PolicyRule, ProblemReport, Raw,
        RefusedAsk, RouteSuggestion,
    },
    frame,
    packet::reset,
    probe::{Found, Probe},
    relay::{self, Answer, Ask},
    sum,
};

use crate::golden;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/frames")
        .join(name)
}

fn hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(48).map(|line| {
        let digits: String = line.iter().map(|byte| format!("{byte:02x}")).collect();
        digits + "\n"
    });
    lines.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
        .collect()
}

/// The message in a recorded control frame.
fn recorded(name: &str) -> Message {
    let text = fs::read_to_string(path(name)).unwrap();
    let mut buffer = BytesMut::from(&bytes(&text)[..]);
    let item = Decoder::new(CONTROL_MAX_FROM_MANAGER)
        .poll(&mut buffer)
        .unwrap();
    let Some(Item::Control(json)) = item else {
        panic!("{name}: {item:?}");
    };
    assert!(buffer.is_empty(), "{name} holds more than a frame");
    Message::parse(&json).unwrap()
}

fn control(message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    frame::put_control(&mut out, &message.to_json());
    out.to_vec()
}

fn sealed(mut frame: Vec<u8>) -> Vec<u8> {
    sum::seal(&mut frame);
    frame
}

fn configuration() -> Configure {
    let Message::Request(request) = recorded("upstream-configure.hex") else {
        panic!("not a request");
    };
    request.args.read().unwrap()
}

/// A configuration with everything that the upstream project does not have.
fn with_additions() -> Configure {
    let mut args = configuration();
    args.routes[0].or_via = vec!["127.0.42.102".parse().unwrap()];
    args.routes[0].not_to = vec!["10.9.0.0/16".to_owned(), "old.internal".to_owned()];
    args.relays = vec![Endpoint {
        ip: "127.0.42.101".parse().unwrap(),
        port: 10_054,
        proto: "tcp".to_owned(),
    }];
    args.main_names = vec!["web".to_owned()].into();
    "0.0.0.0:18080".clone_into(&mut args.http.listen);
    "~/users".clone_into(&mut args.http.credentials);
    args.features = vec!["problems".to_owned()];
    args.policy = Some(Policy {
        default: "deny".to_owned(),
        rules: vec![PolicyRule {
            number: 2,
            from: vec!["127.0.42.100".to_owned()],
            to: Vec::new(),
            beyond: vec!["10.0.0.0/8".to_owned(), "*.internal".to_owned()],
            via: vec!["*".to_owned()],
            ports: vec![[443, 443], [8000, 8010]],
            action: "allow".to_owned(),
        }],
    });
    args
}

#[test]
fn what_an_upstream_manager_writes_is_understood() {
    let args = configuration();
    assert_eq!(args.me.to_string(), "127.0.42.100");
    assert_eq!(args.forwards[0].connect_ip, "127.0.0.1");
    assert_eq!(
        (args.others[0].ip.to_string().as_str(), args.others[0].port),
        ("127.0.42.101", 5432)
    );
    assert_eq!(args.hostname_map.len(), 3);
    assert!(args.loopback.disable && !args.state_dir.disable);
    assert_eq!(args.http.listen, "");
    assert_eq!(args.routes[0].to_cidr, ["10.0.0.0/8"]);
    assert_eq!(args.routes[0].to_hostname_glob, ["*.internal"]);
    assert_eq!(args.name_servers.len(), 2);
    assert!(args.features.is_empty());
}

#[test]
fn what_this_version_writes_is_on_record() {
    let problem = ProblemReport {
        what: "listen on 127.0.42.101:80".to_owned(),
        reason: "permission denied".to_owned(),
        ..ProblemReport::default()
    };
    let suggestion = RouteSuggestion {
        ip: vec!["10.0.0.5".parse().unwrap()],
        route: "127.0.42.101".parse().unwrap(),
    };
    let kept = RefusedAsk {
        from: "127.0.42.100".parse().unwrap(),
        to: "secret.internal:80".to_owned(),
        rule: Some(3),
        times: 7,
    };
    let ask = Ask {
        host: "db.internal".to_owned(),
        port: 5432,
    };
    let connected = Answer {
        cause: None,
        reason: String::new(),
    };
    let refused = Answer {
        cause: Some(Cause::Refused),
        reason: "Nobody listens there.".to_owned(),
    };
    let key = norouter::addr::FlowKey {
        src: "127.0.42.101:8080".parse().unwrap(),
        dst: "127.0.42.100:40000".parse().unwrap(),
    };
    let listener = Probe::Listener {
        address: "127.0.42.101:8080".parse().unwrap(),
    };
    let dial = Probe::Dial {
        host: "db.internal".to_owned(),
        port: 5432,
    };
    let found = Found {
        cause: Some(Cause::NameNotFound),
        reason: "nobody knows it".to_owned(),
        instead: None,
    };
    let found = Message::Result(Outcome {
        request_id: 9,
        op: "probe".to_owned(),
        error: Raw::default(),
        data: Raw::of(&found),
    });
    let frames = [
        ("probe-listener.hex", control(&Message::probe(8, &listener))),
        ("probe-dial.hex", control(&Message::probe(9, &dial))),
        ("probe-found.hex", control(&found)),
        (
            "configure.hex",
            control(&Message::configure(1, &configuration())),
        ),
        (
            "configure-additions.hex",
            control(&Message::configure(1, &with_additions())),
        ),
        (
            "suggestion.hex",
            control(&Message::Event(
                Event::RouteSuggestion(suggestion).into_raw(),
            )),
        ),
        ("relay-ask.hex", relay::encode(&ask)),
        ("relay-connected.hex", relay::encode(&connected)),
        ("relay-refused.hex", relay::encode(&refused)),
        (
            "problems.hex",
            control(&Message::Event(Event::Problems(vec![problem]).into_raw())),
        ),
        (
            "refused.hex",
            control(&Message::Event(Event::Refused(vec![kept]).into_raw())),
        ),
        (
            "reset.hex",
            PacketFrame::new(&reset(key, 1, Some(2)))
                .into_bytes()
                .to_vec(),
        ),
        (
            "reset-sealed.hex",
            sealed(
                PacketFrame::new(&reset(key, 1, Some(2)))
                    .into_bytes()
                    .to_vec(),
            ),
        ),
        ("ping-sealed.hex", sealed(control(&Message::ping(2)))),
    ];
    for (name, written) in frames {
        golden::check(&path(name), &hex(&written));
    }
}
