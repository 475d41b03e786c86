//! A stub resolver: it asks the servers that this host itself uses, and no others.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, RandomState},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
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
    ask::{self, Family},
    dns::{self, Verdict},
    resolv_conf::Resolvers,
    search::{self, Candidate},
};

/// How long a query may take. Programs repeat it, or give up, after 5 s.
const ASK_MAX: Duration = Duration::from_secs(3);

/// How many queries may run at a time. Each of them needs one or two sockets. Further queries wait.
const QUERIES_MAX: usize = 256;

/// The longest possible message, in bytes.
const MESSAGE_MAX: usize = 65_535;

/// The stub resolver of this host.
#[derive(Debug)]
pub struct Resolver {
    source: Source,
    /// Our own DNS servers. They are never asked, because they would ask us again.
    not_these: BTreeSet<SocketAddr>,
    turns: Semaphore,
}

/// Where the list of servers comes from.
#[derive(Debug)]
enum Source {
    /// A file, which is read again when it has changed.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has no such file"))]
    File {
        path: PathBuf,
        read: Mutex<Option<(Version, Resolvers)>>,
    },
    /// The settings of the network adapters.
    #[cfg(windows)]
    Adapters,
    #[cfg(test)]
    Fixed(Resolvers),
}

/// Identifies the version of a file by its time and size. `None` if the file does not exist.
type Version = Option<(SystemTime, u64)>;

impl Resolver {
    /// A resolver that asks the servers of this host, except those at these addresses, which are our own.
    pub fn of_this_host(not_these: impl IntoIterator<Item = SocketAddr>) -> Self {
        #[cfg(not(windows))]
        return Self::of_file("/etc/resolv.conf", not_these);
        #[cfg(windows)]
        return Self::new(Source::Adapters, not_these);
    }

    /// A resolver that asks the servers in a file of the form of resolv.conf(5).
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

    /// Answers a query. The result is the reply of a server, or SERVFAIL if no server has answered in time. The result
    /// is empty only if the query does not even have a header.
    pub async fn ask(&self, query: &[u8]) -> Vec<u8> {
        let asked = timeout(ASK_MAX, async {
            let _turn = self.turns.acquire().await.ok()?;
            self.find(query).await
        });
        let reply = asked.await.ok().flatten();
        reply.unwrap_or_else(|| dns::servfail(query))
    }

    /// The addresses of a name, IPv4 first; empty if no server knows any. A server that denies the name for one address
    /// family may still know addresses of the other.
    pub async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let of = |family| async move {
            let Some(query) = ask::addresses_of(name, family, random()) else {
                return Vec::new();
            };
            ask::addresses(&self.ask(&query).await)
        };
        let (v4, v6) = tokio::join!(of(Family::V4), of(Family::V6));
        [v4, v6].concat()
    }

    /// Looks up the full names that the name in the query may stand for, in order, until one of them exists.
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
                // The first name that exists decides, even if it has no record of the requested type. Otherwise, a
                // program that asks for IPv4 and IPv6 addresses could get addresses of two different names.
                Some((Verdict::Found | Verdict::Empty, reply)) => return Some(reply),
                Some((_, reply)) if candidate == Candidate::AsAsked => absent = Some(reply),
                Some(_) => {}
                // If the lookup of the exact name has failed, a reply for another name must not be used in its place.
                None if candidate == Candidate::AsAsked => return None,
                None => failed = true,
            }
        }
        // If a lookup has failed, it is not certain that the name does not exist.
        absent.filter(|_| !failed)
    }

    /// Asks one server after the other. Servers that do not answer are asked again, as often as the host's settings
    /// say. `None` if no server has sent a useful reply.
    async fn exchange(&self, resolvers: &Resolvers, query: &[u8]) -> Option<(Verdict, Vec<u8>)> {
        let mut servers = resolvers.servers.clone();
        servers.retain(|server| !self.not_these.contains(server));
        // Each server gets only a part of the time, so that the other servers can be asked, too.
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
                    // The message may have been lost, or the server may not be up yet, so the server is asked again.
                    Ok(Err(_)) | Err(_) => silent.push(server),
                }
            }
            servers = silent;
        }
        None
    }

    /// The present servers and settings.
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

/// The servers of the active network adapters, and the computer's domains. The servers of the preferred adapter come
/// first.
#[cfg(windows)]
fn adapters() -> Resolvers {
    // Windows lists these site-local addresses for adapters without a configured server. There is never a server at
    // them.
    let is_real = |address: &IpAddr| match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.segments()[0] != 0xfec0,
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

/// Asks one server from a new socket with an unpredictable port. If the reply was truncated, asks again over TCP.
async fn try_server(server: SocketAddr, query: &[u8]) -> io::Result<(Verdict, Vec<u8>)> {
    let query = dns::with_id(query, random());
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // A connected socket receives packets of this server only, and reports a closed port at once.
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut reply = Vec::with_capacity(MESSAGE_MAX);
    loop {
        reply.clear();
        socket.recv_buf(&mut reply).await?;
        match dns::judge(&query, &reply) {
            Some(Verdict::Truncated) => return over_tcp(server, &query).await,
            Some(verdict) => {
                // The caller keeps the reply, so the memory for the longest possible reply is released.
                reply.shrink_to_fit();
                return Ok((verdict, reply));
            }
            // The message does not belong to the query and may be forged, so it is ignored.
            None => {}
        }
    }
}

/// Asks over TCP, where the length precedes each message (RFC 1035 section 4.2.2).
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

/// An unpredictable number. It is derived from the seed of the standard library's hash tables, which comes from the
/// operating system.
fn random() -> u16 {
    let hash = RandomState::new().hash_one(());
    (hash & 0xffff) as u16
}

#[cfg(test)]
mod tests;
