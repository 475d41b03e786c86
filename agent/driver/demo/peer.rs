//! The address of one host of the demo, in the form in which the other hosts are told it.

use std::{net::SocketAddrV4, str::FromStr};

use crate::addr::HostName;

/// Another host, and the address of its page in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub(super) name: HostName,
    pub(super) address: SocketAddrV4,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, address) = text.split_once('=').ok_or("write NAME=ADDRESS:PORT")?;
        Ok(Self {
            name: name.parse().map_err(|error| format!("{error}"))?,
            address: address.parse().map_err(|error| format!("{error}"))?,
        })
    }
}
