//! A plan as people and programs see it: the intended network, whatever its present state is.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddrV4},
};

use serde::{Deserialize, Serialize};

/// The whole plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<PlanHost>,
    /// The routes in the order of the manifest. If several match, the last of them decides.
    pub routes: Vec<PlanRoute>,
    /// The policy, if the manifest has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PlanPolicy>,
}

/// One host of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanHost {
    /// The name of the host in the manifest.
    pub name: String,
    /// The address of the host in the network.
    pub vip: String,
    /// The other names of the host.
    pub aliases: Vec<String>,
    /// The command that starts the host's agent, the program first; empty if the agent runs inside the manager.
    pub command: Vec<String>,
    /// The commands that choose the pod or container of the host at each start, if the host has several. The result
    /// takes the place of a word of the command: `POD` or `CONTAINER`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Vec<String>>,
    /// The ports that the host publishes, in the order of the manifest.
    pub publishes: Vec<PlanPort>,
    /// The address of the host's HTTP proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// The address of the host's SOCKS proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socks: Option<String>,
    /// The address of the host's DNS server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    /// Whether a route leads through the host.
    pub gateway: bool,
    /// Whether the host's agent listens on the loopback addresses of the network's hosts.
    #[serde(default)]
    pub loopback: bool,
    /// The folder in which the host's agent writes files for other programs, as the manifest names it; absent if there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
}

impl PlanHost {
    /// Whether the host's agent runs inside the manager, and so on the manager's machine.
    pub fn is_here(&self) -> bool {
        self.command.is_empty()
    }
}

impl PlanView {
    /// The addresses of hosts on which both networks would listen on the manager's machine, at the same port.
    pub fn clashes(&self, other: &Self) -> BTreeSet<Ipv4Addr> {
        let (ours, theirs) = (self.listens_here(), other.listens_here());
        let both = ours.intersection(&theirs);
        both.map(|address| *address.ip()).collect()
    }

    /// The addresses on which an agent on the manager's machine listens for other programs.
    fn listens_here(&self) -> BTreeSet<SocketAddrV4> {
        let hosts = &self.hosts;
        if !hosts.iter().any(|host| host.is_here() && host.loopback) {
            return BTreeSet::new();
        }
        let published = hosts.iter().flat_map(|host| {
            let vip: Option<Ipv4Addr> = host.vip.parse().ok();
            let ports = host.publishes.iter();
            ports.filter_map(move |port| Some(SocketAddrV4::new(vip?, port.port)))
        });
        let dns = hosts
            .iter()
            .filter_map(|host| host.dns.as_ref()?.parse().ok());
        published.chain(dns).collect()
    }
}

/// Addresses as a short text for people: `127.0.42.100-104`.
pub fn address_ranges(addresses: &BTreeSet<Ipv4Addr>) -> String {
    let mut ranges: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::new();
    for &address in addresses {
        match ranges.last_mut() {
            Some((_, last)) if is_next(*last, address) => *last = address,
            _ => ranges.push((address, address)),
        }
    }
    let shown = ranges.iter().take(RANGES_MAX).map(|(first, last)| {
        if first == last {
            return first.to_string();
        }
        format!("{first}-{}", last.octets()[3])
    });
    let shown: Vec<String> = shown.collect();
    let more = match ranges.len() - shown.len() {
        0 => "",
        _ => " and others",
    };
    format!("{}{more}", shown.join(", "))
}

/// How many ranges of addresses are shown.
const RANGES_MAX: usize = 4;

/// Whether an address directly follows another one. The two may differ only in their last part.
fn is_next(before: Ipv4Addr, address: Ipv4Addr) -> bool {
    let ([a, b, c, last], next) = (before.octets(), address.octets());
    next[..3] == [a, b, c] && last.checked_add(1) == Some(next[3])
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanPort {
    /// The port at the host's address.
    pub port: u16,
    /// The address or name, and the port, that the host connects to.
    pub target: String,
}

/// A route to destinations outside the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanRoute {
    /// The destinations: blocks of addresses and patterns of names.
    pub to: Vec<String>,
    /// The exceptions from the route.
    pub not_to: Vec<String>,
    /// The name of the gateway that comes first.
    pub via: String,
    /// The other gateways, in order. If a gateway is down, the next one that is up takes its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_via: Vec<String>,
}

/// The policy of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanPolicy {
    /// The action for connections that no rule fits: `published` or `deny`.
    pub default: String,
    /// The rules, in the order of the manifest; the first that fits decides.
    pub rules: Vec<PlanRule>,
    /// All targets that can be reached: the columns of the matrix.
    pub targets: Vec<MatrixTarget>,
    /// The targets that each host may reach: the rows of the matrix.
    pub rows: Vec<MatrixRow>,
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanRule {
    /// The number of the rule, from 1.
    pub number: u16,
    /// The line of the rule in the manifest.
    pub line: usize,
    /// The hosts where connections begin: names, or `*` for all.
    pub from: Vec<String>,
    /// The destinations of connections: names of hosts, destinations outside the network, or `*` for all.
    pub to: Vec<String>,
    /// The gateways that the rule is about; absent if the rule is about all gateways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
    /// Ports and ranges of ports; empty for all ports.
    pub ports: String,
    /// The action of the rule: `allow` or `deny`.
    pub action: String,
}

/// A target that can be reached: a host's published ports, or a destination of a route through one of its gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixTarget {
    /// The name of the host, or the destination as written in the manifest.
    pub name: String,
    /// The gateway, if the target is outside the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The ports that the host publishes, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

/// The targets that one host may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixRow {
    /// The name of the host.
    pub from: String,
    /// One cell for each target, in the order of the targets.
    pub cells: Vec<MatrixCell>,
}

/// The part of a target that a host may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixCell {
    /// How much of the target the host may reach.
    pub reach: MatrixReach,
    /// The ports that the host may reach, if it may reach only a part of the target.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// The ports at which only some names or addresses of the target may be reached.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub some: String,
    /// The numbers of the rules that refuse connections to the target. If connections are refused and this list is
    /// empty, the default refuses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<u16>,
}

/// How much of a target may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MatrixReach {
    /// The target is the host itself, or the host reaches the target without the network.
    Own,
    /// The whole target may be reached.
    All,
    /// A part of the target may be reached.
    Part,
    /// No part of the target may be reached.
    None,
    /// The target has nothing to reach.
    Nothing,
}

impl MatrixCell {
    /// The cell in a few words: "all", "80, 443".
    pub fn words(&self) -> String {
        let some = match self.some.as_str() {
            "" => String::new(),
            ports => format!("some at {ports}"),
        };
        match self.reach {
            MatrixReach::Own | MatrixReach::Nothing => "-".to_owned(),
            MatrixReach::All => "all".to_owned(),
            MatrixReach::None => "no".to_owned(),
            MatrixReach::Part if self.ports.is_empty() => some,
            MatrixReach::Part if some.is_empty() => self.ports.clone(),
            MatrixReach::Part => format!("{}; {some}", self.ports),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(vip: &str, command: &[&str], ports: &[u16]) -> PlanHost {
        PlanHost {
            vip: vip.to_owned(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            publishes: (ports.iter())
                .map(|&port| PlanPort {
                    port,
                    target: String::new(),
                })
                .collect(),
            dns: Some(format!("{vip}:10053")),
            loopback: true,
            ..PlanHost::default()
        }
    }

    fn network(hosts: Vec<PlanHost>) -> PlanView {
        PlanView {
            hosts,
            ..PlanView::default()
        }
    }

    #[test]
    fn networks_clash_where_their_managers_listen_on_one_address() {
        let here = host("127.0.42.100", &[], &[]);
        let web = host("127.0.42.101", &["ssh"], &[80]);
        let ours = network(vec![here.clone(), web.clone()]);
        let shown = |one: &PlanView, other: &PlanView| address_ranges(&one.clashes(other));
        assert_eq!(shown(&ours, &ours), "127.0.42.100-101");
        let without_dns = |mut host: PlanHost| {
            host.dns = None;
            host
        };
        let quiet = network(vec![without_dns(here.clone()), without_dns(web.clone())]);
        assert_eq!(shown(&ours, &quiet), "127.0.42.101");
        let other_port = without_dns(host("127.0.42.101", &["ssh"], &[81]));
        let other_port = network(vec![without_dns(here.clone()), other_port]);
        assert_eq!(shown(&quiet, &other_port), "");
        assert_eq!(
            shown(&ours, &network(vec![web.clone()])),
            "",
            "it is not here"
        );
        let silent = PlanHost {
            loopback: false,
            ..here
        };
        assert_eq!(shown(&ours, &network(vec![silent, web])), "");
    }

    #[test]
    fn addresses_in_a_row_are_a_range() {
        let text = |addresses: &[[u8; 4]]| {
            address_ranges(&addresses.iter().copied().map(Ipv4Addr::from).collect())
        };
        assert_eq!(text(&[[127, 0, 42, 7]]), "127.0.42.7");
        let parts = [[127, 0, 1, 254], [127, 0, 1, 255], [127, 0, 2, 0]];
        assert_eq!(text(&parts), "127.0.1.254-255, 127.0.2.0");
        let many: Vec<_> = (0..9).map(|last| [127, 0, 1, 2 * last]).collect();
        let shown = "127.0.1.0, 127.0.1.2, 127.0.1.4, 127.0.1.6 and others";
        assert_eq!(text(&many), shown);
    }
}
