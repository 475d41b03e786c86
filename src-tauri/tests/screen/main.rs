//! The app on a screen with a message bus, driven from outside: `cargo xtask app-test` brings both.
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
