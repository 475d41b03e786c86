//! Answers of the proxy itself: short plain texts for people, with the status for programs.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Framing, Request, Version, head};
use crate::wire::{Cause, Failure};

/// The answer to `CONNECT` when the tunnel stands (RFC 9110 section 9.3.6).
pub const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// How a client can say who it is (RFC 7617).
const AUTHENTICATE: (&str, &str) = (
    "Proxy-Authenticate",
    "Basic realm=\"norouter\", charset=\"UTF-8\"",
);

/// An answer of the proxy's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    body: String,
    content_type: &'static str,
    headers: Vec<(&'static str, &'static str)>,
}

impl Reply {
    /// An answer with a sentence for people. Control characters in it are escaped.
    pub fn new(status: u16, sentence: impl AsRef<str>) -> Self {
        let body = crate::text::escape(sentence.as_ref());
        Self::page(status, "text/plain; charset=utf-8", body + "\n")
    }

    /// The demand for a user name and a password (RFC 7617).
    pub fn password_needed() -> Self {
        Self::new(407, "This proxy asks for a user name and a password.")
            .with(AUTHENTICATE.0, AUTHENTICATE.1)
    }

    /// The demand for the token, to a program of another user, or of a user that is not known.
    pub fn token_needed() -> Self {
        Self::new(
            407,
            "This proxy is for programs of the user who runs it, and for those that \"norouter exec\" or \"norouter env\" have \
             given its token.",
        )
        .with(AUTHENTICATE.0, AUTHENTICATE.1)
    }

    /// An answer with a body of this type.
    pub(crate) fn page(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            body,
            content_type,
            headers: Vec::new(),
        }
    }

    /// The answer with one more header field.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Whether the client may send another request after this answer. It may not if its request was not understood, or
    /// if the body of its request is still to come.
    pub fn keeps_client(&self, to: Option<&Request>) -> bool {
        to.is_some_and(|request| {
            request.keep_alive && matches!(request.framing, Framing::None | Framing::Length(0))
        })
    }

    /// The whole answer as bytes; without its body, if it answers a `HEAD`.
    pub fn bytes(&self, to: Option<&Request>) -> Bytes {
        let version = to.map_or(Version::Http11, |request| request.version);
        let mut out = BytesMut::new();
        out.put_slice(format!("{version} {} {}\r\n", self.status, reason(self.status)).as_bytes());
        head::field(&mut out, "Content-Type", self.content_type.as_bytes());
        head::field(
            &mut out,
            "Content-Length",
            self.body.len().to_string().as_bytes(),
        );
        for (name, value) in &self.headers {
            head::field(&mut out, name, value.as_bytes());
        }
        if !self.keeps_client(to) {
            head::field(&mut out, "Connection", b"close");
        } else if version == Version::Http10 {
            head::field(&mut out, "Connection", b"keep-alive");
        }
        out.put_slice(b"\r\n");
        if !to.is_some_and(Request::is_head) {
            out.put_slice(self.body.as_bytes());
        }
        out.freeze()
    }
}

impl From<&Failure> for Reply {
    fn from(failure: &Failure) -> Self {
        let status = match failure.cause {
            Cause::NotAllowed | Cause::Limited => 403,
            Cause::HostDown => 503,
            Cause::TimedOut => 504,
            Cause::NameNotFound
            | Cause::Unreachable
            | Cause::Refused
            | Cause::InUse
            | Cause::NotPermitted
            | Cause::NoAddress
            | Cause::Other => 502,
        };
        Self::new(status, &failure.reason)
    }
}

/// The words for a status that this proxy uses (RFC 9110 section 15).
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        Request::parse(head.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn a_failure_has_a_status_for_programs_and_a_sentence_for_people() {
        for (cause, status) in [
            (Cause::NotAllowed, 403),
            (Cause::NameNotFound, 502),
            (Cause::HostDown, 503),
            (Cause::Unreachable, 502),
            (Cause::Refused, 502),
            (Cause::TimedOut, 504),
            (Cause::Other, 502),
        ] {
            let reason = "web:80 (10.0.0.1:80) refused.".to_owned();
            let reply = Reply::from(&Failure { cause, reason });
            assert_eq!(reply.status(), status);
            assert_eq!(reply.body(), "web:80 (10.0.0.1:80) refused.\n");
        }
    }

    #[test]
    fn an_answer_closes_the_connection_where_the_next_request_could_not_be_found() {
        let reply = Reply::new(502, "no");
        let text = |to: Option<&Request>| String::from_utf8(reply.bytes(to).to_vec()).unwrap();
        let get = request("GET http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
        assert_eq!(
            text(Some(&get)),
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\nno\n"
        );
        assert!(text(None).contains("\r\nConnection: close\r\n"));
        let post = request("POST http://web/ HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\n");
        assert!(text(Some(&post)).contains("\r\nConnection: close\r\n"));
        let old = request("GET http://web/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert!(text(Some(&old)).starts_with("HTTP/1.0 502 "));
        assert!(text(Some(&old)).contains("\r\nConnection: keep-alive\r\n"));
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        let head = request("HEAD http://web/ HTTP/1.1\r\nHost: web\r\n\r\n");
        let bytes = Reply::new(502, "no").bytes(Some(&head));
        assert!(bytes.ends_with(b"Content-Length: 3\r\n\r\n"));
    }

    #[test]
    fn a_sentence_cannot_add_a_line() {
        assert_eq!(Reply::new(502, "a\r\nb").body(), "a\\r\\nb\n");
    }
}
