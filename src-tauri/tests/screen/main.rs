//! The app on a screen with a message bus, driven from outside: `cargo xtask app-test` brings both.
#![cfg(target_os = "linux")]

mod network;
mod rig;
mod tray;
mod window;
