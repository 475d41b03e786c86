//! What is seen of a whole network that runs, and of what has happened in it.

use serde::{Deserialize, Serialize};

use super::{Event, Snapshot};

/// A network that runs: which one it is, and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NetworkView {
    /// Its name on this machine.
    pub network: String,
    /// The file that it was made from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The manager's version.
    pub version: String,
    /// The manager's process.
    pub pid: u32,
    /// Milliseconds since the manager began.
    pub uptime_ms: u64,
    /// The hosts.
    #[serde(flatten)]
    pub snapshot: Snapshot,
}

/// One line of the log: an event with its place and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Its number. Numbers grow by one, so that a gap shows what is missing.
    pub seq: u64,
    /// When, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// What has happened, in words; without the host, where it is about one.
    pub sentence: String,
    /// What.
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

/// The end of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    /// The number of the newest line of all, shown or not; zero if there is none.
    pub last: u64,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
}

impl Event {
    /// The host that it is about, unless it is about all.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host { host, .. }
            | Self::Refused { host, .. }
            | Self::Stderr { host, .. }
            | Self::Warning { host, .. } => Some(host),
            Self::Reloaded { .. } | Self::Held { .. } | Self::Hopeless { .. } => None,
        }
    }
}
