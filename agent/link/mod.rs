//! One agent as the manager sees it: from the start of its command to its end, and again after each restart.
//!
//! The link decodes the agent's stream, checks it, monitors the heartbeat, and tells the driver what to do with the
//! process. It does not touch the process itself, and does not decide where packets go.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod appetite;
mod ask;
mod backoff;
mod configuration;
mod counter;
mod demands;
mod heartbeat;
mod instead;
mod last_words;
mod life;
mod lives;
mod loss;
mod messages;
mod problems;
mod requests;
mod said;
mod shell;
mod signs;
mod state;
mod stderr;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};

use self::{
    appetite::{Appetite, Saying},
    heartbeat::{Heartbeat, Look},
    instead::Way,
    lives::Lives,
    messages::Said,
    problems::CHANGES_MAX,
    requests::Pending,
    said::said,
    shell::{Outcome as ShellOutcome, Shell, Wish},
    stderr::Stderr,
};
pub use self::{
    appetite::{Excess, Turn},
    ask::{AgentQuestion, AgentReply},
    configuration::Configuration,
    demands::Demands,
    last_words::LastWords,
    loss::{CannotStart, Ending, Loss, Remedy},
    shell::{Cleaning, Done, Offer, Parcel, Step, Target, Unfit},
    signs::{Sign, Signs},
    state::{Note, Output, State, Treatment},
};
use crate::{
    budget::Effort,
    inflight::Inflight,
    time::Instant,
    wire::{
        Item, PacketFrame,
        control::{Greeting, Lost, Message, Outcome, ProblemReport, Raw, feature},
        frame, sum,
    },
};

/// The maximum number of events of unknown types that an agent may send within a short time.
const UNKNOWN_MAX: u32 = 100;

/// At most this many bytes are quoted of a text that was found where a frame should begin.
const TEXT_MAX: usize = 256;

/// The note for people if something was started on a host before its shell, or in place of the shell.
const TAKEN: &str = "a start-up file there (such as ~/.profile or ~/.bashrc) reads the input or starts another shell, and has \
                     taken the first line, which was sent again; let it do so only in a terminal: if [ -t 0 ]";

/// The link to one host's agent.
pub struct Link {
    lives: Lives,
    configuration: Configuration,
    demands: Demands,
    stderr: Stderr,
    appetite: Appetite,
    seed: u64,
    /// The number of conversations with the host's shell that have begun.
    shells: u64,
}

impl Link {
    /// Creates a link whose agent gets `configuration` and must meet `demands`. `seed` determines the jitter of the
    /// retries.
    pub fn new(configuration: impl Into<Configuration>, demands: Demands, seed: u64) -> Self {
        Self {
            lives: Lives::new(seed),
            configuration: configuration.into(),
            demands,
            stderr: Stderr::default(),
            appetite: Appetite::default(),
            seed,
            shells: 0,
        }
    }

    /// Makes a lost agent stay lost, whatever the reason. There is one exception: if the command does not start a
    /// usable agent, the host's shell is still started instead of the command.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.lives.once = true;
        self
    }

    /// The state of the agent.
    pub fn state(&self) -> &State {
        self.lives.state()
    }

    /// Whether the agent or its command has written anything since the command was started.
    pub fn has_spoken(&self) -> bool {
        self.lives.life.spoke
    }

    /// Whether the command runs and is not being ended. Only then may its questions be passed on to a person.
    pub fn may_ask(&self) -> bool {
        // A command may ask before the driver has said that it runs.
        self.runs() || *self.lives.state() == State::Spawning
    }

    /// Whether the command runs and is not being ended.
    pub fn runs(&self) -> bool {
        self.lives.runs()
    }

    /// Notes whether the command waits for a person. While the command waits, the time limit for starting is suspended;
    /// afterwards it begins anew.
    pub fn handle_asking(&mut self, now: Instant, asking: bool) {
        self.lives.handle_asking(now, asking);
    }

    /// Ends the command, because a person has refused what it asks for. `no` says whether the person has answered "no",
    /// instead of refusing to answer. Returns false if the agent has already answered; then the command keeps running.
    pub fn handle_refused_prompt(&mut self, now: Instant, question: &str, no: bool) -> bool {
        self.lives.handle_refused_prompt(now, said(question), no)
    }

    /// Whether the process is being ended. It may still exist.
    pub fn is_ending(&self) -> bool {
        matches!(self.lives.state(), State::Ending { .. })
    }

    /// The last line that the command has written, if its agent should have answered by now; otherwise `None`.
    pub fn mutters(&self) -> Option<&str> {
        self.lives.mutters()
    }

    /// Whether the agent should have answered by now.
    pub fn is_late(&self) -> bool {
        self.lives.is_late()
    }

    /// The agent's greeting; `None` before it has answered its configuration.
    pub fn greeting(&self) -> Option<&Greeting> {
        self.lives.life.greeting.as_ref()
    }

    /// The time between a heartbeat and its answer, as last reported; `None` if it is not known.
    pub fn latency(&self) -> Option<Duration> {
        let heartbeat = self.lives.life.heartbeat.as_ref();
        heartbeat.and_then(Heartbeat::latency)
    }

    /// The problems that the agent has reported about its host.
    pub fn problems(&self) -> &[ProblemReport] {
        self.lives.life.problems.shown()
    }

    /// The last lines of the agent's standard error.
    pub fn stderr_tail(&self) -> impl Iterator<Item = &str> {
        self.stderr.tail()
    }

    /// Whether the process is gone, and will not be started without a request.
    pub fn is_at_rest(&self) -> bool {
        self.lives.is_at_rest()
    }

    /// Whether the agent was stopped by a request, or is being stopped.
    pub fn is_stopped(&self) -> bool {
        self.lives.is_stopped()
    }

    /// Whether the agent has announced that it accepts frames with checksums.
    pub fn takes_sums(&self) -> bool {
        self.lives.life.can(feature::SUMS)
    }

    /// Starts the agent at once, whatever happened before. Does nothing if it runs or is being started.
    pub fn start(&mut self) {
        self.lives.start();
    }

    /// Ends the agent if it runs, and starts it again.
    pub fn restart(&mut self, now: Instant) {
        self.lives.restart(now);
    }

    /// Ends the agent if it runs, for this reason, and starts it elsewhere at once.
    pub fn move_away(&mut self, now: Instant, why: String) {
        self.lives.end(now, Loss::Moved(why));
    }

    /// If the agent waits for a retry, starts it now, because the cause of its loss may be gone.
    pub fn retry_now(&mut self) {
        self.lives.retry_now();
    }

    /// Stops the agent: first by closing its input, then by signals.
    pub fn stop(&mut self, now: Instant) {
        self.lives.stop(now);
    }

    /// Called when the machine has slept. A pause before a retry ends at once, and an agent that seemed alive has to
    /// answer a heartbeat.
    pub fn handle_wake(&mut self, now: Instant) {
        self.lives.handle_wake(now);
        if let Some(heartbeat) = &mut self.lives.life.heartbeat {
            heartbeat.doubt(now);
            self.handle_timeout(now);
        }
    }

    /// Gives the agent another configuration. A running agent applies it, or is started again if it cannot apply it
    /// while it runs. A lost agent is started again. Returns whether the agent will be started again.
    pub fn reconfigure(
        &mut self,
        now: Instant,
        configuration: impl Into<Configuration>,
        demands: Demands,
    ) -> bool {
        self.lives.forget_refusals();
        let before = std::mem::replace(&mut self.configuration, configuration.into());
        let same_demands = std::mem::replace(&mut self.demands, demands) == self.demands;
        if same_demands && before.make() == self.configuration.make() {
            return false;
        }
        if !self.lives.runs() {
            return self.lives.try_again();
        }
        self.lives.life.outdated = true;
        // An agent that has not answered yet gets the new configuration after its answer.
        self.lives.serves() && self.update(now)
    }

    /// Sends the newest configuration to an agent that has an older one. Returns true if the agent has to be restarted
    /// for it.
    fn update(&mut self, now: Instant) -> bool {
        if !std::mem::take(&mut self.lives.life.outdated) {
            return false;
        }
        if self.lives.life.can(feature::RECONFIGURE) {
            self.send_configure();
            return false;
        }
        self.lives.end(now, Loss::Restarted);
        true
    }

    fn send_configure(&mut self) {
        let id = self.lives.requests.number();
        let sum = self.send(&Message::configure(id, &self.configuration.make()));
        self.lives.requests.add(id, Pending::Configure { sum });
    }

    /// Tells an agent that is up, and supports it, which hosts are lost or far away.
    pub fn tell_lost(&mut self, lost: Lost) {
        if !self.lives.serves() || !self.lives.life.can(feature::LOST) {
            return;
        }
        self.lives.life.lost.is = lost;
        self.tell_next();
    }

    /// Sends the lists of hosts if they have changed and the agent has acknowledged the previous ones. Otherwise,
    /// messages would pile up for an agent that does not read them.
    fn tell_next(&mut self) {
        let lost = &mut self.lives.life.lost;
        if self.lives.requests.tells_lost() || lost.told == lost.is {
            return;
        }
        lost.told.clone_from(&lost.is);
        let id = self.lives.requests.number();
        self.send(&Message::lost(id, &self.lives.life.lost.told));
        self.lives.requests.add(id, Pending::Lost);
    }

    /// Sends a question to the agent, and returns the number of the question. The reply comes as [`Output::Reply`] with
    /// that number. If the question cannot be sent, the error says why, and no reply comes.
    pub fn ask(&mut self, now: Instant, question: &AgentQuestion) -> Result<u64, AgentReply> {
        if !self.lives.serves() {
            return Err(AgentReply::NotUp);
        }
        let (feature, data) = question.needs();
        if !self.lives.life.can(feature) {
            return Err(AgentReply::CannotBeAsked);
        }
        if self.lives.requests.is_full() {
            return Err(AgentReply::Busy);
        }
        let id = self.lives.requests.number();
        self.send(&match question {
            AgentQuestion::Alive => Message::ping(id),
            AgentQuestion::Probe(probe) => Message::probe(id, probe),
            AgentQuestion::OpenPorts => Message::open_ports(id),
        });
        let pending = Pending::Ask { since: now, data };
        self.lives.requests.add(id, pending);
        Ok(id)
    }

    /// Whether the present agent can be asked for probes.
    pub fn answers_probes(&self) -> bool {
        self.lives.life.can(feature::PROBE)
    }

    /// Queues a message, and returns its checksum.
    fn send(&mut self, message: &Message) -> u16 {
        let json = message.to_json();
        let frame = self.frame(&json);
        self.lives.tell(Output::Send(frame));
        sum::of_control(&json)
    }

    fn frame(&self, json: &[u8]) -> Bytes {
        let mut bytes = BytesMut::new();
        frame::put_control(&mut bytes, json);
        if self.takes_sums() {
            sum::seal(&mut bytes);
        }
        bytes.freeze()
    }

    /// Whether packets may be sent to the agent. If not, so many bytes are under way that more would only wait.
    pub fn may_send(&self) -> bool {
        let life = &self.lives.life;
        life.heartbeat.is_none() || !life.inflight.is_full()
    }

    /// Notes that a frame of this many bytes was taken out of the agent's queue.
    pub fn note_sent(&mut self, now: Instant, bytes: usize) {
        self.lives.life.inflight.note_sent(now, bytes);
    }

    /// The frame that has to be sent to the agent before those of its queue; `None` if there is none. `has_more` says
    /// whether packets are to follow it. Such frames measure the link, so they are made when they are sent.
    pub fn poll_frame(&mut self, now: Instant, has_more: bool) -> Option<Bytes> {
        if let Some(mark) = self.lives.life.mark.take() {
            return Some(self.frame(&Message::marked(mark).to_json()));
        }
        let life = &self.lives.life;
        if life.heartbeat.is_none() || !life.inflight.wants_mark(has_more) {
            return None;
        }
        let id = self.lives.requests.number();
        self.lives.requests.add(id, Pending::Mark);
        self.lives.life.inflight.mark(now, id);
        Some(self.frame(&Message::ping(id).to_json()))
    }

    /// Whether a round trip to the agent takes long.
    pub fn is_far(&self) -> bool {
        self.lives.life.inflight.is_far()
    }

    /// Called when the command is about to be started. `has_shell` says whether the plan also has a command for the
    /// host's shell. Returns whether the shell's command has to be started instead, because the host's own command has
    /// not started a usable agent.
    pub fn handle_starting(&mut self, has_shell: bool) -> bool {
        self.lives.handle_starting(has_shell)
    }

    /// The reason why the agent was started through the host's shell and not by the host's command; `None` if the
    /// command has started it.
    pub fn detour(&self) -> Option<&Loss> {
        match &self.lives.life.way {
            Way::Shell(why) => Some(why),
            Way::Command | Way::CommandFirst => None,
        }
    }

    /// Handles the outcome of [`Output::Spawn`].
    pub fn handle_spawned(&mut self, now: Instant, outcome: Result<(), CannotStart>) {
        match outcome {
            Err(reason) => self.lives.handle_not_started(now, reason),
            Ok(()) if *self.state() == State::Spawning => {
                self.send_configure();
                self.lives.handle_started(now);
            }
            // The agent was stopped in the meantime, and is being ended.
            Ok(()) => {}
        }
    }

    /// Called instead of [`Link::handle_spawned`] if the command that runs is the shell of a host. The shell then has
    /// to run one of these agents.
    pub fn handle_shell(&mut self, now: Instant, offers: Arc<[Offer]>) {
        if *self.state() != State::Spawning {
            return;
        }
        self.shells += 1;
        // The seed alone is not enough, because a host that was removed and added again has the same seed. The time
        // does not repeat.
        let nonce = format!("{:016x}-{}-{}", self.seed, now.as_micros(), self.shells);
        let key = format!("{:016x}", self.seed);
        self.lives.life.shell = Some(Shell::new(now, &nonce, key, offers));
        self.lives.handle_started(now);
        self.grant();
    }

    /// Takes the bytes of the agent's program, which [`Output::Fetch`] has requested, or the reason why they cannot be
    /// read.
    pub fn handle_parcel(&mut self, now: Instant, sum: &str, parcel: Result<Arc<Parcel>, String>) {
        if !self.lives.runs() {
            return;
        }
        if let Some(shell) = &mut self.lives.life.shell {
            let before = shell.progress();
            let outcome = shell.handle_parcel(now, sum, parcel);
            if shell.progress() != before {
                self.lives.handle_progress(now);
            }
            self.go_on(now, outcome);
        }
    }

    /// The present step on the way to an agent on a host that has only a shell; `None` if the command is not a shell,
    /// or if the agent runs.
    pub fn step(&self) -> Option<Step> {
        let shell = self.lives.life.shell.as_ref();
        shell.filter(|_| self.lives.runs()).map(Shell::step)
    }

    /// The bytes per second that the host keeps of an agent that is being sent; `None` if that is not known.
    pub fn upload_per_second(&self, now: Instant) -> Option<u64> {
        let shell = self.lives.life.shell.as_ref();
        shell.and_then(|shell| shell.per_second(now))
    }

    /// Performs the tasks that the conversation with the shell has asked for.
    fn grant(&mut self) {
        while let Some(wish) = self.lives.life.shell.as_mut().and_then(Shell::poll_wish) {
            self.lives.tell(match wish {
                Wish::Send(bytes) => Output::Send(bytes),
                Wish::Fetch(sum) => Output::Fetch(sum),
                Wish::Tell(done) => Output::Note(Note::Step(done)),
                Wish::TellTaken => Output::Note(Note::Notice(TAKEN.to_owned())),
            });
        }
    }

    /// Handles the state of the conversation after the shell's latest output. Returns whether the rest of the output is
    /// the agent's.
    fn go_on(&mut self, now: Instant, outcome: ShellOutcome) -> bool {
        self.grant();
        match outcome {
            ShellOutcome::Open => false,
            ShellOutcome::Runs => {
                self.lives.life.shell = None;
                // What was sent so far was the shell's.
                self.lives.life.inflight = Inflight::default();
                self.lives.handle_progress(now);
                // This is the newest configuration, even if it has changed since the start of the command.
                self.lives.life.outdated = false;
                self.send_configure();
                true
            }
            ShellOutcome::Failed(Unfit::Echo) => {
                self.lives.handle_echo(now);
                false
            }
            ShellOutcome::Failed(why) => {
                let last = Box::default();
                self.lives.end(now, Loss::Unfit { why, last });
                false
            }
        }
    }

    /// Passes output to the conversation with the shell. Returns whether the rest of the output is the agent's.
    fn converse(&mut self, now: Instant, buffer: &mut BytesMut) -> bool {
        let Some(shell) = &mut self.lives.life.shell else {
            return true;
        };
        // Output of a shell is not counted against the budget of turns, because its total size is limited.
        let before = shell.progress();
        let outcome = shell.handle_bytes(now, buffer);
        if shell.progress() != before {
            self.lives.handle_progress(now);
        }
        self.go_on(now, outcome)
    }

    /// Begins the agent's next turn.
    pub fn begin_turn(&mut self) {
        self.appetite.begin_turn();
    }

    /// Charges work that the agent has caused.
    pub fn spend(&mut self, now: Instant, effort: Effort) {
        self.appetite.spend(now, effort);
    }

    /// Ends the agent's turn, and returns when the rest of its output may be handled. Other agents have their turns
    /// first, and an agent that has exceeded its budget has to wait.
    pub fn end_turn(&mut self, now: Instant) -> Turn {
        if !self.lives.runs() {
            return Turn::Done;
        }
        let turn = self.appetite.turn(now);
        if matches!(turn, Turn::Wait(_)) {
            match self.appetite.note_wait(now) {
                Some(Saying::Named(excess)) => {
                    self.lives.tell(Output::Note(Note::Greedy(excess)));
                }
                Some(Saying::Refused(excess)) => self.lives.end(now, Loss::Greedy(excess)),
                None => {}
            }
        }
        turn
    }

    /// Handles the output at the front of `buffer` up to the first packet, and returns that packet. Returns `None` if
    /// there is no packet in the output, or if the agent's turn is over.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<PacketFrame> {
        if let Some(heartbeat) = &mut self.lives.life.heartbeat {
            heartbeat.hear(Sign::Part);
        }
        let is_news = !buffer.is_empty() && self.lives.handle_words(now);
        if self.lives.runs() && !self.converse(now, buffer) && self.lives.runs() {
            return None;
        }
        while self.lives.runs() {
            if self.appetite.turn(now) != Turn::Done {
                return None;
            }
            let polled = self.lives.life.decoder.poll(buffer);
            if let (Ok(Some(_)), Some(heartbeat)) = (&polled, &mut self.lives.life.heartbeat) {
                heartbeat.hear(Sign::Whole);
            }
            match polled {
                Ok(None) => {
                    if is_news && !self.lives.serves() {
                        self.lives.tell(Output::Changed);
                    }
                    return None;
                }
                Ok(Some(Item::Packet(frame))) if self.lives.serves() => return Some(frame),
                // Such packets are dropped. An agent that is not up may not send packets yet, and the sender of a
                // damaged packet will send it again.
                Ok(Some(Item::Packet(_) | Item::Damaged)) => self.spend(now, Effort::Refused),
                Ok(Some(Item::Unknown(kind))) => {
                    self.spend(now, Effort::Refused);
                    self.handle_fault(now, &format!("a frame of the unknown type {kind}"));
                }
                Ok(Some(Item::Control(json))) => {
                    self.spend(now, Effort::Message(json.len()));
                    self.handle_control(now, &json);
                }
                Err(desync) => self.lives.handle_desync(now, desync, text_in(buffer)),
            }
        }
        // Output of an agent that is being ended is discarded, but must be read, so that the agent does not block.
        buffer.clear();
        None
    }

    /// Counts a fault. An agent with too many faults is ended.
    pub fn handle_fault(&mut self, now: Instant, what: &str) {
        let why = || Loss::Misbehaved(what.to_owned());
        self.lives.handle_fault(now, why);
    }

    /// Counts a packet that has another host's source address. An agent that sends too many is ended.
    pub fn handle_impostor(&mut self, now: Instant) {
        self.lives.handle_fault(now, || Loss::Impostor);
    }

    /// Handles a line of the agent's standard error.
    pub fn handle_stderr(&mut self, now: Instant, line: &[u8]) {
        let shown = self.stderr.push(now, line);
        let is_shown = !shown.is_empty();
        self.show(shown);
        let line = self.stderr.tail().last().unwrap_or_default();
        self.lives.handle_line(now, line, is_shown);
    }

    /// Reports lines of standard error.
    fn show(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.lives.tell(Output::Note(Note::Stderr(line)));
        }
    }

    /// Handles the end of the agent's output stream.
    pub fn handle_closed(&mut self, now: Instant) {
        self.lives.end(now, Loss::Closing);
    }

    /// Called when the agent has read nothing for too long. Ends the agent if it supports heartbeats.
    pub fn handle_stalled(&mut self, now: Instant) {
        // An agent that does not support heartbeats may be alive behind a slow network.
        if self.lives.life.heartbeat.is_some() {
            self.lives.end(now, Loss::Stalled);
        }
    }

    /// Handles the end of the agent's process.
    pub fn handle_exit(&mut self, now: Instant, ending: Ending) {
        let told = self.stderr.told();
        self.show(told);
        self.lives.handle_exit(now, ending);
    }

    fn handle_control(&mut self, now: Instant, json: &[u8]) {
        let life = &mut self.lives.life;
        match Said::read(json) {
            Said::Result(outcome) => self.handle_result(now, &outcome),
            Said::Problems(problems) => {
                if life.problems.take(now, problems) {
                    self.lives.tell(Output::Changed);
                }
            }
            Said::Notice(_) if life.notices.count(now) > CHANGES_MAX => {
                self.handle_fault(now, "notices faster than anybody can read");
            }
            Said::Notice(text) => self.lives.tell(Output::Note(Note::Notice(text))),
            Said::Suggestion(suggestion) => {
                self.lives.tell(Output::Suggestion(now, suggestion));
            }
            // The answer says that everything before the newest mark has arrived, so there is at most one answer at a time.
            Said::Mark(mark) => {
                life.mark = Some(mark);
                self.lives.tell(Output::Wake);
            }
            Said::Refused(refused) => self.lives.tell(Output::Refused(now, refused)),
            // A newer agent may send events that this manager does not know, but only at a limited rate.
            Said::Unknown if life.unknown.count(now) <= UNKNOWN_MAX => {}
            Said::Unknown => self.handle_fault(now, "events that nobody knows"),
            Said::Request if life.greeting.is_none() => self.lives.handle_echo(now),
            Said::Request => self.handle_fault(now, "a request, which agents do not make"),
            Said::Strange(what) => self.handle_fault(now, what),
        }
    }

    fn handle_result(&mut self, now: Instant, outcome: &Outcome) {
        let id = outcome.request_id;
        match self.lives.requests.take(id) {
            Some(Pending::Configure { sum }) => match outcome.failure() {
                Some(reason) => self.lives.handle_refusal(now, said(&reason)),
                None => self.handle_greeting(now, &outcome.data, sum),
            },
            Some(Pending::Lost) => self.tell_next(),
            Some(Pending::Ask { since, data }) => {
                let reply = AgentReply::read(outcome, now - since, data);
                self.lives.tell(Output::Reply(id, reply));
            }
            Some(Pending::Ping { since }) => {
                let life = &mut self.lives.life;
                let heartbeat = life.heartbeat.as_mut();
                let is_news =
                    heartbeat.is_some_and(|heartbeat| heartbeat.measure(now, now - since));
                self.handle_mark(now, id, is_news);
            }
            Some(Pending::Mark) => self.handle_mark(now, id, false),
            Some(Pending::Forgotten) => {}
            None => self.handle_fault(now, "a result that nobody asked for"),
        }
    }

    /// Notes that the agent has read everything before the heartbeat with this id. `is_news` says whether the answer has
    /// already changed what is shown.
    fn handle_mark(&mut self, now: Instant, id: u64, is_news: bool) {
        // An agent that answers only its newest heartbeats must not make this list long.
        self.lives.requests.forget_marks(id);
        let inflight = &mut self.lives.life.inflight;
        let goes_on = inflight.handle_mark(now, id);
        let has_moved = inflight.look_how_far();
        if goes_on {
            self.lives.tell(Output::Wake);
        }
        if has_moved || is_news {
            self.lives.tell(Output::Changed);
        }
    }

    /// Handles the answer to a configuration. `sum` is the checksum of that configuration's message.
    fn handle_greeting(&mut self, now: Instant, data: &Raw, sum: u16) {
        let Ok(mut greeting) = data.read::<Greeting>() else {
            let reason = "its greeting cannot be read".to_owned();
            return self.lives.handle_refusal(now, reason);
        };
        greeting.version = said(&greeting.version);
        if let Err(why) = self.demands.judge(&greeting, sum) {
            return self.lives.end(now, why);
        }
        let missed = self.demands.missed(&greeting);
        if !missed.is_empty() {
            self.lives.tell(Output::Note(Note::Lacks(missed)));
        }
        let banner = self.lives.life.banner();
        if !banner.is_empty() && !self.lives.serves() {
            self.lives.tell(Output::Note(Note::Banner(banner)));
        }
        self.lives.handle_greeting(now, greeting);
        self.update(now);
    }

    /// Performs the actions that are due: gives up waiting for the agent's answer, ends a process that does not exit,
    /// sends heartbeats, and starts the agent again.
    pub fn handle_timeout(&mut self, now: Instant) {
        let told = self.stderr.settle(now);
        self.show(told);
        self.lives.handle_timeout(now);
        if self.lives.may_look_again()
            && let Some(shell) = &mut self.lives.life.shell
        {
            shell.handle_timeout(now);
            self.grant();
        }
        if !self.lives.serves() {
            return;
        }
        for id in self.lives.requests.take_overdue(now) {
            self.lives.tell(Output::Reply(id, AgentReply::Silent));
        }
        if self.lives.life.problems.settle(now) {
            self.lives.tell(Output::Changed);
        }
        let heartbeat = self.lives.life.heartbeat.as_mut();
        match heartbeat.map_or(Look::Wait, |heartbeat| heartbeat.look(now)) {
            Look::Wait => {}
            Look::Ask => {
                let id = self.lives.requests.number();
                self.send(&Message::ping(id));
                let ping = Pending::Ping { since: now };
                self.lives.requests.add(id, ping);
                self.lives.life.inflight.mark(now, id);
            }
            Look::Dead => self.lives.end(now, Loss::Silent),
        }
    }

    /// The time of the next call to [`Link::handle_timeout`], and the reason for it.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let lines = self.stderr.due().map(|at| (at, "lines to count"));
        if !self.lives.serves() {
            let shell = self.lives.life.shell.as_ref();
            let shell = shell.filter(|_| self.lives.may_look_again());
            let look = shell.and_then(Shell::poll_timeout);
            let look = look.map(|at| (at, "a shell's answer"));
            return (self.lives.poll_timeout().into_iter())
                .chain(look)
                .chain(lines)
                .min();
        }
        let life = &self.lives.life;
        let heartbeat = life.heartbeat.as_ref();
        let heartbeat = heartbeat.map(|heartbeat| (heartbeat.due(), "a heartbeat"));
        let reply = self.lives.requests.due().map(|at| (at, "a reply"));
        let settled = life.problems.due().map(|at| (at, "problems to settle"));
        (heartbeat.into_iter().chain(reply).chain(settled))
            .chain(lines)
            .min()
    }

    /// Whether [`Link::poll_output`] would return an output.
    pub fn has_output(&self) -> bool {
        self.lives.has_output()
    }

    /// The next output. After every call of another method, call this until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.lives.poll_output()
    }
}

/// The text at the front of a buffer, as one line for a message; empty if it is not text.
fn text_in(buffer: &[u8]) -> String {
    let start = buffer.get(..TEXT_MAX).unwrap_or(buffer);
    let is_text = |byte: &u8| !byte.is_ascii_control() || b"\t\r\n\x1b".contains(byte);
    if start.iter().all(is_text) {
        said(&String::from_utf8_lossy(start))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests;
