//! The ports of a host on which programs listen.

use serde::{Deserialize, Serialize};

/// The ports of a host on which programs listen, as its agent sees them. Those of the agent itself are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OpenPortsView {
    /// The ports, in the order of their numbers.
    pub ports: Vec<OpenPortView>,
    /// The number of open ports that are not in the list.
    #[cfg_attr(test, ts(type = "number"))]
    pub more: u64,
}

/// A port on which a program listens for TCP connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OpenPortView {
    /// The address and port on which the program listens. `0.0.0.0` and `[::]` stand for all addresses of the host.
    pub address: String,
    /// The port alone.
    pub port: u16,
    /// The name of the program, if the agent may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The process id of the program, if the agent may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// The port at the host's VIP under which the manifest publishes this port, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u16>,
}
