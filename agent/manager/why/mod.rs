//! Explains why a connection works or does not: its way according to the plan, the questions for the agents on that
//! way, and the words for the result. This module does not send the questions itself.

mod inquiry;
mod remedies;
mod words;

pub use inquiry::{Inquiry, Part};
pub use remedies::host as host_remedy;

#[cfg(test)]
mod tests;
