//! Chooses the instance of a host that has several, such as the pods of a deployment: a ready one at each start, and
//! another ready one when the chosen one goes away.
//!
//! The command that lists pods keeps running and reports changes, as long as the host is wanted. This costs one
//! connection, and no requests while nothing changes. Containers are instead listed again each second, but only while
//! the host has no agent: a container that goes away takes the agent with it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use crate::{
    link::{self, CannotStart, Ending},
    plan::{Chosen, Instance, InstanceState, Start},
    time::Instant,
};

/// A command that keeps running first lists all instances, without marking the last one. The list counts as complete
/// when no further line has come for this time.
const SETTLE: Duration = Duration::from_millis(100);

/// The pause before instances are listed again.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before instances are listed again, if that fails while the host has an agent.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The time for which a host waits for a ready instance before people are told.
const PATIENCE: Duration = Duration::from_secs(2);

/// The maximum number of instances that are known. Further instances are ignored.
const INSTANCES_MAX: usize = 1_000;

/// The maximum number of bytes of a selector that are kept.
const SELECTOR_MAX: usize = 4 << 10;

/// The maximum number of instances that are not ready and that people are told about by name.
const NAMED_MAX: usize = 3;

/// The present need of the host's agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing, because the host does not run.
    Nothing,
    /// An instance in which the agent can be started.
    Start,
    /// A start before the end of the pause, if the instances give a reason for it.
    Retry,
    /// The news that the agent's instance goes away.
    News,
    /// Nothing for the moment, because the agent is being started or ended.
    Rest,
}

/// A task for the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Run this command under this number, and report its lines and its end.
    Look(u64, Vec<String>),
    /// End the command with this number.
    EndLook(u64),
    /// Start the agent in an instance.
    Enter(Start),
    /// Start the agent without a further pause.
    Retry,
    /// End the agent and start it again, for this reason.
    Move(String),
    /// The instances cannot be listed, for this reason.
    Fail(Result<Ending, CannotStart>),
    /// Tell people that the host waits.
    Tell,
}

/// The present work to find instances.
#[derive(Debug)]
enum Look {
    Nothing,
    /// The command with this number prints the labels of the instances.
    Selector(u64, String),
    /// The command with this number prints the instances. The list with which its output begins counts as complete at
    /// this time.
    List(u64, Option<Instant>),
    /// The instances are listed again at this time.
    Pause(Instant),
}

/// An instance, and the number of the command that has listed it last.
#[derive(Debug)]
struct Known {
    instance: Instance,
    look: u64,
}

/// The choice for one host.
pub(super) struct Choice {
    chosen: Chosen,
    need: Need,
    look: Look,
    /// The number of the last command.
    last: u64,
    /// The commands that have not ended.
    open: BTreeSet<u64>,
    known: BTreeMap<String, Known>,
    /// Whether all instances are known.
    is_complete: bool,
    /// Whether all instances were known at an earlier time. An instance that was not among them is new.
    was_complete: bool,
    /// Whether an instance has become ready since the agent was lost.
    is_fresh: bool,
    /// The instance that was entered last.
    entered: Option<Instance>,
    /// The next pause before instances are listed again.
    pause: Duration,
    /// When people are told that the host waits; `None` if it does not wait, or they were told.
    tell_at: Option<Instant>,
    wishes: VecDeque<Wish>,
}

impl Choice {
    pub(super) fn new(chosen: Chosen) -> Self {
        Self {
            chosen,
            need: Need::Nothing,
            look: Look::Nothing,
            last: 0,
            open: BTreeSet::new(),
            known: BTreeMap::new(),
            is_complete: false,
            was_complete: false,
            is_fresh: false,
            entered: None,
            pause: PAUSE,
            tell_at: None,
            wishes: VecDeque::new(),
        }
    }

    /// The name of the instance that was entered last.
    pub(super) fn entered(&self) -> Option<&str> {
        self.entered.as_ref().map(|instance| instance.name.as_str())
    }

    /// Whether every command has ended.
    pub(super) fn is_at_rest(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// Requests an instance in which the agent can be started. These commands choose the instance. It comes as
    /// [`Wish::Enter`].
    pub(super) fn want(&mut self, now: Instant, chosen: &Chosen) {
        if self.chosen != *chosen {
            self.end();
            self.entered = None;
            self.chosen = chosen.clone();
        }
        self.need = Need::Start;
        self.tell_at = Some(now + PATIENCE);
        if matches!(self.look, Look::Nothing | Look::Pause(_)) {
            self.begin();
        }
        self.decide();
    }

    /// Cancels the request of [`Choice::want`]. Returns false if the request was fulfilled already.
    pub(super) fn cancel(&mut self) -> bool {
        let waits = self.need == Need::Start;
        if waits {
            self.rest();
        }
        waits
    }

    fn rest(&mut self) {
        self.need = Need::Rest;
        self.tell_at = None;
    }

    /// Takes the state of the host's agent.
    pub(super) fn handle_state(&mut self, now: Instant, state: &link::State) {
        let need = match state {
            link::State::Idle | link::State::Refused { .. } | link::State::Stopped => Need::Nothing,
            link::State::Spawning | link::State::Ending { .. } => Need::Rest,
            link::State::Configuring { .. } | link::State::Ready => Need::News,
            link::State::Waiting { .. } => Need::Retry,
        };
        // Only an instance, the failure to find one, or `cancel` ends the wait for one.
        if self.need == need || self.need == Need::Start {
            return;
        }
        self.need = need;
        match need {
            Need::Nothing => self.end(),
            Need::Retry => {
                self.is_fresh = false;
                if !self.chosen.kind.is_followed() {
                    self.look = Look::Pause(now);
                }
            }
            Need::Start | Need::News | Need::Rest => {}
        }
        self.decide();
    }

    /// Ends the command that runs, and forgets the instances.
    pub(super) fn end(&mut self) {
        let look = std::mem::replace(&mut self.look, Look::Nothing);
        if let Look::Selector(number, _) | Look::List(number, _) = look {
            self.wishes.push_back(Wish::EndLook(number));
        }
        self.known.clear();
        (self.is_complete, self.was_complete) = (false, false);
        self.pause = PAUSE;
    }

    fn begin(&mut self) {
        self.is_complete = false;
        let words = self.chosen.selector.clone();
        self.look = match words {
            Some(words) => Look::Selector(self.run(words), String::new()),
            None => Look::List(self.run(self.chosen.list.clone()), None),
        };
    }

    /// Queues the wish to run a command, and returns the number of the command.
    fn run(&mut self, words: Vec<String>) -> u64 {
        self.last += 1;
        self.open.insert(self.last);
        self.wishes.push_back(Wish::Look(self.last, words));
        self.last
    }

    /// Takes a line of the command with this number.
    pub(super) fn handle_line(&mut self, now: Instant, look: u64, line: &str) {
        match &mut self.look {
            Look::Selector(number, text) if *number == look => {
                let room = SELECTOR_MAX.saturating_sub(text.len());
                text.push_str(line.get(..room).unwrap_or(line));
            }
            Look::List(number, settle_at) if *number == look => {
                let Some(instance) = self.chosen.kind.read(line) else {
                    return;
                };
                if self.chosen.kind.is_followed() && !self.is_complete {
                    *settle_at = Some(now + SETTLE);
                }
                self.learn(look, instance);
                self.decide();
            }
            Look::Nothing | Look::Selector(..) | Look::List(..) | Look::Pause(_) => {}
        }
    }

    fn learn(&mut self, look: u64, instance: Instance) {
        let before = self.known.remove(&instance.id);
        if instance.state == InstanceState::Gone || self.known.len() >= INSTANCES_MAX {
            return;
        }
        let was_ready = before.is_some_and(|it| it.instance.state == InstanceState::Ready);
        if instance.state == InstanceState::Ready && !was_ready {
            self.is_fresh |= self.was_complete;
        }
        let id = instance.id.clone();
        self.known.insert(id, Known { instance, look });
    }

    /// Notes that this command has listed all instances. Instances that it did not list are forgotten.
    fn complete(&mut self, look: u64) {
        self.known.retain(|_, known| known.look == look);
        (self.is_complete, self.was_complete) = (true, true);
        self.decide();
    }

    /// Handles the end of the command with this number.
    pub(super) fn handle_end(
        &mut self,
        now: Instant,
        look: u64,
        outcome: Result<Ending, CannotStart>,
    ) {
        self.open.remove(&look);
        let is_well = outcome == Ok(Ending::Status(0));
        match std::mem::replace(&mut self.look, Look::Nothing) {
            Look::Selector(number, text) if number == look && is_well => {
                match self.chosen.list(&text) {
                    Ok(words) => self.look = Look::List(self.run(words), None),
                    Err(why) => self.fail(now, Err(CannotStart::Other(why))),
                }
            }
            Look::List(number, _) if number == look && is_well => {
                self.pause = PAUSE;
                if self.chosen.kind.is_followed() {
                    self.look = Look::Pause(now + PAUSE);
                    return;
                }
                self.complete(look);
                if matches!(self.need, Need::Start | Need::Retry) {
                    self.look = Look::Pause(now + PAUSE);
                }
            }
            Look::Selector(number, _) | Look::List(number, _) if number == look => {
                self.fail(now, outcome);
            }
            look @ (Look::Nothing | Look::Selector(..) | Look::List(..) | Look::Pause(_)) => {
                self.look = look;
            }
        }
    }

    /// Handles a failure to list the instances. An agent that runs does not need the list. For a lost agent, the
    /// instances are listed again when it is started.
    fn fail(&mut self, now: Instant, why: Result<Ending, CannotStart>) {
        match self.need {
            Need::Start => {
                self.rest();
                self.wishes.push_back(Wish::Fail(why));
            }
            Need::News | Need::Rest if self.chosen.kind.is_followed() => {
                self.look = Look::Pause(now + self.pause);
                self.pause = (self.pause * 2).min(PAUSE_MAX);
            }
            Need::Retry | Need::Nothing | Need::News | Need::Rest => {}
        }
    }

    /// Performs the action that is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        match self.look {
            Look::List(number, Some(at)) if at <= now => {
                self.look = Look::List(number, None);
                self.complete(number);
            }
            Look::Pause(until) if until <= now => self.begin(),
            Look::Nothing | Look::Selector(..) | Look::List(..) | Look::Pause(_) => {}
        }
        if self.tell_at.take_if(|at| *at <= now).is_some() {
            self.wishes.push_back(Wish::Tell);
        }
    }

    /// When to call [`Choice::handle_timeout`], and the reason for it.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let look = match self.look {
            Look::List(_, Some(at)) => Some((at, "a whole list of instances")),
            Look::Pause(until) => Some((until, "a new list of instances")),
            Look::Nothing | Look::Selector(..) | Look::List(_, None) => None,
        };
        let tell = self.tell_at.map(|at| (at, "a ready instance"));
        look.into_iter().chain(tell).min()
    }

    /// The text for people about a host that waits for an instance; `None` if it does not wait, or has not waited for
    /// long.
    pub(super) fn waits(&self) -> Option<String> {
        if self.need != Need::Start || self.tell_at.is_some() {
            return None;
        }
        let (kind, of) = (self.chosen.kind.word(), &self.chosen.of);
        let instances = self.known.values().map(|known| &known.instance);
        let named: Vec<&str> = instances
            .take(NAMED_MAX)
            .map(|instance| instance.name.as_str())
            .collect();
        Some(match (named.join(", "), self.known.len()) {
            (_, 0) => format!("it waits for a {kind} of {of}, and none is listed"),
            (named, 1..=NAMED_MAX) => {
                format!("it waits for a ready {kind} of {of}; not ready: {named}")
            }
            (named, count) => {
                let more = count - NAMED_MAX;
                format!("it waits for a ready {kind} of {of}; not ready: {named} and {more} more")
            }
        })
    }

    fn ready(&self) -> impl Iterator<Item = &Instance> {
        let instances = self.known.values().map(|known| &known.instance);
        instances.filter(|instance| instance.state == InstanceState::Ready)
    }

    /// The ready instance to enter: the one that was entered last, or else the newest.
    fn best(&self) -> Option<&Instance> {
        let entered = self.entered.as_ref();
        let is_entered = |it: &&Instance| entered.is_some_and(|entered| entered.id == it.id);
        let newest = || self.ready().max_by_key(|it| (&it.made, &it.name));
        self.ready().find(is_entered).or_else(newest)
    }

    /// The state of the instance that was entered last; `None` if it does not exist any more.
    fn state(&self) -> Option<InstanceState> {
        let known = self.known.get(&self.entered.as_ref()?.id)?;
        Some(known.instance.state)
    }

    fn decide(&mut self) {
        if !self.is_complete {
            return;
        }
        let Some(best) = self.best().cloned() else {
            return;
        };
        match self.need {
            Need::Start => {
                let words = self.chosen.enter(&best.name);
                self.entered = Some(best);
                self.rest();
                self.wishes.push_back(Wish::Enter(Start::Shell(words)));
            }
            // If the instance is as ready as before, something else may be wrong, and the agent keeps its pause.
            Need::Retry if self.is_fresh || self.state() != Some(InstanceState::Ready) => {
                self.rest();
                self.wishes.push_back(Wish::Retry);
            }
            // The connections through a pod end with it, and its deployment sends it no new ones.
            Need::News if self.state() == Some(InstanceState::Going) => {
                let kind = self.chosen.kind.word();
                let old = self.entered().unwrap_or_default();
                let why = format!("its {kind} {old} is going away, and {} is ready", best.name);
                self.rest();
                self.wishes.push_back(Wish::Move(why));
            }
            Need::Nothing | Need::Retry | Need::News | Need::Rest => {}
        }
    }
}

#[cfg(test)]
mod tests;
