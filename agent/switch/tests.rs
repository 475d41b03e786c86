//! Tests of which packets pass, which must not pass, and how the switch answers them.

mod flows;
mod learned;
mod policy;
mod routes;

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use bytes::BytesMut;

use super::*;
use crate::wire::{Decoder, HEADER_LEN, Item};

const A: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 100);
const B: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 101);
const C: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 102);
const NOW: Instant = Instant::ZERO;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

fn vip(address: Ipv4Addr) -> Vip {
    Vip::new(address).unwrap()
}

/// Three hosts that publish port 80, all up.
fn switch() -> Switch {
    let mut switch = Switch::new(Routes::default());
    for address in [A, B, C] {
        switch.add(vip(address), Port::new(80), false);
        switch.raise(vip(address));
    }
    switch
}

/// A segment without data.
fn segment(
    src: (Ipv4Addr, u16),
    dst: (Ipv4Addr, u16),
    flags: u8,
    seq: u32,
    ack: u32,
) -> PacketFrame {
    let key = FlowKey {
        src: SocketAddrV4::new(src.0, src.1),
        dst: SocketAddrV4::new(dst.0, dst.1),
    };
    let mut bytes = crate::wire::packet::reset(key, seq, Some(ack));
    bytes[33] = flags;
    PacketFrame::new(&bytes)
}

/// All frames that wait for a host, parsed. They are taken from the queue.
fn delivered(switch: &mut Switch, to: Ipv4Addr) -> Vec<(FlowKey, crate::wire::Segment)> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = switch.poll_frame(vip(to), true) {
        bytes.extend_from_slice(&frame);
    }
    let mut decoder = Decoder::new(0);
    std::iter::from_fn(|| decoder.poll(&mut bytes).unwrap())
        .map(|item| {
            let Item::Packet(frame) = item else {
                panic!("{item:?}");
            };
            let packet = Packet::parse(frame.payload()).unwrap();
            (packet.key(), packet.segment())
        })
        .collect()
}

/// Opens a flow from this port of A to port 80 of B, and empties the queues.
fn open(switch: &mut Switch, port: u16) {
    open_at(switch, port, 100);
}

/// Opens a flow like [`open`], with this first sequence number.
fn open_at(switch: &mut Switch, port: u16, seq: u32) {
    let (a, b) = ((A, port), (B, 80));
    let steps = [
        (vip(A), segment(a, b, SYN, seq, 0)),
        (vip(B), segment(b, a, SYN | ACK, 500, seq + 1)),
        (vip(A), segment(a, b, SYN, seq, 0)),
        (vip(A), segment(a, b, ACK, seq + 1, 501)),
    ];
    for (from, frame) in steps {
        assert!(switch.handle_packet(NOW, from, frame).passes());
    }
    delivered(switch, A);
    delivered(switch, B);
}

#[test]
fn a_packet_reaches_the_host_it_is_for_and_no_other() {
    let mut switch = switch();
    let syn = segment((A, 4000), (B, 80), SYN, 1, 0);
    assert!(switch.handle_packet(NOW, vip(A), syn).passes());
    assert_eq!(switch.poll_wake(), Some(vip(B)));
    assert_eq!(switch.poll_wake(), None);
    assert_eq!(delivered(&mut switch, B).len(), 1);
    assert!(delivered(&mut switch, A).is_empty() && delivered(&mut switch, C).is_empty());
}

#[test]
fn a_thousand_spoofed_packets_are_a_thousand_drops() {
    let mut switch = switch();
    open(&mut switch, 4000);
    for seq in 0..1000 {
        // C sends a packet within an existing flow, with the address of A.
        let forged = segment((A, 4000), (B, 80), ACK, seq, 501);
        let verdict = switch.handle_packet(NOW, vip(C), forged);
        assert_eq!(verdict, Verdict::Offence(Offence::Spoofed));
    }
    assert!(delivered(&mut switch, B).is_empty() && delivered(&mut switch, A).is_empty());
    assert_eq!(switch.traffic(vip(C)).spoofed, 1000);
}

#[test]
fn only_published_ports_can_be_reached() {
    let mut switch = switch();
    let destinations = [
        (B, 22),
        (Ipv4Addr::new(127, 0, 42, 200), 80),
        (Ipv4Addr::LOCALHOST, 80),
        (B, 0),
    ];
    for (n, dst) in (1_u16..).zip(destinations) {
        let syn = segment((A, n), dst, SYN, 7, 0);
        assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
        let answer = delivered(&mut switch, A);
        assert!(
            answer[0].1.flags.rst && answer[0].1.ack == 8,
            "an honest client fails fast"
        );
    }
    assert!(delivered(&mut switch, B).is_empty());
    assert_eq!(switch.traffic(vip(A)).refused, 4);
}

#[test]
fn what_belongs_to_no_flow_does_not_pass() {
    let mut switch = switch();
    for flags in [ACK, SYN | ACK, FIN | ACK] {
        let stray = segment((A, 4000), (B, 80), flags, 9, 77);
        assert_eq!(switch.handle_packet(NOW, vip(A), stray), Verdict::Refused);
        let answer = delivered(&mut switch, A);
        assert_eq!((answer[0].1.flags.rst, answer[0].1.seq), (true, 77));
    }
    let stray = segment((A, 4000), (B, 80), RST, 9, 77);
    assert_eq!(switch.handle_packet(NOW, vip(A), stray), Verdict::Refused);
    assert!(
        delivered(&mut switch, A).is_empty(),
        "a reset is never answered"
    );
    assert!(delivered(&mut switch, B).is_empty());
}

#[test]
fn malformed_packets_are_counted_and_go_nowhere() {
    let mut switch = switch();
    let long = [0; 100];
    for bytes in [&long[..0], &long[..5], &long[..20], &long[..]] {
        let verdict = switch.handle_packet(NOW, vip(A), PacketFrame::new(bytes));
        assert!(matches!(verdict, Verdict::Offence(Offence::Malformed(_))));
    }
    assert_eq!(switch.traffic(vip(A)).malformed, 4);
    assert_eq!(switch.poll_wake(), None);
}

#[test]
fn a_host_that_is_lost_ends_its_flows_at_the_other_ends() {
    let mut switch = switch();
    open(&mut switch, 4000);
    let syn = segment((C, 5000), (B, 80), SYN, 40, 0);
    switch.handle_packet(NOW, vip(C), syn);
    switch.lower(NOW, vip(B));
    let told = delivered(&mut switch, A);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0.src, SocketAddrV4::new(B, 80));
    assert!(
        told[0].1.flags.rst && told[0].1.seq == 501,
        "in order for its receiver"
    );
    let told = delivered(&mut switch, C);
    assert!(
        told[0].1.flags.rst && told[0].1.ack == 41,
        "an unanswered SYN is answered"
    );
    assert_eq!(switch.flow_count(vip(A)) + switch.flow_count(vip(C)), 0);

    let syn = segment((A, 4001), (B, 80), SYN, 1, 0);
    assert_eq!(switch.handle_packet(NOW, vip(A), syn), Verdict::Refused);
    assert!(
        delivered(&mut switch, A)[0].1.flags.rst,
        "down is refused, not silent"
    );
    assert!(delivered(&mut switch, B).is_empty());
}

#[test]
fn a_flow_is_forgotten_once_both_ends_are_done() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    open(&mut switch, 4000);
    let steps = [
        (vip(A), segment(a, b, FIN | ACK, 101, 501)),
        (vip(B), segment(b, a, ACK, 501, 102)),
        (vip(B), segment(b, a, FIN | ACK, 501, 102)),
    ];
    for (from, frame) in steps {
        assert!(switch.handle_packet(NOW, from, frame).passes());
        assert_eq!(switch.flow_count(vip(A)), 1);
    }
    let last = segment(a, b, ACK, 102, 502);
    assert!(switch.handle_packet(NOW, vip(A), last).passes());
    assert_eq!(
        (switch.flow_count(vip(A)), switch.flow_count(vip(B))),
        (0, 0)
    );
}

#[test]
fn a_port_that_is_used_again_begins_a_flow_that_owes_nothing_to_the_old_one() {
    let mut switch = switch();
    let (a, b) = ((A, 4000), (B, 80));
    open(&mut switch, 4000);
    // Both ends have finished, but nobody has acknowledged the FIN of B. Then A uses its port again.
    for (from, frame) in [
        (vip(A), segment(a, b, FIN | ACK, 101, 501)),
        (vip(B), segment(b, a, FIN | ACK, 501, 102)),
    ] {
        switch.handle_packet(NOW, from, frame);
    }
    delivered(&mut switch, A);
    delivered(&mut switch, B);
    open_at(&mut switch, 4000, 900);
    let more = segment(a, b, ACK, 901, 502);
    assert!(switch.handle_packet(NOW, vip(A), more).passes());
    assert_eq!(
        switch.flow_count(vip(A)),
        1,
        "nobody has ended the new flow"
    );
}

#[test]
fn a_reset_ends_a_flow_and_is_passed_on() {
    let mut switch = switch();
    open(&mut switch, 4000);
    let reset = segment((B, 80), (A, 4000), RST, 501, 0);
    assert!(switch.handle_packet(NOW, vip(B), reset).passes());
    assert!(delivered(&mut switch, A)[0].1.flags.rst);
    assert_eq!(switch.flow_count(vip(A)), 0);
}

/// Sends a SYN from port `1 + n` of a host, and the answer to the SYN. Returns whether the SYN passes.
fn begin(switch: &mut Switch, now: Instant, from: Ipv4Addr, to: Ipv4Addr, n: usize) -> bool {
    let port = u16::try_from(1 + n).unwrap();
    let passes = switch
        .handle_packet(now, vip(from), segment((from, port), (to, 80), SYN, 1, 0))
        .passes();
    if passes {
        let answer = segment((to, 80), (from, port), SYN | ACK, 1, 2);
        assert!(switch.handle_packet(now, vip(to), answer).passes());
    }
    while switch.poll_frame(vip(from), true).is_some() || switch.poll_frame(vip(to), true).is_some()
    {
    }
    passes
}

#[test]
fn one_host_cannot_take_all_flows() {
    let mut switch = switch();
    let begun = (0..FLOWS + 100).filter(|n| begin(&mut switch, NOW, C, B, *n));
    assert_eq!(begun.count(), FLOWS);
    assert!(begin(&mut switch, NOW, A, B, 0));
}

#[test]
fn many_hosts_leave_something_for_the_next_and_everything_for_the_managers_own() {
    let address = |last: u8| Ipv4Addr::new(127, 0, 43, last);
    let mut switch = switch();
    switch.favour(vip(A));
    for last in 1..=9 {
        switch.add(vip(address(last)), None, false);
        switch.raise(vip(address(last)));
    }
    for last in 1..=8 {
        let begun = (0..=FLOWS).filter(|n| begin(&mut switch, NOW, address(last), B, *n));
        assert!(begun.count() > 0, "host {last} got nothing");
    }
    assert!(begin(&mut switch, NOW, address(9), B, 0));
    let own = (0..FLOWS + 100).filter(|n| begin(&mut switch, NOW, A, B, *n));
    assert_eq!(own.count(), FLOWS);
}

#[test]
fn syns_that_nobody_answers_are_few_and_are_forgotten() {
    let mut switch = switch();
    let mut syn = |from: Ipv4Addr, to: Ipv4Addr, n: usize| {
        let port = u16::try_from(1 + n).unwrap();
        let syn = segment((from, port), (to, 80), SYN, 1, 0);
        switch.handle_packet(NOW, vip(from), syn).passes()
    };
    let to_b = (0..5_000).filter(|n| syn(C, B, *n)).count();
    let to_a = (0..5_000).filter(|n| syn(C, A, *n)).count();
    assert_eq!(to_b, tracker::OPENINGS_PER_PAIR);
    assert_eq!(to_b + to_a, tracker::OPENINGS_PER_HOST);
    assert!(syn(A, B, 0), "another host may");

    let (at, _) = switch.poll_timeout().unwrap();
    switch.handle_timeout(at);
    assert_eq!(switch.flow_count(vip(C)), 0);
    assert!(begin(&mut switch, at, C, B, 0));
    assert!(
        switch.poll_tried(at + Duration::from_secs(1)),
        "a service answers"
    );
    assert_eq!(
        switch.poll_timeout(),
        None,
        "an answered one is not waited for"
    );
}

const FLOWS: usize = tracker::FLOWS_PER_HOST;

#[test]
fn a_small_packet_does_not_keep_the_block_that_it_was_read_with() {
    let mut switch = switch();
    open(&mut switch, 4000);
    let mut block = BytesMut::zeroed(300_000);
    let small = segment((A, 4000), (B, 80), ACK, 101, 501).into_bytes();
    block[..small.len()].copy_from_slice(&small);
    let start = block.as_ptr();
    let item = Decoder::new(0).poll(&mut block).unwrap();
    let Some(Item::Packet(frame)) = item else {
        panic!("{item:?}");
    };
    assert_eq!(frame.payload().as_ptr(), start.wrapping_add(HEADER_LEN));
    switch.handle_packet(NOW, vip(A), frame);
    let waiting = switch.poll_frame(vip(B), true).unwrap();
    assert_ne!(waiting.as_ptr(), start);
}

#[test]
fn hosts_that_do_not_keep_up_do_not_cost_the_others_their_packets() {
    let mut switch = Switch::new(Routes::default());
    let address = |last: u8| Ipv4Addr::new(127, 0, 42, last);
    for last in 1..=20 {
        switch.add(vip(address(last)), Port::new(80), false);
        switch.raise(vip(address(last)));
    }
    // Ten hosts do not read. Their queues together exceed the limit for all hosts.
    for slow in 11..=20 {
        let key = ((address(1), 4000), (address(slow), 80));
        switch.handle_packet(NOW, vip(address(1)), segment(key.0, key.1, SYN, 1, 0));
        let mut big = vec![0; 65_000];
        big[..40].copy_from_slice(segment(key.0, key.1, ACK, 2, 0).payload());
        big[2..4].copy_from_slice(&65_000_u16.to_be_bytes());
        for _ in 0..500 {
            switch.handle_packet(NOW, vip(address(1)), PacketFrame::new(&big));
        }
    }
    let total: u64 = (11..=20)
        .map(|last| switch.traffic(vip(address(last))).shed)
        .sum();
    assert!(total > 0, "there was too much");
    let syn = segment((address(1), 5000), (address(2), 80), SYN, 1, 0);
    switch.handle_packet(NOW, vip(address(1)), syn);
    assert_eq!(delivered(&mut switch, address(2)).len(), 1);
    assert_eq!(switch.traffic(vip(address(2))).shed, 0);
}

#[test]
fn what_waits_is_bounded() {
    let mut switch = switch();
    open(&mut switch, 4000);
    let mut big = vec![0; 65_000];
    big[..40].copy_from_slice(segment((A, 4000), (B, 80), ACK, 101, 501).payload());
    big[2..4].copy_from_slice(&65_000_u16.to_be_bytes());
    for _ in 0..2000 {
        let verdict = switch.handle_packet(NOW, vip(A), PacketFrame::new(&big));
        assert!(verdict.passes());
    }
    let waiting: usize = std::iter::from_fn(|| switch.poll_frame(vip(B), true))
        .map(|frame| frame.len() - HEADER_LEN)
        .sum();
    assert!(waiting <= QUEUE_MAX, "{waiting} bytes");
    assert!(switch.traffic(vip(B)).shed > 0);
}
