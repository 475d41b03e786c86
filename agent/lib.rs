//! NoRouter makes one network from one YAML file. `agent/` contains the whole program: the agent and the manager.
//!
//! Each module below is called a room, and each group of them a floor. A room imports only rooms on lower floors;
//! `tests/tidy.rs` checks that.
//!
//! | floor | rooms | what they are |
//! |---|---|---|
//! | 0 words | `time`, `addr`, `destination`, `text`, `redact`, `secret` | plain values, parsed once, then trusted |
//! | 1 formats | `manifest`, `wire`, `view`, `names`, `route`, `budget`, `inflight`, `turns` | bytes and text to values and back; the only rooms with serde |
//! | 2 machines | `proxy`, `plan`, `import`, `limits`, `switch`, `link`, `flow`, `edit` | they decide; they are given the time as a value; they never block |
//! | 3 roles | `manager`, `edge`, `editor` | machines composed into the manager and the agent, which meet only in `wire`, and into the editor of manifests |
//! | 4 world | `driver` | the only room that awaits: children, sockets, files, clock, signals |
//! | 5 faces | `cli`, and the desktop app | what people use |
//!
//! Without features the library consists of floors 0 to 3: it has no clock, no sockets and no runtime.
//! `docs/ARCHITECTURE.md` describes the three main data flows: intent, packets and truth.

pub mod addr;
pub mod destination;
pub mod redact;
pub mod secret;
pub mod text;
pub mod time;

pub mod budget;
pub mod inflight;
pub mod turns;
pub mod route;
pub mod manifest;

pub mod wire;
pub mod view;
pub mod names;

pub mod proxy;
pub mod plan;
pub mod import;
pub mod limits;
pub mod switch;
pub mod link;
pub mod flow;
pub mod edit;

pub mod manager;
pub mod edge;
pub mod editor;

#[cfg(feature = "driver")]
pub mod driver;

#[cfg(feature = "cli")]
pub mod cli;

/// The version of the program, which managers and agents tell each other.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
