//! What is known of an agent since its command was started.

use std::{net::Ipv4Addr, time::Duration};

use super::{CHANGES_WINDOW, heartbeat::Heartbeat};
use crate::{
    time::Instant,
    wire::{
        self, Decoder,
        control::{Greeting, ProblemReport},
    },
};

/// The window in which faults are counted.
const FAULT_WINDOW: Duration = Duration::from_secs(10);

/// What is known of an agent since its command was started, and forgotten when it is started again.
pub(super) struct Life {
    pub(super) decoder: Decoder,
    pub(super) spoke: bool,
    pub(super) greeting: Option<Greeting>,
    pub(super) problems: Vec<ProblemReport>,
    pub(super) faults: Faults,
    pub(super) changes: Faults,
    /// The newest problems that it has reported, since they changed too often to be shown at once.
    pub(super) unsettled: Option<Vec<ProblemReport>>,
    pub(super) unknown: Faults,
    pub(super) notices: Faults,
    pub(super) lost: News,
    /// Whether the agent was sent a configuration that is not the newest.
    pub(super) outdated: bool,
    pub(super) served_since: Option<Instant>,
    /// Only for an agent that answers heartbeats; others are judged by their process and their streams.
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) person: Person,
}

/// The hosts that are lost, and those of which the agent was told.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) is: Vec<Ipv4Addr>,
    pub(super) told: Vec<Ipv4Addr>,
}

/// What the command asks of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// Whether the command waits for an answer.
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
            problems: Vec::new(),
            faults: Faults::within(FAULT_WINDOW),
            changes: Faults::within(CHANGES_WINDOW),
            unsettled: None,
            unknown: Faults::within(FAULT_WINDOW),
            notices: Faults::within(CHANGES_WINDOW),
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
}

/// Counts faults within a window of time.
pub(super) struct Faults {
    window: Duration,
    since: Instant,
    count: u32,
}

impl Faults {
    pub(super) const fn within(window: Duration) -> Self {
        Self {
            window,
            since: Instant::ZERO,
            count: 0,
        }
    }

    /// When the present window is over.
    pub(super) fn end(&self) -> Instant {
        self.since + self.window
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.end() <= now
    }

    pub(super) fn count(&mut self, now: Instant) -> u32 {
        if self.is_over(now) {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        self.count
    }
}
