//! The SOCKS protocol of a proxy.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use bytes::BytesMut;
use tokio::{io::AsyncWriteExt, time::Instant};

use super::{
    connect::{Origin, Want, tunnel},
    http,
    server::{Client, HEAD_MAX, Server, fill, say_goodbye},
};
use crate::{
    driver::system::describe,
    proxy::socks::{Handshake, Request, Step, speaks_http},
};

/// Serves one client from its first byte to its last one. A client that speaks HTTP is served like a client of an HTTP
/// proxy. Many programs know only HTTP proxies, and the host may have only this SOCKS proxy.
pub(super) async fn serve(server: &Server, mut client: Client) -> io::Result<()> {
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    let deadline = Instant::now() + HEAD_MAX;
    let first = tokio::time::timeout_at(deadline, fill(&mut client.stream, &mut input)).await;
    if matches!(first, Ok(Ok(true))) && speaks_http(&input) {
        return http::serve(server, client, input).await;
    }
    let shake = handshake(server, &mut client, &mut input, &mut output);
    let shaken = tokio::time::timeout_at(deadline, shake).await;
    if !matches!(shaken, Ok(Ok(_))) {
        server.refuse(client.stranger);
    }
    let mut client = client.stream;
    let request = match shaken? {
        Ok(request) => request,
        Err(why) => {
            tracing::debug!(address = %server.listener.address, "a client was sent away: {why}");
            return say_goodbye(client, &output).await;
        }
    };
    let connected =
        server.connect_for(&mut client, &mut input, request.destination(), Want::Tunnel);
    match connected.await? {
        Ok(origin) => {
            let bound = match &origin {
                Origin::Direct(socket) => socket.local_addr()?,
                Origin::Network(_) | Origin::Proxy(..) => {
                    SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
                }
            };
            client.write_all(&request.accepted(bound)).await?;
            tunnel(server, client, origin, &input, &[]).await
        }
        Err(failure) => {
            tracing::debug!("{}", failure.reason);
            say_goodbye(client, &request.refused(failure.cause)).await
        }
    }
}

/// Reads the request of a client. On an error, `output` has the reply for the client.
async fn handshake(
    server: &Server,
    client: &mut Client,
    input: &mut BytesMut,
    output: &mut BytesMut,
) -> Result<Request, String> {
    let broken = |error: io::Error| describe(&error);
    let peer = client.stream.peer_addr().map_err(broken)?.ip();
    let mut handshake = Handshake::new(server.asks(client.stranger.is_some()));
    let client = &mut client.stream;
    loop {
        if handshake.may_judge(input) {
            server.turn_to_guess(peer).await.map_err(broken)?;
        }
        let step = handshake.handle(input, output);
        if handshake.was_wrong() {
            server.note_wrong_guess(peer);
        }
        if let Step::Over(why) = step {
            return Err(why);
        }
        // Each reply is sent before anything else is read, because the client may wait for it before it sends more.
        client.write_all_buf(output).await.map_err(broken)?;
        if let Step::Request(request) = step {
            return Ok(request);
        }
        if !fill(client, input).await.map_err(broken)? {
            return Err("it disconnected before it had sent a request".to_owned());
        }
    }
}
