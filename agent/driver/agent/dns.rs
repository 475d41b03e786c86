//! The DNS server of an agent. It answers programs on its host over UDP, and all hosts of the network over TCP.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UdpSocket,
    sync::Semaphore,
};

use super::{network_stream::NetworkStream, real_addresses::ACCEPT_PAUSE, shared::Shared};
use crate::{
    driver::{
        harness::World,
        system::{clock::seed, describe},
    },
    names::{
        ask,
        dns::{self, Answer},
    },
};

/// Size limit for a query over UDP, in bytes.
const QUESTION_MAX: usize = 4_096;

/// Number of UDP queries handled at a time. Further ones are dropped, and their clients retry.
const QUESTIONS_MAX: usize = 256;

/// Idle timeout of a TCP connection (RFC 7766 section 6.2.3).
const IDLE_MAX: Duration = Duration::from_secs(20);

/// How long the DNS server of another host may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Answers DNS queries that arrive over UDP at `address`, for ever. Queries to the VIP of this host are answered by
/// this agent. Queries to another VIP are passed to the DNS server of the host with that VIP.
pub(super) async fn serve_udp(shared: Arc<Shared>, socket: UdpSocket, address: SocketAddrV4) {
    let socket = Arc::new(socket);
    let places = Arc::new(Semaphore::new(QUESTIONS_MAX));
    let mut buffer = vec![0; QUESTION_MAX];
    loop {
        let (length, asker) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // The error is about an earlier answer that could not be delivered, or the socket itself is broken.
            Err(error) => {
                tracing::debug!(%address, "cannot receive: {}", describe(&error));
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let query = buffer.get(..length).unwrap_or_default().to_vec();
        let (shared, socket) = (shared.clone(), socket.clone());
        tokio::spawn(async move {
            let _place = place;
            answer_udp(&shared, &socket, address, &query, asker).await;
        });
    }
}

async fn answer_udp(
    shared: &Arc<Shared>,
    socket: &UdpSocket,
    address: SocketAddrV4,
    query: &[u8],
    asker: SocketAddr,
) {
    let own = shared.lock().core.me().map(crate::addr::Vip::address);
    let reply = if own == Some(*address.ip()) {
        answer(shared, query, None).await
    } else {
        let outcome = tokio::time::timeout(ANSWER_MAX, ask_server(shared, address, query)).await;
        let reply = outcome.ok().and_then(Result::ok);
        Some(reply.unwrap_or_else(|| dns::servfail(query)))
    };
    let Some(reply) = reply.filter(|reply| !reply.is_empty()) else {
        return;
    };
    // The client may be gone.
    let _ = socket.send_to(&dns::fit_udp(query, reply), asker).await;
}

/// Answers a DNS query of the host `other`. If `other` is `None`, the query comes from this host. Returns `None` if the
/// bytes are not a query.
async fn answer(shared: &Arc<Shared>, query: &[u8], other: Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let known = shared.tell(|core, now| {
        let known = dns::answer(core.zone()?, query);
        let Some(other) = other.filter(|_| known != Answer::Drop) else {
            return Some(known);
        };
        let name = ask::name_of(query);
        let foreign = known == Answer::Forward;
        let allowed = !foreign || core.rights().may_ask_for_name(other, name.as_deref());
        let named = name.as_deref().unwrap_or_default();
        let permitted = core.may_resolve(now, named, foreign);
        Some(if allowed && permitted {
            known
        } else {
            Answer::Reply(dns::refused(query))
        })
    });
    match known? {
        Answer::Reply(reply) => Some(reply),
        Answer::Forward => Some(shared.resolver().ask(query).await),
        Answer::Drop => None,
    }
}

/// Answers the DNS queries that arrive on a flow (RFC 7766) until the client closes it.
pub(super) async fn serve_network(
    shared: Arc<Shared>,
    mut stream: NetworkStream,
) -> io::Result<()> {
    let flow = stream.flow();
    let asked_by_others = flow.src.ip() != flow.dst.ip();
    loop {
        // An error means that the client has closed the connection, or was silent for too long.
        let Ok(Ok(query)) = tokio::time::timeout(IDLE_MAX, read(&mut stream)).await else {
            break;
        };
        let other = Some(*flow.dst.ip()).filter(|_| asked_by_others);
        if let Some(other) = other {
            shared.turn_to_ask(other).await;
        }
        let Some(reply) = answer(&shared, &query, other).await else {
            break;
        };
        if asked_by_others && let Some(name) = ask::name_of(&query) {
            // If a route for the name leads through this gateway, other hosts may connect to these addresses for a
            // while.
            let addresses = ask::addresses(&reply);
            let now = shared.now();
            shared.lock().core.handle_given(now, &name, &addresses);
        }
        write(&mut stream, &reply).await?;
    }
    stream.shutdown().await?;
    // The client closes its side after it has read the answers. Dropping the stream earlier would reset the flow.
    let _ = tokio::time::timeout(IDLE_MAX, stream.read_u8()).await;
    Ok(())
}

/// The IPv4 addresses of a name, according to the DNS server of another host.
pub(super) async fn addresses(
    shared: &Arc<Shared>,
    server: SocketAddrV4,
    name: &str,
) -> io::Result<Vec<Ipv4Addr>> {
    let id = u16::try_from(seed() & 0xffff).unwrap_or(0);
    let query = ask::addresses_of(name, ask::Family::V4, id).ok_or(io::ErrorKind::InvalidInput)?;
    let reply = tokio::time::timeout(ANSWER_MAX, ask_server(shared, server, &query)).await??;
    let v4 = ask::addresses(&reply)
        .into_iter()
        .filter_map(|address| match address {
            std::net::IpAddr::V4(address) => Some(address),
            std::net::IpAddr::V6(_) => None,
        });
    Ok(v4.collect())
}

/// Asks the DNS server of another host.
async fn ask_server(
    shared: &Arc<Shared>,
    server: SocketAddrV4,
    query: &[u8],
) -> io::Result<Vec<u8>> {
    let mut stream = NetworkStream::open(shared, server).await?;
    write(&mut stream, query).await?;
    let reply = read(&mut stream).await?;
    stream.shutdown().await?;
    Ok(reply)
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(message);
    stream.write_all(&bytes).await
}
