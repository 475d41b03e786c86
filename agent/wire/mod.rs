//! What crosses a link: frames, the JSON messages in them, and checked views of the IPv4 packets in them.
//!
//! ```text
//! u8    magic 0x42
//! u24be length of what follows (type, reserved, payload)
//! u16be type: 1 = packet, 2 = control
//! u16be reserved: 0, or the frame's sum
//! bytes payload
//! ```
//!
//! `docs/PROTOCOL.md` is the normative text; a test fails when this room changes and that text was not read again.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod cause;
pub mod control;
pub mod frame;
pub mod packet;
pub mod probe;
pub mod relay;
pub mod sum;

pub use cause::{Cause, Failure};
pub use frame::{Decoder, Desync, Item, PacketFrame};
pub use packet::{Flags, Packet, PacketError, Segment};

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
const LENGTH_OVERHEAD: usize = 4;

/// What a frame carries, as its type field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Packet = 1,
    Control = 2,
}
