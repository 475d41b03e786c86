//! Tests of suggested routes: an agent tells the manager which gateway leads to an address.

use std::time::Duration;

use super::*;
use crate::{
    plan::ProxyPlan,
    route::Route,
    wire::{Packet, PacketFrame},
};

/// A network in which alpha has a proxy, and beta is the gateway for a pattern of names.
fn ready() -> Core {
    let mut alpha = host("alpha", A, true);
    alpha.http = Some(ProxyPlan {
        listen: "127.0.0.1:18080".parse().unwrap(),
        credentials: None,
        allow: Allow::Any,
    });
    let mut beta = host("beta", B, true);
    beta.dns = Some(port(10_053));
    beta.relay = Some(port(10_054));
    let mut core = Core::new(
        &Plan {
            hosts: vec![alpha, beta],
            routes: Routes::new(vec![Route {
                via: vec![vip(B)],
                to: vec!["*.internal".parse().unwrap()],
                not_to: vec![],
            }]),
            policy: crate::route::policy::Policy::default(),
        },
        1,
    );
    core.start(NOW);
    for address in [A, B] {
        core.handle_spawned(NOW, vip(address), Ok(()));
        core.handle_bytes(NOW, vip(address), &mut greeting(r#""tcp""#));
        while core.poll_frame(NOW, vip(address)).is_some() {}
    }
    outputs(&mut core);
    core
}

fn suggestion(route: &str) -> BytesMut {
    let json = format!(
        r#"{{"type":"event","body":{{"type":"routeSuggestion","data":{{"ip":["10.0.0.5"],"route":"{route}"}}}}}}"#
    );
    let mut out = BytesMut::new();
    frame::put_control(&mut out, json.as_bytes());
    out
}

/// A SYN from alpha.
fn syn(destination: &str) -> BytesMut {
    let key = crate::addr::FlowKey {
        src: format!("{A}:4000").parse().unwrap(),
        dst: destination.parse().unwrap(),
    };
    let mut bytes = crate::wire::packet::reset(key, 1, None);
    bytes[33] = 0x02;
    BytesMut::from(&PacketFrame::new(&bytes).into_bytes()[..])
}

/// The destinations of the packets that wait for a host.
fn waiting(core: &mut Core, address: &str) -> Vec<String> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = core.poll_frame(NOW, vip(address)) {
        bytes.extend_from_slice(&frame);
    }
    let mut decoder = Decoder::new(1 << 20);
    std::iter::from_fn(|| decoder.poll(&mut bytes).unwrap())
        .map(|item| {
            let Item::Packet(frame) = item else {
                panic!("{item:?}");
            };
            let key = Packet::parse(frame.payload()).unwrap().key();
            key.dst.to_string()
        })
        .collect()
}

#[test]
fn a_suggestion_counts_for_the_packet_right_behind_it() {
    let mut core = ready();
    let mut bytes = suggestion(B);
    bytes.extend_from_slice(&syn("10.0.0.5:443"));
    core.handle_bytes(NOW, vip(A), &mut bytes);
    assert_eq!(waiting(&mut core, B), ["10.0.0.5:443"]);
    assert!(bytes.is_empty());
    let rule = all_flows(&core)[0].rule.clone();
    assert_eq!(rule.as_deref(), Some("*.internal"));
}

#[test]
fn a_suggestion_does_not_count_for_the_packet_before_it() {
    let mut core = ready();
    let mut bytes = syn("10.0.0.5:443");
    bytes.extend_from_slice(&suggestion(B));
    core.handle_bytes(NOW, vip(A), &mut bytes);
    assert!(waiting(&mut core, B).is_empty());
    assert_eq!(core.snapshot(NOW).hosts[0].traffic.refused, 1);
}

#[test]
fn bad_suggestions_are_faults_of_the_host_that_makes_them() {
    // Routes that must not be accepted: one that leads through the host itself, one through an address that is not a
    // VIP, and one through a VIP without a host. The last suggestion comes from a host that has no proxy.
    for (teacher, route) in [(A, A), (A, "10.0.0.1"), (A, "127.0.42.200"), (B, B)] {
        let mut core = ready();
        let suggest = |core: &mut Core, millis| {
            let now = NOW + Duration::from_millis(millis);
            core.handle_bytes(now, vip(teacher), &mut suggestion(route));
        };
        for millis in 0..100 {
            suggest(&mut core, millis);
        }
        assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
        suggest(&mut core, 100);
        let mut expected = [HostState::Ready, HostState::Ready];
        expected[usize::from(teacher == B)] = HostState::Refused;
        assert_eq!(states(&core), expected, "{route}");
        let reason = core.snapshot(NOW).hosts[usize::from(teacher == B)]
            .reason
            .clone();
        let reason = reason.unwrap();
        assert!(reason.contains("suggestion of a route"), "{reason}");
    }
}

#[test]
fn good_suggestions_are_no_faults_however_many() {
    let mut core = ready();
    for _ in 0..1_000 {
        core.handle_bytes(NOW, vip(A), &mut suggestion(B));
    }
    assert_eq!(states(&core), [HostState::Ready, HostState::Ready]);
}

#[test]
fn dns_and_relay_ports_are_reached_where_they_are_and_nowhere_else() {
    let mut core = ready();
    for destination in [format!("{B}:10053"), format!("{B}:10054")] {
        core.handle_bytes(NOW, vip(A), &mut syn(&destination));
        assert_eq!(waiting(&mut core, B), [destination]);
    }
    core.handle_bytes(NOW, vip(A), &mut syn(&format!("{B}:10055")));
    core.handle_bytes(NOW, vip(A), &mut syn(&format!("{A}:10053")));
    assert!(waiting(&mut core, B).is_empty());
    assert_eq!(core.snapshot(NOW).hosts[0].traffic.refused, 2);
}
