//! What people and programs see of a plan: what the network is meant to be, whatever it is at the moment.

use serde::{Deserialize, Serialize};

/// The whole plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<PlanHost>,
    /// The routes in the order of the manifest; the last that matches wins.
    pub routes: Vec<PlanRoute>,
}

/// One host as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PlanPort {
    /// The port at the host's address.
    pub port: u16,
    /// What the host connects to for it: an address or a name, and a port.
    pub target: String,
}

/// A route to destinations outside the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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
