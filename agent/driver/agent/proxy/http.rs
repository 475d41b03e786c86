//! Serves the clients of the HTTP proxy.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    connect::{Origin, Want, tunnel},
    idle::Idle,
    kept::Kept,
    server::{Client, HEAD_MAX, LARGE_HEADS_MAX, Server, fill, say_goodbye},
};
use crate::{
    destination::Destination,
    driver::{agent::dial, harness::World, system::describe},
    proxy::{
        http::{
            Arrival, BadBody, Body, CONNECTED, HEAD_MAX as HEAD_BYTES_MAX, Reply, Request,
            RequestTarget, Response, Version,
        },
        page,
    },
    wire::Failure,
};

/// How long a client may be idle between two requests.
const IDLE_MAX: Duration = Duration::from_secs(75);

/// A client that has finished sending may still wait for a slow answer. Its connection is closed if nothing is sent to
/// it for this time.
const HALF_CLOSED_MAX: Duration = Duration::from_mins(15);

/// How many interim (1xx) responses an origin may send before the final one.
const INTERIM_MAX: usize = 16;

/// Serves one client from its first request to its last one. `input` may have the beginning of the first request.
pub(super) async fn serve(server: &Server, client: Client, input: BytesMut) -> io::Result<()> {
    let stranger = client.stranger;
    let mut known = stranger.is_none();
    let outcome = converse(server, client.stream, input, &mut known).await;
    // Clients send credentials only when they are asked for them, so a first request without credentials means nothing.
    // Whether a client has no credentials is certain only at the end of its connection.
    if !known {
        server.refuse(stranger);
    }
    outcome
}

/// Handles the requests of one client. `known` becomes true with the first request that has the right credentials.
async fn converse(
    server: &Server,
    mut client: TcpStream,
    mut input: BytesMut,
    known: &mut bool,
) -> io::Result<()> {
    let is_stranger = !*known;
    let asks = server.asks(is_stranger);
    // A client that has not sent a request yet need not give its place to another client.
    let mut idle = None;
    // The last correct credentials that the client has sent on this connection.
    let mut named_well: Option<Vec<u8>> = None;
    // The connection to the origin of the last request. Only requests of this client use it, because some origins
    // authenticate the connection instead of each request (NTLM, Negotiate).
    let mut kept: Option<Kept> = None;
    loop {
        let request = match read_request(&mut client, &mut input, idle).await? {
            Head::Request(request) => request,
            Head::End => return say_goodbye(client, &[]).await,
            Head::Wanted => {
                dial::end_cleanly(&client);
                return Ok(());
            }
            Head::Wrong(reply) => return say_goodbye(client, &reply.bytes(None)).await,
        };
        idle = Some(&server.idle);
        if asks.is_some()
            && let Some(named) = request.authorization()
            && named_well.as_deref() != Some(named)
        {
            let peer = client.peer_addr()?.ip();
            server.turn_to_guess(peer).await?;
            if request.is_allowed(asks) {
                named_well = Some(named.to_vec());
            } else {
                server.note_wrong_guess(peer);
            }
        }
        let is_allowed = request.is_allowed(asks);
        *known |= is_allowed;
        // The proxy's own pages are open to every program of this host that may connect to the proxy.
        let is_own = matches!(request.target, RequestTarget::Own { .. }) && !is_stranger;
        let reply = if !is_allowed && !is_own {
            server.who_are_you()
        } else {
            match &request.target {
                RequestTarget::Own { .. } => server.own_page(&request, &client)?,
                RequestTarget::Connect(destination) => match server
                    .connect_for(&mut client, &mut input, destination, Want::Tunnel)
                    .await?
                {
                    Ok(origin) => {
                        drop(kept);
                        client.write_all(CONNECTED).await?;
                        return tunnel(server, client, origin, &input, &[]).await;
                    }
                    Err(failure) => Reply::from(&failure),
                },
                RequestTarget::Absolute { destination, .. } => {
                    match forward(server, client, &mut input, &request, destination, &mut kept)
                        .await?
                    {
                        Forwarded::Next(same) => {
                            client = same;
                            continue;
                        }
                        Forwarded::Failed(same, failure) => {
                            client = same;
                            Reply::from(&failure)
                        }
                        Forwarded::Over => return Ok(()),
                    }
                }
            }
        };
        let bytes = reply.bytes(Some(&request));
        if !reply.keeps_client(Some(&request)) {
            return say_goodbye(client, &bytes).await;
        }
        tokio::time::timeout(HEAD_MAX, client.write_all(&bytes)).await??;
    }
}

/// How forwarding a request has ended, and whether the client can go on.
enum Forwarded {
    /// The client may send another request.
    Next(TcpStream),
    /// The origin cannot be reached.
    Failed(TcpStream, Failure),
    /// The client's connection has ended.
    Over,
}

/// Forwards a request to its origin, on the kept connection if that is possible.
async fn forward(
    server: &Server,
    mut client: TcpStream,
    input: &mut BytesMut,
    request: &Request,
    destination: &Destination,
    kept: &mut Option<Kept>,
) -> io::Result<Forwarded> {
    let mut old = match kept.take() {
        Some(old) => old.for_destination(destination).await,
        None => None,
    };
    loop {
        let is_kept = old.is_some();
        let origin = match old.take() {
            Some(origin) => origin,
            None => match server
                .connect_for(&mut client, input, destination, Want::Requests)
                .await?
            {
                Ok(origin) => origin,
                Err(failure) => return Ok(Forwarded::Failed(client, failure)),
            },
        };
        match exchange(server, client, input, request, origin, is_kept).await? {
            Exchanged::Unanswered(same) => client = same,
            Exchanged::Next(same, origin) => {
                *kept = origin.map(|origin| Kept::new(origin, destination));
                return Ok(Forwarded::Next(same));
            }
            Exchanged::Over => return Ok(Forwarded::Over),
        }
    }
}

/// The start of a client's next request.
enum Head {
    Request(Box<Request>),
    /// The client has finished, or was silent for too long.
    End,
    /// The client has to give its place to another client.
    Wanted,
    /// The request is not valid, and this is the reply.
    Wrong(Reply),
}

/// Reads the next request of a client. If `idle` is given, the client counts as idle until the request begins, and may
/// have to give its place to another client.
async fn read_request(
    client: &mut TcpStream,
    input: &mut BytesMut,
    idle: Option<&Idle>,
) -> io::Result<Head> {
    if input.is_empty() {
        let silence = if idle.is_some() { IDLE_MAX } else { HEAD_MAX };
        let wanted = async {
            match idle {
                Some(idle) => idle.until_wanted().await,
                None => std::future::pending().await,
            }
        };
        let filled = tokio::select! {
            biased;
            // The client was told to give up its place, because another client is waiting for it.
            () = wanted => return Ok(Head::Wanted),
            filled = tokio::time::timeout(silence, fill(client, input)) => filled,
        };
        match filled {
            Ok(filled) => {
                if !filled? {
                    return Ok(Head::End);
                }
            }
            Err(_) => return Ok(Head::End),
        }
    }
    let head = async {
        loop {
            match Request::parse(input) {
                Ok(Some((request, length))) => {
                    let _ = input.split_to(length);
                    return Ok(Head::Request(Box::new(request)));
                }
                Err(reply) => return Ok(Head::Wrong(reply)),
                Ok(None) if fill(client, input).await? => {}
                Ok(None) => {
                    let text = "The request ends in the middle of its head.";
                    return Ok(Head::Wrong(Reply::new(400, text)));
                }
            }
        }
    };
    tokio::time::timeout(HEAD_MAX, head)
        .await
        .unwrap_or_else(|_| {
            let seconds = HEAD_MAX.as_secs();
            let text = format!("The request did not arrive within {seconds} s.");
            Ok(Head::Wrong(Reply::new(408, text)))
        })
}

/// How an exchange of a request and its response has ended.
enum Exchanged {
    /// The client may send another request. The connection to the origin is included if it can be used again.
    Next(TcpStream, Option<Origin>),
    /// The origin has closed a kept connection without an answer, which it may do at any time. The request is to be
    /// sent again on a new connection.
    Unanswered(TcpStream),
    /// The client's connection has ended.
    Over,
}

/// Forwards one request to its origin, and the response to the client.
///
/// A failure after the first byte of the response is an error: the client must see a broken connection, and not a
/// complete response.
async fn exchange(
    server: &Server,
    mut client: TcpStream,
    input: &mut BytesMut,
    request: &Request,
    mut origin: Origin,
    is_kept: bool,
) -> io::Result<Exchanged> {
    let RequestTarget::Absolute { destination, .. } = &request.target else {
        return Ok(Exchanged::Over);
    };
    let keeps_origin = request.keep_alive && request.version == Version::Http11;
    let Some(head) = origin.head(request, keeps_origin) else {
        return Ok(Exchanged::Over);
    };
    let mut output = BytesMut::new();
    let (asked, delivered) = (AtomicBool::new(false), AtomicU64::new(0));
    let answer = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_origin, mut to_origin) = tokio::io::split(&mut origin);
        let ask = async {
            if let Err(error) = to_origin.write_all(&head).await {
                return Broken::To(error);
            }
            let (mut body, passed) = (Body::of_client(request.framing), AtomicU64::new(0));
            let sent = pass(&mut body, &mut from_client, input, &mut to_origin, &passed);
            if let Err(broken) = sent.await {
                return broken;
            }
            asked.store(true, Relaxed);
            let gone = gone(&mut from_client, input).await;
            if gone.kind() == io::ErrorKind::UnexpectedEof {
                // The client has finished sending. Only a write can show whether it still reads, so the connection is
                // kept for as long as bytes are sent to the client from time to time.
                let mut before = None;
                while before != Some(delivered.load(Relaxed)) {
                    before = Some(delivered.load(Relaxed));
                    tokio::time::sleep(HALF_CLOSED_MAX).await;
                }
            }
            Broken::From(gone)
        };
        let answer = hear(
            server,
            request,
            &mut from_origin,
            &mut output,
            &mut to_client,
            &delivered,
        );
        tokio::pin!(ask, answer);
        let mut asking = true;
        loop {
            tokio::select! {
                broken = &mut ask, if asking => {
                    asking = false;
                    match broken {
                        Broken::From(error) => return Err(error),
                        Broken::Framing(bad) if delivered.load(Relaxed) > 0 => {
                            return Err(io::Error::new(io::ErrorKind::InvalidData, bad));
                        }
                        Broken::Framing(bad) => {
                            let text = format!("The body of the request cannot be understood: {bad}.");
                            break Answer::Bad(Reply::new(400, text));
                        }
                        // The origin has stopped reading, but may have sent its response before.
                        Broken::To(_) => {}
                    }
                }
                said = &mut answer => break said?,
            }
        }
    };
    let reply = match answer {
        Answer::Whole {
            keeps_client: true,
            keeps_origin: has_promised,
        } if asked.load(Relaxed) => {
            // Nobody has asked for bytes after the response. The connection to an origin that sends such bytes is not
            // used again.
            let stays = keeps_origin && has_promised && output.is_empty();
            return Ok(Exchanged::Next(client, stays.then_some(origin)));
        }
        Answer::Whole { .. } => {
            say_goodbye(client, &[]).await?;
            return Ok(Exchanged::Over);
        }
        Answer::Switch(head) if asked.load(Relaxed) => {
            client.write_all(&head).await?;
            let rest = input.split();
            tunnel(server, client, origin, &rest, &output).await?;
            return Ok(Exchanged::Over);
        }
        Answer::Switch(_) => {
            let text =
                format!("{destination} changed the protocol before it had the whole request.");
            Reply::new(502, text)
        }
        Answer::Missing(_) if is_kept && output.is_empty() => {
            return unanswered(client, request).await;
        }
        Answer::Missing(why) => Reply::new(502, format!("{destination} gave no answer: {why}.")),
        Answer::Bad(reply) => reply,
    };
    say_goodbye(client, &reply.bytes(Some(request))).await?;
    Ok(Exchanged::Over)
}

/// Decides what to do after a kept connection to an origin has ended without an answer.
async fn unanswered(client: TcpStream, request: &Request) -> io::Result<Exchanged> {
    if request.is_repeatable() {
        return Ok(Exchanged::Unanswered(client));
    }
    // The origin may have closed the connection before it saw the request, or after it has acted on the request. Only
    // the client can decide whether to send the request again. So the proxy closes its connection without an answer,
    // which tells the client that the outcome is unknown.
    say_goodbye(client, &[]).await?;
    Ok(Exchanged::Over)
}

/// The response of an origin.
enum Answer {
    /// The whole response was forwarded.
    Whole {
        keeps_client: bool,
        keeps_origin: bool,
    },
    /// The connection changes to another protocol after this head.
    Switch(Bytes),
    /// The connection ended before a response.
    Missing(String),
    /// The response is not valid, and this is the reply instead.
    Bad(Reply),
}

/// The reason why a body was not passed on.
enum Broken {
    /// The connection on which the body arrives is broken.
    From(io::Error),
    /// The connection to which the body is written is broken.
    To(io::Error),
    /// The length of the body cannot be determined.
    Framing(BadBody),
}

/// Waits until the connection of a client breaks, or until the client has finished sending
/// ([`io::ErrorKind::UnexpectedEof`]). Bytes that arrive before that are kept in `input`.
pub(super) async fn gone(client: &mut (impl AsyncRead + Unpin), input: &mut BytesMut) -> io::Error {
    loop {
        if input.len() >= HEAD_BYTES_MAX {
            // The client sends much before the current response is complete. Nothing more is read from it, so it has to
            // wait.
            return std::future::pending().await;
        }
        match fill(client, input).await {
            Ok(true) => {}
            Ok(false) => return io::ErrorKind::UnexpectedEof.into(),
            Err(error) => return error,
        }
    }
}

/// Forwards the response, head and body.
async fn hear(
    server: &Server,
    request: &Request,
    origin: &mut (impl AsyncRead + Unpin),
    output: &mut BytesMut,
    client: &mut (impl AsyncWrite + Unpin),
    delivered: &AtomicU64,
) -> io::Result<Answer> {
    let RequestTarget::Absolute { destination, .. } = &request.target else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut interim = 0;
    let mut arrival = Arrival::default();
    let mut permit = None;
    let response = loop {
        let parsed = if arrival.is_worth_parsing(output) {
            Response::parse(output, request)
        } else {
            Ok(None)
        };
        match parsed {
            Ok(Some((response, length))) => {
                let _ = output.split_to(length);
                arrival = Arrival::default();
                if !response.is_interim() {
                    break response;
                }
                interim += 1;
                if interim > INTERIM_MAX {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                delivered.fetch_add(1, Relaxed);
                client.write_all(&response.for_client(false)).await?;
            }
            Ok(None) if output.len() > HEAD_BYTES_MAX && permit.is_none() => {
                permit = server.large_heads.try_acquire().ok();
                if permit.is_none() && interim > 0 {
                    return Err(io::ErrorKind::ResourceBusy.into());
                }
                if permit.is_none() {
                    let text = format!(
                        "{destination} answers with more than {} KiB of header fields, and the proxy reads {LARGE_HEADS_MAX} other answers like that. Try again later.",
                        HEAD_BYTES_MAX >> 10
                    );
                    return Ok(Answer::Bad(Reply::new(503, text)));
                }
            }
            Ok(None) => match fill(origin, output).await {
                Ok(true) => {}
                // The client has already been sent an interim response. A reply of the proxy could not follow it, so
                // the connection is broken instead.
                Ok(false) | Err(_) if interim > 0 => {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Ok(false) => return Ok(Answer::Missing("it closed the connection".to_owned())),
                Err(error) => return Ok(Answer::Missing(describe(&error))),
            },
            Err(_) if interim > 0 => return Err(io::ErrorKind::InvalidData.into()),
            Err(bad) => return Ok(Answer::Bad(bad.reply(&destination.to_string()))),
        }
    };
    delivered.fetch_add(1, Relaxed);
    if response.is_switch() {
        return Ok(Answer::Switch(response.for_client(false)));
    }
    client.write_all(&response.for_client(false)).await?;
    drop(permit);
    let mut body = response.body();
    match pass(&mut body, origin, output, client, delivered).await {
        Ok(()) => Ok(Answer::Whole {
            keeps_client: response.keeps_client(),
            keeps_origin: response.keep_alive && !body.was_repaired(),
        }),
        Err(Broken::From(error) | Broken::To(error)) => Err(error),
        Err(Broken::Framing(bad)) => Err(io::Error::new(io::ErrorKind::InvalidData, bad)),
    }
}

/// Forwards a body.
async fn pass(
    body: &mut Body,
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    to: &mut (impl AsyncWrite + Unpin),
    passed: &AtomicU64,
) -> Result<(), Broken> {
    loop {
        loop {
            let bytes = body.take(buffer).map_err(Broken::Framing)?;
            if bytes.is_empty() {
                break;
            }
            to.write_all(&bytes).await.map_err(Broken::To)?;
            passed.fetch_add(bytes.len() as u64, Relaxed);
        }
        if body.is_complete() {
            return Ok(());
        }
        if !fill(from, buffer).await.map_err(Broken::From)? {
            return if body.is_complete_at_end() {
                Ok(())
            } else {
                Err(Broken::From(io::ErrorKind::UnexpectedEof.into()))
            };
        }
    }
}

impl Server {
    /// One of the proxy's own pages. Clients on other machines need credentials for these pages.
    fn own_page(&self, request: &Request, client: &TcpStream) -> io::Result<Reply> {
        let (mut here, peer) = (client.local_addr()?, client.peer_addr()?);
        here.set_ip(here.ip().to_canonical());
        if !peer.ip().to_canonical().is_loopback() && !request.is_allowed(self.credentials.as_ref())
        {
            return Ok(Reply::password_needed());
        }
        let by_name = format!("localhost:{}", here.port());
        let mut allowed = vec![Destination::from(here)];
        allowed.extend(Destination::parse(&by_name, None));
        let state = self.shared.lock();
        Ok(match page::choose(request, &allowed, &self.token) {
            Err(reply) => reply,
            Ok(page::Own::Front) => page::front(),
            Ok(page::Own::Pac) => page::pac(state.core.rights().pac(here).unwrap_or_default()),
            Ok(page::Own::Status) => page::status(&state.core.page().unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests;
