//! Tests of a manager. The test itself says what the agents send.

mod choice;
mod configuration;
mod flows;
mod held;
mod instead;
mod lost;
mod policy;
mod prompts;
mod reload;
mod suggestions;

use bytes::BytesMut;

use super::*;
use crate::{
    addr::Vip,
    link::Ending,
    plan::{Allow, DialTarget, Forward, HostPlan, Plan, Protocol, Start, TargetHost},
    route::Routes,
    time::Instant,
    view::{Event, FlowView, HostAction, HostState, Trouble, TroubleCode},
    wire::{
        Decoder, Item,
        control::{Configure, Message},
        frame,
    },
};

const NOW: Instant = Instant::ZERO;
const A: &str = "127.0.42.100";
const B: &str = "127.0.42.101";

fn vip(text: &str) -> Vip {
    text.parse().unwrap()
}

fn port(number: u16) -> crate::addr::Port {
    crate::addr::Port::new(number).unwrap()
}

fn host(name: &str, address: &str, loopback: bool) -> HostPlan {
    let forward = |protocol| Forward {
        listen_port: port(8080),
        target: DialTarget {
            host: TargetHost::Name("web.internal".to_owned()),
            port: port(80),
        },
        protocol,
    };
    HostPlan {
        name: name.parse().unwrap(),
        aliases: Vec::new(),
        vip: vip(address),
        start: Start::Command(vec![name.to_owned()]),
        forwards: vec![forward(Protocol::Tcp), forward(Protocol::Udp)],
        loopback,
        allow: Allow::Any,
        http: None,
        socks: None,
        dns: None,
        relay: None,
        state_dir: None,
        write_etc_hosts: false,
    }
}

fn plan() -> Plan {
    Plan {
        hosts: vec![host("alpha", A, true), host("beta", B, false)],
        routes: Routes::default(),
        policy: crate::route::policy::Policy::default(),
    }
}

fn core() -> Core {
    Core::new(&plan(), 1)
}

fn outputs(core: &mut Core) -> Vec<Output> {
    std::iter::from_fn(|| core.poll_output()).collect()
}

fn states(core: &Core) -> Vec<HostState> {
    core.snapshot(NOW)
        .hosts
        .iter()
        .map(|host| host.state)
        .collect()
}

/// The configuration in the next frame that the manager has for a host's agent.
fn configured_with(core: &mut Core, address: &str) -> Configure {
    let mut bytes = BytesMut::from(&core.poll_frame(NOW, vip(address)).unwrap()[..]);
    let item = Decoder::new(1 << 20).poll(&mut bytes).unwrap();
    let Some(Item::Control(json)) = item else {
        panic!("{item:?}");
    };
    let Message::Request(request) = Message::parse(&json).unwrap() else {
        panic!("no request");
    };
    request.args.read().unwrap()
}

fn greeting(features: &str) -> BytesMut {
    let json = format!(
        r#"{{"type":"result","body":{{"request_id":1,"op":"configure","data":{{"features":[{features}],"version":"x"}}}}}}"#
    );
    let mut out = BytesMut::new();
    frame::put_control(&mut out, json.as_bytes());
    out
}

fn survey(core: &Core) -> FlowSurvey {
    let mut survey = FlowSurvey::default();
    while core.show_flows(&mut survey) {}
    survey
}

fn all_flows(core: &Core) -> Vec<FlowView> {
    let (_, keys) = survey(core).newest(usize::MAX);
    core.flows(NOW, &keys)
}

fn all_ready() -> Core {
    ready(core())
}

fn ready(mut core: Core) -> Core {
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        let mut hello = greeting(r#""tcp","loopback","loopback.disable""#);
        core.handle_bytes(NOW, vip(address), &mut hello);
        while core.poll_frame(NOW, vip(address)).is_some() {}
    }
    outputs(&mut core);
    core
}

#[test]
fn all_hosts_start_at_once_and_are_told_what_concerns_them() {
    let mut core = core();
    core.start(NOW);
    let spawned = outputs(&mut core);
    let spawned = spawned
        .iter()
        .filter(|output| matches!(output, Output::Spawn(..)));
    assert_eq!(spawned.count(), 2);
    core.handle_spawned(NOW, vip(A), Ok(()));
    assert!(outputs(&mut core).contains(&Output::Wake(vip(A))));
    let args = configured_with(&mut core, A);
    assert_eq!(args.me.to_string(), A);
    assert_eq!(args.forwards.len(), 1, "UDP is not promised to an agent");
    assert_eq!(args.forwards[0].connect_ip, "web.internal");
    assert_eq!(args.others.len(), 1);
    assert_eq!(
        (args.others[0].ip.to_string().as_str(), args.others[0].port),
        (B, 8080)
    );
    assert_eq!(args.hostname_map["beta"].to_string(), B);
    assert!(!args.loopback.disable);
    assert_eq!(
        args.features,
        [
            "problems",
            "notices",
            "heartbeat",
            "policy",
            "sums",
            "marks"
        ]
    );
}

#[test]
fn a_host_fails_alone_and_says_why() {
    let mut core = all_ready();
    assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
    core.handle_stderr(NOW, vip(B), b"boom");
    core.handle_closed(NOW, vip(B));
    core.handle_exit(NOW, vip(B), Ending::Status(3));
    assert_eq!(states(&core), [HostState::Ready, HostState::Waiting]);
    let view = &core.snapshot(NOW).hosts[1];
    assert_eq!(view.reason.as_deref(), Some("boom (status 3)"));
    assert_eq!(view.stderr, ["boom"]);
    let announced = outputs(&mut core).into_iter().filter(|output| {
        matches!(
            output,
            Output::Event(Event::Host {
                state: HostState::Waiting,
                ..
            })
        )
    });
    assert_eq!(announced.count(), 1, "one change, one line");
    assert!(!core.is_over());
}

#[test]
fn a_host_whose_agent_cannot_keep_the_manifests_word_is_refused() {
    let mut core = core();
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        core.handle_bytes(NOW, vip(address), &mut greeting(r#""tcp""#));
    }
    assert_eq!(states(&core), [HostState::Ready, HostState::Refused]);
    assert!(
        core.snapshot(NOW).hosts[1]
            .reason
            .as_ref()
            .unwrap()
            .contains("loopback.disable")
    );
}

#[test]
fn a_spoofing_host_is_refused_after_a_while_and_nobody_is_told_its_lies() {
    let mut core = all_ready();
    let key = crate::addr::FlowKey {
        src: format!("{A}:1").parse().unwrap(),
        dst: format!("{A}:8080").parse().unwrap(),
    };
    let forged = crate::wire::packet::reset(key, 1, None);
    let spoof = |core: &mut Core, now, times: u32| {
        for _ in 0..times {
            let frame = crate::wire::PacketFrame::new(&forged).into_bytes();
            core.handle_bytes(now, vip(B), &mut BytesMut::from(&frame[..]));
        }
        let told = outputs(core).into_iter().filter_map(|output| {
            let Output::Event(Event::Warning { host, text, .. }) = output else {
                return None;
            };
            Some(format!("{host}: {text}"))
        });
        told.collect::<Vec<_>>()
    };
    outputs(&mut core);
    let told = spoof(&mut core, NOW, 40);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("beta: its agent sends packets in the name of other hosts, 1 so far"),
        "{told:?}"
    );
    assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
    let later = NOW + std::time::Duration::from_mins(1);
    let told = spoof(&mut core, later, 101);
    assert!(told[0].contains(", 41 so far"), "{told:?}");
    assert_eq!(states(&core), [HostState::Ready, HostState::Refused]);
    assert_eq!(core.poll_frame(NOW, vip(A)), None);
    let view = core.snapshot(NOW).hosts.remove(1);
    assert_eq!((view.traffic.spoofed, view.traffic.refused), (141, 141));
    let reason = view.reason.unwrap();
    assert!(
        reason.contains("pretends to be other hosts") && !reason.contains("version"),
        "{reason}"
    );
}

#[test]
fn problems_make_a_host_degraded_until_they_are_gone() {
    let mut core = all_ready();
    let report = |list: &str| {
        let json = format!(
            r#"{{"type":"event","body":{{"type":"problems","data":{{"problems":[{list}]}}}}}}"#
        );
        let mut out = BytesMut::new();
        frame::put_control(&mut out, json.as_bytes());
        out
    };
    let problem = r#"{"what":"listen on 127.0.42.101:8080","reason":"in use\u001b"}"#;
    core.handle_bytes(NOW, vip(A), &mut report(problem));
    assert_eq!(states(&core)[0], HostState::Degraded);
    let words = "cannot listen on 127.0.42.101:8080: in use\\u{1b}";
    let older = Trouble {
        what: words.to_owned(),
        ..Trouble::default()
    };
    let view = &core.snapshot(NOW).hosts[0];
    assert_eq!(
        view.troubles,
        [older],
        "of an older agent only the words are known"
    );
    assert_eq!(view.reason.as_deref(), Some(words));
    let problem = r#"{"what":"listen on 127.0.42.101:80","reason":"no","code":"listen","address":"127.0.42.101:80","remedy":"do\u001b"}"#;
    core.handle_bytes(NOW, vip(A), &mut report(problem));
    let told = Trouble {
        code: TroubleCode::Listen,
        what: "cannot listen on 127.0.42.101:80: no".to_owned(),
        remedy: Some("do\\u{1b}".to_owned()),
        address: Some("127.0.42.101:80".to_owned()),
        ..Trouble::default()
    };
    assert_eq!(core.snapshot(NOW).hosts[0].troubles, [told]);
    let unasked = r#"{"what":"write the files","reason":"disk full","code":"noFiles"}"#;
    core.handle_bytes(NOW, vip(A), &mut report(unasked));
    let view = &core.snapshot(NOW).hosts[0];
    assert_eq!(
        view.state,
        HostState::Ready,
        "nobody has asked for these files"
    );
    assert_eq!(view.notes, ["cannot write the files: disk full"]);
    core.handle_bytes(NOW, vip(A), &mut report(""));
    assert_eq!(states(&core)[0], HostState::Ready);
}

#[test]
fn stopping_ends_everything() {
    let mut core = all_ready();
    core.stop(NOW);
    assert!(!core.is_over());
    let closed = outputs(&mut core);
    let closed = closed
        .iter()
        .filter(|output| matches!(output, Output::CloseInput(_)));
    assert_eq!(closed.count(), 2);
    for address in [A, B] {
        core.handle_exit(NOW, vip(address), Ending::Status(0));
    }
    assert!(core.is_over());
    assert_eq!(states(&core), [HostState::Stopped, HostState::Stopped]);
}

#[test]
fn a_lost_host_comes_back_with_its_whole_configuration() {
    let mut core = all_ready();
    core.handle_exit(NOW, vip(B), Ending::Signal(9));
    let until = NOW + std::time::Duration::from_millis(500);
    core.handle_timeout(until);
    assert!(
        outputs(&mut core)
            .iter()
            .any(|output| matches!(output, Output::Spawn(host, _) if *host == vip(B)))
    );
    core.handle_spawned(until, vip(B), Ok(()));
    assert_eq!(configured_with(&mut core, B).forwards.len(), 1);
    assert_eq!(core.poll_frame(NOW, vip(B)), None, "it is configured once");
    assert!(!core.is_over());
}

#[test]
fn a_network_without_hope_says_so_once_and_goes_on() {
    let mut core = core();
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        core.handle_bytes(NOW, vip(address), &mut greeting(""));
        core.handle_exit(NOW, vip(address), Ending::Status(0));
        core.handle_timeout(NOW);
    }
    let outputs = outputs(&mut core);
    let hopeless = outputs
        .iter()
        .filter(|output| matches!(output, Output::Event(Event::Hopeless { hosts: 2 })));
    assert_eq!(hopeless.count(), 1);
    assert!(!core.is_over());
    core.stop(NOW);
    assert!(core.is_over());
}

#[test]
fn a_start_that_has_to_wait_its_turn_can_be_taken_back() {
    let mut core = all_ready();
    let spawns = |core: &mut Core| {
        let outputs = outputs(core).into_iter();
        outputs
            .filter(|output| matches!(output, Output::Spawn(..)))
            .count()
    };
    core.host_action(NOW, vip(B), HostAction::Restart);
    core.handle_exit(NOW, vip(B), Ending::Status(0));
    assert_eq!(spawns(&mut core), 0, "two starts were enough for now");
    core.host_action(NOW, vip(B), HostAction::Restart);
    core.host_action(NOW, vip(B), HostAction::Stop);
    assert_eq!(states(&core)[1], HostState::Stopped);
    let later = NOW + std::time::Duration::from_mins(1);
    core.handle_timeout(later);
    assert_eq!(spawns(&mut core), 0);
    core.host_action(later, vip(B), HostAction::Start);
    assert_eq!(spawns(&mut core), 1);
}
