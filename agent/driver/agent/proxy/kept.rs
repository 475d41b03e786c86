//! A connection to an origin that is kept for the next request of the same client.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use tokio::{
    io::{AsyncRead as _, ReadBuf},
    time::Instant,
};

use super::connect::Origin;
use crate::destination::Destination;

/// How long after an answer the connection may be used for the next request. Origins close idle connections after some
/// seconds, and a request that arrives at a closed connection would be lost.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// A connection on which an origin has answered completely, and has promised to answer another request.
pub(super) struct Kept {
    origin: Origin,
    destination: Destination,
    since: Instant,
}

impl Kept {
    /// Keeps a connection from now on.
    pub(super) fn new(origin: Origin, destination: &Destination) -> Self {
        Self {
            origin,
            destination: destination.clone(),
            since: Instant::now(),
        }
    }

    /// The connection, if a request for this destination may use it. `None` if the origin has closed the connection, or
    /// has sent bytes after its answer. The client would take such bytes for the beginning of the next answer.
    pub(super) async fn for_destination(mut self, destination: &Destination) -> Option<Origin> {
        let is_fit = self.destination == *destination && self.since.elapsed() < IDLE_MAX;
        if !is_fit || !is_quiet(&mut self.origin).await {
            return None;
        }
        Some(self.origin)
    }
}

/// Whether the origin has sent nothing since its answer, and has not closed the connection.
async fn is_quiet(origin: &mut Origin) -> bool {
    let mut byte = [0];
    poll_fn(|context| {
        let mut buffer = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut *origin).poll_read(context, &mut buffer);
        Poll::Ready(read.is_pending())
    })
    .await
}
