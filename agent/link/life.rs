//! The manager's knowledge of an agent from the start of its command to its end.

use std::{net::Ipv4Addr, time::Duration};

use super::{
    counter::Counter,
    heartbeat::Heartbeat,
    loss::said,
    problems::{CHANGES_WINDOW, Problems},
};
use crate::{
    time::Instant,
    wire::{self, Decoder, control::Greeting},
};

/// The window of time in which faults are counted.
const FAULT_WINDOW: Duration = Duration::from_secs(10);

/// The manager's knowledge of an agent from the start of its command to its end. Each start begins with an empty one.
pub(super) struct Life {
    pub(super) decoder: Decoder,
    pub(super) spoke: bool,
    pub(super) greeting: Option<Greeting>,
    pub(super) problems: Problems,
    pub(super) faults: Counter,
    pub(super) unknown: Counter,
    pub(super) notices: Counter,
    pub(super) lost: News,
    /// Whether the agent's configuration is not the newest.
    pub(super) outdated: bool,
    pub(super) served_since: Option<Instant>,
    /// `None` for an agent that does not answer heartbeats. It is judged by its process and its streams alone.
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) person: Person,
}

/// The hosts that are lost, and those that the agent was last told about.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) is: Vec<Ipv4Addr>,
    pub(super) told: Vec<Ipv4Addr>,
}

/// The command's question to a person, if there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// Whether the command waits for a person's answer.
    pub(super) asking: bool,
    /// Whether a person has refused to answer.
    pub(super) unwilling: bool,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            decoder: Decoder::with_banner(wire::CONTROL_MAX_FROM_AGENT),
            spoke: false,
            greeting: None,
            problems: Problems::default(),
            faults: Counter::within(FAULT_WINDOW),
            unknown: Counter::within(FAULT_WINDOW),
            notices: Counter::within(CHANGES_WINDOW),
            lost: News::default(),
            outdated: false,
            served_since: None,
            heartbeat: None,
            person: Person::default(),
        }
    }
}

impl Life {
    /// Whether the agent has announced a feature.
    pub(super) fn can(&self, feature: &str) -> bool {
        let greeting = self.greeting.as_ref();
        greeting.is_some_and(|greeting| greeting.has(feature))
    }

    /// The text that the command wrote before its first frame, in one line.
    pub(super) fn banner(&self) -> String {
        said(&String::from_utf8_lossy(&self.decoder.banner()))
    }
}
