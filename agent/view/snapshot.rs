//! The whole visible state of a network: its hosts, each with everything that is known of it.

use serde::{Deserialize, Serialize};

use super::{
    grant::HeldChange, install::InstallView, prompt::PromptView, tried::TriedPort, trouble::Trouble,
};
use crate::text::quote;

/// The whole visible state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The time of this snapshot, in milliseconds on the manager's clock. All other times in the snapshot are on this
    /// clock, too. The clock counts from the manager's start, and may stand still while the machine sleeps.
    #[serde(default)]
    pub now_ms: u64,
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<HostView>,
    /// A change of the manifest that waits for a person's approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldChange>,
    /// The changed manifest, if it could not be applied. The network goes on with the previous one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unapplied: Option<Unapplied>,
}

/// A changed manifest that could not be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Unapplied {
    /// When it was first noticed that the manifest cannot be applied, in milliseconds on the manager's clock.
    pub since_ms: u64,
    /// The problems of the manifest, as a text for people; it may have several lines.
    pub report: String,
}

impl Snapshot {
    /// Replaces the view of one host. If the host entered its state after `now_ms`, sets `now_ms` to that time. Returns
    /// `false` if the snapshot has no host of that name.
    pub fn apply(&mut self, host: HostView) -> bool {
        let Some(mine) = self.hosts.iter_mut().find(|mine| mine.name == host.name) else {
            return false;
        };
        self.now_ms = self.now_ms.max(host.since_ms);
        *mine = host;
        true
    }

    /// Whether a person should look at the network, because of one of its hosts, or because a change of the manifest
    /// waits for approval.
    pub fn needs_attention(&self) -> bool {
        self.held.is_some() || self.hosts.iter().any(HostView::needs_attention)
    }

    /// The host with this name, alias or VIP. `manager::Core::host` follows the same rules when a request names a host.
    pub fn host(&self, called: &str) -> Option<&HostView> {
        self.hosts.iter().find(|host| host.is_called(called))
    }
}

/// The message for a person who names a host that does not exist.
pub fn no_such_host(called: &str) -> String {
    format!("there is no host {} in this network", quote(called))
}

/// The present state of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HostView {
    /// The host's name in the manifest.
    pub name: String,
    /// The host's further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The host's address in the network.
    pub vip: String,
    /// The ports that the host publishes, in ascending order.
    pub ports: Vec<u16>,
    /// The last attempt to connect to the service behind each published port. Ports that were not tried yet are
    /// missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<TriedPort>,
    /// The state of the host.
    pub state: HostState,
    /// The reason why the host is not ready, for people. If the host can be reached, the text names all its troubles;
    /// otherwise it names only the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The next retry, if the host is lost and its process has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The progress of putting an agent on the host, if the host has only a shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<InstallView>,
    /// The time at which the host entered its state, in milliseconds on the manager's clock.
    #[serde(default)]
    pub since_ms: u64,
    /// The response time of the agent, in microseconds, if the agent answers heartbeats. The value is updated only if
    /// it has changed by more than a quarter, and at most every 10 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The questions of the host's command that a person can answer, oldest first.
    #[serde(default)]
    pub prompts: Vec<PromptView>,
    /// Everything that is wrong with the host or that the host waits for; the loss of its agent comes first.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// Facts that people should know about the host, although everything that they have asked for works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The host's command, if it waits for a person's approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldView>,
    /// The pod or container that was chosen for the host, if the host has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The version of the agent, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The last lines that the host's command wrote to its standard error.
    pub stderr: Vec<String>,
    /// The traffic of the host.
    pub traffic: TrafficView,
}

impl HostView {
    /// Whether the host has this name, alias or VIP.
    pub fn is_called(&self, called: &str) -> bool {
        let is = |name: &String| name.eq_ignore_ascii_case(called);
        is(&self.name) || self.vip == called || self.aliases.iter().any(is)
    }

    /// Whether a person should look at the host, because of its state, or because its command waits for approval. The
    /// app's page has the same rule in `ui/src/lib/truth.ts`.
    pub fn needs_attention(&self) -> bool {
        self.state.needs_attention() || self.held.is_some()
    }
}

/// A command that waits for a person's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldView {
    /// Identifies the command in an approval: approving a number approves only the command that was shown with this
    /// number.
    pub number: u64,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The commands that choose the pod or container of the host at each start, if the host has several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Vec<String>>,
    /// The command that the host has until the new one is approved, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Vec<String>>,
}

/// The next retry of a host that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The number of the retry. The first retry after the host was ready for some seconds has the number 1.
    pub attempt: u32,
    /// The time of the retry, in milliseconds on the manager's clock.
    pub at_ms: u64,
    /// The time between the loss and the retry, in milliseconds.
    pub pause_ms: u64,
}

/// The state of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum HostState {
    /// The host's command has not been started yet.
    #[default]
    Starting,
    /// The host's command runs, but its agent has not sent anything yet.
    Greeting,
    /// The host's command has written something, but its agent has not been configured yet.
    Configuring,
    /// The host can be reached.
    Ready,
    /// The host can be reached, but something on it does not work.
    Degraded,
    /// The host is lost, and will be retried automatically.
    Waiting,
    /// The host's command asks for something that only a person can give.
    NeedsYou,
    /// The host cannot be part of the network as it is. A retry would not change that, or would do harm.
    Refused,
    /// The host was stopped on purpose.
    Stopped,
}

impl HostState {
    /// The state as a word for people. The app's page has the same words in `ui/src/lib/strings/states.ts`. Tests
    /// compare both with the table `ui/src/lib/golden/words.json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Greeting => "connecting",
            Self::Configuring => "configuring",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Waiting => "retrying",
            Self::NeedsYou => "needs input",
            Self::Refused => "cannot start",
            Self::Stopped => "stopped",
        }
    }

    /// Whether connections can reach the host.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Ready | Self::Degraded)
    }

    /// Whether a person should look at a host in this state: it waits for the person, it cannot start, or something on
    /// it does not work. A lost host that will be retried does not need a person.
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::NeedsYou | Self::Refused | Self::Degraded)
    }

    /// Whether the host stays in this state until somebody acts.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Refused | Self::Stopped)
    }
}

/// The traffic of a host, as counted at the switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrafficView {
    /// Open connections.
    pub flows: usize,
    /// Bytes from the host into the network.
    pub bytes_from: u64,
    /// Bytes to the host.
    pub bytes_to: u64,
    /// Packets from the host that were dropped or refused, for any reason.
    pub refused: u64,
    /// Refused packets that were not valid packets of this network.
    #[serde(default)]
    pub malformed: u64,
    /// Refused packets that had the source address of another host.
    #[serde(default)]
    pub spoofed: u64,
    /// Refused packets that belong to no connection.
    #[serde(default)]
    pub stray: u64,
    /// Packets to the host that were dropped because its queue was full.
    pub shed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Snapshot {
        let host = |name: &str, alias: &str, vip: &str| HostView {
            name: name.to_owned(),
            aliases: vec![alias.to_owned()],
            vip: vip.to_owned(),
            ..HostView::default()
        };
        Snapshot {
            hosts: vec![
                host("web1", "www", "127.0.42.101"),
                host("db", "store", "127.0.42.102"),
            ],
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_host_is_found_by_name_alias_and_vip() {
        let network = network();
        let found = |called| network.host(called).map(|host| host.name.as_str());
        for called in ["db", "DB", "store", "Store", "127.0.42.102"] {
            assert_eq!(found(called), Some("db"), "{called}");
        }
        for called in ["", "d", "db ", "127.0.42.10", "127.0.42.103"] {
            assert_eq!(found(called), None, "{called}");
        }
    }

    #[test]
    fn a_host_needs_attention_if_only_a_person_can_help() {
        let mut host = HostView::default();
        assert!(!host.needs_attention(), "it is starting");
        host.held = Some(HeldView {
            number: 1,
            lookups: Vec::new(),
            command: vec!["ssh".to_owned()],
            previous: None,
        });
        assert!(host.needs_attention(), "its command waits for approval");
    }
}
