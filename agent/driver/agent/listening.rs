//! Binds real addresses of this host, listens on them or holds them, and brings their connections into the network.

use std::{
    net::{SocketAddr, SocketAddrV4},
    sync::Arc,
};

use socket2::Socket;
use tokio::net::{TcpListener, UdpSocket};

use super::{
    dial, dns,
    gate::{holder_of, lets_in, next_connection, tell},
    proxy,
    real_addresses::RealAddresses,
    shared::Shared,
    stream,
};
use crate::{
    driver::harness::World,
    edge::{Listener, NotListening, Purpose},
    text::with_remedy,
    wire::Cause,
};

/// Begins to listen on an address or, if `held` is true, to hold it. An earlier task for this address is stopped.
pub(super) fn begin(
    shared: &Arc<Shared>,
    addresses: &mut RealAddresses,
    listener: Listener,
    held: bool,
) {
    let address = addresses.entry(listener).or_default();
    address.rest();
    let task = tokio::spawn(keep(shared.clone(), listener, held));
    address.task = Some(task.abort_handle());
}

/// Opens an address, and serves the connections that arrive there.
async fn keep(shared: Arc<Shared>, listener: Listener, held: bool) {
    let opened = match open(&shared, listener, held).await {
        Err(why) => Err(with_holder(&shared, listener, why).await),
        opened => opened,
    };
    let outcome = opened.as_ref().map(|_| ()).map_err(NotListening::clone);
    shared.tell(|core, now| {
        if let Err(why) = &outcome
            && !core.reports_problems()
        {
            let reason = with_remedy(&why.reason, why.remedy.as_deref());
            tracing::warn!("cannot {listener}: {reason}");
        }
        core.handle_listening(now, listener, outcome);
    });
    match opened {
        Ok(Opened::Network(socket, address)) => accept(shared, &socket, listener, address).await,
        Ok(Opened::Dns(socket, address)) => dns::serve_udp(shared, socket, address).await,
        Ok(Opened::Proxy(socket, server)) => server.run(&socket).await,
        // No task is needed for a held address. After an error, the agent's state machine will retry.
        Ok(Opened::Held) | Err(_) => {}
    }
}

/// The result of opening an address: the socket, and everything that is needed to serve it.
enum Opened {
    Network(TcpListener, SocketAddrV4),
    Dns(UdpSocket, SocketAddrV4),
    Proxy(TcpListener, Arc<proxy::Server>),
    Held,
}

async fn open(
    shared: &Arc<Shared>,
    listener: Listener,
    held: bool,
) -> Result<Opened, NotListening> {
    let Listener { purpose, address } = listener;
    match (purpose, address) {
        (Purpose::Network, SocketAddr::V4(v4)) => {
            let socket = have(shared, listener)?;
            if held {
                hold(shared, listener, socket)?;
                return Ok(Opened::Held);
            }
            Ok(Opened::Network(listen(shared, listener, &socket)?, v4))
        }
        (Purpose::Dns, SocketAddr::V4(v4)) => {
            let socket = UdpSocket::bind(address).await;
            let socket = socket.map_err(|error| dial::not_listening(&error, address))?;
            Ok(Opened::Dns(socket, v4))
        }
        (Purpose::Http | Purpose::Socks, _) => {
            // The address is bound before the credentials are read. In this way, another program cannot take the
            // address even if the file of the credentials cannot be read.
            let socket = have(shared, listener)?;
            let proxy = shared.lock().core.rights().proxy(purpose).cloned();
            let proxy = proxy.ok_or_else(|| "it is not configured".to_owned())?;
            // The file may be on a disk that is slow or gone, so it is read on another thread.
            let users = tokio::task::spawn_blocking(move || proxy::credentials(&proxy));
            let users = users.await.map_err(|error| error.to_string())??;
            let server = Arc::new(proxy::Server::new(shared.clone(), listener, users)?);
            Ok(Opened::Proxy(listen(shared, listener, &socket)?, server))
        }
        (Purpose::Network | Purpose::Dns, SocketAddr::V6(_)) => {
            Err("the network has IPv4 addresses only".to_owned().into())
        }
    }
}

/// Returns the socket that is bound to an address. If there is none yet, binds a new one.
fn have(shared: &Shared, listener: Listener) -> Result<Arc<Socket>, NotListening> {
    let mut state = shared.lock();
    let address = state.listeners.entry(listener).or_default();
    if let Some(socket) = &address.socket {
        return Ok(socket.clone());
    }
    let socket = Arc::new(dial::bind(listener.address)?);
    address.socket = Some(socket.clone());
    Ok(socket)
}

/// Adds to the reason `why` the program that listens at the address, if this machine reveals that program. An agent
/// that only holds the address, without listening, cannot be found.
async fn with_holder(shared: &Shared, listener: Listener, mut why: NotListening) -> NotListening {
    if why.cause != Cause::InUse || listener.purpose == Purpose::Dns {
        return why;
    }
    let asked = (shared.doorman).ask(|owners| owners.of_listener(listener.address));
    let owner = asked.ok().flatten();
    let known = {
        let mut state = shared.lock();
        let address = state.listeners.entry(listener).or_default();
        address.taken_by.take_if(|(known, _)| Some(*known) == owner)
    };
    let taken_by = match (known, owner) {
        (Some(known), _) => Some(known),
        // A user name may have to be looked up over the network, and a program name in many files. So the names are
        // looked up only once for each socket, although the address is tried again every few seconds. Only one socket
        // is looked up at a time, because another agent may hold thousands of addresses.
        (None, Some(owner)) => {
            let _turn = shared.names_holder.lock().await;
            tokio::task::spawn_blocking(move || (owner, owner.holder()))
                .await
                .ok()
        }
        (None, None) => None,
    };
    if let Some((_, Some(holder))) = &taken_by {
        why = dial::taken(listener.address.port(), Some(holder));
    }
    let mut state = shared.lock();
    state.listeners.entry(listener).or_default().taken_by = taken_by;
    why
}

fn listen(
    shared: &Shared,
    listener: Listener,
    socket: &Socket,
) -> Result<TcpListener, NotListening> {
    let mut state = shared.lock();
    if state.core.rights().is_for_same_user(listener.purpose) {
        shared.doorman.unable(listener)?;
    }
    let opened = dial::listen(socket, listener.address)?;
    state.listeners.entry(listener).or_default().listens = true;
    Ok(opened)
}

/// Refuses connections to the address, and keeps it bound.
fn hold(shared: &Shared, listener: Listener, socket: Arc<Socket>) -> Result<(), NotListening> {
    let mut state = shared.lock();
    let address = state.listeners.entry(listener).or_default();
    if std::mem::take(&mut address.listens) && dial::hold(&socket).is_err() {
        // Some systems cannot stop a socket from listening. There, the socket is closed and bound again, and the
        // address is free for a moment in between.
        address.socket = None;
        drop((state, socket));
        have(shared, listener)?;
    }
    Ok(())
}

/// Accepts connections, and carries each of them into the network.
async fn accept(
    shared: Arc<Shared>,
    socket: &TcpListener,
    listener: Listener,
    address: SocketAddrV4,
) {
    loop {
        let (client, from) = next_connection(socket, listener.address).await;
        if let Err(who) = lets_in(&shared, listener, from) {
            // Dropping the connection resets it.
            tell(&shared, listener, who);
            continue;
        }
        let holder = holder_of(&shared, listener, from);
        match shared.connect(holder, address).await {
            Ok(flow) => {
                tokio::spawn(stream::carry(shared.clone(), flow, client));
            }
            Err(full) => {
                tracing::warn!(%address, "refused a connection: {full}");
            }
        }
    }
}
