//! The only room that waits for the outside world. It performs what the state machines decide, and does not decide
//! anything itself.
//!
//! | room | what it has | knows |
//! |---|---|---|
//! | `control` | the socket through which other programs watch and control a network | `manager`, `system` |
//! | `demo` | a network that needs nothing but this program | `system` |
//! | `manager` | starts and ends agents, and carries frames between them | `agent`, `harness`, `system` |
//! | `agent` | listens, dials, and carries bytes between sockets and flows | `harness`, `system` |
//! | `harness` | the common part of both drivers | `system` |
//! | `system` | clock, files, sockets, processes and signals of this machine | |

pub mod agent;
pub mod control;
pub mod demo;
mod harness;
pub mod manager;
pub mod system;
#[cfg(test)]
mod types;

pub use self::manager::{Handle, Manager};
