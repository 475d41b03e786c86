//! The control socket of a running manager, through which other programs of the same user watch and control its
//! network.
//!
//! The protocol is HTTP/1.1 with JSON and Server-Sent Events. It is spoken over a Unix socket, or over a named pipe on
//! Windows, but never over TCP. `docs/CONTROL.md` describes it.
//!
//! All of this runs on a thread of its own, so that slow requests do not delay the packets on the manager's thread.

mod answer;
pub mod askpass;
mod body;
pub mod client;
mod door;
mod events;
mod list;
mod metrics;
mod network;
#[cfg(windows)]
mod pipe;
mod platform;
mod prompts;
mod reply;
mod seats;
#[cfg(unix)]
mod socket;

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

pub use self::{
    client::Client,
    door::{Door, Identity, OpenError, open, open_for_trial},
};
use self::{
    network::Network,
    seats::{REQUEST_MAX, Seat, Seats},
};
use super::manager::{ControlSocket, Inside, NetworkName};

/// The interval at which the manager checks that its socket still exists.
const LOOK: Duration = Duration::from_secs(2);

/// How long to pause after a connection could not be accepted.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// How long connected programs have to receive the last events after the network has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

impl ControlSocket for Door {
    fn name(&self) -> &NetworkName {
        Door::name(self)
    }

    async fn serve(self, inside: Inside) {
        serve(self, inside).await;
    }
}

/// Serves the control socket until the network has ended. After that, connected programs have time to receive the last
/// events.
async fn serve(door: Door, inside: Inside) {
    let (name, manifest, listener) = door.into_parts();
    let mut listener = match listener.listen() {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!("other commands cannot reach this network: {error}");
            return;
        }
    };
    let mut over = inside.over();
    let network = Arc::new(Network {
        inside,
        name: name.clone(),
        manifest,
    });
    let ending = over.clone();
    let (seats, mut connections) = (Seats::default(), JoinSet::new());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = end(&mut over) => break,
            Some(_) = connections.join_next() => {}
            stream = accept(&mut listener) => match stream {
                Ok(stream) => {
                    let (seat, left) = seats.give();
                    connections.spawn(attend(stream, network.clone(), seat, left, ending.clone()));
                }
                // The program belongs to another user, or there are not enough file descriptors.
                Err(_) => tokio::time::sleep(REFUSED_PAUSE).await,
            },
            _ = look.tick() => {
                listener.take_if(|listener| !listener.is_there());
                if listener.is_none() {
                    // The socket is made again. Until that succeeds, other programs cannot reach the network.
                    listener = platform::bind(&name).ok().flatten().and_then(|bound| bound.listen().ok());
                    let found = listener.is_some();
                    tracing::debug!(target: "norouter::driver", found, "the control socket was removed");
                }
            }
        }
    }
    drop(listener);
    // Programs that are too slow to read do not receive the last events.
    let last = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(LAST_WORDS, last).await;
}

/// Accepts the next connection. Without a listener this never completes.
async fn accept(listener: &mut Option<platform::Listener>) -> std::io::Result<platform::Stream> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Serves one connection to its end, or until it has to leave its seat to another one.
async fn attend(
    stream: platform::Stream,
    network: Arc<Network>,
    seat: Arc<Seat>,
    left: oneshot::Receiver<()>,
    mut over: watch::Receiver<bool>,
) {
    let service = service_fn(|request| {
        let (network, seat) = (network.clone(), seat.clone());
        async move { Ok::<_, Infallible>(answer::answer(&network, &seat, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(REQUEST_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // A protocol error of a client ends only its own connection.
        _ = connection.as_mut() => return,
        _ = left => return,
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
