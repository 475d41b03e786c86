//! The server side of SOCKS 4, 4a and 5, for CONNECT only. SOCKS 5 is described in RFC 1928 and RFC 1929, and SOCKS 4
//! and 4a only in two old memos. The handshake never consumes a byte after the request.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::credentials::Credentials;
use crate::{
    destination::{Destination, Host},
    wire::Cause,
};

/// Limit on the user id and the host name of SOCKS 4, in bytes. SOCKS 5 has the same limit, because one byte holds the
/// length.
const TEXT_MAX: usize = 255;

const CONNECT: u8 = 1;

/// The reply codes of SOCKS 5 (RFC 1928 section 6).
mod code {
    pub(super) const GRANTED: u8 = 0x00;
    pub(super) const GENERAL: u8 = 0x01;
    pub(super) const NOT_ALLOWED: u8 = 0x02;
    pub(super) const HOST_UNREACHABLE: u8 = 0x04;
    pub(super) const REFUSED: u8 = 0x05;
    pub(super) const EXPIRED: u8 = 0x06;
    pub(super) const NO_SUCH_COMMAND: u8 = 0x07;
    pub(super) const NO_SUCH_ADDRESS_TYPE: u8 = 0x08;
}

/// The state of a handshake. The result does not depend on how the bytes are split into pieces.
#[derive(Debug)]
pub struct Handshake<'a> {
    credentials: Option<&'a Credentials>,
    state: State,
    was_wrong: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The handshake waits for the first byte, which gives the version.
    Greeting,
    /// The handshake waits for the user and password of a SOCKS 5 client.
    Password,
    /// The handshake waits for the request of a SOCKS 5 client.
    Request,
    Over,
}

/// The next action of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the output to the client, then read more bytes.
    More,
    /// Answer the client's request, which is complete. Bytes after it are left in the input.
    Request(Request),
    /// The handshake has failed: send the output, which is the final reply, and close the connection. The text is the
    /// reason, for the log.
    Over(String),
}

/// A client's request to be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    version: Version,
    destination: Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Four,
    Five,
}

/// The final reply of a failed handshake, and the reason.
struct Rejection {
    answer: Bytes,
    why: String,
}

/// Whether a client's first bytes begin an HTTP request. An HTTP request begins with the letters of a method, and a
/// SOCKS request with a version number.
pub fn speaks_http(input: &[u8]) -> bool {
    input.first().is_some_and(u8::is_ascii_alphabetic)
}

impl<'a> Handshake<'a> {
    /// A handshake with a client that was just accepted. With `credentials`, the client has to send the name and
    /// password of a user. Without `credentials`, the client may still send them, because it cannot know that they are
    /// not required. In that case, the handshake ignores them.
    pub fn new(credentials: Option<&'a Credentials>) -> Self {
        Self {
            credentials,
            state: State::Greeting,
            was_wrong: false,
        }
    }

    /// Whether [`Handshake::handle`] may check a password when it gets this input. The caller can delay such a call, to
    /// slow down guesses.
    pub fn may_judge(&self, input: &[u8]) -> bool {
        let has_password = match (self.state, input) {
            (State::Greeting, [5, count, rest @ ..]) => rest.len() > usize::from(*count),
            (State::Password, _) => !input.is_empty(),
            (State::Greeting | State::Request | State::Over, _) => false,
        };
        has_password && self.credentials.is_some()
    }

    /// Whether the client has sent a wrong user or password.
    pub fn was_wrong(&self) -> bool {
        self.was_wrong
    }

    /// Consumes complete messages from the input, and appends the replies to the output.
    pub fn handle(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Step {
        loop {
            let before = self.state;
            let step = match before {
                State::Greeting => self.greeting(input, output),
                State::Password => self.password(input, output),
                State::Request => request5(input).map(|found| found.map(Step::Request)),
                State::Over => return Step::Over("the handshake is over".into()),
            };
            match step {
                Ok(Some(Step::More)) => {}
                Ok(Some(step)) => {
                    self.state = State::Over;
                    return step;
                }
                Ok(None) => return Step::More,
                Err(Rejection { answer, why }) => {
                    self.state = State::Over;
                    output.extend_from_slice(&answer);
                    return Step::Over(why);
                }
            }
        }
    }

    /// Returns `Ok(None)` if the message is incomplete, and `Ok(Some(Step::More))` if only the state has changed.
    fn greeting(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<Option<Step>, Rejection> {
        match input.first() {
            None => Ok(None),
            Some(4) => Ok(request4(input, self.credentials.is_some())?.map(Step::Request)),
            Some(5) => {
                let Some(count) = input.get(1).copied() else {
                    return Ok(None);
                };
                let Some(methods) = input.get(2..2 + usize::from(count)) else {
                    return Ok(None);
                };
                let (wanted, next) = if self.credentials.is_none() && methods.contains(&0) {
                    (0, State::Request)
                } else if methods.contains(&2) {
                    (2, State::Password)
                } else if self.credentials.is_some() {
                    let why = "the client of SOCKS 5 offers no user name and password";
                    return Err(rejection(&[5, 0xff], why));
                } else {
                    let why =
                        "the client of SOCKS 5 insists on an authentication that is not known here";
                    return Err(rejection(&[5, 0xff], why));
                };
                input.advance(2 + usize::from(count));
                output.extend_from_slice(&[5, wanted]);
                self.state = next;
                Ok(Some(Step::More))
            }
            Some(byte) => Err(stranger(*byte)),
        }
    }

    /// Reads a user and a password (RFC 1929 section 2).
    fn password(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<Option<Step>, Rejection> {
        const DENIED: &[u8] = &[1, 1];
        if input.first().is_some_and(|version| *version != 1) {
            return Err(rejection(
                DENIED,
                "the client's user name and password have an unknown form",
            ));
        }
        let Some((user, rest)) = input.get(1..).and_then(counted) else {
            return Ok(None);
        };
        let Some((password, _)) = counted(rest) else {
            return Ok(None);
        };
        if !self
            .credentials
            .is_none_or(|known| known.allow(user, password))
        {
            self.was_wrong = true;
            return Err(rejection(
                DENIED,
                "the client's user name or password is wrong",
            ));
        }
        let length = 3 + user.len() + password.len();
        input.advance(length);
        output.extend_from_slice(&[1, 0]);
        self.state = State::Request;
        Ok(Some(Step::More))
    }
}

impl Request {
    /// The destination that the client asks for.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The reply that the connection is established, from this local address.
    pub fn accepted(&self, bound: SocketAddr) -> Bytes {
        answer(self.version, code::GRANTED, bound)
    }

    /// The reply that the connection failed.
    pub fn refused(&self, cause: Cause) -> Bytes {
        let code = match cause {
            Cause::NotAllowed | Cause::Limited => code::NOT_ALLOWED,
            Cause::NameNotFound | Cause::HostDown | Cause::Unreachable => code::HOST_UNREACHABLE,
            Cause::Refused => code::REFUSED,
            Cause::TimedOut => code::EXPIRED,
            Cause::InUse | Cause::NotPermitted | Cause::NoAddress | Cause::Other => code::GENERAL,
        };
        answer(self.version, code, NOWHERE)
    }
}

/// The address in a reply that has no address to report.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The request of SOCKS 4 and 4a: version, command, port, address, user id, and a name where the address is 0.0.0.x.
fn request4(input: &mut BytesMut, credentials: bool) -> Result<Option<Request>, Rejection> {
    let refuse = |why: &str| Rejection {
        answer: answer(Version::Four, code::GENERAL, NOWHERE),
        why: why.into(),
    };
    let Some((&[_, command, high, low, a, b, c, d], rest)) = input.split_first_chunk() else {
        return Ok(None);
    };
    let Some((_, rest)) =
        terminated(rest).ok_or_else(|| refuse("the client's user id has no end"))?
    else {
        return Ok(None);
    };
    let (host, rest) = if [a, b, c] == [0, 0, 0] && d != 0 {
        let Some((name, rest)) =
            terminated(rest).ok_or_else(|| refuse("the client's host name has no end"))?
        else {
            return Ok(None);
        };
        (named(name), rest)
    } else {
        (Ok(Host::Ip([a, b, c, d].into())), rest)
    };
    let length = input.len() - rest.len();
    input.advance(length);
    if credentials {
        return Err(refuse(
            "the client of SOCKS 4 cannot say a password, and one is needed",
        ));
    }
    if command != CONNECT {
        return Err(refuse(
            "the client of SOCKS 4 asks for another thing than a connection",
        ));
    }
    let port = u16::from_be_bytes([high, low]);
    match host {
        Ok(host) if port != 0 => Ok(Some(Request {
            version: Version::Four,
            destination: Destination { host, port },
        })),
        Ok(_) => Err(refuse("the client asks for port 0")),
        Err(why) => Err(refuse(&why)),
    }
}

/// The request of SOCKS 5: version, command, reserved, kind of address, address, port.
fn request5(input: &mut BytesMut) -> Result<Option<Request>, Rejection> {
    let refuse = |code, why: &str| Rejection {
        answer: answer(Version::Five, code, NOWHERE),
        why: why.into(),
    };
    let Some((&[version, command, reserved, kind], rest)) = input.split_first_chunk() else {
        return Ok(None);
    };
    if version != 5 || reserved != 0 {
        return Err(refuse(
            code::GENERAL,
            "the client's request is not one of SOCKS 5",
        ));
    }
    let found = match kind {
        1 => rest
            .split_first_chunk()
            .map(|(address, rest)| (Ok(Host::Ip(Ipv4Addr::from_octets(*address).into())), rest)),
        3 => counted(rest).map(|(name, rest)| (named(name), rest)),
        4 => rest.split_first_chunk().map(|(address, rest)| {
            (
                Ok(Host::from_ip(Ipv6Addr::from_octets(*address).into())),
                rest,
            )
        }),
        _ => {
            let why = "the client names the host by an unknown kind of address";
            return Err(refuse(code::NO_SUCH_ADDRESS_TYPE, why));
        }
    };
    let Some((host, rest)) = found else {
        return Ok(None);
    };
    let Some((port, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    let port = u16::from_be_bytes(*port);
    let length = input.len() - rest.len();
    input.advance(length);
    if command != CONNECT {
        let why = "the client of SOCKS 5 asks for another thing than a connection";
        return Err(refuse(code::NO_SUCH_COMMAND, why));
    }
    match host {
        Ok(host) if port != 0 => Ok(Some(Request {
            version: Version::Five,
            destination: Destination { host, port },
        })),
        Ok(_) => Err(refuse(code::GENERAL, "the client asks for port 0")),
        Err(why) => Err(refuse(code::GENERAL, &why)),
    }
}

fn named(name: &[u8]) -> Result<Host, String> {
    let text = str::from_utf8(name).map_err(|_| "the client's host name is not text".to_owned())?;
    text.parse()
        .map_err(|error| format!("the client names no host: {error}"))
}

/// Splits off a text after a byte that holds its length. Returns the text and the bytes after it. `None` if the text is
/// not complete.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*count))
}

/// Splits off a text before a NUL. Returns the text and the bytes after the NUL. `Some(None)` if there is no NUL yet,
/// and `None` if the text is too long.
#[expect(clippy::option_option, reason = "the caller has a sentence for `None`")]
fn terminated(bytes: &[u8]) -> Option<Option<(&[u8], &[u8])>> {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let text = halves.next().unwrap_or_default();
    (text.len() <= TEXT_MAX).then(|| Some((text, halves.next()?)))
}

fn answer(version: Version, code: u8, bound: SocketAddr) -> Bytes {
    let mut bytes = BytesMut::new();
    let address = bound.ip().to_canonical();
    match (version, address) {
        (Version::Four, address) => {
            // SOCKS 4 has one code for all failures, and its reply has no room for an IPv6 address.
            bytes.extend_from_slice(&[0, if code == code::GRANTED { 0x5a } else { 0x5b }]);
            match address {
                IpAddr::V4(address) => {
                    bytes.put_u16(bound.port());
                    bytes.extend_from_slice(&address.octets());
                }
                IpAddr::V6(_) => bytes.extend_from_slice(&[0; 6]),
            }
        }
        (Version::Five, IpAddr::V4(address)) => {
            bytes.extend_from_slice(&[5, code, 0, 1]);
            bytes.extend_from_slice(&address.octets());
            bytes.put_u16(bound.port());
        }
        (Version::Five, IpAddr::V6(address)) => {
            bytes.extend_from_slice(&[5, code, 0, 4]);
            bytes.extend_from_slice(&address.octets());
            bytes.put_u16(bound.port());
        }
    }
    bytes.freeze()
}

fn rejection(answer: &'static [u8], why: &str) -> Rejection {
    Rejection {
        answer: Bytes::from_static(answer),
        why: why.into(),
    }
}

/// The reply to a client whose first byte is not that of a SOCKS version.
fn stranger(byte: u8) -> Rejection {
    match byte {
        0x16 => rejection(b"", "the client speaks TLS to the SOCKS proxy"),
        _ => Rejection {
            answer: Bytes::new(),
            why: format!("the client does not speak SOCKS: its first byte is {byte:#04x}"),
        },
    }
}

#[cfg(test)]
mod tests;
