//! The features that a host demands of its agent, and whether an agent has them.

use super::loss::Loss;
use crate::wire::{
    Desync,
    control::{Greeting, feature},
};

/// The features that a host demands of its agent, because the manifest depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// An agent without these features is refused.
    pub required: Vec<&'static str>,
    /// An agent without these features is accepted, and their lack is reported.
    pub wanted: Vec<&'static str>,
}

impl Demands {
    /// Judges an agent by its greeting. `sum` is the checksum of the configuration that the greeting answers. Fails
    /// with the reason if the agent must be ended.
    pub(super) fn judge(&self, greeting: &Greeting, sum: u16) -> Result<(), Loss> {
        if greeting.has(feature::SUMS) && greeting.sum != sum {
            return Err(Loss::OutOfStep {
                desync: Desync::Sum,
                found: String::new(),
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

    /// The wanted features that the agent lacks.
    pub(super) fn missed(&self, greeting: &Greeting) -> Vec<String> {
        let missed = (self.wanted.iter()).filter(|feature| !greeting.has(feature));
        missed.map(ToString::to_string).collect()
    }
}
