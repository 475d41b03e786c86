//! Tests of what the switch reports about flows, about flows that have ended, and about the services behind published
//! ports. Also tests how a person ends a flow.

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

fn only(switch: &Switch, now: Instant) -> FlowInfo {
    let flows: Vec<_> = switch.flow_uses(None).collect();
    assert_eq!((switch.flow_total(), flows.len()), (1, 1));
    let flow = switch.flow(now, flows[0].0).unwrap();
    assert_eq!(switch.flow(now, flow.key.reversed()), Some(flow));
    flow
}

/// A segment with `count` bytes of data.
fn data(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), seq: u32, count: u16) -> PacketFrame {
    let frame = segment(src, dst, ACK, seq, 1);
    let mut bytes = frame.payload().to_vec();
    bytes.resize(40 + usize::from(count), 0);
    bytes[2..4].copy_from_slice(&(40 + count).to_be_bytes());
    PacketFrame::new(&bytes)
}

#[test]
fn a_flow_is_told_from_its_first_packet_to_its_last() {
    let mut switch = switch();
    let (a, c) = ((A, 4000), (C, 80));
    let forward = |switch: &mut Switch, millis, from, frame| {
        let verdict = switch.handle_packet(at(millis), vip(from), frame);
        assert!(verdict.passes());
    };
    // The flow goes from the greater address to the smaller one. Even so, the end that began the flow comes first in
    // the report.
    forward(&mut switch, 10, C, segment((C, 4000), (A, 80), SYN, 100, 0));
    let flow = only(&switch, at(30));
    assert_eq!((flow.from, flow.to), (vip(C), vip(A)));
    assert_eq!(flow.key.src.to_string(), "127.0.42.102:4000");
    assert_eq!((flow.phase, flow.handshake), (FlowPhase::Opening, None));
    forward(&mut switch, 11, C, segment((C, 4000), (A, 80), RST, 101, 0));
    assert_eq!(switch.flow_total(), 0);

    forward(&mut switch, 100, A, segment(a, c, SYN, 100, 0));
    forward(&mut switch, 120, C, segment(c, a, SYN | ACK, 500, 101));
    forward(&mut switch, 125, A, segment(a, c, ACK, 101, 501));
    forward(&mut switch, 150, A, data(a, c, 101, 300));
    forward(&mut switch, 160, C, data(c, a, 501, 1_000));
    // The last 600 of the 1,000 bytes are sent again, and a keepalive probe is sent. Neither counts as new bytes.
    forward(&mut switch, 170, C, data(c, a, 901, 600));
    forward(&mut switch, 180, C, data(c, a, 1_500, 1));
    let flow = only(&switch, at(400));
    assert_eq!(flow.phase, FlowPhase::Open);
    assert_eq!(flow.handshake, Some(Duration::from_millis(25)));
    assert_eq!((flow.sent.bytes, flow.sent.packets), (300, 3));
    assert_eq!((flow.received.bytes, flow.received.packets), (1_000, 4));
    assert_eq!((flow.sent.rate, flow.received.rate), (300, 1_000));
    assert_eq!(flow.age, Duration::from_millis(300));
    assert_eq!(flow.idle, Duration::from_millis(220));

    forward(&mut switch, 500, A, segment(a, c, FIN | ACK, 401, 1_501));
    assert_eq!(only(&switch, at(500)).phase, FlowPhase::Closing);
}

#[test]
fn flows_are_told_with_their_last_use_from_any_of_them_on() {
    let mut switch = switch();
    for port in 4000..4010 {
        let syn = segment((A, port), (B, 80), SYN, 1, 0);
        let verdict = switch.handle_packet(at(port.into()), vip(A), syn);
        assert!(verdict.passes());
    }
    let all: Vec<_> = switch.flow_uses(None).collect();
    let uses = all
        .iter()
        .map(|(key, last)| (key.src.port(), *last))
        .collect::<Vec<_>>();
    let right: Vec<_> = (4000..4010).map(|port| (port, at(port.into()))).collect();
    assert_eq!(uses, right);
    let (after, _) = all[6];
    // A flow that is gone can still be given as the place after which to continue.
    for _ in 0..2 {
        let rest: Vec<_> = switch.flow_uses(Some(after)).collect();
        assert_eq!(rest, all[7..]);
        switch.kill_flow(NOW, after);
    }
}

#[test]
fn a_flow_that_is_killed_is_reset_at_both_ends_and_gone() {
    let mut switch = switch();
    open(&mut switch, 4000);
    let key = only(&switch, NOW).key;
    assert!(switch.kill_flow(NOW, key.reversed()));
    assert!(!switch.kill_flow(NOW, key));
    let to_b = delivered(&mut switch, B);
    let to_a = delivered(&mut switch, A);
    let (b, a) = (to_b[0], to_a[0]);
    assert_eq!((to_b.len(), to_a.len()), (1, 1));
    assert!(b.1.flags.rst && a.1.flags.rst);
    // Each reset has the sequence number that its receiver expects next. Otherwise the receiver would not accept the
    // reset.
    assert_eq!((b.0, b.1.seq), (key, 101));
    assert_eq!((a.0, a.1.seq), (key.reversed(), 501));
    let late = segment((A, 4000), (B, 80), ACK, 101, 501);
    assert_eq!(switch.handle_packet(NOW, vip(A), late), Verdict::Refused);
}

#[test]
fn a_flow_that_is_killed_while_it_opens_is_refused_to_the_one_that_began() {
    let mut switch = switch();
    let syn = segment((A, 4000), (B, 80), SYN, 100, 0);
    assert!(switch.handle_packet(NOW, vip(A), syn).passes());
    delivered(&mut switch, B);
    assert!(switch.kill_flow(NOW, only(&switch, NOW).key));
    let to_a = delivered(&mut switch, A);
    let flags = to_a[0].1.flags;
    assert!(flags.rst && flags.ack);
    assert_eq!(to_a[0].1.ack, 101);
    assert!(delivered(&mut switch, B)[0].1.flags.rst);
}

/// The same segment with another window.
fn with_window(frame: &PacketFrame, window: u16) -> PacketFrame {
    let mut bytes = frame.payload().to_vec();
    bytes[34..36].copy_from_slice(&window.to_be_bytes());
    PacketFrame::new(&bytes)
}

#[test]
fn bytes_that_nobody_takes_yet_pass_and_are_counted() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    open(&mut switch, 4000);
    let mut verdict = |from, frame| switch.handle_packet(NOW, vip(from), frame);
    let offer = |ack, window| with_window(&segment(b, a, ACK, 501, ack), window);
    assert_eq!(verdict(B, offer(101, 1_000)), Verdict::Forwarded);
    assert_eq!(verdict(A, data(a, b, 101, 1_000)), Verdict::Forwarded);
    assert_eq!(
        verdict(A, data(a, b, 101, 1_000)),
        Verdict::Forwarded,
        "B may have made A repeat it"
    );
    assert_eq!(
        verdict(A, data(a, b, 601, 1_000)),
        Verdict::Useless(500),
        "half too soon"
    );
    assert_eq!(verdict(B, offer(1_101, 2_000)), Verdict::Forwarded);
    assert_eq!(verdict(A, data(a, b, 1_601, 500)), Verdict::Forwarded);
    assert_eq!(
        verdict(A, data(a, b, 3_001, 300)),
        Verdict::Useless(200),
        "too soon"
    );
}

#[test]
fn a_syn_costs_as_much_when_it_is_sent_again() {
    let mut switch = switch();
    for _ in 0..3 {
        let syn = segment((A, 4000), (B, 80), SYN, 100, 0);
        assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Begun);
    }
    assert_eq!(switch.flow_total(), 1);
}

/// The outcomes of the flows that have ended, in the order of their ends.
fn outcomes(switch: &Switch) -> Vec<FlowOutcome> {
    switch.ended(100).map(|flow| flow.outcome).collect()
}

fn tried(switch: &Switch, host: Ipv4Addr) -> Vec<(u16, TryOutcome, Instant)> {
    let tried = switch.tried(vip(host));
    tried
        .map(|(port, tried)| (port.get(), tried.outcome, tried.at))
        .collect()
}

#[test]
fn a_connection_that_lasted_a_moment_is_told_with_its_bytes_after_its_end() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    open(&mut switch, 4000);
    for (millis, from, frame) in [
        (10, A, data(a, b, 101, 300)),
        (20, B, data(b, a, 501, 1_000)),
        (30, A, segment(a, b, FIN | ACK, 401, 1_501)),
        (30, B, segment(b, a, FIN | ACK, 1_501, 402)),
    ] {
        let verdict = switch.handle_packet(at(millis), vip(from), frame);
        assert!(verdict.passes());
    }
    assert_eq!(outcomes(&switch), []);
    let last = segment(a, b, ACK, 402, 1_502);
    assert!(switch.handle_packet(at(40), vip(A), last).passes());
    assert_eq!(switch.flow_total(), 0);
    let ended: Vec<_> = switch.ended(10).copied().collect();
    let [ended] = ended[..] else {
        panic!("{ended:?}");
    };
    assert_eq!(ended.outcome, FlowOutcome::Closed);
    assert_eq!((ended.from, ended.to), (vip(A), Some(vip(B))));
    assert_eq!((ended.sent, ended.received), (300, 1_000));
    assert_eq!(
        (ended.at, ended.lasted),
        (at(40), Duration::from_millis(40))
    );
}

#[test]
fn each_end_of_a_flow_has_its_outcome() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    let pass = |switch: &mut Switch, millis, from, frame| {
        let verdict = switch.handle_packet(at(millis), vip(from), frame);
        assert!(verdict.passes());
    };
    let refusal = || segment(b, a, RST | ACK, 0, 101);
    open(&mut switch, 4000);
    pass(&mut switch, 0, A, segment(a, b, RST, 101, 0));
    open(&mut switch, 4000);
    pass(&mut switch, 0, B, segment(b, a, RST, 501, 0));
    pass(&mut switch, 10, A, segment(a, b, SYN, 100, 0));
    pass(&mut switch, 20, B, refusal());
    pass(&mut switch, 10, A, segment(a, b, SYN, 100, 0));
    pass(&mut switch, 10_010, B, refusal());
    // If a client gives up before the answer, that says nothing about the service.
    pass(&mut switch, 10_020, A, segment(a, b, SYN, 100, 0));
    pass(&mut switch, 10_030, A, segment(a, b, RST, 101, 0));
    // A host that begins a flow anew has forgotten the old flow.
    open(&mut switch, 4000);
    open_at(&mut switch, 4000, 9_000);
    let key = only(&switch, NOW).key;
    assert!(switch.kill_flow(NOW, key));
    open(&mut switch, 4000);
    switch.lower(NOW, vip(B));
    let syn = segment(a, b, SYN, 100, 0);
    assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
    assert_eq!(
        outcomes(&switch),
        [
            FlowOutcome::ResetByFrom,
            FlowOutcome::ResetByTo,
            FlowOutcome::Refused,
            FlowOutcome::TimedOut,
            FlowOutcome::ResetByFrom,
            FlowOutcome::ResetByFrom,
            FlowOutcome::Killed,
            FlowOutcome::Lost,
            FlowOutcome::Unavailable,
        ]
    );
    // A packet that belongs to no flow does not end any flow.
    let stray = segment((A, 4001), (B, 80), ACK, 1, 1);
    assert_eq!(switch.handle_packet(NOW, vip(A), stray), Verdict::Refused);
    assert_eq!(outcomes(&switch).len(), 9);
    switch.remove(NOW, vip(B));
    assert_eq!(outcomes(&switch), []);
}

#[test]
fn a_service_is_known_by_the_last_connection_to_it() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    assert_eq!(tried(&switch, B), []);
    let pass = |switch: &mut Switch, millis, from, frame| {
        let verdict = switch.handle_packet(at(millis), vip(from), frame);
        assert!(verdict.passes());
    };
    pass(&mut switch, 10, A, segment(a, b, SYN, 100, 0));
    assert_eq!(tried(&switch, B), [], "nobody knows yet");
    pass(&mut switch, 20, B, segment(b, a, RST | ACK, 0, 101));
    assert_eq!(tried(&switch, B), [(80, TryOutcome::Refused, at(20))]);
    assert_eq!(tried(&switch, A), []);
    // The change is reported once, a little later, no matter how often the outcome changes until then.
    let due = switch.poll_timeout().map(|(at, _)| at);
    assert_eq!(due, Some(at(1_020)));
    pass(&mut switch, 30, A, segment(a, b, SYN, 100, 0));
    pass(&mut switch, 40, B, segment(b, a, SYN | ACK, 500, 101));
    assert_eq!(tried(&switch, B), [(80, TryOutcome::Answered, at(40))]);
    assert!(!switch.poll_tried(at(1_000)));
    assert!(switch.poll_tried(at(1_020)) && !switch.poll_tried(at(1_020)));
    // A reset after the service has accepted the connection does not change the outcome.
    pass(&mut switch, 2_000, B, segment(b, a, RST, 501, 0));
    assert_eq!(tried(&switch, B), [(80, TryOutcome::Answered, at(40))]);
    assert!(!switch.poll_tried(at(9_000)), "nothing has changed");

    // Nobody answers the SYN.
    pass(&mut switch, 3_000, A, segment(a, b, SYN, 100, 0));
    switch.handle_timeout(at(123_000));
    assert_eq!(tried(&switch, B), [(80, TryOutcome::TimedOut, at(123_000))]);
    assert_eq!(outcomes(&switch).last(), Some(&FlowOutcome::TimedOut));

    let port = |number| Port::new(number).unwrap();
    switch.update(vip(B), [port(80), port(81)], false);
    assert_eq!(tried(&switch, B).len(), 1, "the port is still published");
    switch.note_tried(at(130_000), vip(B), port(82), TryOutcome::Answered);
    assert_eq!(tried(&switch, B).len(), 1, "this one is not");
    switch.forget_tried(vip(B), port(80));
    assert_eq!(tried(&switch, B), []);
    switch.note_tried(at(130_000), vip(B), port(80), TryOutcome::Answered);
    switch.lower(at(130_000), vip(B));
    assert_eq!(tried(&switch, B), []);
}
