//! Tests of flows as people see them, with the names of the manifest.

use super::*;
use crate::{
    addr::FlowKey,
    view::{FlowOutcome, FlowState, TriedPort, TryOutcome},
};

const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;

/// A SYN as the agent of `from` would write it.
fn syn(from: &str, to: &str) -> BytesMut {
    segment(from, to, 0x02, 100, None)
}

/// A segment without data as the agent of `from` would write it.
fn segment(from: &str, to: &str, flags: u8, seq: u32, ack: Option<u32>) -> BytesMut {
    let key = FlowKey {
        src: from.parse().unwrap(),
        dst: to.parse().unwrap(),
    };
    let mut bytes = crate::wire::packet::reset(key, seq, ack);
    bytes[33] = flags;
    let frame = crate::wire::PacketFrame::new(&bytes).into_bytes();
    BytesMut::from(&frame[..])
}

#[test]
fn a_flow_is_told_with_the_names_of_its_hosts_until_it_is_killed() {
    let mut core = all_ready();
    core.handle_bytes(
        NOW,
        vip(A),
        &mut syn("127.0.42.100:4000", "127.0.42.101:8080"),
    );
    let told = all_flows(&core);
    assert_eq!(told.len(), 1);
    let flow = &told[0];
    assert_eq!((&*flow.from, &*flow.to), ("alpha", "beta"));
    assert_eq!(
        (&*flow.name, &flow.via, &flow.rule),
        ("beta:8080", &None, &None)
    );
    assert_eq!(flow.id, "127.0.42.100:4000-127.0.42.101:8080");
    assert_eq!(flow.state, FlowState::Opening);
    while core.poll_frame(NOW, vip(B)).is_some() {}
    outputs(&mut core);

    let key = crate::view::parse_flow_id(&flow.id).unwrap();
    assert!(core.kill_flow(NOW, key));
    assert!(!core.kill_flow(NOW, key));
    let woken = outputs(&mut core);
    for address in [A, B] {
        assert!(woken.contains(&Output::Wake(vip(address))), "{woken:?}");
    }
    assert_eq!(core.flow_total(), 0);
    let gone = core.flows(NOW, &[key]);
    assert_eq!(gone, [], "a list may be older than the end of a flow");
}

#[test]
fn when_there_are_more_flows_than_are_wanted_the_latest_are_told() {
    let mut core = all_ready();
    // This is more than a survey looks at in one step.
    for port in 1_000..4_000 {
        connect(&mut core, later(port.into()), port, SYN_ACK);
    }
    let seen = |most| {
        let (total, keys) = survey(&core).newest(most);
        let ports = keys.iter().map(|key| key.src.port()).collect::<Vec<_>>();
        (total, ports)
    };
    assert_eq!(seen(3), (3_000, vec![3_997, 3_998, 3_999]));
    assert_eq!(seen(9_000), (3_000, (1_000..4_000).collect()));
    assert_eq!(seen(0), (3_000, Vec::new()));
}

#[test]
fn a_packet_keeps_its_sum_only_for_an_agent_that_takes_sums() {
    for (features, is_kept) in [
        (r#""tcp","loopback.disable""#, false),
        (r#""tcp","loopback.disable","sums""#, true),
    ] {
        let mut core = core();
        core.start(NOW);
        for address in [A, B] {
            core.handle_spawned(NOW, vip(address), Ok(()));
            let asked = core.poll_frame(NOW, vip(address)).unwrap();
            let sum = crate::wire::sum::of_control(&asked[8..]);
            let json = format!(
                r#"{{"type":"result","body":{{"request_id":1,"op":"configure",
                    "data":{{"features":[{features}],"version":"x","sum":{sum}}}}}}}"#
            );
            let mut hello = BytesMut::new();
            frame::put_control(&mut hello, json.as_bytes());
            core.handle_bytes(NOW, vip(address), &mut hello);
            assert_eq!(core.poll_frame(NOW, vip(address)), None);
        }
        let mut sent = syn("127.0.42.100:4000", "127.0.42.101:8080");
        crate::wire::sum::seal(&mut sent);
        let sum = [sent[6], sent[7]];
        core.handle_bytes(NOW, vip(A), &mut sent);
        let got = core.poll_frame(NOW, vip(B)).unwrap();
        assert_ne!(sum, [0, 0]);
        assert_eq!(got[6..8], if is_kept { sum } else { [0, 0] });
    }
}

#[test]
fn a_flow_that_leaves_the_network_is_told_with_its_gateway() {
    let mut plan = plan();
    let route = crate::route::Route {
        to: vec!["10.0.0.0/8".parse().unwrap()],
        not_to: Vec::new(),
        via: vec![vip(B)],
    };
    plan.routes = Routes::new(vec![route]);
    let mut core = ready(Core::new(&plan, 1));
    core.handle_bytes(NOW, vip(A), &mut syn("127.0.42.100:4000", "10.1.2.3:443"));
    let flow = &all_flows(&core)[0];
    assert_eq!(flow.name, "10.1.2.3:443");
    assert_eq!((&*flow.to, flow.via.as_deref()), ("beta", Some("beta")));
    assert_eq!(flow.rule.as_deref(), Some("10.0.0.0/8"));
}

/// Lets alpha connect from this port to a service of beta, whose agent answers with these flags.
fn connect(core: &mut Core, now: Instant, port: u16, flags: u8) {
    let (from, to) = (&*format!("{A}:{port}"), "127.0.42.101:8080");
    core.handle_bytes(now, vip(A), &mut syn(from, to));
    let mut answer = segment(to, from, flags, 500, Some(101));
    core.handle_bytes(now, vip(B), &mut answer);
}

fn later(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

#[test]
fn an_ended_flow_is_told_with_the_names_of_its_hosts() {
    let mut core = all_ready();
    connect(&mut core, later(10), 4000, RST_ACK);
    core.handle_bytes(
        later(20),
        vip(A),
        &mut syn("127.0.42.100:4001", "10.1.2.3:443"),
    );
    let told = core.ended_flows(later(30), 10);
    assert_eq!(told.now_ms, 30);
    let [refused, outside] = &told.ended[..] else {
        panic!("{told:#?}");
    };
    assert_eq!(
        (&*refused.from, refused.to.as_deref(), &*refused.name),
        ("alpha", Some("beta"), "beta:8080")
    );
    assert_eq!(
        (refused.outcome, &refused.via),
        (FlowOutcome::Refused, &None)
    );
    assert_eq!((refused.ended_ms, refused.rtt_us), (10, None));
    assert_eq!(
        (&*outside.name, &outside.to, outside.outcome),
        ("10.1.2.3:443", &None, FlowOutcome::Unavailable)
    );
    assert_eq!(core.ended_flows(later(30), 1).ended[0], *outside);
}

#[test]
fn a_service_is_shown_as_the_last_connection_found_it_and_the_change_is_told() {
    let mut core = core();
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        let mut hello = greeting(r#""tcp","loopback","loopback.disable","probe""#);
        core.handle_bytes(NOW, vip(address), &mut hello);
    }
    outputs(&mut core);
    let tried = |core: &Core| core.snapshot(NOW).hosts[1].tried.clone();
    assert_eq!(tried(&core), []);
    let known = |outcome, at_ms| {
        [TriedPort {
            port: 8080,
            outcome,
            at_ms,
        }]
    };
    connect(&mut core, later(10), 4000, SYN_ACK);
    assert_eq!(tried(&core), known(TryOutcome::Answered, 10));
    assert!(!outputs(&mut core).contains(&Output::Changed));
    core.handle_timeout(later(1_010));
    assert!(outputs(&mut core).contains(&Output::Changed));
    connect(&mut core, later(2_000), 4001, RST_ACK);
    assert_eq!(tried(&core), known(TryOutcome::Refused, 2_000));
    core.handle_closed(later(3_000), vip(B));
    assert_eq!(tried(&core), [], "nobody knows what is there afterwards");
}

#[test]
fn an_older_agent_that_accepts_before_it_dials_does_not_make_a_service_answer() {
    let mut core = all_ready();
    let tried = |core: &Core| core.snapshot(NOW).hosts[1].tried.len();
    connect(&mut core, later(10), 4000, SYN_ACK);
    assert_eq!(tried(&core), 0);
    connect(&mut core, later(20), 4000, RST_ACK);
    assert_eq!(tried(&core), 0, "the flow was open, so this is no refusal");
}
