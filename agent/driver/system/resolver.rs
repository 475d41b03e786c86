//! Asks the resolvers that this host itself uses, as a stub resolver does. It never asks any other server.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, RandomState},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    sync::Semaphore,
    time::timeout,
};

use crate::names::{
    dns::{self, Verdict},
    resolv_conf::Resolvers,
    search::{self, Candidate},
};

/// When an asker gets its answer at the latest. Programs ask again, or give up, after 5 s.
const ASK_MAX: Duration = Duration::from_secs(3);

/// How many queries are under way at the same time; each needs a socket or two. Others wait.
const QUERIES_MAX: usize = 256;

/// The longest message there is.
const MESSAGE_MAX: usize = 65_535;

/// The resolvers of this host.
#[derive(Debug)]
pub struct Resolver {
    source: Source,
    /// Never asked: our own listeners, which would ask themselves.
    not_these: BTreeSet<SocketAddr>,
    turns: Semaphore,
}

/// Where it is written whom to ask.
#[derive(Debug)]
enum Source {
    /// In a file, read again when it has changed.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has no such file"))]
    File {
        path: PathBuf,
        read: Mutex<Option<(Version, Resolvers)>>,
    },
    /// In the settings of the network adapters.
    #[cfg(windows)]
    Adapters,
    #[cfg(test)]
    Fixed(Resolvers),
}

/// Changes when a file does; none where no file is.
type Version = Option<(SystemTime, u64)>;

impl Resolver {
    /// The resolvers of this host, without those that listen at these addresses, because they are our own.
    pub fn of_this_host(not_these: impl IntoIterator<Item = SocketAddr>) -> Self {
        #[cfg(not(windows))]
        return Self::of_file("/etc/resolv.conf", not_these);
        #[cfg(windows)]
        return Self::new(Source::Adapters, not_these);
    }

    /// The resolvers that a file in the form of resolv.conf(5) names.
    #[cfg(not(windows))]
    fn of_file(path: impl Into<PathBuf>, not_these: impl IntoIterator<Item = SocketAddr>) -> Self {
        let source = Source::File {
            path: path.into(),
            read: Mutex::new(None),
        };
        Self::new(source, not_these)
    }

    fn new(source: Source, not_these: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            source,
            not_these: not_these.into_iter().collect(),
            turns: Semaphore::new(QUERIES_MAX),
        }
    }

    /// Asks for what a query says. The answer is a reply to that very query in every case: the one of a resolver, or
    /// SERVFAIL if none could say anything in time. It is empty if the query has not even a header.
    pub async fn ask(&self, query: &[u8]) -> Vec<u8> {
        let asked = timeout(ASK_MAX, async {
            let _turn = self.turns.acquire().await.ok()?;
            self.find(query).await
        });
        let reply = asked.await.ok().flatten();
        reply.unwrap_or_else(|| dns::servfail(query))
    }

    /// Goes through the names that the query can mean, until one is found.
    async fn find(&self, query: &[u8]) -> Option<Vec<u8>> {
        let resolvers = self.current();
        let (mut absent, mut failed) = (None, false);
        for candidate in search::candidates(query, &resolvers) {
            let answer = match &candidate {
                Candidate::AsAsked => self.exchange(&resolvers, query).await,
                Candidate::Below(domain) => {
                    let Some(wide) = search::with_suffix(query, domain) else {
                        continue;
                    };
                    let answer = self.exchange(&resolvers, &wide).await;
                    answer.and_then(|(verdict, reply)| {
                        Some((verdict, search::as_asked(&reply, query)?))
                    })
                }
            };
            match answer {
                // A name that exists is the one, even without what was asked for: IPv4 and IPv6 addresses of one name
                // must not come from two.
                Some((Verdict::Found | Verdict::Empty, reply)) => return Some(reply),
                Some((_, reply)) if candidate == Candidate::AsAsked => absent = Some(reply),
                Some(_) => {}
                // Another name is no answer to a question that could not be answered.
                None if candidate == Candidate::AsAsked => return None,
                None => failed = true,
            }
        }
        // That a name does not exist is certain only when everybody has said so.
        absent.filter(|_| !failed)
    }

    /// Asks one server after the other, as many rounds as the host's settings say. None if none of them helps.
    async fn exchange(&self, resolvers: &Resolvers, query: &[u8]) -> Option<(Verdict, Vec<u8>)> {
        let mut servers = resolvers.servers.clone();
        servers.retain(|server| !self.not_these.contains(server));
        // A server that is dead leaves time for the others.
        let tries = u32::try_from(servers.len() * resolvers.attempts).ok()?;
        let patience = resolvers.timeout.min(ASK_MAX.checked_div(tries)?);
        for _ in 0..resolvers.attempts {
            let mut silent = Vec::new();
            for server in servers {
                match timeout(patience, try_server(server, query)).await {
                    Ok(Ok((Verdict::Useless, _))) => {}
                    Ok(Ok((verdict, reply))) => {
                        return Some((verdict, dns::with_id(&reply, id(query))));
                    }
                    // It may have lost the query, or not be there yet.
                    Ok(Err(_)) | Err(_) => silent.push(server),
                }
            }
            servers = silent;
        }
        None
    }

    /// Whom to ask at the moment.
    fn current(&self) -> Resolvers {
        match &self.source {
            Source::File { path, read } => {
                let version = std::fs::metadata(path)
                    .and_then(|data| Ok((data.modified()?, data.len())))
                    .ok();
                let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
                match &*read {
                    Some((of, resolvers)) if *of == version => resolvers.clone(),
                    _ => {
                        let bytes = std::fs::read(path).unwrap_or_default();
                        let resolvers = Resolvers::parse(&String::from_utf8_lossy(&bytes));
                        *read = Some((version, resolvers.clone()));
                        resolvers
                    }
                }
            }
            #[cfg(windows)]
            Source::Adapters => adapters(),
            #[cfg(test)]
            Source::Fixed(resolvers) => resolvers.clone(),
        }
    }
}

/// The servers of the network adapters that are in use, the preferred adapter's first, and the computer's domains.
#[cfg(windows)]
fn adapters() -> Resolvers {
    // Site-local addresses that Windows names where nobody set a server; nothing ever listens there.
    let is_real = |address: &std::net::IpAddr| match address {
        std::net::IpAddr::V4(_) => true,
        std::net::IpAddr::V6(address) => address.segments()[0] != 0xfec0,
    };
    let mut adapters = ipconfig::get_adapters().unwrap_or_default();
    adapters.sort_by_key(ipconfig::Adapter::ipv4_metric);
    let mut servers = Vec::new();
    for adapter in adapters {
        let is_up = adapter.oper_status() == ipconfig::OperStatus::IfOperStatusUp;
        for server in adapter.dns_servers().iter().filter(|_| is_up) {
            if is_real(server) && !servers.contains(server) {
                servers.push(*server);
            }
        }
    }
    let mut search = ipconfig::computer::get_search_list().unwrap_or_default();
    if search.is_empty() {
        search.extend(ipconfig::computer::get_domain().ok().flatten());
    }
    Resolvers::at(servers, &search)
}

/// Asks one server from a socket of its own, whose port nobody can guess, and over TCP if the answer is too long.
async fn try_server(server: SocketAddr, query: &[u8]) -> io::Result<(Verdict, Vec<u8>)> {
    let query = dns::with_id(query, random());
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Only the server's own packets come in, and a port that is closed is told at once.
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut reply = Vec::with_capacity(MESSAGE_MAX);
    loop {
        reply.clear();
        socket.recv_buf(&mut reply).await?;
        match dns::judge(&query, &reply) {
            Some(Verdict::Truncated) => return over_tcp(server, &query).await,
            Some(verdict) => {
                // The caller keeps it: not with all the room that there might have been.
                reply.shrink_to_fit();
                return Ok((verdict, reply));
            }
            // Somebody tries to answer in the server's name.
            None => {}
        }
    }
}

/// Asks over TCP, each message behind its length (RFC 1035 section 4.2.2).
async fn over_tcp(server: SocketAddr, query: &[u8]) -> io::Result<(Verdict, Vec<u8>)> {
    let length = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut stream = TcpStream::connect(server).await?;
    let message = [&length.to_be_bytes(), query].concat();
    stream.write_all(&message).await?;
    let length = usize::from(stream.read_u16().await?);
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply).await?;
    match dns::judge(query, &reply) {
        None | Some(Verdict::Truncated) => Err(io::ErrorKind::InvalidData.into()),
        Some(verdict) => Ok((verdict, reply)),
    }
}

fn id(message: &[u8]) -> u16 {
    match message {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// A number that nobody can guess: the state of the hash is the operating system's randomness.
fn random() -> u16 {
    let hash = RandomState::new().hash_one(());
    (hash & 0xffff) as u16
}

#[cfg(test)]
mod tests;
