//! A question about a connection: the way of the connection according to the plan, and the questions for the agents on
//! that way.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use crate::{
    addr::{Port, Vip},
    destination::{Destination, Host},
    link::{AgentQuestion, AgentReply},
    names::{SUFFIX, Zone},
    plan::{HostPlan, Plan, Protocol, Start},
    proxy::{Outward, Upstream},
    route::policy::{self, By, Name, Ruling},
    text,
    view::{HostView, Snapshot, TryOutcome},
    wire::{Cause, probe::Probe},
};

/// A question about a connection, with everything that the manager knows without asking agents.
#[derive(Clone, Debug)]
pub struct Inquiry {
    pub(super) target: Destination,
    pub(super) plan: Plan,
    pub(super) snapshot: Snapshot,
    pub(super) from: Vip,
    pub(super) way: Way,
    /// The person's own proxies on the machine of the manager.
    outward: Outward,
}

/// The subject of a question to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Whether the first host of the way is up. This is the host where the connection begins.
    Source,
    /// Whether the last host of the way is up. This is the host that dials the target.
    Destination,
    /// Whether the first host of the way listens on the address to which its programs connect.
    Listener,
    /// Whether the last host of the way can connect to the target.
    Dial,
}

/// The way of a connection according to the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The connection leads to a port at the VIP of a host.
    Port(Vip, AtPort),
    /// The connection leads through one of these gateways. They belong to the route with this number, from 0.
    Gateway(Vec<Vip>, usize),
    /// The connection does not go through the network, for this reason.
    Outside(OutsideReason),
    /// The target looks like a part of the network but does not exist. The value is a similar name, if there is one.
    Nowhere(Option<String>),
}

/// The plan's entry for a port of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AtPort {
    /// A published port, which leads to this target.
    Published(String),
    /// The agent's own DNS server.
    Dns,
    /// The port on which gateways serve other agents.
    Relay,
    /// A port that is published for UDP only.
    Udp,
    /// No service is at the port.
    Nothing,
}

/// The reason why a connection does not go through the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutsideReason {
    /// No route leads to the target.
    NoRoute,
    /// The route with this number has an exception for the destination.
    Excepted(usize),
    /// The target has a different meaning on every machine, like `localhost`.
    Special,
}

/// The way in which programs on the source reach the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// Programs connect to the target's own address, on which the source listens.
    Loopback(SocketAddr),
    /// Programs use the proxy at this address; the text is the kind of the proxy, with an article, for sentences.
    Proxy(&'static str, SocketAddr),
    /// Programs connect directly, because the source itself is a gateway of the route.
    OwnWay,
    /// Programs cannot reach the target: it is a service for agents only.
    AgentsOnly,
    /// Programs cannot reach the target: the source neither listens on loopback addresses nor has a proxy.
    None,
}

impl Inquiry {
    /// Works out the way of a connection to `target`. Without `from`, the connection begins on the manager's own host.
    /// If that host is not in the network, the connection begins on the first host that is up, or else on the first
    /// host. `None` if the plan has no host, or if `from` is not one of its hosts.
    pub(in crate::manager) fn new(
        plan: &Plan,
        snapshot: Snapshot,
        target: Destination,
        from: Option<Vip>,
    ) -> Option<Self> {
        let is_up = |vip: Vip| {
            let mut hosts = snapshot.hosts.iter();
            hosts.any(|host| host.vip == vip.to_string() && host.state.is_up())
        };
        let own = || {
            plan.hosts
                .iter()
                .find(|host| host.start == Start::InProcess)
        };
        let up = || plan.hosts.iter().find(|host| is_up(host.vip));
        let from = match from {
            Some(vip) => plan.host(vip),
            None => own().or_else(up).or(plan.hosts.first()),
        }?;
        Some(Self {
            way: way(plan, &target),
            from: from.vip,
            target,
            plan: plan.clone(),
            snapshot,
            outward: Outward::default(),
        })
    }

    /// Adds the person's own proxies on the machine of the manager.
    #[must_use]
    pub fn with_outward(mut self, outward: Outward) -> Self {
        self.outward = outward;
        self
    }

    /// The person's own proxy that the source's proxies ask for the target; `None` if they connect to the target
    /// themselves.
    pub(super) fn outward(&self) -> Option<&Upstream> {
        let source = self
            .source()
            .filter(|source| source.start == Start::InProcess && source.has_proxy())?;
        let proxies = [&source.http, &source.socks].into_iter().flatten();
        let proxy = self
            .outward
            .to(&self.target, proxies.map(|proxy| proxy.listen));
        proxy.map(AsRef::as_ref)
    }

    /// The questions that have to be asked, and the hosts whose agents are asked.
    pub fn questions(&self) -> Vec<(Part, Vip, AgentQuestion)> {
        let mut questions = Vec::new();
        if !matches!(self.way, Way::Port(..) | Way::Gateway(..)) {
            return questions;
        }
        questions.push((Part::Source, self.from, AgentQuestion::Alive));
        if let Entrance::Loopback(address) | Entrance::Proxy(_, address) = self.entrance()
            && self.is_served()
        {
            let probe = Probe::Listener { address };
            questions.push((Part::Listener, self.from, AgentQuestion::Probe(probe)));
        }
        let Some(far) = self.far() else {
            return questions;
        };
        if far != self.from {
            questions.push((Part::Destination, far, AgentQuestion::Alive));
        }
        if self.is_served() {
            let host = match (&self.way, &self.target.host) {
                (Way::Port(vip, _), _) => vip.to_string(),
                (_, Host::Ip(address)) => address.to_string(),
                (_, Host::Name(name)) => name.clone(),
            };
            let port = self.target.port;
            let probe = Probe::Dial { host, port };
            questions.push((Part::Dial, far, AgentQuestion::Probe(probe)));
        }
        questions
    }

    /// Whether the plan has a service or route for the target, and the policy does not refuse it to the source.
    pub(super) fn is_served(&self) -> bool {
        self.denied().is_none() && self.is_planned()
    }

    /// The rule of the policy that refuses the connection. `None` if the policy allows the connection or does not
    /// apply, or if its decision depends on the unknown address of the target's name.
    pub(super) fn denied(&self) -> Option<By> {
        let ruling = self.ruling(self.far()?)?;
        ruling.denies.filter(|_| !ruling.may_be_allowed())
    }

    /// The decision of the policy if the host `far` connects to the target; `None` if the policy does not apply. The
    /// address of a name outside the network is not known here, so the decision may depend on it.
    pub(super) fn ruling(&self, far: Vip) -> Option<Ruling> {
        let (policy, port) = (&self.plan.policy, self.target.port);
        match &self.way {
            Way::Port(vip, _) => Some(policy.at_port(self.from, *vip, Port::new(port)?)),
            Way::Gateway(..) => {
                let (name, address) = match &self.target.host {
                    Host::Ip(address) => (Name::None, Some(*address)),
                    Host::Name(name) => (Name::Known(name), None),
                };
                let outside = policy::Outside {
                    gateway: far,
                    name,
                    address,
                };
                Some(policy.outside(self.from, &outside, port))
            }
            Way::Outside(_) | Way::Nowhere(_) => None,
        }
    }

    pub(super) fn is_planned(&self) -> bool {
        match &self.way {
            Way::Port(_, at) => !matches!(at, AtPort::Nothing | AtPort::Udp),
            Way::Gateway(..) => true,
            Way::Outside(_) | Way::Nowhere(_) => false,
        }
    }

    /// The last host of the way, which dials the target; `None` if the way does not lead through the network.
    pub(in crate::manager) fn far(&self) -> Option<Vip> {
        match &self.way {
            Way::Port(vip, _) => Some(*vip),
            // If the source is itself a gateway of the route, it connects directly.
            Way::Gateway(via, _) if via.contains(&self.from) => Some(self.from),
            Way::Gateway(via, _) => {
                let may = |vip: &&Vip| self.ruling(**vip).is_none_or(Ruling::may_be_allowed);
                let mut allowed = via.iter().filter(may);
                let up = allowed.clone().find(|vip| self.is_up(**vip));
                up.or(allowed.next()).or(via.first()).copied()
            }
            Way::Outside(_) | Way::Nowhere(_) => None,
        }
    }

    pub(super) fn entrance(&self) -> Entrance {
        let Some(source) = self.source() else {
            return Entrance::None;
        };
        match &self.way {
            Way::Port(_, AtPort::Relay) => Entrance::AgentsOnly,
            Way::Port(vip, _) if source.loopback => match Port::new(self.target.port) {
                Some(port) => Entrance::Loopback(vip.socket(port).into()),
                None => Entrance::None,
            },
            Way::Gateway(via, _) if via.contains(&self.from) => Entrance::OwnWay,
            Way::Port(..) | Way::Gateway(..) => match (&source.http, &source.socks) {
                (Some(http), _) => Entrance::Proxy("an HTTP proxy", http.listen),
                (None, Some(socks)) => Entrance::Proxy("a SOCKS proxy", socks.listen),
                (None, None) => Entrance::None,
            },
            Way::Outside(_) | Way::Nowhere(_) => Entrance::None,
        }
    }

    /// The host and the published port to which the connection leads, and the outcome of that host's attempt to connect
    /// to the service behind the port. `now` is the present plan of the host. `None` if the host has not tried, or if
    /// the port leads to a different service by now.
    pub(in crate::manager) fn tried(
        &self,
        now: &HostPlan,
        replies: &BTreeMap<Part, AgentReply>,
    ) -> Option<(Vip, Port, TryOutcome)> {
        let Way::Port(vip, at @ AtPort::Published(_)) = &self.way else {
            return None;
        };
        let Some(AgentReply::Found(found, _)) = replies.get(&Part::Dial) else {
            return None;
        };
        let outcome = match found.cause {
            None => TryOutcome::Answered,
            Some(Cause::TimedOut) => TryOutcome::TimedOut,
            // The agent has a different configuration, and has not tried to connect.
            Some(Cause::NotAllowed) => return None,
            Some(_) => TryOutcome::Refused,
        };
        let same = *vip == now.vip && at_port(now, self.target.port) == *at;
        let port = Port::new(self.target.port).filter(|_| same)?;
        Some((*vip, port, outcome))
    }

    pub(super) fn called(&self, vip: Vip) -> String {
        self.plan.name_of(vip)
    }

    pub(super) fn source(&self) -> Option<&HostPlan> {
        self.plan.host(self.from)
    }

    pub(super) fn view(&self, vip: Vip) -> Option<&HostView> {
        let mut hosts = self.snapshot.hosts.iter();
        hosts.find(|host| host.vip == vip.to_string())
    }

    pub(super) fn is_up(&self, vip: Vip) -> bool {
        self.view(vip).is_some_and(|host| host.state.is_up())
    }
}

fn way(plan: &Plan, target: &Destination) -> Way {
    let zone = Zone::new(
        plan.names()
            .into_iter()
            .map(|(name, vip)| (name.as_str(), vip.address())),
    );
    let host = |address: IpAddr| plan.hosts.iter().find(|host| host.vip.address() == address);
    let routes = &plan.routes;
    let number = |route: &crate::route::Route| {
        let number = routes.iter().position(|it| std::ptr::eq(it, route));
        number.unwrap_or_default()
    };
    let (found, route, excepting) = match &target.host {
        Host::Ip(address) => (
            host(*address),
            routes.to_address(*address),
            routes.excepting_address(*address),
        ),
        Host::Name(name) => (
            zone.address(name).and_then(|address| host(address.into())),
            routes.to_name(name),
            routes.excepting_name(name),
        ),
    };
    if let Some(host) = found {
        return Way::Port(host.vip, at_port(host, target.port));
    }
    let known = || {
        plan.names()
            .into_keys()
            .map(crate::addr::HostName::as_str)
            .collect::<Vec<_>>()
    };
    match &target.host {
        // Names below the network's own domain are never looked up outside the network.
        Host::Name(name) if name == SUFFIX || name.ends_with(&format!(".{SUFFIX}")) => {
            let short = name.trim_end_matches(SUFFIX).trim_end_matches('.');
            return Way::Nowhere(text::meant(short, known()).map(str::to_owned));
        }
        host if host.is_localhost() => return Way::Outside(OutsideReason::Special),
        Host::Ip(_) | Host::Name(_) => {}
    }
    if let Some(route) = route {
        return Way::Gateway(route.via.clone(), number(route));
    }
    if let Some(route) = excepting {
        return Way::Outside(OutsideReason::Excepted(number(route)));
    }
    match &target.host {
        Host::Ip(IpAddr::V4(address)) if Vip::new(*address).is_ok() => Way::Nowhere(None),
        Host::Ip(address) if crate::route::is_special(*address) => {
            Way::Outside(OutsideReason::Special)
        }
        Host::Ip(_) => Way::Outside(OutsideReason::NoRoute),
        Host::Name(name) => match text::meant(name, known()) {
            Some(meant) => Way::Nowhere(Some(meant.to_owned())),
            None if !name.contains('.') => Way::Nowhere(None),
            None => Way::Outside(OutsideReason::NoRoute),
        },
    }
}

fn at_port(host: &HostPlan, port: u16) -> AtPort {
    let mut at = host
        .forwards
        .iter()
        .filter(|forward| forward.listen_port.get() == port);
    let is = |service: Option<Port>| service.is_some_and(|service| service.get() == port);
    match at.clone().find(|forward| forward.protocol == Protocol::Tcp) {
        Some(forward) => AtPort::Published(forward.target.to_string()),
        None if is(host.dns) => AtPort::Dns,
        None if is(host.relay) => AtPort::Relay,
        None if at.next().is_some() => AtPort::Udp,
        None => AtPort::Nothing,
    }
}
