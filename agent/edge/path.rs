//! Where a connection goes that a client of a proxy asks for, and what a gateway does for others.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use super::{Core, config::Config};
use crate::{
    addr::{Port, Vip},
    names::SUFFIX,
    proxy::{Cause, Destination, Failure, Host},
    time::Instant,
};

/// How long an address that this gateway's DNS server has given may be dialled by those who asked.
const GIVEN_MAX: Duration = Duration::from_hours(1);

/// How many such addresses are remembered.
const GIVEN_ENTRIES_MAX: usize = 4_096;

/// The way to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// From this host, like any program on it.
    Direct,
    /// To this address of the network.
    Network(SocketAddrV4),
    /// Through the first of these gateways that is there.
    Gateways(Vec<Gateway>),
}

/// A host that dials for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The host.
    pub vip: Vip,
    /// Where it takes names and addresses, if it does.
    pub relay: Option<Port>,
    /// Its DNS server, if there is one.
    pub dns: Option<Port>,
}

impl Core {
    /// The way to a destination. It fails for what belongs to the network and is not there.
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

    /// Whether this agent dials there for other hosts: only what its routes say.
    pub fn may_relay_to(&self, destination: &Destination) -> Result<(), Failure> {
        let route = self.config.as_ref().and_then(|config| {
            let route = match &destination.host {
                Host::Ip(address) => config.routes.to_address(*address),
                Host::Name(name) => config.routes.to_name(name),
            };
            route.filter(|route| route.via.contains(&config.me))
        });
        route.map(|_| ()).ok_or_else(|| Failure {
            cause: Cause::NotAllowed,
            reason: format!(
                "No route of the manifest leads through this gateway to {destination}."
            ),
        })
    }

    /// Whether this agent connects for other hosts to an address that a destination has led it to.
    pub fn may_connect_for_others(&self, destination: &Destination, address: IpAddr) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        let excepted = match &destination.host {
            Host::Ip(_) => false,
            Host::Name(name) => {
                let route = config.routes.to_name(name);
                route.is_none_or(|route| route.excepts(address))
            }
        };
        !excepted && config.routes.may_relay(config.me, address)
    }

    /// This gateway's DNS server has given these addresses for a name to another host, which may connect to them for a
    /// while if a route leads the name through here.
    pub fn handle_given(&mut self, now: Instant, name: &str, addresses: &[IpAddr]) {
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

    /// Whether a flow to an address that is not this host's own is one that it dials for others.
    pub(super) fn relays_packets_to(&self, now: Instant, address: Ipv4Addr) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        let route = config.routes.to_address(address.into());
        route.is_some_and(|route| route.via.contains(&config.me)) || self.given.has(now, address)
    }
}

impl Config {
    fn through(&self, route: Option<&crate::route::Route>) -> Path {
        let Some(route) = route else {
            return Path::Direct;
        };
        // This host is a gateway itself: whatever it can reach, it reaches.
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

/// The addresses that a gateway's DNS server has given.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeMap<Ipv4Addr, Instant>);

impl Given {
    fn remember(&mut self, now: Instant, address: Ipv4Addr) {
        if self.0.len() >= GIVEN_ENTRIES_MAX && !self.0.contains_key(&address) {
            self.0.retain(|_, given| now - *given < GIVEN_MAX);
            let oldest = self.0.iter().min_by_key(|(_, given)| **given);
            if self.0.len() >= GIVEN_ENTRIES_MAX
                && let Some((&oldest, _)) = oldest
            {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(address, now);
    }

    fn has(&self, now: Instant, address: Ipv4Addr) -> bool {
        let given = self.0.get(&address);
        given.is_some_and(|given| now - *given < GIVEN_MAX)
    }
}
