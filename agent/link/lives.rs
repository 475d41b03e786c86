//! An agent through all its runs: the start of each run, the steps that end it, and the pause before the next.

use std::{collections::VecDeque, time::Duration};

use super::{
    ask::AgentReply,
    backoff::{Backoff, Pace},
    heartbeat::Heartbeat,
    instead::Way,
    last_words::LastWords,
    life::Life,
    loss::{CannotStart, Ending, Loss, Remedy},
    requests::Requests,
    shell::Unfit,
    state::{Note, Output, State, Treatment},
};
use crate::{
    time::Instant,
    view::symptoms,
    wire::{
        Desync,
        control::{Greeting, feature},
    },
};

/// After the start of a command, its agent must answer within this time. A cloud may have to start a machine first.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// The time limit that replaces [`ANSWER_MAX`] when the command shows the address of a page. A person then has to open
/// the page and log in there.
const PAGE_MAX: Duration = Duration::from_mins(10);

/// After the machine has slept, an agent that had not answered before the sleep must answer within this time.
const WAKE_MAX: Duration = Duration::from_secs(10);

/// After the first output of a command, the first frame must arrive within this time. Together with the steps that end
/// the process, this takes less than 15 s.
const BANNER_MAX: Duration = Duration::from_secs(12);

/// If the agent has not answered after this time, people are shown the last line that its command has written. If there
/// is no line, they are told that the command is silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// If an agent has served this long, oversized messages of its earlier lives do not count any more.
const HEALTHY_MIN: Duration = Duration::from_mins(1);

/// The maximum number of faults of an agent within 10 s.
pub(super) const FAULTS_MAX: u32 = 100;

/// A refusal of the configuration is believed when this many agents in a row have refused it. A single agent may have
/// received a changed message, because a bit was flipped in transit.
const REFUSALS_MAX: u32 = 3;

/// The number of oversized messages after which an agent is refused. The count is reset when the agent has served for
/// [`HEALTHY_MIN`]. A single oversized message may come from a length field that was damaged in transit.
pub(super) const GIANTS_MAX: u32 = 3;

/// The time that a process has to exit without a signal, after its stream has ended or its input was closed.
const END_MAX: Duration = Duration::from_secs(1);

/// The time that a process has to exit after it was asked to terminate.
const TERMINATE_MAX: Duration = Duration::from_millis(1_500);

/// An agent through all its runs: its state, and the data about its current run.
pub(super) struct Lives {
    state: State,
    /// The data about the running agent.
    pub(super) life: Life,
    /// The open requests to the running agent.
    pub(super) requests: Requests,
    backoff: Backoff,
    /// How the agent is started the next time.
    next_way: Way,
    /// The number of agents in a row that have refused their configuration.
    refusals: u32,
    /// The number of oversized messages since the agent last served for [`HEALTHY_MIN`].
    giants: u32,
    /// Whether a lost agent stays lost.
    pub(super) once: bool,
    outputs: VecDeque<Output>,
}

impl Lives {
    /// Creates an agent that is not started yet. `seed` determines the jitter of its retries.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: State::Idle,
            life: Life::default(),
            requests: Requests::default(),
            backoff: Backoff::new(seed),
            next_way: Way::default(),
            refusals: 0,
            giants: 0,
            once: false,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Whether the agent is up.
    pub(super) fn serves(&self) -> bool {
        self.state == State::Ready
    }

    /// Whether the command runs and is not being ended.
    pub(super) fn runs(&self) -> bool {
        matches!(self.state, State::Configuring { .. } | State::Ready)
    }

    /// Whether the command's shell can be asked again. While the command waits for a person, there is no shell yet.
    pub(super) fn may_look_again(&self) -> bool {
        matches!(self.state, State::Configuring { .. }) && !self.life.asking
    }

    /// Whether the process is gone, and will not be started without a request.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(
            self.state,
            State::Idle | State::Refused { .. } | State::Stopped
        )
    }

    /// Whether the agent was stopped by a request, or is being stopped.
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

    /// Queues an output for the driver or the manager.
    pub(super) fn tell(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Starts the agent at once, whatever happened before. Does nothing if it runs or is being started.
    pub(super) fn start(&mut self) {
        self.backoff.reset();
        self.giants = 0;
        match &mut self.state {
            State::Idle | State::Waiting { .. } | State::Refused { .. } | State::Stopped => {
                self.spawn();
            }
            State::Ending { why, .. } => {
                // The agent will be restarted, so a program that waits for its end must not see it as stopped.
                if std::mem::replace(why, Loss::Restarted) != Loss::Restarted {
                    self.tell(Output::Changed);
                }
            }
            State::Spawning | State::Configuring { .. } | State::Ready => {}
        }
    }

    /// Ends the agent if it runs, and starts it again, by its command.
    pub(super) fn restart(&mut self, now: Instant) {
        self.next_way = Way::Command;
        self.refusals = 0;
        self.end(now, Loss::Restarted);
        self.start();
    }

    /// Called when the command is about to be started. `has_shell` says whether the plan also has a command for the
    /// host's shell. Returns whether the shell's command has to be started instead.
    pub(super) fn handle_starting(&mut self, has_shell: bool) -> bool {
        let way = &mut self.life.way;
        match way {
            Way::Shell(_) if !has_shell => *way = Way::Command,
            Way::Command if has_shell => *way = Way::CommandFirst,
            Way::Command | Way::CommandFirst | Way::Shell(_) => {}
        }
        matches!(way, Way::Shell(_))
    }

    /// Starts the agent now if it waits for a retry, because the cause of its loss may be gone.
    pub(super) fn retry_now(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.start();
        }
    }

    /// Stops the agent: first by closing its input, then by signals.
    pub(super) fn stop(&mut self, now: Instant) {
        self.next_way = Way::Command;
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

    /// Resets the count of refused configurations, because those configurations were older than the present one.
    pub(super) fn forget_refusals(&mut self) {
        self.refusals = 0;
    }

    /// Starts a lost agent again, because a new configuration may have removed the cause of its loss. Returns whether
    /// it will be started.
    pub(super) fn try_again(&mut self) -> bool {
        // The new plan may have another command.
        self.next_way = Way::Command;
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

    /// Notes whether the command waits for a person. While it waits, the time limit for starting is suspended;
    /// afterwards the limit begins anew.
    pub(super) fn handle_asking(&mut self, now: Instant, asking: bool) {
        self.life.asking = asking;
        if let State::Configuring { give_up_at } = &mut self.state
            && !asking
        {
            *give_up_at = now + ANSWER_MAX;
        }
        self.tell(Output::Changed);
    }

    /// Called when the machine has slept. A pause before a retry ends at once. A command that was still connecting gets
    /// less time, because its connection may be dead.
    pub(super) fn handle_wake(&mut self, now: Instant) {
        self.retry_now();
        if let State::Configuring { give_up_at } = &mut self.state {
            *give_up_at = (*give_up_at).min(now + WAKE_MAX);
        }
    }

    /// Called when the command could not be started.
    pub(super) fn handle_not_started(&mut self, now: Instant, reason: CannotStart) {
        if matches!(self.state, State::Ending { .. }) {
            self.handle_exit(now, Ending::Unknown);
        } else {
            self.rest(now, Loss::NotStarted(reason));
        }
    }

    /// Called when the command runs and has been sent its configuration.
    pub(super) fn handle_started(&mut self, now: Instant) {
        self.life.patient_until = Some(now + PATIENCE);
        self.enter(State::Configuring {
            give_up_at: now + ANSWER_MAX,
        });
    }

    /// Called when the conversation with the host's shell has made progress. The time limits begin anew.
    pub(super) fn handle_progress(&mut self, now: Instant) {
        if let State::Configuring { give_up_at } = &mut self.state {
            *give_up_at = now + ANSWER_MAX;
            self.life.patient_until = Some(now + PATIENCE);
        }
        self.tell(Output::Changed);
    }

    /// Handles a line of the command's standard error, which is safe to show. `shown` says whether this line is shown
    /// to people.
    pub(super) fn handle_line(&mut self, now: Instant, line: &str, shown: bool) {
        if !self.life.heard.hear(now, line) {
            return;
        }
        if let State::Configuring { give_up_at } = &mut self.state
            && line.contains("https://")
        {
            *give_up_at = (*give_up_at).max(now + PAGE_MAX);
        }
        if shown && self.mutters().is_some() {
            self.tell(Output::Changed);
        }
    }

    /// The last line that the command has written, if its agent should have answered by now; otherwise `None`.
    pub(super) fn mutters(&self) -> Option<&str> {
        self.life.heard.last().filter(|_| self.is_late())
    }

    /// Whether the agent should have answered by now.
    pub(super) fn is_late(&self) -> bool {
        matches!(self.state, State::Configuring { .. }) && self.life.patient_until.is_none()
    }

    /// Ends the command at once, because a person has refused its question. Returns false if the agent has already
    /// answered; then the command keeps running.
    ///
    /// The question gets no answer before the process has ended. Otherwise ssh would send an empty password to the
    /// host, and the host would count that as a failed login.
    pub(super) fn handle_refused_prompt(
        &mut self,
        now: Instant,
        question: String,
        no: bool,
    ) -> bool {
        let is_under_way = matches!(self.state, State::Configuring { .. });
        if is_under_way {
            self.end(now, Loss::Unanswered { question, no });
        }
        is_under_way
    }

    /// Handles output of the command; returns true if it is the first output.
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

    /// Called when the agent has accepted its configuration.
    pub(super) fn handle_greeting(&mut self, now: Instant, greeting: Greeting) {
        if greeting.has(feature::HEARTBEAT) {
            let heartbeat = &mut self.life.heartbeat;
            heartbeat.get_or_insert_with(|| Heartbeat::new(now));
        }
        self.refusals = 0;
        self.life.heard.answer();
        self.life.greeting = Some(greeting);
        self.life.served_since.get_or_insert(now);
        if !self.serves() {
            self.enter(State::Ready);
        }
    }

    /// Called when the agent has refused its configuration.
    pub(super) fn handle_refusal(&mut self, now: Instant, reason: String) {
        self.refusals += 1;
        let sure = self.refusals >= REFUSALS_MAX;
        self.end(now, Loss::Refused { reason, sure });
    }

    /// Handles bytes from the agent that are not a frame. `found` is the text that was found instead.
    pub(super) fn handle_desync(&mut self, now: Instant, desync: Desync, found: String) {
        if matches!(desync, Desync::TooLong { .. }) {
            self.giants += 1;
            let sure = self.giants >= GIANTS_MAX;
            return self.end(now, Loss::TooLong { desync, sure });
        }
        if desync != Desync::Banner {
            return self.end(now, Loss::OutOfStep { desync, found });
        }
        let last = self.life.last_words(now);
        let why = if last.symptom.is_some() {
            Loss::NoAnswer(last)
        } else {
            let found = last.banner;
            Loss::OutOfStep { desync, found }
        };
        self.end(now, why);
    }

    /// Called when the command sends back what was sent to it.
    pub(super) fn handle_echo(&mut self, now: Instant) {
        self.end(now, Loss::NoAnswer(LastWords::of(&symptoms::ECHO)));
    }

    /// Counts a fault. If there were too many, ends the agent for the reason `why`.
    pub(super) fn handle_fault(&mut self, now: Instant, why: impl FnOnce() -> Loss) {
        if self.life.faults.count(now) > FAULTS_MAX {
            self.end(now, why());
        }
    }

    /// Handles the end of the process.
    pub(super) fn handle_exit(&mut self, now: Instant, ending: Ending) {
        let why = match std::mem::replace(&mut self.state, State::Idle) {
            // The reason may have arrived on another stream after the shell had reported the failure.
            State::Ending {
                why: Loss::Unfit { why, .. },
                ..
            } => Loss::Unfit {
                why,
                last: Box::new(self.life.last_words(now)),
            },
            // After the process was asked to end, its exit status says nothing about the cause.
            State::Ending { why, .. } if why != Loss::Closing => why,
            State::Waiting { why, .. } | State::Refused { why } => why,
            State::Stopped => Loss::Stopped,
            State::Ending { .. }
            | State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ready => {
                let mut last = self.life.last_words(now);
                let is_mute = last.is_silence() && self.life.greeting.is_none();
                if is_mute && ending == Ending::Status(0) {
                    last = LastWords::of(&symptoms::NO_INPUT);
                }
                match self.life.lack() {
                    Some(why @ Unfit::Cut { .. }) if last.symptom.is_none() => {
                        let last = Box::new(last);
                        Loss::Unfit { why, last }
                    }
                    _ => Loss::Exited { ending, last },
                }
            }
        };
        self.rest(now, why);
    }

    /// Performs the action that is due: gives up waiting for the agent's answer, ends a process that does not exit, or
    /// starts the agent again.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Configuring { .. } if self.life.asking => {}
            State::Configuring { give_up_at } if *give_up_at <= now => {
                let last = self.life.last_words(now);
                let why = match self.life.lack() {
                    Some(why @ Unfit::Silent) if last.symptom.is_none() => {
                        let last = Box::new(last);
                        Loss::Unfit { why, last }
                    }
                    _ => Loss::NoAnswer(last),
                };
                self.end(now, why);
            }
            State::Configuring { .. } => {
                if self.life.patient_until.take_if(|at| *at <= now).is_some() {
                    self.tell(Output::Changed);
                }
            }
            State::Ending { act_at, next, why } if *act_at <= now => match next {
                Treatment::Terminate => {
                    (*next, *act_at) = (Treatment::Kill, now + TERMINATE_MAX);
                    let is_news = *why == Loss::Closing;
                    if is_news {
                        *why = Loss::Closed;
                    }
                    self.tell(Output::Terminate);
                    if is_news {
                        self.tell(Output::Changed);
                    }
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
            | State::Ready
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Refused { .. }
            | State::Stopped => {}
        }
    }

    /// The time of the next call to [`Lives::handle_timeout`], and the reason for it.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Configuring { .. } if self.life.asking => None,
            State::Configuring { give_up_at } => {
                let patience = self.life.patient_until.map(|at| (at, "patience"));
                let answer = (*give_up_at, "an agent's answer");
                Some(patience.map_or(answer, |patience| patience.min(answer)))
            }
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
        let why = self.turn_to_shell(why);
        // An agent that receives nothing does not notice that its input is closed. Neither does a command that waits
        // for a person. Such a process is not given time to exit by itself.
        let is_asking = self.life.asking && self.life.greeting.is_none();
        let deaf =
            is_asking || matches!(why, Loss::Silent | Loss::Stalled | Loss::Unanswered { .. });
        self.tell(Output::CloseInput);
        self.enter(State::Ending {
            why,
            act_at: now + if deaf { Duration::ZERO } else { END_MAX },
            next: Treatment::Terminate,
        });
        self.handle_timeout(now);
    }

    /// Tries the host's shell next if the command has failed because the host has no usable agent. Returns the reason
    /// for the end.
    fn turn_to_shell(&mut self, why: Loss) -> Loss {
        let next = self.life.way.next(&why, false);
        if !matches!(next, Way::Shell(_)) {
            return why;
        }
        self.next_way = next;
        self.tell(Output::Note(Note::ThroughTheShell(why)));
        // The shell is tried without a pause.
        Loss::Restarted
    }

    fn spawn(&mut self) {
        self.life = Life {
            way: std::mem::take(&mut self.next_way),
            ..Life::default()
        };
        self.requests.begin_anew();
        self.enter(State::Spawning);
        self.tell(Output::Spawn);
    }

    /// Decides what happens after the process has ended.
    fn rest(&mut self, now: Instant, why: Loss) {
        let served = self.life.served_since.take();
        let why = self.turn_to_shell(why);
        if self.next_way == Way::Command {
            self.next_way = self.life.way.next(&why, served.is_some());
        }
        let why = self.life.way.told(why);
        if let Some(since) = served {
            self.backoff.recover(now - since);
        }
        if served.is_some_and(|since| now - since >= HEALTHY_MIN) {
            self.giants = 0;
        }
        // If the shell is tried next, the count goes on, because an agent that is sent through the shell may refuse the
        // same configuration for the same reason.
        if !matches!(why, Loss::Refused { sure: false, .. } | Loss::Restarted) {
            self.refusals = 0;
        }
        match why.remedy() {
            Remedy::None => self.enter(State::Stopped),
            Remedy::Person => self.enter(State::Refused { why }),
            Remedy::Time | Remedy::MuchTime if self.once => self.enter(State::Refused { why }),
            Remedy::Restart => self.spawn(),
            remedy @ (Remedy::Time | Remedy::MuchTime) => {
                let pace = if remedy == Remedy::MuchTime {
                    Pace::Slow
                } else {
                    Pace::Quick
                };
                let (attempt, pause) = self.backoff.next(pace);
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
            // The agent can no longer answer the open questions.
            for id in self.requests.take_asked() {
                self.tell(Output::Reply(id, AgentReply::Lost));
            }
        }
        self.state = state;
        self.tell(Output::Changed);
    }
}
