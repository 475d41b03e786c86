//! Properties that must hold for all inputs. The fuzz targets search for inputs that violate them. `replay.rs` tries
//! known inputs and random mutations of them in every test run.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each target uses one body, and reports by a panic"
)]

use std::{
    mem::{self, Discriminant},
    net::Ipv4Addr,
};

use bytes::BytesMut;
use norouter::{
    destination::Destination,
    edge,
    names::{
        Owner, Zone,
        dns::{self, Answer, Verdict},
        hosts_file,
        resolv_conf::Resolvers,
        search::{self, Candidate},
    },
    plan,
    proxy::{
        Credentials,
        http::{Body, Framing, Request, RequestTarget, Response},
        socks::{Handshake, Step},
    },
    time::Instant,
    wire::{
        CONTROL_MAX_FROM_AGENT, Cause, Decoder, Desync, Item, Packet, PacketFrame,
        control::{Configure, Event, Message},
        frame, sum,
    },
};

/// The same bytes must lead to the same frames, no matter how the bytes are split. If a decoded frame is encoded again,
/// it must be the same.
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
                    let plain = sum::unsealed(packet.clone().into_bytes());
                    assert_eq!(PacketFrame::new(packet.payload()).into_bytes(), plain);
                    continue;
                }
                Item::Control(json) => frame::put_control(&mut out, json),
                Item::Damaged | Item::Unknown(_) => continue,
            }
            let again = Decoder::new(CONTROL_MAX_FROM_AGENT).poll(&mut out);
            assert_eq!(again.as_ref(), Ok(&Some(item.clone())));
        }
    }
}

/// The decoded frames, and the kind of the error at their end. The bytes in the error are left out, because they depend
/// on how the input is split.
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

/// A packet that was accepted can be read without a panic. The reset that answers it is a packet in the opposite
/// direction, and needs no answer itself.
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

/// A message that was parsed can be written, and the written message can be parsed again.
pub(crate) fn control(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else {
        return;
    };
    // The messages may differ, because a floating-point number with 17 digits may lose its last digit.
    let again = Message::parse(&message.to_json()).unwrap();
    assert_eq!(mem::discriminant(&again), mem::discriminant(&message));
    match message {
        Message::Request(request) => {
            if let Ok(configure) = request.args.read::<Configure>() {
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

/// Every text leads to a plan, or to problems that say why there is no plan. The report of the problems has no escape
/// character, because such a character could control a terminal.
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

/// An agent that reads these bytes from its manager does not panic, and does not send without end.
pub(crate) fn edge(bytes: &[u8]) {
    const CONFIGURE: &str = r#"{"type":"request","body":{"id":1,"op":"configure","args":{"me":"127.0.42.101",
        "forwards":[{"listen_port":80,"connect_ip":"127.0.0.1","connect_port":80,"proto":"tcp"}],
        "others":[{"ip":"127.0.42.102","port":80,"proto":"tcp"}]}}}"#;
    let mut agent = edge::Core::new(7, norouter::flow::Capacity::default());
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

/// An HTTP conversation has the same meaning no matter how its bytes are split. What is forwarded has the same meaning
/// as what was received.
pub(crate) fn http(bytes: &[u8]) {
    let size = 1 + usize::from(bytes.last().copied().unwrap_or(0) % 11);
    assert_eq!(
        requests(bytes, bytes.len().max(1)),
        requests(bytes, size),
        "cut every {size} bytes"
    );
    for head in [
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n",
    ] {
        let (request, _) = Request::parse(head.as_bytes()).unwrap().unwrap();
        assert_eq!(
            responses(bytes, bytes.len().max(1), &request),
            responses(bytes, size, &request),
            "cut every {size} bytes"
        );
    }
}

/// The meaning of a client's bytes, one text for each message.
fn requests(bytes: &[u8], size: usize) -> Vec<String> {
    conversation(
        bytes,
        size,
        Body::of_client,
        |buffer| match Request::parse(buffer) {
            Ok(None) => Ok(None),
            Ok(Some((request, length))) => {
                check_request(&request);
                let is_last = matches!(request.target, RequestTarget::Connect(_));
                let framing = (!is_last).then_some(request.framing);
                Ok(Some((format!("{request:?}"), length, framing)))
            }
            Err(reply) => {
                let (get, _) = Request::parse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    .unwrap()
                    .unwrap();
                let answer = reply.bytes(None);
                let (response, length) = Response::parse(&answer, &get).unwrap().unwrap();
                let body = u64::try_from(answer.len() - length).unwrap();
                assert_eq!(response.framing, Framing::Length(body));
                Err(format!("{reply:?}"))
            }
        },
    )
}

/// Parses the bytes that an origin server has sent, and returns one text for each message.
fn responses(bytes: &[u8], size: usize, to: &Request) -> Vec<String> {
    conversation(
        bytes,
        size,
        Body::of_origin,
        |buffer| match Response::parse(buffer, to) {
            Ok(None) => Ok(None),
            Ok(Some((response, length))) => {
                let head = response.for_client(false);
                if head.is_empty() {
                    assert!(response.is_interim());
                } else {
                    let (again, length) = Response::parse(&head, to).unwrap().unwrap();
                    assert_eq!(length, head.len());
                    assert_eq!(
                        (again.status, again.framing),
                        (response.status, response.framing_for_client())
                    );
                    assert!(
                        !again.is_switch()
                            || again.headers.get("upgrade").is_some()
                            || response.headers.get("upgrade").is_none()
                    );
                    assert!(again.keep_alive || again.is_switch() || !response.keeps_client());
                }
                let framing = (!response.is_switch()).then_some(response.framing);
                Ok(Some((format!("{response:?}"), length, framing)))
            }
            Err(bad) => Err(bad.to_string()),
        },
    )
}

/// The text of a parsed head, its length, and the framing of its body. The framing is `None` if there is no body.
type Head = (String, usize, Option<Framing>);

/// Parses heads and their bodies from pieces of this size.
fn conversation(
    bytes: &[u8],
    size: usize,
    begin: fn(Framing) -> Body,
    parse: impl Fn(&[u8]) -> Result<Option<Head>, String>,
) -> Vec<String> {
    let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
    let mut body: Option<(Body, Vec<u8>)> = None;
    for piece in bytes.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            if let Some((machine, passed)) = &mut body {
                loop {
                    match machine.take(&mut buffer) {
                        Ok(bytes) if bytes.is_empty() => break,
                        Ok(bytes) => passed.extend_from_slice(&bytes),
                        Err(bad) => {
                            messages.push(bad.to_string());
                            return messages;
                        }
                    }
                }
                if !machine.is_complete() {
                    assert!(buffer.is_empty(), "a body leaves bytes before its end");
                    break;
                }
                messages.push(format!("{passed:?}"));
            }
            body = None;
            match parse(&buffer) {
                Ok(None) => break,
                Ok(Some((head, length, framing))) => {
                    messages.push(head);
                    drop(buffer.split_to(length));
                    let Some(framing) = framing else {
                        return messages;
                    };
                    body = Some((begin(framing), Vec::new()));
                }
                Err(words) => {
                    messages.push(words);
                    return messages;
                }
            }
        }
    }
    if let Some((machine, passed)) = body {
        messages.push(format!("{passed:?} {}", machine.is_complete_at_end()));
    }
    messages
}

/// Checks a forwarded request: it is addressed to an origin, and has no fields about the client's connection.
fn check_request(request: &Request) {
    let Some(head) = request.for_origin(true) else {
        assert!(!matches!(request.target, RequestTarget::Absolute { .. }));
        return;
    };
    let (again, length) = Request::parse(&head).unwrap().unwrap();
    assert_eq!(length, head.len());
    assert!(matches!(again.target, RequestTarget::Own { .. }));
    assert_eq!(
        (again.framing, again.version),
        (request.framing, request.version)
    );
    assert_eq!(again.headers.all("host").count(), 1);
    assert!(again.headers.all("connection").count() <= 1);
    for name in [
        "keep-alive",
        "te",
        "trailer",
        "proxy-connection",
        "proxy-authorization",
    ] {
        assert_eq!(again.headers.get(name), None);
    }
}

/// A SOCKS handshake has the same steps no matter how it is split, and does not consume the bytes after it.
pub(crate) fn socks(bytes: &[u8]) {
    let users = Credentials::parse("ann:secret").unwrap();
    let size = 1 + usize::from(bytes.last().copied().unwrap_or(0) % 11);
    for credentials in [None, Some(&users)] {
        let (step, output, rest) = handshake(credentials, bytes, bytes.len().max(1));
        let cut = handshake(credentials, bytes, size);
        assert_eq!((&step, &output), (&cut.0, &cut.1), "cut every {size} bytes");
        assert!(
            step != Step::More || rest.len() < 600,
            "it waits without end"
        );
        if let Step::Request(request) = step {
            assert_eq!(rest, cut.2);
            assert!(bytes.ends_with(&rest));
            let destination = request.destination();
            assert_eq!(
                Destination::parse(&destination.to_string(), None).as_ref(),
                Ok(destination)
            );
            assert_ne!(
                request.accepted(([127, 0, 0, 1], 1).into()),
                request.refused(Cause::Other)
            );
        }
    }
}

/// The last step, all replies to the client, and the remaining bytes.
fn handshake(
    credentials: Option<&Credentials>,
    bytes: &[u8],
    size: usize,
) -> (Step, BytesMut, BytesMut) {
    let mut machine = Handshake::new(credentials);
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    let mut step = Step::More;
    for piece in bytes.chunks(size) {
        input.extend_from_slice(piece);
        if step == Step::More {
            step = machine.handle(&mut input, &mut output);
        }
    }
    (step, output, input)
}

fn zone() -> Zone {
    let web = Ipv4Addr::new(127, 0, 42, 101);
    Zone::new([("web", web), ("nginx.example.com", web)])
}

/// An answer belongs to the question that was asked. A resolver's reply to a query with an appended domain can always
/// be converted into a reply to the original query.
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
    // The same bytes are now used as a resolver's reply to the question in them.
    let mut query = bytes.to_vec();
    if let Some(flags) = query.get_mut(2) {
        *flags &= 0x7f;
    }
    dns::judge(&query, bytes);
    if let Some(back) = search::as_asked(bytes, &query) {
        assert!(search::as_asked(&back, &query).is_some() || back.len() > 60_000);
    }
}

/// Any hosts file can be restored after our block was added, and any damage can be repaired. The same bytes are also
/// parsed as a resolv.conf.
pub(crate) fn hosts_file(bytes: &[u8]) {
    let me = Owner {
        host: "web".to_owned(),
        vip: Ipv4Addr::new(127, 0, 42, 101),
        process: "1".to_owned(),
    };
    let gone = |_: &Owner| true;
    let repaired = hosts_file::repair(bytes, gone);
    match hosts_file::remove(bytes, &me, gone) {
        Ok(without) => assert!(without.len() >= repaired.bytes.len()),
        Err(damaged) => assert!(!damaged.0.is_empty() && !repaired.done.is_empty()),
    }
    let original = repaired.bytes;
    let with = hosts_file::put(&original, &zone(), &me, gone)
        .unwrap()
        .bytes;
    assert!(hosts_file::entries(&with).unwrap().is_some());
    assert_eq!(hosts_file::remove(&with, &me, gone).unwrap(), original);
    assert!(hosts_file::repair(&original, gone).done.is_empty());
    let resolvers = Resolvers::parse(&String::from_utf8_lossy(bytes));
    assert!((1..=3).contains(&resolvers.servers.len()));
}
