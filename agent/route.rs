//! Destinations outside the network, and the hosts through which they are reached.
//!
//! The manager and every agent use the same table, so that they agree on every destination.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use wildmatch::WildMatch;

use crate::addr::Vip;

pub mod policy;

/// Addresses that have another meaning on every machine, or that only the machine itself should use, with the kind of
/// each block. A route leads to them only if it names a part of one of these blocks.
const SPECIAL_V4: [(Ipv4Net, &str); 9] = [
    (v4([0, 0, 0, 0], 8), "an address that says \"this network\""),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    // Most clouds keep the metadata of a machine at 169.254.169.254, and some at other addresses of this block.
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

/// The same kinds of addresses for IPv6.
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

/// A block with a shorter prefix than this counts as "everywhere": `0.0.0.0/1` does, `10.0.0.0/8` does not.
const WIDE_V4: u8 = 8;
const WIDE_V6: u8 = 16;

/// A destination of a route, or an exception from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A block of addresses.
    Cidr(IpNet),
    /// All names that match a pattern.
    Glob(Glob),
}

/// A pattern for host names: `*` matches any text, dots included.
#[derive(Clone, PartialEq)]
pub struct Glob {
    text: String,
    pattern: WildMatch,
}

// The debug output is the text of the pattern, character by character.
impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

// Two patterns are equal if their texts are.
impl Eq for Glob {}

/// The reason why a text is not a [`Target`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The text is an address without a prefix length.
    #[error("a bare address")]
    BareAddress(IpAddr),
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
        if text.contains('/') {
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

    /// Whether the target lies within one of the special blocks, and includes this address.
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

/// Destinations, and the hosts that can reach them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The gateways, at least one. The first that is up dials.
    pub via: Vec<Vip>,
    /// The destinations that they dial.
    pub to: Vec<Target>,
    /// The exceptions. For these, earlier routes may decide.
    pub not_to: Vec<Target>,
}

impl Route {
    fn leads_to(&self, has: impl Fn(&Target) -> bool) -> bool {
        self.to.iter().any(&has) && !self.not_to.iter().any(&has)
    }

    /// Whether an address is one of the exceptions, no matter which name it was resolved from.
    pub fn excepts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.not_to.iter().any(|not_to| not_to.has_address(address))
    }

    /// Whether the route has patterns of names. Only its gateways know the addresses of such names.
    pub fn has_globs(&self) -> bool {
        self.to.iter().any(|to| matches!(to, Target::Glob(_)))
    }

    /// Whether a target of the route lies within one of the special blocks, and includes this address.
    fn names_special(&self, address: IpAddr) -> bool {
        self.to.iter().any(|to| to.names_special(address))
    }
}

/// All routes of a network. Later ones win over earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// The routes in the order of the manifest.
    pub const fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// The routes in the order of the manifest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Route> {
        self.0.iter()
    }

    /// The route to an address, which must not be one of the network's own addresses.
    pub fn to_address(&self, address: IpAddr) -> Option<&Route> {
        let address = address.to_canonical();
        let routes = self.0.iter().rev();
        let mut leading = routes.filter(|route| route.leads_to(|to| to.has_address(address)));
        leading.find(|route| !is_special(address) || route.names_special(address))
    }

    /// The route to a name. No route leads to `localhost`, because every machine has its own (RFC 6761 section 6.3).
    pub fn to_name(&self, name: &str) -> Option<&Route> {
        let name = plain(name);
        if name == "localhost" || name.ends_with(".localhost") {
            return None;
        }
        let mut routes = self.0.iter().rev();
        routes.find(|route| route.leads_to(|to| to.has_name(&name)))
    }

    /// The last route that would lead to an address if the address were not one of the route's exceptions.
    pub fn excepting_address(&self, address: IpAddr) -> Option<&Route> {
        let address = address.to_canonical();
        self.excepting(|target| target.has_address(address))
    }

    /// The last route that would lead to a name if the name were not one of the route's exceptions.
    pub fn excepting_name(&self, name: &str) -> Option<&Route> {
        let name = plain(name);
        self.excepting(|target| target.has_name(&name))
    }

    fn excepting(&self, has: impl Fn(&Target) -> bool) -> Option<&Route> {
        let mut routes = self.0.iter().rev();
        routes.find(|route| route.to.iter().any(&has) && route.not_to.iter().any(&has))
    }

    /// Whether a host may connect for others to an address that a name was resolved to.
    pub fn may_relay(&self, host: Vip, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let verbatim = |route: &Route| route.via.contains(&host) && route.names_special(address);
        !is_special(address) || self.0.iter().any(verbatim)
    }

    /// Whether a route through this host names a block that is specifically about this address. Services on a host's
    /// own addresses are for its own programs, unless such a route shows that they are intended for others. A route to
    /// everywhere, or to names, does not show that.
    pub fn means(&self, host: Vip, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let means = |to: &Target| match to {
            Target::Cidr(IpNet::V4(block)) => block.prefix_len() >= WIDE_V4,
            Target::Cidr(IpNet::V6(block)) => block.prefix_len() >= WIDE_V6,
            Target::Glob(_) => false,
        };
        let mut through = self.0.iter().filter(|route| route.via.contains(&host));
        through.any(|route| {
            let mut to = route.to.iter();
            to.any(|to| to.has_address(address) && means(to)) && !route.excepts(address)
        })
    }

    /// Whether a host dials for others.
    pub fn has_gateway(&self, host: Vip) -> bool {
        self.0.iter().any(|route| route.via.contains(&host))
    }
}

/// Whether an address has a different meaning on every machine.
pub fn is_special(address: IpAddr) -> bool {
    what_is(address).is_some()
}

/// The kind of an address that has a different meaning on every machine; `None` for other addresses.
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

/// The IPv4 address behind an IPv6 address that is mapped (RFC 4291 section 2.5.5.2) or translated (RFC 6052 section
/// 2.1). `None` for other addresses.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else {
        return address.to_ipv4_mapped();
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

/// The form in which names and globs are compared: lower case, without the dot that ends a complete name.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vip(last: u8) -> Vip {
        Vip::new(Ipv4Addr::new(127, 0, 42, last)).unwrap()
    }

    fn targets(texts: &[&str]) -> Vec<Target> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn route(via: u8, to: &[&str], not_to: &[&str]) -> Route {
        Route {
            via: vec![vip(via)],
            to: targets(to),
            not_to: targets(not_to),
        }
    }

    fn via_of(route: Option<&Route>) -> Option<Vip> {
        route.map(|route| route.via[0])
    }

    #[test]
    fn later_routes_win_and_exceptions_fall_back_to_earlier_ones() {
        let routes = Routes::new(vec![
            route(1, &["0.0.0.0/0", "*"], &[]),
            route(2, &["10.0.0.0/8", "*.internal"], &["10.9.0.0/16", "old.*"]),
        ]);
        let address = |text: &str| via_of(routes.to_address(text.parse().unwrap()));
        assert_eq!(address("10.1.2.3"), Some(vip(2)));
        assert_eq!(address("10.9.2.3"), Some(vip(1)));
        assert_eq!(address("192.0.2.1"), Some(vip(1)));
        assert_eq!(address("2001:db8::1"), None);
        let name = |text: &str| via_of(routes.to_name(text));
        assert_eq!(name("DB.Internal."), Some(vip(2)));
        assert_eq!(name("old.internal"), Some(vip(1)));
    }

    #[test]
    fn without_a_route_there_is_no_way() {
        let routes = Routes::new(vec![route(1, &["*.internal"], &["secret.internal"])]);
        assert_eq!(routes.to_name("secret.internal"), None);
        assert_eq!(routes.to_name("internal"), None);
        assert_eq!(routes.to_address("10.0.0.1".parse().unwrap()), None);
    }

    #[test]
    fn the_whole_world_does_not_include_the_gateways_own_loopback_and_metadata() {
        let whole = Routes::new(vec![route(1, &["0.0.0.0/0", "::/0"], &[])]);
        for special in [
            "127.0.0.1",
            "169.254.169.254",
            "64:ff9b::169.254.169.254",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fd00:100::100:200",
            "0.1.2.3",
            "224.0.0.1",
            "::1",
            "fe80::1",
        ] {
            let address = special.parse().unwrap();
            assert_eq!(whole.to_address(address), None, "{special}");
            assert!(!whole.may_relay(vip(1), address), "{special}");
        }
        assert!(whole.may_relay(vip(1), "::ffff:10.0.0.1".parse().unwrap()));
        assert!(!whole.may_relay(vip(1), "::ffff:127.0.0.1".parse().unwrap()));
        let but = route(1, &["*"], &["10.9.0.0/16"]);
        assert!(but.excepts("::ffff:10.9.0.1".parse().unwrap()));
        let verbatim = Routes::new(vec![route(1, &["169.254.169.254/32"], &[])]);
        let metadata = "169.254.169.254".parse().unwrap();
        assert_eq!(via_of(verbatim.to_address(metadata)), Some(vip(1)));
        assert!(verbatim.may_relay(vip(1), metadata) && !verbatim.may_relay(vip(2), metadata));
    }

    #[test]
    fn a_route_to_everywhere_or_to_names_does_not_mean_a_hosts_own_address() {
        let own: IpAddr = "10.9.0.1".parse().unwrap();
        for (to, not_to, means) in [
            (&["0.0.0.0/0", "::/0", "*"][..], &[][..], false),
            (&["0.0.0.0/1", "128.0.0.0/1"], &[], false),
            (&["*.internal", "10.8.0.0/16"], &[], false),
            (&["0.0.0.0/0", "10.9.0.1/32"], &[], true),
            (&["10.0.0.0/8"], &[], true),
            (&["10.0.0.0/8"], &["10.9.0.0/16"], false),
        ] {
            let routes = Routes::new(vec![route(1, to, not_to)]);
            assert_eq!(routes.means(vip(1), own), means, "{to:?}");
            assert!(!routes.means(vip(2), own));
        }
        let six = Routes::new(vec![route(1, &["fd00::/8", "fd99::/64"], &[])]);
        assert!(six.means(vip(1), "fd99::1".parse().unwrap()));
        assert!(!six.means(vip(1), "fd98::1".parse().unwrap()));
    }

    #[test]
    fn the_manual_names_every_special_address() {
        let manual = include_str!("../docs/MANIFEST.md");
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
    fn localhost_is_every_machines_own() {
        let whole = Routes::new(vec![route(1, &["*", "localhost", "*.localhost"], &[])]);
        for own in ["localhost", "LocalHost.", "web.localhost"] {
            assert_eq!(whole.to_name(own), None, "{own}");
        }
        assert!(whole.to_name("mylocalhost").is_some());
    }

    #[test]
    fn a_target_is_written_as_it_was_read() {
        for text in ["192.168.95.1/24", "*.Compute.internal", "fd00::/8", "*"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("10.0.0.0/33".parse::<Target>(), Err(TargetError::Cidr));
        assert_eq!("a b".parse::<Target>(), Err(TargetError::Glob));
        let bare = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(
            "10.0.0.1".parse::<Target>(),
            Err(TargetError::BareAddress(bare))
        );
    }
}
