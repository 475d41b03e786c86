//! The proxies for programs on this host: accepts their clients, and connects them to where they want to go.

mod connect;
mod http;
mod socks;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use self::connect::Origin;
use super::{
    agent::Shared,
    dial, files,
    listening::{self, Stranger},
    state_dir, stream,
};
use crate::{
    edge::{Listener, Proxy, Purpose},
    proxy::{Credentials, Destination, Failure, Throttle, http::Reply},
};

/// How many clients a proxy has at a time.
const CLIENTS_MAX: usize = 1_024;

/// How many of them have not shown yet who they are.
const STRANGERS_MAX: usize = 64;

/// How long a client may take to say what it wants, once it has begun to.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes.
const READ_MAX: usize = 64 << 10;

/// How long, and how much, a client is listened to that has been told its connection ends. To close on bytes that nobody
/// reads would reset it, and take away the answer.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
const GOODBYE_BYTES_MAX: usize = 1 << 20;

/// A proxy that is listening.
pub(super) struct Server {
    shared: Arc<Shared>,
    listener: Listener,
    /// What everybody has to name who uses the proxy.
    credentials: Option<Credentials>,
    /// What a client has to name that is not known to be one of this user's.
    pass: Credentials,
    /// The secret part of the status page's address.
    token: String,
    places: Arc<Semaphore>,
    throttle: Mutex<Throttle>,
    /// For those that have to prove who they are: what they do takes no place from others.
    strangers: Arc<Semaphore>,
}

/// The user whose password is the token that `norouter env` names.
pub(super) const PASS_USER: &str = "norouter";

/// A client that was accepted.
struct Client {
    stream: TcpStream,
    /// Why it has to prove who it is, unless it is known.
    stranger: Option<Stranger>,
}

/// Reads the users of a proxy; fails with a reason for people.
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
            "there is no file {}; write a line USER:PASSWORD for each user into it",
            path.display()
        )
    })?;
    let users = Credentials::parse(&String::from_utf8_lossy(&text));
    users
        .map(Some)
        .map_err(|error| format!("{}: {error}", path.display()))
}

impl Server {
    pub(super) fn new(
        shared: Arc<Shared>,
        listener: Listener,
        credentials: Option<Credentials>,
    ) -> Result<Self, String> {
        let pass = Credentials::of(PASS_USER, shared.pass()).map_err(|error| error.to_string())?;
        Ok(Self {
            token: shared.token().to_owned(),
            shared,
            listener,
            // Programs that have the token need not know the users.
            credentials: credentials.map(|users| users.and(&pass)),
            pass,
            places: Arc::new(Semaphore::new(CLIENTS_MAX)),
            throttle: Mutex::default(),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
        })
    }

    /// What a client has to name before anything is done for it.
    fn asks(&self, is_stranger: bool) -> Option<&Credentials> {
        (self.credentials.as_ref()).or_else(|| is_stranger.then_some(&self.pass))
    }

    /// The answer to a client that has not named it.
    fn who_are_you(&self) -> Reply {
        match self.credentials {
            Some(_) => Reply::password_needed(),
            None => Reply::token_needed(),
        }
    }

    /// A client has not shown who it is.
    fn refuse(&self, stranger: Option<Stranger>) {
        if let Some(who) = stranger {
            listening::tell(&self.shared, self.listener, who);
        }
    }

    /// Serves clients for ever; they go with it.
    pub(super) async fn run(self: Arc<Self>, socket: &TcpListener) {
        let mut clients = JoinSet::new();
        let address = self.listener.address;
        loop {
            let (stream, from) = tokio::select! {
                client = listening::next_connection(socket, address) => client,
                Some(_) = clients.join_next() => continue,
            };
            let stranger = listening::lets_in(&self.shared, self.listener, from).err();
            let client = Client { stream, stranger };
            let places = if stranger.is_some() {
                &self.strangers
            } else {
                &self.places
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                self.refuse(stranger);
                if stranger.is_none() {
                    tracing::warn!(%address, "refused a client: there are {CLIENTS_MAX} already");
                }
                continue;
            };
            let server = self.clone();
            clients.spawn(async move {
                let _place = place;
                dial::keep_alive(&client.stream);
                let outcome = match server.listener.purpose {
                    Purpose::Socks => socks::serve(&server, client).await,
                    Purpose::Http | Purpose::Network | Purpose::Dns => {
                        http::serve(&server, client).await
                    }
                };
                if let Err(error) = outcome {
                    tracing::debug!(%address, "a client's connection broke: {error}");
                }
            });
        }
    }

    /// Connects a client that may break off before it is connected: then nobody needs the connection any more. What it
    /// says meanwhile is kept, and that it has nothing more to say does not mean that it does not listen.
    async fn connect_for(
        &self,
        client: &mut TcpStream,
        input: &mut BytesMut,
        destination: &Destination,
    ) -> io::Result<Result<Origin, Failure>> {
        tokio::select! {
            connected = self.connect(destination) => Ok(connected),
            broken = async {
                let gone = http::gone(client, input).await;
                if gone.kind() == io::ErrorKind::UnexpectedEof {
                    std::future::pending::<()>().await;
                }
                gone
            } => Err(broken),
        }
    }

    /// Waits until it may be looked whether a client of this address is one of the users. Fails if too many wait already.
    async fn turn_to_guess(&self, peer: IpAddr) -> io::Result<()> {
        let turn = self.throttle().turn(self.shared.now(), peer);
        let turn = turn.ok_or(io::ErrorKind::ResourceBusy)?;
        // Who has not to wait is judged before the next one asks.
        if !turn.is_zero() {
            tokio::time::sleep(turn).await;
        }
        Ok(())
    }

    /// A client of this address has named a user or a password that is none.
    fn note_wrong_guess(&self, peer: IpAddr) {
        self.throttle().note_wrong(self.shared.now(), peer);
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether clients can come from other machines. What only programs of this host should reach is then not reached
    /// through it.
    fn is_remote(&self) -> bool {
        !self.listener.address.ip().is_loopback()
    }
}

/// Reads something more; false at the end.
async fn fill(from: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<bool> {
    buffer.reserve(READ_MAX);
    Ok(from.read_buf(buffer).await? > 0)
}

/// Joins a client and where it wanted to go, after what each of them has said already.
async fn tunnel(
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
            // What breaks one of them resets the other: dropped sockets reset.
            tokio::io::copy_bidirectional(&mut client, &mut direct).await?;
            dial::end_cleanly(&client);
            dial::end_cleanly(&direct);
        }
    }
    Ok(())
}

/// Says the last words to a client so that they arrive.
async fn say_goodbye(mut client: TcpStream, words: &[u8]) -> io::Result<()> {
    tokio::time::timeout(HEAD_MAX, client.write_all(words)).await??;
    client.shutdown().await?;
    let mut rest = BytesMut::new();
    let listen = async {
        let mut heard = 0;
        while heard < GOODBYE_BYTES_MAX && matches!(fill(&mut client, &mut rest).await, Ok(true)) {
            heard += rest.len();
            rest.clear();
        }
    };
    // A client that says nothing more and does not go either has had its answer.
    let _ = tokio::time::timeout(GOODBYE_MAX, listen).await;
    dial::end_cleanly(&client);
    Ok(())
}
