//! The events in a network that are worth a line in a log.

use serde::{Deserialize, Serialize};

use super::{
    install::InstallStep,
    snapshot::{HostState, Retry},
};

/// An event that is worth a line in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A host's state has changed.
    Host {
        /// The host's name.
        host: String,
        /// The host's address.
        vip: String,
        /// The host's new state.
        state: HostState,
        /// The reason for the new state, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The next retry, if the host waits for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    /// The manifest was reloaded, and the network has changed.
    Reloaded {
        /// The changes, for people; empty if nothing important has changed.
        changes: Vec<String>,
        /// The new grants of the network, as sentences.
        #[serde(default)]
        grants: Vec<String>,
    },
    /// The manifest has changed, and the change waits for a person's approval.
    Held {
        /// The grants that wait for approval, as sentences.
        grants: Vec<String>,
    },
    /// All hosts are refused, so none can run as it is. The network stays up, because a person may fix one of them.
    Hopeless {
        /// The number of hosts.
        hosts: usize,
    },
    /// The policy has refused connections of a host. The event has the sums since the last such event about this host.
    /// There is at most one such event a minute for each host.
    Refused {
        /// The name of the host that began the connections.
        host: String,
        /// The host's address.
        vip: String,
        /// The number of connections.
        times: u64,
        /// The number of different targets. There is a limit: all targets beyond it together count as one.
        targets: usize,
        /// Some of the targets, those with the most attempts first.
        most: Vec<RefusedTarget>,
        /// This information in words for people, without the host's name.
        text: String,
    },
    /// A line of a host's standard error, without control characters.
    Stderr {
        /// The host's name.
        host: String,
        /// The host's address.
        vip: String,
        /// The line.
        line: String,
    },
    /// A step has ended while an agent is being put on a host that has only a shell.
    Step {
        /// The host's name.
        host: String,
        /// The host's address.
        vip: String,
        /// The step.
        step: InstallStep,
        /// How long the step took, in milliseconds.
        took_ms: u64,
        /// How many bytes were sent. 0 for every step except the upload.
        bytes: u64,
    },
    /// A problem with a host that does not stop it.
    Warning {
        /// The host's name.
        host: String,
        /// The host's address.
        vip: String,
        /// The problem, and what to do about it.
        text: String,
    },
}

/// A target to which the policy has refused connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusedTarget {
    /// A host's name or an address, and the port.
    pub to: String,
    /// The number of attempts.
    pub times: u64,
    /// The rule that decided, for people: "rule 2 of the policy (line 14)".
    pub by: String,
}
