//! Destinations outside the network, and the hosts through which they are reached.
//!
//! The manager and all agents use the same table, so that they always agree on what is routed.

use std::net::IpAddr;

use ipnet::IpNet;

use self::target::plain;
pub use self::target::{Glob, Target, TargetError, is_special, what_is};
use crate::addr::Vip;

pub mod policy;
mod target;

/// A block with a shorter prefix than this counts as "everywhere": `0.0.0.0/1` counts, `10.0.0.0/8` does not.
const WIDE_V4: u8 = 8;
const WIDE_V6: u8 = 16;

/// A route: destinations, and the hosts that can reach them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The gateways, at least one. The first one that is up dials.
    pub via: Vec<Vip>,
    /// The destinations that the gateways dial.
    pub to: Vec<Target>,
    /// Exceptions: this route does not lead to them, even if `to` includes them. Earlier routes may still lead to them.
    pub not_to: Vec<Target>,
}

impl Route {
    fn leads_to(&self, has: impl Fn(&Target) -> bool) -> bool {
        self.to.iter().any(&has) && !self.not_to.iter().any(&has)
    }

    /// Whether an address is one of the exceptions, no matter which name was resolved to it.
    pub fn excepts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.not_to.iter().any(|not_to| not_to.has_address(address))
    }

    /// Whether the route has patterns of names. Only the gateways know the addresses of such names.
    pub fn has_globs(&self) -> bool {
        self.to.iter().any(|to| matches!(to, Target::Glob(_)))
    }

    /// Whether one of the route's blocks lies inside a special block, such as the loopback addresses, and includes this
    /// address.
    fn names_special(&self, address: IpAddr) -> bool {
        self.to.iter().any(|to| to.names_special(address))
    }
}

/// All routes of a network. Later ones win over earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Creates the table from the routes in the order of the manifest.
    pub const fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// The routes in the order of the manifest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Route> {
        self.0.iter()
    }

    /// The route to an address, which must not be one of the network's own addresses. `None` if no route leads there.
    pub fn to_address(&self, address: IpAddr) -> Option<&Route> {
        let address = address.to_canonical();
        let routes = self.0.iter().rev();
        let mut leading = routes.filter(|route| route.leads_to(|to| to.has_address(address)));
        leading.find(|route| !is_special(address) || route.names_special(address))
    }

    /// The route to a name. `None` if there is none. No route leads to `localhost`, because on each machine that name
    /// means the machine itself (RFC 6761 section 6.3).
    pub fn to_name(&self, name: &str) -> Option<&Route> {
        let name = plain(name);
        if name == "localhost" || name.ends_with(".localhost") {
            return None;
        }
        let mut routes = self.0.iter().rev();
        routes.find(|route| route.leads_to(|to| to.has_name(&name)))
    }

    /// The last route that includes an address and lists it as an exception.
    pub fn excepting_address(&self, address: IpAddr) -> Option<&Route> {
        let address = address.to_canonical();
        self.excepting(|target| target.has_address(address))
    }

    /// The last route that includes a name and lists it as an exception.
    pub fn excepting_name(&self, name: &str) -> Option<&Route> {
        let name = plain(name);
        self.excepting(|target| target.has_name(&name))
    }

    fn excepting(&self, has: impl Fn(&Target) -> bool) -> Option<&Route> {
        let mut routes = self.0.iter().rev();
        routes.find(|route| route.to.iter().any(&has) && route.not_to.iter().any(&has))
    }

    /// Whether a host may connect to an address on behalf of other hosts, if the host itself has resolved the address
    /// from a name.
    pub fn may_relay(&self, host: Vip, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let verbatim = |route: &Route| route.via.contains(&host) && route.names_special(address);
        !is_special(address) || self.0.iter().any(verbatim)
    }

    /// Whether a route through this host is meant for this address: the route has a narrow block that includes the
    /// address. Without such a route, a service on one of the gateway's own addresses is reserved for the gateway's own
    /// programs. A route to everywhere, or to names, is not enough.
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

    /// Whether a host is a gateway of any route.
    pub fn has_gateway(&self, host: Vip) -> bool {
        self.0.iter().any(|route| route.via.contains(&host))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

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
    fn localhost_is_every_machines_own() {
        let whole = Routes::new(vec![route(1, &["*", "localhost", "*.localhost"], &[])]);
        for own in ["localhost", "LocalHost.", "web.localhost"] {
            assert_eq!(whole.to_name(own), None, "{own}");
        }
        assert!(whole.to_name("mylocalhost").is_some());
    }
}
