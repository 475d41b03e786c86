//! NoRouter makes one network from one YAML file. `agent/` has the whole program: the manager too, and not only the
//! agent.
//!
//! Each module below is a room on a floor. A room imports rooms on lower floors only, which `tests/tidy.rs` checks.
//!
//! | floor | rooms | what they are |
//! |---|---|---|
//! | 0 words | `time`, `addr`, `destination`, `text`, `redact`, `secret` | plain values, parsed once, then trusted |
//! | 1 formats | `manifest`, `wire`, `view`, `names`, `route`, `budget`, `turns` | bytes and text to values and back; the only rooms with serde |
//! | 2 machines | `proxy`, `plan`, `limits`, `switch`, `link`, `flow` | they decide; they are told the time; they never block |
//! | 3 roles | `manager`, `edge` | machines composed into the two programs; they meet only in `wire` |
//! | 4 world | `driver` | the only room that awaits: children, sockets, files, clock, signals |
//! | 5 faces | `cli`, and the desktop app | what people touch |
//!
//! Without features the library is floors 0 to 3: it has no clock, no sockets and no runtime. `docs/ARCHITECTURE.md`
//! describes the three main data flows: intent, packets and truth.

pub mod addr;
pub mod destination;
pub mod redact;
pub mod secret;
pub mod text;
pub mod time;

pub mod budget;
pub mod turns;
pub mod route;
pub mod manifest;

pub mod wire;
pub mod view;
pub mod names;

pub mod proxy;
pub mod plan;
pub mod limits;
pub mod switch;
pub mod link;
pub mod flow;

pub mod manager;
pub mod edge;

#[cfg(feature = "driver")]
pub mod driver;

#[cfg(feature = "cli")]
pub mod cli;

/// The version of the program, as managers and agents tell it to each other.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
