//! A proxy that is asked to connect to a destination. This module parses the proxy's address, as a variable such as
//! `http_proxy` gives it, and speaks the client's side of HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS 5 (RFC 1928,
//! RFC 1929).

use std::{fmt, net::IpAddr, str::FromStr};

use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::{
    destination::{Destination, DestinationError, Host},
    secret::Secret,
    text::escape_line,
    wire::{Cause, Failure},
};

/// The longest head of an answer to CONNECT, in bytes.
const HEAD_MAX: usize = 16 << 10;

/// The maximum number of bytes of the first line of an answer that are shown.
const LINE_MAX: usize = 400;

/// The longest user name, password and host name, in bytes: in SOCKS, one byte holds the length.
const TEXT_MAX: usize = 255;

/// A proxy that connects to destinations. Its user and password are never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// The address of the proxy.
    pub at: Destination,
    kind: Kind,
    login: Option<(Secret, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Socks,
}

/// The reason why the address of a proxy cannot be used. It never quotes the address, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// This program does not speak the protocol of this scheme with proxies.
    #[error("only proxies with http://, socks5:// and socks5h:// can be used")]
    Scheme,
    /// The address is not a host and a port.
    #[error(transparent)]
    Address(#[from] DestinationError),
    /// The user or the password is too long, or has a line break or a broken escape in it.
    #[error("the user or the password in it is not valid")]
    Login,
}

/// Parses the value of a variable: a URL, or `host:port` of an HTTP proxy.
impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 80),
            "socks" | "socks5" | "socks5h" => (Kind::Socks, 1080),
            _ => return Err(UpstreamError::Scheme),
        };
        // A password may contain any characters except these. Therefore, the authority ends at the first of them, and
        // the password ends at the last `@` before that place.
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or(rest);
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        Ok(Self {
            at: Destination::parse(address, Some(port))?,
            kind,
            login: login.map(pair).transpose()?,
        })
    }
}

/// The user and the password of a URL.
fn pair(login: &str) -> Result<(Secret, Secret), UpstreamError> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let plain = |text| unescaped(text).filter(|text| text.reveal().len() <= TEXT_MAX);
    let (user, password) = plain(user)
        .zip(plain(password))
        .ok_or(UpstreamError::Login)?;
    Ok((user, password))
}

/// A text with escapes like `%41` replaced; `None` if an escape is broken, or if the text has a control character.
fn unescaped(text: &str) -> Option<Secret> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains(char::is_control)).then(|| Secret::new(text))
}

impl Upstream {
    /// Whether the proxy accepts plain HTTP requests for other servers, and not only requests for tunnels.
    pub fn takes_requests(&self) -> bool {
        self.kind == Kind::Http
    }

    /// Whether the address contains this user name.
    pub fn has_user(&self, name: &str) -> bool {
        let login = self.login.as_ref();
        login.is_some_and(|(user, _)| user.reveal() == name)
    }

    /// The value of the field `Proxy-Authorization` for an HTTP proxy (RFC 7617 section 2).
    pub fn authorization(&self) -> Option<Secret> {
        let (user, password) = self.login.as_ref()?;
        let pair = Zeroizing::new(format!("{}:{}", user.reveal(), password.reveal()));
        let token = Zeroizing::new(BASE64.encode(pair.as_bytes()));
        Some(Secret::new(format!("Basic {}", token.as_str())))
    }
}

/// Shows only the host and the port.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

/// The conversation with a proxy until the proxy has connected to a destination. The bytes after the conversation come
/// from the destination, so the caller must not read more bytes than the handshake asks for.
#[derive(Debug)]
pub struct Handshake<'a> {
    proxy: &'a Upstream,
    to: &'a Destination,
    state: State,
    /// The number of bytes that have to be read next.
    wants: usize,
}

#[derive(Debug)]
enum State {
    /// The HTTP answer is awaited. The value is the part of its head that has arrived.
    Head(Vec<u8>),
    /// The authentication method that the SOCKS proxy chooses is awaited.
    Method,
    /// The SOCKS proxy's decision on the user and password is awaited.
    Login,
    /// The answer of a SOCKS proxy is awaited, up to the first byte of its address.
    Answer,
    /// The rest of the address is awaited.
    Rest,
}

/// The next thing to do in a [`Handshake`].
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read more.
    Read,
    /// Send these bytes, and read more.
    Send(Zeroizing<Vec<u8>>),
    /// The proxy has connected.
    Done,
}

impl<'a> Handshake<'a> {
    /// Begins the conversation with these bytes.
    pub fn begin(proxy: &'a Upstream, to: &'a Destination) -> (Self, Zeroizing<Vec<u8>>) {
        let (state, wants, bytes) = match proxy.kind {
            Kind::Http => (State::Head(Vec::new()), 1, connect(proxy, to)),
            Kind::Socks => {
                let methods: &[u8] = if proxy.login.is_some() {
                    &[5, 2, 0, 2]
                } else {
                    &[5, 1, 0]
                };
                (State::Method, 2, Zeroizing::new(methods.to_vec()))
            }
        };
        let handshake = Self {
            proxy,
            to,
            state,
            wants,
        };
        (handshake, bytes)
    }

    /// The number of bytes that have to be read for the next call of [`Handshake::handle`].
    pub const fn wants(&self) -> usize {
        self.wants
    }

    /// Processes the bytes. There must be as many as [`Handshake::wants`] says.
    pub fn handle(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        match (&mut self.state, bytes) {
            (State::Head(head), _) => {
                head.extend_from_slice(bytes);
                if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
                    let head = std::mem::take(head);
                    return self.judge(&head);
                }
                if head.len() >= HEAD_MAX {
                    return Err(self.failure(Cause::Other, "its answer has no end"));
                }
                Ok(Step::Read)
            }
            (State::Method, [5, 0]) | (State::Login, [_, 0]) => Ok(self.ask()),
            (State::Method, [5, 2]) => match &self.proxy.login {
                Some((user, password)) => {
                    self.state = State::Login;
                    Ok(Step::Send(sub_negotiation(user, password)))
                }
                None => Err(self.wants_login()),
            },
            (State::Method, [5, _]) | (State::Login, _) => Err(self.wants_login()),
            (State::Answer, [5, 0, _, kind, first]) => {
                // The address from which the proxy has connected is not needed, but its bytes have to be read.
                let length = match kind {
                    1 => 3,
                    3 => usize::from(*first),
                    4 => 15,
                    _ => return Err(self.failure(Cause::Other, "its answer is not SOCKS 5")),
                };
                self.state = State::Rest;
                self.wants = length + 2;
                Ok(Step::Read)
            }
            (State::Answer, [5, code, ..]) => {
                let (cause, what) = socks_failure(*code);
                Err(self.failure(cause, what))
            }
            (State::Rest, _) => Ok(Step::Done),
            (State::Method | State::Answer, _) => {
                Err(self.failure(Cause::Other, "its answer is not SOCKS 5"))
            }
        }
    }

    /// Asks a SOCKS proxy for the destination.
    fn ask(&mut self) -> Step {
        self.state = State::Answer;
        self.wants = 5;
        let mut bytes = vec![5, 1, 0];
        match &self.to.host {
            Host::Ip(IpAddr::V4(address)) => {
                bytes.push(1);
                bytes.extend_from_slice(&address.octets());
            }
            Host::Ip(IpAddr::V6(address)) => {
                bytes.push(4);
                bytes.extend_from_slice(&address.octets());
            }
            Host::Name(name) => {
                bytes.push(3);
                put_text(&mut bytes, name);
            }
        }
        bytes.extend_from_slice(&self.to.port.to_be_bytes());
        Step::Send(Zeroizing::new(bytes))
    }

    /// Reads the first line of an HTTP answer.
    fn judge(&self, head: &[u8]) -> Result<Step, Failure> {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let shown = escape_line(line.get(..LINE_MAX).unwrap_or(line));
        let said = shown
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| shown.strip_prefix("HTTP/1.0 "));
        let Some(said) = said else {
            return Err(self.failure(Cause::Other, "its answer is not HTTP"));
        };
        match said.get(..3).and_then(|code| code.parse::<u16>().ok()) {
            Some(200..300) => Ok(Step::Done),
            Some(407) => Err(self.wants_login()),
            Some(403) => Err(self.failure(Cause::NotAllowed, said)),
            Some(504) => Err(self.failure(Cause::TimedOut, said)),
            Some(_) => Err(self.failure(Cause::Other, said)),
            None => Err(self.failure(Cause::Other, "its answer is not HTTP")),
        }
    }

    fn wants_login(&self) -> Failure {
        let what = match self.proxy.login {
            None => "it asks for a user and a password",
            Some(_) => "it does not accept the user and the password",
        };
        self.failure(Cause::NotAllowed, what)
    }

    fn failure(&self, cause: Cause, what: &str) -> Failure {
        let (proxy, to) = (self.proxy, self.to);
        let what = what.trim_end_matches('.');
        Failure {
            cause,
            reason: format!("The proxy {proxy} does not connect to {to}: {what}."),
        }
    }
}

fn connect(proxy: &Upstream, to: &Destination) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n"));
    if let Some(authorization) = proxy.authorization() {
        text.push_str("Proxy-Authorization: ");
        text.push_str(authorization.reveal());
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    Zeroizing::new(text.as_bytes().to_vec())
}

/// The user and the password for a SOCKS proxy (RFC 1929 section 2).
fn sub_negotiation(user: &Secret, password: &Secret) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![1]);
    put_text(&mut bytes, user.reveal());
    put_text(&mut bytes, password.reveal());
    bytes
}

/// Writes a text with its length in front. All texts in this file are short enough for that.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(text.as_bytes());
}

/// The meaning of a SOCKS proxy's failure code (RFC 1928 section 6).
const fn socks_failure(code: u8) -> (Cause, &'static str) {
    match code {
        2 => (Cause::NotAllowed, "it does not allow that"),
        3 => (Cause::Unreachable, "the network cannot be reached"),
        4 => (Cause::Unreachable, "the host cannot be reached"),
        5 => (Cause::Refused, "connection refused"),
        6 => (Cause::TimedOut, "there was no answer in time"),
        _ => (Cause::Other, "it reports a failure without a reason"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(text: &str) -> Upstream {
        text.parse().unwrap()
    }

    fn to(text: &str) -> Destination {
        Destination::parse(text, None).unwrap()
    }

    /// Passes the answer of a proxy to a handshake, always as many bytes as the handshake wants. Returns the last step,
    /// and the bytes that were not read.
    fn hear<'b>(
        handshake: &mut Handshake<'_>,
        mut said: &'b [u8],
    ) -> (Result<Step, Failure>, &'b [u8]) {
        loop {
            let (now, later) = said.split_at(handshake.wants());
            said = later;
            match handshake.handle(now) {
                Ok(Step::Read) => {}
                step => return (step, said),
            }
        }
    }

    #[test]
    fn the_address_of_a_proxy_is_a_url_or_only_a_host_and_its_secrets_are_not_shown() {
        for (text, shown) in [
            ("http://10.0.0.1:3128", "10.0.0.1:3128"),
            ("HTTP://ann:se%3acret@Proxy.corp/", "proxy.corp:80"),
            ("proxy.corp:8080", "proxy.corp:8080"),
            ("socks5h://[::1]", "[::1]:1080"),
            ("socks5://ann@127.0.0.1:9", "127.0.0.1:9"),
        ] {
            let upstream = upstream(text);
            assert_eq!(upstream.to_string(), shown, "{text}");
            let all = format!("{upstream:?}");
            assert!(
                !all.contains("cret@") && !all.contains(":cret") && !all.contains("ann"),
                "{all}"
            );
        }
        for (text, error) in [
            ("https://proxy.corp:443", UpstreamError::Scheme),
            ("socks4://proxy.corp", UpstreamError::Scheme),
            ("http://a%zz:b@proxy", UpstreamError::Login),
            ("http://a%0d%0aX:b@proxy", UpstreamError::Login),
            ("", UpstreamError::Address(DestinationError::Empty)),
        ] {
            assert_eq!(text.parse::<Upstream>(), Err(error), "{text}");
        }
        let long = format!("http://{}:x@proxy", "u".repeat(256));
        assert_eq!(long.parse::<Upstream>(), Err(UpstreamError::Login));
    }

    #[test]
    fn an_http_proxy_is_asked_for_a_tunnel_and_nothing_behind_its_answer_is_read() {
        let (proxy, ssh) = (upstream("http://ann:a%40b@proxy:3128"), to("web:22"));
        let (mut handshake, first) = Handshake::begin(&proxy, &ssh);
        assert_eq!(
            std::str::from_utf8(&first).unwrap(),
            "CONNECT web:22 HTTP/1.1\r\nHost: web:22\r\nProxy-Authorization: Basic YW5uOmFAYg==\r\n\r\n"
        );
        let answer = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-";
        let (step, rest) = hear(&mut handshake, answer);
        assert_eq!((step, rest), (Ok(Step::Done), &b"SSH-2.0-"[..]));
    }

    #[test]
    fn an_http_proxy_that_refuses_is_quoted() {
        let (proxy, web) = (upstream("proxy:3128"), to("web:80"));
        for (answer, cause, reason) in [
            (
                &b"HTTP/1.1 403 Forbidden\x1b[2J\r\n\r\n"[..],
                Cause::NotAllowed,
                "403 Forbidden\\u{1b}[2J",
            ),
            (
                b"HTTP/1.0 407 x\r\n\r\n",
                Cause::NotAllowed,
                "it asks for a user and a password",
            ),
            (
                b"HTTP/1.1 502 web:80 cannot be reached.\n\n",
                Cause::Other,
                "502 web:80 cannot be reached",
            ),
            (b"HTTP/1.1 504 late\r\n\r\n", Cause::TimedOut, "504 late"),
            (b"+OK\r\n\r\n", Cause::Other, "its answer is not HTTP"),
            (
                b"HTTP/1.1 x\r\n\r\n",
                Cause::Other,
                "its answer is not HTTP",
            ),
        ] {
            let (mut handshake, _) = Handshake::begin(&proxy, &web);
            let failure = hear(&mut handshake, answer).0.unwrap_err();
            assert_eq!(failure.cause, cause);
            let whole = format!("The proxy proxy:3128 does not connect to web:80: {reason}.");
            assert_eq!(failure.reason, whole);
        }
        let (mut handshake, _) = Handshake::begin(&proxy, &web);
        let endless = vec![b'x'; HEAD_MAX];
        let failure = hear(&mut handshake, &endless).0.unwrap_err();
        assert!(failure.reason.contains("no end"), "{}", failure.reason);
    }

    #[test]
    fn a_socks_proxy_is_asked_for_a_name_and_told_user_and_password() {
        let (proxy, web) = (upstream("socks5h://ann:pw@proxy"), to("web:80"));
        let (mut handshake, first) = Handshake::begin(&proxy, &web);
        assert_eq!(*first, [5, 2, 0, 2]);
        let sent = |step: Result<Step, Failure>| match step {
            Ok(Step::Send(bytes)) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        let (step, _) = hear(&mut handshake, &[5, 2]);
        assert_eq!(sent(step), b"\x01\x03ann\x02pw");
        let (step, _) = hear(&mut handshake, &[1, 0]);
        assert_eq!(sent(step), b"\x05\x01\x00\x03\x03web\x00\x50");
        for (address, ends) in [
            (&b"\x01\x7f\x00\x00\x01\x00\x50"[..], "IPv4"),
            (b"\x03\x02ab\x00\x50", "a name"),
            (
                b"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50",
                "IPv6",
            ),
        ] {
            let (mut handshake, _) = Handshake::begin(&proxy, &web);
            sent(handshake.handle(&[5, 0]));
            let answer = [&[5, 0, 0], address, b"SSH"].concat();
            let (step, rest) = hear(&mut handshake, &answer);
            assert_eq!((step, rest), (Ok(Step::Done), &b"SSH"[..]), "{ends}");
        }
    }

    #[test]
    fn a_socks_proxy_that_refuses_is_told_apart_by_its_code() {
        let (proxy, web) = (upstream("socks5://proxy"), to("10.0.0.1:80"));
        let begin = || Handshake::begin(&proxy, &web).0;
        let mut handshake = begin();
        assert_eq!(
            handshake.handle(&[5, 0]),
            Ok(Step::Send(Zeroizing::new(vec![
                5, 1, 0, 1, 10, 0, 0, 1, 0, 80
            ])))
        );
        let failure = handshake.handle(&[5, 5, 0, 1, 0]).unwrap_err();
        assert_eq!(failure.cause, Cause::Refused);
        for answer in [[5, 255], [5, 2], [4, 0]] {
            assert!(begin().handle(&answer).is_err(), "{answer:?}");
        }
    }
}
