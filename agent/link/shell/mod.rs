//! The conversation with the shell of a host that has no agent yet: it finds one, or takes one through the pipe, and runs
//! it. From then on the pipe is the agent's.
//!
//! The shell is started with [`crate::wire::SHELL_LOOP`], and runs every line that it reads. The first line runs the agent that should be
//! there. If it is not, the shell says what the machine is and has, and is sent the agent in chunks. It says when it has
//! kept each of them, so that a cut costs no more than the last ones. Whatever the shell says begins with a nonce, which
//! tells it apart from everything else that a host may print. Nothing that it says makes the manager do more than send an
//! agent to it.

mod clean;
mod facts;
mod script;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};

use self::facts::{Facts, Reader};
pub use self::{clean::Cleaning, facts::Target};
use crate::time::Instant;

/// The size of a chunk, in bytes. One is lost if the connection is cut, and a slow link must get one through before the
/// manager gives up.
const CHUNK: usize = 64 << 10;

/// The size of a chunk in bytes, if the next one has to wait until the host has answered.
const CHUNK_ALONE: usize = 256 << 10;

/// The size of a chunk in bytes, if the shell itself prints it.
const CHUNK_PRINTED: usize = 8 << 10;

/// How many bytes may be on their way. A link of 1 Gbit/s with a round trip of 8 ms stays full.
const WINDOW: usize = 1 << 20;

/// How many bytes of a host's own output are kept for a message; later ones are dropped.
const NOISE_MAX: usize = 4 << 10;

/// How many bytes a host may print before it answers.
const SILENCE_MAX: usize = 1 << 20;

/// How many bytes a line of the shell may have.
const LINE_MAX: usize = 4 << 10;

/// An agent that can be sent to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The machines that it is for.
    pub target: Target,
    /// Its SHA-256, in hexadecimal. It is stored under this name.
    pub sum: String,
}

/// The bytes of an agent.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The agent.
    pub plain: Bytes,
    /// The agent, compressed by gzip.
    pub packed: Bytes,
}

/// A step of the conversation, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The shell has not answered yet.
    Connect,
    /// The agent is sent.
    Upload {
        /// How many bytes the host has kept.
        kept: usize,
        /// How many bytes there are.
        size: usize,
    },
    /// The host unpacks the agent, compares its sum, and tries it.
    Verify,
    /// The agent is started.
    Start,
}

/// A step that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The step, as it was at its end.
    pub step: Step,
    /// How long it took.
    pub took: Duration,
}

/// Why an agent could not be put on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The manager has no agent for this machine. It is `None` if the shell does not tell what machine it is on.
    NoAgent(Option<Target>),
    /// The agent for this machine cannot be read on the manager's machine.
    Unreadable(String),
    /// The machine has no folder in which this user can write and run a program.
    NoFolder,
    /// The machine could not store the agent in this folder.
    Full(String),
    /// The agent has arrived changed.
    Changed,
    /// The machine could not run the agent.
    NotRun(Target),
    /// The shell said something that no shell says here.
    Strange,
    /// The host printed this, and no end of it, before its shell answered.
    Noise(String),
    /// The host sends back what it is sent.
    Echo,
}

/// What the conversation wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Write these bytes to the shell.
    Send(Bytes),
    /// Give the bytes of the agent with this sum to [`Shell::handle_parcel`].
    Fetch(String),
    /// Tell people that a step is over.
    Tell(Done),
}

/// The state of the conversation after the host has said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It goes on.
    Open,
    /// The agent runs, and the rest of the bytes are its own.
    Runs,
    /// It failed.
    Failed(Unfit),
}

#[derive(Debug)]
enum State {
    /// The shell was sent the first line.
    Looking(Facts),
    /// The agent is being read on the manager's machine.
    Fetching(Facts, Offer),
    /// The agent is being sent.
    Sending(Sending),
    /// The host was told to run the agent.
    Verifying(Sending),
    Over,
}

#[derive(Debug)]
struct Sending {
    facts: Facts,
    offer: Offer,
    parcel: Arc<Parcel>,
    /// How many bytes the host has kept; `None` before it has said so.
    kept: Option<usize>,
    /// How many bytes were sent, with those that the host had before.
    sent: usize,
    /// The lengths of the chunks that were sent and are not kept yet.
    open: VecDeque<usize>,
}

/// The conversation with the shell of one host.
pub(super) struct Shell {
    /// What every line of the shell begins with.
    mark: String,
    key: String,
    offers: Arc<[Offer]>,
    state: State,
    wishes: VecDeque<Wish>,
    /// What the host printed before it answered.
    noise: Vec<u8>,
    /// How many bytes it printed.
    printed: usize,
    since: Instant,
}

impl Shell {
    /// Begins the conversation. `nonce` must be another one each time, and `key` the same for the same host.
    pub(super) fn new(now: Instant, nonce: &str, key: String, offers: Arc<[Offer]>) -> Self {
        let look = script::look(nonce, offers.iter().map(|offer| offer.sum.as_str()));
        Self {
            mark: format!("{}{nonce}", script::MARK),
            key,
            offers,
            state: State::Looking(Facts::default()),
            wishes: VecDeque::from([Wish::Send(Bytes::from(look))]),
            noise: Vec::new(),
            printed: 0,
            since: now,
        }
    }

    /// What is being done.
    pub(super) fn step(&self) -> Step {
        match &self.state {
            State::Looking(_) | State::Fetching(..) => Step::Connect,
            State::Sending(it) => Step::Upload {
                kept: it.kept.unwrap_or(0),
                size: it.bytes().len(),
            },
            State::Verifying(_) => Step::Verify,
            State::Over => Step::Start,
        }
    }

    /// How far the conversation has got. It never goes back, and has an end whatever the host says.
    pub(super) fn progress(&self) -> (u8, usize) {
        match &self.state {
            State::Looking(_) => (0, 0),
            State::Fetching(..) => (1, 0),
            State::Sending(it) => (2, it.kept.map_or(0, |kept| kept + 1)),
            State::Verifying(_) => (3, 0),
            State::Over => (4, 0),
        }
    }

    /// What the host printed before its shell answered, and what its commands printed since.
    pub(super) fn noise(&self) -> &[u8] {
        &self.noise
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Takes what the host has said from the front of `buffer`.
    pub(super) fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Outcome {
        while let Some(line) = self.line(buffer) {
            match self.handle_line(now, &line) {
                Outcome::Open => {}
                outcome @ (Outcome::Runs | Outcome::Failed(_)) => return outcome,
            }
        }
        if find(&self.noise, script::ECHO.as_bytes()).is_some() {
            return self.fail(Unfit::Echo);
        }
        if self.printed > SILENCE_MAX || buffer.len() > LINE_MAX {
            return self.fail(Unfit::Noise(
                String::from_utf8_lossy(&self.noise).into_owned(),
            ));
        }
        Outcome::Open
    }

    /// Takes the next line that begins with the mark, without the mark, and puts everything before it aside.
    fn line(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        let mark = self.mark.len();
        let Some(start) = find(buffer, self.mark.as_bytes()) else {
            // The end of the buffer may be the beginning of the mark.
            let rest = mark.saturating_sub(1).min(buffer.len());
            let noise = buffer.split_to(buffer.len() - rest);
            self.put_aside(&noise);
            return None;
        };
        let noise = buffer.split_to(start);
        self.put_aside(&noise);
        let line = buffer.get(..LINE_MAX).unwrap_or(buffer);
        let length = line.iter().position(|&byte| byte == b'\n')?;
        let mut line = buffer.split_to(length).freeze();
        buffer.advance(1);
        line.advance(mark);
        if line.first() == Some(&b' ') {
            line.advance(1);
        }
        Some(line)
    }

    fn put_aside(&mut self, noise: &[u8]) {
        self.printed = self.printed.saturating_add(noise.len());
        let room = NOISE_MAX.saturating_sub(self.noise.len());
        let noise = noise.get(..room).unwrap_or(noise);
        self.noise.extend_from_slice(noise);
    }

    fn handle_line(&mut self, now: Instant, line: &[u8]) -> Outcome {
        let (word, rest) = split(line);
        match (word, &mut self.state) {
            (b"run", _) => {
                self.done(now);
                self.state = State::Over;
                Outcome::Runs
            }
            (b"has" | b"system" | b"elf", State::Looking(facts)) => {
                facts.learn(line);
                Outcome::Open
            }
            (b"end", State::Looking(facts)) => {
                let facts = std::mem::take(facts);
                self.choose(now, facts)
            }
            // A second one would have everything sent again.
            (b"have", State::Sending(it)) if it.kept.is_none() => {
                let Some(kept) = number(rest).filter(|&kept| kept <= it.bytes().len()) else {
                    return self.fail(Unfit::Strange);
                };
                (it.kept, it.sent) = (Some(kept), kept);
                self.send_more(now);
                Outcome::Open
            }
            (b"kept", State::Sending(it)) => {
                let Some(length) = it.open.pop_front() else {
                    return self.fail(Unfit::Strange);
                };
                it.kept = it.kept.map(|kept| kept + length);
                self.send_more(now);
                Outcome::Open
            }
            (b"full", State::Sending(it) | State::Verifying(it)) => {
                let folder = it.facts.folder.clone();
                self.fail(Unfit::Full(folder))
            }
            (b"unfit", State::Verifying(it)) => {
                let target = it.offer.target.clone();
                self.fail(Unfit::NotRun(target))
            }
            (b"sum", State::Verifying(_)) => self.fail(Unfit::Changed),
            _ => self.fail(Unfit::Strange),
        }
    }

    /// Chooses the agent for the machine.
    fn choose(&mut self, now: Instant, facts: Facts) -> Outcome {
        self.done(now);
        let target = facts.target();
        let mut offers = self.offers.iter();
        let offer = offers.find(|offer| Some(&offer.target) == target.as_ref());
        let Some(offer) = offer.cloned() else {
            return self.fail(Unfit::NoAgent(target));
        };
        if facts.folder.is_empty() {
            return self.fail(Unfit::NoFolder);
        }
        self.wishes.push_back(Wish::Fetch(offer.sum.clone()));
        self.state = State::Fetching(facts, offer);
        Outcome::Open
    }

    /// Takes the bytes of the agent with this sum. They are ignored if they were asked for by an earlier conversation.
    pub(super) fn handle_parcel(
        &mut self,
        sum: &str,
        parcel: Result<Arc<Parcel>, String>,
    ) -> Outcome {
        if !matches!(&self.state, State::Fetching(_, offer) if offer.sum == sum) {
            return Outcome::Open;
        }
        let parcel = match parcel {
            Ok(parcel) => parcel,
            Err(why) => return self.fail(Unfit::Unreadable(why)),
        };
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fetching(facts, offer) => {
                let sending = Sending {
                    facts,
                    offer,
                    parcel,
                    kept: None,
                    sent: 0,
                    open: VecDeque::new(),
                };
                let (sum, size) = (&sending.offer.sum, sending.bytes().len());
                self.send(script::take(sum, &self.key, size, sending.facts.unpacks));
                self.state = State::Sending(sending);
            }
            state @ (State::Looking(_) | State::Sending(_) | State::Verifying(_) | State::Over) => {
                self.state = state;
            }
        }
        Outcome::Open
    }

    /// Sends as many chunks as may be on their way, and after the last one the line that runs the agent.
    fn send_more(&mut self, now: Instant) {
        let State::Sending(it) = &mut self.state else {
            return;
        };
        let bytes = it.bytes().clone();
        let (length, window) = match it.facts.reader {
            Some(Reader::Exact) => (CHUNK, WINDOW),
            Some(Reader::Greedy) => (CHUNK_ALONE, 1),
            Some(Reader::Printed) | None => (CHUNK_PRINTED, WINDOW / 4),
        };
        let is_printed = !matches!(it.facts.reader, Some(Reader::Exact | Reader::Greedy));
        while it.sent < bytes.len() && it.open.iter().sum::<usize>() < window {
            let chunk = bytes.slice(it.sent..bytes.len().min(it.sent + length));
            it.sent += chunk.len();
            it.open.push_back(chunk.len());
            if is_printed {
                let line = script::print(&chunk);
                self.wishes.push_back(Wish::Send(Bytes::from(line)));
            } else {
                let line = script::next(chunk.len());
                self.wishes.push_back(Wish::Send(Bytes::from(line)));
                self.wishes.push_back(Wish::Send(chunk));
            }
        }
        if it.sent < bytes.len() || !it.open.is_empty() {
            return;
        }
        self.done(now);
        if let State::Sending(it) = std::mem::replace(&mut self.state, State::Over) {
            self.send(script::run(&it.offer.sum, it.facts.unpacks));
            self.state = State::Verifying(it);
        }
    }

    fn send(&mut self, line: String) {
        self.wishes.push_back(Wish::Send(Bytes::from(line)));
    }

    /// Tells that the present step is over.
    fn done(&mut self, now: Instant) {
        let step = self.step();
        let took = now - self.since;
        self.since = now;
        self.wishes.push_back(Wish::Tell(Done { step, took }));
    }

    fn fail(&mut self, why: Unfit) -> Outcome {
        self.state = State::Over;
        Outcome::Failed(why)
    }
}

impl Sending {
    /// The bytes that travel.
    fn bytes(&self) -> &Bytes {
        if self.facts.unpacks {
            &self.parcel.packed
        } else {
            &self.parcel.plain
        }
    }
}

/// The first word of a line, and the rest.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b' ') {
        Some(at) => (
            line.get(..at).unwrap_or(line),
            line.get(at + 1..).unwrap_or_default(),
        ),
        None => (line, &[]),
    }
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Where `mark` begins in `bytes`.
fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
