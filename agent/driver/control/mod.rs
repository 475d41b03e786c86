//! The control socket of a running manager, through which other programs of the same user watch and control its
//! network.
//!
//! The protocol is HTTP/1.1 with JSON and Server-Sent Events over a Unix socket, or a named pipe on Windows; it is
//! never used over TCP. `docs/CONTROL.md` describes it.

mod answer;
pub mod askpass;
mod body;
pub mod client;
mod door;
mod events;
mod metrics;
mod network;
#[cfg(windows)]
mod pipe;
mod platform;
mod prompts;
mod reply;
#[cfg(unix)]
mod socket;

use std::{convert::Infallible, future::Future, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{sync::watch, task::JoinSet};

use self::network::Network;
pub use self::{
    client::Client,
    door::{Door, Identity, OpenError, open},
};
use super::manager::{ControlSocket, Inside, NetworkName};

/// How many programs may be connected at a time.
const CONNECTIONS_MAX: usize = 256;

/// How long a program may take to send the head of a request, and how long a connection may be idle between requests.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// How long to pause after a connection could not be accepted.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

impl ControlSocket for Door {
    fn name(&self) -> &NetworkName {
        Door::name(self)
    }

    fn serve(
        self,
        inside: Inside,
        over: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + 'static {
        serve(self, inside, over)
    }
}

/// Serves the control socket until the network has ended. After that, connected programs have time to receive the rest.
async fn serve(door: Door, inside: Inside, mut over: watch::Receiver<bool>) {
    let (name, manifest, listener) = door.into_parts();
    let mut listener = match listener.listen() {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!("other commands cannot reach this network: {error}");
            return;
        }
    };
    let network = Arc::new(Network {
        inside,
        name,
        manifest,
    });
    let ending = over.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = end(&mut over) => break,
            Some(_) = connections.join_next() => {}
            stream = listener.accept(), if connections.len() < CONNECTIONS_MAX => match stream {
                Ok(stream) => {
                    connections.spawn(attend(stream, network.clone(), ending.clone()));
                }
                // The program belongs to another user, or there are not enough file descriptors.
                Err(_) => tokio::time::sleep(REFUSED_PAUSE).await,
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one connection to its end.
async fn attend(stream: platform::Stream, network: Arc<Network>, mut over: watch::Receiver<bool>) {
    let service = service_fn(|request| {
        let network = network.clone();
        async move { Ok::<_, Infallible>(answer::answer(&network, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // A protocol error of a client ends only its own connection.
        _ = connection.as_mut() => return,
        () = end(&mut over) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Completes when the network has ended.
async fn end(over: &mut watch::Receiver<bool>) {
    // A dropped sender also means that the network has ended.
    let _ = over.wait_for(|over| *over).await;
}
