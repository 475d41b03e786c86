//! One host of a running network, and what is seen of it.

use super::{configure, prompts::Prompts};
use crate::{
    link::{self, Link, Loss, Note, Remedy},
    plan::{HostPlan, Start},
    switch::Traffic,
    text,
    time::Instant,
    view::{Event, HostState, HostView, Retry, TrafficView},
};

pub(super) struct Host {
    pub(super) plan: HostPlan,
    pub(super) link: Link,
    pub(super) prompts: Prompts,
    /// A command that waits for approval.
    pub(super) held: Option<Start>,
    /// Whether it is no more, and only its process is still to end.
    pub(super) leaving: bool,
    /// Whether the switch has been told that it can be reached.
    pub(super) up: bool,
    /// The state and reason that were last announced.
    announced: Option<(HostState, Option<String>)>,
    /// Since when it is in its state.
    since: Instant,
}

/// A moment as faces see it.
pub(super) fn millis(at: Instant) -> u64 {
    at.as_micros() / 1_000
}

impl Host {
    pub(super) fn new(plan: HostPlan, link: Link, now: Instant) -> Self {
        Self {
            plan,
            link,
            prompts: Prompts::default(),
            held: None,
            leaving: false,
            up: false,
            announced: None,
            since: now,
        }
    }

    /// Becomes what another plan says. With `hold`, a command that nobody has approved is held, and the host keeps the
    /// one that it has.
    pub(super) fn take(&mut self, plan: &HostPlan, hold: bool) {
        let unapproved = self.is_unapproved();
        let old = std::mem::replace(&mut self.plan, plan.clone()).start;
        self.held = None;
        if !hold || plan.start == Start::InProcess {
            return;
        }
        if unapproved {
            self.held = Some(plan.start.clone());
        } else if plan.start != old {
            self.held = Some(std::mem::replace(&mut self.plan.start, old));
        }
    }

    /// Whether it has no command that may be started.
    pub(super) fn is_unapproved(&self) -> bool {
        self.held.as_ref() == Some(&self.plan.start)
    }

    /// Whether nothing is left of a host that is no more.
    pub(super) fn has_left(&self) -> bool {
        self.leaving && self.link.is_at_rest()
    }

    fn state(&self) -> HostState {
        match self.link.state() {
            link::State::Idle if self.held.is_some() => HostState::NeedsYou,
            link::State::Idle | link::State::Spawning => HostState::Starting,
            link::State::Configuring { .. } if self.prompts.len() > 0 => HostState::NeedsYou,
            link::State::Configuring { .. } if self.link.has_spoken() => HostState::Configuring,
            link::State::Configuring { .. } => HostState::Greeting,
            link::State::Ready if self.problems().is_empty() => HostState::Ready,
            link::State::Ready => HostState::Degraded,
            link::State::Ending { why, .. } => match why.remedy() {
                Remedy::None => HostState::Stopped,
                Remedy::Person => HostState::Refused,
                Remedy::Restart | Remedy::Time | Remedy::MuchTime => HostState::Waiting,
            },
            link::State::Waiting { .. } => HostState::Waiting,
            link::State::Refused { .. } => HostState::Refused,
            link::State::Stopped => HostState::Stopped,
        }
    }

    fn reason(&self) -> Option<String> {
        match self.link.state() {
            link::State::Ending { why, .. }
            | link::State::Waiting { why, .. }
            | link::State::Refused { why } => (*why != Loss::Stopped).then(|| why.to_string()),
            link::State::Ready => {
                let problems = self.problems();
                (!problems.is_empty()).then(|| problems.join("; "))
            }
            link::State::Idle
            | link::State::Spawning
            | link::State::Configuring { .. }
            | link::State::Stopped => self.prompts.reason().or_else(|| self.awaits()),
        }
    }

    fn retry(&self) -> Option<Retry> {
        let link::State::Waiting {
            until,
            pause,
            attempt,
            ..
        } = self.link.state()
        else {
            return None;
        };
        Some(Retry {
            attempt: *attempt,
            at_ms: millis(*until),
            pause_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn problems(&self) -> Vec<String> {
        let problems = self.link.problems().iter();
        problems
            .map(|problem| format!("cannot {}: {}", problem.what, problem.reason))
            .chain(self.prompts.reason())
            .chain(self.awaits())
            .collect()
    }

    /// What a person is to approve.
    fn awaits(&self) -> Option<String> {
        let Some(Start::Command(argv)) = &self.held else {
            return None;
        };
        let argv: Vec<_> = argv.iter().map(|word| text::quote(word)).collect();
        Some(format!(
            "its command is new and waits for your approval: {}",
            argv.join(" ")
        ))
    }

    /// The event of a change of state, once the process has told the whole reason.
    pub(super) fn announce(&mut self, now: Instant) -> Option<Event> {
        if matches!(self.link.state(), link::State::Ending { .. }) {
            return None;
        }
        let seen = (self.state(), self.reason());
        if self.announced.as_ref() == Some(&seen) {
            return None;
        }
        if (self.announced.as_ref()).is_none_or(|(state, _)| *state != seen.0) {
            self.since = now;
        }
        self.announced = Some(seen.clone());
        Some(Event::Host {
            host: self.plan.name.to_string(),
            vip: self.plan.vip.to_string(),
            state: seen.0,
            reason: seen.1,
            retry: self.retry(),
        })
    }

    pub(super) fn note(&self, note: Note) -> Event {
        let (host, vip) = (self.plan.name.to_string(), self.plan.vip.to_string());
        let text = match note {
            Note::Stderr(line) => return Event::Stderr { host, vip, line },
            Note::Banner(banner) => {
                format!(
                    "its command wrote this before the agent started, which was skipped: {banner}"
                )
            }
            Note::Lacks(features) => format!(
                "its agent cannot do: {}; install a newer one on that host",
                features.join(", ")
            ),
        };
        Event::Warning { host, vip, text }
    }

    pub(super) fn view(&self, traffic: Traffic, flows: usize) -> HostView {
        let ports = configure::carried(&self.plan).map(|forward| forward.listen_port.get());
        let mut ports: Vec<_> = ports.collect();
        ports.sort_unstable();
        let latency = self.link.latency();
        HostView {
            name: self.plan.name.to_string(),
            vip: self.plan.vip.to_string(),
            ports,
            state: self.state(),
            reason: self.reason(),
            retry: self.retry(),
            since_ms: millis(self.since),
            latency_us: latency
                .map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)),
            prompts: self.prompts.view(),
            problems: self.problems(),
            version: self
                .link
                .greeting()
                .map(|greeting| greeting.version.clone()),
            stderr: self.link.stderr_tail().map(str::to_owned).collect(),
            traffic: TrafficView {
                flows,
                bytes_from: traffic.bytes_from,
                bytes_to: traffic.bytes_to,
                refused: traffic.malformed + traffic.spoofed + traffic.refused + traffic.stray,
                shed: traffic.shed,
            },
        }
    }
}
