//! Parses the head of an origin's response, and rewrites it for the client. Small faults are repaired if only one
//! meaning is possible.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    body::{Body, Framing},
    head::{self, Headers, Lines, Sender},
    reply::Reply,
    request::Request,
    version::Version,
    wrong::Wrong,
};

/// The head of a response to a certain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status: 100 to 999.
    pub status: u16,
    /// The version that the origin speaks.
    pub version: Version,
    /// All header fields.
    pub headers: Headers,
    /// The way in which the end of the body is found. If the origin's connection ends before that, the body is
    /// incomplete. In that case, the client must notice it.
    pub framing: Framing,
    /// Whether the origin accepts another request on this connection.
    pub keep_alive: bool,
    /// The length that the fields give. It is set even if the response has no body.
    announced: Option<Framing>,
    reason: Vec<u8>,
    to: RequestParts,
}

/// The parts of the request that determine how the response is parsed and rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RequestParts {
    version: Version,
    head: bool,
    upgrade: bool,
    keep_alive: bool,
}

/// The reason why an origin's answer cannot be used, as a sentence without the origin's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadGateway(String);

impl BadGateway {
    /// The reply to the client, with the origin's name.
    pub fn reply(&self, origin: &str) -> Reply {
        Reply::new(
            502,
            format!(
                "{origin} answered with something that is not HTTP. {}",
                self.0
            ),
        )
    }
}

impl Response {
    /// Parses a head. The second value of the result is the head's length; the body follows the head. `None` if more
    /// bytes are needed. After an interim response ([`Response::is_interim`]), another response follows.
    pub fn parse(bytes: &[u8], to: &Request) -> Result<Option<(Self, usize)>, BadGateway> {
        let parts = RequestParts {
            version: to.version,
            head: to.is_head(),
            upgrade: to.upgrade.is_some(),
            keep_alive: to.keep_alive,
        };
        read(bytes, parts).map_err(|Wrong { text, .. }| BadGateway(text))
    }

    /// Whether another response to the same request follows (RFC 9110 section 15.2).
    pub fn is_interim(&self) -> bool {
        self.status < 200 && !self.is_switch()
    }

    /// Whether the connection switches to another protocol: all further bytes are forwarded without parsing.
    pub fn is_switch(&self) -> bool {
        self.status == 101
    }

    /// Whether the client may send another request on its connection after the whole body.
    pub fn keeps_client(&self) -> bool {
        self.to.keep_alive && self.framing_for_client() != Framing::UntilClose
    }

    /// The body that follows, as the client gets it.
    pub fn body(&self) -> Body {
        let body = Body::of_origin(self.framing);
        if self.framing_for_client() == self.framing {
            body
        } else {
            body.unpacked()
        }
    }

    /// The way in which the client finds the end of the body. A client that speaks HTTP/1.0 does not know chunks. Such
    /// a client gets only the content of the chunks, and then its connection is closed.
    pub fn framing_for_client(&self) -> Framing {
        match (self.framing, self.to.version) {
            (Framing::Chunked, Version::Http10) => Framing::UntilClose,
            (framing, _) => framing,
        }
    }

    /// The head for the client. The fields that concern the connection to the origin are left out. The head announces
    /// the length of the body as in `framing_for_client`. With `close`, it also says that the connection to the client
    /// ends after this response, even if the client has asked to keep the connection.
    ///
    /// The result is empty if the response is interim and the client speaks HTTP/1.0, because such a client does not
    /// know interim responses.
    pub fn for_client(&self, close: bool) -> Bytes {
        let mut out = BytesMut::new();
        if self.to.version == Version::Http10 && self.is_interim() {
            return Bytes::new();
        }
        out.put_slice(format!("{} {} ", self.to.version, self.status).as_bytes());
        out.put_slice(&self.reason);
        out.put_slice(b"\r\n");
        self.headers.forward(&mut out, &["content-length"]);
        match self.framing_for_client() {
            Framing::Length(length) => {
                head::field(&mut out, "Content-Length", length.to_string().as_bytes());
            }
            Framing::Chunked => head::field(&mut out, "Transfer-Encoding", b"chunked"),
            // An answer to `HEAD` and an answer with status 304 have no body, but may state its length (RFC 9110
            // section 8.6).
            Framing::None if self.to.head || self.status == 304 => {
                if let Some(Framing::Length(length)) = self.announced {
                    head::field(&mut out, "Content-Length", length.to_string().as_bytes());
                }
            }
            Framing::None | Framing::UntilClose => {}
        }
        if self.is_switch() {
            for protocols in self.headers.all("upgrade") {
                head::field(&mut out, "Upgrade", protocols);
            }
            head::field(&mut out, "Connection", b"Upgrade");
        } else if !self.is_interim() {
            if close || !self.keeps_client() {
                head::field(&mut out, "Connection", b"close");
            } else if self.to.version == Version::Http10 {
                head::field(&mut out, "Connection", b"keep-alive");
            }
        }
        out.put_slice(b"\r\n");
        out.freeze()
    }
}

fn read(bytes: &[u8], to: RequestParts) -> Result<Option<(Response, usize)>, Wrong> {
    // Bytes that do not begin like HTTP are refused at once, because the end of the head might never come.
    if !bytes.iter().zip(b"HTTP/").all(|(is, wanted)| is == wanted) {
        return Err(Wrong::new(502, "Its first bytes are not a status line."));
    }
    let Some(Lines {
        first,
        headers,
        length,
    }) = head::split(bytes, Sender::Origin)?
    else {
        return Ok(None);
    };
    let (version, status, reason) = status_line(first)?;
    if status == 101 && !to.upgrade {
        return Err(Wrong::new(
            502,
            "It changes to another protocol, which nobody asked for.",
        ));
    }
    // The fields must be valid even if the status means that there is no body.
    let announced = headers.framing(version, Sender::Origin)?;
    let framing = match status {
        100..=199 | 204 | 304 => Framing::None,
        _ if to.head => Framing::None,
        _ => announced.unwrap_or(Framing::UntilClose),
    };
    // A response with this status has no body. But if the origin announces one, it may send one nevertheless.
    let is_doubtful = status == 204 && !matches!(announced, None | Some(Framing::Length(0)));
    let keep_alive = framing != Framing::UntilClose
        && !is_doubtful
        && headers.is_length_certain()
        // HTTP/1.0 does not have chunks. If a response of that version uses them, its end is uncertain, and the
        // connection is not used again (RFC 9112 section 6.1).
        && (version == Version::Http11 || framing != Framing::Chunked)
        && !headers.lists("connection", "close")
        && (version == Version::Http11 || headers.lists("connection", "keep-alive"));
    let response = Response {
        status,
        version,
        headers,
        framing,
        keep_alive,
        announced,
        reason: reason.to_vec(),
        to,
    };
    Ok(Some((response, length)))
}

/// Parses a status line (RFC 9112 section 4). If the reason phrase is missing, the space before it can be missing, too.
fn status_line(line: &[u8]) -> Result<(Version, u16, &[u8]), Wrong> {
    let wrong = || Wrong::new(502, "Its first line is not a status line.");
    let (version, rest) = line.split_at_checked("HTTP/1.1".len()).ok_or_else(wrong)?;
    let version = Version::from_bytes(version)
        .map_err(|_| Wrong::new(502, "It speaks another version of HTTP than 1.0 and 1.1."))?;
    let (status, reason) = match rest {
        [b' ', a, b, c] => ([*a, *b, *c], &[][..]),
        [b' ', a, b, c, b' ', reason @ ..] => ([*a, *b, *c], reason),
        _ => return Err(wrong()),
    };
    if !status.iter().all(u8::is_ascii_digit) || status < *b"100" {
        return Err(wrong());
    }
    let status = status
        .iter()
        .fold(0, |all, digit| all * 10 + u16::from(digit - b'0'));
    Ok((version, status, reason))
}

#[cfg(test)]
mod tests;
