//! The parts of a frame, and their maximum lengths.

/// The first byte of every frame.
pub const MAGIC: u8 = 0x42;

/// The number of bytes in a frame before its payload.
pub const HEADER_LEN: usize = 8;

/// The largest IPv4 packet: its total length is a 16-bit field (RFC 791 section 3.1).
pub const PACKET_MAX: usize = 65_535;

/// The largest control message that an agent may send, in bytes. A result or an event has a few hundred bytes; a list
/// of all problems of a host may be longer.
pub const CONTROL_MAX_FROM_AGENT: usize = 256 << 10;

/// The largest control message that a manager may send, in bytes: the maximum of a frame's length field.
pub const CONTROL_MAX_FROM_MANAGER: usize = (1 << 24) - 1 - LENGTH_OVERHEAD;

/// How much text may precede the first frame of an agent (a login banner, the output of a `.bashrc`), in bytes.
pub const BANNER_MAX: usize = 64 << 10;

/// The length of the type and reserved fields in bytes, which the length field includes.
pub(super) const LENGTH_OVERHEAD: usize = 4;

/// The type of a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Packet = 1,
    Control = 2,
}
