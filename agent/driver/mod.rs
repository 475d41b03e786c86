//! The only room that waits for the outside world. It performs what the state machines decide, and does not decide
//! anything itself.
//!
//! | room | what it does | uses |
//! |---|---|---|
//! | `control` | serves the socket through which other programs watch and control a network | `manager`, `system` |
//! | `import` | looks for what could become a host on this machine | `control`, `system` |
//! | `demo` | makes a network that needs nothing but this program | `system` |
//! | `command` | reads and runs the command `norouter agent` | `agent`, `system` |
//! | `manager` | starts and ends agents, and carries frames between them | `agent`, `harness`, `system` |
//! | `agent` | listens, dials, and carries bytes between sockets and flows | `harness`, `system` |
//! | `harness` | has the common part of both drivers | `system` |
//! | `system` | provides the clock, files, sockets, processes and signals of this machine | |

pub mod agent;
pub mod command;
pub mod control;
pub mod demo;
mod harness;
pub mod import;
pub mod manager;
pub mod system;
#[cfg(test)]
mod types;

pub use self::manager::{Handle, Manager};
