//! Tests of flows as people see them, with the names of the manifest.

use super::*;
use crate::{addr::FlowKey, view::FlowState};

/// A SYN as the agent of `from` would write it.
fn syn(from: &str, to: &str) -> BytesMut {
    let key = FlowKey {
        src: from.parse().unwrap(),
        dst: to.parse().unwrap(),
    };
    let mut bytes = crate::wire::packet::reset(key, 100, None);
    bytes[33] = 0x02;
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
    let told = core.flows(NOW, 10);
    assert_eq!(told.total, 1);
    let flow = &told.flows[0];
    assert_eq!((&*flow.from, &*flow.to), ("alpha", "beta"));
    assert_eq!(
        (&*flow.name, &flow.via, &flow.rule),
        ("beta:8080", &None, &None)
    );
    assert_eq!(flow.id, "127.0.42.100:4000-127.0.42.101:8080");
    assert_eq!(flow.state, FlowState::Opening);
    while core.poll_frame(vip(B)).is_some() {}
    outputs(&mut core);

    let key = crate::view::parse_flow_id(&flow.id).unwrap();
    assert!(core.kill_flow(key));
    assert!(!core.kill_flow(key));
    let woken = outputs(&mut core);
    for address in [A, B] {
        assert!(woken.contains(&Output::Wake(vip(address))), "{woken:?}");
    }
    assert_eq!(core.flows(NOW, 10).total, 0);
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
            let asked = core.poll_frame(vip(address)).unwrap();
            let sum = crate::wire::sum::of_control(&asked[8..]);
            let json = format!(
                r#"{{"type":"result","body":{{"request_id":1,"op":"configure",
                    "data":{{"features":[{features}],"version":"x","sum":{sum}}}}}}}"#
            );
            let mut hello = BytesMut::new();
            frame::put_control(&mut hello, json.as_bytes());
            core.handle_bytes(NOW, vip(address), &mut hello);
            assert_eq!(core.poll_frame(vip(address)), None);
        }
        let mut sent = syn("127.0.42.100:4000", "127.0.42.101:8080");
        crate::wire::sum::seal(&mut sent);
        let sum = [sent[6], sent[7]];
        core.handle_bytes(NOW, vip(A), &mut sent);
        let got = core.poll_frame(vip(B)).unwrap();
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
    let told = core.flows(NOW, 10);
    let flow = &told.flows[0];
    assert_eq!(flow.name, "10.1.2.3:443");
    assert_eq!((&*flow.to, flow.via.as_deref()), ("beta", Some("beta")));
    assert_eq!(flow.rule.as_deref(), Some("10.0.0.0/8"));
}
