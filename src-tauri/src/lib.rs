//! The desktop app: it hosts a network or attaches to a running one, and shows it in a window and in the tray.
//!
//! Data flows in one direction. The page, the tray and the notifications read the state on the [`desk`]. The actions of
//! people come back as [`commands`]. The network itself is part of the library: the app runs a manager, or connects to
//! one through the same control socket as every other face. `docs/APP.md` has more.

pub mod view;

mod bubble;
mod checks;
mod commands;
mod consent;
mod desk;
mod diagnostics;
mod dialogs;
mod effect;
mod env_script;
mod feed;
#[cfg(target_os = "linux")]
mod first;
mod follow;
#[cfg(target_os = "linux")]
mod graphics;
mod history;
mod imports;
mod intents;
mod jumps;
mod logbook;
#[cfg(target_os = "linux")]
mod login;
mod login_shell;
mod manifest;
mod notices;
#[cfg(target_os = "linux")]
mod question;
mod recent;
mod session;
mod shown;
mod start;
mod store;
mod surface;
mod tauri_surface;
#[cfg(test)]
mod testing;
mod tray;
mod trials;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod ipc_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod types;
mod truth;
mod urls;
mod window;
mod words;

pub use norouter::driver::control::askpass::run_if_asked;
pub use start::{demo_host, run};
