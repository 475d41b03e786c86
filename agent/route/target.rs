//! One destination outside the network: a block of addresses, or a pattern of names. The module also lists the special
//! blocks of addresses. A route leads to a special address only if the route's own block lies inside such a special
//! block.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use wildmatch::WildMatch;

/// Blocks of addresses that mean something different on every machine, or that only the machine itself should use, each
/// with a description. A route leads to such an address only if the route's block lies inside one of these blocks.
const SPECIAL_V4: [(Ipv4Net, &str); 9] = [
    (v4([0, 0, 0, 0], 8), "an address that says \"this network\""),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    // Most clouds serve the metadata of a machine at 169.254.169.254, and some at other addresses of this block.
    (v4([169, 254, 0, 0], 16), "a link-local address"),
    (v4([224, 0, 0, 0], 4), "a multicast address"),
    (v4([240, 0, 0, 0], 4), "a reserved address"),
    (v4([255, 255, 255, 255], 32), "the broadcast address"),
    (
        v4([100, 100, 100, 200], 32),
        "the metadata service of Alibaba Cloud",
    ),
    (v4([168, 63, 129, 16], 32), "the host agent of Azure"),
    (
        v4([192, 0, 0, 192], 32),
        "the metadata service of Oracle Cloud",
    ),
];

/// The special blocks of IPv6, each with a description. See [`SPECIAL_V4`].
const SPECIAL_V6: [(Ipv6Net, &str); 10] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "the unspecified address"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "the loopback address"),
    (
        v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
        "a link-local address",
    ),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "a multicast address"),
    (
        v6([0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], 128),
        "the metadata service of Akamai",
    ),
    (
        v6([0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200], 128),
        "the metadata service of Alibaba Cloud",
    ),
    (
        v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32),
        "a service of AWS for its machines",
    ),
    (
        v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        "the metadata service of Google Cloud",
    ),
    (
        v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128),
        "the metadata service of Oracle Cloud",
    ),
    (
        v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128),
        "the metadata service of Scaleway",
    ),
];

const fn v4(address: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(address), bits)
}

const fn v6(address: [u16; 8], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(address), bits)
}

/// A destination of a route, or an exception from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A block of addresses.
    Cidr(IpNet),
    /// All names that match a pattern.
    Glob(Glob),
}

/// A pattern for host names. `*` matches any text, even with dots.
#[derive(Clone, PartialEq)]
pub struct Glob {
    pub(super) text: String,
    pub(super) pattern: WildMatch,
}

// The debug output shows the pattern as text.
impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

// Two patterns are equal if their texts are equal.
impl Eq for Glob {}

/// The reason why a text is not a [`Target`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The text is an address without a prefix length.
    #[error("a bare address")]
    BareAddress(IpAddr),
    /// A number in the address of a block begins with a zero, as in `010.0.0.0/8`.
    #[error("a block with a leading zero")]
    LeadingZero,
    /// The text has a `/`, but is not an address with a prefix length.
    #[error("not a CIDR block")]
    Cidr,
    /// The text has characters that cannot be in a name.
    #[error("neither a CIDR block nor a host name glob")]
    Glob,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Ok(address) = text.parse() {
            return Err(TargetError::BareAddress(address));
        }
        if let Some((address, _)) = text.split_once('/') {
            let mut numbers = address.rsplit(':').next().unwrap_or(address).split('.');
            let is_digit = |c: char| c.is_ascii_digit();
            let has_zero = |number: &str| {
                let behind = number.strip_prefix('0');
                behind.is_some_and(|behind| behind.starts_with(is_digit))
            };
            if address.contains('.') && numbers.any(has_zero) {
                return Err(TargetError::LeadingZero);
            }
            let block = text.parse().map_err(|_| TargetError::Cidr)?;
            return Ok(Self::Cidr(block));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.*".contains(c);
        if text.is_empty() || text.len() > 253 || !text.chars().all(fits) {
            return Err(TargetError::Glob);
        }
        Ok(Self::Glob(Glob {
            text: text.to_owned(),
            pattern: WildMatch::new(&plain(text)),
        }))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(block) => block.fmt(f),
            Self::Glob(glob) => f.write_str(&glob.text),
        }
    }
}

impl Target {
    /// Whether the target includes an address.
    pub fn has_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Cidr(block) => block.contains(&address),
            Self::Glob(_) => false,
        }
    }

    /// Whether the target includes a name, which must be in lower case and without a dot at its end.
    pub fn has_name(&self, name: &str) -> bool {
        match self {
            Self::Cidr(_) => false,
            Self::Glob(glob) => glob.pattern.matches(name),
        }
    }

    /// Whether the target is a block that lies inside a special block, and includes this address.
    pub fn names_special(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Cidr(IpNet::V4(block)), IpAddr::V4(address)) => {
                block.contains(&address)
                    && SPECIAL_V4
                        .iter()
                        .any(|(special, _)| special.contains(block))
            }
            (Self::Cidr(IpNet::V6(block)), IpAddr::V6(address)) => {
                block.contains(&address)
                    && SPECIAL_V6
                        .iter()
                        .any(|(special, _)| special.contains(block))
            }
            _ => false,
        }
    }
}

/// Whether an address is in a special block.
pub fn is_special(address: IpAddr) -> bool {
    what_is(address).is_some()
}

/// A description of an address in a special block; `None` for other addresses.
pub fn what_is(address: IpAddr) -> Option<&'static str> {
    let v4 = |address: Ipv4Addr| {
        let (_, what) = SPECIAL_V4
            .iter()
            .find(|(block, _)| block.contains(&address))?;
        Some(*what)
    };
    let v6 = |address: Ipv6Addr| {
        let (_, what) = SPECIAL_V6
            .iter()
            .find(|(block, _)| block.contains(&address))?;
        Some(*what)
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| v6(address), v4),
    }
}

/// The IPv4 address that is embedded in an IPv6 address; `None` if there is none. The IPv6 address is then either
/// IPv4-mapped (RFC 4291 section 2.5.5.2) or reached through NAT64 (RFC 6052 section 2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else {
        return address.to_ipv4_mapped();
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

/// The form in which names and patterns are compared: lower case, and without the final dot of a complete name.
pub(super) fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_names_every_special_address() {
        let manual = include_str!("../../docs/MANIFEST.md");
        let v4 = SPECIAL_V4
            .iter()
            .map(|(block, what)| (IpNet::from(*block), what));
        let v6 = SPECIAL_V6
            .iter()
            .map(|(block, what)| (IpNet::from(*block), what));
        for (block, what) in v4.chain(v6) {
            assert!(is_special(block.addr()), "{block}");
            let single = block.prefix_len() == block.max_prefix_len();
            let text = if single {
                block.addr().to_string()
            } else {
                block.to_string()
            };
            assert!(
                manual.contains(&format!("`{text}` | {what}")),
                "`{text}` | {what}"
            );
        }
    }

    #[test]
    fn a_target_is_written_as_it_was_read() {
        for text in ["192.168.95.1/24", "*.Compute.internal", "fd00::/8", "*"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.0/33".parse::<Target>(), Err(TargetError::Cidr));
        assert_eq!("a b".parse::<Target>(), Err(TargetError::Glob));
        for (block, error) in [
            ("10.0.0.01/32", TargetError::LeadingZero),
            ("10.0.0.0 /8", TargetError::Cidr),
            ("0x10.0.0.0/8", TargetError::Cidr),
        ] {
            assert_eq!(block.parse::<Target>(), Err(error), "{block}");
        }
        let bare = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(
            "10.0.0.1".parse::<Target>(),
            Err(TargetError::BareAddress(bare))
        );
    }
}
