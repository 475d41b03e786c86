//! Decides what an agent may do, and where names and addresses lead. The decisions depend on the configuration, on the
//! limits of the machine, and on the addresses that this gateway's DNS server has given to other hosts. This module
//! performs no actions.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
};

use super::{
    config::{Config, ManagerFeatures},
    given::Given,
    words::{Proxy, Purpose, Service},
};
use crate::{
    addr::{Port, Vip},
    destination::{Destination, Host},
    flow::Reach,
    limits::Limits,
    names::Zone,
    proxy::{Outward, Upstream},
    time::Instant,
    wire::control::{Configure, ProblemReport},
};

/// The configuration and the limits that decide what an agent may do.
pub struct Rights {
    /// The limits of this machine.
    pub(super) limits: Limits,
    /// The reason why the limits could not be read; `None` if they could be read.
    unfit: Option<String>,
    pub(super) config: Option<Config>,
    /// The addresses that this gateway's DNS server has given to other hosts.
    pub(super) given: Given,
    /// Hosts that are lost: their addresses are held, so that connections to them are refused.
    pub(super) lost: BTreeSet<Ipv4Addr>,
    /// Hosts that are far away.
    pub(super) far: BTreeSet<Ipv4Addr>,
    /// The person's own proxies. They lead to destinations outside the network.
    pub(super) outward: Outward,
}

impl Rights {
    /// If the limits could not be read, every configuration is refused with the error in `limits`.
    pub(super) fn new(limits: Result<Limits, String>) -> Self {
        Self {
            unfit: limits.as_ref().err().cloned(),
            limits: limits.unwrap_or_else(|_| Limits::nothing()),
            config: None,
            given: Given::default(),
            lost: BTreeSet::new(),
            far: BTreeSet::new(),
            outward: Outward::default(),
        }
    }

    /// The person's own proxy for a destination; `None` if the destination belongs to the network, if a route leads
    /// there, or if the person has no proxy for it.
    pub(super) fn outward(&self, destination: &Destination) -> Option<&Arc<Upstream>> {
        let config = self.config.as_ref();
        if config.is_some_and(|config| config.has(&destination.host)) {
            return None;
        }
        self.outward.to(destination, self.listen())
    }

    /// How far away the other end of a flow is. A destination outside the network is far if one of the gateways is: it may
    /// be reached through that one.
    pub(super) fn reach(&self, remote: Ipv4Addr) -> Reach {
        let own = self.own();
        let is_far = |vip: Ipv4Addr| self.far.contains(&vip);
        let is_gateway = |vip: &Ipv4Addr| {
            let config = self.config.as_ref();
            config
                .is_some_and(|config| Vip::new(*vip).is_ok_and(|it| config.routes.has_gateway(it)))
        };
        let is_beyond = || Vip::new(remote).is_err() && self.far.iter().any(is_gateway);
        if own != Some(remote) && (own.is_some_and(is_far) || is_far(remote) || is_beyond()) {
            Reach::Far
        } else {
            Reach::Near
        }
    }

    /// Whether the person has set a proxy other than this host's own proxies.
    pub(super) fn goes_out(&self) -> bool {
        self.outward.leads_out(&self.listen())
    }

    /// The addresses of this host's proxies.
    fn listen(&self) -> Vec<SocketAddr> {
        let configs = self.config.iter();
        let proxies = configs.flat_map(|config| [&config.http, &config.socks]);
        proxies.flatten().map(|proxy| proxy.listen).collect()
    }

    /// Reads a configuration without applying it. The second value lists the parts of it that the limits do not permit.
    pub(super) fn read(&self, args: Configure) -> Result<(Config, Vec<ProblemReport>), String> {
        if let Some(reason) = &self.unfit {
            return Err(reason.clone());
        }
        let mut config = Config::read(args)?;
        if let Some(old) = &self.config
            && old.me != config.me
        {
            return Err(format!("this agent is {}, and stays it", old.me));
        }
        let denied = config.limit(&self.limits);
        Ok((config, denied))
    }

    /// This host's own address. `None` before the configuration.
    pub fn me(&self) -> Option<Vip> {
        self.config.as_ref().map(|config| config.me)
    }

    /// This host's own address, in the type that packets use; `None` before the configuration.
    pub(super) fn own(&self) -> Option<Ipv4Addr> {
        self.me().map(Vip::address)
    }

    /// The names of the network; `None` before the configuration.
    pub fn zone(&self) -> Option<&Zone> {
        self.config.as_ref().map(|config| &config.zone)
    }

    /// The addresses of the network's DNS servers.
    pub fn dns_servers(&self) -> Vec<SocketAddrV4> {
        let servers = self.config.iter().flat_map(|config| &config.dns);
        servers.map(|(vip, port)| vip.socket(*port)).collect()
    }

    /// Whether the path to a host can depend on the host's address. It can if the host is given as a name and a route
    /// leads to a block of addresses.
    pub(super) fn depends_on_address(&self, host: &Host) -> bool {
        let config = self.config.as_ref();
        matches!(host, Host::Name(_)) && config.is_some_and(Config::routes_addresses)
    }

    /// The configuration of a proxy; `None` if this host has no proxy for this purpose.
    pub fn proxy(&self, purpose: Purpose) -> Option<&Proxy> {
        let config = self.config.as_ref()?;
        match purpose {
            Purpose::Http => config.http.as_ref(),
            Purpose::Socks => config.socks.as_ref(),
            Purpose::Network | Purpose::Dns => None,
        }
    }

    /// Whether a listener for this purpose accepts only programs of this agent's own user. This is false for DNS over
    /// UDP, because the user who sent a datagram is not known.
    pub fn is_for_same_user(&self, purpose: Purpose) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.is_for_same_user(purpose))
    }

    /// The service or dial target for connections to an address; `None` if this host serves nothing there.
    pub(super) fn served_at(&self, now: Instant, address: SocketAddrV4) -> Option<Served> {
        let config = self.config.as_ref()?;
        let port = Port::new(address.port())?;
        if *address.ip() != config.me.address() {
            let relays = self.relays_packets_to(now, *address.ip());
            return relays.then(|| Served::Dial(address.ip().to_string(), port.get()));
        }
        if let Some((host, port)) = config.forwards.get(&port) {
            return Some(Served::Dial(host.clone(), *port));
        }
        let port = Some(&port);
        if config.dns.get(&config.me) == port {
            return Some(Served::Service(Service::Dns));
        }
        (config.relays.get(&config.me) == port).then_some(Served::Service(Service::Relay))
    }

    /// The features that the manager has announced; none before the configuration.
    pub(super) fn manager_features(&self) -> ManagerFeatures {
        let config = self.config.as_ref();
        config
            .map(|config| config.manager_features)
            .unwrap_or_default()
    }

    /// The name of the host with this address, or the address if it has no name.
    pub(super) fn called(&self, host: Ipv4Addr) -> String {
        let name = self.zone().and_then(|zone| zone.name(host));
        name.map_or_else(|| host.to_string(), ToString::to_string)
    }
}

/// The service or dial target of this host at an address.
pub(super) enum Served {
    /// A service of the agent itself.
    Service(Service),
    /// The dial target: an address or a name, and a port.
    Dial(String, u16),
}
