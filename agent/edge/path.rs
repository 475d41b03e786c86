//! Finds the path to a destination for a proxy's client, and decides what a gateway connects to for other hosts.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
};

use super::{config::Config, rights::Rights};
use crate::{
    addr::{Port, Vip},
    destination::{Destination, Host},
    names::SUFFIX,
    route,
    time::Instant,
    wire::{Cause, Failure},
};

/// The path to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// Connect directly from this host, like any other program on this host.
    Direct,
    /// Connect to this address inside the network.
    Network(SocketAddrV4),
    /// Connect through the first of these gateways that is up.
    Gateways(Vec<Gateway>),
}

/// A host that dials on behalf of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The gateway's address inside the network.
    pub vip: Vip,
    /// The port of its relay; `None` if it has none.
    pub relay: Option<Port>,
    /// The port of its DNS server; `None` if it has none.
    pub dns: Option<Port>,
}

/// Keeps the addresses of a destination that `may` permits. If it permits none, fails with the failure for the first
/// address.
pub fn permitted(
    mut addresses: Vec<SocketAddr>,
    may: impl Fn(IpAddr) -> Result<(), Failure>,
) -> Result<Vec<SocketAddr>, Failure> {
    let mut refused = None;
    addresses.retain(|address| match may(address.ip()) {
        Ok(()) => true,
        Err(failure) => {
            refused.get_or_insert(failure);
            false
        }
    });
    match refused {
        Some(failure) if addresses.is_empty() => Err(failure),
        Some(_) | None => Ok(addresses),
    }
}

impl Rights {
    /// The path to a destination. Fails if the name belongs to the network's domain, but no host has it.
    pub fn path(&self, destination: &Destination) -> Result<Path, Failure> {
        let Some(config) = &self.config else {
            return Ok(Path::Direct);
        };
        let port = destination.port;
        let in_network = |vip| Ok(Path::Network(SocketAddrV4::new(vip, port)));
        match &destination.host {
            Host::Ip(IpAddr::V4(address)) if config.zone.name(*address).is_some() => {
                in_network(*address)
            }
            Host::Ip(address) => Ok(config.through(config.routes.to_address(*address))),
            Host::Name(name) => {
                if let Some(address) = config.zone.address(name) {
                    return in_network(address);
                }
                if name
                    .strip_suffix(SUFFIX)
                    .is_some_and(|rest| rest.ends_with('.') || rest.is_empty())
                {
                    return Err(Failure {
                        cause: Cause::NameNotFound,
                        reason: format!("No host of the network is called {name}."),
                    });
                }
                Ok(config.through(config.routes.to_name(name)))
            }
        }
    }

    /// Whether this agent dials a destination for other hosts. It does so only if a route leads to the destination
    /// through this host, and if the limits of this machine permit the dial.
    pub fn may_relay_to(&self, destination: &Destination) -> Result<(), Failure> {
        self.may_be_gateway()?;
        let route = self.config.as_ref().and_then(|config| {
            let route = match &destination.host {
                Host::Ip(address) => config.routes.to_address(*address),
                Host::Name(name) => config.routes.to_name(name),
            };
            route.filter(|route| route.via.contains(&config.me))
        });
        if route.is_none() {
            return Err(Failure {
                cause: Cause::NotAllowed,
                reason: format!(
                    "No route of the manifest leads through this gateway to {destination}."
                ),
            });
        }
        self.may_dial(destination)
    }

    /// Whether this agent connects, for other hosts, to an address that a destination has resolved to.
    pub fn may_connect_for_others(
        &self,
        destination: &Destination,
        address: IpAddr,
    ) -> Result<(), Failure> {
        let by_routes = self.config.as_ref().is_some_and(|config| {
            let excepted = match &destination.host {
                Host::Ip(_) => false,
                Host::Name(name) => {
                    let route = config.routes.to_name(name);
                    route.is_none_or(|route| route.excepts(address))
                }
            };
            !excepted && config.routes.may_relay(config.me, address)
        });
        if !by_routes {
            let what = route::what_is(address);
            let what = what.map_or_else(String::new, |what| format!(" ({what})"));
            return Err(Failure {
                cause: Cause::NotAllowed,
                reason: format!(
                    "{destination} is {address}{what} there, which is never dialled for others; publish the port instead, or \
                     write that address as a route."
                ),
            });
        }
        self.may_connect(destination, address)
    }

    /// Whether this agent connects, for one of its published ports, to an address that the port's target has resolved
    /// to. The names of the network are in the hosts file, so the name of a target may resolve to an address of the
    /// network by accident. The agent does not connect to such an address, because its own listener would accept the
    /// connection and lead it back to this port.
    pub fn may_connect_for_port(
        &self,
        destination: &Destination,
        address: IpAddr,
    ) -> Result<(), Failure> {
        if self
            .config
            .as_ref()
            .is_some_and(|config| config.leads_back(destination, address))
        {
            return Err(Failure {
                cause: Cause::NameNotFound,
                reason: format!(
                    "{destination} is {address} there, an address of this network, and a connection would lead back into it."
                ),
            });
        }
        self.may_connect(destination, address)
    }

    /// The name of a destination if it is a name of the network. For such a name, other resolvers may give a different
    /// address.
    pub fn name_in_network<'d>(&self, destination: &'d Destination) -> Option<&'d str> {
        match &destination.host {
            Host::Ip(_) => None,
            Host::Name(name) => self.zone()?.address(name).map(|_| name.as_str()),
        }
    }

    /// Whether this agent connects to an address for other hosts. `is_own` means that the address belongs to this
    /// machine. Services at such an address are reserved for the machine's own programs, unless a route names the
    /// address.
    pub fn may_be_own(
        &self,
        destination: &Destination,
        address: IpAddr,
        is_own: bool,
    ) -> Result<(), Failure> {
        if !is_own || self.means_own(address) {
            return Ok(());
        }
        Err(Failure {
            cause: Cause::NotAllowed,
            reason: format!(
                "{destination} is {address} (an address of that machine itself) there, which is never dialled for \
                 others; publish the port instead, or write that address as a route."
            ),
        })
    }

    /// The ports that a host of the network publishes.
    pub(super) fn published_by(&self, host: Ipv4Addr) -> BTreeSet<u16> {
        let published = self.config.iter().flat_map(|config| &config.published);
        let published = published.filter(|at| *at.ip() == host);
        published.map(SocketAddrV4::port).collect()
    }

    /// Whether an agent has a service of its own at this address.
    pub(super) fn is_service(&self, address: SocketAddrV4) -> bool {
        let config = self.config.iter();
        let mut services = config.flat_map(|config| config.dns.iter().chain(&config.relays));
        services.any(|(vip, port)| vip.socket(*port) == address)
    }

    /// Whether a route names this address specifically. If so, other hosts may reach the address even if it is one of
    /// this host's own.
    pub(super) fn means_own(&self, address: IpAddr) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.routes.means(config.me, address))
    }

    /// Notes that this gateway's DNS server has given these addresses for `name` to another host. For a while, other
    /// hosts may connect to them if a route for the name leads through this gateway.
    pub(super) fn handle_given(&mut self, now: Instant, name: &str, addresses: &[IpAddr]) {
        let Some(config) = &self.config else { return };
        let Some(route) = config.routes.to_name(name) else {
            return;
        };
        if !route.via.contains(&config.me) {
            return;
        }
        for address in addresses {
            if let IpAddr::V4(v4) = address
                && !route.excepts(*address)
                && config.routes.may_relay(config.me, *address)
            {
                self.given.remember(now, *v4);
            }
        }
    }

    /// Whether this agent dials an address outside the network for flows of other hosts.
    pub(super) fn relays_packets_to(&self, now: Instant, address: Ipv4Addr) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        if self.may_be_gateway().is_err() {
            return false;
        }
        let route = config.routes.to_address(address.into());
        route.is_some_and(|route| route.via.contains(&config.me)) || self.given.has(now, address)
    }
}

impl Config {
    /// Whether a connection of a published port would come back into the network. The manifest may name an address of
    /// the network on purpose, but not the very port for which the connection is made.
    fn leads_back(&self, destination: &Destination, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else {
            return false;
        };
        match &destination.host {
            Host::Name(_) => self.zone.name(address).is_some(),
            Host::Ip(_) => {
                let at = SocketAddrV4::new(address, destination.port);
                self.loopback && address == self.me.address() && self.published.contains(&at)
            }
        }
    }
}

impl Config {
    /// Whether a host belongs to the network, or a route leads to it, perhaps through this host itself.
    pub(super) fn has(&self, host: &Host) -> bool {
        match host {
            Host::Ip(address) => {
                let is_vip = matches!(address, IpAddr::V4(v4) if self.zone.name(*v4).is_some());
                is_vip || self.routes.to_address(*address).is_some()
            }
            Host::Name(name) => {
                self.zone.address(name).is_some() || self.routes.to_name(name).is_some()
            }
        }
    }

    /// Whether any route leads to a block of addresses. If one does, the path to a name can depend on the name's
    /// address.
    pub(super) fn routes_addresses(&self) -> bool {
        let mut targets = self.routes.iter().flat_map(|route| &route.to);
        targets.any(|target| matches!(target, route::Target::Cidr(_)))
    }

    fn through(&self, route: Option<&crate::route::Route>) -> Path {
        let Some(route) = route else {
            return Path::Direct;
        };
        // This host is itself a gateway of the route, so it connects directly.
        if route.via.contains(&self.me) {
            return Path::Direct;
        }
        let gateways = route.via.iter().map(|vip| Gateway {
            vip: *vip,
            relay: self.relays.get(vip).copied(),
            dns: self.dns.get(vip).copied(),
        });
        Path::Gateways(gateways.collect())
    }
}
