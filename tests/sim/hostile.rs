//! The frames of a hostile agent: packets in the name of others, packets to forbidden destinations, frames of unknown
//! kinds, and invalid messages.

use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::BytesMut;
use norouter::{
    addr::FlowKey,
    wire::{HEADER_LEN, MAGIC, frame},
};

use crate::plans::{ALWAYS, EVIL, KEPT, NEVER, NOWHERE};

/// The sequence number of packets that must not reach any host.
pub(crate) const MARK: u32 = 0x6666_6666;

/// How many kinds of frames there are. Only the last kind causes the end of the agent.
pub(crate) const KINDS: u64 = 100;

/// The flags of TCP.
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// The frames of this kind. `flow` is a connection of two other hosts.
pub(crate) fn frames(kind: u64, flow: Option<FlowKey>) -> BytesMut {
    let host = |number| Ipv4Addr::new(127, 0, 42, number);
    let packet = |src: Ipv4Addr, dst: Ipv4Addr, port: u16, flags: u8| {
        let key = FlowKey {
            src: SocketAddrV4::new(src, 6_666),
            dst: SocketAddrV4::new(dst, port),
        };
        self::packet(key, flags, &[])
    };
    if kind == KINDS - 1 {
        // This is not a frame. The stream cannot be decoded any further.
        return BytesMut::from(&b"usage: evil [OPTIONS]"[..]);
    }
    match kind % 10 {
        0 => packet(host(1), host(2), ALWAYS, SYN),
        1 => packet(EVIL, host(2), NEVER, SYN),
        2 => packet(EVIL, host(99), ALWAYS, SYN),
        3 => packet(EVIL, *NOWHERE.ip(), NOWHERE.port(), SYN),
        4 => packet(EVIL, host(1), ALWAYS, ACK),
        // A reset of another host's connection, and data for it.
        5 => flow.map_or_else(BytesMut::new, |flow| self::packet(flow, RST, &[])),
        6 => flow.map_or_else(BytesMut::new, |flow| {
            self::packet(flow.reversed(), ACK, b"more")
        }),
        // A packet that is too short, a frame of an unknown kind, and a frame whose content is not a message.
        7 => {
            let mut bytes = BytesMut::new();
            bytes.extend([MAGIC, 0, 0, 5, 0, 1, 0, 0, 0x45]);
            bytes.extend([MAGIC, 0, 0, 6, 0, 9, 0, 0, 1, 2]);
            frame::put_control(&mut bytes, b"{\"type\":\"result\"");
            bytes
        }
        // A SYN to a port that no policy opens for the hostile host.
        8 => packet(EVIL, host(1), KEPT, SYN),
        // Two suggestions of routes through the hostile host. One is for another host's address, the other for an
        // address whose route leads through another host.
        _ => {
            let mut bytes = BytesMut::new();
            for address in ["127.0.42.1", "10.0.0.5"] {
                let event = format!(
                    r#"{{"type":"event","body":{{"type":"routeSuggestion","data":{{"ip":["{address}"],"route":"{EVIL}"}}}}}}"#
                );
                frame::put_control(&mut bytes, event.as_bytes());
            }
            bytes
        }
    }
}

/// A valid segment with the sequence number [`MARK`], as a frame.
pub(crate) fn packet(key: FlowKey, flags: u8, data: &[u8]) -> BytesMut {
    let fields = Fields {
        seq: MARK,
        flags,
        ..Fields::default()
    };
    segment(key, &fields, data)
}

/// The fields of a segment, without its ports.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) urgent: u16,
    /// The options of the segment: a multiple of four bytes, at most 40.
    pub(crate) options: Vec<u8>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            seq: 0,
            ack: 0,
            flags: 0,
            window: 0xffff,
            urgent: 0,
            options: Vec::new(),
        }
    }
}

/// A valid segment as a frame.
pub(crate) fn segment(key: FlowKey, fields: &Fields, data: &[u8]) -> BytesMut {
    let length = 40 + fields.options.len() + data.len();
    let mut ip = vec![0x45, 0];
    ip.extend(u16::try_from(length).unwrap().to_be_bytes());
    ip.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    ip.extend(key.src.ip().octets());
    ip.extend(key.dst.ip().octets());
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut tcp = Vec::with_capacity(length);
    tcp.extend(key.src.port().to_be_bytes());
    tcp.extend(key.dst.port().to_be_bytes());
    tcp.extend(fields.seq.to_be_bytes());
    tcp.extend(fields.ack.to_be_bytes());
    let words = u8::try_from(5 + fields.options.len() / 4).unwrap();
    tcp.extend([words << 4, fields.flags]);
    tcp.extend(fields.window.to_be_bytes());
    tcp.extend([0, 0]);
    tcp.extend(fields.urgent.to_be_bytes());
    tcp.extend(&fields.options);
    tcp.extend(data);
    let mut summed = ip[12..20].to_vec();
    summed.extend([0, 6]);
    summed.extend(u16::try_from(tcp.len()).unwrap().to_be_bytes());
    summed.extend(&tcp);
    let sum = checksum(&summed);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut bytes = BytesMut::with_capacity(HEADER_LEN + length);
    frame::put_packet(&mut bytes, length, |room| {
        room[..20].copy_from_slice(&ip);
        room[20..].copy_from_slice(&tcp);
    });
    bytes
}

/// The checksum of RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}
