//! Parses the head of a client's request strictly, and rewrites it for its origin.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    body::Framing,
    head::{self, Headers, Lines, Sender},
    reply::Reply,
    target::{self, RequestTarget},
    token::is_token_byte,
    version::Version,
    wrong::Wrong,
};
use crate::{
    destination::Destination,
    proxy::{credentials::Credentials, upstream::Upstream},
};

/// The field in which a client sends credentials to a proxy (RFC 9110 section 11.7.2).
const AUTHORIZATION: &str = "proxy-authorization";

/// The head of a request, whose parts are consistent with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, as the client wrote it: methods are case-sensitive.
    pub method: String,
    /// The resource or tunnel that the client asks for.
    pub target: RequestTarget,
    /// The version that the client speaks.
    pub version: Version,
    /// All header fields.
    pub headers: Headers,
    /// The length of the body; never [`Framing::UntilClose`].
    pub framing: Framing,
    /// The protocols to which the client would like to switch; `None` if it does not ask for that (RFC 9110 section
    /// 7.8), or only for HTTP/2.
    pub upgrade: Option<Vec<u8>>,
    /// Whether the client waits for an interim `100 Continue` before it sends the body. The field `Expect` is forwarded
    /// to the origin, which sends the interim answer.
    pub expects_continue: bool,
    /// Whether the client may send another request on this connection.
    pub keep_alive: bool,
}

impl Request {
    /// Parses a head. The second value of the result is the head's length; the body follows the head. `None` if more
    /// bytes are needed. After an error, the connection has to be closed once the reply was sent.
    ///
    /// The result does not depend on how the bytes are split into pieces.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Reply> {
        // One empty line may remain from the previous request (RFC 9112 section 2.2).
        let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        let bytes = bytes.get(skipped..).unwrap_or_default();
        read(bytes)
            .map(|found| found.map(|(request, length)| (request, skipped + length)))
            .map_err(|Wrong { status, text }| Reply::new(status, text))
    }

    /// The head for the origin. Its first line contains only the path. The fields that concern the client's connection
    /// or this proxy are left out. The head announces the length of the body as in `framing`. Without `reuse`, it asks
    /// the origin to close the connection after its answer.
    ///
    /// An HTTP/1.0 request is forwarded as HTTP/1.0, because its client could not read an answer in chunks.
    ///
    /// `None` if the request is not for an origin.
    pub fn for_origin(&self, reuse: bool) -> Option<Bytes> {
        self.forwarded(reuse, None)
    }

    /// The head for another proxy, which is to forward the request. It is like the head for the origin, except that it
    /// has the whole URL, and the credentials for the other proxy. `None` if the request is not for an origin.
    pub fn for_proxy(&self, reuse: bool, proxy: &Upstream) -> Option<Bytes> {
        self.forwarded(reuse, Some(proxy))
    }

    fn forwarded(&self, reuse: bool, proxy: Option<&Upstream>) -> Option<Bytes> {
        let RequestTarget::Absolute { destination, path } = &self.target else {
            return None;
        };
        let mut out = BytesMut::new();
        let whole = match proxy {
            // In this form, a URL without a path means the whole server (RFC 9112 section 3.2.4).
            Some(_) if path == "*" => format!("http://{}", host(destination)),
            Some(_) => format!("http://{}{path}", host(destination)),
            None => path.clone(),
        };
        out.put_slice(format!("{} {whole} {}\r\n", self.method, self.version).as_bytes());
        head::field(&mut out, "Host", host(destination).as_bytes());
        if let Some(authorization) = proxy.and_then(Upstream::authorization) {
            head::field(
                &mut out,
                "Proxy-Authorization",
                authorization.reveal().as_bytes(),
            );
        }
        self.headers.forward(&mut out, &["host", "content-length"]);
        match self.framing {
            Framing::None | Framing::UntilClose => {}
            Framing::Length(length) => {
                head::field(&mut out, "Content-Length", length.to_string().as_bytes());
            }
            Framing::Chunked => head::field(&mut out, "Transfer-Encoding", b"chunked"),
        }
        match (&self.upgrade, reuse) {
            (Some(protocols), _) => {
                head::field(&mut out, "Upgrade", protocols);
                head::field(&mut out, "Connection", b"Upgrade");
            }
            (None, false) => head::field(&mut out, "Connection", b"close"),
            (None, true) if self.version == Version::Http10 => {
                head::field(&mut out, "Connection", b"keep-alive");
            }
            (None, true) => {}
        }
        out.put_slice(b"\r\n");
        Some(out.freeze())
    }

    /// Whether the client may use the proxy. Without `credentials`, every client may.
    pub fn is_allowed(&self, credentials: Option<&Credentials>) -> bool {
        credentials.is_none_or(|known| {
            self.headers
                .get(AUTHORIZATION)
                .is_some_and(|value| known.allow_basic(value))
        })
    }

    /// The credentials that the client sent, not decoded.
    pub fn authorization(&self) -> Option<&[u8]> {
        self.headers.get(AUTHORIZATION)
    }

    /// Whether the request may be sent again. This requires that it changes nothing at the origin (RFC 9110 section
    /// 9.2.1), and that it has no body, because a body is not stored.
    pub fn is_repeatable(&self) -> bool {
        let is_safe = matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        is_safe && self.framing == Framing::None && self.upgrade.is_none()
    }

    /// Whether the method is `HEAD`. If so, the answer never has a body.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// The value of `Host` for a destination.
fn host(destination: &Destination) -> String {
    if destination.port == target::PORT {
        destination.host.to_string()
    } else {
        destination.to_string()
    }
}

fn read(bytes: &[u8]) -> Result<Option<(Request, usize)>, Wrong> {
    if let Some(first) = bytes.first()
        && !is_token_byte(*first)
        && bytes != b"\r"
    {
        return Err(stranger(*first));
    }
    let Some(Lines {
        first,
        headers,
        length,
    }) = head::split(bytes, Sender::Client)?
    else {
        return Ok(None);
    };
    let (method, target, version) = target::request_line(first, headers.get("host"))?;
    check_host(version, &headers)?;
    let framing = headers
        .framing(version, Sender::Client)?
        .unwrap_or(Framing::None);
    let is_tunnel = matches!(target, RequestTarget::Connect(_));
    if is_tunnel && !matches!(framing, Framing::None | Framing::Length(0)) {
        return Err(Wrong::new(400, "A request for a tunnel has no body."));
    }
    let asks = |word| version == Version::Http11 && headers.connection(word);
    let may_switch = asks("upgrade") && !is_tunnel;
    let upgrade = headers.upgrade().filter(|_| may_switch);
    headers.single(AUTHORIZATION)?;
    Ok(Some((
        Request {
            upgrade,
            expects_continue: version == Version::Http11 && headers.lists("expect", "100-continue"),
            keep_alive: !headers.connection("close")
                && (version == Version::Http11 || headers.connection("keep-alive")),
            method,
            target,
            version,
            headers,
            framing,
        },
        length,
    )))
}

/// Checks that `Host` occurs exactly once (RFC 9112 section 3.2). The value does not matter for an origin, because the
/// address in the first line counts, and the field is made anew from that address (section 3.2.2). For the proxy's own
/// pages, the value is checked elsewhere.
fn check_host(version: Version, headers: &Headers) -> Result<(), Wrong> {
    match (headers.single("host")?, version) {
        (None, Version::Http11) => Err(Wrong::new(400, "The field Host is missing.")),
        (None, Version::Http10) | (Some(_), _) => Ok(()),
    }
}

/// The error for a client that does not speak HTTP. The first byte shows which protocol the client probably speaks.
fn stranger(first: u8) -> Wrong {
    let text = match first {
        0x16 => {
            "This is an HTTP proxy, and you speak TLS to it. Write http:// before its address; it still carries https."
        }
        4 | 5 => {
            "This is an HTTP proxy, and you speak SOCKS to it. Use http:// with its address, or the address of the SOCKS proxy."
        }
        _ => "The first line does not begin with a method.",
    };
    Wrong::new(400, text)
}

#[cfg(test)]
mod tests;
