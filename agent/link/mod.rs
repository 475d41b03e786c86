//! One agent as the manager sees it: from its command to its end, with the reason, and through every new start.
//!
//! The machine decodes the agent's stream, judges it, listens for its heartbeat, and tells the driver what to do with
//! the process. It never touches the process itself, and it never sees where packets go.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod appetite;
mod ask;
mod backoff;
mod heartbeat;
mod life;
mod loss;
mod messages;
mod requests;
mod signs;
mod stderr;

use std::{collections::VecDeque, net::Ipv4Addr, time::Duration};

use bytes::{Bytes, BytesMut};

use self::{
    appetite::{Appetite, Saying},
    backoff::Backoff,
    heartbeat::{Heartbeat, Look},
    life::Life,
    requests::{Pending, Requests},
    stderr::Stderr,
};
pub use self::{
    appetite::{Excess, Turn},
    ask::{Question, Reply},
    loss::{Ending, Loss, Remedy},
    signs::{Sign, Signs},
};
use crate::{
    budget::Effort,
    time::Instant,
    wire::{
        Desync, Item, PacketFrame,
        control::{
            Configure, Greeting, Message, ProblemReport, RefusedAsk, RouteSuggestion, feature,
        },
        frame, sum,
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
const FAULTS_MAX: u32 = 100;

/// How many agents in a row have to refuse their configuration before that is believed: a single one may have been told
/// something else, because a bit was flipped on the way.
const REFUSALS_MAX: u32 = 3;

/// How many messages that are too long make the manager refuse an agent, unless it has served for [`HEALTHY_MIN`] in
/// between. A single one may come from a length that was damaged on the way.
const GIANTS_MAX: u32 = 3;

/// How many problems of a host are kept. Nobody needs to see more.
const PROBLEMS_MAX: usize = 64;

/// How many refusals in one event are looked at.
const REFUSED_MAX: usize = 256;

/// How many times within [`CHANGES_WINDOW`] an agent may change its problems. Of further changes only the last is
/// reported, and later.
const CHANGES_MAX: u32 = 20;

/// The window of [`CHANGES_MAX`].
const CHANGES_WINDOW: Duration = Duration::from_mins(1);

/// How many events of types that are not known here an agent may send in a short time.
const UNKNOWN_MAX: u32 = 100;

/// How long a process may take to end by itself once its stream has ended or its input was closed.
const END_MAX: Duration = Duration::from_secs(1);

/// How long a process may take to end after it was asked to.
const TERMINATE_MAX: Duration = Duration::from_millis(1_500);

/// What the driver is to do, or what the manager should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the command.
    Spawn,
    /// Close the agent's input, which asks it to end.
    CloseInput,
    /// Ask the process group to end.
    Terminate,
    /// Kill the process group.
    Kill,
    /// Write this control frame to the agent.
    Send(Bytes),
    /// The agent has said something that does not stop it.
    Note(Note),
    /// The reply to the question with this number; see [`Link::ask`].
    Reply(u64, Reply),
    /// The agent has suggested a route at that time.
    Suggestion(Instant, RouteSuggestion),
    /// The agent has refused this to other hosts, by the policy, at that time.
    Refused(Instant, Vec<RefusedAsk>),
    /// [`Link::state`] has changed.
    Changed,
}

/// Something about an agent that does not stop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line of its standard error, made safe to show.
    Stderr(String),
    /// Text that it wrote before its first frame.
    Banner(String),
    /// Features that it lacks and that the manifest does not depend on.
    Lacks(Vec<String>),
    /// It sends more than its share, mostly this, and is slowed down.
    Greedy(Excess),
    /// It asks that people are told this.
    Notice(String),
}

/// The state of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not started yet.
    Idle,
    /// The driver is starting the command.
    Spawning,
    /// The command runs and has been sent its configuration; the agent has not answered.
    Configuring {
        /// When the wait for its answer is over.
        give_up_at: Instant,
    },
    /// The agent serves.
    Ready,
    /// It is being ended: its stream has ended, it was judged, or it was stopped. The process is still there.
    Ending {
        /// Why.
        why: Loss,
        /// When the next treatment is due.
        act_at: Instant,
        /// The next treatment, each less gentle than the one before.
        next: Treatment,
    },
    /// It is gone, and will be started again.
    Waiting {
        /// When it will be started.
        until: Instant,
        /// The pause between its end and that start.
        pause: Duration,
        /// The number of that start, from 1, counted since it last served for a while.
        attempt: u32,
        /// Why it is gone.
        why: Loss,
    },
    /// It is gone, and starting it again as it is would not help.
    Refused {
        /// Why.
        why: Loss,
    },
    /// It is gone because it was stopped on purpose.
    Stopped,
}

/// How a process is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is asked to end.
    Terminate,
    /// It is killed.
    Kill,
    /// Everything was done; only the report of the operating system is missing.
    Wait,
}

/// What a host demands of its agent, because the manifest could not be kept without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Features without which the host is refused.
    pub required: Vec<&'static str>,
    /// Features whose lack is only reported.
    pub wanted: Vec<&'static str>,
}

/// One agent.
pub struct Link {
    state: State,
    configure: Configure,
    demands: Demands,
    life: Life,
    backoff: Backoff,
    /// How many agents in a row have refused their configuration.
    refusals: u32,
    /// How many messages that were too long it has sent since it last served well.
    giants: u32,
    stderr: Stderr,
    appetite: Appetite,
    requests: Requests,
    outputs: VecDeque<Output>,
}

impl Link {
    /// An agent that gets the configuration `configure` and must meet `demands`. `seed` spreads its tries.
    pub fn new(configure: Configure, demands: Demands, seed: u64) -> Self {
        Self {
            state: State::Idle,
            configure,
            demands,
            life: Life::default(),
            backoff: Backoff::new(seed),
            stderr: Stderr::default(),
            appetite: Appetite::default(),
            refusals: 0,
            giants: 0,
            requests: Requests::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The state of the agent.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether anything has come from the agent since its command was started.
    pub fn has_spoken(&self) -> bool {
        self.life.spoke
    }

    /// Whether the command runs and is not about to end, so that it may ask a person something.
    pub fn may_ask(&self) -> bool {
        matches!(self.state, State::Configuring { .. } | State::Ready)
    }

    /// Notes whether the command waits for a person, whose time does not count. Afterwards the command has as long as
    /// at its start.
    pub fn handle_asking(&mut self, now: Instant, asking: bool) {
        self.life.person.asking = asking;
        if let State::Configuring { give_up_at } = &mut self.state
            && !asking
        {
            *give_up_at = now + ANSWER_MAX;
        }
        self.outputs.push_back(Output::Changed);
    }

    /// Notes that the person who was asked will not answer.
    pub fn handle_unanswered(&mut self) {
        self.life.person.unwilling = true;
    }

    /// What the agent said about itself.
    pub fn greeting(&self) -> Option<&Greeting> {
        self.life.greeting.as_ref()
    }

    /// How long the agent took to answer lately; `None` if that is not known.
    pub fn latency(&self) -> Option<Duration> {
        self.life.heartbeat.as_ref().and_then(Heartbeat::latency)
    }

    /// What does not work on the agent's host.
    pub fn problems(&self) -> &[ProblemReport] {
        &self.life.problems
    }

    /// The last lines of the agent's standard error.
    pub fn stderr_tail(&self) -> impl Iterator<Item = &str> {
        self.stderr.tail()
    }

    /// Whether there is no process, and none will be started without a request.
    pub fn is_at_rest(&self) -> bool {
        matches!(
            self.state,
            State::Idle | State::Refused { .. } | State::Stopped
        )
    }

    /// Starts the agent at once, whatever has happened before. An agent that runs or is being started is left as it is.
    pub fn start(&mut self) {
        self.backoff.reset();
        self.giants = 0;
        match &mut self.state {
            State::Idle | State::Waiting { .. } | State::Refused { .. } | State::Stopped => {
                self.spawn();
            }
            State::Ending { why, .. } => {
                // Nobody who waits may take this for a stop.
                if std::mem::replace(why, Loss::Restarted) != Loss::Restarted {
                    self.outputs.push_back(Output::Changed);
                }
            }
            State::Spawning | State::Configuring { .. } | State::Ready => {}
        }
    }

    /// Ends the agent if it runs, and starts it again.
    pub fn restart(&mut self, now: Instant) {
        if matches!(
            self.state,
            State::Spawning | State::Configuring { .. } | State::Ready
        ) {
            self.end(now, Loss::Restarted);
        }
        self.start();
    }

    /// Starts the agent now if it waits for its next start: the cause of the wait may be gone.
    pub fn retry_now(&mut self) {
        if matches!(self.state, State::Waiting { .. }) {
            self.start();
        }
    }

    /// Handles the end of a sleep of the machine: a pause is over, and an agent that seemed well has to prove it.
    pub fn handle_wake(&mut self, now: Instant) {
        self.retry_now();
        if let State::Configuring { give_up_at } = &mut self.state {
            // The way by which it was connecting may be gone.
            *give_up_at = (*give_up_at).min(now + WAKE_MAX);
        }
        if let Some(heartbeat) = &mut self.life.heartbeat {
            heartbeat.doubt(now);
            self.handle_timeout(now);
        }
    }

    /// Whether the agent is stopped on purpose, or about to be.
    pub fn is_stopped(&self) -> bool {
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

    /// Gives the agent another configuration. An agent that runs takes it while it runs, or else is started again; one
    /// that was refused is tried again with it. Returns whether the agent will be started again.
    pub fn reconfigure(&mut self, now: Instant, configure: Configure, demands: Demands) -> bool {
        self.refusals = 0;
        if (&self.configure, &self.demands) == (&configure, &demands) {
            return false;
        }
        (self.configure, self.demands) = (configure, demands);
        match self.state {
            State::Ready => {
                self.life.outdated = true;
                self.update(now)
            }
            State::Configuring { .. } => {
                self.life.outdated = true;
                false
            }
            State::Waiting { .. } | State::Refused { .. } => {
                self.start();
                true
            }
            // It was about to be refused for something that is no longer asked of it.
            State::Ending { ref mut why, .. } if why.remedy() == Remedy::Person => {
                *why = Loss::Restarted;
                true
            }
            State::Idle | State::Spawning | State::Ending { .. } | State::Stopped => false,
        }
    }

    /// Sends the newest configuration to an agent that has an older one; true if that takes a new start.
    fn update(&mut self, now: Instant) -> bool {
        if !std::mem::take(&mut self.life.outdated) {
            return false;
        }
        if self.life.can(feature::RECONFIGURE) {
            self.send_configure();
            return false;
        }
        self.end(now, Loss::Restarted);
        true
    }

    fn send_configure(&mut self) {
        let id = self.requests.number();
        let sum = self.send(&Message::configure(id, &self.configure));
        self.requests.add(id, Pending::Configure { sum });
    }

    /// Tells an agent that serves, and that supports it, which other hosts cannot be reached.
    pub fn tell_lost(&mut self, lost: &[Ipv4Addr]) {
        if self.state != State::Ready || !self.life.can(feature::LOST) {
            return;
        }
        self.life.lost.is = lost.to_vec();
        self.tell_next();
    }

    /// Sends the lost hosts if they have changed and the last message about them was answered, so that messages do not
    /// pile up for an agent that does not read.
    fn tell_next(&mut self) {
        let news = &mut self.life.lost;
        if self.requests.tells_lost() || news.told == news.is {
            return;
        }
        news.told.clone_from(&news.is);
        let id = self.requests.number();
        self.send(&Message::lost(id, &self.life.lost.told));
        self.requests.add(id, Pending::Lost);
    }

    /// Asks the agent something. The reply comes as [`Output::Reply`] with the number that is returned. If nothing can
    /// be asked, the reply is returned at once.
    pub fn ask(&mut self, now: Instant, question: &Question) -> Result<u64, Reply> {
        if self.state != State::Ready {
            return Err(Reply::NotUp);
        }
        let needs = match question {
            Question::Alive => feature::HEARTBEAT,
            Question::Probe(_) => feature::PROBE,
        };
        if !self.life.can(needs) {
            return Err(Reply::CannotBeAsked);
        }
        if self.requests.is_full() {
            return Err(Reply::Busy);
        }
        let id = self.requests.number();
        self.send(&match question {
            Question::Alive => Message::ping(id),
            Question::Probe(probe) => Message::probe(id, probe),
        });
        let pending = Pending::Ask {
            since: now,
            wants_data: *question != Question::Alive,
        };
        self.requests.add(id, pending);
        Ok(id)
    }

    /// Stops the agent, gently at first.
    pub fn stop(&mut self, now: Instant) {
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

    /// The outcome of [`Output::Spawn`].
    pub fn handle_spawned(&mut self, now: Instant, outcome: Result<(), String>) {
        match outcome {
            Err(_) if matches!(self.state, State::Ending { .. }) => {
                self.handle_exit(now, Ending::Unknown);
            }
            Err(reason) => self.rest(now, Loss::NotStarted(reason)),
            Ok(()) if self.state == State::Spawning => {
                self.send_configure();
                self.enter(State::Configuring {
                    give_up_at: now + ANSWER_MAX,
                });
            }
            // It was stopped meanwhile, and is being ended.
            Ok(()) => {}
        }
    }

    /// Begins the turn of this agent.
    pub fn begin_turn(&mut self) {
        self.appetite.begin_turn();
    }

    /// Counts work that the agent has caused.
    pub fn spend(&mut self, now: Instant, effort: Effort) {
        self.appetite.spend(now, effort);
    }

    /// When to handle the rest of what the agent has written. Other agents have a right to their turn, and an agent
    /// that causes more work than its budget allows has to wait.
    pub fn end_turn(&mut self, now: Instant) -> Turn {
        if !matches!(self.state, State::Configuring { .. } | State::Ready) {
            return Turn::Done;
        }
        let turn = self.appetite.turn(now);
        if matches!(turn, Turn::Wait(_)) {
            match self.appetite.note_wait(now) {
                Some(Saying::Named(excess)) => {
                    self.outputs.push_back(Output::Note(Note::Greedy(excess)));
                }
                Some(Saying::Refused(excess)) => self.end(now, Loss::Greedy(excess)),
                None => {}
            }
        }
        turn
    }

    /// Takes one packet off the front of what the agent has written, and handles everything before it, as far as its
    /// turn goes.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<PacketFrame> {
        if let Some(heartbeat) = &mut self.life.heartbeat {
            heartbeat.hear(Sign::Part);
        }
        let mut is_news = false;
        if let State::Configuring { give_up_at } = &mut self.state
            && !self.life.spoke
            && !buffer.is_empty()
        {
            (self.life.spoke, is_news) = (true, true);
            *give_up_at = (*give_up_at).min(now + BANNER_MAX);
        }
        while matches!(self.state, State::Configuring { .. } | State::Ready) {
            if self.appetite.turn(now) != Turn::Done {
                return None;
            }
            let polled = self.life.decoder.poll(buffer);
            if let (Ok(Some(_)), Some(heartbeat)) = (&polled, &mut self.life.heartbeat) {
                heartbeat.hear(Sign::Whole);
            }
            match polled {
                Ok(None) => {
                    if is_news && self.state != State::Ready {
                        self.outputs.push_back(Output::Changed);
                    }
                    return None;
                }
                Ok(Some(Item::Packet(frame))) if self.state == State::Ready => return Some(frame),
                // Before the agent serves, nothing can send packets. A damaged packet will be sent again.
                Ok(Some(Item::Packet(_) | Item::Damaged)) => self.spend(now, Effort::Refused),
                Ok(Some(Item::Unknown(kind))) => {
                    self.spend(now, Effort::Refused);
                    self.handle_fault(now, &format!("a frame of the unknown type {kind}"));
                }
                Ok(Some(Item::Control(json))) => {
                    self.spend(now, Effort::Message(json.len()));
                    self.handle_control(now, &json);
                }
                Err(desync @ Desync::TooLong { .. }) => {
                    self.giants += 1;
                    let sure = self.giants >= GIANTS_MAX;
                    self.end(now, Loss::TooLong { desync, sure });
                }
                Err(desync) => {
                    let banner = wire_text(&self.life.decoder.banner());
                    self.end(now, Loss::OutOfStep { desync, banner });
                }
            }
        }
        // Output of an agent after its end is ignored, but the agent must be able to write it.
        buffer.clear();
        None
    }

    /// Counts something that no well-behaved agent does, and ends an agent that keeps doing it.
    pub fn handle_fault(&mut self, now: Instant, what: &str) {
        if self.life.faults.count(now) > FAULTS_MAX {
            self.end(now, Loss::Misbehaved(what.to_owned()));
        }
    }

    /// Counts a packet in the name of another host, and ends an agent that keeps sending them.
    pub fn handle_impostor(&mut self, now: Instant) {
        if self.life.faults.count(now) > FAULTS_MAX {
            self.end(now, Loss::Impostor);
        }
    }

    /// Takes a line of the agent's standard error.
    pub fn handle_stderr(&mut self, now: Instant, line: &[u8]) {
        for line in self.stderr.push(now, line) {
            self.outputs.push_back(Output::Note(Note::Stderr(line)));
        }
    }

    /// The agent's stream has ended.
    pub fn handle_closed(&mut self, now: Instant) {
        self.end(now, Loss::Closed);
    }

    /// Handles that the agent has taken nothing of what was written to it for as long as an agent may be silent.
    pub fn handle_stalled(&mut self, now: Instant) {
        // Without a heartbeat the reason is not known: there may be a slow network behind the pipe.
        if self.life.heartbeat.is_some() {
            self.end(now, Loss::Stalled);
        }
    }

    /// The agent's process has ended.
    pub fn handle_exit(&mut self, now: Instant, ending: Ending) {
        let banner = wire_text(&self.life.decoder.banner());
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

    /// Does what is due: gives up waiting, ends what does not end by itself, asks whether the agent is there, and
    /// starts it again.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Configuring { .. } if self.life.person.asking => {}
            State::Configuring { give_up_at } if *give_up_at <= now => {
                let banner = wire_text(&self.life.decoder.banner());
                self.end(now, Loss::NoAnswer { banner });
            }
            State::Ready => {
                for id in self.requests.take_overdue(now) {
                    self.outputs.push_back(Output::Reply(id, Reply::Silent));
                }
                self.settle_problems(now);
                let heartbeat = self.life.heartbeat.as_mut();
                match heartbeat.map_or(Look::Wait, |heartbeat| heartbeat.look(now)) {
                    Look::Wait => {}
                    Look::Ask => {
                        let id = self.requests.number();
                        self.send(&Message::ping(id));
                        self.requests.add(id, Pending::Ping { since: now });
                    }
                    Look::Dead => self.end(now, Loss::Silent),
                }
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
            State::Waiting { until, .. } if *until <= now => self.spawn(),
            State::Idle
            | State::Spawning
            | State::Configuring { .. }
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Refused { .. }
            | State::Stopped => {}
        }
    }

    /// When to call [`Link::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::Configuring { .. } if self.life.person.asking => None,
            State::Configuring { give_up_at } => Some((*give_up_at, "an agent's answer")),
            State::Ready => {
                let heartbeat = self.life.heartbeat.as_ref();
                let heartbeat = heartbeat.map(|heartbeat| (heartbeat.due(), "a heartbeat"));
                let reply = self.requests.due().map(|at| (at, "a reply"));
                let unsettled = self.life.unsettled.as_ref();
                let settled = unsettled.map(|_| (self.life.changes.end(), "problems to settle"));
                heartbeat.into_iter().chain(reply).chain(settled).min()
            }
            State::Ending { next, .. } if *next == Treatment::Wait => None,
            State::Ending { act_at, .. } => Some((*act_at, "a process to end")),
            State::Waiting { until, .. } => Some((*until, "the next try")),
            State::Idle | State::Spawning | State::Refused { .. } | State::Stopped => None,
        }
    }

    /// Whether [`Link::poll_output`] has something.
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// What to do next; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sends a message, and returns its sum.
    fn send(&mut self, message: &Message) -> u16 {
        let json = message.to_json();
        let mut bytes = BytesMut::new();
        frame::put_control(&mut bytes, &json);
        if self.takes_sums() {
            sum::seal(&mut bytes);
        }
        self.outputs.push_back(Output::Send(bytes.freeze()));
        sum::of_control(&json)
    }

    /// Whether the agent has announced that it takes frames with sums.
    pub fn takes_sums(&self) -> bool {
        self.life.can(feature::SUMS)
    }

    fn spawn(&mut self) {
        self.life = Life::default();
        self.requests.begin_anew();
        self.enter(State::Spawning);
        self.outputs.push_back(Output::Spawn);
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

    fn end(&mut self, now: Instant, why: Loss) {
        if !matches!(
            self.state,
            State::Spawning | State::Configuring { .. } | State::Ready
        ) {
            return;
        }
        self.life.heartbeat = None;
        // An agent that hears nothing needs no time to end by itself.
        let deaf = matches!(why, Loss::Silent | Loss::Stalled);
        self.outputs.push_back(Output::CloseInput);
        self.enter(State::Ending {
            why,
            act_at: now + if deaf { Duration::ZERO } else { END_MAX },
            next: Treatment::Terminate,
        });
        self.handle_timeout(now);
    }

    fn enter(&mut self, state: State) {
        if state != State::Ready {
            // The agent answers nothing more.
            for id in self.requests.take_asked() {
                self.outputs.push_back(Output::Reply(id, Reply::Lost));
            }
        }
        self.state = state;
        self.outputs.push_back(Output::Changed);
    }
}

/// A banner in one line, for a message.
fn wire_text(banner: &[u8]) -> String {
    loss::said(&String::from_utf8_lossy(banner))
}

#[cfg(test)]
mod tests;
