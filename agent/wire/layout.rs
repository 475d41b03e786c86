//! The parts of a frame, and how long they may be.

/// The first byte of every frame.
pub const MAGIC: u8 = 0x42;

/// Bytes of a frame before its payload.
pub const HEADER_LEN: usize = 8;

/// The largest IPv4 packet: its total length is a 16-bit field (RFC 791 section 3.1).
pub const PACKET_MAX: usize = 65_535;

/// The largest control message that an agent may send, in bytes. A result or an event has a few hundred bytes; the list
/// of all that does not work on a host may be longer.
pub const CONTROL_MAX_FROM_AGENT: usize = 256 << 10;

/// The largest control message that a manager may send, in bytes: the most that fits a frame's length field.
pub const CONTROL_MAX_FROM_MANAGER: usize = (1 << 24) - 1 - LENGTH_OVERHEAD;

/// How much text may precede the first frame of an agent (a login banner, the output of a `.bashrc`), in bytes.
pub const BANNER_MAX: usize = 64 << 10;

/// The bytes of type and reserved, which the length field counts.
pub(super) const LENGTH_OVERHEAD: usize = 4;

/// What a frame carries, as its type field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Packet = 1,
    Control = 2,
}
