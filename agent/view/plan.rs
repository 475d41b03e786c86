//! What people and programs see of a plan: what the network is meant to be, whatever it is at the moment.

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
    /// Who may reach what, if the manifest says anything about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PlanPolicy>,
}

/// One host as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanHost {
    /// Its name in the manifest.
    pub name: String,
    /// Its address in the network.
    pub vip: String,
    /// Its further names.
    pub aliases: Vec<String>,
    /// The command that its agent is started with, the program first; empty if it runs inside the manager.
    pub command: Vec<String>,
    /// The ports that it publishes, in the order of the manifest.
    pub publishes: Vec<PlanPort>,
    /// Where its HTTP proxy listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// Where its SOCKS proxy listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socks: Option<String>,
    /// Where its DNS server listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<String>,
    /// Whether a route leads through it.
    pub gateway: bool,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanPort {
    /// The port at the host's address.
    pub port: u16,
    /// What the host connects to for it: an address or a name, and a port.
    pub target: String,
}

/// A route to destinations outside the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanRoute {
    /// Blocks of addresses and patterns of names.
    pub to: Vec<String>,
    /// What of it is not meant.
    pub not_to: Vec<String>,
    /// The name of the host that it leads through.
    pub via: String,
    /// The hosts that take its place, the first that is up, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_via: Vec<String>,
}

/// Who may reach what of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanPolicy {
    /// What becomes of connections that no rule fits: `published` or `deny`.
    pub default: String,
    /// The rules, in the order of the manifest; the first that fits decides.
    pub rules: Vec<PlanRule>,
    /// Everything that can be reached: the columns of the matrix.
    pub targets: Vec<MatrixTarget>,
    /// What each host may reach of it: the rows of the matrix.
    pub rows: Vec<MatrixRow>,
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanRule {
    /// Its number, from 1.
    pub number: u16,
    /// The line of the manifest where it is written.
    pub line: usize,
    /// Names of hosts, or `*`.
    pub from: Vec<String>,
    /// Names of hosts, destinations outside the network, or `*`.
    pub to: Vec<String>,
    /// The gateways that it is about, where it is not about all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
    /// Ports and ranges of them; all if it is empty.
    pub ports: String,
    /// `allow` or `deny`.
    pub action: String,
}

/// Something that can be reached: what a host publishes, or a destination of a route through one of its gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixTarget {
    /// The name of the host, or the destination as it is written.
    pub name: String,
    /// The gateway, if it is outside the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// What the host publishes, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

/// What one host may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixRow {
    /// The name of the host.
    pub from: String,
    /// One for each target, in their order.
    pub cells: Vec<MatrixCell>,
}

/// How much of a target a host may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MatrixCell {
    /// How much.
    pub reach: MatrixReach,
    /// The ports, if it is only a part.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ports: String,
    /// The ports at which only some names or addresses of it may be reached.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub some: String,
    /// The rules that refuse the rest; it is the default if there is a rest and no rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_by: Vec<u16>,
}

/// How much of something may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MatrixReach {
    /// It is the host itself, or what it reaches by itself.
    Own,
    /// Everything.
    All,
    /// A part.
    Part,
    /// Nothing.
    None,
    /// There is nothing to reach.
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
