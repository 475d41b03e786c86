//! Everything that is known about an agent since its command was started.

use std::time::Duration;

use super::{
    counter::Counter,
    heartbeat::Heartbeat,
    instead::Way,
    last_words::{Heard, LastWords},
    problems::{CHANGES_WINDOW, Problems},
    said::said,
    shell::{Shell, Unfit},
};
use crate::{
    inflight::Inflight,
    time::Instant,
    wire::{
        self, Decoder,
        control::{Greeting, Lost, Mark},
    },
};

/// The window of time in which faults are counted.
const FAULT_WINDOW: Duration = Duration::from_secs(10);

/// Everything that is known about an agent since its command was started. It is discarded when the command is started
/// again.
pub(super) struct Life {
    pub(super) decoder: Decoder,
    /// How the agent is started.
    pub(super) way: Way,
    /// The conversation with the host's shell, until the agent runs.
    pub(super) shell: Option<Shell>,
    pub(super) spoke: bool,
    pub(super) greeting: Option<Greeting>,
    pub(super) problems: Problems,
    pub(super) faults: Counter,
    pub(super) unknown: Counter,
    pub(super) notices: Counter,
    pub(super) lost: LostHosts,
    /// What is under way to the agent.
    pub(super) inflight: Inflight,
    /// The agent's last mark, if the agent has to be told that the manager has come to it.
    pub(super) mark: Option<Mark>,
    /// Whether the agent still has to be sent the newest configuration.
    pub(super) outdated: bool,
    pub(super) served_since: Option<Instant>,
    /// The state of the heartbeat. `None` if the agent has not announced that it supports heartbeats, or if the agent
    /// is being ended. An agent without heartbeats is judged only by its process and its streams.
    pub(super) heartbeat: Option<Heartbeat>,
    /// Whether the command waits for a person's answer.
    pub(super) asking: bool,
    /// The lines of the command's standard error.
    pub(super) heard: Heard,
    /// The time at which people are told what the command says, if the agent has not answered by then; `None` before
    /// the command runs, and after people have been told.
    pub(super) patient_until: Option<Instant>,
}

/// The hosts that are lost or far away now, and those in the last lists that the agent was sent.
#[derive(Debug, Default)]
pub(super) struct LostHosts {
    pub(super) is: Lost,
    pub(super) told: Lost,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            decoder: Decoder::with_banner(wire::CONTROL_MAX_FROM_AGENT),
            way: Way::default(),
            shell: None,
            spoke: false,
            greeting: None,
            problems: Problems::default(),
            faults: Counter::within(FAULT_WINDOW),
            unknown: Counter::within(FAULT_WINDOW),
            notices: Counter::within(CHANGES_WINDOW),
            lost: LostHosts::default(),
            inflight: Inflight::default(),
            mark: None,
            outdated: false,
            served_since: None,
            heartbeat: None,
            asking: false,
            heard: Heard::default(),
            patient_until: None,
        }
    }
}

impl Life {
    /// Whether the agent has announced a feature.
    pub(super) fn can(&self, feature: &str) -> bool {
        let greeting = self.greeting.as_ref();
        greeting.is_some_and(|greeting| greeting.has(feature))
    }

    /// The reason why the host has no agent, if its shell does not say more; `None` if its command is not a shell.
    pub(super) fn lack(&self) -> Option<Unfit> {
        self.shell.as_ref().and_then(Shell::lack)
    }

    /// The text that the command wrote before its first frame, as one line for a message.
    pub(super) fn banner(&self) -> String {
        said(&self.printed())
    }

    fn printed(&self) -> String {
        let banner = self.decoder.banner();
        let noise = self.shell.as_ref().map_or(&banner[..], Shell::noise);
        String::from_utf8_lossy(noise).into_owned()
    }

    /// The words of the command so far. If the command ended now, these would be its last words.
    pub(super) fn last_words(&self, now: Instant) -> LastWords {
        self.heard.last_words(now, &self.printed())
    }
}
