//! One host of a running network, and what faces see of it.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use super::{choice::Choice, configure, prompts::Prompts};
use crate::{
    link::{self, Done, Link, Loss, Note, Remedy, Step},
    plan::{HostPlan, Start},
    switch::Switch,
    text,
    time::Instant,
    view::{
        Event, HeldView, HostState, HostView, InstallStep, InstallView, Retry, TrafficView,
        TriedPort, Trouble, TroubleCode, TryOutcome,
    },
    wire::control::{ProblemCode, ProblemReport},
};

pub(super) struct Host {
    pub(super) plan: HostPlan,
    pub(super) link: Link,
    /// The choice of the host's instance, if it has several. It is kept when a new manifest names a single instance, so
    /// that the end of its last command is waited for.
    pub(super) choice: Option<Choice>,
    pub(super) prompts: Prompts,
    /// A command that waits for approval.
    pub(super) held: Option<HeldCommand>,
    /// Whether the host was removed from the network. It stays here until its process has ended.
    pub(super) leaving: bool,
    /// Whether the switch has been told that the host can be reached.
    pub(super) up: bool,
    /// What other hosts are told about this host.
    pub(super) told: Told,
    pub(super) due: Due,
    /// The state and reason that were last announced.
    announced: Option<(HostState, Option<String>)>,
    /// When the host entered its present state.
    since: Instant,
    /// When it was last reported that the host sends packets with the source addresses of other hosts; `None` if that
    /// was never reported.
    suspected: Option<Instant>,
}

/// The time that a host waits for, as the network knows it.
#[derive(Default)]
pub(super) struct Due {
    /// The time, and the reason for it.
    pub(super) next: Option<(Instant, &'static str)>,
    /// Whether the host may have changed since `next` was noted.
    pub(super) touched: bool,
}

/// The minimum time between two reports that a host sends packets with the source addresses of other hosts.
const SUSPICION_PAUSE: Duration = Duration::from_mins(1);

/// The beginning of the report of a banner.
pub(super) const BANNER: &str =
    "its command wrote this before the agent started, which was skipped: ";

/// A command that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldCommand {
    pub(super) start: Start,
    /// A unique number, so that a person approves exactly the command that was shown.
    pub(super) number: u64,
}

/// What other hosts are told about a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The host cannot be reached. A host that has only begun to start is not lost yet.
    pub(super) lost: bool,
    /// The host is far away.
    pub(super) far: bool,
}

/// A moment in milliseconds, as faces see it.
pub(super) fn millis(at: Instant) -> u64 {
    at.as_micros() / 1_000
}

impl HeldCommand {
    pub(super) fn new(start: Start, last_number: &mut u64) -> Self {
        *last_number += 1;
        Self {
            start,
            number: *last_number,
        }
    }
}

/// The maximum length of a reason, in bytes. The list of troubles is not cut.
const REASON_MAX: usize = 4 << 10;

/// The maximum number of addresses that a reason names for one kind of trouble.
const ADDRESSES_MAX: usize = 8;

/// A placeholder for the address in the words of troubles that differ only in their address. It is replaced by all
/// their addresses at the end. The words themselves never contain this character.
const PLACE: char = '\u{0}';

/// Troubles in one line. Troubles that differ only in their address are told once, with all addresses.
fn listed(troubles: &[Trouble]) -> String {
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for trouble in troubles {
        let words = trouble.to_string();
        let address = trouble.address.as_deref();
        let Some((address, (before, after))) =
            address.and_then(|address| Some((address, words.split_once(address)?)))
        else {
            kinds.push((words, Vec::new()));
            continue;
        };
        let kind = format!("{before}{PLACE}{after}");
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, addresses)) => addresses.push(address),
            None => kinds.push((kind, vec![address])),
        }
    }
    let mut line = String::new();
    for (index, (kind, addresses)) in kinds.iter().enumerate() {
        let first: Vec<&str> = addresses.iter().take(ADDRESSES_MAX).copied().collect();
        let mut shown = first.join(", ");
        if let Some(more @ 1..) = addresses.len().checked_sub(ADDRESSES_MAX) {
            let _ = write!(shown, " and {more} more");
        }
        let words = kind.replacen(PLACE, &shown, 1);
        if line.len() + words.len() > REASON_MAX {
            let left = kinds.iter().skip(index).map(|(_, them)| them.len().max(1));
            return format!("{line}; and {} more", left.sum::<usize>());
        }
        if index > 0 {
            line.push_str("; ");
        }
        line.push_str(&words);
    }
    line
}

/// Translates an agent's report of a problem. An agent of another version may send no code; then only the text is used.
fn reported(problem: &ProblemReport) -> Trouble {
    let code = match problem.code {
        Some(ProblemCode::Listen) => TroubleCode::Listen,
        Some(ProblemCode::Dns) => TroubleCode::Dns,
        Some(ProblemCode::Proxy) => TroubleCode::Proxy,
        Some(ProblemCode::Files | ProblemCode::NoFiles) => TroubleCode::Files,
        Some(ProblemCode::Limited) => TroubleCode::Limited,
        Some(ProblemCode::Crowded) => TroubleCode::Crowded,
        Some(ProblemCode::Succession) => TroubleCode::Succession,
        Some(ProblemCode::More) => TroubleCode::More,
        Some(ProblemCode::Other) | None => TroubleCode::Reported,
    };
    Trouble {
        code,
        what: problem.sentence(),
        remedy: problem.remedy.clone(),
        address: problem.address.map(|address| address.to_string()),
        ..Trouble::default()
    }
}

/// A step on the way to an agent, as faces see it.
fn install(step: Step) -> InstallView {
    let bytes = |count| u64::try_from(count).unwrap_or(u64::MAX);
    let (step, kept, size) = match step {
        Step::Connect => (InstallStep::Connect, 0, 0),
        Step::Upload { kept, size } => (InstallStep::Upload, kept, size),
        Step::Verify => (InstallStep::Verify, 0, 0),
        Step::Start => (InstallStep::Start, 0, 0),
    };
    InstallView {
        step,
        kept: bytes(kept),
        size: bytes(size),
        per_second: None,
    }
}

/// Whether a report is only a note. A note is about something that nobody has asked for, and does not make the host
/// degraded.
fn is_note(problem: &ProblemReport) -> bool {
    problem.code == Some(ProblemCode::NoFiles)
}

impl Host {
    pub(super) fn new(plan: HostPlan, link: Link, now: Instant) -> Self {
        Self {
            plan,
            link,
            choice: None,
            prompts: Prompts::default(),
            held: None,
            leaving: false,
            up: false,
            told: Told::default(),
            due: Due::default(),
            announced: None,
            since: now,
            suspected: None,
        }
    }

    /// Takes over the plan of this host from another manifest. With `hold`, a command that nobody has approved is held.
    /// The host then keeps its approved command, if it has one. A command that is already held keeps its number.
    pub(super) fn take(&mut self, plan: &HostPlan, hold: bool, last_number: &mut u64) {
        let unapproved = self.is_unapproved();
        let old = std::mem::replace(&mut self.plan, plan.clone()).start;
        let before = self.held.take();
        if !hold || plan.start == Start::InProcess {
            return;
        }
        if unapproved || plan.start != old {
            let same = before.filter(|held| held.start == plan.start);
            self.held =
                Some(same.unwrap_or_else(|| HeldCommand::new(plan.start.clone(), last_number)));
        }
        if !unapproved {
            self.plan.start = old;
        }
    }

    /// Whether the host has no command that may be started, because its only command waits for approval.
    pub(super) fn is_unapproved(&self) -> bool {
        (self.held.as_ref()).is_some_and(|held| held.start == self.plan.start)
    }

    /// Whether the host is lost. A lost host stays lost until its agent is ready again.
    pub(super) fn is_lost(&self) -> bool {
        match self.link.state() {
            link::State::Ready => false,
            link::State::Ending { .. }
            | link::State::Waiting { .. }
            | link::State::Refused { .. }
            | link::State::Stopped => true,
            link::State::Idle | link::State::Spawning | link::State::Configuring { .. } => {
                self.told.lost
            }
        }
    }

    /// The next time for the link or the choice, and the reason for it.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let choice = self.choice.as_ref().and_then(Choice::poll_timeout);
        self.link.poll_timeout().into_iter().chain(choice).min()
    }

    /// Whether the host was removed and its process has ended.
    pub(super) fn has_left(&self) -> bool {
        self.leaving && self.is_at_rest()
    }

    /// Cancels the wait for an instance. Returns false if the host does not wait for one.
    pub(super) fn cancel_choice(&mut self) -> bool {
        self.choice.as_mut().is_some_and(Choice::cancel)
    }

    /// Whether all processes of the host are gone, and none will be started without a request.
    pub(super) fn is_at_rest(&self) -> bool {
        self.link.is_at_rest() && self.choice.as_ref().is_none_or(Choice::is_at_rest)
    }

    /// The command to start now: that of the plan, or the one that leads to the host's shell.
    pub(super) fn next_start(&mut self) -> Start {
        let shell = match &self.plan.start {
            own @ Start::Command(_) => own.through_the_shell().map(Start::Shell),
            Start::InProcess | Start::Shell(_) | Start::Chosen(_) => None,
        };
        let takes_shell = self.link.handle_starting(shell.is_some());
        let shell = shell.filter(|_| takes_shell);
        shell.unwrap_or_else(|| self.plan.start.clone())
    }

    fn state(&self) -> HostState {
        match self.link.state() {
            link::State::Idle if self.held.is_some() => HostState::NeedsYou,
            link::State::Idle | link::State::Spawning => HostState::Starting,
            link::State::Configuring { .. } if self.prompts.len() > 0 => HostState::NeedsYou,
            link::State::Configuring { .. } if self.link.has_spoken() => HostState::Configuring,
            link::State::Configuring { .. } => HostState::Greeting,
            link::State::Ready if self.troubles().is_empty() => HostState::Ready,
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

    /// The reason why the host is not ready, made of these troubles. If the host can be reached, it names all of them;
    /// otherwise only the first one, because that is why the host cannot be reached.
    fn reason(&self, troubles: &[Trouble]) -> Option<String> {
        let first = troubles.first()?;
        if *self.link.state() == link::State::Ready {
            Some(listed(troubles))
        } else {
            Some(first.to_string())
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

    /// Everything that is wrong with the host, or that it waits for. The loss comes first.
    fn troubles(&self) -> Vec<Trouble> {
        let lost = match self.link.state() {
            link::State::Ending { why, .. }
            | link::State::Waiting { why, .. }
            | link::State::Refused { why } => {
                (*why != Loss::Stopped).then(|| why.trouble(&self.plan.by_hand()))
            }
            link::State::Idle
            | link::State::Spawning
            | link::State::Configuring { .. }
            | link::State::Ready
            | link::State::Stopped => None,
        };
        let reports = self.reports().filter(|problem| !is_note(problem));
        lost.into_iter()
            .chain(reports.map(reported))
            .chain(self.prompts.trouble())
            .chain(self.mutters())
            .chain(self.unready())
            .chain(self.awaits())
            .collect()
    }

    /// The problems that the agent has reported. The reports of an agent that is gone do not count.
    fn reports(&self) -> impl Iterator<Item = &ProblemReport> {
        let serves = *self.link.state() == link::State::Ready;
        self.link.problems().iter().filter(move |_| serves)
    }

    /// The notes for people about a host that is ready.
    fn notes(&self) -> Vec<String> {
        let notes = self.reports().filter(|problem| is_note(problem));
        let notes = notes.map(|problem| reported(problem).to_string());
        let serves = *self.link.state() == link::State::Ready;
        let detour = self.link.detour().filter(|_| serves).map(|why| {
            format!(
                "its agent was put there and started through its shell, because its command did not start a usable one: {}; \
                 \"norouter restart {}\" tries the command again",
                why.what(),
                self.plan.name
            )
        });
        notes.chain(detour).collect()
    }

    /// The trouble of a host whose agent should have answered by now. The trouble quotes the last line that the command
    /// has written, because this line may ask for something or say why the agent takes so long. If there is no line,
    /// the trouble says that the command is silent.
    fn mutters(&self) -> Option<Trouble> {
        let said = self.link.mutters().map(str::to_owned);
        let (code, what) = match &said {
            Some(said) => (TroubleCode::Says, format!("its command says: {said}")),
            None if self.link.is_late() && self.prompts.trouble().is_none() => (
                TroubleCode::NoAnswer,
                "its command runs, but no agent has answered yet, and nothing was written"
                    .to_owned(),
            ),
            None => return None,
        };
        let by_hand = self.plan.by_hand();
        let remedy = (code == TroubleCode::NoAnswer).then(|| {
            format!(
                "if that lasts, run it by hand: {} at once. If it hangs too, it waits for a password, a network, or another program",
                by_hand.trial()
            )
        });
        Some(Trouble {
            code,
            what,
            remedy,
            said,
            ..Trouble::default()
        })
    }

    /// The trouble of a host that waits for a ready instance; `None` if it does not wait.
    fn unready(&self) -> Option<Trouble> {
        Some(Trouble {
            code: TroubleCode::Unready,
            what: self.choice.as_ref()?.waits()?,
            ..Trouble::default()
        })
    }

    /// The trouble of a host whose command waits for approval; `None` if no command waits.
    fn awaits(&self) -> Option<Trouble> {
        let held = self.held_view()?;
        Some(Trouble {
            code: TroubleCode::Approval,
            what: format!(
                "its command is new and waits for your approval: {}",
                held.lookups
                    .iter()
                    .chain([&held.command])
                    .map(|words| text::shell_line(words))
                    .collect::<Vec<_>>()
                    .join("; ")
            ),
            ..Trouble::default()
        })
    }

    fn held_view(&self) -> Option<HeldView> {
        let argv = |start: &Start| Some(start.shown()).filter(|words| !words.is_empty());
        let held = self.held.as_ref()?;
        let previous = (!self.is_unapproved()).then_some(&self.plan.start);
        Some(HeldView {
            number: held.number,
            command: argv(&held.start)?,
            lookups: held.start.lookups(),
            previous: previous.and_then(argv),
        })
    }

    /// Returns the event that announces a change of state. While the process is ending, nothing is announced, because
    /// the reason is not complete yet.
    pub(super) fn announce(&mut self, now: Instant) -> Option<Event> {
        if matches!(self.link.state(), link::State::Ending { .. }) {
            return None;
        }
        let seen = (self.state(), self.reason(&self.troubles()));
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

    /// Handles a packet with another host's source address; `spoofed` is the number of such packets so far. The first
    /// packet is reported at once, and afterwards the number of packets is reported from time to time. Returns `None`
    /// if no report is due.
    pub(super) fn suspect(&mut self, now: Instant, spoofed: u64) -> Option<Event> {
        let told = self.suspected;
        if told.is_some_and(|told| now - told < SUSPICION_PAUSE) {
            return None;
        }
        self.suspected = Some(now);
        let (host, vip) = (self.plan.name.to_string(), self.plan.vip.to_string());
        let text = format!(
            "its agent sends packets in the name of other hosts, {spoofed} so far; they were dropped, but no version of the \
             program does that: find out who controls that host"
        );
        Some(Event::Warning { host, vip, text })
    }

    pub(super) fn note(&self, note: Note) -> Event {
        let (host, vip) = (self.plan.name.to_string(), self.plan.vip.to_string());
        let text = match note {
            Note::Stderr(line) => return Event::Stderr { host, vip, line },
            Note::Step(Done { step, took }) => {
                let InstallView { step, size, .. } = install(step);
                return Event::Step {
                    host,
                    vip,
                    step,
                    took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                    bytes: size,
                };
            }
            Note::Banner(banner) => format!("{BANNER}{banner}"),
            Note::Greedy(excess) => format!(
                "its agent sends more than its share, mostly {excess}, and is slowed down so that the other hosts do not wait"
            ),
            Note::Notice(text) => text,
            Note::ThroughTheShell(why) => {
                let command = self.plan.start.shown_instead().unwrap_or_default();
                format!(
                    "{}; so an agent is put there through its shell: {}",
                    why.what(),
                    text::shell_line(&command)
                )
            }
            Note::Lacks(features) => format!(
                "its agent cannot do: {}; install a newer one on that host",
                features.join(", ")
            ),
        };
        Event::Warning { host, vip, text }
    }

    /// For each port that the host publishes: the last attempt to connect to its service, if one is known. An agent
    /// that cannot be probed has an older version, and accepts connections before it has tried the service. Its
    /// accepted connections say nothing about the service, so they are left out.
    fn tried(&self, switch: &Switch) -> Vec<TriedPort> {
        let holds_back = self.link.answers_probes();
        let ports: BTreeSet<_> = configure::carried(&self.plan)
            .map(|forward| forward.listen_port)
            .collect();
        let tried = switch
            .tried(self.plan.vip)
            .filter(|(port, _)| ports.contains(port));
        let known = tried.filter(|(_, it)| holds_back || it.outcome != TryOutcome::Answered);
        known
            .map(|(port, tried)| TriedPort {
                port: port.get(),
                outcome: tried.outcome,
                at_ms: millis(tried.at),
            })
            .collect()
    }

    pub(super) fn view(&self, now: Instant, switch: &Switch) -> HostView {
        let traffic = switch.traffic(self.plan.vip);
        let ports = configure::carried(&self.plan).map(|forward| forward.listen_port.get());
        let mut ports: Vec<_> = ports.collect();
        ports.sort_unstable();
        let latency = self.link.latency();
        let troubles = self.troubles();
        HostView {
            name: self.plan.name.to_string(),
            aliases: self.plan.aliases.iter().map(ToString::to_string).collect(),
            vip: self.plan.vip.to_string(),
            ports,
            tried: self.tried(switch),
            state: self.state(),
            reason: self.reason(&troubles),
            retry: self.retry(),
            install: self.link.step().map(|step| InstallView {
                per_second: self.link.upload_per_second(now),
                ..install(step)
            }),
            since_ms: millis(self.since),
            latency_us: latency
                .map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)),
            prompts: self.prompts.view(),
            troubles,
            notes: self.notes(),
            held: self.held_view(),
            instance: self.choice.as_ref().and_then(|choice| {
                let is_entered = self.link.runs();
                choice.entered().filter(|_| is_entered).map(str::to_owned)
            }),
            version: self
                .link
                .greeting()
                .map(|greeting| greeting.version.clone()),
            stderr: self.link.stderr_tail().map(str::to_owned).collect(),
            traffic: TrafficView {
                flows: switch.flow_count(self.plan.vip),
                bytes_from: traffic.bytes_from,
                bytes_to: traffic.bytes_to,
                refused: traffic.malformed + traffic.spoofed + traffic.refused + traffic.stray,
                malformed: traffic.malformed,
                spoofed: traffic.spoofed,
                stray: traffic.stray,
                shed: traffic.shed,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_many_addresses_is_told_once() {
        let trouble = |address: &str, what: &str| Trouble {
            what: format!("cannot listen on {address}{what}"),
            address: Some(address.to_owned()),
            ..Trouble::default()
        };
        let files = Trouble {
            what: "cannot write the hosts file".to_owned(),
            ..Trouble::default()
        };
        let troubles = [
            trouble("127.0.42.1:80", ": in use"),
            files,
            trouble("127.0.42.1:53", " (UDP): in use"),
            trouble("127.0.42.1:8080", ": in use"),
        ];
        assert_eq!(
            listed(&troubles),
            "cannot listen on 127.0.42.1:80, 127.0.42.1:8080: in use; cannot write the hosts file; \
             cannot listen on 127.0.42.1:53 (UDP): in use"
        );
        let many: Vec<Trouble> = (1..=11)
            .map(|port| trouble(&format!("127.0.42.1:{port}"), ""))
            .collect();
        assert!(listed(&many).ends_with(", 127.0.42.1:8 and 3 more"));
    }
}
