//! Applies the manifest's policy in an agent: to connections that the agent accepts, and to connections that it makes
//! for other hosts. The manager's switch applies the policy as well, but only the agent knows for which names other
//! hosts ask a gateway.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use super::{config::Config, path::Gateway, rights::Rights};
use crate::{
    addr::{FlowKey, Port, Vip},
    destination::{Destination, Host},
    route::policy::{Action, By, Name, Outside, Ruling},
    wire::{Cause, Failure},
};

impl Config {
    /// The policy's ruling about a connection of the host `from`, through this gateway, to a destination outside the
    /// network. `None` if `from` is not a VIP.
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
        // A sender whose address is not a VIP is not a host of the network. The callers refuse it.
        let from = Vip::new(from).ok()?;
        Some(self.policy.outside(from, &outside, port))
    }

    /// Whether the policy allows the host `from` to connect to `to`. The address `to` belongs to this host, or it is an
    /// outside address to which this host would connect for `from`.
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
    /// Whether the policy allows a flow that has arrived here.
    pub(super) fn lets_in(&self, flow: FlowKey) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.lets_in(*flow.dst.ip(), flow.src))
    }

    /// The rule that forbids this gateway to connect to a destination for a host; `None` if no rule does. While a name
    /// is not resolved yet, a rule is returned only if the policy refuses every address of the name.
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

    /// Whether this host's DNS server forwards another host's question to this machine's resolvers. If there is a
    /// policy, the question is forwarded only if this gateway may connect to the name for that host.
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

    /// Whether the routes and the policy allow a host to have this connection through this gateway.
    pub(super) fn may_have(&self, from: Ipv4Addr, to: &Destination, address: IpAddr) -> bool {
        self.denies(from, to, Some(address)).is_none()
            && self.may_relay_to(to).is_ok()
            && self.may_connect_for_others(to, address).is_ok()
    }

    /// The reason why this host may not reach a port of another host; `None` if the policy allows it.
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

    /// The reason why this host may not reach a destination through a gateway; `None` if the policy allows at least one
    /// address of the destination.
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

/// The failure for a host that has asked for a destination which the policy refuses. `address` is the refused address
/// if the destination is a name that was resolved.
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
