//! The data that crosses a link: frames, the JSON messages in them, and checked views of the IPv4 packets in them.
//!
//! ```text
//! u8    magic 0x42
//! u24be length of what follows (type, reserved, payload)
//! u16be type: 1 = packet, 2 = control
//! u16be reserved: 0, or the frame's sum
//! bytes payload
//! ```
//!
//! `docs/PROTOCOL.md` is the normative text. A test fails after every change in this folder, until somebody has
//! compared the text with the change.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod cause;
pub mod control;
pub mod frame;
mod layout;
mod null;
pub mod open_ports;
pub mod packet;
pub mod probe;
pub mod relay;
mod shell;
pub mod sum;

pub use cause::{Cause, Failure};
pub use frame::{Decoder, Desync, Item, PacketFrame};
pub use layout::{
    BANNER_MAX, CONTROL_MAX_FROM_AGENT, CONTROL_MAX_FROM_MANAGER, HEADER_LEN, MAGIC, PACKET_MAX,
};
pub use packet::{Flags, Packet, PacketError, Segment};
pub use shell::SHELL_LOOP;
