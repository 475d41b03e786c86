//! Translates a plan into the configuration of one agent.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use crate::{
    addr::{Port, Vip},
    link::{Configuration, Demands},
    plan::{Allow, Forward, HostPlan, Plan, Protocol, ProxyPlan, TargetHost},
    route::{
        Route, Target,
        policy::{Action, Beyond, Hosts, Policy, Rule},
    },
    wire::control::{self, Configure, Endpoint, Listen, Loopback, StateDir, feature},
};

const TCP: &str = "tcp";

/// The wildcard for all hosts or all destinations.
const EVERYTHING: &str = "*";

/// The names of a network, which the configurations of all its agents share.
#[derive(Clone)]
pub(super) struct Names {
    all: Arc<BTreeMap<String, Ipv4Addr>>,
    main: Arc<Vec<String>>,
}

impl Names {
    pub(super) fn of(plan: &Plan) -> Self {
        let all = plan.names().into_iter();
        let main = plan.hosts.iter().map(|host| host.name.to_string());
        Self {
            all: Arc::new(
                all.map(|(name, vip)| (name.to_string(), vip.address()))
                    .collect(),
            ),
            main: Arc::new(main.collect()),
        }
    }
}

/// The configuration of `host`'s agent as [`configure`] makes it, whenever it is needed.
pub(super) fn configuration(
    plan: &Arc<Plan>,
    names: &Names,
    host: &HostPlan,
    manager: &str,
) -> Configuration {
    let (plan, names) = (plan.clone(), names.clone());
    let (host, manager) = (host.clone(), manager.to_owned());
    Configuration::new(move || configure(&plan, &names, &host, &manager))
}

/// The configuration of `host`'s agent. `names` are those of the plan. `manager` is the run id of this manager, and is
/// empty for an agent inside the manager.
pub(super) fn configure(plan: &Plan, names: &Names, host: &HostPlan, manager: &str) -> Configure {
    let others = plan.hosts.iter().filter(|other| other.vip != host.vip);
    // An agent does not learn of ports that it may not reach, so it does not listen for them.
    let may = |other: &HostPlan, port| plan.policy.allows(host.vip, other.vip, port);
    Configure {
        me: host.vip.address(),
        forwards: carried(host)
            .map(|forward| control::Forward {
                listen_port: forward.listen_port.get(),
                connect_ip: match &forward.target.host {
                    TargetHost::Ip(address) => address.to_string(),
                    TargetHost::Name(name) => name.clone(),
                },
                connect_port: forward.target.port.get(),
                proto: TCP.to_owned(),
            })
            .collect(),
        others: others
            .flat_map(|other| {
                let reached = carried(other).filter(|forward| may(other, forward.listen_port));
                reached.map(|forward| Endpoint {
                    ip: other.vip.address(),
                    port: forward.listen_port.get(),
                    proto: TCP.to_owned(),
                })
            })
            .collect(),
        hostname_map: names.all.clone(),
        http: listen(host.http.as_ref()),
        socks: listen(host.socks.as_ref()),
        loopback: Loopback {
            disable: !host.loopback,
            same_user: host.allow == Allow::SameUser,
        },
        state_dir: StateDir {
            path: host.state_dir.clone().unwrap_or_default(),
            disable: host.state_dir.is_none(),
        },
        write_etc_hosts: host.write_etc_hosts,
        routes: plan.routes.iter().filter_map(self::route).collect(),
        name_servers: endpoints(plan, |other| other.dns.filter(|port| may(other, *port))),
        // The relays of all hosts are included, even those that the policy denies to this host. That does no harm:
        // agents do not listen on the ports of other hosts' relays, and a relay that refuses a request reports it.
        relays: endpoints(plan, |other| other.relay),
        main_names: names.main.clone(),
        manager: manager.to_owned(),
        features: features(),
        policy: (!plan.policy.is_open()).then(|| policy(&plan.policy, host.vip)),
    }
}

/// The policy for a host: only the rules that concern the host.
fn policy(policy: &Policy, host: Vip) -> control::Policy {
    let everything = || vec![EVERYTHING.to_owned()];
    let hosts = |hosts: &Hosts| match hosts {
        Hosts::Everybody => everything(),
        Hosts::Only(hosts) => hosts.iter().map(ToString::to_string).collect(),
    };
    let rule = |rule: &Rule| control::PolicyRule {
        number: rule.number,
        from: hosts(&rule.from),
        to: hosts(&rule.to),
        beyond: match &rule.beyond {
            Beyond::Everything => everything(),
            Beyond::Only(targets) => targets.iter().map(ToString::to_string).collect(),
        },
        via: hosts(&rule.via),
        ports: (rule.ports.iter())
            .map(|ports| [*ports.start(), *ports.end()])
            .collect(),
        action: word(rule.action),
    };
    let (default, rules) = policy.about(host);
    control::Policy {
        default: word(default),
        rules: rules.into_iter().map(rule).collect(),
    }
}

fn word(action: Action) -> String {
    let word = match action {
        Action::Allow => "allow",
        Action::Deny => "deny",
    };
    word.to_owned()
}

/// The features of the manager. The list for an agent inside the manager includes `sums` as well. No pipe leads to that
/// agent, but the manager forwards the agent's packets unread, and the pipes to other hosts may damage them.
fn features() -> Vec<String> {
    let features = [
        feature::PROBLEMS,
        feature::NOTICES,
        feature::HEARTBEAT,
        feature::POLICY,
        feature::SUMS,
        feature::MARKS,
    ];
    features.map(str::to_owned).into()
}

/// The features that the agent of `host` must have, and those that it should have.
pub(super) fn demands(plan: &Plan, host: &HostPlan) -> Demands {
    let mut required = vec![feature::TCP];
    if !plan.policy.is_open() {
        // An agent that does not know policies would connect to everything to which a route leads, for every host.
        required.push(feature::POLICY);
    }
    let mut wanted = Vec::new();
    let proxies = [(&host.http, feature::HTTP), (&host.socks, feature::SOCKS)];
    for (proxy, feature) in proxies {
        let Some(proxy) = proxy else { continue };
        wanted.push(feature);
        if proxy.credentials.is_some() {
            // An agent that does not ask for credentials would serve everybody.
            required.push(feature::CREDENTIALS);
        }
    }
    let proxies = [&host.http, &host.socks].into_iter().flatten();
    let mut allows = proxies
        .map(|proxy| proxy.allow)
        .chain(host.loopback.then_some(host.allow));
    if allows.any(|allow| allow == Allow::SameUser) {
        // An agent that does not check who connects would let everybody in.
        required.push(feature::SAME_USER);
    }
    let has_proxy = host.http.is_some() || host.socks.is_some();
    if plan.routes.has_gateway(host.vip) || (has_proxy && plan.routes.iter().next().is_some()) {
        wanted.push(feature::ROUTES);
        let has_exceptions = plan.routes.iter().any(|route| !route.not_to.is_empty());
        if has_exceptions && plan.routes.has_gateway(host.vip) {
            // A gateway that does not know exceptions would dial the destinations that the exceptions exclude.
            required.push(feature::NOT_TO);
        } else if has_exceptions {
            wanted.push(feature::NOT_TO);
        }
    }
    if host.dns.is_some() {
        wanted.push(feature::DNS);
    }
    if host.state_dir.is_some() {
        wanted.push(feature::HOST_ALIASES);
    }
    if host.write_etc_hosts {
        wanted.push(feature::ETC_HOSTS);
    }
    if host.loopback {
        wanted.push(feature::LOOPBACK);
    } else {
        // An agent that cannot be told not to listen would open the ports to every user of its machine.
        required.push(feature::LOOPBACK_DISABLE);
    }
    Demands { required, wanted }
}

/// The published ports of a host that its agent can serve: those for TCP.
pub(super) fn carried(host: &HostPlan) -> impl Iterator<Item = &Forward> {
    host.forwards
        .iter()
        .filter(|forward| forward.protocol == Protocol::Tcp)
}

/// The ports of a host that others may connect to.
pub(super) fn ports(host: &HostPlan) -> impl Iterator<Item = Port> {
    let published = carried(host).map(|forward| forward.listen_port);
    published.chain(host.dns).chain(host.relay)
}

fn listen(proxy: Option<&ProxyPlan>) -> Listen {
    proxy.map_or_else(Listen::default, |proxy| Listen {
        listen: proxy.listen.to_string(),
        credentials: proxy.credentials.clone().unwrap_or_default(),
        same_user: proxy.allow == Allow::SameUser,
    })
}

/// For each host for which `port` returns a port: the host's VIP and that port.
fn endpoints(plan: &Plan, port: impl Fn(&HostPlan) -> Option<Port>) -> Vec<Endpoint> {
    let endpoint = |host: &HostPlan| {
        Some(Endpoint {
            ip: host.vip.address(),
            port: port(host)?.get(),
            proto: TCP.to_owned(),
        })
    };
    plan.hosts.iter().filter_map(endpoint).collect()
}

fn route(route: &Route) -> Option<control::Route> {
    let (via, or_via) = route.via.split_first()?;
    let texts = |cidr: bool| {
        let targets = route
            .to
            .iter()
            .filter(move |to| matches!(to, Target::Cidr(_)) == cidr);
        targets.map(ToString::to_string).collect()
    };
    Some(control::Route {
        to_cidr: texts(true),
        to_hostname_glob: texts(false),
        via: via.address(),
        or_via: or_via.iter().map(|via| via.address()).collect(),
        not_to: route.not_to.iter().map(ToString::to_string).collect(),
    })
}
