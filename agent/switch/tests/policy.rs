//! Tests of the policy: which flows it refuses, which flows it ends, and how refusals are reported.

use super::{
    routes::{answer, dial, route},
    *,
};
use crate::route::policy::{Beyond, Hosts, Line, Rule};

/// A rule in short: the host that connects, hosts to connect to, destinations outside, the port (0 for all), and the
/// action.
type Brief<'a> = (Ipv4Addr, &'a [Ipv4Addr], &'a [&'a str], u16, Action);

/// The policy of a network of the three hosts.
fn policy(default: Action, rules: &[Brief<'_>]) -> Policy {
    let hosts = |hosts: &[Ipv4Addr]| Hosts::Only(hosts.iter().copied().map(vip).collect());
    let rules = rules.iter().zip(1..);
    let rules = rules.map(|((from, to, beyond, port, action), number)| Rule {
        number,
        line: Line(usize::from(number)),
        from: hosts(&[*from]),
        to: hosts(to),
        beyond: Beyond::Only(beyond.iter().map(|text| text.parse().unwrap()).collect()),
        via: Hosts::Everybody,
        ports: Port::new(*port)
            .iter()
            .map(|port| port.get()..=port.get())
            .collect(),
        action: *action,
    });
    Policy::new(default, rules.collect(), [A, B, C].map(vip), [])
}

fn ruled(default: Action, rules: &[Brief<'_>]) -> Switch {
    let routes = vec![route(&[C], &["10.0.0.0/8", "*.internal"], &[])];
    let mut switch = super::routes::routed(routes);
    switch.set_policy(NOW, policy(default, rules));
    switch
}

/// Begins a flow to port 80 of a host.
fn knock(switch: &mut Switch, from: Ipv4Addr, port: u16, to: Ipv4Addr) -> Verdict {
    let syn = segment((from, port), (to, 80), SYN, 100, 0);
    switch.handle_packet(NOW, vip(from), syn)
}

const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

#[test]
fn what_the_policy_refuses_is_reset_and_reaches_nobody() {
    let mut switch = ruled(Action::Allow, &[(A, &[B], &[], 0, Action::Deny)]);
    assert_eq!(knock(&mut switch, A, 5_000, B), Verdict::Refused);
    assert!(delivered(&mut switch, B).is_empty());
    let told = delivered(&mut switch, A);
    assert!(told.len() == 1 && told[0].1.flags.rst);
    assert!(knock(&mut switch, A, 5_001, C).passes());
    assert!(knock(&mut switch, B, 5_002, A).passes());
    assert_eq!(switch.traffic(vip(A)).refused, 1);
}

#[test]
fn an_allowed_port_that_nobody_publishes_stays_closed() {
    let mut switch = ruled(Action::Allow, &[(A, &[B], &[], 81, Action::Allow)]);
    let syn = segment((A, 5_000), (B, 81), SYN, 100, 0);
    assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
    // The policy was not the reason for these refusals.
    assert_eq!(switch.poll_refused(NOW + Duration::from_mins(2)), None);
}

#[test]
fn what_is_behind_a_gateway_has_its_own_rules() {
    let mut switch = ruled(
        Action::Deny,
        &[(A, &[], &["10.0.0.0/8"], 443, Action::Allow)],
    );
    assert!(dial(&mut switch, NOW, A, 5_000, OUTSIDE).passes());
    assert_eq!(dial(&mut switch, NOW, B, 5_000, OUTSIDE), Verdict::Refused);
    let syn = segment((A, 5_001), (OUTSIDE, 80), SYN, 100, 0);
    assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
    assert_eq!(knock(&mut switch, A, 5_002, C), Verdict::Refused);
}

#[test]
fn an_address_of_a_name_is_refused_where_a_rule_about_names_may_be_about_it() {
    let learned = Ipv4Addr::new(192, 0, 2, 9);
    let mut switch = ruled(
        Action::Allow,
        &[(A, &[], &["secret.internal"], 0, Action::Deny)],
    );
    for host in [A, B] {
        let taught = switch.learn(NOW, vip(host), vip(C), &[learned.into()]);
        assert_eq!(taught, Verdict::Forwarded);
    }
    assert_eq!(dial(&mut switch, NOW, A, 5_000, learned), Verdict::Refused);
    assert!(dial(&mut switch, NOW, B, 5_000, learned).passes());
    // An address to which a route leads does not count as an address that was learned for a name.
    assert!(dial(&mut switch, NOW, A, 5_001, OUTSIDE).passes());
}

#[test]
fn a_right_that_is_taken_away_cuts_the_flows_that_use_it_at_both_ends() {
    let mut switch = ruled(Action::Allow, &[(B, &[A], &[], 0, Action::Deny)]);
    open(&mut switch, 5_000);
    assert!(dial(&mut switch, NOW, A, 6_000, OUTSIDE).passes());
    switch.handle_packet(NOW, vip(C), answer(6_000, OUTSIDE));
    assert!(knock(&mut switch, C, 7_000, B).passes());
    for host in [A, B, C] {
        delivered(&mut switch, host);
    }
    let same = policy(Action::Allow, &[(B, &[A], &[], 0, Action::Deny)]);
    assert_eq!(switch.set_policy(NOW, same), 0);
    let other = policy(
        Action::Allow,
        &[(A, &[B], &["10.0.0.0/8"], 0, Action::Deny)],
    );
    assert_eq!(switch.set_policy(NOW, other), 2);
    assert_eq!(switch.flow_count(vip(A)), 0);
    assert_eq!(switch.flow_count(vip(B)), 1);
    for (host, resets) in [(A, 2), (B, 1), (C, 1)] {
        let told = delivered(&mut switch, host);
        assert_eq!(told.len(), resets, "{host}");
        assert!(told.iter().all(|(_, segment)| segment.flags.rst), "{host}");
    }
    // A late packet does not belong to any flow.
    let late = segment((A, 5_000), (B, 80), ACK, 101, 501);
    assert_eq!(switch.handle_packet(NOW, vip(A), late), Verdict::Refused);
    assert!(delivered(&mut switch, B).is_empty());
}

#[test]
fn a_thousand_refusals_are_told_once() {
    let mut switch = ruled(Action::Deny, &[(A, &[B], &[], 80, Action::Allow)]);
    for number in 0..1_000_u16 {
        let to = Ipv4Addr::new(198, 51, 100, (number % 250) as u8);
        let syn = segment((A, 5_000), (to, 1_000 + number), SYN, 100, 0);
        assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
    }
    assert_eq!(switch.poll_refused(NOW), None);
    let (due, why) = switch.poll_timeout().unwrap();
    assert_eq!(why, "what the policy has refused");
    let told = switch.poll_refused(due).unwrap();
    assert_eq!(
        (told.from, told.times, told.targets),
        (vip(A), 1_000, 1_000)
    );
    assert_eq!(told.most[0].2, By::Default);
    assert_eq!(switch.poll_refused(due + Duration::from_hours(1)), None);
}

#[test]
fn what_the_policy_refuses_or_ends_is_among_the_ended_flows() {
    let mut switch = ruled(Action::Allow, &[(A, &[B], &[], 0, Action::Deny)]);
    assert_eq!(knock(&mut switch, A, 5_000, B), Verdict::Refused);
    assert!(knock(&mut switch, A, 5_001, C).passes());
    let stricter = policy(Action::Allow, &[(A, &[B, C], &[], 0, Action::Deny)]);
    assert_eq!(switch.set_policy(NOW, stricter), 1);
    let ended: Vec<_> = switch
        .ended(10)
        .map(|flow| (flow.from, flow.to, flow.outcome))
        .collect();
    let denied = |to| (vip(A), Some(vip(to)), FlowOutcome::Denied);
    assert_eq!(ended, [denied(B), denied(C)]);
}
