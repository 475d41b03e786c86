//! The state machine of the manager: a plan, the links to its agents, and the switch between them.
//!
//! The state machine decides, and the driver performs its [`Output`]s. The state machine learns about agents only from
//! what they write.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod choice;
mod configure;
mod flows;
mod held;
mod host;
mod hosts;
mod lost;
mod network;
mod open_ports;
mod pace;
mod prompts;
mod refused;
mod reload;
mod talk;
mod trial;
mod why;

pub use self::{
    flows::FlowSurvey,
    held::{Hold, ReloadOutcome},
    network::{Core, Output},
    reload::Commands,
    trial::{Facts, Trial},
    why::{Inquiry, Part, host_remedy},
};
pub use crate::link::Turn;

#[cfg(test)]
mod tests;
