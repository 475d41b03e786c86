//! HTTP/1.0 and HTTP/1.1 between a client, this proxy and an origin (RFC 9110, RFC 9112): one strict parser for requests and
//! responses. What two programs could read in two ways is refused, never repaired.

use std::fmt;

mod body;
mod head;
mod reply;
mod request;
mod response;
mod target;

pub use body::{BadBody, Body, Framing};
pub use head::{HEAD_MAX, HEADERS_MAX, Headers};
pub use reply::{CONNECTED, Reply};
pub use request::Request;
pub use response::{BadGateway, Response};
pub use target::RequestTarget;

/// The name under which this proxy stands in `Via` (RFC 9110 section 7.6.3).
const PSEUDONYM: &str = "norouter";

/// The two versions that this proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945): no chunks, no interim answers, and a connection ends with its answer unless both sides
    /// say otherwise.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl Version {
    /// The version as `Via` writes it.
    const fn number(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
        }
    }

    fn from_bytes(text: &[u8]) -> Result<Self, Wrong> {
        match text {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Err(Wrong::new(
                505,
                "This proxy speaks HTTP/1.0 and HTTP/1.1 only.",
            )),
            _ => Err(Wrong::new(
                400,
                "The first line does not name a version of HTTP.",
            )),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}", self.number())
    }
}

/// What is wrong with a head: a sentence, and the status for it if a client sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wrong {
    status: u16,
    text: String,
}

impl Wrong {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
}
