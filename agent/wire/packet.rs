//! Checked views of the IPv4 packets that cross a link, and the only packet that a switch creates: a reset.
//!
//! The bytes are checked when a view is made, so its methods cannot fail. Raw offsets into a packet are used only in
//! this file.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::addr::FlowKey;

const IPV4_HEADER: usize = 20;
const TCP_HEADER: usize = 20;
const TCP: u8 = 6;

/// The reason why bytes are not a packet that this network can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PacketError {
    /// The packet is shorter than its headers say, or shorter than the minimum headers.
    #[error("shorter than its headers")]
    Truncated,
    /// The packet is not of version 4.
    #[error("not IPv4")]
    Version,
    /// The total length in the header is not the length of the frame's payload.
    #[error("its length field disagrees with its length")]
    Length,
    /// The packet has IP options. Nothing in this network sends them, and implementations read them differently.
    #[error("it carries IP options")]
    Options,
    /// The packet is a fragment. Packets in this network are never fragmented.
    #[error("it is a fragment")]
    Fragment,
    /// The packet does not carry TCP.
    #[error("it is not TCP")]
    Protocol,
}

/// A TCP segment in an IPv4 packet. Its headers were checked, but not its checksums. The stacks at both ends check
/// those.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    key: FlowKey,
    segment: Segment,
}

/// The fields of a TCP header that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number of the first byte (or of SYN).
    pub seq: u32,
    /// The next sequence number that the sender expects; valid if [`Flags::ack`] is set.
    pub ack: u32,
    /// The flags that matter here.
    pub flags: Flags,
    /// How far the segment advances the sequence number: its bytes, plus one each for SYN and FIN.
    pub span: u32,
    /// The window field, not yet scaled: how many bytes after [`Segment::ack`] the sender accepts.
    pub window: u16,
    /// The scale factor for all later windows of the sender (RFC 7323 section 2.2); only a SYN can have one.
    pub shift: Option<u8>,
}

/// The flags of a TCP header (RFC 9293 section 3.1) that decide how a flow begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the header's own bits"
)]
pub struct Flags {
    /// The sender has no more data.
    pub fin: bool,
    /// The segment begins a connection.
    pub syn: bool,
    /// The segment ends a connection at once.
    pub rst: bool,
    /// The acknowledgment number is valid.
    pub ack: bool,
}

impl Segment {
    /// How many bytes of the stream the segment carries.
    pub const fn bytes(self) -> u32 {
        self.span - self.flags.syn as u32 - self.flags.fin as u32
    }
}

impl<'a> Packet<'a> {
    /// Checks `bytes` as one whole IPv4 packet with TCP inside.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let Some((ip, tcp)) = bytes.split_first_chunk::<IPV4_HEADER>() else {
            return Err(PacketError::Truncated);
        };
        if ip[0] >> 4 != 4 {
            return Err(PacketError::Version);
        }
        if ip[0] & 0x0f != 5 {
            return Err(PacketError::Options);
        }
        if usize::from(u16::from_be_bytes([ip[2], ip[3]])) != bytes.len() {
            return Err(PacketError::Length);
        }
        // The mask has all bits except "don't fragment". If any of them is set, the packet is a fragment.
        if u16::from_be_bytes([ip[6], ip[7]]) & 0xbfff != 0 {
            return Err(PacketError::Fragment);
        }
        if ip[9] != TCP {
            return Err(PacketError::Protocol);
        }
        let Some((header, rest)) = tcp.split_first_chunk::<TCP_HEADER>() else {
            return Err(PacketError::Truncated);
        };
        let data_offset = usize::from(header[12] >> 4) * 4;
        if data_offset < TCP_HEADER || data_offset > tcp.len() {
            return Err(PacketError::Truncated);
        }
        let flags = Flags {
            fin: header[13] & 0x01 != 0,
            syn: header[13] & 0x02 != 0,
            rst: header[13] & 0x04 != 0,
            ack: header[13] & 0x10 != 0,
        };
        let key = FlowKey {
            src: SocketAddrV4::new(
                Ipv4Addr::new(ip[12], ip[13], ip[14], ip[15]),
                u16::from_be_bytes([header[0], header[1]]),
            ),
            dst: SocketAddrV4::new(
                Ipv4Addr::new(ip[16], ip[17], ip[18], ip[19]),
                u16::from_be_bytes([header[2], header[3]]),
            ),
        };
        let data = u32::try_from(tcp.len() - data_offset).unwrap_or(u32::MAX);
        let options = rest.get(..data_offset - TCP_HEADER).unwrap_or_default();
        let segment = Segment {
            seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ack: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
            flags,
            span: data + u32::from(flags.syn) + u32::from(flags.fin),
            window: u16::from_be_bytes([header[14], header[15]]),
            shift: flags.syn.then(|| window_shift(options)).flatten(),
        };
        Ok(Self {
            bytes,
            key,
            segment,
        })
    }

    /// The whole packet.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Both endpoints, in the direction of this packet.
    pub fn key(&self) -> FlowKey {
        self.key
    }

    /// The fields of the TCP header.
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// The reset that answers this segment if there is no connection (RFC 9293 section 3.10.7.1). `None` if the segment
    /// is a reset itself.
    pub fn reset_reply(&self) -> Option<[u8; RESET_LEN]> {
        let Segment {
            seq,
            ack,
            flags,
            span,
            ..
        } = self.segment;
        if flags.rst {
            return None;
        }
        let to_sender = self.key().reversed();
        Some(if flags.ack {
            reset(to_sender, ack, None)
        } else {
            reset(to_sender, 0, Some(seq.wrapping_add(span)))
        })
    }
}

/// Lowers the window of an outgoing segment by one unit of its scale.
///
/// A stack rounds its window down to a multiple of the scale, so the right edge that it announces can be up to one unit
/// before the edge of an earlier segment (RFC 7323 section 2.4). The stack does not accept the bytes between these edges,
/// although the peer may have sent them already. With this reserve, the peer never sends a byte that the stack does not
/// accept. The segment that begins a connection stays as it is, because its window is not scaled.
pub fn lower_window(packet: &mut [u8]) {
    const FLAGS: usize = 13;
    const SYN: u8 = 0x02;
    const WINDOW: usize = 14;
    const SUM: usize = 16;

    let Some(tcp) = packet
        .get_mut(IPV4_HEADER..)
        .and_then(|tcp| tcp.first_chunk_mut::<TCP_HEADER>())
    else {
        return;
    };
    let window = u16::from_be_bytes([tcp[WINDOW], tcp[WINDOW + 1]]);
    let Some(lower) = window.checked_sub(1).filter(|_| tcp[FLAGS] & SYN == 0) else {
        return;
    };
    // RFC 1624 section 3: the new sum follows from the old one and the two values of the field.
    let old = [tcp[SUM], tcp[SUM + 1]].map(|byte| !byte);
    let sum = checksum(&[&old, &(!window).to_be_bytes(), &lower.to_be_bytes()]);
    tcp[WINDOW..SUM].copy_from_slice(&lower.to_be_bytes());
    tcp[SUM..SUM + 2].copy_from_slice(&sum);
}

/// The largest window scale among the TCP options. Stacks may read malformed options in different ways, so for those
/// the largest possible scale is assumed.
fn window_shift(mut options: &[u8]) -> Option<u8> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const WINDOW_SCALE: u8 = 3;
    const IN_DOUBT: Option<u8> = Some(u8::MAX);

    let mut shift = None;
    loop {
        options = match *options {
            [] | [END, ..] => return shift,
            [NOTHING, ref rest @ ..] => rest,
            [WINDOW_SCALE, 3, named, ref rest @ ..] => {
                shift = shift.max(Some(named));
                rest
            }
            [kind, length, ..] if kind != WINDOW_SCALE && length >= 2 => {
                let Some(rest) = options.get(usize::from(length)..) else {
                    return IN_DOUBT;
                };
                rest
            }
            _ => return IN_DOUBT,
        };
    }
}

/// The length of a packet that [`reset`] makes, in bytes.
pub const RESET_LEN: usize = IPV4_HEADER + TCP_HEADER;

/// A reset from `key.src` to `key.dst` with these numbers. If `ack` is `None`, the reset acknowledges nothing.
pub fn reset(key: FlowKey, seq: u32, ack: Option<u32>) -> [u8; RESET_LEN] {
    const RST: u8 = 0x04;
    const ACK: u8 = 0x10;
    const TTL: u8 = 64;
    const LENGTH: u16 = 40;
    const SEGMENT: u16 = 20;

    let mut ip = [0; IPV4_HEADER];
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&LENGTH.to_be_bytes());
    ip[8] = TTL;
    ip[9] = TCP;
    ip[12..16].copy_from_slice(&key.src.ip().octets());
    ip[16..20].copy_from_slice(&key.dst.ip().octets());
    let header_sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&header_sum);

    let mut tcp = [0; TCP_HEADER];
    tcp[0..2].copy_from_slice(&key.src.port().to_be_bytes());
    tcp[2..4].copy_from_slice(&key.dst.port().to_be_bytes());
    tcp[4..8].copy_from_slice(&seq.to_be_bytes());
    tcp[8..12].copy_from_slice(&ack.unwrap_or(0).to_be_bytes());
    tcp[12] = 5 << 4;
    tcp[13] = RST | if ack.is_some() { ACK } else { 0 };
    // The pseudo header of RFC 9293 section 3.1: both addresses, the protocol, the segment's length.
    let [high, low] = SEGMENT.to_be_bytes();
    let segment_sum = checksum(&[&ip[12..20], &[0, TCP, high, low], &tcp]);
    tcp[16..18].copy_from_slice(&segment_sum);

    let mut packet = [0; RESET_LEN];
    let (head, tail) = packet.split_at_mut(IPV4_HEADER);
    head.copy_from_slice(&ip);
    tail.copy_from_slice(&tcp);
    packet
}

/// The Internet checksum (RFC 1071) over parts of even length.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let pairs = parts.iter().flat_map(|part| part.as_chunks::<2>().0);
    let mut sum: u32 = pairs.map(|pair| u32::from(u16::from_be_bytes(*pair))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap_or(0)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use smoltcp::{
        phy::ChecksumCapabilities,
        wire::{IpAddress, Ipv4Packet, Ipv4Repr, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber},
    };

    const KEY: FlowKey = FlowKey {
        src: SocketAddrV4::new(Ipv4Addr::new(127, 0, 42, 101), 8080),
        dst: SocketAddrV4::new(Ipv4Addr::new(127, 0, 42, 100), 40_000),
    };

    #[test]
    fn a_reset_is_a_packet_that_another_stack_accepts() {
        let bytes = reset(KEY, 1_000_000_007, Some(42));
        let ip = Ipv4Packet::new_checked(&bytes[..]).unwrap();
        let repr = Ipv4Repr::parse(&ip, &ChecksumCapabilities::default()).unwrap();
        let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
        let (src, dst): (IpAddress, IpAddress) = (repr.src_addr.into(), repr.dst_addr.into());
        let tcp = TcpRepr::parse(&tcp, &src, &dst, &ChecksumCapabilities::default()).unwrap();
        assert_eq!(tcp.control, TcpControl::Rst);
        assert_eq!(tcp.ack_number, Some(TcpSeqNumber(42)));
        assert_eq!((tcp.src_port, tcp.dst_port), (8080, 40_000));

        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.key(), KEY);
        assert!(packet.segment().flags.rst);
        assert_eq!(packet.reset_reply(), None, "a reset is never answered");
    }

    #[test]
    fn a_syn_to_nowhere_is_answered_as_the_rfc_says() {
        let mut syn = reset(KEY, 500, None);
        syn[IPV4_HEADER + 13] = 0x02;
        let reply = Packet::parse(&syn).unwrap().reset_reply().unwrap();
        let reply = Packet::parse(&reply).unwrap();
        assert_eq!(reply.key(), KEY.reversed());
        assert_eq!((reply.segment().seq, reply.segment().ack), (0, 501));
        assert!(reply.segment().flags.ack);
    }

    #[test]
    fn a_lowered_window_keeps_its_checksum_and_that_of_a_syn_stays() {
        for (window, flags, expected) in [
            (0, 0x10, 0),
            (1, 0x10, 0),
            (0x0100, 0x11, 0x00ff),
            (0xffff, 0x10, 0xfffe),
            (0xffff, 0x12, 0xffff),
        ] {
            let mut bytes = reset(KEY, 7, Some(42));
            let tcp = &mut bytes[IPV4_HEADER..];
            tcp[13] = flags;
            tcp[14..16].copy_from_slice(&u16::to_be_bytes(window));
            let mut sum_of = TcpPacket::new_unchecked(tcp);
            let (src, dst): (IpAddress, IpAddress) =
                ((*KEY.src.ip()).into(), (*KEY.dst.ip()).into());
            sum_of.fill_checksum(&src, &dst);

            lower_window(&mut bytes);
            let tcp = TcpPacket::new_checked(&bytes[IPV4_HEADER..]).unwrap();
            assert_eq!(tcp.window_len(), expected);
            assert!(tcp.verify_checksum(&src, &dst), "{window:#x} {flags:#x}");
        }
    }

    #[test]
    fn a_window_shift_is_found_among_options_and_nothing_is_read_beyond_them() {
        for (options, shift) in [
            (&[][..], None),
            (&[3, 3, 7], Some(7)),
            (&[2, 4, 5, 180, 1, 3, 3, 0], Some(0)),
            (&[0, 3, 3, 7], None),
            (&[3, 3, 0, 3, 3, 9, 3, 3, 1], Some(9)),
            (&[3, 3], Some(255)),
            (&[3, 2, 3, 3, 7], Some(255)),
            (&[8, 0, 3, 3, 7], Some(255)),
            (&[8, 200, 3, 3, 7], Some(255)),
            (&[1, 1, 1, 8], Some(255)),
        ] {
            assert_eq!(window_shift(options), shift, "{options:?}");
        }
    }

    #[test]
    fn what_the_network_does_not_carry_is_named() {
        let good = reset(KEY, 0, None);
        let broken = |at: usize, value: u8| {
            let mut bytes = good;
            bytes[at] = value;
            Packet::parse(&bytes).unwrap_err()
        };
        assert_eq!(Packet::parse(&[]).unwrap_err(), PacketError::Truncated);
        assert_eq!(
            Packet::parse(&good[..19]).unwrap_err(),
            PacketError::Truncated
        );
        assert_eq!(Packet::parse(&good[..39]).unwrap_err(), PacketError::Length);
        assert_eq!(broken(0, 0x65), PacketError::Version);
        assert_eq!(broken(0, 0x46), PacketError::Options);
        assert_eq!(broken(3, 41), PacketError::Length);
        assert_eq!(broken(6, 0x20), PacketError::Fragment);
        assert_eq!(broken(7, 0x01), PacketError::Fragment);
        assert_eq!(broken(9, 17), PacketError::Protocol);
        assert_eq!(broken(IPV4_HEADER + 12, 4 << 4), PacketError::Truncated);
        assert_eq!(broken(IPV4_HEADER + 12, 6 << 4), PacketError::Truncated);
    }

    proptest! {
        #[test]
        fn no_bytes_whatever_make_it_panic(
            mut bytes in prop::collection::vec(any::<u8>(), 0..80),
            plausible in any::<bool>(),
        ) {
            if plausible && bytes.len() >= IPV4_HEADER {
                let length = u8::try_from(bytes.len()).unwrap();
                bytes[0] = 0x45;
                bytes[2..4].copy_from_slice(&[0, length]);
                bytes[6..8].copy_from_slice(&[0, 0]);
                bytes[9] = TCP;
            }
            if let Ok(packet) = Packet::parse(&bytes) {
                let _ = (packet.key(), packet.segment(), packet.reset_reply());
            }
        }
    }
}
