//! The world: the only room that awaits. It performs what the machines decide, and decides nothing itself.
//!
//! A machine lives behind a lock that is held between two awaits and never across one; several small tasks feed it, and
//! each lets it settle, which means performing its outputs. All tasks of a machine share one thread, so nobody ever
//! waits for the lock.

pub mod agent;
pub mod askpass;
mod child;
mod clock;
pub mod control;
pub mod demo;
mod dial;
mod dns;
pub mod doubts;
pub mod environment;
pub mod etc_hosts;
pub mod files;
mod resources;
mod locked;
mod listening;
mod lookup;
pub mod manager;
pub mod namespace;
mod network_stream;
mod notes;
mod memory;
pub mod origin;
pub mod permits;
#[cfg_attr(not(target_os = "linux"), path = "owner/nowhere.rs")]
pub(crate) mod owner;
mod pool;
#[cfg(unix)]
mod private;
mod process;
mod proxy;
mod relay;
pub mod resolver;
pub mod shell;
pub mod signals;
pub mod state_dir;
mod stdio;
mod stream;
#[cfg_attr(not(unix), path = "succession/nowhere.rs")]
mod succession;
mod transport;
pub mod trusted;
#[cfg(test)]
mod types;
mod uplink;
mod vigil;
pub mod watch;

pub use self::manager::{Handle, Manager};

/// A word of the operating system, without the number that only its programmers know.
pub(crate) fn describe(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
