//! Connects real sockets to services, and binds real addresses of this host.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, UdpSocket},
    time::Duration,
};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    lookup::{Asker, lookup},
    shared::Shared,
};
use crate::{
    destination::{Destination, Host},
    driver::system::describe,
    edge::{NotListening, permitted},
    wire::{Cause, Failure},
};

/// How long the connection to a service may take, including the attempts at all of its addresses. Services need less
/// time than this, and people do not want to wait longer.
const DIAL_MAX: Duration = Duration::from_secs(30);

/// How long an attempt to connect to one address of a service may take.
const ADDRESS_MAX: Duration = Duration::from_secs(10);

/// If an address has not accepted a connection after this time, the next address is tried in parallel.
const NEXT_ADDRESS: Duration = Duration::from_millis(300);

/// Idle time before the first keep-alive probe to a service.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// Time between two keep-alive probes.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How many keep-alive probes may stay unanswered before a connection counts as dead: 90 s of silence in all. On
/// Windows this number is fixed.
#[cfg(unix)]
const KEEP_ALIVE_RETRIES: u32 = 3;

/// How many bytes of a connection the operating system may buffer before it sends them. Without this limit, Linux would
/// buffer megabytes for a service that does not read, and our own memory limits do not count those.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 128 << 10;

/// Backlog of a listening socket: the number of connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Whether this machine has this address at the moment, which means that a socket can be bound to it.
pub(super) fn is_own(address: IpAddr) -> bool {
    // Addresses reserved for documentation (RFC 5737, RFC 3849): no machine has them.
    let foreign: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let bound = |address| match UdpSocket::bind((address, 0)) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Ok(None),
        Err(error) => Err(error),
    };
    // If the bind fails with another error, the address does not count as this machine's own. Either the machine lacks
    // the address family, or a dial would fail with the same error.
    let Ok(Some(socket)) = bound(address) else {
        return false;
    };
    drop(socket);
    if !matches!(bound(foreign), Ok(Some(_))) {
        return true;
    }
    // On this machine a socket can be bound to any address (net.ipv4.ip_nonlocal_bind), so the successful bind above
    // proves nothing. Therefore the system is asked from which address it would send packets to this address. If that
    // is the same address, it belongs to the machine.
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

/// Connects to a service of this host, or to one that this host can reach. This host resolves the name and tries only
/// the addresses that `may` permits. If `may` permits none of them, the result is the failure that `may` has returned
/// for the first address.
pub(super) async fn dial(
    shared: &Shared,
    destination: &Destination,
    asker: Asker,
    may: impl Fn(IpAddr) -> Result<(), Failure>,
) -> Result<TcpStream, Failure> {
    let addresses = permitted(lookup(shared, destination, asker).await?, may)?;
    dial_any(destination, &addresses).await
}

/// Connects to the first address that accepts. The next address is tried when the previous one has failed or is slow
/// (RFC 8305 section 5), so that people do not wait for an address family without connectivity.
pub(super) async fn dial_any(
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
                // The attempt was cancelled, so it has no result.
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

/// The other loopback address with the same port, if the destination is 127.0.0.1 or `::1`.
pub(super) fn other_loopback(destination: &Destination) -> Option<SocketAddr> {
    let other: IpAddr = match destination.host {
        Host::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)) => Ipv6Addr::LOCALHOST.into(),
        Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)) => Ipv4Addr::LOCALHOST.into(),
        Host::Ip(_) | Host::Name(_) => return None,
    };
    Some(SocketAddr::new(other, destination.port))
}

/// Connects to one address.
async fn dial_address(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = tokio::time::timeout(ADDRESS_MAX, TcpStream::connect(address)).await??;
    prepare(&socket);
    keep_alive(&socket);
    Ok(socket)
}

/// The failure of a dial. Its reason is for people, and describes the error at every address. Its cause is for
/// programs. It comes from the last error whose cause is not [`Cause::Other`], because other errors say little about
/// the service: this machine may lack an address family, for example.
fn failure(destination: &Destination, failures: &[(SocketAddr, io::Error)]) -> Failure {
    let causes = failures.iter().map(|(_, error)| cause(error));
    let telling = causes.clone().rfind(|cause| *cause != Cause::Other);
    let cause = telling
        .or_else(|| causes.clone().next_back())
        .unwrap_or(Cause::NameNotFound);
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

/// Translates the error of a failed connection into a cause.
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

/// Enables keep-alive, so that the system notices within 90 s that the peer has vanished.
pub(super) fn keep_alive(socket: &TcpStream) {
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE_INTERVAL);
    #[cfg(unix)]
    let keep_alive = keep_alive.with_retries(KEEP_ALIVE_RETRIES);
    // If this fails, the connection works without keep-alive.
    let _ = SockRef::from(socket).set_tcp_keepalive(&keep_alive);
}

/// Prepares a socket to carry a flow.
///
/// From now on, closing the socket resets its connection, even if the process is killed. A clean end would tell the
/// other side that everything has arrived. [`end_cleanly`] undoes this setting.
pub(super) fn prepare(socket: &TcpStream) {
    // A keystroke must not wait for an acknowledgment. If setting one of these options fails, the connection works
    // without it.
    let _ = socket.set_nodelay(true);
    let _ = socket.set_zero_linger();
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(socket).set_tcp_notsent_lowat(UNSENT_MAX);
}

/// Lets the socket close without a reset, because both directions have finished.
pub(super) fn end_cleanly(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(None);
}

/// Binds a socket to an address. Until the socket listens, connections to the address are refused, and no other socket
/// can be bound to it.
///
/// On Linux two sockets can be bound to one address only if both have `SO_REUSEADDR`, or if both have `SO_REUSEPORT`
/// and belong to the same user. Therefore `SO_REUSEADDR` is set only if the address cannot be bound without it.
/// `SO_REUSEPORT` is always set, because it does not let other users in.
pub(super) fn bind(address: SocketAddr) -> Result<Socket, NotListening> {
    let bound = match bind_exclusively(address, false) {
        // Connections of an earlier agent may still be in `TIME_WAIT`. `SO_REUSEADDR` permits the bind in spite of
        // them, but not while another socket is bound to the address or listens there. On Windows this option would
        // take over a port that is in use, so it is not set there.
        Err(error) if cfg!(unix) && error.kind() == io::ErrorKind::AddrInUse => {
            bind_exclusively(address, true)
        }
        bound => bound,
    };
    bound.map_err(|error| not_listening(&error, address))
}

fn bind_exclusively(address: SocketAddr, over_leftovers: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    if over_leftovers {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    if over_leftovers {
        socket.set_reuse_address(false)?;
    }
    // With `SO_REUSEPORT` the socket can listen again while our own old connections still linger.
    #[cfg(target_os = "linux")]
    socket.set_reuse_port(true)?;
    Ok(socket)
}

/// Starts to listen on a bound socket. The address stays bound when the listener is dropped.
pub(super) fn listen(socket: &Socket, address: SocketAddr) -> Result<TcpListener, NotListening> {
    let listening = match socket.listen(BACKLOG) {
        // This error means that old connections of another program linger at the address.
        Err(error) if cfg!(unix) && error.kind() == io::ErrorKind::AddrInUse => {
            let listening = (socket.set_reuse_address(true)).and_then(|()| socket.listen(BACKLOG));
            if listening.is_err() {
                let _ = socket.set_reuse_address(false);
            }
            listening
        }
        listening => listening,
    };
    // Accepted connections inherit `SO_REUSEADDR` from the listening socket. Without it, a connection that lingers
    // after its end would keep other sockets from being bound to the address. The listening socket itself still does
    // not share its address.
    #[cfg(unix)]
    let listening = listening.and_then(|()| socket.set_reuse_address(true));
    // While the socket did not listen, the system reported a hang-up on it. The runtime remembers a hang-up for as long
    // as it knows the descriptor. Therefore the runtime gets a duplicate of the socket with a new descriptor.
    let listener = listening
        .and_then(|()| socket.try_clone())
        .and_then(|socket| TcpListener::from_std(socket.into()));
    listener.map_err(|error| not_listening(&error, address))
}

/// Stops listening, but keeps the address bound. All connections are refused, including those that wait in the backlog.
/// Only Linux can stop a socket from listening.
pub(super) fn hold(socket: &Socket) -> io::Result<()> {
    #[cfg(unix)]
    socket.set_reuse_address(false)?;
    socket.shutdown(Shutdown::Both)
}

/// The error for an address that is already in use. `holder` is the program that has the port; `None` if that program
/// is not known.
pub(super) fn taken(port: u16, holder: Option<&str>) -> NotListening {
    let end = match holder {
        Some(_) => "end it".to_owned(),
        None if cfg!(target_os = "linux") => {
            format!("find it there with: ss -ltunp \"sport = :{port}\", and end it")
        }
        None if cfg!(windows) => {
            format!("find it there with: netstat -ano | findstr :{port}, and end it")
        }
        None => format!("find it there with: lsof -nP -i :{port}, and end it"),
    };
    let holder = holder.unwrap_or("another program on that machine");
    NotListening {
        cause: Cause::InUse,
        reason: format!("address already in use by {holder}"),
        remedy: Some(format!(
            "{end}, and the agent listens within a few seconds, or choose another port in the manifest"
        )),
    }
}

/// The reason why the agent cannot listen on a port below 1024, and the remedy.
fn below_1024(port: u16) -> (&'static str, String) {
    if cfg!(target_os = "linux") {
        (
            "on that machine, ports below 1024 need the capability CAP_NET_BIND_SERVICE, which root usually has",
            format!(
                "use a port of 1024 or more; or, as root there, give the program the capability (setcap \
                 cap_net_bind_service=+ep PATH), or open these ports to every user (sysctl \
                 net.ipv4.ip_unprivileged_port_start={port})"
            ),
        )
    } else {
        (
            "on that machine, ports below 1024 need root",
            "use a port of 1024 or more".to_owned(),
        )
    }
}

/// The error for an address on which the agent cannot listen, with the reason and the remedy.
pub(super) fn not_listening(error: &io::Error, address: SocketAddr) -> NotListening {
    let what = describe(error);
    let kind = error.kind();
    let (cause, reason, remedy) = if kind == io::ErrorKind::AddrInUse {
        return taken(address.port(), None);
    } else if kind == io::ErrorKind::AddrNotAvailable && cfg!(target_os = "macos") {
        let remedy = format!("run \"sudo ifconfig lo0 alias {} up\" there", address.ip());
        (Cause::NoAddress, what, Some(remedy))
    } else if kind == io::ErrorKind::AddrNotAvailable {
        (Cause::NoAddress, what, None)
    } else if kind == io::ErrorKind::PermissionDenied && address.port() < 1024 {
        let (reason, remedy) = below_1024(address.port());
        (
            Cause::NotPermitted,
            format!("{what}: {reason}"),
            Some(remedy),
        )
    } else if kind == io::ErrorKind::PermissionDenied {
        (Cause::NotPermitted, what, None)
    } else {
        (Cause::Other, what, None)
    };
    NotListening {
        cause,
        reason,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::shared::May, *};
    use crate::{flow::Capacity, limits::Limits};

    #[test]
    fn an_address_is_this_machines_own_or_not() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()));
        for foreign in ["192.0.2.7", "2001:db8::7", "240.0.0.1"] {
            assert!(!is_own(foreign.parse().unwrap()), "{foreign}");
        }
    }

    /// Both sockets of a new connection: the client's and the server's.
    #[cfg(target_os = "linux")]
    async fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        (client.unwrap(), accepted.unwrap().0)
    }

    /// Asserts that nobody can connect, and that nobody else can bind the address, even with `SO_REUSEADDR`.
    #[cfg(target_os = "linux")]
    async fn assert_held(address: SocketAddr) {
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_taken(address);
    }

    #[cfg(target_os = "linux")]
    fn assert_taken(address: SocketAddr) {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        let bound = socket.bind(&address.into());
        assert_eq!(bound.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_stays_ours_while_it_is_held_and_is_served_again_at_once() {
        // The port is chosen beforehand, because a socket does not keep a port that the system has chosen for it.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let socket = bind(address).unwrap();
        assert_held(address).await;
        for _ in 0..3 {
            let listener = listen(&socket, address).unwrap();
            assert_taken(address);
            let (mut live, mut served) = connect(&listener).await;
            // The listener's end of this connection is closed first, so the kernel keeps the closed connection at that
            // end for a minute.
            let (theirs, closed_by_us) = connect(&listener).await;
            drop(closed_by_us);
            drop(theirs);
            drop(listener);
            hold(&socket).unwrap();
            assert_held(address).await;
            // A connection that was accepted earlier still works.
            tokio::io::AsyncWriteExt::write_u8(&mut live, 7)
                .await
                .unwrap();
            let byte = tokio::io::AsyncReadExt::read_u8(&mut served).await;
            assert_eq!(byte.unwrap(), 7);
            let listener = listen(&socket, address).unwrap();
            connect(&listener).await;
            drop(listener);
            hold(&socket).unwrap();
        }
        drop(listen(&socket, address).unwrap());
        drop(socket);
        // The next agent binds despite the lingering connections of this one.
        let next = bind(address).unwrap();
        assert_held(address).await;
        connect(&listen(&next, address).unwrap()).await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_listener_that_was_held_rests_while_nobody_connects() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let socket = bind(address).unwrap();
        drop(listen(&socket, address).unwrap());
        hold(&socket).unwrap();
        let listener = listen(&socket, address).unwrap();
        let mut accept: std::pin::Pin<&mut dyn Future<Output = _>> =
            std::pin::pin!(listener.accept());
        let mut asked = 0;
        // Counts how often the future is polled. If the runtime woke this task without a reason, the count would be
        // high.
        let asks = std::future::poll_fn(|context| {
            asked += 1;
            accept.as_mut().poll(context)
        });
        let later = tokio::time::sleep(Duration::from_millis(50));
        tokio::select! {
            () = later => {}
            _ = asks => panic!("nobody has connected"),
        }
        assert!(asked < 5, "{asked}");
    }

    #[test]
    fn a_port_below_1024_that_needs_a_right_is_told_with_the_ways_to_get_it() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let at = |port: u16| SocketAddr::from((Ipv4Addr::new(127, 0, 42, 101), port));
        let low = not_listening(&denied(), at(80));
        assert_eq!(low.cause, Cause::NotPermitted);
        assert!(
            low.reason
                .contains("permission denied: on that machine, ports below 1024 need ")
        );
        let remedy = low.remedy.unwrap();
        assert!(remedy.starts_with("use a port of 1024 or more"), "{remedy}");
        if cfg!(target_os = "linux") {
            assert!(
                low.reason.contains("CAP_NET_BIND_SERVICE"),
                "{}",
                low.reason
            );
            assert!(
                remedy.contains("setcap cap_net_bind_service=+ep PATH"),
                "{remedy}"
            );
            // The message recommends the port itself as the limit, because lower ports need not be opened.
            assert!(
                remedy.contains("net.ipv4.ip_unprivileged_port_start=80)"),
                "{remedy}"
            );
        }
        let high = not_listening(&denied(), at(1024));
        assert_eq!((high.cause, high.remedy), (Cause::NotPermitted, None));
        assert!(!high.reason.contains("1024"), "{}", high.reason);
    }

    #[test]
    fn a_machine_without_ipv6_does_not_hide_that_the_other_address_has_refused() {
        let localhost = Destination::parse("localhost:80", None).unwrap();
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 80);
        let refused = (at("127.0.0.1"), io::ErrorKind::ConnectionRefused.into());
        let absent = || (at("::1"), io::ErrorKind::AddrNotAvailable.into());
        assert_eq!(
            failure(&localhost, &[refused, absent()]).cause,
            Cause::Refused
        );
        assert_eq!(failure(&localhost, &[absent()]).cause, Cause::Other);
        assert_eq!(failure(&localhost, &[]).cause, Cause::NameNotFound);
    }

    /// `localhost` and the names below it are not given to a resolver. A resolver that does not know them would make
    /// this test fail.
    #[tokio::test]
    async fn localhost_is_both_loopback_addresses() {
        let shared = Shared::new(May {
            limits: Ok(Limits::default()),
            capacity: Capacity::default(),
        });
        for name in ["localhost", "app.localhost", "A.B.LocalHost."] {
            let destination = Destination::parse(&format!("{name}:80"), None).unwrap();
            let found = lookup(&shared, &destination, Asker::Programs).await;
            let both = ["127.0.0.1:80", "[::1]:80"].map(|it| it.parse().unwrap());
            assert_eq!(found, Ok(both.to_vec()), "{name}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named_as_such() {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let why = bind(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(why.cause, Cause::InUse);
        assert_eq!(
            why.reason,
            "address already in use by another program on that machine"
        );
        let port = first.local_addr().unwrap().port();
        let remedy = why.remedy.unwrap();
        if cfg!(target_os = "linux") {
            let find =
                format!("find it there with: ss -ltunp \"sport = :{port}\", and end it, and");
            assert!(remedy.starts_with(&find), "{remedy}");
        }
        let named = taken(port, Some("nginx (process 7)")).remedy.unwrap();
        assert_eq!(
            named,
            "end it, and the agent listens within a few seconds, or choose another port in the manifest"
        );
    }
}
