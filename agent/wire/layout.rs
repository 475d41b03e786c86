//! The parts of a frame, and their maximum lengths.

/// The first byte of every frame.
pub const MAGIC: u8 = 0x42;

/// The number of bytes of a frame before its payload.
pub const HEADER_LEN: usize = 8;

/// The largest IPv4 packet: its total length is a 16-bit field (RFC 791 section 3.1).
pub const PACKET_MAX: usize = 65_535;

/// The largest control message that an agent may send, in bytes. A result or an event has a few hundred bytes. A list
/// of all problems of a host may be longer.
pub const CONTROL_MAX_FROM_AGENT: usize = 256 << 10;

/// The largest control message that a manager may send, in bytes: the maximum of a frame's length field.
pub const CONTROL_MAX_FROM_MANAGER: usize = (1 << 24) - 1 - LENGTH_OVERHEAD;

/// The maximum length of the text before the first frame of an agent, in bytes. Such text is, for example, a login
/// banner or the output of a `.bashrc`.
pub const BANNER_MAX: usize = 64 << 10;

/// The length of the type field and the reserved field, in bytes. The length field includes them.
pub(super) const LENGTH_OVERHEAD: usize = 4;

/// The type of a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Packet = 1,
    Control = 2,
}
