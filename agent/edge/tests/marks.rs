//! Tests of the marks in an agent's stream, which limit what is under way to the manager.

use super::*;
use crate::wire::control::Mark;

fn configured_with(features: &[&str]) -> Core {
    let mut args = args();
    args["features"] = serde_json::json!(features);
    let mut core = configured(&args);
    outputs(&mut core);
    core
}

/// The numbers of the marks that the agent sends, and how many bytes of packets.
fn sent(core: &mut Core, now: Instant) -> (Vec<u64>, usize) {
    let (mut out, mut marks, mut bytes) = (BytesMut::new(), Vec::new(), 0);
    core.poll_frames(now, &mut out, usize::MAX);
    let mut decoder = Decoder::new(wire::CONTROL_MAX_FROM_AGENT);
    while let Some(item) = decoder.poll(&mut out).unwrap() {
        match item {
            Item::Packet(frame) => bytes += frame.len(),
            Item::Control(json) => {
                let said: serde_json::Value = serde_json::from_slice(&json).unwrap();
                if said["body"]["type"] == "mark" {
                    marks.push(said["body"]["data"]["number"].as_u64().unwrap());
                }
            }
            other @ (Item::Damaged | Item::Unknown(_)) => panic!("{other:?}"),
        }
    }
    (marks, bytes)
}

fn marked(core: &mut Core, now: Instant, number: u64) {
    let mut frame = BytesMut::new();
    frame::put_control(&mut frame, &Message::marked(Mark { number }).to_json());
    core.handle_bytes(now, &mut frame).unwrap();
}

/// Begins many connections. Nobody answers, so the SYN of each is sent again and again.
fn begin_many(core: &mut Core, count: u16) {
    for port in 1..=count {
        let remote = SocketAddrV4::new(*OTHER.ip(), port);
        core.connect(Instant::ZERO, Holder::Owner, remote).unwrap();
    }
}

#[test]
fn marks_are_sent_only_to_a_manager_that_answers_them() {
    assert!(sent(&mut configured_with(&[]), Instant::ZERO).0.is_empty());
    assert_eq!(sent(&mut configured_with(&["marks"]), Instant::ZERO).0, [1]);
}

#[test]
fn an_agent_whose_marks_are_not_answered_holds_its_packets_back() {
    let mut core = configured_with(&["marks"]);
    begin_many(&mut core, 3_000);
    let (mut now, mut total, mut last) = (Instant::ZERO, 0, 0);
    for _ in 0..600 {
        let (marks, bytes) = sent(&mut core, now);
        total += bytes;
        last = marks.last().copied().unwrap_or(last);
        now = now + Duration::from_millis(20);
        core.handle_timeout(now);
    }
    assert!(last > 1, "no mark follows the packets");
    assert!((256 << 10..300 << 10).contains(&total), "{total} bytes");
    assert_eq!(sent(&mut core, now).1, 0);
    marked(&mut core, now, last);
    assert!(core.wants_wire());
    assert!(sent(&mut core, now).1 > 0);
}

#[test]
fn a_flow_from_or_to_a_far_host_has_small_packets() {
    let mss = |core: &mut Core| {
        core.connect(Instant::ZERO, Holder::Owner, OTHER).unwrap();
        let packets = packets(core);
        // The segment size is the first option of a SYN (RFC 9293 section 3.2).
        let [2, 4, high, low] = packets[0][40..44] else {
            panic!("{packets:?}");
        };
        u16::from_be_bytes([high, low])
    };
    for (far, small) in [(vec![], false), (vec![*OTHER.ip()], true), (vec![ME], true)] {
        let mut core = configured_with(&[]);
        core.handle_lost(Lost {
            hosts: Vec::new(),
            far,
        });
        assert_eq!(mss(&mut core) < 16 << 10, small);
    }
}
