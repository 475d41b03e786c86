//! Connections of a proxy through a gateway: the agent of the proxy's host requests them, and the agent of the gateway
//! dials.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{dial, lookup::Asker, network_stream::NetworkStream, shared::Shared, stream};
use crate::{
    destination::{Destination, Host},
    driver::{harness::World, system::describe},
    wire::{
        Cause, Failure,
        relay::{self, Answer, Ask},
    },
};

/// How long a request may take to arrive.
const ASK_MAX: Duration = Duration::from_secs(10);

/// How long the gateway may take to answer. The gateway's dial ends before this time.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// Requests a connection to a destination from a gateway. If the gateway has connected, the returned stream carries the
/// connection.
pub(super) async fn ask(
    mut stream: NetworkStream,
    destination: &Destination,
) -> Result<NetworkStream, Failure> {
    let ask = Ask {
        host: destination
            .host
            .to_string()
            .trim_matches(['[', ']'])
            .to_owned(),
        port: destination.port,
    };
    let answer = async {
        stream.write_all(&relay::encode(&ask)).await?;
        read::<Answer>(&mut stream).await
    };
    let answer = match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(answer) => answer,
        Err(elapsed) => Err(elapsed.into()),
    };
    match answer {
        Ok(answer) => answer.outcome().map(|()| stream),
        Err(error) => Err(Failure {
            cause: Cause::Other,
            reason: format!(
                "the gateway went away before it answered ({}).",
                describe(&error)
            ),
        }),
    }
}

/// Serves a request of another host's proxy.
pub(super) async fn serve(shared: Arc<Shared>, mut stream: NetworkStream) -> io::Result<()> {
    let peer = *stream.flow().dst.ip();
    let ask = tokio::time::timeout(ASK_MAX, read::<Ask>(&mut stream)).await??;
    let connected = match ask.host.parse() {
        Ok(host) => {
            let destination = Destination {
                host,
                port: ask.port,
            };
            let connected = connect(&shared, Some(peer), &destination).await;
            connected.map(|socket| (socket, destination))
        }
        Err(error) => Err(Failure {
            cause: Cause::NotAllowed,
            reason: format!("{:?} is not a host: {error}.", ask.host),
        }),
    };
    shared.served(stream.flow());
    match connected {
        Ok((socket, destination)) => {
            // If the policy or the routes change and no longer permit this address, the state machine resets the flow.
            let address = socket.peer_addr()?.ip().to_canonical();
            let flow = stream.flow();
            (shared.lock().core).handle_relayed(flow, destination, address);
            let answer = Answer::default();
            stream.write_all(&relay::encode(&answer)).await?;
            stream::carry(shared, stream.into_flow(), socket).await;
        }
        Err(failure) => {
            let answer = Answer::from(failure);
            stream.write_all(&relay::encode(&answer)).await?;
            stream.shutdown().await?;
            // The client closes its side after it has read the answer. If the stream were dropped before that, the flow
            // would be reset.
            let _ = tokio::time::timeout(ASK_MAX, stream.read_u8()).await;
        }
    }
    Ok(())
}

/// Connects this gateway to a destination, on behalf of the host `from`. If `from` is `None`, a probe of the manager
/// has asked for it.
pub(super) async fn connect(
    shared: &Arc<Shared>,
    from: Option<Ipv4Addr>,
    destination: &Destination,
) -> Result<tokio::net::TcpStream, Failure> {
    let refuse = |address, by| {
        shared.tell(|core, now| from.map(|from| core.refuse(now, from, destination, address, by)))
    };
    let denies = |address| {
        let state = shared.lock();
        from.and_then(|from| state.core.rights().denies(from, destination, address))
    };
    if let Some(failure) = denies(None).and_then(|by| refuse(None, by)) {
        return Err(failure);
    }
    let refused = Mutex::new(None);
    let may = |address| {
        if let Some(by) = denies(Some(address)) {
            *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, by));
            return Err(Failure {
                cause: Cause::NotAllowed,
                reason: "The policy does not allow it.".to_owned(),
            });
        }
        let is_own = dial::is_own(address);
        let state = shared.lock();
        let rights = state.core.rights();
        rights.may_connect_for_others(destination, address)?;
        rights.may_be_own(destination, address, is_own)
    };
    let asker = Asker::Host(from.unwrap_or(Ipv4Addr::UNSPECIFIED));
    let permitted = shared.lock().core.rights().may_relay_to(destination);
    let dialled = match permitted {
        Ok(()) => dial::dial(shared, destination, asker, may).await,
        Err(failure) => Err(failure),
    };
    let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (dialled, refused) {
        (Err(failure), Some((address, by))) if failure.cause == Cause::NotAllowed => {
            Err(refuse(Some(address), by).unwrap_or(failure))
        }
        (dialled, _) => shared.note_failure(destination, dialled),
    }
}

/// Connects to the destination of another host's flow that is routed through this host. The state machine has already
/// allowed the flow.
pub(super) async fn connect_to_address(
    shared: &Arc<Shared>,
    host: String,
    port: u16,
) -> Result<tokio::net::TcpStream, Failure> {
    let host = host.parse().unwrap_or(Host::Name(host));
    let destination = Destination { host, port };
    let may = |address| {
        let is_own = dial::is_own(address);
        let state = shared.lock();
        let rights = state.core.rights();
        rights.may_connect(&destination, address)?;
        rights.may_be_own(&destination, address, is_own)
    };
    let dialled = dial::dial(shared, &destination, Asker::Ports, may).await;
    shared.note_failure(&destination, dialled)
}

async fn read<T: DeserializeOwned>(stream: &mut NetworkStream) -> io::Result<T> {
    let mut length = [0; relay::LENGTH_LEN];
    stream.read_exact(&mut length).await?;
    let length = relay::length(length).ok_or(io::ErrorKind::InvalidData)?;
    let mut json = vec![0; length];
    stream.read_exact(&mut json).await?;
    Ok(relay::decode(&json)?)
}
