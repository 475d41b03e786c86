//! Names and their addresses as bytes: DNS messages, resolv.conf, hosts files and HOSTALIASES.
//!
//! A [`Zone`] has the names of the network. The rest of this room converts it, and the host's own configuration, into
//! the forms in which programs look names up. This room does not use sockets, files or a clock.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod zone;

pub mod ask;
pub mod dns;
mod message;
pub mod search;

pub mod host_aliases;
pub mod hosts_file;
mod owner;
pub mod resolv_conf;

pub use owner::Owner;
pub use zone::{SUFFIX, Zone};

/// The time to live of our answers, in seconds. It is short, because names change with the manifest.
pub const TTL: u32 = 10;
