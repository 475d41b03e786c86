//! The parts of the operating system that drivers need: clock, files, sockets, processes and signals.

#[cfg(unix)]
pub mod background;
pub(super) mod clock;
pub(crate) mod digest;
pub mod environment;
mod error;
pub mod files;
pub(super) mod locked;
pub(super) mod memory;
pub(super) mod namespace;
pub(super) mod open_ports;
#[cfg_attr(not(target_os = "linux"), path = "owner/nowhere.rs")]
pub(super) mod owner;
pub(super) mod pool;
#[cfg(unix)]
pub(super) mod private;
pub(super) mod process;
pub mod programs;
pub mod resolver;
pub(super) mod resources;
pub mod shell;
pub mod signals;
pub(super) mod stamp;
pub mod stdio;
pub mod trusted;
pub mod tunnel;
pub(super) mod uplink;
pub(super) mod vigil;
pub mod watch;

pub use error::describe;
