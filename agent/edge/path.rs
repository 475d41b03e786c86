//! Finds the path of a connection that a proxy's client asks for, and decides what a gateway dials for other hosts.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

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
    /// This host dials the destination itself, outside of the network.
    Direct,
    /// To this address inside the network.
    Network(SocketAddrV4),
    /// Through the first of these gateways that can be reached.
    Gateways(Vec<Gateway>),
}

/// A host that dials destinations for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The gateway's address inside the network.
    pub vip: Vip,
    /// The port of its relay. `None` if it has none, and can only be sent packets.
    pub relay: Option<Port>,
    /// The port of its DNS server. `None` if it has none.
    pub dns: Option<Port>,
}

impl Rights {
    /// Finds the path to a destination. Fails for a name of the network's own domain that no host has.
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

    /// Whether this agent may dial a destination for other hosts: a route has to lead to it through this host.
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

    /// Whether this agent may dial, for other hosts, an address that `destination` was resolved to.
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

    /// Whether a route of this gateway names this address explicitly, even if it is one of this machine's own.
    pub fn means_own(&self, address: IpAddr) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.routes.means(config.me, address))
    }

    /// Notes that this gateway's DNS server has given these addresses for a name to another host. Hosts may connect to
    /// them for a while if a route leads the name through this gateway.
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

    /// Whether this agent dials this address for packets of other hosts, although it is not the agent's own.
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
    fn through(&self, route: Option<&crate::route::Route>) -> Path {
        let Some(route) = route else {
            return Path::Direct;
        };
        // This host is one of the gateways, so it dials the destination itself.
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
