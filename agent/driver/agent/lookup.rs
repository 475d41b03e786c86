//! Resolves names with the resolver of this host, and passes on the text of its errors.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::shared::Shared;
use crate::{
    destination::{Destination, Host},
    driver::system::describe,
    edge::way::unresolved,
    wire::{Cause, Failure},
};

/// How long the lookup of a name may take.
const LOOKUP_MAX: Duration = Duration::from_secs(15);

/// How many names are resolved at a time. Each kind of [`Asker`] has a limit, and there is one for all kinds together.
/// Each lookup occupies a thread until the resolver answers.
const PORTS_MAX: usize = 16;
const PROGRAMS_MAX: usize = 16;
const HOSTS_MAX: usize = 64;
pub(super) const LOOKUPS_MAX: usize = PORTS_MAX + PROGRAMS_MAX + HOSTS_MAX;

/// How many lookups of one other host may run at a time.
const PER_HOST: usize = 4;

/// The reason for which a name is resolved. Lookups for one kind of asker do not delay those for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A client of a published port.
    Ports,
    /// A program on this host that uses a proxy.
    Programs,
    /// Another host that uses this host as a gateway.
    Host(Ipv4Addr),
}

/// Semaphores that limit how many lookups run at a time: each lookup has to get its turn first. All agents of this
/// process share them, because each lookup occupies a thread of the process.
static PORTS: Semaphore = Semaphore::const_new(PORTS_MAX);
static PROGRAMS: Semaphore = Semaphore::const_new(PROGRAMS_MAX);
static HOSTS: Semaphore = Semaphore::const_new(HOSTS_MAX);

/// The semaphores of the other hosts. Each of them limits the lookups that its host has asked for.
static EACH_HOST: Mutex<BTreeMap<Ipv4Addr, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

/// The turn of one lookup. It ends when this value is dropped.
struct LookupTurn {
    _of_all: Option<SemaphorePermit<'static>>,
    _of_host: Option<OwnedSemaphorePermit>,
}

impl Asker {
    /// Waits until a lookup may run. A lookup for another host first needs a turn of that host's own semaphore, so that
    /// one host cannot take all turns.
    async fn turn(self) -> LookupTurn {
        let all = match self {
            Self::Ports => &PORTS,
            Self::Programs => &PROGRAMS,
            Self::Host(_) => &HOSTS,
        };
        let own = match self {
            Self::Host(host) => Some(turns_of(host)),
            Self::Ports | Self::Programs => None,
        };
        // Acquiring fails only on a closed semaphore, and these are never closed.
        let of_host = match own {
            Some(own) => own.acquire_owned().await.ok(),
            None => None,
        };
        LookupTurn {
            _of_all: all.acquire().await.ok(),
            _of_host: of_host,
        }
    }
}

fn turns_of(host: Ipv4Addr) -> Arc<Semaphore> {
    let mut each = EACH_HOST.lock().unwrap_or_else(PoisonError::into_inner);
    // A host is forgotten when none of its lookups runs or waits.
    each.retain(|_, turns| Arc::strong_count(turns) > 1);
    let turns = each.entry(host);
    turns
        .or_insert_with(|| Arc::new(Semaphore::new(PER_HOST)))
        .clone()
}

/// Whether this program uses musl's resolver, as static builds do. musl asks all servers at once and believes the first
/// one that answers. If that server denies the name for one address family, musl denies the whole name. If that server
/// refuses to answer for one family, musl repeats the question for 5 s. Therefore our own resolver (`Shared::resolver`)
/// looks up the name at the same time, and the first of the two resolvers that finds an address decides.
const IS_MUSL: bool = cfg!(target_env = "musl");

/// How long our own resolver's answer is held back. In this time musl's resolver can find the name in the hosts file,
/// which has precedence over the servers. Our own resolver does not read that file.
const HOSTS_FILE_MAX: Duration = Duration::from_millis(200);

/// The addresses of `localhost`, in the order in which they are tried.
const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Resolves a destination to at least one address. For `localhost` and the names below it, no resolver is asked: many
/// resolvers do not know these names, and a server's answer could lead to another machine.
pub(super) async fn lookup(
    shared: &Shared,
    destination: &Destination,
    asker: Asker,
) -> Result<Vec<SocketAddr>, Failure> {
    let port = destination.port;
    let name = match &destination.host {
        Host::Ip(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        host if host.is_localhost() => return Ok(plain(LOOPBACK, port)),
        Host::Name(name) => name.clone(),
    };
    let question = name.clone();
    let answer = async {
        let turn = asker.turn().await;
        // A lookup cannot be interrupted, so its turn lasts until the system's resolver returns.
        let mut system = tokio::task::spawn_blocking(move || {
            (turn, (question.as_str(), port).to_socket_addrs())
        });
        let own = async {
            let resolver = shared.resolver();
            let wait = tokio::time::sleep(HOSTS_FILE_MAX);
            tokio::join!(resolver.addresses(&name), wait).0
        };
        tokio::pin!(own);
        let mut own_found = None;
        let found = tokio::select! {
            biased;
            found = &mut system => found,
            found = &mut own, if IS_MUSL => {
                if !found.is_empty() {
                    return Ok(plain(found, port));
                }
                own_found = Some(found);
                system.await
            }
        };
        // If the system's resolver has failed, the turn lasts until this program's own resolver has answered.
        let (_turn, found) = found.map_err(|_| "the resolver does not answer".to_owned())?;
        let error = match found {
            Ok(addresses) => return Ok(plain(addresses.map(|address| address.ip()), port)),
            Err(error) => describe(&error),
        };
        if !IS_MUSL {
            return Err(error);
        }
        let found = match own_found {
            Some(found) => found,
            None => own.await,
        };
        if found.is_empty() {
            return Err(of_static_build(&error, &name));
        }
        Ok(plain(found, port))
    };
    let what = match tokio::time::timeout(LOOKUP_MAX, answer).await {
        Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
        Ok(Ok(_)) => "it has no address".to_owned(),
        Ok(Err(what)) => what,
        Err(_) => "the resolver does not answer".to_owned(),
    };
    Err(Failure {
        cause: Cause::NameNotFound,
        reason: format!("{}{what}.", unresolved(&name)),
    })
}

/// The error of a static build that has not found a name. Static builds know neither the modules of /etc/nsswitch.conf
/// nor mDNS. The error says so, because other programs on the machine may find the name.
fn of_static_build(error: &str, name: &str) -> String {
    let ending = name.trim_end_matches('.').rsplit_once('.');
    let is_local = ending.is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("local"));
    let elsewhere = if is_local {
        "mDNS, which has the names that end in .local"
    } else {
        "other sources of /etc/nsswitch.conf"
    };
    format!(
        "{error}, neither in /etc/hosts nor at the servers of /etc/resolv.conf; this static build does not ask {elsewhere}"
    )
}

/// The addresses with a port. An IPv4 address that is mapped into IPv6 is treated as IPv4.
fn plain(addresses: impl IntoIterator<Item = IpAddr>, port: u16) -> Vec<SocketAddr> {
    let addresses = addresses.into_iter();
    addresses
        .map(|address| SocketAddr::new(address.to_canonical(), port))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_build_says_what_it_does_not_ask() {
        let begin = "Name does not resolve, neither in /etc/hosts nor at the servers of /etc/resolv.conf; this static build \
                     does not ask ";
        for (name, rest) in [
            ("nas.local", "mDNS, which has the names that end in .local"),
            ("NAS.Local.", "mDNS, which has the names that end in .local"),
            ("db.corp", "other sources of /etc/nsswitch.conf"),
            ("local", "other sources of /etc/nsswitch.conf"),
        ] {
            let told = of_static_build("Name does not resolve", name);
            assert_eq!(told, format!("{begin}{rest}"), "{name}");
        }
    }
}
