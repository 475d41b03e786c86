//! Decides who may reach which published ports and routed destinations. A policy can only restrict: it cannot open a
//! port that is not published, or a destination to which no route leads.
//!
//! The first rule that fits decides. If none fits, the default does. The manager's switch, both agents of a connection
//! and the check of a manifest use the same code, so that they always agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    ops::RangeInclusive,
};

use super::target::{Glob, Target, plain};
use crate::addr::{Port, Vip};

/// The decision about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The connection is allowed.
    Allow,
    /// The connection is refused.
    Deny,
}

/// A set of hosts of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// All hosts.
    Everybody,
    /// Only these hosts.
    Only(BTreeSet<Vip>),
}

/// A set of destinations outside the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// All destinations to which a route leads.
    Everything,
    /// Only these destinations, and only if a route leads there.
    Only(Vec<Target>),
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The number of the rule in the manifest, from 1. It is stored, because an agent knows only the rules that concern
    /// it, and therefore cannot count.
    pub number: u16,
    /// The line of the rule in the manifest.
    pub line: Line,
    /// The hosts that open the connections.
    pub from: Hosts,
    /// The hosts whose published ports the rule covers.
    pub to: Hosts,
    /// The destinations outside the network that the rule covers.
    pub beyond: Beyond,
    /// The gateways through which the destinations in `beyond` are reached.
    pub via: Hosts,
    /// The ports that the rule covers; empty means all ports.
    pub ports: Vec<RangeInclusive<u16>>,
    /// The decision about the connections that the rule covers.
    pub action: Action,
}

/// A line number in the manifest. It is only shown to people: two rules that differ only in the line number are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line(pub usize);

impl PartialEq for Line {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Line {}

/// A service of the agent itself, on a port of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The DNS server.
    Dns,
    /// The relay. Through it, a gateway connects for other hosts.
    Relay,
}

/// The rule or the default that has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// No rule fits, so the default decides.
    Default,
    /// The rule with this number.
    Rule(u16),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default of the policy"),
            Self::Rule(number) => write!(f, "rule {number} of the policy"),
        }
    }
}

/// The decision about connections of which some details are not known. If the decision depends on those details, both
/// fields are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule that allows at least some of the connections; `None` if all are refused.
    pub allows: Option<By>,
    /// The rule that refuses at least some of the connections; `None` if all are allowed.
    pub denies: Option<By>,
}

impl Ruling {
    const ALLOWED: Self = Self {
        allows: Some(By::Default),
        denies: None,
    };

    /// The ruling for a host that is not in the plan. Such a host is refused everything, except by an open policy.
    const UNKNOWN_HOST: Self = Self {
        allows: None,
        denies: Some(By::Default),
    };

    /// Whether all of the connections are allowed, regardless of the unknown details.
    pub const fn is_allowed(self) -> bool {
        self.denies.is_none()
    }

    /// Whether some of the connections may be allowed.
    pub const fn may_be_allowed(self) -> bool {
        self.allows.is_some()
    }

    /// Completes the ruling: `by` is the rule or the default that decides about all remaining connections. If no
    /// connection is allowed, the ruling names `by` as the reason for the refusal.
    fn end(mut self, action: Action, by: By) -> Self {
        if action == Action::Deny && self.allows.is_none() {
            self.denies = Some(by);
        }
        self.take(action, by);
        self
    }

    fn take(&mut self, action: Action, by: By) {
        let place = match action {
            Action::Allow => &mut self.allows,
            Action::Deny => &mut self.denies,
        };
        place.get_or_insert(by);
    }
}

/// The name with which a client has asked for a destination outside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// The client has asked for an address.
    None,
    /// The name is not known here. A rule about names may match it.
    Unknown,
    /// The client has asked for this name.
    Known(&'a str),
}

/// A destination outside the network, with the details that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside<'a> {
    /// The gateway that connects to the destination.
    pub gateway: Vip,
    /// The name with which a client has asked for the destination.
    pub name: Name<'a>,
    /// The address of the destination. `None` until the name has been looked up.
    pub address: Option<IpAddr>,
}

/// Whether a rule matches the known details of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    Maybe,
    Yes,
}

impl From<bool> for Fit {
    fn from(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// A policy in a form that decides quickly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    default: Action,
    rules: Vec<Rule>,
    services: BTreeMap<(Vip, Port), Service>,
    /// For each host: the rules about connections from it, and the rules about connections to it.
    by_host: BTreeMap<Vip, (Mask, Mask)>,
    /// The rules about destinations outside the network.
    beyond: Mask,
}

impl Default for Policy {
    /// A policy that lets everybody reach everything that is published, and everything to which a route leads.
    fn default() -> Self {
        Self::new(Action::Allow, Vec::new(), [], [])
    }
}

impl Policy {
    /// A policy for these hosts and the services of their agents. All other hosts are refused everything, except by a
    /// policy that allows everything to everybody.
    pub fn new(
        default: Action,
        rules: Vec<Rule>,
        hosts: impl IntoIterator<Item = Vip>,
        services: impl IntoIterator<Item = ((Vip, Port), Service)>,
    ) -> Self {
        let masks = |host| {
            let from = Mask::of(&rules, |rule| rule.from.has(host));
            let to = Mask::of(&rules, |rule| rule.to.has(host));
            (host, (from, to))
        };
        Self {
            default,
            by_host: hosts.into_iter().map(masks).collect(),
            beyond: Mask::of(&rules, |rule| rule.beyond != Beyond::Only(Vec::new())),
            services: services.into_iter().collect(),
            rules,
        }
    }

    /// Whether the policy allows everything to everybody.
    pub fn is_open(&self) -> bool {
        self.default == Action::Allow && self.rules.is_empty()
    }

    /// Whether another policy has the same default and the same rules. The hosts of the two policies may differ.
    pub fn reads_like(&self, other: &Self) -> bool {
        (self.default, &self.rules) == (other.default, &other.rules)
    }

    /// The decision about connections that match no rule.
    pub const fn default_action(&self) -> Action {
        self.default
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this number; `None` for the default.
    pub fn rule(&self, by: By) -> Option<&Rule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| By::Rule(rule.number) == by)
    }

    /// Whether a host may reach a port at the address of another host.
    pub fn allows(&self, from: Vip, to: Vip, port: Port) -> bool {
        self.at_port(from, to, port).is_allowed()
    }

    /// The ruling about a port at a host's VIP. A host may always reach itself. The DNS server of a host is open to
    /// every other host that may reach anything on the host or through it, unless a rule names the DNS port. The relay
    /// is open to every host that may reach anything through it.
    pub fn at_port(&self, from: Vip, to: Vip, port: Port) -> Ruling {
        if self.is_open() || from == to {
            return Ruling::ALLOWED;
        }
        let written = self.on_host(from, to, |rule| rule.has_port(port.get()).into());
        match self.services.get(&(to, port)) {
            None => written,
            Some(Service::Relay) => reached(self.through(from, to)),
            Some(Service::Dns) => {
                let names = |rule: &Rule| !rule.ports.is_empty();
                let denies = written.denies.and_then(|by| self.rule(by));
                if written.is_allowed() || denies.is_some_and(names) {
                    return written;
                }
                let host = self.on_host(from, to, Rule::has_some_port);
                if host.may_be_allowed() || !self.is_gateway(to) {
                    return reached(host);
                }
                reached(self.through(from, to))
            }
        }
    }

    fn is_gateway(&self, host: Vip) -> bool {
        let all = (host, Port::MIN)..=(host, Port::MAX);
        let mut services = self.services.range(all);
        services.any(|(_, service)| *service == Service::Relay)
    }

    /// The ruling about a destination outside the network.
    pub fn outside(&self, from: Vip, to: &Outside<'_>, port: u16) -> Ruling {
        self.at(from, to, |rule| rule.has_port(port).into())
    }

    /// Like [`Policy::outside`], but for a port that is not known yet.
    pub fn at_some_port(&self, from: Vip, to: &Outside<'_>) -> Ruling {
        self.at(from, to, Rule::has_some_port)
    }

    fn at(&self, from: Vip, to: &Outside<'_>, ports: impl Fn(&Rule) -> Fit) -> Ruling {
        let owned;
        let name = match to.name {
            Name::Known(name) => {
                owned = plain(name);
                Name::Known(&owned)
            }
            name @ (Name::None | Name::Unknown) => name,
        };
        let address = to.address.map(|address| address.to_canonical());
        let fit = |target: &Target| match (target, name, address) {
            (Target::Cidr(_), _, None) | (Target::Glob(_), Name::Unknown, _) => Fit::Maybe,
            (Target::Cidr(block), _, Some(address)) => block.contains(&address).into(),
            (Target::Glob(_), Name::None, _) => Fit::No,
            (Target::Glob(_), Name::Known(name), _) => target.has_name(name).into(),
        };
        self.beyond(from, to.gateway, fit, ports)
    }

    /// The ruling about the destinations `to` of a route, reached through one of its gateways.
    pub fn on_route(&self, from: Vip, gateway: Vip, to: &Target, port: u16) -> Ruling {
        let fit = |target: &Target| fit(target, to);
        self.beyond(from, gateway, fit, |rule| rule.has_port(port).into())
    }

    /// The ruling about everything behind a gateway: any destination and any port.
    pub fn through(&self, from: Vip, gateway: Vip) -> Ruling {
        self.beyond(from, gateway, |_| Fit::Maybe, Rule::has_some_port)
    }

    /// The default, and the rules that concern a host.
    pub fn about(&self, host: Vip) -> (Action, Vec<&Rule>) {
        let rules = self.rules.iter().filter(|rule| {
            let gateway = rule.via.has(host) && rule.beyond != Beyond::Only(Vec::new());
            rule.from.has(host) || rule.to.has(host) || gateway
        });
        (self.default, rules.collect())
    }

    fn on_host(&self, from: Vip, to: Vip, ports: impl Fn(&Rule) -> Fit) -> Ruling {
        let masks = (self.by_host.get(&from), self.by_host.get(&to));
        let (Some((from, _)), Some((_, to))) = masks else {
            return Ruling::UNKNOWN_HOST;
        };
        self.first(from, to, ports)
    }

    fn beyond(
        &self,
        from: Vip,
        gateway: Vip,
        target: impl Fn(&Target) -> Fit,
        ports: impl Fn(&Rule) -> Fit,
    ) -> Ruling {
        // A gateway reaches these destinations without the network, so the policy does not apply to the gateway itself.
        if self.is_open() || from == gateway {
            return Ruling::ALLOWED;
        }
        let Some((from, _)) = self.by_host.get(&from) else {
            return Ruling::UNKNOWN_HOST;
        };
        self.first(from, &self.beyond, |rule| {
            let via = Fit::from(rule.via.has(gateway));
            let to = match &rule.beyond {
                Beyond::Everything => Fit::Yes,
                Beyond::Only(targets) => targets.iter().map(&target).max().unwrap_or(Fit::No),
            };
            via.min(to).min(ports(rule))
        })
    }

    /// Checks the rules that are in both masks, in order, until one of them decides for certain.
    fn first(&self, one: &Mask, other: &Mask, fit: impl Fn(&Rule) -> Fit) -> Ruling {
        let mut ruling = Ruling {
            allows: None,
            denies: None,
        };
        for index in one.and(other) {
            let Some(rule) = self.rules.get(index) else {
                break;
            };
            let by = By::Rule(rule.number);
            match fit(rule) {
                Fit::No => {}
                Fit::Maybe => ruling.take(rule.action, by),
                Fit::Yes => return ruling.end(rule.action, by),
            }
        }
        ruling.end(self.default, By::Default)
    }
}

/// The ruling about a service. The service is allowed if any connection that needs it is allowed.
const fn reached(ruling: Ruling) -> Ruling {
    match ruling.allows {
        Some(_) => Ruling {
            denies: None,
            ..ruling
        },
        None => ruling,
    }
}

impl Hosts {
    /// Whether a host is in the set.
    pub fn has(&self, host: Vip) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(hosts) => hosts.contains(&host),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everybody, _) => true,
            (Self::Only(_), Self::Everybody) => false,
            (Self::Only(mine), Self::Only(others)) => mine.is_superset(others),
        }
    }
}

impl Rule {
    /// Whether the rule covers the port.
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.is_empty() || self.ports.iter().any(|ports| ports.contains(&port))
    }

    fn has_some_port(&self) -> Fit {
        if self.ports.is_empty() {
            Fit::Yes
        } else {
            Fit::Maybe
        }
    }

    /// Whether this rule matches every connection that the other rule matches. If so, the other rule never decides
    /// anything when it comes later.
    pub fn covers(&self, other: &Self) -> bool {
        let beyond = match (&self.beyond, &other.beyond) {
            (Beyond::Everything, _) => true,
            (Beyond::Only(_), Beyond::Everything) => false,
            (Beyond::Only(mine), Beyond::Only(others)) => others
                .iter()
                .all(|other| mine.iter().any(|target| covers(target, other))),
        };
        let all = 1..=u16::MAX;
        let is_within = |ports: &RangeInclusive<u16>| {
            self.ports.is_empty()
                || (self.ports.iter())
                    .any(|mine| mine.start() <= ports.start() && ports.end() <= mine.end())
        };
        let ports = if other.ports.is_empty() {
            is_within(&all)
        } else {
            other.ports.iter().all(is_within)
        };
        let no_beyond = other.beyond == Beyond::Only(Vec::new());
        let via = no_beyond || self.via.covers(&other.via);
        self.from.covers(&other.from) && self.to.covers(&other.to) && beyond && via && ports
    }
}

/// Whether the first target includes every destination of the second, by name and by address.
fn covers(this: &Target, other: &Target) -> bool {
    match (this, other) {
        (Target::Cidr(this), Target::Cidr(other)) => this.contains(other),
        // A star in the other pattern is compared as plain text, because only a star in this pattern may match any
        // text.
        (Target::Glob(this), Target::Glob(other)) => this.pattern.matches(&plain(&other.text)),
        (Target::Cidr(_), Target::Glob(_)) | (Target::Glob(_), Target::Cidr(_)) => false,
    }
}

/// Whether a rule and a route can have destinations in common. A name may resolve to any address, but a destination
/// that a client has asked for by its address has no name.
pub fn meet(rule: &Target, route: &Target) -> bool {
    fit(rule, route) > Fit::No
}

/// Whether the target of a rule includes all destinations of a route (`Yes`), possibly some of them (`Maybe`), or none
/// (`No`).
fn fit(rule: &Target, route: &Target) -> Fit {
    match (rule, route) {
        _ if covers(rule, route) => Fit::Yes,
        (Target::Cidr(rule), Target::Cidr(route)) if route.contains(rule) => Fit::Maybe,
        (Target::Cidr(_), Target::Glob(_)) => Fit::Maybe,
        (Target::Glob(rule), Target::Glob(route)) if overlap(rule, route) => Fit::Maybe,
        (Target::Cidr(_) | Target::Glob(_), _) => Fit::No,
    }
}

/// Whether a name exists that matches both patterns.
fn overlap(one: &Glob, other: &Glob) -> bool {
    let (one, other) = (plain(&one.text), plain(&other.text));
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // `can[i][j]` says whether the rest of the first pattern from byte `i` and the rest of the other from byte `j` can
    // match the same text.
    let mut can = vec![vec![false; other.len() + 1]; one.len() + 1];
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            can[i][j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(b'*'), right) => can[i + 1][j] || (right.is_some() && can[i][j + 1]),
                (left, Some(b'*')) => can[i][j + 1] || (left.is_some() && can[i + 1][j]),
                (Some(left), Some(right)) => left == right && can[i + 1][j + 1],
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
    }
    can[0][0]
}

/// A set of rules: bit `i` stands for rule `i` of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mask(Vec<u64>);

impl Mask {
    fn of(rules: &[Rule], has: impl Fn(&Rule) -> bool) -> Self {
        let word = |rules: &[Rule]| {
            let bits = rules.iter().zip(0..).filter(|(rule, _)| has(rule));
            bits.fold(0, |word, (_, bit)| word | 1_u64 << bit)
        };
        Self(rules.chunks(64).map(word).collect())
    }

    /// The positions of the rules that are in both sets, in ascending order.
    fn and(&self, other: &Self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().zip(&other.0).zip(0..);
        words.flat_map(|((one, other), number)| {
            let mut both = one & other;
            std::iter::from_fn(move || {
                let bit = both.trailing_zeros() as usize;
                // This clears the lowest bit.
                both = both.checked_sub(1).map(|less| both & less)?;
                Some(number * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests;
