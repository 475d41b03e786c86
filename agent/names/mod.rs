//! Names and their addresses as bytes: DNS messages, resolv.conf, hosts files and HOSTALIASES.
//!
//! A [`Zone`] holds the names of the network. The other files of this module convert names into the formats in which
//! programs look them up: those of the zone, and those that a host already has. This module uses no sockets, files or
//! clocks.

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
pub use zone::{SUFFIX, TTL, Zone};
