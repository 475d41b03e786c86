//! Real addresses of this host: has them, listens there or holds them, and lets in whom they are for.

use std::{
    collections::HashMap,
    net::{SocketAddr, SocketAddrV4},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socket2::Socket;
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    task::AbortHandle,
};

use super::{
    agent::Shared,
    describe, dial, dns,
    owner::{Owner, Owners},
    proxy, stream,
};
use crate::{
    edge::{Listener, NotListening, Purpose},
    flow::Holder,
    wire::probe::Cause,
};

/// How long a listener rests after the operating system has refused to accept: descriptors are short, and a loop
/// that asks again at once makes that worse.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The addresses that an agent has, or tries to have.
pub(super) type Places = HashMap<Listener, Place>;

/// One of them.
#[derive(Default)]
pub(super) struct Place {
    /// Ours from the first time that it could be had, and kept while nobody may connect: nobody else can have it then.
    socket: Option<Arc<Socket>>,
    /// Whether connections can come.
    listens: bool,
    /// What opens it, or accepts there.
    task: Option<AbortHandle>,
}

impl Place {
    fn rest(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.rest();
    }
}

/// What tells whose a connection is, once it has been asked for.
#[derive(Default)]
pub(super) struct Doorman(Mutex<Option<Owners>>);

impl Doorman {
    fn ask<T>(&self, ask: impl FnOnce(&mut Owners) -> std::io::Result<T>) -> std::io::Result<T> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owners = match &mut *owners {
            Some(owners) => owners,
            none => none.insert(Owners::open()?),
        };
        ask(owners)
    }

    /// Why other users cannot be kept out here.
    fn unable(&self, listener: Listener) -> Result<(), NotListening> {
        self.ask(|_| Ok(())).map_err(|error| {
            let key = match listener.purpose {
                Purpose::Network | Purpose::Dns => "loopback",
                Purpose::Http => "http",
                Purpose::Socks => "socks",
            };
            NotListening::from(format!(
                "it is for this user alone, and the system does not tell whose a connection is ({}); write \"{key}: {{allow: \
                 any}}\" below the host in the manifest to let every user of that machine in",
                describe(&error)
            ))
        })
    }
}

/// Begins to listen at an address, or to hold it, in the place of what is done there now.
pub(super) fn begin(shared: &Arc<Shared>, places: &mut Places, listener: Listener, held: bool) {
    let place = places.entry(listener).or_default();
    place.rest();
    let task = tokio::spawn(keep(shared.clone(), listener, held));
    place.task = Some(task.abort_handle());
}

/// Opens an address, and serves what arrives there.
async fn keep(shared: Arc<Shared>, listener: Listener, held: bool) {
    let opened = open(&shared, listener, held).await;
    let outcome = opened.as_ref().map(|_| ()).map_err(NotListening::clone);
    {
        let mut state = shared.lock();
        if let Err(why) = &outcome
            && !state.core.reports_problems()
        {
            tracing::warn!("cannot {listener}: {}", why.reason);
        }
        state.core.handle_listening(shared.now(), listener, outcome);
        shared.settle(state);
    }
    match opened {
        Ok(Opened::Network(socket, address)) => accept(shared, &socket, listener, address).await,
        Ok(Opened::Dns(socket, address)) => dns::serve_udp(shared, socket, address).await,
        Ok(Opened::Proxy(socket, server)) => Arc::new(server).run(&socket).await,
        // The machine asks again when it is time.
        Ok(Opened::Held) | Err(_) => {}
    }
}

/// An address that is ours, with what it serves.
enum Opened {
    Network(TcpListener, SocketAddrV4),
    Dns(UdpSocket, SocketAddrV4),
    Proxy(TcpListener, proxy::Server),
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
            // Ours before anything else is looked at: what is wrong with its file gives the address to nobody.
            let socket = have(shared, listener)?;
            let proxy = shared.lock().core.proxy(purpose).cloned();
            let proxy = proxy.ok_or_else(|| "it is not configured".to_owned())?;
            // A file may be anywhere, on a disk that is slow or gone.
            let users = tokio::task::spawn_blocking(move || proxy::credentials(&proxy));
            let users = users.await.map_err(|error| error.to_string())??;
            let server = proxy::Server::new(shared.clone(), listener, users)?;
            Ok(Opened::Proxy(listen(shared, listener, &socket)?, server))
        }
        (Purpose::Network | Purpose::Dns, SocketAddr::V6(_)) => {
            Err("the network has IPv4 addresses only".to_owned().into())
        }
    }
}

/// The socket of an address: the one that we have, or a new one.
fn have(shared: &Shared, listener: Listener) -> Result<Arc<Socket>, NotListening> {
    let mut state = shared.lock();
    let place = state.listeners.entry(listener).or_default();
    if let Some(socket) = &place.socket {
        return Ok(socket.clone());
    }
    match dial::bind(listener.address) {
        Ok(socket) => {
            let socket = Arc::new(socket);
            place.socket = Some(socket.clone());
            Ok(socket)
        }
        Err(mut why) => {
            let taker = (shared.doorman).ask(|owners| owners.of_listener(listener.address));
            if why.cause == Cause::InUse
                && let Ok(Some(owner)) = taker
                && !owner.is_us()
            {
                why.reason = format!("{}; it is another user's (uid {})", why.reason, owner.user);
            }
            Err(why)
        }
    }
}

fn listen(
    shared: &Shared,
    listener: Listener,
    socket: &Socket,
) -> Result<TcpListener, NotListening> {
    let mut state = shared.lock();
    if state.core.is_for_same_user(listener.purpose) {
        shared.doorman.unable(listener)?;
    }
    let opened = dial::listen(socket, listener.address)?;
    state.listeners.entry(listener).or_default().listens = true;
    Ok(opened)
}

/// Refuses connections, and keeps the address.
fn hold(shared: &Shared, listener: Listener, socket: Arc<Socket>) -> Result<(), NotListening> {
    let mut state = shared.lock();
    let place = state.listeners.entry(listener).or_default();
    if std::mem::take(&mut place.listens) && dial::hold(&socket).is_err() {
        // Not every system can stop a socket from listening. Then there is a moment in which nobody has the address.
        place.socket = None;
        drop((state, socket));
        have(shared, listener)?;
    }
    Ok(())
}

/// Brings every connection into the network.
async fn accept(
    shared: Arc<Shared>,
    socket: &TcpListener,
    listener: Listener,
    address: SocketAddrV4,
) {
    loop {
        let (client, from) = next_connection(socket, listener.address).await;
        if let Err(who) = lets_in(&shared, listener, from) {
            // Dropped, which resets it.
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
    if !shared.lock().core.is_for_same_user(listener.purpose) {
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
fn holder_of(shared: &Shared, listener: Listener, from: SocketAddr) -> Holder {
    {
        let core = &shared.lock().core;
        if core.is_for_same_user(listener.purpose) || !core.is_busy() {
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
        let mut state = shared.lock();
        if let Some(text) = state.core.tell_refused(listener, &who) {
            tracing::warn!("{text}");
        }
        shared.settle(state);
    });
}
