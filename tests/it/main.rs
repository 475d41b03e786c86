//! The integration tests in one binary. They use the library and the program as people do.
#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string
)]

#[cfg(target_os = "linux")]
mod back_to_back;
#[cfg(unix)]
mod amend;
mod cli;
#[cfg(target_os = "linux")]
mod complete;
#[cfg(target_os = "linux")]
mod connect;
#[cfg(target_os = "linux")]
mod consent;
#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod control_answers;
mod control_document;
#[cfg(target_os = "linux")]
mod demo;
#[cfg(unix)]
mod edit;
#[cfg(target_os = "linux")]
mod env;
#[cfg(target_os = "linux")]
mod followed;
mod frames;
mod golden;
#[cfg(target_os = "linux")]
mod home;
#[cfg(unix)]
mod hosts;
#[cfg(target_os = "linux")]
mod host_test;
#[cfg(unix)]
mod init;
#[cfg(unix)]
mod installer;
#[cfg(target_os = "linux")]
mod lost;
mod manifests;
#[cfg(target_os = "linux")]
mod named;
#[cfg(target_os = "linux")]
mod networks;
#[cfg(target_os = "linux")]
mod no_home;
#[cfg(target_os = "linux")]
mod own_proxy;
#[cfg(target_os = "linux")]
mod prompts;
#[cfg(target_os = "linux")]
mod proxy;
mod reason;
mod schema;
mod sums;
#[cfg(target_os = "linux")]
mod taken;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod why;
mod words;
