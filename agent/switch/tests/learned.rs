//! Tests of addresses that proxies report as being behind gateways: which reports are accepted, for which host, and for
//! how long.

use super::super::learned::ADDRESSES_MAX;
use super::{
    routes::{answer, dial, route, routed},
    *,
};

/// An address that no static route leads to.
const FOUND: Ipv4Addr = Ipv4Addr::new(10, 7, 7, 7);
const HOUR: Duration = Duration::from_hours(1);

/// Routes for names lead through B, and a block of addresses leads through C.
fn switch() -> Switch {
    routed(vec![
        route(&[B], &["*.internal"], &[]),
        route(&[C], &["192.168.0.0/16"], &[]),
    ])
}

fn learn(switch: &mut Switch, now: Instant, teacher: Ipv4Addr, addresses: &[Ipv4Addr]) -> Verdict {
    let addresses: Vec<_> = addresses.iter().copied().map(IpAddr::from).collect();
    switch.learn(now, vip(teacher), vip(B), &addresses)
}

/// The address with this number, for tests that need many addresses.
fn nth(n: usize) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + u32::try_from(n).unwrap())
}

/// Whether a new connection from A to the address goes to B.
fn is_known(switch: &mut Switch, now: Instant, port: u16, address: Ipv4Addr) -> bool {
    let verdict = dial(switch, now, A, port, address);
    delivered(switch, A);
    let arrived = delivered(switch, B);
    assert_eq!(verdict.passes(), arrived.len() == 1);
    verdict.passes()
}

/// Reports the maximum number of addresses for A, and returns the time of the last report.
fn fill(switch: &mut Switch, mut now: Instant) -> Instant {
    let all: Vec<_> = (0..ADDRESSES_MAX).map(nth).collect();
    for some in all.chunks(AT_ONCE_MAX) {
        now = now + Duration::from_secs(1);
        learn(switch, now, A, some);
    }
    now
}

#[test]
fn a_learned_address_counts_for_the_host_that_taught_it_alone() {
    let mut switch = switch();
    assert!(!is_known(&mut switch, NOW, 1, FOUND));
    assert_eq!(learn(&mut switch, NOW, A, &[FOUND]), Verdict::Forwarded);
    assert!(is_known(&mut switch, NOW, 2, FOUND));
    let answer = switch.handle_packet(NOW, vip(B), answer(2, FOUND));
    assert_eq!(answer, Verdict::Forwarded);
    assert_eq!(delivered(&mut switch, A).len(), 1);
    assert_eq!(dial(&mut switch, NOW, C, 1, FOUND), Verdict::Refused);
    assert!(delivered(&mut switch, B).is_empty());
}

#[test]
fn only_a_host_with_a_proxy_teaches() {
    let mut switch = switch();
    switch.add(vip(A), Port::new(80), false);
    switch.raise(vip(A));
    let verdict = learn(&mut switch, NOW, A, &[FOUND]);
    assert_eq!(verdict, Verdict::Offence(Offence::Suggestion));
    assert!(!is_known(&mut switch, NOW, 1, FOUND));
}

#[test]
fn a_host_that_is_down_teaches_nothing() {
    let mut switch = switch();
    switch.lower(NOW, vip(A));
    let verdict = learn(&mut switch, NOW, A, &[FOUND]);
    assert_eq!(verdict, Verdict::Offence(Offence::Suggestion));
    switch.raise(vip(A));
    assert!(!is_known(&mut switch, NOW, 1, FOUND));
}

#[test]
fn only_a_gateway_of_names_is_taught_about() {
    let mut switch = switch();
    let outside = [IpAddr::from(FOUND)];
    for via in [A, C, Ipv4Addr::new(127, 0, 42, 200)] {
        let verdict = switch.learn(NOW, vip(A), vip(via), &outside);
        assert_eq!(verdict, Verdict::Offence(Offence::Suggestion), "{via}");
    }
    assert!(!is_known(&mut switch, NOW, 1, FOUND));
}

#[test]
fn nothing_is_learned_over_another_hosts_route_or_about_what_is_no_ones() {
    let mut switch = switch();
    let addresses = [
        Ipv4Addr::new(192, 168, 0, 1),
        C,
        Ipv4Addr::new(127, 0, 42, 200),
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(169, 254, 169, 254),
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::BROADCAST,
        FOUND,
    ];
    assert_eq!(learn(&mut switch, NOW, A, &addresses), Verdict::Forwarded);
    for (port, address) in (1..).zip(&addresses[1..8]) {
        let verdict = dial(&mut switch, NOW, A, port, *address);
        assert_eq!(verdict, Verdict::Refused, "{address}");
    }
    assert!(delivered(&mut switch, B).is_empty());
    dial(&mut switch, NOW, A, 80, addresses[0]);
    assert!(delivered(&mut switch, B).is_empty());
    assert_eq!(delivered(&mut switch, C).len(), 1);
    delivered(&mut switch, A);
    assert!(is_known(&mut switch, NOW, 81, FOUND), "the rest was good");
}

#[test]
fn a_vip_is_not_learned_where_a_route_names_its_block() {
    let mut switch = routed(vec![route(&[B], &["*", "127.0.42.0/24"], &[])]);
    learn(&mut switch, NOW, A, &[C]);
    let syn = segment((A, 1), (C, 80), SYN, 1, 0);
    assert!(switch.handle_packet(NOW, vip(A), syn).passes());
    assert_eq!(delivered(&mut switch, C).len(), 1);
    assert!(delivered(&mut switch, B).is_empty());
}

#[test]
fn addresses_of_ipv6_are_passed_over_and_mapped_ones_are_meant() {
    let mut switch = switch();
    let addresses = ["fd00::1".parse().unwrap(), FOUND.to_ipv6_mapped().into()];
    switch.learn(NOW, vip(A), vip(B), &addresses);
    assert!(is_known(&mut switch, NOW, 1, FOUND));
}

#[test]
fn a_suggestion_is_looked_at_up_to_its_sixty_fourth_address() {
    let mut switch = switch();
    let many: Vec<_> = (0..65).map(nth).collect();
    assert_eq!(learn(&mut switch, NOW, A, &many), Verdict::Forwarded);
    assert!(is_known(&mut switch, NOW, 1, many[63]));
    assert!(!is_known(&mut switch, NOW, 2, many[64]));
}

#[test]
fn fifty_suggestions_a_second_are_heard() {
    let mut switch = switch();
    for n in 0..51 {
        learn(&mut switch, NOW, A, &[nth(n)]);
    }
    assert!(is_known(&mut switch, NOW, 1, nth(49)));
    assert!(!is_known(&mut switch, NOW, 2, nth(50)));
    // The limit is per host, so C may still report addresses. In the next second, A may do so again, too.
    learn(&mut switch, NOW, C, &[nth(50)]);
    assert!(dial(&mut switch, NOW, C, 1, nth(50)).passes());
    delivered(&mut switch, B);
    let later = NOW + Duration::from_secs(1);
    learn(&mut switch, later, A, &[nth(50)]);
    assert!(is_known(&mut switch, later, 3, nth(50)));
}

#[test]
fn the_address_that_was_not_used_for_longest_makes_room() {
    let mut switch = switch();
    let now = fill(&mut switch, NOW);
    // The address that was reported first is used now. Therefore the second one is the one that has been unused for the
    // longest time.
    let now = now + Duration::from_secs(1);
    assert!(is_known(&mut switch, now, 1, nth(0)));
    let reset = segment((A, 1), (nth(0), 443), RST, 101, 0);
    switch.handle_packet(now, vip(A), reset);
    assert_eq!(switch.flow_count(vip(A)), 0);
    delivered(&mut switch, B);
    learn(&mut switch, now, A, &[FOUND]);
    for (port, address, known) in [
        (2, FOUND, true),
        (3, nth(0), true),
        (4, nth(1), false),
        (5, nth(2), true),
        (6, nth(ADDRESSES_MAX - 1), true),
    ] {
        assert_eq!(
            is_known(&mut switch, now, port, address),
            known,
            "{address}"
        );
    }
}

#[test]
fn an_address_with_a_flow_never_makes_room() {
    let mut switch = switch();
    let now = fill(&mut switch, NOW);
    assert!(is_known(&mut switch, NOW, 1, nth(0)));
    // After the flow has begun, the maximum number of other addresses is reported.
    let others: Vec<_> = (10_000..10_000 + ADDRESSES_MAX).map(nth).collect();
    let mut now = now;
    for some in others.chunks(AT_ONCE_MAX) {
        now = now + Duration::from_secs(1);
        learn(&mut switch, now, A, some);
    }
    assert!(is_known(&mut switch, now, 2, nth(0)), "it has a flow");
    assert!(!is_known(&mut switch, now, 3, nth(1)), "it has none");
    assert!(is_known(&mut switch, now, 4, others[others.len() - 1]));
}

#[test]
fn an_hour_without_use_ends_it_for_new_flows_and_not_for_live_ones() {
    let mut switch = switch();
    learn(&mut switch, NOW, A, &[FOUND]);
    let used = NOW + Duration::from_mins(59);
    assert!(is_known(&mut switch, used, 1, FOUND), "and this is a use");
    switch.handle_packet(used, vip(B), answer(1, FOUND));
    let late = used + HOUR;
    assert!(!is_known(&mut switch, late, 2, FOUND));
    for seq in [501, 502] {
        let data = segment((FOUND, 443), (A, 1), ACK, seq, 101);
        let verdict = switch.handle_packet(late, vip(B), data);
        assert!(verdict.passes(), "the flow goes on");
    }
    assert_eq!(delivered(&mut switch, A).len(), 2);
}

#[test]
fn a_live_flow_keeps_its_gateway_when_the_address_is_learned_anew() {
    let mut switch = routed(vec![
        route(&[B], &["*.internal"], &[]),
        route(&[C], &["*.example"], &[]),
    ]);
    learn(&mut switch, NOW, A, &[FOUND]);
    assert!(is_known(&mut switch, NOW, 1, FOUND));
    switch.learn(NOW, vip(A), vip(C), &[FOUND.into()]);
    dial(&mut switch, NOW, A, 2, FOUND);
    assert_eq!(delivered(&mut switch, C).len(), 1, "the last word counts");
    let verdict = switch.handle_packet(NOW, vip(B), answer(1, FOUND));
    assert!(verdict.passes());
    let verdict = switch.handle_packet(NOW, vip(C), answer(1, FOUND));
    assert_eq!(verdict, Verdict::Refused);
}

#[test]
fn what_a_host_taught_goes_with_it() {
    let mut switch = switch();
    learn(&mut switch, NOW, A, &[FOUND]);
    switch.lower(NOW, vip(A));
    switch.raise(vip(A));
    assert!(!is_known(&mut switch, NOW, 1, FOUND));
}

#[test]
fn what_a_gateway_still_sends_to_a_host_that_is_gone_is_no_offence() {
    let mut switch = switch();
    learn(&mut switch, NOW, A, &[FOUND]);
    assert!(is_known(&mut switch, NOW, 1, FOUND));
    switch.lower(NOW, vip(A));
    let verdict = switch.handle_packet(NOW, vip(B), answer(1, FOUND));
    assert_eq!(verdict, Verdict::Refused);
    let verdict = switch.handle_packet(NOW, vip(C), answer(1, FOUND));
    assert_eq!(verdict, Verdict::Offence(Offence::Spoofed));
}

#[test]
fn a_learned_address_behind_a_gateway_that_is_down_is_refused() {
    let mut switch = switch();
    learn(&mut switch, NOW, A, &[FOUND]);
    switch.lower(NOW, vip(B));
    assert_eq!(dial(&mut switch, NOW, A, 1, FOUND), Verdict::Refused);
    assert!(delivered(&mut switch, A)[0].1.flags.rst);
    switch.raise(vip(B));
    assert!(is_known(&mut switch, NOW, 2, FOUND));
}

#[test]
fn the_gateway_of_a_name_cannot_begin_a_flow_from_an_address_that_was_taught() {
    let mut switch = switch();
    learn(&mut switch, NOW, A, &[FOUND]);
    let syn = segment((FOUND, 4000), (A, 80), SYN, 1, 0);
    assert_eq!(switch.handle_packet(NOW, vip(B), syn), Verdict::Refused);
    assert!(delivered(&mut switch, A).is_empty());
}
