//! What an agent may do, and where things are for it: by its configuration, the limits of its machine, and what it has given to
//! other hosts as a gateway. It only answers.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::{
    config::{Config, ManagerFeatures},
    given::Given,
    words::{Proxy, Purpose, Service},
};
use crate::{
    addr::{Port, Vip},
    limits::Limits,
    names::Zone,
    time::Instant,
    wire::control::{Configure, ProblemReport},
};

/// What an agent may do, as far as it is known.
pub struct Rights {
    /// What this machine permits.
    pub(super) limits: Limits,
    /// Why the limits cannot be known.
    unfit: Option<String>,
    pub(super) config: Option<Config>,
    /// The addresses that the DNS server of this gateway has given.
    pub(super) given: Given,
}

impl Rights {
    /// If the limits cannot be known, every configuration is refused, for this reason.
    pub(super) fn new(limits: Result<Limits, String>) -> Self {
        Self {
            unfit: limits.as_ref().err().cloned(),
            limits: limits.unwrap_or_else(|_| Limits::nothing()),
            config: None,
            given: Given::default(),
        }
    }

    /// Reads a configuration, without applying it. Its second part is what of it is not permitted.
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

    /// This host's own address; `None` before the configuration.
    pub fn me(&self) -> Option<Vip> {
        self.config.as_ref().map(|config| config.me)
    }

    /// This host's own address, as packets have it.
    pub(super) fn own(&self) -> Option<Ipv4Addr> {
        self.me().map(Vip::address)
    }

    /// The names of the network.
    pub fn zone(&self) -> Option<&Zone> {
        self.config.as_ref().map(|config| &config.zone)
    }

    /// The DNS servers of the network.
    pub fn dns_servers(&self) -> Vec<SocketAddrV4> {
        let servers = self.config.iter().flat_map(|config| &config.dns);
        servers.map(|(vip, port)| vip.socket(*port)).collect()
    }

    /// A proxy as it is configured.
    pub fn proxy(&self, purpose: Purpose) -> Option<&Proxy> {
        let config = self.config.as_ref()?;
        match purpose {
            Purpose::Http => config.http.as_ref(),
            Purpose::Socks => config.socks.as_ref(),
            Purpose::Network | Purpose::Dns => None,
        }
    }

    /// Whether only programs of this agent's own user are let in at a listener for this purpose. Questions over UDP
    /// have no user.
    pub fn is_for_same_user(&self, purpose: Purpose) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.is_for_same_user(purpose))
    }

    /// What is served at an address, if anything is.
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

    /// What the manager has announced; nothing before it has announced anything.
    pub(super) fn manager_features(&self) -> ManagerFeatures {
        let config = self.config.as_ref();
        config
            .map(|config| config.manager_features)
            .unwrap_or_default()
    }

    /// The name of the host with this address, or the address.
    pub(super) fn called(&self, host: Ipv4Addr) -> String {
        let name = self.zone().and_then(|zone| zone.name(host));
        name.map_or_else(|| host.to_string(), ToString::to_string)
    }
}

/// What is served at an address of the network.
pub(super) enum Served {
    /// Something that the agent has itself.
    Service(Service),
    /// What is dialled for it: an address or a name, and a port.
    Dial(String, u16),
}
