//! The versions of HTTP that this proxy speaks.

use std::fmt;

use super::wrong::Wrong;

/// The two versions that this proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945): without chunks and interim answers; a connection ends after one answer unless both sides
    /// agree otherwise.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl Version {
    const fn number(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
        }
    }

    pub(super) fn from_bytes(text: &[u8]) -> Result<Self, Wrong> {
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
