//! Finds room for a new network on this machine: addresses and a port that no running network uses.

use std::{collections::BTreeMap, net::TcpListener};

use crate::{driver::control::Client, import::NETWORK};

/// The usual port of the HTTP proxy of this machine.
const PROXY: u16 = 18_080;

/// How many ports are tried.
const TRIES: u16 = 100;

/// The numbers N of the blocks 127.0.N.0/24 that this user's running networks have addresses in, each with the name of
/// one of these networks.
pub type Taken = BTreeMap<u8, String>;

/// The number N of a block 127.0.N.0/24 for a new manifest, and all blocks that are taken.
pub async fn free_network() -> (u8, Taken) {
    let mut taken = Taken::new();
    for (client, network) in Client::around().await {
        let hosts = network.map(|network| network.snapshot.hosts);
        for host in hosts.into_iter().flatten() {
            let mut numbers = host.vip.split('.');
            if let (Some("127"), Some("0"), Some(Ok(third))) = (
                numbers.next(),
                numbers.next(),
                numbers.next().map(str::parse),
            ) {
                taken.insert(third, client.name().to_string());
            }
        }
    }
    let free = (NETWORK..=u8::MAX).find(|it| !taken.contains_key(it));
    (free.unwrap_or(NETWORK), taken)
}

/// A port of 127.0.0.1 on which no program listens, for the proxy of this machine.
pub fn free_proxy() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (PROXY..PROXY + TRIES).find(is_free).unwrap_or(PROXY)
}
