//! A change of the manifest as a whole: it is applied, or held until a person has agreed to what it grants.

use std::collections::BTreeSet;

use crate::{
    plan::{Change, Plan},
    view::{Grant, HeldChange},
};

/// The part of a changed manifest that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing waits.
    Nothing,
    /// New and changed commands wait, each separately; everything else is applied.
    Commands,
    /// The whole change waits, if it grants anything that the running network does not.
    NewGrants,
}

/// The result of a changed manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadOutcome {
    /// What happens to hosts.
    pub changes: Vec<Change>,
    /// What the network grants now and did not grant before. If the change is held, what it would grant.
    pub grants: BTreeSet<Grant>,
    /// The number under which the whole change is held, and the network is unchanged; `None` if the change was applied.
    pub held: Option<u64>,
}

/// A change of the manifest that is held, as the plan that it leads to.
pub(super) struct HeldPlan {
    pub(super) plan: Plan,
    pub(super) grants: BTreeSet<Grant>,
    pub(super) number: u64,
}

impl HeldPlan {
    pub(super) fn view(&self) -> HeldChange {
        HeldChange {
            number: self.number,
            grants: sentences(&self.grants),
        }
    }
}

/// How many sentences of one change are listed. Further ones are only counted, because the list is part of every
/// snapshot.
const SENTENCES_MAX: usize = 1_000;

/// The grants as sentences.
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
