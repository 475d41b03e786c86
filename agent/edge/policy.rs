//! Applies the manifest's policy at an agent: it decides which flows enter, what is dialled for other hosts, and gives
//! the reasons of refusals. The manager's switch has checked packets before; the agent checks again, and only the agent
//! knows the names that a gateway is asked for.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use super::{config::Config, path::Gateway, rights::Rights};
use crate::{
    addr::{FlowKey, Port, Vip},
    destination::{Destination, Host},
    route::policy::{Action, By, Name, Outside, Ruling},
    wire::{Cause, Failure},
};

impl Config {
    /// Decides whether a host may have this gateway connect to something outside the network. `None` if the sender is
    /// not a host.
    fn for_other(
        &self,
        from: Ipv4Addr,
        name: Name<'_>,
        address: Option<IpAddr>,
        port: u16,
    ) -> Option<Ruling> {
        let outside = Outside {
            gateway: self.me,
            name,
            address,
        };
        // A sender whose address is not one of the network is not a host, and is refused.
        let from = Vip::new(from).ok()?;
        Some(self.policy.outside(from, &outside, port))
    }

    /// Whether the policy lets a host connect to an address that is this host's own, or that it dials for others.
    fn lets_in(&self, from: Ipv4Addr, to: SocketAddrV4) -> bool {
        if *to.ip() != self.me.address() {
            let address = IpAddr::V4(*to.ip());
            let name = match self.routes.to_address(address) {
                Some(_) => Name::None,
                None => Name::Unknown,
            };
            let ruling = self.for_other(from, name, Some(address), to.port());
            return ruling.is_some_and(Ruling::is_allowed);
        }
        match (Vip::new(from), Port::new(to.port())) {
            (Ok(from), Some(port)) => self.policy.allows(from, self.me, port),
            _ => false,
        }
    }
}

impl Rights {
    /// Whether the policy lets a flow in. The flow's source is the local end.
    pub(super) fn lets_in(&self, flow: FlowKey) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.lets_in(*flow.dst.ip(), flow.src))
    }

    /// The rule by which a host may not connect to a destination through this gateway; `None` if no rule refuses it for
    /// certain. Before a name is looked up, `address` is `None`, and rules about addresses cannot decide.
    pub fn denies(&self, from: Ipv4Addr, to: &Destination, address: Option<IpAddr>) -> Option<By> {
        let (name, own) = named(to);
        let address = address.or(own);
        let config = self.config.as_ref();
        let ruling = config.and_then(|config| config.for_other(from, name, address, to.port));
        let Some(ruling) = ruling else {
            return Some(By::Default);
        };
        let is_open = address.is_none() && ruling.may_be_allowed();
        ruling.denies.filter(|_| !is_open)
    }

    /// Whether this host's DNS server passes on a question of another host. If there is a policy, the question has to
    /// be about a name outside of the network to which that host may connect through this gateway.
    pub fn may_ask_for_name(&self, from: Ipv4Addr, name: Option<&str>) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        if config.policy.is_open() || from == config.me.address() {
            return true;
        }
        let Some(name) = name else {
            return false;
        };
        let route = config.routes.to_name(name);
        let routed = route.is_some_and(|route| route.via.contains(&config.me));
        let everybody = config.policy.default_action() == Action::Allow;
        let outside = Outside {
            gateway: config.me,
            name: Name::Known(name),
            address: None,
        };
        let from = Vip::new(from);
        let allowed =
            from.is_ok_and(|from| config.policy.at_some_port(from, &outside).may_be_allowed());
        allowed && (routed || everybody)
    }

    /// Whether the routes and the policy let a host have a connection through this gateway.
    pub(super) fn may_have(&self, from: Ipv4Addr, to: &Destination, address: IpAddr) -> bool {
        self.denies(from, to, Some(address)).is_none()
            && self.may_relay_to(to).is_ok()
            && self.may_connect_for_others(to, address).is_ok()
    }

    /// The reason why the policy does not let this host connect to a port of another host; `None` if it does.
    pub fn refusal(&self, to: SocketAddrV4) -> Option<Failure> {
        let config = self.config.as_ref()?;
        let (vip, port) = (Vip::new(*to.ip()).ok()?, Port::new(to.port())?);
        let denies = config.policy.at_port(config.me, vip, port).denies?;
        let called = config.zone.name(*to.ip());
        let called = called.map_or_else(|| vip.to_string(), str::to_owned);
        Some(Failure {
            cause: Cause::NotAllowed,
            reason: format!("{called}:{port} is not allowed to this host by {denies}."),
        })
    }

    /// The reason why the policy does not let this host connect to a destination through a gateway; `None` if that
    /// depends on the address to which its name will be resolved, or if it is allowed.
    pub fn refusal_through(&self, gateway: &Gateway, to: &Destination) -> Option<Failure> {
        let config = self.config.as_ref()?;
        let (name, address) = named(to);
        let outside = Outside {
            gateway: gateway.vip,
            name,
            address,
        };
        let ruling = config.policy.outside(config.me, &outside, to.port);
        let denies = ruling.denies.filter(|_| !ruling.may_be_allowed())?;
        Some(not_allowed(to, denies))
    }
}

/// The failure to report when the policy does not allow a destination, or the address to which its name was resolved.
pub(super) fn refused(to: &Destination, address: Option<IpAddr>, by: By) -> Failure {
    match (&to.host, address) {
        (Host::Name(_), Some(address)) => Failure {
            cause: Cause::NotAllowed,
            reason: format!("{to} is {address} there, which is not allowed to this host by {by}."),
        },
        _ => not_allowed(to, by),
    }
}

fn not_allowed(to: &Destination, by: By) -> Failure {
    Failure {
        cause: Cause::NotAllowed,
        reason: format!("{to} is not allowed to this host by {by}."),
    }
}

fn named(to: &Destination) -> (Name<'_>, Option<IpAddr>) {
    match &to.host {
        Host::Ip(address) => (Name::None, Some(*address)),
        Host::Name(name) => (Name::Known(name), None),
    }
}
