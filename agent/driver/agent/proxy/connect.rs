//! The way from a proxy to a destination: through the network, through a gateway, or directly from this host.

use std::{
    io,
    net::{IpAddr, SocketAddrV4},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};

use super::server::Server;
use crate::{
    addr::Vip,
    destination::{Destination, Host},
    driver::{
        agent::{
            dial, dns,
            lookup::{Asker, lookup},
            network_stream::NetworkStream,
            relay, stream,
        },
        harness::World,
        system::describe,
    },
    edge::{Gateway, Path},
    route,
    wire::{Cause, Failure},
};

/// A connection to the destination that a client asked for.
pub(super) enum Origin {
    /// Through the network.
    Network(NetworkStream),
    /// From this host.
    Direct(TcpStream),
}

impl Server {
    /// Connects to a destination that a client asked for.
    pub(super) async fn connect(&self, destination: &Destination) -> Result<Origin, Failure> {
        match self.path(destination)? {
            Path::Network(address) => self.open(destination, address).await,
            Path::Gateways(gateways) => self.through(destination, &gateways).await,
            Path::Direct => self.direct(destination).await,
        }
    }

    fn path(&self, destination: &Destination) -> Result<Path, Failure> {
        self.shared.lock().core.rights().path(destination)
    }

    async fn open(
        &self,
        destination: &Destination,
        address: SocketAddrV4,
    ) -> Result<Origin, Failure> {
        let opened = NetworkStream::open(&self.shared, address).await;
        // The connection was tried although the policy refuses it, so that the manager reports it.
        let refusal = (opened.is_err())
            .then(|| self.shared.lock().core.rights().refusal(address))
            .flatten();
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        opened.map(Origin::Network).map_err(|error| Failure {
            cause: dial::cause(&error),
            reason: if error.kind() == io::ErrorKind::ConnectionRefused {
                format!(
                    "{destination} ({address}) does not accept connections: its host is not up, it does not publish the \
                     port, or the service there refused."
                )
            } else {
                format!("{destination} ({address}) cannot be reached: {}.", describe(&error))
            },
        })
    }

    /// Connects from this host. A name may still resolve to an address that belongs to the network or to a route.
    async fn direct(&self, destination: &Destination) -> Result<Origin, Failure> {
        let mut addresses = Vec::new();
        for address in lookup(destination, Asker::Programs).await? {
            let known = Destination::from(address);
            match self.path(&known)? {
                Path::Direct => addresses.push(address),
                Path::Network(address) => return self.open(destination, address).await,
                Path::Gateways(gateways) => return self.through(&known, &gateways).await,
            }
        }
        if self.is_remote() {
            addresses.retain(|address| {
                let ip = address.ip();
                let means_own = self.shared.lock().core.rights().means_own(ip);
                !route::is_special(ip) && (means_own || !dial::is_own(ip))
            });
        }
        if addresses.is_empty() {
            return Err(Failure {
                cause: Cause::NotAllowed,
                reason: format!(
                    "{destination} is an address of the proxy's own machine, which only its own programs reach."
                ),
            });
        }
        let may = |address| {
            self.shared
                .lock()
                .core
                .rights()
                .may_connect(destination, address)
        };
        let dialled = dial::dial_permitted(destination, addresses, may).await;
        self.shared
            .note_failure(destination, dialled)
            .map(Origin::Direct)
    }

    /// Connects through the first gateway that is up.
    async fn through(
        &self,
        destination: &Destination,
        gateways: &[Gateway],
    ) -> Result<Origin, Failure> {
        let refusals = gateways.iter().map(|gateway| {
            let state = self.shared.lock();
            state.core.rights().refusal_through(gateway, destination)
        });
        let refusals: Vec<_> = refusals.collect();
        let refused = refusals.iter().flatten().next();
        for (gateway, refusal) in gateways.iter().zip(&refusals) {
            // Another gateway may be allowed. If none is, the gateway that refuses reports it.
            if refusal.is_some() && refusals.iter().any(Option::is_none) {
                continue;
            }
            let Some(port) = gateway.relay else { continue };
            let relay = gateway.vip.socket(port);
            // The manager refuses at once if a gateway is down, or if its agent has no relay.
            if let Ok(stream) = NetworkStream::open(&self.shared, relay).await {
                let called = self.called(gateway.vip);
                return relay::ask(stream, destination)
                    .await
                    .map(Origin::Network)
                    .map_err(|failure| Failure {
                        reason: format!("Through {called}: {}", failure.reason),
                        ..failure
                    });
            }
        }
        let opened = self.by_address(destination, gateways).await;
        opened.map_err(|failure| refused.cloned().unwrap_or(failure))
    }

    /// Connects to an address behind a gateway by sending packets straight to that address, as agents of the Go version
    /// do.
    async fn by_address(
        &self,
        destination: &Destination,
        gateways: &[Gateway],
    ) -> Result<Origin, Failure> {
        let mut last = None;
        match &destination.host {
            Host::Ip(IpAddr::V4(address)) => {
                let address = SocketAddrV4::new(*address, destination.port);
                last = Some(NetworkStream::open(&self.shared, address).await);
            }
            Host::Ip(IpAddr::V6(_)) => {
                let called = self.called_all(gateways);
                return Err(Failure {
                    cause: Cause::HostDown,
                    reason: format!(
                        "{destination} is reached through {called}, which is not up, or whose agent knows IPv4 only."
                    ),
                });
            }
            Host::Name(name) => {
                for gateway in gateways {
                    let Some(port) = gateway.dns else { continue };
                    let server = gateway.vip.socket(port);
                    let Ok(addresses) = dns::addresses(&self.shared, server, name).await else {
                        continue;
                    };
                    if addresses.is_empty() {
                        let called = self.called(gateway.vip);
                        return Err(Failure {
                            cause: Cause::NameNotFound,
                            reason: format!(
                                "The DNS server of {called} knows no IPv4 address of {name}."
                            ),
                        });
                    }
                    self.shared.suggest(gateway.vip, &addresses);
                    for address in addresses {
                        let address = SocketAddrV4::new(address, destination.port);
                        let opened = NetworkStream::open(&self.shared, address).await;
                        if let Ok(stream) = opened {
                            return Ok(Origin::Network(stream));
                        }
                        last = Some(opened);
                    }
                    break;
                }
            }
        }
        let called = self.called_all(gateways);
        // A gateway that is down looks like a service that refuses.
        if matches!(&last, Some(Err(error)) if dial::cause(error) == Cause::Refused)
            && self.are_down(gateways).await
        {
            last = None;
        }
        match last {
            Some(Ok(stream)) => Ok(Origin::Network(stream)),
            Some(Err(error)) => Err(Failure {
                cause: dial::cause(&error),
                reason: format!(
                    "{destination}, which is reached through {called}, did not accept the connection, or {called} is not up.",
                ),
            }),
            None => Err(Failure {
                cause: Cause::HostDown,
                reason: format!("{destination} is reached through {called}, which is not up."),
            }),
        }
    }

    /// Whether every gateway fails to answer on its DNS server.
    async fn are_down(&self, gateways: &[Gateway]) -> bool {
        for gateway in gateways {
            // Without such a server, nothing can be said about a gateway.
            let Some(port) = gateway.dns else {
                return false;
            };
            let opened = NetworkStream::open(&self.shared, gateway.vip.socket(port)).await;
            if opened.is_ok() {
                return false;
            }
        }
        true
    }

    fn called_all(&self, gateways: &[Gateway]) -> String {
        let called = gateways.iter().map(|gateway| self.called(gateway.vip));
        called.collect::<Vec<_>>().join(" or ")
    }

    fn called(&self, vip: Vip) -> String {
        let state = self.shared.lock();
        let name = state.core.zone().and_then(|zone| zone.name(vip.address()));
        name.map_or_else(|| vip.to_string(), str::to_owned)
    }
}

impl AsyncRead for Origin {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Direct(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Origin {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Direct(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_flush(context),
            Self::Direct(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Direct(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Joins a client with its destination, after the bytes that each of them has sent already.
pub(super) async fn tunnel(
    server: &Server,
    mut client: TcpStream,
    mut origin: Origin,
    from_client: &[u8],
    from_origin: &[u8],
) -> io::Result<()> {
    origin.write_all(from_client).await?;
    client.write_all(from_origin).await?;
    match origin {
        Origin::Network(network) => {
            stream::carry(server.shared.clone(), network.into_flow(), client).await;
        }
        Origin::Direct(mut direct) => {
            // If one side breaks, the other is reset too: dropped sockets reset.
            tokio::io::copy_bidirectional(&mut client, &mut direct).await?;
            dial::end_cleanly(&client);
            dial::end_cleanly(&direct);
        }
    }
    Ok(())
}
