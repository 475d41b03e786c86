//! One agent as the manager sees it: from the start of its command to its end with a reason, and again after each
//! restart.
//!
//! The state machine decodes what the agent writes, judges it, watches its heartbeat, and tells the driver what to do
//! with the process. It does not touch the process itself, and does not route packets.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod appetite;
mod ask;
mod backoff;
mod counter;
mod demands;
mod heartbeat;
mod life;
mod lives;
mod loss;
mod messages;
mod problems;
mod requests;
mod signs;
mod state;
mod stderr;

use std::{net::Ipv4Addr, time::Duration};

use bytes::BytesMut;

use self::{
    appetite::{Appetite, Saying},
    heartbeat::{Heartbeat, Look},
    lives::Lives,
    loss::said,
    messages::Said,
    problems::CHANGES_MAX,
    requests::Pending,
    stderr::Stderr,
};
pub use self::{
    appetite::{Excess, Turn},
    ask::{Question, Reply},
    demands::Demands,
    loss::{CannotStart, Ending, Loss, Remedy},
    signs::{Sign, Signs},
    state::{Note, Output, State, Treatment},
};
use crate::{
    budget::Effort,
    time::Instant,
    wire::{
        Item, PacketFrame,
        control::{Configure, Greeting, Message, Outcome, ProblemReport, Raw, feature},
        frame, sum,
    },
};

/// How many events of unknown types an agent may send within a short time.
const UNKNOWN_MAX: u32 = 100;

/// The link to one host's agent.
pub struct Link {
    lives: Lives,
    configure: Configure,
    demands: Demands,
    stderr: Stderr,
    appetite: Appetite,
}

impl Link {
    /// Makes a link whose agents get the configuration `configure` and have to meet `demands`. `seed` determines the
    /// random part of the pauses before retries.
    pub fn new(configure: Configure, demands: Demands, seed: u64) -> Self {
        Self {
            lives: Lives::new(seed),
            configure,
            demands,
            stderr: Stderr::default(),
            appetite: Appetite::default(),
        }
    }

    /// The state of the agent.
    pub fn state(&self) -> &State {
        self.lives.state()
    }

    /// Whether the agent or its command has written anything since the command was started.
    pub fn has_spoken(&self) -> bool {
        self.lives.life.spoke
    }

    /// Whether the command runs and is not being ended, so that it may ask a person something.
    pub fn may_ask(&self) -> bool {
        self.lives.runs()
    }

    /// Notes whether the command waits for a person. That time is not limited; after the answer, the command has as
    /// much time as after its start.
    pub fn handle_asking(&mut self, now: Instant, asking: bool) {
        self.lives.handle_asking(now, asking);
    }

    /// Notes that the person who was asked will not answer.
    pub fn handle_unanswered(&mut self) {
        self.lives.life.person.unwilling = true;
    }

    /// The version and the features that the agent has announced. `None` until it has answered.
    pub fn greeting(&self) -> Option<&Greeting> {
        self.lives.life.greeting.as_ref()
    }

    /// The time that the agent's last answers took. `None` if it has not been measured.
    pub fn latency(&self) -> Option<Duration> {
        let heartbeat = self.lives.life.heartbeat.as_ref();
        heartbeat.and_then(Heartbeat::latency)
    }

    /// The problems on the agent's host, as the agent has reported them.
    pub fn problems(&self) -> &[ProblemReport] {
        self.lives.life.problems.shown()
    }

    /// The last lines of the agent's standard error.
    pub fn stderr_tail(&self) -> impl Iterator<Item = &str> {
        self.stderr.tail()
    }

    /// Whether there is no process, and none will be started unless somebody asks for it.
    pub fn is_at_rest(&self) -> bool {
        self.lives.is_at_rest()
    }

    /// Whether the agent is stopped on purpose, or is ending for that reason.
    pub fn is_stopped(&self) -> bool {
        self.lives.is_stopped()
    }

    /// Whether the agent has announced that it accepts frames with sums.
    pub fn takes_sums(&self) -> bool {
        self.lives.life.can(feature::SUMS)
    }

    /// Starts the agent at once, even if it was refused or waits. An agent that runs or is being started is left as it
    /// is.
    pub fn start(&mut self) {
        self.lives.start();
    }

    /// Ends the agent if it runs, and starts it again.
    pub fn restart(&mut self, now: Instant) {
        self.lives.restart(now);
    }

    /// If the agent waits for its next start, starts it now, because the cause of the wait may have gone.
    pub fn retry_now(&mut self) {
        self.lives.retry_now();
    }

    /// Stops the agent, gently at first.
    pub fn stop(&mut self, now: Instant) {
        self.lives.stop(now);
    }

    /// Called when the machine has woken from sleep: pauses end, and an agent that serves is asked whether it is still
    /// there.
    pub fn handle_wake(&mut self, now: Instant) {
        self.lives.handle_wake(now);
        if let Some(heartbeat) = &mut self.lives.life.heartbeat {
            heartbeat.doubt(now);
            self.handle_timeout(now);
        }
    }

    /// Gives the agent another configuration. An agent that serves applies it without a restart if it can. An agent
    /// that was refused is tried again. Returns whether the agent will be started again.
    pub fn reconfigure(&mut self, now: Instant, configure: Configure, demands: Demands) -> bool {
        self.lives.forget_refusals();
        if (&self.configure, &self.demands) == (&configure, &demands) {
            return false;
        }
        (self.configure, self.demands) = (configure, demands);
        if !self.lives.runs() {
            return self.lives.try_again();
        }
        self.lives.life.outdated = true;
        // An agent that has not answered yet gets the configuration after its answer.
        self.lives.serves() && self.update(now)
    }

    /// Sends the newest configuration to an agent that has an older one. Returns true if the agent has to be started
    /// again for it.
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
        let sum = self.send(&Message::configure(id, &self.configure));
        self.lives.requests.add(id, Pending::Configure { sum });
    }

    /// Tells the agent which other hosts are lost, if it serves and has announced that it understands this.
    pub fn tell_lost(&mut self, lost: &[Ipv4Addr]) {
        if !self.lives.serves() || !self.lives.life.can(feature::LOST) {
            return;
        }
        self.lives.life.lost.is = lost.to_vec();
        self.tell_next();
    }

    /// Sends the list of lost hosts if it has changed and the last one was answered. Otherwise lists would pile up for
    /// an agent that reads slowly.
    fn tell_next(&mut self) {
        let news = &mut self.lives.life.lost;
        if self.lives.requests.tells_lost() || news.told == news.is {
            return;
        }
        news.told.clone_from(&news.is);
        let id = self.lives.requests.number();
        self.send(&Message::lost(id, &self.lives.life.lost.told));
        self.lives.requests.add(id, Pending::Lost);
    }

    /// Asks the agent a question. The reply comes as [`Output::Reply`] with the number that is returned. If the
    /// question cannot be sent, fails with the reply.
    pub fn ask(&mut self, now: Instant, question: &Question) -> Result<u64, Reply> {
        if !self.lives.serves() {
            return Err(Reply::NotUp);
        }
        let needs = match question {
            Question::Alive => feature::HEARTBEAT,
            Question::Probe(_) => feature::PROBE,
        };
        if !self.lives.life.can(needs) {
            return Err(Reply::CannotBeAsked);
        }
        if self.lives.requests.is_full() {
            return Err(Reply::Busy);
        }
        let id = self.lives.requests.number();
        self.send(&match question {
            Question::Alive => Message::ping(id),
            Question::Probe(probe) => Message::probe(id, probe),
        });
        let pending = Pending::Ask {
            since: now,
            wants_data: *question != Question::Alive,
        };
        self.lives.requests.add(id, pending);
        Ok(id)
    }

    /// Sends a message. Returns its sum.
    fn send(&mut self, message: &Message) -> u16 {
        let json = message.to_json();
        let mut bytes = BytesMut::new();
        frame::put_control(&mut bytes, &json);
        if self.takes_sums() {
            sum::seal(&mut bytes);
        }
        self.lives.tell(Output::Send(bytes.freeze()));
        sum::of_control(&json)
    }

    /// Takes the result of [`Output::Spawn`].
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

    /// Begins the agent's next turn.
    pub fn begin_turn(&mut self) {
        self.appetite.begin_turn();
    }

    /// Counts work that the agent has caused.
    pub fn spend(&mut self, now: Instant, effort: Effort) {
        self.appetite.spend(now, effort);
    }

    /// Decides when the rest of the agent's bytes is handled: after the turns of other agents, and later if the agent
    /// has used up its budget.
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

    /// Handles the agent's bytes up to the next packet, and returns the packet. Returns `None` if no whole packet is
    /// left, or at the end of the agent's turn.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Option<PacketFrame> {
        if let Some(heartbeat) = &mut self.lives.life.heartbeat {
            heartbeat.hear(Sign::Part);
        }
        let is_news = !buffer.is_empty() && self.lives.handle_words(now);
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
                // An agent may not send packets before it serves. TCP sends the packet of a damaged frame again.
                Ok(Some(Item::Packet(_) | Item::Damaged)) => self.spend(now, Effort::Refused),
                Ok(Some(Item::Unknown(kind))) => {
                    self.spend(now, Effort::Refused);
                    self.handle_fault(now, &format!("a frame of the unknown type {kind}"));
                }
                Ok(Some(Item::Control(json))) => {
                    self.spend(now, Effort::Message(json.len()));
                    self.handle_control(now, &json);
                }
                Err(desync) => self.lives.handle_desync(now, desync),
            }
        }
        // After an agent's end its output is discarded, but still read, so that the agent can write it.
        buffer.clear();
        None
    }

    /// Counts a fault. An agent that goes on committing faults is ended.
    pub fn handle_fault(&mut self, now: Instant, what: &str) {
        let why = || Loss::Misbehaved(what.to_owned());
        self.lives.handle_fault(now, why);
    }

    /// Counts a packet with the source address of another host. An agent that goes on sending them is ended.
    pub fn handle_impostor(&mut self, now: Instant) {
        self.lives.handle_fault(now, || Loss::Impostor);
    }

    /// Takes a line of the agent's standard error.
    pub fn handle_stderr(&mut self, now: Instant, line: &[u8]) {
        for line in self.stderr.push(now, line) {
            self.lives.tell(Output::Note(Note::Stderr(line)));
        }
    }

    /// Called when the agent has closed its output.
    pub fn handle_closed(&mut self, now: Instant) {
        self.lives.end(now, Loss::Closed);
    }

    /// Called when the agent has not read anything for as long as an agent may be silent.
    pub fn handle_stalled(&mut self, now: Instant) {
        // An agent without a heartbeat is not ended: a slow network behind the pipe may be the cause.
        if self.lives.life.heartbeat.is_some() {
            self.lives.end(now, Loss::Stalled);
        }
    }

    /// Called when the agent's process has ended.
    pub fn handle_exit(&mut self, now: Instant, ending: Ending) {
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
            Said::Refused(refused) => self.lives.tell(Output::Refused(now, refused)),
            // A newer agent may send events that this manager does not know, but only at a low rate.
            Said::Unknown if life.unknown.count(now) <= UNKNOWN_MAX => {}
            Said::Unknown => self.handle_fault(now, "events that nobody knows"),
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
            Some(Pending::Ask { since, wants_data }) => {
                let reply = Reply::read(outcome, now - since, wants_data);
                self.lives.tell(Output::Reply(id, reply));
            }
            Some(Pending::Ping { since }) => {
                let heartbeat = self.lives.life.heartbeat.as_mut();
                if heartbeat.is_some_and(|heartbeat| heartbeat.measure(now - since)) {
                    self.lives.tell(Output::Changed);
                }
            }
            Some(Pending::Forgotten) => {}
            None => self.handle_fault(now, "a result that nobody asked for"),
        }
    }

    /// Takes the answer to a configuration. `sum` is the sum of the message with the configuration.
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

    /// Does what is due: asks whether the agent is there, ends an agent that does not answer, takes the next step
    /// against a process that does not end, or starts the agent again.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.lives.handle_timeout(now);
        if !self.lives.serves() {
            return;
        }
        for id in self.lives.requests.take_overdue(now) {
            self.lives.tell(Output::Reply(id, Reply::Silent));
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
            }
            Look::Dead => self.lives.end(now, Loss::Silent),
        }
    }

    /// When to call [`Link::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if !self.lives.serves() {
            return self.lives.poll_timeout();
        }
        let life = &self.lives.life;
        let heartbeat = life.heartbeat.as_ref();
        let heartbeat = heartbeat.map(|heartbeat| (heartbeat.due(), "a heartbeat"));
        let reply = self.lives.requests.due().map(|at| (at, "a reply"));
        let settled = life.problems.due().map(|at| (at, "problems to settle"));
        heartbeat.into_iter().chain(reply).chain(settled).min()
    }

    /// Whether [`Link::poll_output`] has an output.
    pub fn has_output(&self) -> bool {
        self.lives.has_output()
    }

    /// The next output for the driver or the manager. Call it until it returns `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.lives.poll_output()
    }
}

#[cfg(test)]
mod tests;
