//! Connects a client of a proxy to its destination. [`Step`] decides which step comes next, and this file performs it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
};

use super::server::Server;
use crate::{
    destination::Destination,
    driver::{
        agent::{
            dial, dns,
            lookup::{Asker, lookup},
            network_stream::NetworkStream,
            relay, stream,
        },
        harness::World,
        system::{describe, tunnel},
    },
    edge::{Rights, way::Step},
    proxy::{Upstream, http::Request},
    wire::Failure,
};

/// A connection to the destination that a client asked for.
pub(super) enum Origin {
    /// The connection leads through the network.
    Network(NetworkStream),
    /// This host has dialled the destination itself, or another proxy has done so for it.
    Direct(TcpStream),
    /// This host has dialled another HTTP proxy, which forwards plain requests to the destination.
    Proxy(TcpStream, Arc<Upstream>),
}

/// The kind of traffic that a client wants to send to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Any bytes.
    Tunnel,
    /// Requests of plain HTTP. Proxies that forward these often refuse tunnels for the same port.
    Requests,
}

impl Origin {
    /// The head of a request in the form that the other end of this connection expects. `None` if the request is not
    /// for an origin.
    pub(super) fn head(&self, request: &Request, reuse: bool) -> Option<Bytes> {
        match self {
            Self::Proxy(_, proxy) => request.for_proxy(reuse, proxy),
            Self::Network(_) | Self::Direct(_) => request.for_origin(reuse),
        }
    }
}

impl Server {
    /// Connects to a destination that a client asked for. [`Step`] decides how, and describes the failures in words.
    pub(super) async fn connect(
        &self,
        destination: &Destination,
        want: Want,
    ) -> Result<Origin, Failure> {
        let mut step =
            self.decide(|rights| Step::first(rights, destination.clone(), self.is_remote()));
        loop {
            step = match step {
                Step::Open(address, opening) => {
                    match NetworkStream::open(&self.shared, address).await {
                        Ok(stream) => return Ok(Origin::Network(stream)),
                        Err(error) => {
                            let (cause, what) = (dial::cause(&error), describe(&error));
                            self.decide(|rights| opening.handle_failed(rights, cause, &what))
                        }
                    }
                }
                Step::Ask(address, destination, asking) => {
                    match NetworkStream::open(&self.shared, address).await {
                        Ok(stream) => match relay::ask(stream, &destination).await {
                            Ok(stream) => return Ok(Origin::Network(stream)),
                            Err(failure) => {
                                self.decide(|rights| asking.handle_refused(rights, &failure))
                            }
                        },
                        Err(_) => self.decide(|rights| asking.handle_closed(rights)),
                    }
                }
                Step::Find(server, name, finding) => {
                    let found = dns::addresses(&self.shared, server, &name).await.ok();
                    self.decide(|rights| finding.handle_found(rights, found))
                }
                Step::Suggest(gateway, addresses, suggesting) => {
                    self.shared.suggest(gateway, &addresses);
                    self.decide(|rights| suggesting.handle_suggested(rights))
                }
                Step::Check(server, checking) => {
                    let accepts = NetworkStream::open(&self.shared, server).await.is_ok();
                    self.decide(|rights| checking.handle_checked(rights, accepts))
                }
                Step::Resolve(resolving) => {
                    match lookup(&self.shared, destination, Asker::Programs).await {
                        Ok(found) => self.decide(|it| resolving.handle_resolved(it, found)),
                        Err(failure) => self.decide(|it| resolving.handle_unresolved(it, failure)),
                    }
                }
                Step::Sort(mut addresses, sorting) => {
                    addresses.retain(|address| dial::is_own(address.ip()));
                    self.decide(|rights| sorting.handle_sorted(rights, &addresses))
                }
                Step::Dial(addresses) => {
                    let dialled = dial::dial_any(destination, &addresses).await;
                    return dialled.map(Origin::Direct);
                }
                Step::GoOut(proxy) => return self.go_out(proxy, destination, want).await,
                Step::NotPermitted(failure) => {
                    return self.shared.note_failure(destination, Err(failure));
                }
                Step::GiveUp(failure) => return Err(failure),
            };
        }
    }

    /// Connects to a destination through the person's own proxy.
    async fn go_out(
        &self,
        proxy: Arc<Upstream>,
        destination: &Destination,
        want: Want,
    ) -> Result<Origin, Failure> {
        let called = |failure: Failure| Failure {
            reason: format!("Through your own proxy: {}", failure.reason),
            ..failure
        };
        let addresses = lookup(&self.shared, &proxy.at, Asker::Programs)
            .await
            .map_err(called)?;
        let dialled = dial::dial_any(&proxy.at, &addresses).await;
        let mut stream = dialled.map_err(called)?;
        if want == Want::Requests && proxy.takes_requests() {
            return Ok(Origin::Proxy(stream, proxy));
        }
        let opened = tunnel::open(&mut stream, &proxy, destination).await;
        opened.map_err(called)?;
        Ok(Origin::Direct(stream))
    }

    /// Asks `decision` for the next step, which depends on what this agent may do at the moment.
    fn decide(&self, decision: impl FnOnce(&Rights) -> Step) -> Step {
        decision(self.shared.lock().core.rights())
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
            Self::Direct(stream) | Self::Proxy(stream, _) => {
                Pin::new(stream).poll_read(context, buffer)
            }
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
            Self::Direct(stream) | Self::Proxy(stream, _) => {
                Pin::new(stream).poll_write(context, bytes)
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_flush(context),
            Self::Direct(stream) | Self::Proxy(stream, _) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Network(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Direct(stream) | Self::Proxy(stream, _) => {
                Pin::new(stream).poll_shutdown(context)
            }
        }
    }
}

/// Relays between a client and its destination. The bytes that each of them has already sent are relayed first.
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
        Origin::Direct(mut direct) | Origin::Proxy(mut direct, _) => {
            // If one side breaks, the other side is reset, too: dropping a prepared socket resets its connection.
            tokio::io::copy_bidirectional(&mut client, &mut direct).await?;
            dial::end_cleanly(&client);
            dial::end_cleanly(&direct);
        }
    }
    Ok(())
}
