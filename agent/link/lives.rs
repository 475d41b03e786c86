//! The lives of an agent, one after the other: how each begins, what ends it step by step, and the pause before the next.

use std::{collections::VecDeque, time::Duration};

use super::{
    ask::AgentReply,
    backoff::Backoff,
    heartbeat::Heartbeat,
    life::Life,
    loss::{CannotStart, Ending, Loss, Remedy},
    requests::Requests,
    state::{Output, State, Treatment},
};
use crate::{
    time::Instant,
    wire::{
        Desync,
        control::{Greeting, feature},
    },
};

/// How long a command may take to bring up an agent that answers. A cloud may have to start a machine first.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// How long a command still has after the machine has slept, if it was bringing up an agent at that time.
const WAKE_MAX: Duration = Duration::from_secs(10);

/// Time for the first frame once anything was written. With the shutdown after it, under 15 s in all.
const BANNER_MAX: Duration = Duration::from_secs(12);

/// How long an agent has to serve so that its next loss counts as the first one again.
const HEALTHY_MIN: Duration = Duration::from_mins(1);

/// How many faults an agent may commit in a short time.
pub(super) const FAULTS_MAX: u32 = 100;

/// How many agents in a row have to refuse their configuration before that is believed: a single one may have been told
/// something else, because a bit was flipped on the way.
const REFUSALS_MAX: u32 = 3;

/// How many messages that are too long make the manager refuse an agent, unless it has served for [`HEALTHY_MIN`] in
/// between. A single one may come from a length that was damaged on the way.
pub(super) const GIANTS_MAX: u32 = 3;

/// How long a process may take to end by itself once its stream has ended or its input was closed.
const END_MAX: Duration = Duration::from_secs(1);

/// How long a process may take to end after it was asked to.
const TERMINATE_MAX: Duration = Duration::from_millis(1_500);

/// An agent from its first start on: its state, and what is known of it as long as it lives.
pub(super) struct Lives {
    state: State,
    /// What is known of the agent that runs now.
    pub(super) life: Life,
    /// What the agent that runs now was asked.
    pub(super) requests: Requests,
    backoff: Backoff,
    /// How many agents in a row have refused their configuration.
    refusals: u32,
    /// How many messages that were too long it has sent since it last served well.
    giants: u32,
    outputs: VecDeque<Output>,
}

impl Lives {
    /// An agent that was not started yet. `seed` spreads its tries.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: State::Idle,
            life: Life::default(),
            requests: Requests::default(),
            backoff: Backoff::new(seed),
            refusals: 0,
            giants: 0,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Whether the agent serves.
    pub(super) fn serves(&self) -> bool {
        self.state == State::Ready
    }

    /// Whether the command runs and is not about to end.
    pub(super) fn runs(&self) -> bool {
        matches!(self.state, State::Configuring { .. } | State::Ready)
    }

    /// Whether there is no process, and none will be started without a request.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(
            self.state,
            State::Idle | State::Refused { .. } | State::Stopped
        )
    }

    /// Whether the agent is stopped on purpose, or about to be.
    pub(super) fn is_stopped(&self) -> bool {
        match &self.state {
            State::Stopped => true,
            State::Ending { why, .. } => *why == Loss::Stopped,
            State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Waiting { .. }
            | State::Refused { .. } => false,
        }
    }

    /// Queues something for the driver or the manager.
    pub(super) fn tell(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Starts the agent at once, whatever has happened before. An agent that runs or is being started is left as it is.
    pub(super) fn start(&mut self) {
        self.backoff.reset();
        self.giants = 0;
        match &mut self.state {
            State::Idle | State::Waiting { .. } | State::Refused { .. } | State::Stopped => {
                self.spawn();
            }
            State::Ending { why, .. } => {
                // Nobody who waits may take this for a stop.
                if std::mem::replace(why, Loss::Restarted) != Loss::Restarted {
                    self.tell(Output::Changed);
                }
            }
            State::Spawning | State::Configuring { .. } | State::Ready => {}
        }
    }

    /// Ends the agent if it runs, and starts it again.
    pub(super) fn restart(&mut self, now: Instant) {
        self.end(now, Loss::Restarted);
        self.start();
    }

    /// Starts the agent now if it waits for its next start: the cause of the wait may be gone.
    pub(super) fn retry_now(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.start();
        }
    }

    /// Stops the agent, gently at first.
    pub(super) fn stop(&mut self, now: Instant) {
        match &mut self.state {
            State::Idle | State::Waiting { .. } | State::Refused { .. } => {
                self.enter(State::Stopped);
            }
            State::Spawning | State::Configuring { .. } | State::Ready => {
                self.end(now, Loss::Stopped);
            }
            State::Ending { why, .. } => *why = Loss::Stopped,
            State::Stopped => {}
        }
    }

    /// Notes that something else is asked of the agent from now on: refusals of before say nothing about that.
    pub(super) fn forget_refusals(&mut self) {
        self.refusals = 0;
    }

    /// Tries an agent again that is gone, or about to be, for something that is no longer asked of it. Returns whether it
    /// will be started again.
    pub(super) fn try_again(&mut self) -> bool {
        match self.state {
            State::Waiting { .. } | State::Refused { .. } => {
                self.start();
                true
            }
            State::Ending { ref mut why, .. } if why.remedy() == Remedy::Person => {
                *why = Loss::Restarted;
                true
            }
            State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Ending { .. }
            | State::Stopped => false,
        }
    }

    /// Notes whether the command waits for a person, whose time does not count. Afterwards the command has as long as
    /// at its start.
    pub(super) fn handle_asking(&mut self, now: Instant, asking: bool) {
        self.life.person.asking = asking;
        if let State::Configuring { give_up_at } = &mut self.state
            && !asking
        {
            *give_up_at = now + ANSWER_MAX;
        }
        self.tell(Output::Changed);
    }

    /// Handles the end of a sleep of the machine: a pause is over, and the way by which a command was connecting may be
    /// gone.
    pub(super) fn handle_wake(&mut self, now: Instant) {
        self.retry_now();
        if let State::Configuring { give_up_at } = &mut self.state {
            *give_up_at = (*give_up_at).min(now + WAKE_MAX);
        }
    }

    /// The command could not be started.
    pub(super) fn handle_not_started(&mut self, now: Instant, reason: CannotStart) {
        if matches!(self.state, State::Ending { .. }) {
            self.handle_exit(now, Ending::Unknown);
        } else {
            self.rest(now, Loss::NotStarted(reason));
        }
    }

    /// The command runs, and was sent its configuration.
    pub(super) fn handle_started(&mut self, now: Instant) {
        self.enter(State::Configuring {
            give_up_at: now + ANSWER_MAX,
        });
    }

    /// Notes that the command has written something; true if that is the first thing.
    pub(super) fn handle_words(&mut self, now: Instant) -> bool {
        let State::Configuring { give_up_at } = &mut self.state else {
            return false;
        };
        if std::mem::replace(&mut self.life.spoke, true) {
            return false;
        }
        *give_up_at = (*give_up_at).min(now + BANNER_MAX);
        true
    }

    /// The agent has accepted its configuration.
    pub(super) fn handle_greeting(&mut self, now: Instant, greeting: Greeting) {
        if greeting.has(feature::HEARTBEAT) {
            let heartbeat = &mut self.life.heartbeat;
            heartbeat.get_or_insert_with(|| Heartbeat::new(now));
        }
        self.refusals = 0;
        self.life.greeting = Some(greeting);
        self.life.served_since.get_or_insert(now);
        if !self.serves() {
            self.enter(State::Ready);
        }
    }

    /// The agent has refused its configuration.
    pub(super) fn handle_refusal(&mut self, now: Instant, reason: String) {
        self.refusals += 1;
        let sure = self.refusals >= REFUSALS_MAX;
        self.end(now, Loss::Refused { reason, sure });
    }

    /// The agent has sent something that is not a frame.
    pub(super) fn handle_desync(&mut self, now: Instant, desync: Desync) {
        if matches!(desync, Desync::TooLong { .. }) {
            self.giants += 1;
            let sure = self.giants >= GIANTS_MAX;
            return self.end(now, Loss::TooLong { desync, sure });
        }
        let banner = self.life.banner();
        self.end(now, Loss::OutOfStep { desync, banner });
    }

    /// Counts something that no well-behaved agent does, and ends an agent that keeps doing it, for this reason.
    pub(super) fn handle_fault(&mut self, now: Instant, why: impl FnOnce() -> Loss) {
        if self.life.faults.count(now) > FAULTS_MAX {
            self.end(now, why());
        }
    }

    /// The process has ended.
    pub(super) fn handle_exit(&mut self, now: Instant, ending: Ending) {
        let banner = self.life.banner();
        let why = match std::mem::replace(&mut self.state, State::Idle) {
            // Once it was asked to end, its exit explains nothing but that.
            State::Ending {
                why: Loss::Closed,
                next: Treatment::Terminate,
                ..
            } => Loss::Exited { ending, banner },
            State::Ending { why, .. } | State::Waiting { why, .. } | State::Refused { why } => why,
            State::Stopped => Loss::Stopped,
            State::Idle | State::Spawning | State::Configuring { .. } | State::Ready => {
                Loss::Exited { ending, banner }
            }
        };
        let unwilling = self.life.person.unwilling && self.life.greeting.is_none();
        let why = match (&why, unwilling) {
            (Loss::Exited { ending, .. }, true) => Loss::Unanswered(*ending),
            (_, _) => why,
        };
        self.rest(now, why);
    }

    /// Does what is due: gives up waiting, ends what does not end by itself, and starts the agent again.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Configuring { .. } if self.life.person.asking => {}
            State::Configuring { give_up_at } if *give_up_at <= now => {
                let banner = self.life.banner();
                self.end(now, Loss::NoAnswer { banner });
            }
            State::Ending { act_at, next, .. } if *act_at <= now => match next {
                Treatment::Terminate => {
                    (*next, *act_at) = (Treatment::Kill, now + TERMINATE_MAX);
                    self.tell(Output::Terminate);
                }
                Treatment::Kill => {
                    *next = Treatment::Wait;
                    self.tell(Output::Kill);
                }
                Treatment::Wait => {}
            },
            State::Waiting { until, .. } if *until <= now => self.spawn(),
            State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Refused { .. }
            | State::Stopped => {}
        }
    }

    /// When to call [`Lives::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Configuring { .. } if self.life.person.asking => None,
            State::Configuring { give_up_at } => Some((*give_up_at, "an agent's answer")),
            State::Ending { next, .. } if *next == Treatment::Wait => None,
            State::Ending { act_at, .. } => Some((*act_at, "a process to end")),
            State::Waiting { until, .. } => Some((*until, "the next try")),
            State::Idle
            | State::Spawning
            | State::Ready
            | State::Refused { .. }
            | State::Stopped => None,
        }
    }

    /// Ends an agent that runs or is being started, step by step.
    pub(super) fn end(&mut self, now: Instant, why: Loss) {
        if !self.runs() && self.state != State::Spawning {
            return;
        }
        self.life.heartbeat = None;
        // An agent that hears nothing needs no time to end by itself.
        let deaf = matches!(why, Loss::Silent | Loss::Stalled);
        self.tell(Output::CloseInput);
        self.enter(State::Ending {
            why,
            act_at: now + if deaf { Duration::ZERO } else { END_MAX },
            next: Treatment::Terminate,
        });
        self.handle_timeout(now);
    }

    fn spawn(&mut self) {
        self.life = Life::default();
        self.requests.begin_anew();
        self.enter(State::Spawning);
        self.tell(Output::Spawn);
    }

    /// Decides what comes next when there is no process any more.
    fn rest(&mut self, now: Instant, why: Loss) {
        let served = self.life.served_since.take();
        if served.is_some_and(|since| now - since >= HEALTHY_MIN) {
            self.backoff.reset();
            self.giants = 0;
        }
        if !matches!(why, Loss::Refused { sure: false, .. }) {
            self.refusals = 0;
        }
        match why.remedy() {
            Remedy::None => self.enter(State::Stopped),
            Remedy::Person => self.enter(State::Refused { why }),
            Remedy::Restart => self.spawn(),
            remedy @ (Remedy::Time | Remedy::MuchTime) => {
                let (attempt, pause) = self.backoff.next(remedy == Remedy::MuchTime);
                self.enter(State::Waiting {
                    until: now + pause,
                    pause,
                    attempt,
                    why,
                });
            }
        }
    }

    fn enter(&mut self, state: State) {
        if state != State::Ready {
            // The agent answers nothing more.
            for id in self.requests.take_asked() {
                self.tell(Output::Reply(id, AgentReply::Lost));
            }
        }
        self.state = state;
        self.tell(Output::Changed);
    }
}
