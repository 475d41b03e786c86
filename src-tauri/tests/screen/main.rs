//! Tests of the whole app with a display and a message bus, which `cargo xtask app-test` provides.
#![cfg(target_os = "linux")]

mod desktop;
mod display;
mod drag;
mod first;
mod host;
mod life;
mod network;
mod page;
mod rig;
mod site;
mod tray;
mod window;
