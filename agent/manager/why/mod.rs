//! Why a connection works or does not: which way it takes by the plan, what the agents on that way have to be asked,
//! and the words for what was found. This module asks nobody itself.

mod inquiry;
mod remedies;
mod words;

pub use inquiry::{Inquiry, Part};

#[cfg(test)]
mod tests;
