//! A change of the manifest as a whole: applied, or held until a person has agreed to what it grants.

use std::collections::BTreeSet;

use super::{Commands, Core, Output};
use crate::{
    plan::{self, Change, Plan},
    time::Instant,
    view::{Event, Grant, HeldChange},
};

/// The part of a changed manifest that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing waits.
    Nothing,
    /// New and changed commands wait, each for itself; everything else is applied.
    Commands,
    /// The whole change waits, if it grants anything that the running network does not.
    NewGrants,
}

/// The result of a changed manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadOutcome {
    /// What happens to hosts.
    pub changes: Vec<Change>,
    /// What the network grants now and did not before; if the change is held, what it would grant.
    pub grants: BTreeSet<Grant>,
    /// The number under which the whole change is held, if it is. The network is as before then.
    pub held: Option<u64>,
}

/// A change of the manifest that is held, as the plan that it leads to.
pub(super) struct HeldPlan {
    plan: Plan,
    grants: BTreeSet<Grant>,
    number: u64,
}

impl HeldPlan {
    pub(super) fn view(&self) -> HeldChange {
        HeldChange {
            number: self.number,
            grants: sentences(&self.grants),
        }
    }
}

/// How many sentences of one change are listed. Further ones are counted, since the list is a part of every snapshot.
const SENTENCES_MAX: usize = 1_000;

/// Grants in sentences.
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
    /// Applies or holds the change of the manifest to this plan. A change that was held before is dropped, unless it is
    /// the same.
    pub fn take_up(&mut self, now: Instant, plan: &Plan, hold: Hold) -> ReloadOutcome {
        if self.stopping {
            return ReloadOutcome::default();
        }
        let commands = match hold {
            Hold::Commands => Commands::Hold,
            Hold::Nothing | Hold::NewGrants => Commands::Start,
        };
        let grants = self.new_grants(plan, commands);
        if hold == Hold::NewGrants && !grants.is_empty() {
            let number = self.hold(plan, &grants);
            return ReloadOutcome {
                changes: Vec::new(),
                grants,
                held: Some(number),
            };
        }
        ReloadOutcome {
            changes: self.reload(now, plan, commands),
            grants,
            held: None,
        }
    }

    /// What a plan grants that the network does not. A command that is held does not count: the person who approves it
    /// grants it.
    pub(super) fn new_grants(&self, plan: &Plan, commands: Commands) -> BTreeSet<Grant> {
        let mut grants = plan::new_grants(&self.plan, plan);
        if commands == Commands::Hold {
            grants.retain(|grant| !matches!(grant, Grant::Command { .. }));
        }
        grants
    }

    fn hold(&mut self, plan: &Plan, grants: &BTreeSet<Grant>) -> u64 {
        if let Some(same) = self.held.as_ref().filter(|held| held.plan == *plan) {
            return same.number;
        }
        self.last_held_number += 1;
        self.held = Some(HeldPlan {
            plan: plan.clone(),
            grants: grants.clone(),
            number: self.last_held_number,
        });
        self.outputs.push_back(Output::Event(Event::Held {
            grants: sentences(grants),
        }));
        self.outputs.push_back(Output::Changed);
        self.last_held_number
    }

    /// Applies the change that is held under this number, because a person has agreed to it. False if another change is
    /// held, so that nobody can put another one between what was seen and what was said.
    pub fn approve_change(&mut self, now: Instant, number: u64) -> bool {
        let held = self.held.take_if(|held| held.number == number);
        let Some(held) = held.filter(|_| !self.stopping) else {
            return false;
        };
        self.reload(now, &held.plan, Commands::Start);
        true
    }
}
