//! The manifest's policy at an agent: what it lets in, what it connects to for others, and why something was refused.
//! The manager's switch has decided before. This is the second lock, and the only one that knows the names that a
//! gateway is asked for.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
};

use super::{Core, config::Config, path::Gateway};
use crate::{
    addr::{FlowKey, Port, Vip},
    proxy::{Cause, Destination, Failure, Host},
    route::policy::{
        Action, Beyond, By, Hosts, Line, Name, Outside, Policy, Rule, Ruling, Service,
    },
    time::Instant,
    wire::control::{self, Configure},
};

/// Stands for everybody, or everything.
const EVERYTHING: &str = "*";

/// The policy in a configuration; fails with what it cannot mean.
pub(super) fn read(
    args: &Configure,
    dns: impl Iterator<Item = (Vip, Port)>,
    relays: impl Iterator<Item = (Vip, Port)>,
) -> Result<Policy, String> {
    let Some(written) = &args.policy else {
        return Ok(Policy::default());
    };
    let rules: Result<Vec<_>, String> = written.rules.iter().map(rule).collect();
    let hosts = args.hostname_map.values().chain([&args.me]);
    let hosts: BTreeSet<_> = hosts
        .filter_map(|address| Vip::new(*address).ok())
        .collect();
    let services = dns.map(|at| (at, Service::Dns));
    let services = services.chain(relays.map(|at| (at, Service::Relay)));
    let default = action(&written.default)?;
    Ok(Policy::new(default, rules?, hosts, services))
}

fn rule(rule: &control::PolicyRule) -> Result<Rule, String> {
    let wrong = |what: &str| format!("policy: rule {}: {what}", rule.number);
    let hosts = |texts: &[String]| -> Result<Hosts, String> {
        if texts == [EVERYTHING] {
            return Ok(Hosts::Everybody);
        }
        let vip = |text: &String| {
            let vip = text.parse::<Vip>();
            vip.map_err(|error| wrong(&format!("{text:?} is {error}")))
        };
        texts
            .iter()
            .map(vip)
            .collect::<Result<_, _>>()
            .map(Hosts::Only)
    };
    let target = |text: &String| {
        let target = text.parse();
        target.map_err(|error| wrong(&format!("{text:?} is {error}")))
    };
    let beyond = if rule.beyond == [EVERYTHING] {
        Beyond::Everything
    } else {
        let targets = rule.beyond.iter().map(target);
        Beyond::Only(targets.collect::<Result<_, _>>()?)
    };
    Ok(Rule {
        number: rule.number,
        line: Line::default(),
        from: hosts(&rule.from)?,
        to: hosts(&rule.to)?,
        beyond,
        via: hosts(&rule.via)?,
        ports: rule
            .ports
            .iter()
            .map(|[first, last]| *first..=*last)
            .collect(),
        action: action(&rule.action)?,
    })
}

fn action(word: &str) -> Result<Action, String> {
    match word {
        "allow" => Ok(Action::Allow),
        "deny" => Ok(Action::Deny),
        other => Err(format!("policy: {other:?} is neither allow nor deny")),
    }
}

impl Config {
    /// What the policy says about a host that asks this one to connect to something outside the network.
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

    /// Whether the policy lets a host in at an address that is this host's own, or that it dials for others.
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

impl Core {
    /// Whether the policy lets a flow in, named from this end.
    pub(super) fn lets_in(&self, flow: FlowKey) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.lets_in(*flow.dst.ip(), flow.src))
    }

    /// The rule that refuses that this gateway connects to a destination for a host; `None` if it may be allowed. A
    /// name has no address before it is looked up; without one, only what is certain is refused.
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

    /// Notes for the manager that a host was refused something, and returns what the host is told.
    pub fn refuse(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        to: &Destination,
        address: Option<IpAddr>,
        by: By,
    ) -> Failure {
        if self.peer().policy {
            self.refusals.note(now, from, to.to_string(), by);
        }
        match (&to.host, address) {
            (Host::Name(_), Some(address)) => Failure {
                cause: Cause::NotAllowed,
                reason: format!(
                    "{to} is {address} there, which is not allowed to this host by {by}."
                ),
            },
            _ => not_allowed(to, by),
        }
    }

    /// Whether the DNS server of this host passes on a question of another host. If there is a policy, it has to be
    /// about a name outside of the network that this gateway may connect to for that host.
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

    /// Notes that this gateway has connected to an address for another host, which has asked for it on this flow.
    pub fn handle_relayed(&mut self, flow: FlowKey, to: Destination, address: IpAddr) {
        // The policy may have changed since the host asked.
        if !self.may_have(*flow.dst.ip(), &to, address) {
            self.flows.abort(flow);
        }
        self.relayed.insert(flow, (to, address));
    }

    /// Whether a host may have a connection through this gateway, by the routes and by the policy.
    fn may_have(&self, from: Ipv4Addr, to: &Destination, address: IpAddr) -> bool {
        self.denies(from, to, Some(address)).is_none()
            && self.may_relay_to(to).is_ok()
            && self.may_connect_for_others(to, address).is_ok()
    }

    /// Ends connections for other hosts that are not allowed any more, because the policy has changed, or the routes.
    pub(super) fn cut_relayed(&mut self) {
        let gone = self
            .relayed
            .iter()
            .filter(|(flow, (to, address))| !self.may_have(*flow.dst.ip(), to, *address));
        let gone: Vec<_> = gone.map(|(flow, _)| *flow).collect();
        for flow in gone {
            self.flows.abort(flow);
        }
    }

    /// Why this host may not reach a port of another one; `None` if the policy does not refuse it.
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

    /// Why this host may not reach a destination through a gateway; `None` unless the policy refuses it whatever its
    /// name means.
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

/// The failure to report when the policy does not allow this host a destination.
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
