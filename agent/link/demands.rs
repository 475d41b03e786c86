//! What a host demands of its agent, and whether an agent meets it.

use super::loss::Loss;
use crate::wire::{
    Desync,
    control::{Greeting, feature},
};

/// What a host demands of its agent, because the manifest could not be kept without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Features without which the host is refused.
    pub required: Vec<&'static str>,
    /// Features whose lack is only reported.
    pub wanted: Vec<&'static str>,
}

impl Demands {
    /// Judges an agent by its answer to the message with the sum `sum`; fails with the reason why it cannot stay.
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

    /// The features whose lack is only reported.
    pub(super) fn missed(&self, greeting: &Greeting) -> Vec<String> {
        let missed = (self.wanted.iter()).filter(|feature| !greeting.has(feature));
        missed.map(ToString::to_string).collect()
    }
}
