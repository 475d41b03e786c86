//! A change of the manifest as a whole. It is applied, or it is held until a person has agreed to what it grants.

use std::collections::BTreeSet;

use crate::{
    plan::Plan,
    view::{Grant, HeldChange},
};

/// Which part of a changed manifest waits until a person has agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing waits for a person: the whole change is applied.
    Nothing,
    /// New and changed commands wait for a person, each separately; everything else is applied.
    Commands,
    /// The whole change waits for a person if it grants anything that the running network does not grant.
    NewGrants,
}

/// The result of a changed manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadOutcome {
    /// The changes in words; empty if the change is held as a whole.
    pub changes: Vec<String>,
    /// The new grants of the network. If the change is held, these are the grants that it would add.
    pub grants: BTreeSet<Grant>,
    /// The number of the change, if it is held as a whole. The network is then unchanged. `None` if the change was
    /// applied.
    pub held: Option<u64>,
}

/// A change of the manifest that is held. It is stored as the plan to which it leads.
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

/// The maximum number of grants of one change that are listed as sentences. The list is part of every snapshot, so
/// further grants are only counted.
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
