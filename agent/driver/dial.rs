//! Real sockets towards the host's own services and its loopback addresses.

use std::{io, net::SocketAddrV4, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::describe;

/// How long a service may take to accept. Longer than any service needs, shorter than people wait.
const DIAL_MAX: Duration = Duration::from_secs(30);

/// How long one address of a service may take, so that the next one has its chance.
const ADDRESS_MAX: Duration = Duration::from_secs(10);

/// When an idle service is asked for a sign of life ...
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// ... how often ...
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// ... and how many times, which makes 90 s in all. Windows has a number of its own.
#[cfg(unix)]
const KEEP_ALIVE_RETRIES: u32 = 3;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// Connects to a service of this host, or one that this host can reach. A name is resolved by this host.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let socket = tokio::time::timeout(DIAL_MAX, connect(host, port)).await??;
    prepare(&socket);
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE_INTERVAL);
    #[cfg(unix)]
    let keep_alive = keep_alive.with_retries(KEEP_ALIVE_RETRIES);
    // A service without keep-alive is served all the same.
    let _ = SockRef::from(&socket).set_tcp_keepalive(&keep_alive);
    Ok(socket)
}

/// Tries the addresses of a name one after the other.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut outcome = Err(io::ErrorKind::NotFound.into());
    for address in tokio::net::lookup_host((host, port)).await? {
        let connect = TcpStream::connect(address);
        outcome = match tokio::time::timeout(ADDRESS_MAX, connect).await {
            Ok(connected) => connected,
            Err(elapsed) => Err(elapsed.into()),
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
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

/// Listens on a loopback address; fails with a reason for people.
pub(super) fn listen(address: SocketAddrV4) -> Result<TcpListener, String> {
    bind(address).map_err(|error| reason(&error, address))
}

fn bind(address: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // On Unix this lets an agent listen again at once after another one has ended; on Windows the same option would
    // let it take a port that is in use.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address.into())?;
    socket.listen(BACKLOG)
}

fn reason(error: &io::Error, address: SocketAddrV4) -> String {
    let what = describe(error);
    let kind = error.kind();
    if kind == io::ErrorKind::AddrInUse {
        format!("{what}: another program on that machine, perhaps another agent, has this port")
    } else if kind == io::ErrorKind::AddrNotAvailable && cfg!(target_os = "macos") {
        format!(
            "{what}: run \"sudo ifconfig lo0 alias {} up\" there",
            address.ip()
        )
    } else if kind == io::ErrorKind::PermissionDenied && address.port() < 1024 {
        format!("{what}: ports below 1024 need root there; publish a higher one")
    } else {
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named_as_such() {
        let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let std::net::SocketAddr::V4(address) = first.local_addr().unwrap() else {
            panic!("not IPv4");
        };
        let reason = listen(address).unwrap_err();
        assert_eq!(
            reason,
            "address already in use: another program on that machine, perhaps another agent, has this port"
        );
    }
}
