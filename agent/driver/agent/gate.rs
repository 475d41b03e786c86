//! Decides whether a program may connect to a real address of this host.

use std::{net::SocketAddr, sync::Arc};

use tokio::net::{TcpListener, TcpStream};

use super::{dial, real_addresses::ACCEPT_PAUSE, shared::Shared};
use crate::{
    driver::{
        harness::World,
        system::{describe, owner::SocketOwner},
    },
    edge::Listener,
    flow::Holder,
};

/// Accepts the next connection of a listener and makes it ready to carry a flow. Other tasks run first, because
/// thousands of connections may be waiting.
pub(super) async fn next_connection(
    listener: &TcpListener,
    address: SocketAddr,
) -> (TcpStream, SocketAddr) {
    loop {
        tokio::task::yield_now().await;
        match listener.accept().await {
            Ok((socket, from)) => {
                dial::prepare(&socket);
                return (socket, from);
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%address, %error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The owner of the socket of a client that may not connect; `None` if the owner is not known.
pub(super) type Stranger = Option<SocketOwner>;

/// Whether a connection from this address may use the listener.
pub(super) fn lets_in(
    shared: &Shared,
    listener: Listener,
    from: SocketAddr,
) -> Result<(), Stranger> {
    if !shared
        .lock()
        .core
        .rights()
        .is_for_same_user(listener.purpose)
    {
        return Ok(());
    }
    let owner = (shared.doorman).ask(|owners| owners.of_client(from, listener.address));
    match owner {
        Ok(Some(owner)) if owner.is_us() => Ok(()),
        Ok(owner) => Err(owner),
        Err(error) => {
            tracing::warn!(address = %listener.address, "the system does not tell whose a connection is: {}", describe(&error));
            Err(None)
        }
    }
}

/// The user to whose share a new connection counts. With these shares, one user cannot take all connections. The user
/// is looked up only if every user may connect and many connections are open.
pub(super) fn holder_of(shared: &Shared, listener: Listener, from: SocketAddr) -> Holder {
    {
        let core = &shared.lock().core;
        if core.rights().is_for_same_user(listener.purpose) || !core.is_busy() {
            return Holder::Owner;
        }
    }
    let owner = (shared.doorman).ask(|owners| owners.of_client(from, listener.address));
    match owner {
        Ok(Some(owner)) if owner.is_us() => Holder::Owner,
        Ok(owner) => Holder::User(owner.map_or(u32::MAX, |owner| owner.user)),
        // If the system cannot tell the owner, the connection counts as one of the agent's own user.
        Err(_) => Holder::Owner,
    }
}

/// Reports that a listener has refused a client. Each user is reported at most once for each listener.
pub(super) fn tell(shared: &Arc<Shared>, listener: Listener, who: Stranger) {
    let user = who.map(|owner| owner.user);
    let now = shared.now();
    if !shared.lock().core.handle_refused(now, listener, user) {
        return;
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        let who = match who {
            // The description is made on another thread, because the name of a user may have to be looked up over the
            // network, and that of a program in many files.
            Some(owner) => tokio::task::spawn_blocking(move || owner.describe()).await,
            None => Ok("a program that had gone before anybody could see whose it was".to_owned()),
        };
        let Ok(who) = who else { return };
        let text = shared.tell(|core, _| core.tell_refused(listener, &who));
        if let Some(text) = text {
            tracing::warn!("{text}");
        }
    });
}
