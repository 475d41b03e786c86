//! A hostile agent that sends almost valid messages, and almost valid segments on its own connections. Whatever the
//! agent sends, no host may receive a byte at a place of a stream for which that byte was not sent, and nothing may
//! panic.
//!
//! The value of every valid byte follows from its place in its stream. Segments that hosts may accept have only such
//! bytes. Segments that hosts must not accept (a wrong sum, another host's connection, an unknown connection) have
//! different bytes.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use norouter::{
    addr::{FlowKey, Vip},
    edge,
    flow::{Capacity, Holder, Receive},
    link::Ending,
    manager::{self, Turn},
    time::Instant,
    view::HostAction,
    wire::{HEADER_LEN, Packet, frame},
};

use crate::{
    hostile::{self, ACK, Fields, MARK, RST, SYN},
    plans::{ALWAYS, EVIL, Variant},
    world::packets,
};

const FIN: u8 = 1;
const PSH: u8 = 8;

/// How many connections the hostile agent keeps open to the other hosts, and how many the other hosts keep open to it.
const FLOWS: usize = 6;

/// The time between two inputs.
const PACE: Duration = Duration::from_millis(20);

/// The messages that the hostile agent sends, before they are changed.
const MESSAGES: &[&str] = &[
    r#"{"type":"event","body":{"type":"problems","data":{"problems":[{"what":"listen on 127.0.42.66:80","reason":"in use"}]}}}"#,
    r#"{"type":"event","body":{"type":"routeSuggestion","data":{"ip":["10.0.0.7","127.0.42.1","::1"],"route":"127.0.42.1"}}}"#,
    r#"{"type":"event","body":{"type":"unknown","data":[{"":0},[],null,1e3,"\u0000"]}}"#,
    r#"{"type":"result","body":{"request_id":2,"op":"ping","error":null}}"#,
    r#"{"type":"result","body":{"request_id":3,"op":"probe","data":{"cause":"refused","reason":"nobody listens"}}}"#,
    r#"{"type":"result","body":{"request_id":1,"op":"configure","error":{"a":[1]},"data":{"features":["tcp","sums"],"sum":7}}}"#,
    r#"{"type":"request","body":{"id":1,"op":"configure","args":{"me":"127.0.42.1"}}}"#,
];

/// Texts that are inserted into messages to make them invalid.
const WORDS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "\"\"",
    "-1",
    "1e999",
    "18446744073709551616",
    "[[[[[[[[",
    "\\u0000",
    "\\ud800",
    "\u{202e}",
    "\u{1b}[2J",
    ",",
    ":",
    "\"type\":",
    "\"127.0.42.2\"",
    "true",
];

/// The features that the hostile agent may announce.
const FEATURES: &str = r#"["tcp","loopback","loopback.disable","http","socks","proxy.credentials","routes","routes.notTo","heartbeat","reconfigure","lost","probe","dns","policy"]"#;

/// A connection of the hostile agent, with its TCP state.
struct Own {
    /// The sequence number of the hostile agent's first byte.
    first: u32,
    /// `sent` is the last sequence number that the other end has acknowledged. `got` is the next one that is expected
    /// from the other end.
    sent: u32,
    got: u32,
}

/// An honest agent, and the state of its programs on each connection.
struct Honest {
    edge: edge::Core,
    /// How many bytes the program has received, and how many it has sent.
    taken: BTreeMap<FlowKey, (usize, usize)>,
}

/// The result of a run.
#[derive(Default, Debug)]
pub(crate) struct Sum {
    pub(crate) inputs: u64,
    /// How often the hostile agent was started.
    pub(crate) lives: u64,
    /// How many connections with the hostile agent were established.
    pub(crate) flows: u64,
    /// How many bytes from the hostile agent were accepted.
    pub(crate) delivered: u64,
    /// How many bytes honest hosts have exchanged among themselves.
    pub(crate) honest: u64,
}

pub(crate) struct Forge {
    now: Instant,
    random: u64,
    core: manager::Core,
    plan: Variant,
    evil: Vip,
    honest: BTreeMap<Vip, Honest>,
    /// Whether the hostile agent has announced its features.
    greeted: bool,
    /// The connections of the hostile agent, with its own end as the source.
    own: BTreeMap<FlowKey, Own>,
    /// A connection between two honest hosts. It is in use all the time.
    other: Option<FlowKey>,
    next_port: u16,
    pub(crate) sum: Sum,
}

/// The value of the byte at this place of a stream. It depends on the ports, so that it differs between streams.
fn byte(key: FlowKey, place: usize) -> u8 {
    let port = usize::from(key.src.port()) * 7 + usize::from(key.dst.port());
    u8::try_from((place * 31 + place / 251 + port) % 256).unwrap()
}

fn with(word: &str, first: u8) -> bool {
    word.as_bytes().first() == Some(&first)
}

impl Forge {
    pub(crate) fn new(seed: u64) -> Self {
        let plan = Variant::new(8, 2);
        let now = Instant::ZERO;
        let mut forge = Self {
            now,
            random: seed,
            core: manager::Core::new(&plan.plan(), seed),
            plan,
            evil: EVIL.to_string().parse().unwrap(),
            honest: BTreeMap::new(),
            greeted: false,
            own: BTreeMap::new(),
            other: None,
            next_port: 1_024,
            sum: Sum::default(),
        };
        forge.core.start(now);
        forge.settle();
        forge
    }

    fn random(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.random(limit as u64)).unwrap()
    }

    fn number(&mut self) -> u32 {
        u32::try_from(self.random(1 << 32)).unwrap()
    }

    /// Makes the hostile agent send this many inputs.
    pub(crate) fn run(&mut self, inputs: u64) {
        while self.sum.inputs < inputs {
            self.now = self.now + PACE;
            self.core.handle_timeout(self.now);
            self.settle();
            if !self.greeted {
                // If the agent was refused or waits for a retry, it is started again at once, as a person could do it.
                self.core
                    .host_action(self.now, self.evil, HostAction::Start);
                self.now = self.now + Duration::from_secs(1);
                self.core.handle_timeout(self.now);
                self.settle();
                continue;
            }
            self.keep_flows();
            let input = self.input();
            self.sum.inputs += 1;
            self.send(input);
        }
    }

    /// Opens connections if there are too few.
    fn keep_flows(&mut self) {
        if self.own.len() < FLOWS {
            self.next_port = self.next_port.checked_add(1).unwrap_or(1_024);
            let host = Ipv4Addr::new(127, 0, 42, 1 + u8::try_from(self.below(2)).unwrap());
            let key = FlowKey {
                src: SocketAddrV4::new(EVIL, self.next_port),
                dst: SocketAddrV4::new(host, ALWAYS),
            };
            let first = self.number();
            self.begin(key, first);
            let fields = Fields {
                seq: first.wrapping_sub(1),
                flags: SYN,
                ..Fields::default()
            };
            self.send(hostile::segment(key, &fields, &[]));
        }
        let [one, two] = [1, 2].map(|number| Ipv4Addr::new(127, 0, 42, number));
        let now = self.now;
        let mut connect = |from: Ipv4Addr, to: Ipv4Addr| {
            let vip: Vip = from.to_string().parse().unwrap();
            let honest = self.honest.get_mut(&vip)?;
            let key = honest
                .edge
                .connect(now, Holder::Owner, SocketAddrV4::new(to, ALWAYS))
                .ok()?;
            honest.taken.insert(key, (0, 0));
            Some(key)
        };
        if self
            .own
            .keys()
            .filter(|key| key.src.port() == ALWAYS)
            .count()
            < FLOWS / 2
        {
            connect(one, EVIL);
        }
        if self.other.is_none() {
            self.other = connect(two, one);
        }
        self.settle();
    }

    fn begin(&mut self, key: FlowKey, first: u32) {
        let own = Own {
            first,
            sent: first,
            got: 0,
        };
        self.own.insert(key, own);
    }

    fn any_own(&mut self) -> Option<FlowKey> {
        let index = self.below(self.own.len().max(1));
        self.own.keys().nth(index).copied()
    }

    /// The next input of the hostile agent, of a random kind.
    fn input(&mut self) -> BytesMut {
        match self.random(20) {
            0..=1 => self.message(),
            2 => self.marked(),
            3..=5 => self.spoilt(),
            _ => self.strange(),
        }
    }

    /// A segment of one of the hostile agent's own connections. Its numbers, flags, options or window are wrong, and
    /// the rest is valid.
    fn strange(&mut self) -> BytesMut {
        let Some(key) = self.any_own() else {
            return BytesMut::new();
        };
        let mut fields = self.good(key);
        let length = self.below(700);
        match self.random(12) {
            0 => fields.seq = self.number(),
            1 => fields.ack = self.number(),
            2 => fields.flags = u8::try_from(self.random(256)).unwrap(),
            3 => fields.window = u16::try_from(self.random(65_536)).unwrap(),
            4 => {
                for _ in 0..4 * (1 + self.below(10)) {
                    let byte = u8::try_from(self.random(256)).unwrap();
                    fields.options.push(byte);
                }
            }
            5 => fields.urgent = u16::try_from(self.random(65_536)).unwrap(),
            6..=8 => {
                let moved = u32::try_from(self.below(20_000)).unwrap();
                fields.seq = fields.seq.wrapping_sub(2_000).wrapping_add(moved);
            }
            9 if self.random(20) == 0 => fields.flags |= FIN,
            10 if self.random(40) == 0 => fields.flags = RST,
            _ => {}
        }
        let mut at = fields.seq;
        if fields.flags & SYN != 0 {
            // A segment with SYN gets the sequence number of the connection's first SYN. Otherwise the sequence numbers
            // of later segments would not be valid.
            at = self.own[&key].first;
            fields.seq = at.wrapping_sub(1);
        }
        let data = self.data(key, at, length);
        hostile::segment(key, &fields, &data)
    }

    /// The valid fields of the next segment.
    fn good(&self, key: FlowKey) -> Fields {
        let own = &self.own[&key];
        Fields {
            seq: own.sent,
            ack: own.got,
            flags: ACK | PSH,
            ..Fields::default()
        }
    }

    /// The valid bytes for a place of the stream. Places before the first byte have a filler.
    fn data(&self, key: FlowKey, seq: u32, length: usize) -> Vec<u8> {
        let at = seq.wrapping_sub(self.own[&key].first);
        let place = |offset: usize| at.wrapping_add(u32::try_from(offset).unwrap());
        let bytes = (0..length).map(place).map(|place| match place {
            ..0x8000_0000 => byte(key, place as usize),
            _ => 0xee,
        });
        bytes.collect()
    }

    /// A segment of one of the hostile agent's own connections, with damage that must be detected: a bit was flipped
    /// after the sum was calculated, the end is missing, or the sum is wrong.
    fn spoilt(&mut self) -> BytesMut {
        let Some(key) = self.any_own() else {
            return BytesMut::new();
        };
        let fields = self.good(key);
        let length = 1 + self.below(500);
        let mut data = self.data(key, fields.seq, length);
        let kind = self.random(3);
        if kind == 0 {
            for byte in &mut data {
                *byte ^= 0x55;
            }
        }
        let mut bytes = hostile::segment(key, &fields, &data);
        let sum = HEADER_LEN + 36;
        match kind {
            // One bit of the sum is flipped, so the sum is certainly wrong.
            0 => bytes[sum] ^= 0x80,
            1 => {
                let at = HEADER_LEN + self.below(bytes.len() - HEADER_LEN);
                bytes[at] ^= 1 << self.random(8);
            }
            _ => {
                // The length in the packet's header is greater than the length of the packet.
                let length = bytes.len() - HEADER_LEN - 1;
                let mut shorter = BytesMut::new();
                frame::put_packet(&mut shorter, length, |room| {
                    room.copy_from_slice(&bytes[HEADER_LEN..HEADER_LEN + length]);
                });
                bytes = shorter;
            }
        }
        bytes
    }

    /// A packet that must not reach any host: it belongs to another host's connection, or to no connection. The agent
    /// must not be ended because of a few such packets.
    fn marked(&mut self) -> BytesMut {
        let host = Ipv4Addr::new(127, 0, 42, 1 + u8::try_from(self.below(2)).unwrap());
        let key = FlowKey {
            src: SocketAddrV4::new(EVIL, 1 + u16::try_from(self.random(1_000)).unwrap()),
            dst: SocketAddrV4::new(host, ALWAYS),
        };
        let flags = [ACK, RST, RST | ACK, FIN | ACK, PSH, SYN | ACK][self.below(6)];
        match (self.random(12), self.other) {
            (0, Some(other)) => hostile::packet(other, flags, b"forged"),
            (1, Some(other)) => hostile::packet(other.reversed(), flags, b"forged"),
            _ => hostile::packet(key, flags, b"forged"),
        }
    }

    /// A message that is valid except for a few random changes.
    fn message(&mut self) -> BytesMut {
        let mut text = MESSAGES[self.below(MESSAGES.len())].as_bytes().to_vec();
        for _ in 0..self.below(4) {
            let (from, to) = (self.below(text.len()), self.below(text.len() + 1));
            match self.random(5) {
                0 => text[from] ^= 1 << self.random(8),
                1 => drop(text.drain(from.min(to)..to)),
                2 => {
                    let again = text[from.min(to)..to].to_vec();
                    text.splice(from..from, again);
                }
                3 => text[from] = u8::try_from(self.random(256)).unwrap(),
                _ => {
                    let word = WORDS[self.below(WORDS.len())];
                    text.splice(from..from, word.bytes());
                }
            }
            if text.is_empty() {
                text.push(b'{');
            }
        }
        let mut bytes = BytesMut::new();
        frame::put_control(&mut bytes, &text);
        bytes
    }

    /// Gives the manager the bytes that an agent has written. If the manager makes the agent wait, advances the time
    /// until the wait is over.
    fn feed(&mut self, vip: Vip, bytes: &mut BytesMut) {
        loop {
            match self.core.handle_bytes(self.now, vip, bytes) {
                Turn::Done => return,
                Turn::Yield => {}
                Turn::Wait(until) => self.now = until,
            }
        }
    }

    fn send(&mut self, mut bytes: BytesMut) {
        self.feed(self.evil, &mut bytes);
        self.settle();
    }

    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = self.obey();
            while let Some(frame) = self.core.poll_frame(self.now, self.evil) {
                busy = true;
                self.read(&frame);
            }
            let vips: Vec<Vip> = self.honest.keys().copied().collect();
            for vip in vips {
                busy |= self.pump(vip);
            }
        }
    }

    fn obey(&mut self) -> bool {
        let mut busy = false;
        while let Some(output) = self.core.poll_output() {
            busy = true;
            match output {
                manager::Output::Spawn(vip, _) => {
                    self.core.handle_spawned(self.now, vip, Ok(()));
                    if vip == self.evil {
                        self.sum.lives += 1;
                        self.own.clear();
                    } else {
                        let honest = Honest {
                            edge: edge::Core::new(self.random(u64::MAX), Capacity::default()),
                            taken: BTreeMap::new(),
                        };
                        let before = self.honest.insert(vip, honest);
                        assert!(before.is_none(), "{vip} was lost");
                    }
                }
                manager::Output::CloseInput(vip)
                | manager::Output::Terminate(vip)
                | manager::Output::Kill(vip) => {
                    assert_eq!(vip, self.evil, "an honest host is ended");
                    if std::mem::take(&mut self.greeted) {
                        self.own.clear();
                    }
                    self.core.handle_exit(self.now, vip, Ending::Signal(9));
                }
                manager::Output::Event(_)
                | manager::Output::Changed
                | manager::Output::Wake(_)
                | manager::Output::Look(..)
                | manager::Output::EndLook(..)
                | manager::Output::Fetch(..)
                | manager::Output::Answer(..)
                | manager::Output::Reply(..) => {}
            }
        }
        busy
    }

    /// Handles a frame for the hostile agent.
    fn read(&mut self, frame: &Bytes) {
        if frame[5] == 2 {
            let text = std::str::from_utf8(&frame[HEADER_LEN..]).unwrap();
            let (_, rest) = text.split_once("\"id\":").unwrap();
            let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let (_, rest) = text.split_once("\"op\":\"").unwrap();
            let (op, _) = rest.split_once('"').unwrap();
            let data = if with(op, b'c') {
                format!(r#","data":{{"features":{FEATURES},"version":"evil"}}"#)
            } else {
                String::new()
            };
            let answer =
                format!(r#"{{"type":"result","body":{{"request_id":{id},"op":"{op}"{data}}}}}"#);
            let mut bytes = BytesMut::new();
            frame::put_control(&mut bytes, answer.as_bytes());
            self.greeted = true;
            self.feed(self.evil, &mut bytes);
            return;
        }
        let come: Vec<_> = packets(frame)
            .map(|packet| (packet.key(), packet.segment()))
            .collect();
        for (key, segment) in come {
            let own = key.reversed();
            let flags = segment.flags;
            if flags.rst {
                self.own.remove(&own);
                continue;
            }
            if flags.syn && !flags.ack && !self.own.contains_key(&own) {
                let first = self.number();
                self.begin(own, first);
                let fields = Fields {
                    seq: first.wrapping_sub(1),
                    ack: segment.seq.wrapping_add(1),
                    flags: SYN | ACK,
                    ..Fields::default()
                };
                let mut bytes = hostile::segment(own, &fields, &[]);
                self.feed(self.evil, &mut bytes);
            }
            let Some(mine) = self.own.get_mut(&own) else {
                continue;
            };
            if flags.syn {
                mine.got = segment.seq.wrapping_add(1);
            }
            if flags.ack {
                mine.sent = segment.ack;
            }
            if flags.syn && flags.ack {
                let fields = self.good(own);
                let mut bytes = hostile::segment(
                    own,
                    &Fields {
                        flags: ACK,
                        ..fields
                    },
                    &[],
                );
                self.feed(self.evil, &mut bytes);
            }
        }
    }

    /// Performs everything that is due for an honest agent and its programs. Returns whether anything happened.
    fn pump(&mut self, vip: Vip) -> bool {
        let now = self.now;
        let reads = self.random(4) > 0;
        let honest = self.honest.get_mut(&vip).unwrap();
        let mut busy = false;
        while let Some(frame) = self.core.poll_frame(self.now, vip) {
            busy = true;
            for packet in packets(&frame) {
                judge(self.plan, vip, &packet, honest);
            }
            let mut bytes = BytesMut::from(&frame[..]);
            while honest.edge.handle_bytes(now, &mut bytes).unwrap() == edge::Progress::Yield {}
        }
        honest.edge.handle_timeout(now);
        while let Some(output) = honest.edge.poll_output() {
            busy = true;
            match output {
                edge::Output::Listen(listener) | edge::Output::Hold(listener) => {
                    honest.edge.handle_listening(now, listener, Ok(()));
                }
                edge::Output::Dial { flow, .. } => {
                    honest.edge.handle_dialled(flow, true);
                    honest.taken.insert(flow, (0, 0));
                    self.sum.flows += u64::from(*flow.dst.ip() == EVIL);
                }
                edge::Output::Silent => panic!("{vip} hears nothing"),
                edge::Output::EndPredecessor(..)
                | edge::Output::Write(_)
                | edge::Output::Close(_)
                | edge::Output::Probe(..)
                | edge::Output::OpenPorts(_)
                | edge::Output::Wake(_)
                | edge::Output::Serve(..) => {}
            }
        }
        if reads {
            busy |= self.programs(vip);
        }
        let mut out = BytesMut::new();
        let honest = self.honest.get_mut(&vip).unwrap();
        honest.edge.poll_frames(now, &mut out, 64 << 10);
        if !out.is_empty() {
            busy = true;
            self.feed(vip, &mut out);
        }
        busy
    }

    /// Lets the programs of a host receive all bytes that have arrived, checks each byte, and lets the programs send
    /// further bytes.
    fn programs(&mut self, vip: Vip) -> bool {
        let Honest { edge, taken } = self.honest.get_mut(&vip).unwrap();
        let (sum, other) = (&mut self.sum, &mut self.other);
        let said = usize::try_from(self.now.as_micros() / 100).unwrap();
        let mut busy = false;
        taken.retain(|flow, (place, given)| {
            let evil = *flow.dst.ip() == EVIL;
            let key = flow.reversed();
            // A panic inside the closure would be caught as a panic of the TCP stack, and would only end the
            // connection.
            let mut forged = None;
            let come = edge.receive_with(*flow, |bytes| {
                let mut all = bytes.iter().enumerate();
                forged = all.position(|(offset, got)| *got != byte(key, *place + offset));
                (bytes.len(), bytes.len())
            });
            if let Some(offset) = forged {
                panic!("{vip} is given a forged byte at {place}+{offset} of {key}");
            }
            let over = match come {
                Receive::Data(count) => {
                    *place += count;
                    busy = true;
                    *(if evil {
                        &mut sum.delivered
                    } else {
                        &mut sum.honest
                    }) += count as u64;
                    false
                }
                Receive::Pending => false,
                Receive::Finished | Receive::Reset => true,
            };
            if over {
                assert!(evil, "{vip}: a connection of honest hosts is over: {flow}");
                edge.handle_finished(*flow);
                edge.release(*flow);
                return false;
            }
            // An honest host sends the hostile host about a quarter of the bytes that it has received from there. It
            // sends to the other honest host all the time.
            let most = if evil { *place / 4 + 100 } else { said };
            let sent = edge.send_with(*flow, |room| {
                let count = room.len().min(most.saturating_sub(*given)).min(4_000);
                for (offset, to) in room[..count].iter_mut().enumerate() {
                    *to = byte(*flow, *given + offset);
                }
                (count, count)
            });
            *given += sent.unwrap_or(0);
            true
        });
        if other.is_some_and(|key| *key.src.ip() == vip.address() && !taken.contains_key(&key)) {
            *other = None;
        }
        busy
    }
}

/// Checks that a packet may be delivered to an honest host. Its sequence number must not be [`MARK`], and it has to
/// belong to a connection that the host knows or that the plan allows.
fn judge(plan: Variant, vip: Vip, packet: &Packet<'_>, honest: &Honest) {
    let (key, segment) = (packet.key(), packet.segment());
    assert_ne!(segment.seq, MARK, "{vip} is sent what was made up: {key}");
    let known = honest.taken.contains_key(&key.reversed());
    let allowed = plan.allows(vip, key.src, key.dst) || key.src.port() == ALWAYS;
    assert!(known || allowed, "{vip} is sent a part of {key}");
}
