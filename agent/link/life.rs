//! What is known of an agent since its command was started.

use std::{net::Ipv4Addr, time::Duration};

use super::{ask::Open, heartbeat::Heartbeat};
use crate::{
    time::Instant,
    wire::{
        self, Decoder,
        control::{Greeting, ProblemReport},
    },
};

/// Within which time faults are counted.
const FAULT_WINDOW: Duration = Duration::from_secs(10);

/// What is known of an agent since its command was started, and forgotten when it is started again.
pub(super) struct Life {
    pub(super) decoder: Decoder,
    pub(super) spoke: bool,
    pub(super) greeting: Option<Greeting>,
    pub(super) problems: Vec<ProblemReport>,
    pub(super) faults: Faults,
    pub(super) changes: Faults,
    pub(super) unknown: Faults,
    /// The numbers of the configurations that were not answered yet, and the sums of their messages.
    pub(super) configuring: Vec<(u64, u16)>,
    /// The hosts that it was told are lost, and the numbers of the messages that said so and were not answered yet.
    pub(super) lost: Vec<Ipv4Addr>,
    pub(super) telling: Vec<u64>,
    /// The agent was sent a configuration that is not the last one.
    pub(super) outdated: bool,
    pub(super) served_since: Option<Instant>,
    /// Only of an agent that has one; others are judged by their process and their streams.
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) open: Open,
    pub(super) person: Person,
}

/// What the command wants of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// It waits for an answer.
    pub(super) asking: bool,
    /// It was refused one.
    pub(super) unwilling: bool,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            decoder: Decoder::with_banner(wire::CONTROL_MAX_FROM_AGENT),
            spoke: false,
            greeting: None,
            problems: Vec::new(),
            faults: Faults::default(),
            changes: Faults::default(),
            unknown: Faults::default(),
            configuring: Vec::new(),
            lost: Vec::new(),
            telling: Vec::new(),
            outdated: false,
            served_since: None,
            heartbeat: None,
            open: Open::default(),
            person: Person::default(),
        }
    }
}

impl Life {
    /// Whether the agent has said that it has a feature.
    pub(super) fn can(&self, feature: &str) -> bool {
        let greeting = self.greeting.as_ref();
        greeting.is_some_and(|greeting| greeting.has(feature))
    }
}

/// Faults within a window of time.
#[derive(Default)]
pub(super) struct Faults {
    since: Instant,
    count: u32,
}

impl Faults {
    pub(super) fn count(&mut self, now: Instant) -> u32 {
        if now - self.since >= FAULT_WINDOW {
            *self = Self {
                since: now,
                count: 0,
            };
        }
        self.count += 1;
        self.count
    }
}
