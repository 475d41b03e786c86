//! Asks another proxy for a connection to a destination.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::error::describe;
use crate::{
    destination::Destination,
    proxy::upstream::{Handshake, Step, Upstream},
    wire::{Cause, Failure},
};

/// How long a proxy may take until it has connected to a destination.
const TUNNEL_MAX: Duration = Duration::from_secs(45);

/// Asks the proxy at the other end of a stream for a destination. Afterwards, the stream leads to the destination.
pub async fn open(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Upstream,
    to: &Destination,
) -> Result<(), Failure> {
    let failed = |cause, what: &str| Failure {
        cause,
        reason: format!("The proxy {proxy} has not connected to {to}: {what}."),
    };
    let broken = |error: &std::io::Error| failed(Cause::Other, &describe(error));
    let conversation = async {
        let (mut handshake, first) = Handshake::begin(proxy, to);
        stream
            .write_all(&first)
            .await
            .map_err(|error| broken(&error))?;
        loop {
            // Bytes after the proxy's answer come from the destination, so nothing is read ahead.
            let mut bytes = vec![0; handshake.wants()];
            stream
                .read_exact(&mut bytes)
                .await
                .map_err(|error| broken(&error))?;
            match handshake.handle(&bytes)? {
                Step::Read => {}
                Step::Send(answer) => stream
                    .write_all(&answer)
                    .await
                    .map_err(|error| broken(&error))?,
                Step::Done => return Ok(()),
            }
        }
    };
    let waited = format!("nothing within {} s", TUNNEL_MAX.as_secs());
    tokio::time::timeout(TUNNEL_MAX, conversation)
        .await
        .unwrap_or_else(|_| Err(failed(Cause::TimedOut, &waited)))
}
