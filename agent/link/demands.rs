//! The features that a host's agent must have, and the check whether it has them.

use super::loss::Loss;
use crate::wire::{
    Desync,
    control::{Greeting, feature},
};

/// The features that the manifest needs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Features without which the agent is refused.
    pub required: Vec<&'static str>,
    /// Features that are not needed, but reported if they are missing.
    pub wanted: Vec<&'static str>,
}

impl Demands {
    /// Checks an agent by its answer to the configuration with the sum `sum`. Fails with the reason why it is refused.
    pub(super) fn judge(&self, greeting: &Greeting, sum: u16) -> Result<(), Loss> {
        if greeting.has(feature::SUMS) && greeting.sum != sum {
            return Err(Loss::OutOfStep {
                desync: Desync::Sum,
                banner: String::new(),
            });
        }
        let missing = (self.required.iter()).find(|feature| !greeting.has(feature));
        match missing {
            Some(feature) => Err(Loss::Lacks {
                feature,
                version: greeting.version.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The features that are missing, but not needed.
    pub(super) fn missed(&self, greeting: &Greeting) -> Vec<String> {
        let missed = (self.wanted.iter()).filter(|feature| !greeting.has(feature));
        missed.map(ToString::to_string).collect()
    }
}
