//! Flows in the words of the manifest.

use super::*;
use crate::view::FlowState;

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
    assert_eq!((&*flow.name, &flow.via), ("beta:8080", &None));
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
}
