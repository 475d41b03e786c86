//! The conversation with the shell of a host that has no agent yet. The shell finds an agent on the host, or takes one
//! through the pipe, and runs it. From then on, the pipe belongs to the agent.
//!
//! The shell is started with [`crate::wire::SHELL_LOOP`], and runs every line that it reads. The first line runs the
//! agent if the host has it. If not, the shell reports the kind of machine and its tools, and is sent the agent in
//! chunks. The shell confirms each chunk. If the connection is cut, only the unconfirmed chunks have to be sent again.
//! Where the shell takes exactly the bytes that are meant for it, everything follows without a pause: the first chunks
//! follow the line that announces them, and the line that runs the agent follows the last chunk.
//! Each line of the shell begins with a nonce, which tells it apart from everything else that a host may print. No
//! answer of the shell can make the manager do more than send an agent to it.

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

/// The size of a chunk, in bytes. A larger chunk would lose more if the connection is cut, and a slow link might not
/// carry it before the manager gives up.
const CHUNK: usize = 64 << 10;

/// The size of a chunk in bytes, if the next one has to wait until the host has answered.
const CHUNK_ALONE: usize = 256 << 10;

/// The size of a chunk in bytes, if the shell itself prints it.
const CHUNK_PRINTED: usize = 8 << 10;

/// The maximum number of bytes that were sent and are not confirmed yet. With it, a link of 1 Gbit/s with a round trip
/// of 8 ms stays full.
const WINDOW: usize = 1 << 20;

/// Empty lines that are sent before the first line. If a start-up file asks a question, it reads an empty line as the
/// answer, instead of the first line.
const BLANK: &str = "\n\n\n\n";

/// After this time without an answer, the first line is sent again, because a program that was started before the shell
/// may have taken it.
const AGAIN: Duration = Duration::from_secs(4);

/// The maximum number of times that the first line is sent.
const LOOKS_MAX: u32 = 5;

/// The maximum number of bytes of a host's own output that are kept for a message. Later bytes are dropped.
const NOISE_MAX: usize = 4 << 10;

/// The maximum number of bytes that a host may print before the agent runs, including all answers of its shell.
const PRINTED_MAX: usize = 1 << 20;

/// The maximum length of a line of the shell, in bytes.
const LINE_MAX: usize = 4 << 10;

/// An agent that can be sent to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The machines on which the agent can run.
    pub target: Target,
    /// The agent's SHA-256, in hexadecimal. On the host, the agent is stored under this name.
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
    /// The agent is being sent.
    Upload {
        /// How many bytes the host has kept.
        kept: usize,
        /// The number of bytes that have to be sent.
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
    /// The duration of the step.
    pub took: Duration,
}

/// The reason why an agent could not be put on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The manager has no agent for this machine. `None` if the shell does not say what machine it is on.
    NoAgent(Option<Target>),
    /// The agent for this machine cannot be read on the manager's machine.
    Unreadable(String),
    /// The machine has no folder in which this user can write and run a program. The text says why for each folder that
    /// was tried.
    NoFolder(String),
    /// The machine has no program that could take the bytes of an agent.
    NoReader,
    /// The connection ended before the machine had the whole agent.
    Cut {
        /// The number of bytes that were kept.
        kept: usize,
        /// The size of the agent in the form in which it was sent.
        size: usize,
    },
    /// No shell has answered.
    Silent,
    /// The machine could not store the agent in this folder.
    Full(String),
    /// The agent was changed on its way to the machine.
    Changed,
    /// The machine could not run the agent, which ended with this status.
    NotRun(Target, Option<i32>),
    /// The shell has sent an answer that does not belong to this step.
    Strange,
    /// The host printed too much before its shell answered. The text is the beginning of that output.
    Noise(String),
    /// The host echoes its input.
    Echo,
}

/// A task for the link, or for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Write these bytes to the shell.
    Send(Bytes),
    /// Give the bytes of the agent with this sum to [`Shell::handle_parcel`].
    Fetch(String),
    /// Tell people that a step is over.
    Tell(Done),
    /// Tell people that something was started before the shell, or in its place.
    TellTaken,
}

/// The state of the conversation after the host has said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The conversation goes on.
    Open,
    /// The agent runs, and the rest of the bytes are its own.
    Runs,
    /// The conversation has failed.
    Failed(Unfit),
}

#[derive(Debug)]
enum State {
    /// The shell was sent the first line.
    Looking(Looking),
    /// The agent is being read on the manager's machine.
    Fetching(Facts, Offer),
    /// The agent is being sent.
    Sending(Sending),
    /// The host has the whole agent, and was told to run it.
    Verifying(Sending),
    Over,
}

#[derive(Debug)]
struct Looking {
    facts: Facts,
    /// The number of times that the first line was sent.
    sent: u32,
    /// When it is sent again.
    again_at: Option<Instant>,
    /// Whether the shell has said that something was started before it.
    was_taken: bool,
}

#[derive(Debug)]
struct Sending {
    facts: Facts,
    offer: Offer,
    parcel: Arc<Parcel>,
    /// The number of bytes that the host has kept; `None` before the host has reported it.
    kept: Option<usize>,
    /// The time at which the host first reported how many bytes it had kept, and that number.
    began: (Instant, usize),
    /// The number of bytes that were sent, including those that the host had before.
    sent: usize,
    /// The lengths of the chunks that were sent and are not kept yet.
    open: VecDeque<usize>,
    /// Whether the line that runs the agent was sent.
    is_told_to_run: bool,
}

/// The conversation with the shell of one host.
pub(super) struct Shell {
    nonce: String,
    /// The beginning of every line of the shell.
    mark: String,
    key: String,
    offers: Arc<[Offer]>,
    state: State,
    wishes: VecDeque<Wish>,
    /// The output of the host before it answered.
    noise: Vec<u8>,
    /// The last bytes that the host printed, which may be the beginning of an echo.
    tail: Vec<u8>,
    echoes: bool,
    /// The number of bytes that the host has printed.
    printed: usize,
    since: Instant,
}

impl Shell {
    /// Begins the conversation. `nonce` must be different each time, and `key` always the same for one host.
    pub(super) fn new(now: Instant, nonce: &str, key: String, offers: Arc<[Offer]>) -> Self {
        let mut shell = Self {
            nonce: nonce.to_owned(),
            mark: format!("{}{nonce}", script::MARK),
            key,
            offers,
            state: State::Looking(Looking {
                facts: Facts::default(),
                sent: 1,
                again_at: Some(now + AGAIN),
                was_taken: false,
            }),
            wishes: VecDeque::from([Wish::Send(Bytes::from_static(BLANK.as_bytes()))]),
            noise: Vec::new(),
            tail: Vec::new(),
            echoes: false,
            printed: 0,
            since: now,
        };
        shell.look(false);
        shell
    }

    fn look(&mut self, is_again: bool) {
        let sums = self.offers.iter().map(|offer| offer.sum.as_str());
        let line = script::look(&self.nonce, &self.key, sums, is_again);
        self.send(line);
    }

    /// Sends the first line again, if that is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let State::Looking(it) = &mut self.state
            && it.again_at.take_if(|at| *at <= now).is_some()
        {
            it.sent += 1;
            it.again_at = (it.sent < LOOKS_MAX).then(|| now + AGAIN);
            self.look(true);
        }
    }

    /// When [`Shell::handle_timeout`] has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Looking(it) => it.again_at,
            State::Fetching(..) | State::Sending(_) | State::Verifying(_) | State::Over => None,
        }
    }

    /// The present step.
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

    /// The bytes per second that the host has kept, on average; `None` if no agent is being sent, or nothing was kept
    /// yet.
    pub(super) fn per_second(&self, now: Instant) -> Option<u64> {
        let State::Sending(it) = &self.state else {
            return None;
        };
        let (since, before) = it.began;
        let kept = u128::try_from(it.kept?.checked_sub(before)?).ok()?;
        let micros = (now - since).as_micros().max(1);
        u64::try_from(kept * 1_000_000 / micros)
            .ok()
            .filter(|_| kept > 0)
    }

    /// A measure of the conversation's progress. It never decreases, and it has a maximum whatever the host prints.
    pub(super) fn progress(&self) -> (u8, usize) {
        match &self.state {
            State::Looking(_) => (0, 0),
            State::Fetching(..) => (1, 0),
            State::Sending(it) => (2, it.kept.map_or(0, |kept| kept + 1)),
            State::Verifying(_) => (3, 0),
            State::Over => (4, 0),
        }
    }

    /// The reason why there is no agent, if the command ends or says nothing more.
    pub(super) fn lack(&self) -> Option<Unfit> {
        match (&self.state, self.step()) {
            (State::Looking(_), _) => Some(Unfit::Silent),
            (_, Step::Upload { kept, size }) => Some(Unfit::Cut { kept, size }),
            _ => None,
        }
    }

    /// The output of the host before its shell answered, and the output of its commands since then.
    pub(super) fn noise(&self) -> &[u8] {
        &self.noise
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Takes the host's output from the front of `buffer`, and handles it.
    pub(super) fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Outcome {
        while self.printed <= PRINTED_MAX
            && let Some(line) = self.line(buffer)
        {
            match self.handle_line(now, &line) {
                Outcome::Open => {}
                outcome @ (Outcome::Runs | Outcome::Failed(_)) => return outcome,
            }
        }
        if self.echoes {
            return self.fail(Unfit::Echo);
        }
        if self.printed > PRINTED_MAX || buffer.len() > LINE_MAX {
            return self.fail(Unfit::Noise(
                String::from_utf8_lossy(&self.noise).into_owned(),
            ));
        }
        Outcome::Open
    }

    /// Takes the next line that begins with the mark, and returns it without the mark. The output before that line is
    /// put aside.
    fn line(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        let mark = self.mark.len();
        let Some(start) = find(buffer, self.mark.as_bytes()) else {
            // The end of the buffer may be the beginning of the mark.
            let begins = |rest: &usize| {
                let start = self.mark.as_bytes().get(..*rest);
                start.is_some_and(|start| buffer.ends_with(start))
            };
            let rest = (0..self.mark.len()).rev().find(begins).unwrap_or(0);
            let noise = buffer.split_to(buffer.len() - rest);
            self.put_aside(&noise);
            return None;
        };
        let noise = buffer.split_to(start);
        self.put_aside(&noise);
        let line = buffer.get(..LINE_MAX).unwrap_or(buffer);
        let length = line.iter().position(|&byte| byte == b'\n')?;
        let mut line = buffer.split_to(length).freeze();
        self.printed = self.printed.saturating_add(length);
        buffer.advance(1);
        line.advance(mark);
        if line.first() == Some(&b' ') {
            line.advance(1);
        }
        Some(line)
    }

    fn put_aside(&mut self, noise: &[u8]) {
        self.printed = self.printed.saturating_add(noise.len());
        self.look_for_echo(noise);
        let room = NOISE_MAX.saturating_sub(self.noise.len());
        let noise = noise.get(..room).unwrap_or(noise);
        self.noise.extend_from_slice(noise);
    }

    /// Looks for an echo in the host's output, which may arrive in pieces of any size.
    fn look_for_echo(&mut self, noise: &[u8]) {
        let echo = script::ECHO.as_bytes();
        self.tail.extend_from_slice(noise);
        self.echoes |= find(&self.tail, echo).is_some();
        let done = self.tail.len().saturating_sub(echo.len() - 1);
        self.tail.drain(..done);
    }

    fn handle_line(&mut self, now: Instant, line: &[u8]) -> Outcome {
        let (word, rest) = split(line);
        match (word, &mut self.state) {
            (b"run", _) => {
                self.done(now);
                self.state = State::Over;
                self.send(script::go(&self.nonce));
                Outcome::Runs
            }
            (b"again", State::Looking(it)) if !it.was_taken => {
                (it.was_taken, it.again_at) = (true, None);
                self.wishes.push_back(Wish::TellTaken);
                Outcome::Open
            }
            (b"bare", State::Looking(it)) if !it.was_taken => {
                (it.was_taken, it.again_at) = (true, None);
                self.wishes.push_back(Wish::TellTaken);
                self.look(false);
                Outcome::Open
            }
            (b"has" | b"tried" | b"lacks" | b"system" | b"elf", State::Looking(it)) => {
                it.again_at = None;
                it.facts.learn(line);
                Outcome::Open
            }
            (b"end", State::Looking(it)) => {
                let facts = std::mem::take(&mut it.facts);
                self.choose(now, facts)
            }
            // Only the first answer of this kind counts. A second one would make the manager send everything again.
            (b"have", State::Sending(it)) if it.kept.is_none() => {
                let most = if it.resumes() { it.bytes().len() } else { 0 };
                let Some(kept) = number(rest).filter(|&kept| kept <= most) else {
                    return self.fail(Unfit::Strange);
                };
                (it.kept, it.began) = (Some(kept), (now, kept));
                it.sent = it.sent.max(kept);
                self.send_more(now);
                Outcome::Open
            }
            (b"kept", State::Sending(it)) => {
                let (Some(kept), Some(length)) = (it.kept, it.open.pop_front()) else {
                    return self.fail(Unfit::Strange);
                };
                it.kept = Some(kept + length);
                self.send_more(now);
                Outcome::Open
            }
            (b"full", State::Sending(it) | State::Verifying(it)) => {
                let folder = it.facts.folder.clone();
                self.fail(Unfit::Full(folder))
            }
            (b"unfit", State::Verifying(it)) => {
                let target = it.offer.target.clone();
                let status = std::str::from_utf8(rest).ok();
                let status = status.and_then(|status| status.trim().parse().ok());
                self.fail(Unfit::NotRun(target, status))
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
            return self.fail(Unfit::NoFolder(facts.tried));
        }
        if facts.reader.is_none() {
            return self.fail(Unfit::NoReader);
        }
        self.wishes.push_back(Wish::Fetch(offer.sum.clone()));
        self.state = State::Fetching(facts, offer);
        Outcome::Open
    }

    /// Takes the bytes of the agent with this sum. Ignores them if an earlier conversation has asked for them.
    pub(super) fn handle_parcel(
        &mut self,
        now: Instant,
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
        // Reading and packing the agent is not a part of the upload.
        self.since = now;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Fetching(facts, offer) => {
                let sending = Sending {
                    facts,
                    offer,
                    parcel,
                    kept: None,
                    began: (self.since, 0),
                    sent: 0,
                    open: VecDeque::new(),
                    is_told_to_run: false,
                };
                let (sum, size) = (&sending.offer.sum, sending.bytes().len());
                let (unpacks, resumes) = (sending.facts.unpacks, sending.resumes());
                self.send(script::take(sum, &self.key, size, unpacks, resumes));
                self.state = State::Sending(sending);
                if !resumes {
                    self.send_more(now);
                }
            }
            state @ (State::Looking(_) | State::Sending(_) | State::Verifying(_) | State::Over) => {
                self.state = state;
            }
        }
        Outcome::Open
    }

    /// Sends chunks until the window is full. After the last chunk, sends the line that runs the agent. If a chunk
    /// cannot be kept, the shell ends without reading that line.
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
        let is_kept = it.kept == Some(bytes.len());
        let may_run = is_kept || it.facts.reader == Some(Reader::Exact);
        if it.sent == bytes.len() && may_run && !it.is_told_to_run {
            it.is_told_to_run = true;
            let line = script::run(&it.offer.sum, it.facts.unpacks);
            self.wishes.push_back(Wish::Send(Bytes::from(line)));
        }
        if is_kept {
            self.done(now);
            if let State::Sending(it) = std::mem::replace(&mut self.state, State::Over) {
                self.state = State::Verifying(it);
            }
        }
    }

    fn send(&mut self, line: String) {
        self.wishes.push_back(Wish::Send(Bytes::from(line)));
    }

    /// Reports that the present step is over.
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
    /// The bytes that are sent: the agent, packed or plain.
    fn bytes(&self) -> &Bytes {
        if self.facts.unpacks {
            &self.parcel.packed
        } else {
            &self.parcel.plain
        }
    }

    /// Whether the manager waits until the host has reported how much of the agent it has. If the host has nothing, and
    /// its shell takes exactly the bytes that are meant for it, the first chunks are sent at once.
    fn resumes(&self) -> bool {
        !(self.facts.lacks_parts && self.facts.reader == Some(Reader::Exact))
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

/// The offset of `mark` in `bytes`.
fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
