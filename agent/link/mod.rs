//! One agent's life as the manager sees it: from its command to its end, with the reason.
//!
//! The machine decodes the agent's stream, judges it, and says what the driver is to do with the process. It never
//! touches the process itself, and it never sees where packets go.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod loss;
mod stderr;

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};

pub use self::loss::{Ending, Loss};
use self::stderr::Stderr;
use crate::{
    time::Instant,
    wire::{
        self, Decoder, Item, PacketFrame,
        control::{Event, Greeting, Message, ProblemReport, RouteSuggestion},
        frame,
    },
};

/// How long a command may take to bring up an agent that answers. A cloud may have to start a machine first.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// How long an agent may take that has begun to write something, but not a frame.
const BANNER_MAX: Duration = Duration::from_secs(15);

/// How many faults within [`FAULT_WINDOW`] an agent may commit.
const FAULTS_MAX: u32 = 100;

/// See [`FAULTS_MAX`].
const FAULT_WINDOW: Duration = Duration::from_secs(10);

/// How many problems of a host are kept. Whoever has more has seen enough.
const PROBLEMS_MAX: usize = 64;

/// How many times within [`FAULT_WINDOW`] an agent may change its mind about its problems.
const CHANGES_MAX: u32 = 20;

/// How long a process may take to end by itself once its stream has ended or its input was closed ...
const END_MAX: Duration = Duration::from_secs(1);

/// ... and after it was asked to.
const TERMINATE_MAX: Duration = Duration::from_millis(1_500);

/// What the driver is to do, or what the manager should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the command.
    Spawn,
    /// Close the agent's input, which asks it to go.
    CloseInput,
    /// Ask the process group to go.
    Terminate,
    /// End the process group.
    Kill,
    /// Write this control frame to the agent.
    Send(Bytes),
    /// The agent has said something that does not stop it.
    Note(Note),
    /// The agent has suggested a route at that time.
    Suggestion(Instant, RouteSuggestion),
    /// [`Link::state`] has changed.
    Changed,
}

/// Something about an agent that does not stop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of its standard error, cleaned.
    Stderr(String),
    /// It wrote this before its first frame.
    Banner(String),
    /// It lacks these features, which the manifest does not depend on.
    Lacks(Vec<String>),
}

/// Where an agent stands in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started yet.
    Idle,
    /// The driver is starting the command.
    Spawning,
    /// The command runs and has been sent its configuration; the agent has not answered.
    Configuring {
        /// When the wait is over.
        give_up_at: Instant,
    },
    /// The agent serves.
    Ready,
    /// It is to end: its stream has ended, it was judged, or it was stopped. The process is still there.
    Ending {
        /// Why.
        why: Loss,
        /// When the process gets less gentle treatment.
        act_at: Instant,
        /// Which treatment is next.
        next: Treatment,
    },
    /// It is gone.
    Over {
        /// Why.
        why: Loss,
    },
}

/// How a process is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is asked.
    Terminate,
    /// It is not asked.
    Kill,
    /// Everything was done; only the operating system's answer is missing.
    Wait,
}

/// What a host demands of its agent, because without it the manifest's word would be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Features without which the host is refused.
    pub required: Vec<&'static str>,
    /// Features that are missed.
    pub wanted: Vec<&'static str>,
}

/// One agent.
pub struct Link {
    state: State,
    configure: Bytes,
    demands: Demands,
    decoder: Decoder,
    spoke: bool,
    greeting: Option<Greeting>,
    problems: Vec<ProblemReport>,
    faults: Faults,
    changes: Faults,
    stderr: Stderr,
    outputs: VecDeque<Output>,
}

/// The requests that a manager sends are answered under this number: there is only one of them.
const REQUEST_ID: u64 = 1;

impl Link {
    /// An agent that is to be configured with `configure` and must meet `demands`.
    pub fn new(configure: &wire::control::Configure, demands: Demands) -> Self {
        let mut bytes = BytesMut::new();
        let request = Message::configure(REQUEST_ID, configure);
        frame::put_control(&mut bytes, &request.to_json());
        Self {
            state: State::Idle,
            configure: bytes.freeze(),
            demands,
            decoder: Decoder::with_banner(wire::CONTROL_MAX_FROM_AGENT),
            spoke: false,
            greeting: None,
            problems: Vec::new(),
            faults: Faults::default(),
            changes: Faults::default(),
            stderr: Stderr::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Where the agent stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the agent said of itself.
    pub fn greeting(&self) -> Option<&Greeting> {
        self.greeting.as_ref()
    }

    /// What does not work on the agent's host.
    pub fn problems(&self) -> &[ProblemReport] {
        &self.problems
    }

    /// The last lines of the agent's standard error.
    pub fn stderr_tail(&self) -> impl Iterator<Item = &str> {
        self.stderr.tail()
    }

    /// Starts the agent.
    pub fn start(&mut self) {
        self.enter(State::Spawning);
        self.outputs.push_back(Output::Spawn);
    }

    /// Stops the agent, gently at first.
    pub fn stop(&mut self, now: Instant) {
        match self.state {
            State::Idle => self.enter(State::Over { why: Loss::Stopped }),
            State::Spawning | State::Configuring { .. } | State::Ready => {
                self.end(now, Loss::Stopped);
            }
            State::Ending { .. } | State::Over { .. } => {}
        }
    }

    /// The outcome of [`Output::Spawn`].
    pub fn handle_spawned(&mut self, now: Instant, outcome: Result<(), String>) {
        match outcome {
            Err(reason) => self.enter(State::Over {
                why: Loss::NotStarted(reason),
            }),
            Ok(()) if self.state == State::Spawning => {
                self.outputs.push_back(Output::Send(self.configure.clone()));
                self.enter(State::Configuring {
                    give_up_at: now + ANSWER_MAX,
                });
            }
            // It was stopped meanwhile, and is being ended.
            Ok(()) => {}
        }
    }

    /// Takes one packet off the front of what the agent has written, and deals with everything before it.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<PacketFrame> {
        if let State::Configuring { give_up_at } = &mut self.state
            && !self.spoke
            && !buffer.is_empty()
        {
            self.spoke = true;
            *give_up_at = (*give_up_at).min(now + BANNER_MAX);
        }
        while matches!(self.state, State::Configuring { .. } | State::Ready) {
            match self.decoder.poll(buffer) {
                Ok(None) => return None,
                Ok(Some(Item::Packet(frame))) if self.state == State::Ready => return Some(frame),
                // Nothing was configured that could send; it will be sent again.
                Ok(Some(Item::Packet(_))) => {}
                Ok(Some(Item::Control(json))) => self.handle_control(now, &json),
                Ok(Some(Item::Fault(fault))) => self.handle_fault(now, &fault.to_string()),
                Err(desync) => {
                    let banner = wire_text(self.decoder.banner());
                    self.end(now, Loss::OutOfStep { desync, banner });
                }
            }
        }
        // What an agent writes after its end is of no interest, but it must be able to write it.
        buffer.clear();
        None
    }

    /// The agent did something that no well-behaved agent does.
    pub fn handle_fault(&mut self, now: Instant, what: &str) {
        if self.faults.count(now) > FAULTS_MAX {
            self.end(now, Loss::Misbehaved(what.to_owned()));
        }
    }

    /// The agent has written a line to its standard error.
    pub fn handle_stderr(&mut self, now: Instant, line: &[u8]) {
        for line in self.stderr.push(now, line) {
            self.outputs.push_back(Output::Note(Note::Stderr(line)));
        }
    }

    /// The agent's stream has ended.
    pub fn handle_closed(&mut self, now: Instant) {
        self.end(now, Loss::Closed);
    }

    /// The agent's process has ended.
    pub fn handle_exit(&mut self, ending: Ending) {
        let banner = wire_text(self.decoder.banner());
        let why = match std::mem::replace(&mut self.state, State::Idle) {
            // Once it was asked to go, its end explains nothing but that.
            State::Ending {
                why: Loss::Closed,
                next: Treatment::Terminate,
                ..
            } => Loss::Exited { ending, banner },
            State::Ending { why, .. } | State::Over { why } => why,
            State::Idle | State::Spawning | State::Configuring { .. } | State::Ready => {
                Loss::Exited { ending, banner }
            }
        };
        self.enter(State::Over { why });
    }

    /// Gives up waiting, and ends what does not end by itself.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Configuring { give_up_at } if *give_up_at <= now => {
                let banner = wire_text(self.decoder.banner());
                self.end(now, Loss::NoAnswer { banner });
            }
            State::Ending { act_at, next, .. } if *act_at <= now => match next {
                Treatment::Terminate => {
                    (*next, *act_at) = (Treatment::Kill, now + TERMINATE_MAX);
                    self.outputs.push_back(Output::Terminate);
                }
                Treatment::Kill => {
                    *next = Treatment::Wait;
                    self.outputs.push_back(Output::Kill);
                }
                Treatment::Wait => {}
            },
            State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Ending { .. }
            | State::Over { .. } => {}
        }
    }

    /// When to call [`Link::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Configuring { give_up_at } => Some((*give_up_at, "an agent's answer")),
            State::Ending { next, .. } if *next == Treatment::Wait => None,
            State::Ending { act_at, .. } => Some((*act_at, "a process to end")),
            State::Idle | State::Spawning | State::Ready | State::Over { .. } => None,
        }
    }

    /// What to do next; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn handle_control(&mut self, now: Instant, json: &[u8]) {
        match Message::parse(json) {
            Ok(Message::Result(outcome)) => {
                let expected = outcome.request_id == REQUEST_ID && self.greeting.is_none();
                if !expected {
                    return self.handle_fault(now, "a result that nobody asked for");
                }
                match outcome.failure() {
                    Some(reason) => self.end(now, Loss::Refused(loss::said(&reason))),
                    None => self.handle_greeting(now, outcome.data),
                }
            }
            Ok(Message::Event(event)) => match Event::try_from(event) {
                Ok(Event::Problems(problems)) => self.handle_problems(now, problems),
                Ok(Event::RouteSuggestion(suggestion)) => {
                    self.outputs.push_back(Output::Suggestion(now, suggestion));
                }
                Ok(Event::Unknown(_)) => {}
                Err(_) => self.handle_fault(now, "an event that cannot be read"),
            },
            Ok(Message::Request(_)) => {
                self.handle_fault(now, "a request, which agents do not make");
            }
            Err(_) => self.handle_fault(now, "a message that cannot be read"),
        }
    }

    fn handle_problems(&mut self, now: Instant, mut problems: Vec<ProblemReport>) {
        problems.truncate(PROBLEMS_MAX);
        for problem in &mut problems {
            problem.what = loss::said(&problem.what);
            problem.reason = loss::said(&problem.reason);
        }
        if problems == self.problems {
            return;
        }
        if self.changes.count(now) > CHANGES_MAX {
            return self.handle_fault(
                now,
                "problems that come and go faster than anybody can read",
            );
        }
        self.problems = problems;
        self.outputs.push_back(Output::Changed);
    }

    fn handle_greeting(&mut self, now: Instant, data: serde_json::Value) {
        let Ok(mut greeting) = serde_json::from_value::<Greeting>(data) else {
            return self.end(now, Loss::Refused("its greeting cannot be read".to_owned()));
        };
        greeting.version = loss::said(&greeting.version);
        let lacks = |feature: &&&str| !greeting.features.iter().any(|has| has == *feature);
        if let Some(missing) = self.demands.required.iter().find(lacks) {
            let version = greeting.version;
            return self.end(
                now,
                Loss::Lacks {
                    feature: missing,
                    version,
                },
            );
        }
        let missed: Vec<_> = self
            .demands
            .wanted
            .iter()
            .filter(lacks)
            .map(ToString::to_string)
            .collect();
        if !missed.is_empty() {
            self.outputs.push_back(Output::Note(Note::Lacks(missed)));
        }
        let banner = wire_text(self.decoder.banner());
        if !banner.is_empty() {
            self.outputs.push_back(Output::Note(Note::Banner(banner)));
        }
        self.greeting = Some(greeting);
        self.enter(State::Ready);
    }

    fn end(&mut self, now: Instant, why: Loss) {
        if matches!(self.state, State::Ending { .. } | State::Over { .. }) {
            return;
        }
        self.outputs.push_back(Output::CloseInput);
        self.enter(State::Ending {
            why,
            act_at: now + END_MAX,
            next: Treatment::Terminate,
        });
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.outputs.push_back(Output::Changed);
    }
}

/// Faults within a window of time.
#[derive(Default)]
struct Faults {
    since: Instant,
    count: u32,
}

impl Faults {
    fn count(&mut self, now: Instant) -> u32 {
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

/// A banner in one line, for a message.
fn wire_text(banner: &[u8]) -> String {
    loss::said(&String::from_utf8_lossy(banner))
}

#[cfg(test)]
mod tests;
