//! Builds the policy of a manifest: names and groups become addresses, every rule is parsed, and every test is
//! evaluated.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::RangeInclusive,
};

use super::{
    network::{HostPlan, Plan, Protocol},
    words,
};
use crate::{
    addr::{HostName, Port, Vip},
    destination::{Destination, Host},
    manifest::{self, Problem, Problems, Span, Spanned},
    route::{
        Routes, Target,
        policy::{
            Action, Beyond, By, Hosts, Line, Name, Outside, Policy, Rule, Ruling, Service, meet,
        },
    },
    text::{meant, quote},
};

/// The maximum number of rules of a policy.
const RULES_MAX: usize = 512;

/// The maximum number of names that a hint lists.
const LISTED_MAX: usize = 8;

/// The maximum number of combinations of source and destination that all tests together may have.
const TRIES_MAX: usize = 100_000;

/// The meaning of a word in a rule.
enum Meaning {
    Everybody,
    Hosts(BTreeSet<Vip>),
    Target(Target),
}

/// Builds the policy after the rest of the plan is known. `is_known` says whether a name belongs to a host. It also
/// returns true for hosts that are missing from `hosts` because of a problem.
pub(super) fn build(
    written: Option<&manifest::Policy>,
    hosts: &[&HostPlan],
    routes: &Routes,
    is_known: &dyn Fn(&HostName) -> bool,
    problems: &mut Problems,
) -> Policy {
    let Some(written) = written else {
        return Policy::default();
    };
    let mut reader = Reader {
        hosts,
        routes,
        is_known,
        groups: BTreeMap::new(),
        problems,
    };
    reader.groups(&written.groups);
    let default = match &written.default {
        None => Action::Allow,
        Some(text) => reader.choose(text, ["published", "deny"]),
    };
    if let Some(rule) = written.rules.get(RULES_MAX) {
        let message = format!("the policy has more than {RULES_MAX} rules");
        let problem = Problem::error(rule.span, message);
        reader
            .problems
            .push(problem.hint("put hosts into groups, and several of them into one rule"));
    }
    let read = written.rules.iter().zip(1..).take(RULES_MAX);
    let read: Vec<_> = read
        .filter_map(|(rule, number)| Some((reader.rule(rule, number)?, rule.span)))
        .collect();
    reader.warn(default, &read);
    let rules = read.into_iter().map(|(rule, _)| rule).collect();
    let services = hosts.iter().flat_map(|host| {
        let service = |port: Option<Port>, service| port.map(|port| ((host.vip, port), service));
        let dns = service(host.dns, Service::Dns);
        dns.into_iter().chain(service(host.relay, Service::Relay))
    });
    Policy::new(default, rules, hosts.iter().map(|host| host.vip), services)
}

struct Reader<'r> {
    hosts: &'r [&'r HostPlan],
    routes: &'r Routes,
    is_known: &'r dyn Fn(&HostName) -> bool,
    groups: BTreeMap<HostName, BTreeSet<Vip>>,
    problems: &'r mut Problems,
}

impl Reader<'_> {
    fn error(&mut self, span: Span, message: impl AsRef<str>, hint: impl AsRef<str>) {
        self.problems.push(Problem::error(span, message).hint(hint));
    }

    fn groups(&mut self, groups: &[(Spanned<String>, Vec<Spanned<String>>)]) {
        for (name, members) in groups {
            let parsed: HostName = match name.value.parse() {
                Ok(parsed) => parsed,
                Err(error) => {
                    let message = format!("{} cannot be the name of a group", quote(&name.value));
                    self.error(name.span, message, error.to_string());
                    continue;
                }
            };
            if (self.is_known)(&parsed) {
                let message = format!("{} is the name of a host already", quote(&name.value));
                let hint = "give the group another name, so that rules say what is meant";
                self.error(name.span, message, hint);
                continue;
            }
            let mut hosts = BTreeSet::new();
            for member in members {
                match self.host(member) {
                    Some(Meaning::Hosts(found)) => hosts.extend(found),
                    Some(Meaning::Everybody) => hosts.extend(self.hosts.iter().map(|it| it.vip)),
                    Some(Meaning::Target(_)) | None => {}
                }
            }
            self.groups.insert(parsed, hosts);
        }
    }

    fn rule(&mut self, written: &manifest::Rule, number: u16) -> Option<Rule> {
        let from = self.some_hosts(written.from.as_ref()?, written.span, "from")?;
        let via = match &written.via {
            None => Hosts::Everybody,
            Some(via) => self.gateways(via, written.span)?,
        };
        let (to, beyond) = self.to(written, &via)?;
        let ports = self.ports(written)?;
        let action = self.choose(written.action.as_ref()?, ["allow", "deny"]);
        self.unpublished(written, &to, &beyond, &ports);
        Some(Rule {
            number,
            line: Line(written.span.start.line),
            from,
            to,
            beyond,
            via,
            ports,
            action,
        })
    }

    /// Parses a text that must be one of two words. The first word means that connections are allowed.
    fn choose(&mut self, text: &Spanned<String>, words: [&str; 2]) -> Action {
        let [yes, no] = words;
        if text.value == yes {
            return Action::Allow;
        }
        if text.value != no {
            let message = format!("{} is neither {yes} nor {no}", quote(&text.value));
            let hint = match meant(&text.value, words) {
                Some(word) => format!("did you mean {word}?"),
                None => format!("write {yes} or {no}"),
            };
            self.error(text.span, message, hint);
        }
        Action::Deny
    }

    fn some_hosts(&mut self, texts: &[Spanned<String>], span: Span, what: &str) -> Option<Hosts> {
        let mut hosts = BTreeSet::new();
        let mut is_whole = true;
        let mut everybody = false;
        for text in texts {
            match self.host(text) {
                Some(Meaning::Everybody) => everybody = true,
                Some(Meaning::Hosts(found)) => hosts.extend(found),
                Some(Meaning::Target(_)) | None => is_whole = false,
            }
        }
        if texts.is_empty() {
            let hint = "write names of hosts or groups, or \"*\"";
            self.error(span, format!("{} names nobody", quote(what)), hint);
            return None;
        }
        is_whole.then_some(if everybody {
            Hosts::Everybody
        } else {
            Hosts::Only(hosts)
        })
    }

    fn gateways(&mut self, via: &[Spanned<String>], span: Span) -> Option<Hosts> {
        let hosts = self.some_hosts(via, span, "via")?;
        for text in via {
            let named = self.some_hosts(std::slice::from_ref(text), span, "via");
            let mut all = self.hosts.iter().map(|host| host.vip);
            let is_gateway = |vip| self.routes.has_gateway(vip);
            if let Some(named) = named
                && !all.any(|vip| named.has(vip) && is_gateway(vip))
            {
                let message = format!("no route leads through {}", quote(&text.value));
                let problem = Problem::warning(text.span, message);
                self.problems.push(problem.hint(
                    "\"via\" is for gateways of \"routes\"; write \"to\" for what a host publishes",
                ));
            }
        }
        Some(hosts)
    }

    /// The hosts and the outside destinations to which a rule applies.
    fn to(&mut self, written: &manifest::Rule, via: &Hosts) -> Option<(Hosts, Beyond)> {
        let none = Hosts::Only(BTreeSet::new());
        let Some(texts) = &written.to else {
            if written.via.is_some() {
                return Some((none, Beyond::Everything));
            }
            let hint = "write \"to\": hosts, groups, CIDR blocks, host name globs or \"*\"";
            self.error(written.span, "this rule does not say where to", hint);
            return None;
        };
        if texts.is_empty() {
            let hint = "write names of hosts or groups, blocks, globs, or \"*\"";
            self.error(written.span, "\"to\" names nothing", hint);
            return None;
        }
        let (mut hosts, mut targets, mut everything, mut is_whole) =
            (BTreeSet::new(), Vec::new(), false, true);
        for text in texts {
            match self.meaning(text, true) {
                Some(Meaning::Everybody) => everything = true,
                Some(Meaning::Hosts(found)) if written.via.is_some() => {
                    let message =
                        format!("{} is not reached through a gateway", quote(&text.value));
                    let hint = "remove \"via\", or write a block or a glob of a route as \"to\"";
                    self.error(text.span, message, hint);
                    drop(found);
                    is_whole = false;
                }
                Some(Meaning::Hosts(found)) => hosts.extend(found),
                Some(Meaning::Target(target)) => {
                    self.unrouted(text, &target, via);
                    targets.push(target);
                }
                None => is_whole = false,
            }
        }
        if !is_whole {
            return None;
        }
        Some(match (everything, written.via.is_some()) {
            (true, false) => (Hosts::Everybody, Beyond::Everything),
            (true, true) => (none, Beyond::Everything),
            (false, _) => (Hosts::Only(hosts), Beyond::Only(targets)),
        })
    }

    /// Warns if no route leads to a target of a rule.
    fn unrouted(&mut self, text: &Spanned<String>, target: &Target, via: &Hosts) {
        let leads = |route: &crate::route::Route| {
            route.via.iter().any(|gateway| via.has(*gateway))
                && route
                    .to
                    .iter()
                    .any(|to| meet(target, to) || meet(to, target))
        };
        if !self.routes.iter().any(leads) {
            let message = format!("no route leads to {}", quote(&text.value));
            let problem = Problem::warning(text.span, message);
            self.problems
                .push(problem.hint("the rule is about nothing there; see \"routes\""));
        }
    }

    fn host(&mut self, text: &Spanned<String>) -> Option<Meaning> {
        self.meaning(text, false)
    }

    /// Looks up the meaning of a word in a rule. If the word has no meaning, adds a problem and returns `None`.
    fn meaning(&mut self, text: &Spanned<String>, beyond: bool) -> Option<Meaning> {
        let word = text.value.as_str();
        if word == "*" {
            return Some(Meaning::Everybody);
        }
        let name: Option<HostName> = word.parse().ok();
        if let Some(group) = name.as_ref().and_then(|name| self.groups.get(name)) {
            return Some(Meaning::Hosts(group.clone()));
        }
        let mut hosts = self.hosts.iter();
        let found = hosts.find(|host| host.vip.to_string() == word);
        let found = found.or_else(|| {
            let is = |it: &HostName| Some(it) == name.as_ref();
            let mut hosts = self.hosts.iter();
            hosts.find(|host| is(&host.name) || host.aliases.iter().any(is))
        });
        if let Some(host) = found {
            return Some(Meaning::Hosts([host.vip].into()));
        }
        // A host that has a problem of its own was already reported.
        if name.as_ref().is_some_and(|name| (self.is_known)(name)) {
            return None;
        }
        let is_name = !word.contains(['*', '/']) && word.parse::<IpAddr>().is_err();
        let is_routed = is_name && self.routes.to_name(word).is_some();
        let is_pattern = word.contains(['*', '/']);
        let is_outside = word.parse().is_ok_and(|address: IpAddr| !is_own(address));
        if beyond && (is_routed || is_pattern || is_outside) {
            return match words::target(word) {
                Ok(Target::Cidr(block)) if is_own(block.network()) => {
                    let message = format!("{} is not a block of routes", quote(word));
                    let hint = "hosts of the network are named: by name, alias, VIP or group";
                    self.error(text.span, message, hint);
                    None
                }
                Ok(target) => Some(Meaning::Target(target)),
                Err(flaw) => {
                    self.error(text.span, flaw.message, flaw.hint);
                    None
                }
            };
        }
        self.stranger(text, beyond);
        None
    }

    fn stranger(&mut self, text: &Spanned<String>, beyond: bool) {
        let hosts = self.hosts.iter();
        let names = hosts.flat_map(|host| std::iter::once(&host.name).chain(&host.aliases));
        let names: Vec<&str> = (names.chain(self.groups.keys()))
            .map(HostName::as_str)
            .collect();
        let shown: Vec<_> = names.iter().take(LISTED_MAX).copied().collect();
        let with_port = text.value.rsplit_once(':');
        let with_port = with_port.filter(|(name, _)| names.contains(name));
        if let Some((name, port)) = with_port {
            let message = format!(
                "a rule names hosts and ports apart, but this is {}",
                quote(&text.value)
            );
            let hint = format!("write: to: {name}, and in another line: ports: [\"{port}\"]");
            self.error(text.span, message, hint);
            return;
        }
        let hint = meant(&text.value, names.iter().copied()).map_or_else(
            || format!("hosts and groups are: {}", shown.join(", ")),
            |name| format!("did you mean {name}?"),
        );
        let routes = if beyond && text.value.contains('.') {
            ", and no route leads there"
        } else {
            ""
        };
        let message = format!("no host or group is called {}{routes}", quote(&text.value));
        self.error(text.span, message, hint);
    }

    fn ports(&mut self, written: &manifest::Rule) -> Option<Vec<RangeInclusive<u16>>> {
        let Some(texts) = &written.ports else {
            return Some(Vec::new());
        };
        if texts.is_empty() {
            let hint = "leave \"ports\" out if all of them are meant";
            self.error(written.span, "\"ports\" names no port", hint);
            return None;
        }
        let mut ports = Vec::new();
        let mut good = true;
        for text in texts {
            match words::ports(&text.value) {
                Ok(range) => ports.push(range),
                Err(flaw) => {
                    self.error(text.span, flaw.message, flaw.hint);
                    good = false;
                }
            }
        }
        good.then_some(ports)
    }

    /// Warns if a rule is about ports that none of its hosts publishes.
    fn unpublished(
        &mut self,
        written: &manifest::Rule,
        to: &Hosts,
        beyond: &Beyond,
        ports: &[RangeInclusive<u16>],
    ) {
        let routed = *beyond != Beyond::Only(Vec::new()) && self.routes.iter().next().is_some();
        let named = |host: &&&HostPlan| to.has(host.vip);
        if routed || !self.hosts.iter().any(|host| named(&host)) {
            return;
        }
        for (range, text) in ports.iter().zip(written.ports.iter().flatten()) {
            let mut hosts = self.hosts.iter().filter(named);
            let has = |host: &&HostPlan| served(host).any(|port| range.contains(&port.get()));
            if !hosts.any(has) {
                let hosts: Vec<_> = self.hosts.iter().filter(named).collect();
                let who = match hosts.as_slice() {
                    [host] => host.name.to_string(),
                    _ => "none of these hosts".to_owned(),
                };
                let does = if hosts.len() == 1 {
                    "does not publish"
                } else {
                    "publishes"
                };
                let message = format!("{who} {does} {}", text.value);
                let mut known: Vec<_> = hosts.iter().flat_map(|host| published(host)).collect();
                known.sort_unstable();
                known.dedup();
                let known: Vec<_> = known.iter().take(LISTED_MAX).map(Port::to_string).collect();
                let hint = if known.is_empty() {
                    "a policy opens nothing: write the port into \"ports\" of the host".to_owned()
                } else {
                    format!("what is published: {}", known.join(", "))
                };
                let problem = Problem::warning(text.span, message);
                self.problems.push(problem.hint(hint));
            }
        }
    }

    /// Warns about a rule that never decides anything, or that makes no difference.
    fn warn(&mut self, default: Action, rules: &[(Rule, Span)]) {
        for (index, (rule, span)) in rules.iter().enumerate() {
            let earlier = rules.iter().take(index);
            if let Some((first, place)) = earlier.rev().find(|(first, _)| first.covers(rule)) {
                let message = format!(
                    "rule {} never decides: rule {} is about everything that it is about, and comes first",
                    rule.number, first.number
                );
                let problem = Problem::warning(*span, message);
                self.problems.push(
                    problem
                        .related(*place, "this rule decides")
                        .hint("put the narrower rule first, or remove one of them"),
                );
                continue;
            }
            let mut later = rules.iter().skip(index + 1);
            let is_idle = default == Action::Allow && rule.action == Action::Allow;
            if is_idle && !later.any(|(later, _)| later.action == Action::Deny) {
                let message = format!(
                    "rule {} changes nothing: no rule after it denies anything, and what is published is allowed by default",
                    rule.number
                );
                let problem = Problem::warning(*span, message);
                self.problems.push(
                    problem
                        .hint("write \"default: deny\" if only what rules allow is to be allowed"),
                );
            }
        }
    }
}

/// Whether an address in a rule or a test is an IPv4 loopback address. Such an address can only be the VIP of a host,
/// not a destination outside the network.
fn is_own(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_loopback())
}

/// The TCP ports that a host publishes. UDP is not served yet.
pub(super) fn published(host: &HostPlan) -> impl Iterator<Item = Port> {
    let carried = host.forwards.iter();
    carried
        .filter(|forward| forward.protocol == Protocol::Tcp)
        .map(|forward| forward.listen_port)
}

/// The ports that a host publishes, and the port of its DNS server.
fn served(host: &HostPlan) -> impl Iterator<Item = Port> {
    published(host).chain(host.dns)
}

/// Evaluates every test of a policy. A failed test is an error: the policy does not do what its author expects.
pub(super) fn try_tests(written: &manifest::Policy, plan: &Plan) -> Vec<Problem> {
    let mut problems = Problems::default();
    let names = |name: &HostName| plan.names().contains_key(name);
    let hosts: Vec<_> = plan.hosts.iter().collect();
    let mut reader = Reader {
        hosts: &hosts,
        routes: &plan.routes,
        is_known: &names,
        groups: BTreeMap::new(),
        problems: &mut problems,
    };
    // The problems of the groups were already reported.
    reader.groups(&written.groups);
    let mut tries = 0;
    for test in &written.tests {
        let Some(expect) = &test.expect else { continue };
        let expect = reader.choose(expect, ["allow", "deny"]);
        let Some(from) = reader.some_hosts(&test.from, test.span, "from") else {
            continue;
        };
        if test.to.is_empty() {
            reader.error(
                test.span,
                "\"to\" names nothing",
                "write HOST:PORT, like \"db:5432\"",
            );
        }
        let from: Vec<_> = plan
            .hosts
            .iter()
            .filter(|host| from.has(host.vip))
            .collect();
        for to in &test.to {
            let Some(goals) = reader.goals(to) else {
                continue;
            };
            tries += from.len() * goals.len();
            if tries > TRIES_MAX {
                let message = format!("the tests of the policy have more than {TRIES_MAX} cases");
                reader.error(test.span, message, "test fewer hosts at once");
                return problems.into_vec();
            }
            let failed = from.iter().find_map(|from| {
                let mut goals = goals.iter();
                goals.find_map(|goal| fail(plan, from, goal, expect))
            });
            if let Some(failed) = failed {
                let mut problem = Problem::error(to.span, failed.message).hint(failed.hint);
                if let Some(rule) = failed.by.and_then(|by| number(by, written)) {
                    problem = problem.related(rule.span, "this rule decides");
                }
                reader.problems.push(problem);
            }
        }
    }
    problems.into_vec()
}

fn number(by: By, written: &manifest::Policy) -> Option<&manifest::Rule> {
    match by {
        By::Default => None,
        By::Rule(number) => written.rules.get(usize::from(number).checked_sub(1)?),
    }
}

impl Reader<'_> {
    /// All destinations that an entry in the `to` of a test means.
    fn goals(&mut self, text: &Spanned<String>) -> Option<Vec<Destination>> {
        let form = "write HOST:PORT, like \"db:5432\" or \"10.0.0.1:22\"";
        let parts = text.value.rsplit_once(':');
        let port = parts.and_then(|(_, port)| words::ports(port).ok());
        let port = port.filter(|port| port.start() == port.end());
        let (Some((host, _)), Some(port)) = (parts, port) else {
            let message = format!("{} does not say which port", quote(&text.value));
            self.error(text.span, message, form);
            return None;
        };
        let port = *port.start();
        let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = inside.unwrap_or(host);
        let outside = |host: Host| Destination { host, port };
        match host.parse::<Host>() {
            Ok(Host::Ip(address)) if !is_own(address) => {
                return Some(vec![outside(Host::Ip(address))]);
            }
            Ok(Host::Name(name))
                if self.routes.to_name(&name).is_some() && !self.is_ours(&name) =>
            {
                return Some(vec![outside(Host::Name(name))]);
            }
            Ok(Host::Ip(_) | Host::Name(_)) | Err(_) => {}
        }
        let word = Spanned {
            value: host.to_owned(),
            span: text.span,
        };
        let hosts = match self.host(&word)? {
            Meaning::Everybody => self.hosts.iter().map(|host| host.vip).collect(),
            Meaning::Hosts(hosts) => hosts,
            Meaning::Target(_) => return None,
        };
        let goals = hosts
            .iter()
            .map(|vip| outside(Host::Ip(vip.address().into())));
        Some(goals.collect())
    }

    fn is_ours(&self, name: &str) -> bool {
        let name: Option<HostName> = name.parse().ok();
        name.is_some_and(|name| (self.is_known)(&name) || self.groups.contains_key(&name))
    }
}

/// How a test has failed.
struct Failed {
    message: String,
    hint: &'static str,
    by: Option<By>,
}

/// The plan's decision about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The connection is allowed by this rule or default.
    Reached(By),
    /// The connection is refused by this rule or default.
    Refused(By),
    /// The name may resolve to addresses for which this rule or default refuses the connection.
    Depends(By),
    /// Nothing is published at the destination's port.
    NotPublished,
    /// No route leads to the destination.
    NoRoute,
}

impl From<Ruling> for Reach {
    fn from(ruling: Ruling) -> Self {
        match (ruling.allows, ruling.denies) {
            (Some(by), None) => Self::Reached(by),
            (Some(_), Some(by)) => Self::Depends(by),
            (None, by) => Self::Refused(by.unwrap_or(By::Default)),
        }
    }
}

impl Plan {
    /// The plan's decision about a connection from a host to a destination. There is one decision for each gateway
    /// through which the connection may go.
    pub fn reach(&self, from: Vip, to: &Destination) -> Vec<(Option<Vip>, Reach)> {
        let own = match &to.host {
            Host::Ip(address) => self
                .hosts
                .iter()
                .find(|host| host.vip.address() == *address),
            Host::Name(name) => {
                let name: Option<HostName> = name.parse().ok();
                let names = self.names();
                let vip = name.and_then(|name| names.get(&name).copied());
                vip.and_then(|vip| self.host(vip))
            }
        };
        if let Some(host) = own {
            let port = Port::new(to.port);
            let port = port.filter(|port| served(host).chain(host.relay).any(|it| it == *port));
            let reach = port.map(|port| self.policy.at_port(from, host.vip, port));
            return vec![(None, reach.map_or(Reach::NotPublished, Reach::from))];
        }
        let (route, name, address) = match &to.host {
            Host::Ip(address) => (self.routes.to_address(*address), Name::None, Some(*address)),
            Host::Name(name) => (self.routes.to_name(name), Name::Known(name), None),
        };
        let Some(route) = route else {
            return vec![(None, Reach::NoRoute)];
        };
        let gateways = route.via.iter().map(|gateway| {
            let outside = Outside {
                gateway: *gateway,
                name,
                address,
            };
            let ruling = self.policy.outside(from, &outside, to.port);
            (Some(*gateway), Reach::from(ruling))
        });
        gateways.collect()
    }

    /// The deciding rule or default in words for people: "rule 2 of the policy (line 14)".
    pub fn by_words(&self, by: By) -> String {
        match self.policy.rule(by) {
            Some(rule) => format!("rule {} of the policy (line {})", rule.number, rule.line.0),
            None => by.to_string(),
        }
    }
}

/// How a test fails for one connection; `None` if every gateway gives the expected result.
fn fail(plan: &Plan, from: &HostPlan, to: &Destination, expect: Action) -> Option<Failed> {
    let called = match &to.host {
        Host::Ip(IpAddr::V4(address)) => Vip::new(*address)
            .ok()
            .and_then(|vip| plan.host(vip))
            .map_or_else(
                || to.to_string(),
                |host| format!("{}:{}", host.name, to.port),
            ),
        Host::Ip(IpAddr::V6(_)) | Host::Name(_) => to.to_string(),
    };
    let name = &from.name;
    plan.reach(from.vip, to).into_iter().find_map(|(gateway, reach)| {
        let way = match gateway {
            Some(gateway) => format!(" through {}", plan.name_of(gateway)),
            None => String::new(),
        };
        let (message, hint, by) = match (expect, reach) {
            (Action::Allow, Reach::Reached(_))
            | (Action::Deny, Reach::Refused(_) | Reach::NotPublished | Reach::NoRoute) => {
                return None;
            }
            (Action::Allow, Reach::Refused(by)) => (
                format!("{name} may not reach {called}{way}: {} denies it", plan.by_words(by)),
                "allow it by a rule before that one, or expect: deny",
                Some(by),
            ),
            (Action::Deny, Reach::Reached(by)) => (
                format!("{name} may reach {called}{way}: {} allows it", plan.by_words(by)),
                "deny it by a rule before that one, or expect: allow",
                Some(by),
            ),
            (_, Reach::Depends(by)) => (
                format!(
                    "whether {name} may reach {called}{way} depends on the address of that name: {} denies some",
                    plan.by_words(by)
                ),
                "test an address, or put a rule for the name before that one",
                Some(by),
            ),
            (Action::Allow, Reach::NotPublished) => (
                format!("{name} does not reach {called}: that port is not published"),
                "a policy opens nothing: publish it in \"ports\" of the host, or expect: deny",
                None,
            ),
            (Action::Allow, Reach::NoRoute) => (
                format!("{name} does not reach {called}: no route leads there"),
                "a policy opens nothing: write a route, or expect: deny",
                None,
            ),
        };
        Some(Failed {
            message: format!("this test of the policy fails: {message}"),
            hint,
            by,
        })
    })
}
