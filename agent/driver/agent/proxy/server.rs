//! The part of a proxy that both protocols share.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use super::idle::Idle;
use crate::{
    driver::{
        agent::{
            dial,
            gate::{self, Stranger},
            shared::Shared,
        },
        harness::World,
    },
    edge::Listener,
    proxy::{Credentials, Throttle, http::Reply, variables::USER},
};

/// Number of clients that a proxy serves at a time.
pub(super) const CLIENTS_MAX: usize = 1_024;

/// How many unusually long heads of origins' responses a proxy reads at a time. This limits the memory for them.
pub(super) const LARGE_HEADS_MAX: usize = 64;

/// How many clients that may belong to other users are served at a time. Such clients need credentials.
const STRANGERS_MAX: usize = 64;

/// How long a client may take to send a request, or to receive a reply of the proxy. The time between two requests does
/// not count.
pub(super) const HEAD_MAX: Duration = Duration::from_secs(10);

/// How much is read at a time, in bytes.
const READ_MAX: usize = 64 << 10;

/// After its last reply, a proxy goes on reading from the client. It stops when the client has been silent for
/// [`GOODBYE_SILENCE_MAX`], but after [`GOODBYE_MAX`] at the latest. If the socket were closed while it has unread
/// bytes, the connection would be reset, and the reply might be lost.
const GOODBYE_MAX: Duration = Duration::from_secs(30);
const GOODBYE_SILENCE_MAX: Duration = Duration::from_secs(2);

/// A proxy that is listening.
pub(in crate::driver::agent) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Listener,
    /// The credentials that every client has to send. `None` if clients of this user do not need any.
    pub(super) credentials: Option<Credentials>,
    /// The credentials with the token as the password. If `credentials` is `None`, a client that may belong to another
    /// user has to send the credentials in `pass`.
    pass: Credentials,
    /// The secret part of the status page's address.
    pub(super) token: String,
    pub(super) places: Arc<Semaphore>,
    /// The idle clients, which give their places to new ones.
    pub(super) idle: Idle,
    /// The semaphore for reading heads of origins' responses that are longer than a client's head may be.
    pub(super) large_heads: Semaphore,
    throttle: Mutex<Throttle>,
    /// The places for clients that may belong to other users. They are separate from `places`, so that such clients do
    /// not take the places of this user's programs.
    pub(super) strangers: Arc<Semaphore>,
}

/// A client that was accepted.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    /// The other user to whom the client belongs, and who therefore needs credentials. `None` if the client is a
    /// program of this user.
    pub(super) stranger: Option<Stranger>,
}

impl Server {
    pub(in crate::driver::agent) fn new(
        shared: Arc<Shared>,
        listener: Listener,
        credentials: Option<Credentials>,
    ) -> Result<Self, String> {
        let pass = Credentials::of(USER, shared.pass()).map_err(|error| error.to_string())?;
        Ok(Self {
            token: shared.token().to_owned(),
            shared,
            listener,
            // A program that sends the token does not need a user and password from the file.
            credentials: credentials.map(|users| users.and(&pass)),
            pass,
            places: Arc::new(Semaphore::new(CLIENTS_MAX)),
            idle: Idle::default(),
            large_heads: Semaphore::new(LARGE_HEADS_MAX),
            throttle: Mutex::default(),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
        })
    }

    /// The credentials that a client has to send. `None` if the client does not need any.
    pub(super) fn asks(&self, is_stranger: bool) -> Option<&Credentials> {
        (self.credentials.as_ref()).or_else(|| is_stranger.then_some(&self.pass))
    }

    /// The reply to a client that has not sent the right credentials.
    pub(super) fn who_are_you(&self) -> Reply {
        match self.credentials {
            Some(_) => Reply::password_needed(),
            None => Reply::token_needed(),
        }
    }

    /// Reports a client that has not sent the right credentials.
    pub(super) fn refuse(&self, stranger: Option<Stranger>) {
        if let Some(who) = stranger {
            gate::tell(&self.shared, self.listener, who);
        }
    }

    /// Waits until the credentials of a client with this address may be checked. Fails if too many clients are waiting.
    pub(super) async fn turn_to_guess(&self, peer: IpAddr) -> io::Result<()> {
        let turn = self.throttle().turn(self.shared.now(), peer);
        let turn = turn.ok_or(io::ErrorKind::ResourceBusy)?;
        // A client that need not wait is checked without yielding. If the task yielded here, another client could be
        // checked first.
        if !turn.is_zero() {
            tokio::time::sleep(turn).await;
        }
        Ok(())
    }

    /// Notes that a client with this address has sent a wrong user or password.
    pub(super) fn note_wrong_guess(&self, peer: IpAddr) {
        self.throttle().note_wrong(self.shared.now(), peer);
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether clients of this proxy can be on other machines. If so, the proxy does not connect to destinations that
    /// are only for programs of this host.
    pub(super) fn is_remote(&self) -> bool {
        !self.listener.address.ip().is_loopback()
    }
}

/// Reads more bytes into the buffer. Returns false at the end of the stream.
pub(super) async fn fill(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<bool> {
    buffer.reserve(READ_MAX);
    Ok(from.read_buf(buffer).await? > 0)
}

/// Sends the last bytes to a client. Then it goes on reading for a while, so that these bytes arrive.
pub(super) async fn say_goodbye(mut client: TcpStream, words: &[u8]) -> io::Result<()> {
    tokio::time::timeout(HEAD_MAX, client.write_all(words)).await??;
    client.shutdown().await?;
    let mut rest = BytesMut::new();
    let listen = async {
        // A client that is silent without closing the connection is assumed to have received the reply.
        while let Ok(Ok(true)) =
            tokio::time::timeout(GOODBYE_SILENCE_MAX, fill(&mut client, &mut rest)).await
        {
            rest.clear();
        }
    };
    let _ = tokio::time::timeout(GOODBYE_MAX, listen).await;
    dial::end_cleanly(&client);
    Ok(())
}
