//! A change of the manifest as a whole: taken up, or held until a person has agreed to what it grants.

use std::collections::BTreeSet;

use super::{Commands, Core, Output};
use crate::{
    plan::{self, Change, Plan},
    time::Instant,
    view::{Event, Grant, HeldChange},
};

/// What of a changed manifest waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing.
    Nothing,
    /// New and changed commands, each for itself; everything else is taken up.
    Commands,
    /// All of it, if it grants anything that the network as it runs does not.
    News,
}

/// What came of a changed manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What becomes of hosts.
    pub changes: Vec<Change>,
    /// What the network grants now and did not before; if the change is held, what it would grant.
    pub grants: BTreeSet<Grant>,
    /// The number under which all of it waits for a person, if it does. The network is as it was then.
    pub held: Option<u64>,
}

/// A change that waits.
pub(super) struct Held {
    plan: Plan,
    grants: BTreeSet<Grant>,
    number: u64,
}

impl Held {
    pub(super) fn view(&self) -> HeldChange {
        HeldChange {
            number: self.number,
            grants: sentences(&self.grants),
        }
    }
}

/// How many sentences of one change are told. More are counted: they travel with every snapshot.
const SENTENCES_MAX: usize = 1_000;

/// Grants in words.
pub(super) fn sentences(grants: &BTreeSet<Grant>) -> Vec<String> {
    let told = grants.iter().take(SENTENCES_MAX);
    let mut told: Vec<_> = told.map(ToString::to_string).collect();
    if grants.len() > told.len() {
        let more = grants.len() - told.len();
        told.push(format!(
            "{more} more; \"norouter plan --grants\" lists what the whole manifest grants"
        ));
    }
    told
}

impl Core {
    /// The manifest has changed to this plan. What waited until now is no more, unless it is the same again.
    pub fn take_up(&mut self, now: Instant, plan: &Plan, hold: Hold) -> Outcome {
        if self.stopping {
            return Outcome::default();
        }
        let commands = match hold {
            Hold::Commands => Commands::Hold,
            Hold::Nothing | Hold::News => Commands::Start,
        };
        let grants = self.news(plan, commands);
        if hold == Hold::News && !grants.is_empty() {
            let number = self.hold(plan, &grants);
            return Outcome {
                changes: Vec::new(),
                grants,
                held: Some(number),
            };
        }
        Outcome {
            changes: self.reload(now, plan, commands),
            grants,
            held: None,
        }
    }

    /// What a plan grants that the network does not. A command that is held is granted by whoever approves it.
    pub(super) fn news(&self, plan: &Plan, commands: Commands) -> BTreeSet<Grant> {
        let mut news = plan::news(&self.plan, plan);
        if commands == Commands::Hold {
            news.retain(|grant| !matches!(grant, Grant::Command { .. }));
        }
        news
    }

    fn hold(&mut self, plan: &Plan, grants: &BTreeSet<Grant>) -> u64 {
        if let Some(same) = self.held.as_ref().filter(|held| held.plan == *plan) {
            return same.number;
        }
        self.numbers += 1;
        self.held = Some(Held {
            plan: plan.clone(),
            grants: grants.clone(),
            number: self.numbers,
        });
        self.outputs.push_back(Output::Event(Event::Held {
            grants: sentences(grants),
        }));
        self.outputs.push_back(Output::Changed);
        self.numbers
    }

    /// A person has agreed to the change that is held under this number: it is taken up. False if that is not the one that
    /// is held, so that nobody can put another change between what was seen and what was said.
    pub fn approve_change(&mut self, now: Instant, number: u64) -> bool {
        let held = self.held.take_if(|held| held.number == number);
        let Some(held) = held.filter(|_| !self.stopping) else {
            return false;
        };
        self.reload(now, &held.plan, Commands::Start);
        true
    }
}
