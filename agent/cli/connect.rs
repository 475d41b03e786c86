//! `norouter connect`: joins standard input and output to a connection into the network.

use std::{
    io::{self, IsTerminal as _, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use super::{
    addr::note_state,
    env::Folder,
    error::{Error, Exit},
    reach::{self, Service, wait_for},
};
use crate::{
    destination::{Destination, Host, Pasted},
    driver::{
        control::Client,
        system::{describe, stdio, tunnel},
    },
    proxy::{Upstream, variables::SOCKS},
    route::Target,
    view::{PlanView, Snapshot},
};

/// How long the connection to an address of this machine may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How many bytes are passed on at a time.
const PIECE: usize = 64 << 10;

/// The variables that name a proxy of this machine. The best one comes first.
const PROXIES: [&str; 2] = ["http_proxy", SOCKS];

/// Join standard input and output to a service of the network
///
/// For programs that can start a command instead of connecting, above all ssh, and for shells:
///
///   ssh -o proxycommand='norouter connect %h:%p' web1
///   echo PING | norouter connect cache:6379
///
/// When the input ends, only that direction of the connection is closed: the answer is still
/// read to its end. When the answer ends first, the rest of the input is still sent, unless the
/// input is a terminal. A destination that a route leads to is reached through the HTTP or SOCKS
/// proxy that the network has on this machine. If the network's addresses are not available on
/// this machine, every destination is reached through that proxy.
///
/// Exits with 5 if the service cannot be reached, or resets the connection.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The destination, as NAME:PORT or as a URL: a host by name, alias or VIP, with a port that it publishes, or
    /// anything that a route leads to
    #[arg(value_name = "NAME:PORT", value_hint = clap::ValueHint::Other, value_parser = reach::pasted)]
    target: Pasted,
    #[command(flatten)]
    folder: Folder,
}

/// The way from this process to a destination.
enum Way {
    /// The address of the destination. This machine is a host of the network and listens on that address.
    Address(SocketAddr),
    /// The proxy of this machine, which is a host of the network.
    Proxy(Upstream),
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let target = match &args.target {
        Pasted::Whole(target) => Some(target),
        Pasted::Host(_) => None,
    };
    let way = wait_for(args.way())?;
    let (Some(way), Some(target)) = (way, target) else {
        let name = match &args.target {
            Pasted::Whole(Destination { host, .. }) | Pasted::Host(host) => host,
        };
        return Err(
            Error::new(Exit::Usage, format!("{name} has no port to connect to"))
                .hint(format!("add the port: norouter connect {name}:22")),
        );
    };
    let way = match way {
        Found::Address(address) => Way::Address(address),
        Found::OnlyProxy => Way::Proxy(args.proxy()?),
    };
    let stream = wait_for(connect(&way, target))?;
    join(&stream, target)
}

/// The way to a destination, as the network describes it.
enum Found {
    Address(SocketAddr),
    /// The destination can be reached only through a proxy.
    OnlyProxy,
}

impl Args {
    /// Finds the way to the target. Returns `None` if the target has no port and is not a host of the network.
    async fn way(&self) -> Result<Option<Found>, Error> {
        let client = match self.folder.network().client().await {
            // This machine runs no network of its own, but the agent of another machine's network may have a proxy
            // here.
            Err(error) if error.exit() == Exit::NoManager && !self.folder.network().is_named() => {
                return Ok(matches!(self.target, Pasted::Whole(_)).then_some(Found::OnlyProxy));
            }
            client => client?,
        };
        let snapshot = client.network().await?.snapshot;
        self.way_in(&client, &snapshot).await
    }

    async fn way_in(&self, client: &Client, snapshot: &Snapshot) -> Result<Option<Found>, Error> {
        let plan = client.plan().await?;
        let routed = match &self.target {
            Pasted::Whole(target) => is_routed(&plan, &target.host),
            Pasted::Host(_) => false,
        };
        let (Pasted::Host(called) | Pasted::Whole(Destination { host: called, .. })) = &self.target;
        // A name without dots means a host of the network, unless a route leads to that name.
        let service = if routed && reach::pasted_host(snapshot, called).is_err() {
            None
        } else {
            reach::service(snapshot, &self.target)?
        };
        let has_proxy = reach::has_proxy_here(&plan);
        let Some(service) = service else {
            let Pasted::Whole(target) = &self.target else {
                return Ok(None);
            };
            if has_proxy {
                return Ok(Some(Found::OnlyProxy));
            }
            let message = format!(
                "{target} is not in this network, and no host on this machine has a proxy, which would lead there"
            );
            let hint = "give the host without cmd a proxy in the manifest: http: {listen: \"127.0.0.1:18080\"}";
            return Err(Error::new(Exit::Failure, message).hint(hint));
        };
        let Service { host, port } = service;
        let Some(port) = port else {
            let message = format!("{} has no port to connect to", host.name);
            return Err(Error::new(Exit::Usage, message).hint(reach::published(host)));
        };
        note_state(host);
        match reach::listens_here(&plan, snapshot, client.name(), service) {
            Ok(()) => {
                let address = host.vip.parse().map(|vip| SocketAddr::new(vip, port));
                let address = address.map_err(|_| {
                    let message = format!("{} has no valid address: {}", host.name, host.vip);
                    Error::new(Exit::Failure, message)
                })?;
                Ok(Some(Found::Address(address)))
            }
            Err(_) if has_proxy => Ok(Some(Found::OnlyProxy)),
            Err(error) => Err(error),
        }
    }

    /// The proxy of the host that is this machine, as the agent of that host has written it for programs.
    fn proxy(&self) -> Result<Upstream, Error> {
        let variables = self.folder.written()?;
        let url = PROXIES
            .iter()
            .find_map(|wanted| variables.iter().find(|(name, _)| name == wanted));
        let Some((name, url)) = url else {
            let message = "the agent on this machine has no proxy that works";
            return Err(Error::new(Exit::Failure, message)
                .hint("\"norouter status\" on the manager's machine says why"));
        };
        url.parse().map_err(|error| {
            Error::new(
                Exit::Failure,
                format!("{name}, as the agent has written it, cannot be used: {error}"),
            )
        })
    }
}

/// Whether a route of the plan can lead to the host of a destination, which is a name or an address.
fn is_routed(plan: &PlanView, host: &Host) -> bool {
    let mut targets = plan.routes.iter().flat_map(|route| &route.to);
    targets.any(|target| match (target.parse::<Target>(), host) {
        (Ok(target), Host::Name(name)) => target.has_name(name),
        (Ok(target), Host::Ip(address)) => target.has_address(*address),
        (Err(_), _) => false,
    })
}

/// Connects to the destination, or to the proxy and through it.
async fn connect(way: &Way, target: &Destination) -> Result<TcpStream, Error> {
    let (at, what) = match way {
        Way::Address(address) => (*address, format!("{target} ({address})")),
        Way::Proxy(proxy) => {
            let Host::Ip(address) = &proxy.at.host else {
                let message = format!("the proxy {proxy} is not on this machine");
                return Err(Error::new(Exit::Failure, message));
            };
            let what = format!("the proxy {proxy}");
            (SocketAddr::new(*address, proxy.at.port), what)
        }
    };
    let failed = |why: &str| broken(format!("cannot connect to {what}: {why}"), target);
    let dialled = tokio::time::timeout(CONNECT_MAX, tokio::net::TcpStream::connect(at)).await;
    let mut stream = match dialled {
        Ok(stream) => stream.map_err(|error| failed(&describe(&error)))?,
        Err(_) => return Err(failed("no answer")),
    };
    if let Way::Proxy(proxy) = way {
        let opened = tunnel::open(&mut stream, proxy, target).await;
        opened.map_err(|failure| {
            let reason = failure.reason.trim_end_matches('.').to_owned();
            broken(reason, target)
        })?;
    }
    let plain = || -> io::Result<TcpStream> {
        // A keystroke must not wait for an acknowledgment.
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    };
    plain().map_err(|error| broken(describe(&error), target))
}

/// An error about a broken connection. Its hint names `norouter why`, which finds the cause.
fn broken(message: String, target: &Destination) -> Error {
    let hint = format!("\"norouter why {target}\" shows where it fails");
    Error::new(Exit::PartlyUp, message).hint(hint)
}

/// Passes on bytes in both directions until both have ended. When one direction ends, its end is passed on, too.
fn join(stream: &TcpStream, target: &Destination) -> Result<Exit, Error> {
    let own = |error: io::Error| broken(describe(&error), target);
    let mut to = stream.try_clone().map_err(own)?;
    let input = thread::spawn(move || -> io::Result<()> {
        pass(&mut io::stdin().lock(), &mut to).map_err(Broken::into_inner)?;
        to.shutdown(Shutdown::Write)
    });
    match pass(&mut &*stream, &mut io::stdout().lock()) {
        Ok(()) => {}
        Err(Broken::Reading(error)) => {
            let message = format!("the connection to {target} broke: {}", describe(&error));
            return Err(broken(message, target));
        }
        // The reader of the output has ended, as in a pipe to head.
        Err(Broken::Writing(error)) => return Err(error.into()),
    }
    stdio::close_output();
    // If the input is a terminal, the program does not wait for its end: a person would not know that they have to end
    // it.
    if !io::stdin().is_terminal() {
        // A service can stop reading when it has heard enough, so a failure to send is not reported.
        let _ = input.join();
    }
    Ok(Exit::Ok)
}

/// The side of one direction that is broken.
enum Broken {
    Reading(io::Error),
    Writing(io::Error),
}

impl Broken {
    fn into_inner(self) -> io::Error {
        match self {
            Self::Reading(error) | Self::Writing(error) => error,
        }
    }
}

/// Passes on bytes until they end. Each piece is passed on at once, because the receiver may be waiting for it.
fn pass(from: &mut impl Read, to: &mut impl Write) -> Result<(), Broken> {
    let mut piece = vec![0; PIECE];
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Reading(error)),
        };
        let sent = to.write_all(piece.get(..count).unwrap_or_default());
        sent.and_then(|()| to.flush()).map_err(Broken::Writing)?;
    }
}
