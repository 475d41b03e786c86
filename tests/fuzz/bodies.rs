//! What must hold for any bytes whatever. Fuzz targets look for bytes where it does not; `replay.rs` tries the known
//! ones, and seeded mutations of them, in every test run.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each target uses one body, and a panic is its report"
)]

use std::{
    mem::{self, Discriminant},
    net::Ipv4Addr,
};

use bytes::BytesMut;
use norouter::{
    edge,
    names::{
        Zone,
        dns::{self, Answer, Verdict},
        hosts_file,
        resolv_conf::Resolvers,
        search::{self, Candidate},
    },
    plan,
    time::Instant,
    wire::{
        CONTROL_MAX_FROM_AGENT, Decoder, Desync, Item, Packet, PacketFrame,
        control::{Configure, Event, Message},
        frame,
    },
};

/// The same bytes give the same frames, however they are cut; and a frame that was accepted is written the same.
pub(crate) fn frame(bytes: &[u8]) {
    for banner in [false, true] {
        let decoder = || {
            if banner {
                Decoder::with_banner(CONTROL_MAX_FROM_AGENT)
            } else {
                Decoder::new(CONTROL_MAX_FROM_AGENT)
            }
        };
        let whole = decode(decoder(), bytes, bytes.len().max(1));
        let size = 1 + usize::from(bytes.first().copied().unwrap_or(0) % 11);
        let cut = decode(decoder(), bytes, size);
        assert_eq!(whole, cut, "cut every {size} bytes");
        for item in &whole.0 {
            let mut out = BytesMut::new();
            match item {
                Item::Packet(packet) => {
                    assert_eq!(PacketFrame::new(packet.payload()), *packet);
                    continue;
                }
                Item::Control(json) => frame::put_control(&mut out, json),
                Item::Fault(_) => continue,
            }
            let again = Decoder::new(CONTROL_MAX_FROM_AGENT).poll(&mut out);
            assert_eq!(again.as_ref(), Ok(&Some(item.clone())));
        }
    }
}

/// The frames, and in which way the stream went out of step; the bytes that a report quotes depend on the cuts.
fn decode(
    mut decoder: Decoder,
    bytes: &[u8],
    size: usize,
) -> (Vec<Item>, Option<Discriminant<Desync>>) {
    let (mut buffer, mut items) = (BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.poll(&mut buffer) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(desync) => return (items, Some(mem::discriminant(&desync))),
            }
        }
    }
    (items, None)
}

/// A packet that was accepted can be read without a panic, and its reset is a packet the other way that needs no
/// further answer.
pub(crate) fn packet(bytes: &[u8]) {
    let Ok(packet) = Packet::parse(bytes) else {
        return;
    };
    assert_eq!(packet.bytes(), bytes);
    let Some(reset) = packet.reset_reply() else {
        assert!(packet.segment().flags.rst);
        return;
    };
    let reset = Packet::parse(&reset).unwrap();
    assert_eq!(reset.key(), packet.key().reversed());
    assert!(reset.segment().flags.rst);
    assert!(reset.reset_reply().is_none());
}

/// A message that was understood is understood again after it was written again.
pub(crate) fn control(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    // Not the very same: a number with 17 digits may lose its last one.
    let again = Message::parse(&message.to_json()).unwrap();
    assert_eq!(mem::discriminant(&again), mem::discriminant(&message));
    match message {
        Message::Request(request) => {
            if let Ok(configure) = serde_json::from_value::<Configure>(request.args) {
                let again = serde_json::to_value(&configure).unwrap();
                assert_eq!(
                    serde_json::from_value::<Configure>(again).unwrap(),
                    configure
                );
            }
        }
        Message::Result(outcome) => {
            outcome.failure();
        }
        Message::Event(raw) => {
            if let Ok(event) = Event::try_from(raw) {
                let known = !matches!(event, Event::Unknown(_));
                let again = Event::try_from(event.clone().into_raw()).unwrap();
                assert!(!known || again == event);
            }
        }
    }
}

/// Any text is read to its end: either there is a plan, or a problem says why not; and its report can be printed.
pub(crate) fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let loaded = plan::load("norouter.yaml", text);
    let report = loaded.report(false);
    assert_eq!(report.is_empty(), loaded.problems.is_empty());
    match loaded.plan {
        Some(plan) => {
            for host in &plan.hosts {
                assert_eq!(
                    plan.host(host.vip),
                    Some(host),
                    "two hosts have one address"
                );
            }
        }
        None => assert!(!loaded.problems.is_empty(), "no plan, and no reason"),
    }
    assert!(
        !report.contains('\u{1b}'),
        "a manifest can write to the terminal"
    );
}

/// An agent that hears these bytes from its manager neither panics nor sends without end.
pub(crate) fn edge(bytes: &[u8]) {
    const CONFIGURE: &str = r#"{"type":"request","body":{"id":1,"op":"configure","args":{"me":"127.0.42.101",
        "forwards":[{"listen_port":80,"connect_ip":"127.0.0.1","connect_port":80,"proto":"tcp"}],
        "others":[{"ip":"127.0.42.102","port":80,"proto":"tcp"}]}}}"#;
    let mut agent = edge::Core::new(7);
    let mut input = BytesMut::new();
    frame::put_control(&mut input, CONFIGURE.as_bytes());
    input.extend_from_slice(bytes);
    let mut now = Instant::ZERO;
    for _ in 0..16 {
        let in_step = agent.handle_bytes(now, &mut input).is_ok();
        let mut turns = 0;
        while let Some(output) = agent.poll_output() {
            turns += 1;
            assert!(turns < 100_000, "it asks without end: {output:?}");
            if let edge::Output::Dial { flow, .. } = output {
                agent.handle_dialled(flow, bytes.len().is_multiple_of(2));
            }
        }
        let mut sent = BytesMut::new();
        agent.poll_frames(now, &mut sent, 1 << 20);
        assert!(
            sent.len() < 1 << 21,
            "it sends {} bytes at once",
            sent.len()
        );
        let Some((next, _)) = agent.poll_timeout() else {
            break;
        };
        now = now.max(next);
        agent.handle_timeout(now);
        if !in_step {
            break;
        }
    }
}

fn zone() -> Zone {
    let web = Ipv4Addr::new(127, 0, 42, 101);
    Zone::new([("web", web), ("nginx.example.com", web)])
}

/// Whatever is asked, the answer is about the same question; whatever a resolver says about a widened question, it can be
/// given back under the asked name.
pub(crate) fn dns(bytes: &[u8]) {
    let answer = dns::answer(&zone(), bytes);
    let failure = dns::servfail(bytes);
    assert_eq!(failure.is_empty(), bytes.len() < 12);
    match answer {
        Answer::Drop => assert!(bytes.len() < 12 || bytes[2] & 0x80 != 0),
        Answer::Reply(reply) => {
            assert_eq!(reply[..2], bytes[..2]);
            assert!(dns::fit_udp(bytes, reply).len() <= 4096);
        }
        Answer::Forward => {
            assert_eq!(dns::judge(bytes, &failure), Some(Verdict::Useless));
            let resolvers = Resolvers::parse("search corp.test\noptions ndots:3");
            for candidate in search::candidates(bytes, &resolvers) {
                let Candidate::Below(domain) = candidate else {
                    continue;
                };
                if let Some(wide) = search::with_suffix(bytes, &domain) {
                    let reply = search::as_asked(&dns::servfail(&wide), bytes).unwrap();
                    assert_eq!(dns::judge(bytes, &reply), Some(Verdict::Useless));
                }
            }
        }
    }
    // The same bytes as what a resolver says, to the very question that they have.
    let mut query = bytes.to_vec();
    if let Some(flags) = query.get_mut(2) {
        *flags &= 0x7f;
    }
    dns::judge(&query, bytes);
    if let Some(back) = search::as_asked(bytes, &query) {
        assert!(search::as_asked(&back, &query).is_some() || back.len() > 60_000);
    }
}

/// Any file is given back as it was before our block came into it, and what is damaged can be mended. Any file can be
/// read as resolv.conf.
pub(crate) fn hosts_file(bytes: &[u8]) {
    let repaired = hosts_file::repair(bytes);
    let original = match hosts_file::remove(bytes) {
        Ok(original) => {
            assert_eq!(original, repaired.bytes);
            original
        }
        Err(damaged) => {
            assert!(!damaged.0.is_empty() && !repaired.done.is_empty());
            repaired.bytes
        }
    };
    let with = hosts_file::put(&original, &zone()).unwrap().bytes;
    assert!(hosts_file::block(&with).unwrap().is_some());
    assert_eq!(hosts_file::remove(&with).unwrap(), original);
    assert!(hosts_file::repair(&original).done.is_empty());
    let resolvers = Resolvers::parse(&String::from_utf8_lossy(bytes));
    assert!((1..=3).contains(&resolvers.servers.len()));
}
