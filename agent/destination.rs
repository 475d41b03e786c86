//! The destination of a connection as a client names it: a host, by name or address, and a port. Names are not resolved
//! here.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// The longest host name, in bytes (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 253;

/// The longest part of a host name between two dots, in bytes (RFC 1035 section 2.3.4).
const LABEL_MAX: usize = 63;

/// The destination of a connection, as the client names it. A name in it is not resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The host.
    pub host: Host,
    /// The TCP port; never 0 if [`Destination::parse`] has read it.
    pub port: u16,
}

/// A host as a client names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// An address. An IPv4-mapped IPv6 address is stored as the IPv4 address.
    Ip(IpAddr),
    /// A name in lower case, without a dot at its end. No resolver takes it for an address.
    Name(String),
}

/// The reason why a text cannot be read as a host and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// A label or the whole name is empty.
    #[error("the host name is empty, or has two dots in a row")]
    Empty,
    /// There are more than 63 bytes in a label or 253 in the name.
    #[error("a host name may have 253 characters, and 63 between two dots")]
    TooLong,
    /// The name contains something other than letters, digits, `-`, `_` and dots.
    #[error("a host name consists of letters, digits, '-', '_' and dots")]
    Character,
    /// The last label of the name is a number, as in `127.1` or `0x7f.1`: some resolvers take such a name for an
    /// address, and others do not.
    #[error("write an IPv4 address as four numbers from 0 to 255")]
    Numeric,
    /// There are brackets around something that is not an IPv6 address.
    #[error("only an IPv6 address stands in brackets")]
    Brackets,
    /// There is a user name or password before the host.
    #[error("a user name has no place before the host name")]
    UserInfo,
    /// The port is missing, or it is not a number from 1 to 65535.
    #[error("a port is a number from 1 to 65535 after a colon")]
    Port,
}

impl Host {
    /// The host with this address.
    pub fn from_ip(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }

    /// Whether the host is `localhost` or a name below it. On every machine, these mean the machine itself (RFC 6761
    /// section 6.3).
    pub fn is_localhost(&self) -> bool {
        match self {
            Self::Ip(_) => false,
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

/// Parses a host without a port: a name or an address. An IPv6 address has no brackets.
impl FromStr for Host {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::from_ip(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > NAME_MAX {
            return Err(DestinationError::TooLong);
        }
        for label in name.split('.') {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if !label.chars().all(fits) {
                return Err(DestinationError::Character);
            }
            if label.is_empty() {
                return Err(DestinationError::Empty);
            }
            if label.len() > LABEL_MAX {
                return Err(DestinationError::TooLong);
            }
        }
        let name = name.to_ascii_lowercase();
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(DestinationError::Numeric);
        }
        Ok(Self::Name(name))
    }
}

/// Whether C libraries read this label as a number (`inet_aton`). If the last label of a name is a number, they may
/// take the name for an address.
fn is_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()));
    hexadecimal || label.chars().all(|c| c.is_ascii_digit())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Destination {
    /// Parses `host:port` or `[IPv6]:port`. The port may be missing if there is a default (RFC 9110 section 4.2.1).
    pub fn parse(authority: &str, default_port: Option<u16>) -> Result<Self, DestinationError> {
        if authority.contains('@') {
            return Err(DestinationError::UserInfo);
        }
        let (host, rest) = if let Some(rest) = authority.strip_prefix('[') {
            let (inside, rest) = rest.split_once(']').ok_or(DestinationError::Brackets)?;
            let address = inside.parse().map_err(|_| DestinationError::Brackets)?;
            (Host::from_ip(IpAddr::V6(address)), rest)
        } else {
            let (host, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (host.parse()?, rest)
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => default_port,
            // An empty port means the default one (RFC 3986 section 3.2.3).
            Some("") => default_port,
            Some(digits) if digits.bytes().all(|c| c.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        };
        match port {
            Some(port) if port != 0 => Ok(Self { host, port }),
            _ => Err(DestinationError::Port),
        }
    }
}

/// A destination as people paste it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// A host and a port; the port may be the usual one of a URL's scheme.
    Whole(Destination),
    /// Only a host.
    Host(Host),
}

/// The usual ports of the schemes of URLs.
const SCHEMES: [(&str, u16); 12] = [
    ("http", 80),
    ("ws", 80),
    ("https", 443),
    ("wss", 443),
    ("ssh", 22),
    ("ftp", 21),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("mysql", 3306),
    ("redis", 6379),
    ("mongodb", 27017),
    ("amqp", 5672),
];

/// Parses a URL, `host:port` or a host. The user name, path and query of a URL are ignored.
impl FromStr for Pasted {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        let text = text.trim();
        if let Ok(host) = text.parse() {
            return Ok(Self::Host(host));
        }
        let parts = UrlParts::of(text);
        let Some(scheme) = parts.scheme else {
            return match parts.authority.parse() {
                Ok(host) => Ok(Self::Host(host)),
                Err(_) => Destination::parse(parts.authority, None).map(Self::Whole),
            };
        };
        let authority = match parts.authority.rsplit_once('@') {
            Some((_, authority)) => authority,
            None => parts.authority,
        };
        let mut schemes = SCHEMES.iter();
        let usual = schemes.find(|(name, _)| name.eq_ignore_ascii_case(scheme));
        Destination::parse(authority, usual.map(|(_, port)| *port)).map(Self::Whole)
    }
}

/// The parts of a pasted text. The text may be a whole URL, or only a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlParts<'t> {
    /// The scheme, if there is one.
    pub scheme: Option<&'t str>,
    /// The host, with a user and a port if they are given.
    pub authority: &'t str,
    /// Everything behind the authority: the path, the query and the fragment.
    pub rest: &'t str,
}

impl<'t> UrlParts<'t> {
    /// Splits a text. Nothing is checked.
    pub fn of(text: &'t str) -> Self {
        let text = text.trim();
        let (scheme, behind) = match text.split_once("://") {
            Some((scheme, behind)) => (Some(scheme), behind),
            None => (None, text),
        };
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        let (authority, rest) = behind.split_at_checked(end).unwrap_or((behind, ""));
        Self {
            scheme,
            authority,
            rest,
        }
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: Host::from_ip(address.ip()),
            port: address.port(),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(text: &str) -> Result<String, DestinationError> {
        Destination::parse(text, Some(80)).map(|destination| destination.to_string())
    }

    #[test]
    fn a_pasted_url_is_taken_apart_and_a_host_alone_has_one_part() {
        let parts = |text| {
            let UrlParts {
                scheme,
                authority,
                rest,
            } = UrlParts::of(text);
            (scheme, authority, rest)
        };
        let url = "https://ann@web:8443/a/b?c=d://e#f";
        assert_eq!(
            parts(url),
            (Some("https"), "ann@web:8443", "/a/b?c=d://e#f")
        );
        assert_eq!(parts(" web?x=1 "), (None, "web", "?x=1"));
        assert_eq!(parts("web:80"), (None, "web:80", ""));
    }

    #[test]
    fn what_people_paste_is_a_destination() {
        for (text, whole) in [
            ("web:8080", "web:8080"),
            ("http://kitchen:8080/", "kitchen:8080"),
            ("https://Example.org/a?b=c:1#d", "example.org:443"),
            ("web:8080/index.html", "web:8080"),
            ("postgres://ann:secret@db/store", "db:5432"),
            ("ssh://ann@web:2222", "web:2222"),
            ("http://[::1]/", "[::1]:80"),
            ("127.0.42.101:80", "127.0.42.101:80"),
        ] {
            let destination = Destination::parse(whole, None).unwrap();
            assert_eq!(text.parse(), Ok(Pasted::Whole(destination)), "{text}");
        }
        for (text, host) in [
            ("attic", "attic"),
            (" Attic. ", "attic"),
            ("attic/x", "attic"),
            ("127.0.42.101", "127.0.42.101"),
            ("::1", "::1"),
        ] {
            let host = host.parse().unwrap();
            assert_eq!(text.parse(), Ok(Pasted::Host(host)), "{text}");
        }
        for (text, error) in [
            ("", DestinationError::Empty),
            ("gopher://web/", DestinationError::Port),
            ("web:x", DestinationError::Port),
            ("ann@web", DestinationError::UserInfo),
        ] {
            assert_eq!(text.parse::<Pasted>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_name_is_kept_in_lower_case_without_its_last_dot() {
        assert_eq!(
            destination("Web.Example.:8080").unwrap(),
            "web.example:8080"
        );
        assert_eq!(destination("my_web").unwrap(), "my_web:80");
        assert_eq!(destination("web:").unwrap(), "web:80");
    }

    #[test]
    fn localhost_and_what_is_below_it_are_the_machine_itself() {
        let is_localhost = |text: &str| text.parse::<Host>().unwrap().is_localhost();
        for own in ["localhost", "LocalHost.", "app.localhost", "a.b.LOCALHOST"] {
            assert!(is_localhost(own), "{own}");
        }
        for other in ["mylocalhost", "localhost.test", "127.0.0.1", "web"] {
            assert!(!is_localhost(other), "{other}");
        }
    }

    #[test]
    fn an_address_is_no_name() {
        let host = |text: &str| Destination::parse(text, Some(80)).unwrap().host;
        assert_eq!(host("127.0.42.101"), Host::Ip([127, 0, 42, 101].into()));
        assert_eq!(host("[::ffff:10.0.0.1]"), Host::Ip([10, 0, 0, 1].into()));
        assert_eq!(
            destination("[2001:DB8::1]:443").unwrap(),
            "[2001:db8::1]:443"
        );
        assert_eq!("::1".parse(), Ok(Host::from_ip("::1".parse().unwrap())));
    }

    #[test]
    fn a_number_that_only_some_resolvers_understand_is_refused() {
        for text in [
            "127.1",
            "0x7f.1",
            "2130706433",
            "0x7f000001",
            "1.2.3.4.5",
            "01.2.3.4",
            "a.0x",
            "256.1.1.1",
        ] {
            assert_eq!(destination(text), Err(DestinationError::Numeric), "{text}");
        }
        assert!(destination("1.example").is_ok());
        assert!(destination("0xdeadbeef.example").is_ok());
    }

    #[test]
    fn what_is_no_host_and_port_is_refused_with_the_reason() {
        use DestinationError::{Brackets, Character, Empty, Numeric, Port, TooLong, UserInfo};
        for (text, error) in [
            ("", Empty),
            (".", Empty),
            ("a..b", Empty),
            ("a..", Empty),
            ("a b", Character),
            ("a%00b", Character),
            ("é", Character),
            ("user@web", UserInfo),
            ("web:0", Port),
            ("web:65536", Port),
            ("web:+80", Port),
            ("[::1]80", Port),
            ("[::1", Brackets),
            ("[web]", Brackets),
            ("[127.0.0.1]", Brackets),
            ("[fe80::1%eth0]", Brackets),
            ("::1", Empty),
            ("12", Numeric),
        ] {
            assert_eq!(destination(text), Err(error), "{text}");
        }
        assert_eq!(destination(&"x".repeat(64)), Err(TooLong));
        assert_eq!(destination(&["x"; 128].join(".")), Err(TooLong));
        assert_eq!(Destination::parse("web", None), Err(Port));
    }
}
