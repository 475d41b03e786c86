//! The target of a request: the three forms that a proxy may receive, and the form for the proxy's own pages (RFC 9112
//! section 3.2).

use std::{fmt::Write as _, net::Ipv6Addr};

use super::{token::token, version::Version, wrong::Wrong};
use crate::destination::{Destination, DestinationError};

/// The port of an `http` URI that names none (RFC 9110 section 4.2.1).
pub(super) const PORT: u16 = 80;

/// The target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestTarget {
    /// A tunnel to this destination.
    Connect(Destination),
    /// A resource at an origin.
    Absolute {
        /// The origin.
        destination: Destination,
        /// Path and query for the origin, beginning with `/`; `*` for an `OPTIONS` request about the origin itself.
        path: String,
    },
    /// A page of this proxy.
    Own {
        /// Path and query, beginning with `/`; or `*`.
        path: String,
    },
}

/// Splits the first line of a request into method, target and version. `host` is the field `Host`. It is used only if
/// the target itself can be read in two ways.
pub(super) fn request_line(
    line: &[u8],
    host: Option<&[u8]>,
) -> Result<(String, RequestTarget, Version), Wrong> {
    let wrong = |text: &str| Wrong::new(400, text);
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(wrong(
            "The first line is not METHOD TARGET VERSION with one space between them.",
        ));
    };
    let version = Version::from_bytes(version)?;
    let method = token(method)
        .ok_or_else(|| wrong("The method contains a character that has no place there."))?;
    let target = parse(method, &escape(target)?, host)?;
    Ok((method.to_owned(), target, version))
}

fn parse(method: &str, text: &str, host: Option<&[u8]>) -> Result<RequestTarget, Wrong> {
    let wrong = |text: &str| Wrong::new(400, text);
    let place = |error: DestinationError| {
        Wrong::new(
            400,
            format!("The address of the request names no host and port: {error}."),
        )
    };
    if method == "CONNECT" {
        // Some clients leave out the brackets of an IPv6 address. None of them leaves out the port, so the last colon
        // is the one before the port.
        let bracketed = text
            .rsplit_once(':')
            .filter(|(host, _)| host.parse::<Ipv6Addr>().is_ok())
            .map(|(host, port)| format!("[{host}]:{port}"));
        return Destination::parse(bracketed.as_deref().unwrap_or(text), None)
            .map(RequestTarget::Connect)
            .map_err(place);
    }
    if text.starts_with('/') || (text == "*" && method == "OPTIONS") {
        return Ok(RequestTarget::Own {
            path: text.to_owned(),
        });
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(wrong(
            "The address of the request begins neither with http:// nor with a slash.",
        ));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => {}
        "https" | "wss" => {
            return Err(wrong(
                "This proxy does not speak TLS for you: use CONNECT for https.",
            ));
        }
        _ => {
            return Err(wrong(
                "This proxy knows the scheme http only, and CONNECT for all others.",
            ));
        }
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // Some clients leave a user and a password in the address. These clients also send both in a field when they are
    // asked for them, so both are removed here.
    let authority = match authority.split_once('@') {
        Some((_, place)) => place,
        None => authority,
    };
    let is_bare_v6 = !authority.starts_with('[') && authority.matches(':').count() > 1;
    let destination = if is_bare_v6 {
        without_brackets(authority, host).ok_or_else(|| {
            wrong(
                "An IPv6 address stands in brackets, because its end is not certain without them: write http://[ADDRESS]:PORT/.",
            )
        })?
    } else {
        Destination::parse(authority, Some(PORT)).map_err(place)?
    };
    let path = match path {
        "" if method == "OPTIONS" => "*".to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        query => format!("/{query}"),
    };
    Ok(RequestTarget::Absolute { destination, path })
}

/// Parses an IPv6 address without brackets, which some clients write. Its last group may be the port or a part of the
/// address. The field `Host` decides, because the same clients write brackets there. `None` if it confirms neither
/// reading.
fn without_brackets(authority: &str, host: Option<&[u8]>) -> Option<Destination> {
    let named = std::str::from_utf8(host?).ok()?;
    let named = Destination::parse(named, Some(PORT)).ok()?;
    let (address, port) = authority.rsplit_once(':')?;
    let mut readings = [format!("[{authority}]"), format!("[{address}]:{port}")].into_iter();
    let is_named = readings
        .any(|reading| Destination::parse(&reading, Some(PORT)).is_ok_and(|read| read == named));
    is_named.then_some(named)
}

/// Percent-encodes every byte of the target that is not ASCII (RFC 3986 section 2.1), and cuts off the fragment, which
/// servers must not get. Some clients leave both to their proxy.
fn escape(target: &[u8]) -> Result<String, Wrong> {
    let mut text = String::with_capacity(target.len());
    for byte in target {
        match byte {
            b'#' => break,
            0x21..=0x7e => text.push(char::from(*byte)),
            0x80.. => {
                let _ = write!(text, "%{byte:02X}");
            }
            _ => {
                return Err(Wrong::new(
                    400,
                    "The address of the request contains a control character.",
                ));
            }
        }
    }
    Ok(text)
}
