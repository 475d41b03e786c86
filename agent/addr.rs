//! The basic types of the network (addresses, ports, host names): parsed once, then trusted.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    num::NonZeroU16,
    str::FromStr,
};

/// A TCP or UDP port on which a program can listen: 1 to 65535.
pub type Port = NonZeroU16;

/// A host's virtual address. It lies in 127.0.0.0/8, where programs can listen without root. An address that the
/// machine itself uses (`127.0.0.1`) or that no socket can bind is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vip(Ipv4Addr);

/// The reason why an address cannot be a [`Vip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VipError {
    /// The text is not a dotted IPv4 address. Names, IPv6 addresses and numbers with leading zeros are not accepted.
    #[error("not an IPv4 address")]
    Syntax,
    /// The address is not a loopback address; listening there would need root.
    #[error("not inside 127.0.0.0/8")]
    NotLoopback,
    /// The address is this machine's own `localhost`, or one that no socket can bind.
    #[error("reserved by the machine itself")]
    Reserved,
}

impl Vip {
    /// The VIP with this address.
    pub fn new(address: Ipv4Addr) -> Result<Self, VipError> {
        if !address.is_loopback() {
            return Err(VipError::NotLoopback);
        }
        let reserved = [
            Ipv4Addr::new(127, 0, 0, 0),
            Ipv4Addr::LOCALHOST,
            Ipv4Addr::new(127, 255, 255, 255),
        ];
        if reserved.contains(&address) {
            return Err(VipError::Reserved);
        }
        Ok(Self(address))
    }

    /// The address itself.
    pub const fn address(self) -> Ipv4Addr {
        self.0
    }

    /// The address together with a port.
    pub const fn socket(self, port: Port) -> SocketAddrV4 {
        SocketAddrV4::new(self.0, port.get())
    }
}

impl FromStr for Vip {
    type Err = VipError;

    fn from_str(text: &str) -> Result<Self, VipError> {
        Self::new(text.parse().map_err(|_| VipError::Syntax)?)
    }
}

impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a host or one of its aliases, in lower case: labels of letters, digits, `-` and `_`, joined by dots. RFC
/// 1123 section 2.1 does not allow the underscore, but manifests of the original NoRouter use it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

/// The reason why a text cannot be a [`HostName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// A label or the whole name is empty.
    #[error("a name needs at least one character between its dots")]
    Empty,
    /// A label has more than 63 bytes, or the name has more than 253 (RFC 1035 section 2.3.4).
    #[error("a name may have 253 characters, and 63 between two dots")]
    TooLong,
    /// The name has a character that is not a letter, a digit, `-` or `_`, or a label begins or ends with `-`.
    #[error(
        "a name consists of letters, digits, '-', '_' and dots, with no '-' at its ends or next to a dot"
    )]
    Character,
    /// The name reads as an address (`10.0.0.1`, `127.1`, `0x7f.1`, `2130706433`, `::1`): programs would use that
    /// address and never look the name up.
    #[error("programs take it for an address; put a word before or behind it, like \"host-7\"")]
    Address,
    /// The name is `localhost` or ends with `.localhost`, which always means the machine itself (RFC 6761 section 6.3).
    #[error("\"localhost\" always means the machine itself")]
    Localhost,
}

impl HostName {
    /// The name as text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        if text.len() > 253 {
            return Err(HostNameError::TooLong);
        }
        if text.parse::<IpAddr>().is_ok() || text.split('.').all(is_number) {
            return Err(HostNameError::Address);
        }
        for label in text.split('.') {
            if label.is_empty() {
                return Err(HostNameError::Empty);
            }
            if label.len() > 63 {
                return Err(HostNameError::TooLong);
            }
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if !label.chars().all(fits) || label.starts_with('-') || label.ends_with('-') {
                return Err(HostNameError::Character);
            }
        }
        let name = text.to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return Err(HostNameError::Localhost);
        }
        Ok(Self(name))
    }
}

/// Whether C libraries read this part of a name as a number (`inet_aton`): decimal, octal or hexadecimal.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or(label.strip_prefix("0X"));
    let is_digit = |c: char| c.is_digit(if hexadecimal.is_some() { 16 } else { 10 });
    !label.is_empty() && hexadecimal.unwrap_or(label).chars().all(is_digit)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One direction of a TCP connection inside the virtual network. The other direction is [`FlowKey::reversed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowKey {
    /// The source of the packets.
    pub src: SocketAddrV4,
    /// The destination of the packets.
    pub dst: SocketAddrV4,
}

impl FlowKey {
    /// The other direction of the same connection.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            src: self.dst,
            dst: self.src,
        }
    }
}

impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.src, self.dst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vip_is_a_loopback_address_that_the_machine_does_not_use() {
        assert!("127.0.42.101".parse::<Vip>().is_ok());
        assert_eq!("127.0.0.1".parse::<Vip>(), Err(VipError::Reserved));
        assert_eq!("127.255.255.255".parse::<Vip>(), Err(VipError::Reserved));
        assert_eq!("10.0.0.1".parse::<Vip>(), Err(VipError::NotLoopback));
        assert_eq!("127.0.042.101".parse::<Vip>(), Err(VipError::Syntax));
        assert_eq!("::1".parse::<Vip>(), Err(VipError::Syntax));
    }

    #[test]
    fn names_compare_without_regard_to_case() {
        assert_eq!(
            "GKE-Pod.Example".parse::<HostName>(),
            "gke-pod.example".parse()
        );
    }

    #[test]
    fn a_name_that_no_resolver_accepts_is_refused() {
        assert_eq!("".parse::<HostName>(), Err(HostNameError::Empty));
        assert_eq!("a..b".parse::<HostName>(), Err(HostNameError::Empty));
        assert_eq!("-a".parse::<HostName>(), Err(HostNameError::Character));
        assert_eq!("a b".parse::<HostName>(), Err(HostNameError::Character));
        assert_eq!(
            "\u{1b}[2J".parse::<HostName>(),
            Err(HostNameError::Character)
        );
        assert_eq!(
            "x".repeat(64).parse::<HostName>(),
            Err(HostNameError::TooLong)
        );
        assert_eq!(
            "LocalHost".parse::<HostName>(),
            Err(HostNameError::Localhost)
        );
    }

    #[test]
    fn a_name_that_is_an_address_in_any_spelling_is_refused() {
        for address in [
            "127.0.42.150",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f.1",
            "0X7F000001",
            "0x",
            "017700000001",
            "0177.0.0.01",
            "1.2.3.4.5",
            "999.1",
            "::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "2001:db8::",
        ] {
            assert_eq!(
                address.parse::<HostName>(),
                Err(HostNameError::Address),
                "{address}"
            );
        }
        for name in [
            "h7",
            "7h",
            "10.0.0.1.nip.io",
            "web.1",
            "1.web",
            "0xg",
            "x0",
            "face",
            "dead.beef",
        ] {
            assert!(name.parse::<HostName>().is_ok(), "{name}");
        }
    }
}
