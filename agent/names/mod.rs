//! Names and their addresses: DNS messages, resolv.conf, hosts files and HOSTALIASES, from bytes to bytes.
//!
//! A [`Zone`] is what the network knows. Everything else here turns it, and what a host already has, into the forms in
//! which programs ask for names. Nothing in this room touches a socket, a file or a clock.

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
