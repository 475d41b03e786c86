//! A plan as people and programs see it: the intended network, whatever its present state is.

use serde::{Deserialize, Serialize};

/// The whole plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<PlanHost>,
    /// The routes in the order of the manifest; the last that matches wins.
    pub routes: Vec<PlanRoute>,
    /// The policy, if the manifest has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PlanPolicy>,
}

/// One host of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The name of the gateway.
    pub via: String,
    /// Further gateways, if there are any. If one gateway is down, the next one that is up takes its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_via: Vec<String>,
}

/// The policy of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanPolicy {
    /// The default for connections that no rule fits: `published` or `deny`.
    pub default: String,
    /// The rules, in the order of the manifest; the first that fits decides.
    pub rules: Vec<PlanRule>,
    /// All targets that can be reached: the columns of the matrix.
    pub targets: Vec<MatrixTarget>,
    /// What each host may reach: the rows of the matrix.
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
    /// The target is the host itself, or the host reaches it without the network.
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
