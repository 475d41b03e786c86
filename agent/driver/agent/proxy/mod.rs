//! The proxies for programs on this host: they accept clients and connect them to their destinations.

mod connect;
mod http;
mod idle;
mod kept;
mod server;
mod socks;

use std::{io, sync::Arc};

use bytes::BytesMut;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::JoinSet,
};

pub(super) use self::server::Server;
use self::{
    connect::{Origin, Want},
    server::{CLIENTS_MAX, Client},
};
use super::{dial, gate, state_dir};
use crate::{
    destination::Destination,
    driver::system::files,
    edge::{Proxy, Purpose},
    proxy::Credentials,
    wire::Failure,
};

/// Reads the credentials of a proxy's users. `None` if the manifest names no file for them. That is permitted only if
/// no other machine can reach the proxy. The error is worded for people.
pub(super) fn credentials(proxy: &Proxy) -> Result<Option<Credentials>, String> {
    let Some(file) = &proxy.credentials else {
        if proxy.listen.ip().is_loopback() {
            return Ok(None);
        }
        return Err(
            "other machines could use it, and nothing asks who they are; it needs \"credentials\" in the manifest"
                .to_owned(),
        );
    };
    let path = state_dir::expanded(file)?;
    let text = files::read(&path)?.ok_or_else(|| {
        format!(
            "the file {} does not exist; create it with a line USER:PASSWORD for each user",
            path.display()
        )
    })?;
    let users = Credentials::parse(&String::from_utf8_lossy(&text));
    users
        .map(Some)
        .map_err(|error| format!("{}: {error}", path.display()))
}

impl Server {
    /// Serves clients for ever. When this future is dropped, their connections are closed.
    pub(in crate::driver::agent) async fn run(self: Arc<Self>, socket: &TcpListener) {
        let mut clients = JoinSet::new();
        let address = self.listener.address;
        let mut has_told = false;
        loop {
            let (stream, from) = tokio::select! {
                next = gate::next_connection(socket, address) => next,
                Some(_) = clients.join_next() => continue,
            };
            let stranger = gate::lets_in(&self.shared, self.listener, from).err();
            let client = Client { stream, stranger };
            let place = match stranger {
                None => self.place(&mut has_told).await,
                Some(_) => self.strangers.clone().try_acquire_owned().ok(),
            };
            let Some(place) = place else {
                self.refuse(stranger);
                continue;
            };
            let server = self.clone();
            clients.spawn(async move {
                let _place = place;
                dial::keep_alive(&client.stream);
                let outcome = match server.listener.purpose {
                    Purpose::Socks => socks::serve(&server, client).await,
                    Purpose::Http | Purpose::Network | Purpose::Dns => {
                        http::serve(&server, client, BytesMut::new()).await
                    }
                };
                if let Err(error) = outcome {
                    tracing::debug!(%address, "a client's connection broke: {error}");
                }
            });
        }
    }

    /// Gets a place for a new client. If all places are taken, the client that has been idle for the longest time has
    /// to give up its place. If no client is idle, waits until one becomes idle or leaves. Until then no other clients
    /// are accepted, so they wait in the backlog of the system.
    async fn place(&self, has_told: &mut bool) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        if !std::mem::replace(has_told, true) {
            let address = self.listener.address;
            tracing::warn!(
                %address,
                "{CLIENTS_MAX} clients are connected: others get the places of idle ones, or wait until one of them has gone"
            );
        }
        let place = self.places.clone().acquire_owned();
        tokio::pin!(place);
        tokio::select! {
            place = &mut place => return place.ok(),
            () = self.idle.end_longest() => {}
        }
        place.await.ok()
    }

    /// Connects a client to a destination. Gives up if the client's connection breaks in the meantime, but not if the
    /// client has only finished sending, because it may still read. Bytes that the client sends in the meantime are
    /// kept in `input`.
    async fn connect_for(
        &self,
        client: &mut TcpStream,
        input: &mut BytesMut,
        destination: &Destination,
        want: Want,
    ) -> io::Result<Result<Origin, Failure>> {
        tokio::select! {
            connected = self.connect(destination, want) => Ok(connected),
            broken = async {
                let gone = http::gone(client, input).await;
                if gone.kind() == io::ErrorKind::UnexpectedEof {
                    std::future::pending::<()>().await;
                }
                gone
            } => Err(broken),
        }
    }
}

#[cfg(test)]
mod tests;
