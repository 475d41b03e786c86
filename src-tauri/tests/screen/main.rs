//! Tests of the whole app with a display and a message bus, which `cargo xtask app-test` provides.
#![cfg(target_os = "linux")]

mod desktop;
mod display;
mod drag;
mod edit;
mod facts;
mod first;
mod host;
mod import;
mod life;
mod machines;
mod many;
mod network;
mod page;
mod prompts;
mod reader;
mod rig;
mod save;
mod site;
mod story;
mod tray;
mod window;
