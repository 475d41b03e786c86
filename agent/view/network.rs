//! A whole running network as people and programs see it, and its log.

use serde::{Deserialize, Serialize};

use super::{event::Event, snapshot::Snapshot};

/// A running network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NetworkView {
    /// The network's name, by which commands on this machine find it.
    pub network: String,
    /// The file that the network was made from, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The manager's version.
    pub version: String,
    /// The id of the manager's process.
    pub pid: u32,
    /// Milliseconds since the manager started.
    pub uptime_ms: u64,
    /// The hosts.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// One line of the log: an event with its number and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// The number of the line. Numbers grow by one, so a gap shows that lines are missing.
    pub seq: u64,
    /// The time, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The event as a sentence. If the event is about a host, the sentence does not name it.
    pub sentence: String,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl LogLine {
    /// The line of an event, with its sentence.
    pub fn new(seq: u64, time_ms: u64, event: Event) -> Self {
        Self {
            seq,
            time_ms,
            sentence: event.sentence().to_string(),
            event,
        }
    }
}

/// The newest part of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    /// The number of the newest line of the log, even if that line is not in `lines`. Zero if the log is empty.
    pub last: u64,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
}

impl Event {
    /// The host that the event is about; `None` if the event is about the whole network.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host { host, .. }
            | Self::Refused { host, .. }
            | Self::Stderr { host, .. }
            | Self::Step { host, .. }
            | Self::Warning { host, .. } => Some(host),
            Self::Reloaded { .. } | Self::Held { .. } | Self::Hopeless { .. } => None,
        }
    }
}
