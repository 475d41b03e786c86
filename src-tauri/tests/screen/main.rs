//! Tests of the whole app with a display and a message bus, which `cargo xtask app-test` provides.
#![cfg(target_os = "linux")]

mod desktop;
mod display;
mod drag;
mod facts;
mod first;
mod host;
mod import;
mod life;
mod many;
mod network;
mod page;
mod prompts;
mod reader;
mod rig;
mod save;
mod site;
mod tray;
mod window;
