//! Lets programs connect to a real address of this host, or refuses them.

use std::{net::SocketAddr, sync::Arc};

use tokio::net::{TcpListener, TcpStream};

use super::{dial, places::ACCEPT_PAUSE, shared::Shared};
use crate::{
    driver::{
        harness::World,
        system::{describe, owner::Owner},
    },
    edge::Listener,
    flow::Holder,
};

/// The next connection of a listener, ready to carry a flow. Everybody else has a turn before it: thousands may wait.
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

/// Somebody who may not connect, by the owner of the socket if that is known.
pub(super) type Stranger = Option<Owner>;

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

/// For whom a connection is. That is looked at only where many are open and every user may connect: what one user leaves
/// open does not keep the others out.
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
        // Where nobody can tell, all are one.
        Err(_) => Holder::Owner,
    }
}

/// Tells people whom a listener has refused, once for each user.
pub(super) fn tell(shared: &Arc<Shared>, listener: Listener, who: Stranger) {
    let user = who.map(|owner| owner.user);
    let now = shared.now();
    if !shared.lock().core.handle_refused(now, listener, user) {
        return;
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        let who = match who {
            // Names may come from far away, and programs from many files.
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
