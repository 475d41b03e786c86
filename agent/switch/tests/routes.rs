//! Tests of destinations outside the network: which gateway leads to them, and which packets may come back.

use super::*;
use crate::route::Target;

/// An address outside the network, to which routes of these tests lead.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

fn targets(texts: &[&str]) -> Vec<Target> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(super) fn route(via: &[Ipv4Addr], to: &[&str], not_to: &[&str]) -> Route {
    Route {
        via: via.iter().copied().map(vip).collect(),
        to: targets(to),
        not_to: targets(not_to),
    }
}

/// A switch with these routes, and with three hosts that have proxies and are up.
pub(super) fn routed(routes: Vec<Route>) -> Switch {
    let mut switch = Switch::new(Routes::new(routes));
    for address in [A, B, C] {
        switch.add(vip(address), Port::new(80), true);
        switch.raise(vip(address));
    }
    switch
}

/// A SYN from this port of `from` to this address.
pub(super) fn dial(
    switch: &mut Switch,
    now: Instant,
    from: Ipv4Addr,
    port: u16,
    to: Ipv4Addr,
) -> Verdict {
    let syn = segment((from, port), (to, 443), SYN, 100, 0);
    switch.handle_packet(now, vip(from), syn)
}

/// The gateway's answer to [`dial`].
pub(super) fn answer(port: u16, to: Ipv4Addr) -> PacketFrame {
    segment((to, 443), (A, port), SYN | ACK, 500, 101)
}

#[track_caller]
fn refused_with_a_reset(switch: &mut Switch, port: u16, to: Ipv4Addr) {
    assert_eq!(dial(switch, NOW, A, port, to), Verdict::Refused, "{to}");
    let told = delivered(switch, A);
    assert_eq!(told.len(), 1, "{to}");
    assert_eq!(*told[0].0.src.ip(), to);
    assert!(told[0].1.flags.rst && told[0].1.ack == 101, "{to}");
    for other in [B, C] {
        assert!(delivered(switch, other).is_empty(), "{to} at {other}");
    }
}

#[test]
fn a_connection_under_a_route_goes_to_its_gateway_and_back() {
    let mut switch = routed(vec![route(&[B], &["10.0.0.0/8"], &[])]);
    assert!(dial(&mut switch, NOW, A, 4000, OUTSIDE).passes());
    let arrived = delivered(&mut switch, B);
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].0.dst, SocketAddrV4::new(OUTSIDE, 443));
    let back = switch.handle_packet(NOW, vip(B), answer(4000, OUTSIDE));
    assert!(back.passes());
    let arrived = delivered(&mut switch, A);
    assert_eq!(arrived[0].0.src, SocketAddrV4::new(OUTSIDE, 443));
    assert_eq!(arrived[0].0.dst, SocketAddrV4::new(A, 4000));
    assert!(delivered(&mut switch, C).is_empty());
}

#[test]
fn the_later_route_is_the_way_and_its_exceptions_are_left_to_earlier_ones() {
    let mut switch = routed(vec![
        route(&[B], &["10.0.0.0/8"], &[]),
        route(&[C], &["10.1.0.0/16"], &["10.1.9.0/24"]),
    ]);
    for (port, to, gateway) in [
        (1, [10, 2, 0, 1], B),
        (2, [10, 1, 0, 1], C),
        (3, [10, 1, 9, 1], B),
    ] {
        assert!(dial(&mut switch, NOW, A, port, to.into()).passes());
        assert_eq!(delivered(&mut switch, gateway).len(), 1, "{to:?}");
    }
}

#[test]
fn an_exception_without_another_route_is_refused() {
    let mut switch = routed(vec![route(&[B], &["10.0.0.0/8"], &["10.9.0.0/16"])]);
    refused_with_a_reset(&mut switch, 1, [10, 9, 0, 1].into());
    refused_with_a_reset(&mut switch, 2, [192, 0, 2, 1].into());
}

#[test]
fn the_first_gateway_that_is_up_is_the_way() {
    let mut switch = routed(vec![route(&[B, C], &["10.0.0.0/8"], &[])]);
    dial(&mut switch, NOW, A, 1, OUTSIDE);
    assert_eq!(delivered(&mut switch, B).len(), 1);

    switch.lower(NOW, vip(B));
    let told = delivered(&mut switch, A);
    assert!(told[0].1.flags.rst, "its flow is over");
    assert!(dial(&mut switch, NOW, A, 2, OUTSIDE).passes());
    assert_eq!(delivered(&mut switch, C).len(), 1);

    switch.raise(vip(B));
    dial(&mut switch, NOW, A, 3, OUTSIDE);
    assert_eq!(delivered(&mut switch, B).len(), 1);
    let more = segment((A, 2), (OUTSIDE, 443), ACK, 101, 501);
    assert!(switch.handle_packet(NOW, vip(A), more).passes());
    assert_eq!(
        delivered(&mut switch, C).len(),
        1,
        "a flow stays where it began"
    );

    switch.lower(NOW, vip(B));
    switch.lower(NOW, vip(C));
    delivered(&mut switch, A);
    refused_with_a_reset(&mut switch, 4, OUTSIDE);
}

#[test]
fn no_route_leads_to_what_means_something_else_on_every_machine() {
    let mut switch = routed(vec![route(&[B], &["0.0.0.0/0", "*"], &[])]);
    let special = [
        [0, 1, 2, 3],
        [127, 0, 0, 1],
        [127, 0, 42, 200],
        [169, 254, 169, 254],
        [224, 0, 0, 1],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
    ];
    for (port, to) in (1..).zip(special) {
        refused_with_a_reset(&mut switch, port, to.into());
    }
    // A route does not open ports of a host that are not published.
    refused_with_a_reset(&mut switch, 99, C);
}

#[test]
fn an_answer_passes_only_from_the_gateway_that_was_dialled() {
    let mut switch = routed(vec![route(&[B, C], &["10.0.0.0/8"], &[])]);
    switch.add(vip([127, 0, 42, 103].into()), [], false);
    let unrelated = vip([127, 0, 42, 103].into());
    dial(&mut switch, NOW, A, 4000, OUTSIDE);
    delivered(&mut switch, B);

    let verdict = switch.handle_packet(NOW, vip(C), answer(4000, OUTSIDE));
    assert_eq!(verdict, Verdict::Refused, "the other gateway was not asked");
    assert_eq!(switch.traffic(vip(C)).stray, 1);
    let verdict = switch.handle_packet(NOW, unrelated, answer(4000, OUTSIDE));
    assert_eq!(verdict, Verdict::Offence(Offence::Spoofed));
    assert!(delivered(&mut switch, A).is_empty());

    // Even the right gateway may not answer from addresses and ports that were not dialled.
    for other in [
        answer(4001, OUTSIDE),
        answer(4000, [10, 0, 0, 6].into()),
        segment((OUTSIDE, 80), (A, 4000), SYN | ACK, 500, 101),
    ] {
        assert_eq!(switch.handle_packet(NOW, vip(B), other), Verdict::Refused);
    }
    assert!(delivered(&mut switch, A).is_empty());
    let verdict = switch.handle_packet(NOW, vip(B), answer(4000, OUTSIDE));
    assert!(verdict.passes());
}

#[test]
fn a_reset_from_the_wrong_host_does_not_end_a_routed_flow() {
    let mut switch = routed(vec![route(&[B, C], &["10.0.0.0/8"], &[])]);
    dial(&mut switch, NOW, A, 4000, OUTSIDE);
    switch.handle_packet(NOW, vip(B), answer(4000, OUTSIDE));
    let reset = segment((OUTSIDE, 443), (A, 4000), RST, 501, 0);
    assert_eq!(switch.handle_packet(NOW, vip(C), reset), Verdict::Refused);
    assert_eq!(switch.flow_count(vip(A)), 1);
}

#[test]
fn a_gateway_speaks_for_nobody_beside_its_routes() {
    let mut switch = routed(vec![
        route(&[B], &["10.0.0.0/8", "127.0.42.0/24"], &["10.9.0.0/16"]),
        route(&[C], &["192.168.0.0/16"], &[]),
    ]);
    let sources = [
        Ipv4Addr::new(10, 9, 0, 1),
        Ipv4Addr::new(192, 168, 0, 1),
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv4Addr::LOCALHOST,
        C,
    ];
    for (n, source) in (1..).zip(sources) {
        let forged = segment((source, 443), (A, 4000), ACK, 1, 1);
        let verdict = switch.handle_packet(NOW, vip(B), forged);
        assert_eq!(verdict, Verdict::Offence(Offence::Spoofed), "{source}");
        assert_eq!(switch.traffic(vip(B)).spoofed, n);
    }
    assert!(delivered(&mut switch, A).is_empty());
}

#[test]
fn a_gateway_cannot_begin_a_flow_from_behind_it() {
    let mut switch = routed(vec![route(&[B], &["10.0.0.0/8"], &[])]);
    let syn = segment((OUTSIDE, 4000), (A, 80), SYN, 1, 0);
    assert_eq!(switch.handle_packet(NOW, vip(B), syn), Verdict::Refused);
    assert!(delivered(&mut switch, A).is_empty());
    assert_eq!(switch.flow_count(vip(A)), 0);
    let told = delivered(&mut switch, B);
    assert!(told[0].1.flags.rst);

    // The gateway may not begin a flow from a routed address, not even with the endpoints of an existing flow.
    dial(&mut switch, NOW, A, 80, OUTSIDE);
    let syn = segment((OUTSIDE, 443), (A, 80), SYN, 1, 0);
    assert_eq!(switch.handle_packet(NOW, vip(B), syn), Verdict::Refused);
    assert!(delivered(&mut switch, A).is_empty());
    assert_eq!(switch.flow_count(vip(A)), 1);
    // From its own address, the gateway may begin flows like every other host.
    let syn = segment((B, 4000), (A, 80), SYN, 1, 0);
    assert!(switch.handle_packet(NOW, vip(B), syn).passes());
}

#[test]
fn losing_the_gateway_resets_the_flows_that_went_through_it() {
    let mut switch = routed(vec![route(&[B], &["10.0.0.0/8"], &[])]);
    dial(&mut switch, NOW, A, 1, OUTSIDE);
    switch.handle_packet(NOW, vip(B), answer(1, OUTSIDE));
    dial(&mut switch, NOW, A, 2, OUTSIDE);
    delivered(&mut switch, A);
    switch.lower(NOW, vip(B));
    let told = delivered(&mut switch, A);
    assert_eq!(told.len(), 2);
    for (key, segment) in told {
        assert_eq!(key.src, SocketAddrV4::new(OUTSIDE, 443));
        assert!(segment.flags.rst);
        let in_order = if key.dst.port() == 1 {
            segment.seq == 501
        } else {
            segment.ack == 101
        };
        assert!(in_order, "{segment:?}");
    }
    assert_eq!(switch.flow_count(vip(A)), 0);
}

#[test]
fn losing_the_host_that_dialled_tells_the_gateway_where_it_dialled() {
    let mut switch = routed(vec![route(&[B], &["10.0.0.0/8"], &[])]);
    dial(&mut switch, NOW, A, 1, OUTSIDE);
    switch.handle_packet(NOW, vip(B), answer(1, OUTSIDE));
    delivered(&mut switch, B);
    switch.lower(NOW, vip(A));
    let told = delivered(&mut switch, B);
    assert_eq!(told[0].0.dst, SocketAddrV4::new(OUTSIDE, 443));
    assert!(told[0].1.flags.rst);
}
