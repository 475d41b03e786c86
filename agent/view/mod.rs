//! What people and programs see of a running network: the whole state, and each happening. Faces render this and
//! nothing else.

mod flow;
mod grant;
mod network;
mod plan;
mod prompt;
mod sentence;
mod why;

pub use self::{
    flow::{FlowState, FlowView, FlowsView, flow_id, parse_flow_id},
    grant::{Grant, HeldChange},
    network::{LogLine, LogView, NetworkView},
    plan::{
        MatrixCell, MatrixReach, MatrixRow, MatrixTarget, PlanHost, PlanPolicy, PlanPort,
        PlanRoute, PlanRule, PlanView,
    },
    prompt::{Answer, PromptKind, PromptView, Question, Reply},
    sentence::Sentence,
    why::{WhyOutcome, WhyStep, WhyView},
};

use serde::{Deserialize, Serialize};

use crate::text::quote;

/// The whole visible state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// When this was, in milliseconds of the manager's clock, on which all moments are given. It counts from the manager's
    /// start and may stand still while the machine sleeps.
    #[serde(default)]
    pub now_ms: u64,
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<HostView>,
    /// A change of the manifest that waits for a person's agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldChange>,
}

impl Snapshot {
    /// Takes in one host as it is now; `false` if the snapshot has no host of that name. Nothing is younger than the snapshot then.
    pub fn apply(&mut self, host: HostView) -> bool {
        let Some(mine) = self.hosts.iter_mut().find(|mine| mine.name == host.name) else {
            return false;
        };
        self.now_ms = self.now_ms.max(host.since_ms);
        *mine = host;
        true
    }

    /// The host that a person means by its name, an alias or its VIP. A manager finds the hosts of its requests in the
    /// same way (`manager::Core::host`).
    pub fn host(&self, called: &str) -> Option<&HostView> {
        self.hosts.iter().find(|host| host.is_called(called))
    }
}

/// What a person is told who means a host that there is not.
pub fn no_such_host(called: &str) -> String {
    format!("there is no host {} in this network", quote(called))
}

/// One host as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HostView {
    /// Its name in the manifest.
    pub name: String,
    /// Its further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Its address in the network.
    pub vip: String,
    /// The ports that it publishes, in ascending order.
    pub ports: Vec<u16>,
    /// What it is doing.
    pub state: HostState,
    /// Why it is not ready, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it will be started again, if it is lost and its process has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Since when it is in this state.
    #[serde(default)]
    pub since_ms: u64,
    /// How long its agent took to answer lately, in microseconds, if it answers heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// What its command asks and a person can answer, oldest first.
    #[serde(default)]
    pub prompts: Vec<PromptView>,
    /// What does not work on it although it is ready.
    pub problems: Vec<String>,
    /// Its command, if that waits for a person's approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldView>,
    /// Its agent's version, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The last lines that it wrote to its standard error.
    pub stderr: Vec<String>,
    /// What it has sent and received.
    pub traffic: TrafficView,
}

impl HostView {
    /// Whether the host has this name, alias or VIP.
    pub fn is_called(&self, called: &str) -> bool {
        let is = |name: &String| name.eq_ignore_ascii_case(called);
        is(&self.name) || self.vip == called || self.aliases.iter().any(is)
    }

    /// Whether a person should look at the host: its state says so, or a command of it waits for approval. The page says
    /// the same of it in `ui/src/lib/truth.ts`.
    pub fn needs_attention(&self) -> bool {
        self.state.needs_attention() || self.held.is_some()
    }
}

/// A command that waits for a person's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HeldView {
    /// Which one it is: what is approved is the command that was shown with this number, and no other.
    pub number: u64,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The one that the host has until then, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Vec<String>>,
}

/// The next try of a host that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Its number since the host was last ready for a while; the first is 1.
    pub attempt: u32,
    /// When it will be, on the manager's clock.
    pub at_ms: u64,
    /// How long after the loss that is.
    pub pause_ms: u64,
}

/// What a host is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum HostState {
    /// Its command has not been started yet.
    #[default]
    Starting,
    /// Its command runs; nothing has come from its agent yet.
    Greeting,
    /// Its command has written something, but its agent has not taken its configuration yet.
    Configuring,
    /// It can be reached.
    Ready,
    /// It can be reached, but something on it does not work.
    Degraded,
    /// It is lost, and will be started again by itself.
    Waiting,
    /// Its command asks for something that only a person can give.
    NeedsYou,
    /// It cannot be part of the network as it is; no further try would change that.
    Refused,
    /// It was stopped on purpose.
    Stopped,
}

impl HostState {
    /// The word for people. The page has the same words in `ui/src/lib/strings/states.ts`, and
    /// `ui/src/lib/golden/words.json` is the table that both are held against.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Greeting => "connecting",
            Self::Configuring => "configuring",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Waiting => "waiting",
            Self::NeedsYou => "needs an answer",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
        }
    }

    /// Whether connections can reach the host.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Ready | Self::Degraded)
    }

    /// Whether a person should look at a host in this state: it waits for them, or not all of it works and it will not mend
    /// itself. A host that is lost and will be started again needs nobody.
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::NeedsYou | Self::Refused | Self::Degraded)
    }

    /// Whether nothing more will happen to the host by itself.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Refused | Self::Stopped)
    }
}

/// What has crossed the switch for a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrafficView {
    /// Connections that are open.
    pub flows: usize,
    /// Bytes that the host has sent into the network.
    pub bytes_from: u64,
    /// Bytes that were sent to the host.
    pub bytes_to: u64,
    /// Packets of the host that were dropped or refused, for whatever reason.
    pub refused: u64,
    /// Those of them that were no packets of this network.
    #[serde(default)]
    pub malformed: u64,
    /// Those of them that it sent in the name of another host.
    #[serde(default)]
    pub spoofed: u64,
    /// Those of them that belong to no connection.
    #[serde(default)]
    pub stray: u64,
    /// Packets to the host that were dropped because too much was waiting.
    pub shed: u64,
}

/// Something that happened, worth a line in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Event {
    /// A host's state has changed.
    Host {
        /// The host's name.
        host: String,
        /// Its address.
        vip: String,
        /// Its new state.
        state: HostState,
        /// Why, where there is a reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The next try, if it waits for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
    /// The manifest has changed, and the network with it.
    Reloaded {
        /// What has changed, for people: nothing that matters if it is empty.
        changes: Vec<String>,
        /// What the network grants since then that it did not before, in sentences.
        #[serde(default)]
        grants: Vec<String>,
    },
    /// The manifest has changed, and the change waits for a person's agreement.
    Held {
        /// What it would grant, in sentences.
        grants: Vec<String>,
    },
    /// No host can run as it is: all of them are refused. The network goes on, since a person may mend one.
    Hopeless {
        /// How many there are.
        hosts: usize,
    },
    /// Connections of a host that the policy has refused since that was last told: a sum, told at most once a minute.
    Refused {
        /// The name of the host that has tried.
        host: String,
        /// Its address.
        vip: String,
        /// How many connections there were.
        times: u64,
        /// How many targets they had, as far as those are told apart.
        targets: usize,
        /// Some of these targets, those that were tried most first.
        most: Vec<RefusedTarget>,
        /// The same for people, without the host's name.
        text: String,
    },
    /// A line of a host's standard error, cleaned.
    Stderr {
        /// The host's name.
        host: String,
        /// Its address.
        vip: String,
        /// The line.
        line: String,
    },
    /// Something odd about a host that does not stop it.
    Warning {
        /// The host's name.
        host: String,
        /// Its address.
        vip: String,
        /// What, and what to do about it.
        text: String,
    },
}

/// A target that the policy has refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefusedTarget {
    /// A host's name or an address, and the port.
    pub to: String,
    /// How often it was tried.
    pub times: u64,
    /// What has decided, for people: "rule 2 of the policy (line 14)".
    pub by: String,
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
            command: vec!["ssh".to_owned()],
            previous: None,
        });
        assert!(host.needs_attention(), "its command waits for approval");
    }
}
