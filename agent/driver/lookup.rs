//! Names as this host resolves them, with the words of its operating system's resolver.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    time::Duration,
};

use tokio::sync::Semaphore;

use super::describe;
use crate::proxy::{Cause, Destination, Failure, Host};

/// How long a name may take.
const LOOKUP_MAX: Duration = Duration::from_secs(15);

/// How many names are looked up at a time for each [`Asker`]. A resolver that does not answer holds a thread for each.
pub(super) const LOOKUPS_MAX: usize = 16;

/// For whom a name is looked up. What one of them asks for does not make another wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Whoever connects to a published port.
    Ports,
    /// A program of this host, through a proxy.
    Programs,
    /// Another host, through a route.
    Hosts,
}

/// How many kinds of [`Asker`] there are.
pub(super) const ASKERS: usize = 3;

static PORTS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);
static PROGRAMS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);
static HOSTS: Semaphore = Semaphore::const_new(LOOKUPS_MAX);

impl Asker {
    /// The turns of all agents of this process: they share its threads.
    const fn turns(self) -> &'static Semaphore {
        match self {
            Self::Ports => &PORTS,
            Self::Programs => &PROGRAMS,
            Self::Hosts => &HOSTS,
        }
    }
}

/// The addresses of a destination; at least one.
pub(super) async fn lookup(
    destination: &Destination,
    asker: Asker,
) -> Result<Vec<SocketAddr>, Failure> {
    let port = destination.port;
    let name = match &destination.host {
        Host::Ip(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        Host::Name(name) => name.clone(),
    };
    let question = name.clone();
    let answer = async {
        let turn = asker.turns().acquire().await;
        tokio::task::spawn_blocking(move || {
            // A resolver cannot be interrupted, so the turn lasts as long as it does.
            let _turn = turn;
            (question.as_str(), port).to_socket_addrs()
        })
        .await
    };
    let what = match tokio::time::timeout(LOOKUP_MAX, answer).await {
        Ok(Ok(Ok(addresses))) => {
            // An IPv4 address in the clothes of IPv6 is judged as what it is.
            let plain = addresses.map(|address| SocketAddr::new(address.ip().to_canonical(), port));
            let addresses: Vec<SocketAddr> = plain.collect();
            if !addresses.is_empty() {
                return Ok(addresses);
            }
            "it has no address".to_owned()
        }
        Ok(Ok(Err(error))) => describe(&error),
        Ok(Err(_)) | Err(_) => "the resolver does not answer".to_owned(),
    };
    Err(Failure {
        cause: Cause::NameNotFound,
        reason: format!("The name {name} cannot be resolved: {what}."),
    })
}
