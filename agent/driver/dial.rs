//! Real sockets towards the host's own services and its loopback addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

use super::{
    describe,
    lookup::{Asker, lookup},
};
use crate::{
    edge::NotListening,
    proxy::{Cause, Destination, Failure, Host},
    wire::probe,
};

/// How long a service may take to accept. Longer than any service needs, shorter than people wait.
const DIAL_MAX: Duration = Duration::from_secs(30);

/// How long one address of a service may take.
const ADDRESS_MAX: Duration = Duration::from_secs(10);

/// How long an address has before the next one is tried beside it.
const NEXT_ADDRESS: Duration = Duration::from_millis(300);

/// When an idle service is asked for a sign of life ...
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// ... how often ...
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// ... and how many times, which makes 90 s in all. Windows has a number of its own.
#[cfg(unix)]
const KEEP_ALIVE_RETRIES: u32 = 3;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Whether an address is one of this machine's own, at the moment: a socket can be bound to it.
pub(super) fn is_own(address: IpAddr) -> bool {
    // For documents (RFC 5737, RFC 3849): no machine has them.
    let foreign: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let bound = |address| match UdpSocket::bind((address, 0)) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Ok(None),
        Err(error) => Err(error),
    };
    // Another failure is a family that this machine does not have, or what a dial would meet as well.
    let Ok(Some(socket)) = bound(address) else {
        return false;
    };
    drop(socket);
    if !matches!(bound(foreign), Ok(Some(_))) {
        return true;
    }
    // On some machines a socket can be bound to any address (net.ipv4.ip_nonlocal_bind). There the system tells from where it
    // would go to it.
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

/// Connects to a service of this host, or one that this host can reach. A name is resolved by this host; only addresses
/// that `may` be are tried; where none may, the failure is the first of theirs.
pub(super) async fn dial(
    destination: &Destination,
    asker: Asker,
    may: impl Fn(IpAddr) -> Result<(), Failure>,
) -> Result<TcpStream, Failure> {
    dial_permitted(destination, lookup(destination, asker).await?, may).await
}

/// Connects to one of some addresses, of those that `may` be.
pub(super) async fn dial_permitted(
    destination: &Destination,
    addresses: Vec<SocketAddr>,
    may: impl Fn(IpAddr) -> Result<(), Failure>,
) -> Result<TcpStream, Failure> {
    let (mut allowed, mut refused) = (Vec::new(), None);
    for address in addresses {
        match may(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(failure) => {
                refused.get_or_insert(failure);
            }
        }
    }
    match refused {
        Some(failure) if allowed.is_empty() => Err(failure),
        Some(_) | None => dial_any(destination, &allowed).await,
    }
}

/// Connects to the first of some addresses that accepts. The next one begins when one has failed or is slow
/// (RFC 8305 section 5), so that a family of addresses that leads nowhere does not make people wait.
async fn dial_any(
    destination: &Destination,
    addresses: &[SocketAddr],
) -> Result<TcpStream, Failure> {
    let (mut waiting, mut tries) = (addresses.iter().copied(), JoinSet::new());
    let mut failures = Vec::new();
    let all = async {
        loop {
            if let Some(address) = waiting.next() {
                tries.spawn(async move { (address, dial_address(address).await) });
            }
            let ended = tokio::select! {
                ended = tries.join_next() => ended,
                () = tokio::time::sleep(NEXT_ADDRESS), if waiting.len() > 0 => continue,
            };
            match ended {
                Some(Ok((_, Ok(socket)))) => return Some(socket),
                Some(Ok((address, Err(error)))) => failures.push((address, error)),
                // A try that broke off says nothing.
                Some(Err(_)) => {}
                None => return None,
            }
        }
    };
    match tokio::time::timeout(DIAL_MAX, all).await {
        Ok(Some(socket)) => Ok(socket),
        Ok(None) => Err(failure(destination, &failures)),
        Err(_) => Err(Failure {
            cause: Cause::TimedOut,
            reason: format!(
                "{destination} did not answer within {} s.",
                DIAL_MAX.as_secs()
            ),
        }),
    }
}

/// Connects to one address.
async fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = tokio::time::timeout(ADDRESS_MAX, TcpStream::connect(address)).await??;
    prepare(&socket);
    keep_alive(&socket);
    Ok(socket)
}

/// What happened at every address, for people; for programs, what happened last.
fn failure(destination: &Destination, failures: &[(SocketAddr, io::Error)]) -> Failure {
    let last = failures.last();
    let cause = last.map_or(Cause::NameNotFound, |(_, error)| cause(error));
    let each: Vec<String> = failures
        .iter()
        .map(|(address, error)| match &destination.host {
            Host::Ip(_) => describe(error),
            Host::Name(_) => format!("{}: {}", address.ip(), describe(error)),
        })
        .collect();
    Failure {
        cause,
        reason: format!("{destination} cannot be reached: {}.", each.join("; ")),
    }
}

/// What a failed connection means.
pub(super) fn cause(error: &io::Error) -> Cause {
    let kind = error.kind();
    let unreachable = [
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
    ];
    if kind == io::ErrorKind::ConnectionRefused {
        Cause::Refused
    } else if kind == io::ErrorKind::TimedOut {
        Cause::TimedOut
    } else if unreachable.contains(&kind) {
        Cause::Unreachable
    } else {
        Cause::Other
    }
}

/// Notices a peer that is gone without a word, within 90 s.
pub(super) fn keep_alive(socket: &TcpStream) {
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE_INTERVAL);
    #[cfg(unix)]
    let keep_alive = keep_alive.with_retries(KEEP_ALIVE_RETRIES);
    // A service without keep-alive is served all the same.
    let _ = SockRef::from(socket).set_tcp_keepalive(&keep_alive);
}

/// Makes a socket ready to carry a flow.
///
/// Whatever ends it from now on resets it, the death of this process included: a connection that ends cleanly says that
/// everything has arrived. [`end_cleanly`] takes that back.
pub(super) fn prepare(socket: &TcpStream) {
    // A keystroke must not wait for an acknowledgment. Where either fails the connection is worse, not wrong.
    let _ = socket.set_nodelay(true);
    let _ = socket.set_zero_linger();
}

/// Both directions have said that they are done: closing the socket is no reset any more.
pub(super) fn end_cleanly(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(None);
}

/// Listens on an address.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, NotListening> {
    bind(address).map_err(|error| not_listening(&error, address))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // On Unix this lets an agent listen again at once after another one has ended; on Windows the same option would
    // let it take a port that is in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Why an address cannot be listened on, with what to do about it.
pub(super) fn not_listening(error: &io::Error, address: SocketAddr) -> NotListening {
    let what = describe(error);
    let kind = error.kind();
    let (cause, reason) = if kind == io::ErrorKind::AddrInUse {
        let reason = format!(
            "{what}: another program on that machine, perhaps another agent, has this port"
        );
        (probe::Cause::InUse, reason)
    } else if kind == io::ErrorKind::AddrNotAvailable && cfg!(target_os = "macos") {
        let reason = format!(
            "{what}: run \"sudo ifconfig lo0 alias {} up\" there",
            address.ip()
        );
        (probe::Cause::NoAddress, reason)
    } else if kind == io::ErrorKind::AddrNotAvailable {
        (probe::Cause::NoAddress, what)
    } else if kind == io::ErrorKind::PermissionDenied && address.port() < 1024 {
        let reason = format!("{what}: ports below 1024 need root there; publish a higher one");
        (probe::Cause::NotPermitted, reason)
    } else if kind == io::ErrorKind::PermissionDenied {
        (probe::Cause::NotPermitted, what)
    } else {
        (probe::Cause::Other, what)
    };
    NotListening { cause, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_this_machines_own_or_not() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
        for foreign in ["192.0.2.7", "2001:db8::7", "240.0.0.1"] {
            assert!(!is_own(foreign.parse().unwrap()), "{foreign}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named_as_such() {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let why = listen(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(why.cause, probe::Cause::InUse);
        assert_eq!(
            why.reason,
            "address already in use: another program on that machine, perhaps another agent, has this port"
        );
    }
}
