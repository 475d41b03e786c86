//! The world: the only room that awaits. It performs what the machines decide, and decides nothing itself.
//!
//! | room | what it has | knows |
//! |---|---|---|
//! | `control` | the socket on which other programs see a network and ask things of it | `manager`, `system` |
//! | `demo` | a network that needs nothing but this program | `system` |
//! | `manager` | starts and ends agents, and carries frames between them | `agent`, `harness`, `system` |
//! | `agent` | listens, dials, and carries bytes between sockets and flows | `harness`, `system` |
//! | `harness` | what both drivers do with their machine | `system` |
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
