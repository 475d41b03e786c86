//! The control sockets of this user on Windows: named pipes. By default, Windows lets other users read from a pipe.
//! That does no harm, because only a program that can write can send a request. Programs on other machines are refused.

use std::{io, time::Duration};

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

use crate::driver::{manager::NetworkName, system::describe};

/// The path prefix of all pipes on Windows.
const PIPES: &str = r"\\.\pipe\";

/// `ERROR_PIPE_BUSY`: the server has not yet made the pipe for the next client.
const BUSY: i32 = 231;

/// `ERROR_ACCESS_DENIED`: the pipe exists already.
const DENIED: i32 = 5;

/// One connection, at the manager's or the client's end.
pub(super) enum Stream {
    Server(NamedPipeServer),
    Client(NamedPipeClient),
}

/// A pipe that does not accept clients yet.
pub(super) struct Bound {
    path: String,
    server: NamedPipeServer,
}

/// A pipe that accepts clients.
pub(super) type Listener = Bound;

/// Creates the pipe of the network with this name. `None` if another running manager has the name. The error is worded
/// for people. This function must be called within a runtime.
pub(super) fn bind(name: &NetworkName) -> Result<Option<Bound>, String> {
    let path = path(name);
    match options(true).create(&path) {
        Ok(server) => Ok(Some(Bound { path, server })),
        Err(error) if error.raw_os_error() == Some(DENIED) => Ok(None),
        Err(error) => Err(format!(
            "the pipe {path} cannot be made: {}",
            describe(&error)
        )),
    }
}

impl Bound {
    /// Begins to accept clients. On Windows nothing has to be done for that.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "unix has something to do, and may fail"
    )]
    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(self)
    }

    /// Whether other programs can still find the pipe. Always true, because nobody can remove it.
    #[expect(clippy::unused_self, reason = "a socket of unix can be removed")]
    pub(super) const fn is_there(&self) -> bool {
        true
    }

    /// Accepts the next client.
    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        self.server.connect().await?;
        let next = options(false).create(&self.path)?;
        Ok(Stream::Server(std::mem::replace(&mut self.server, next)))
    }
}

/// Connects to the manager of the network with this name.
pub(super) async fn connect(name: &NetworkName) -> io::Result<Stream> {
    for _ in 0..20 {
        match ClientOptions::new().open(path(name)) {
            Err(error) if error.raw_os_error() == Some(BUSY) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => return outcome.map(Stream::Client),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The names of this user's pipes.
pub(super) fn names() -> Vec<NetworkName> {
    let prefix = prefix();
    let entries = std::fs::read_dir(PIPES).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let file = entry.file_name();
            file.to_str()?.strip_prefix(&prefix)?.parse().ok()
        })
        .collect()
}

fn options(first: bool) -> ServerOptions {
    let mut options = ServerOptions::new();
    options
        .first_pipe_instance(first)
        .reject_remote_clients(true);
    options
}

fn path(name: &NetworkName) -> String {
    format!("{PIPES}{}{name}", prefix())
}

fn prefix() -> String {
    let user = std::env::var("USERNAME").unwrap_or_default();
    format!("norouter-{}-", NetworkName::near(&user))
}

mod streams {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Stream;

    impl AsyncRead for Stream {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Self::Server(pipe) => Pin::new(pipe).poll_read(cx, buffer),
                Self::Client(pipe) => Pin::new(pipe).poll_read(cx, buffer),
            }
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            match self.get_mut() {
                Self::Server(pipe) => Pin::new(pipe).poll_write(cx, bytes),
                Self::Client(pipe) => Pin::new(pipe).poll_write(cx, bytes),
            }
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Self::Server(pipe) => Pin::new(pipe).poll_flush(cx),
                Self::Client(pipe) => Pin::new(pipe).poll_flush(cx),
            }
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.get_mut() {
                Self::Server(pipe) => Pin::new(pipe).poll_shutdown(cx),
                Self::Client(pipe) => Pin::new(pipe).poll_shutdown(cx),
            }
        }
    }
}
