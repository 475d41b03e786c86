//! Tests of the released program on real hosts: OpenSSH servers, containers, network namespaces, and real clients. They
//! need root, and a machine that may be changed. `cargo xtask lab` runs them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and print its results"
)]

mod sandbox;

mod network;
mod ground;
mod office;
mod shim;
mod traffic;
mod watch;

mod transports;
mod reach;
mod streams;
mod database;
mod failure;
mod supervision;
mod faults;
mod lines;
mod many;
mod soak;
mod stop;
mod processors;
mod proxies;
mod socks;
mod routes;
mod policy;
mod why;
mod names;
mod clients;
mod remote;
mod shells;
mod installs;
mod shell_cuts;
mod shell_failures;
mod shell_speed;
mod rollouts;
mod shared_files;
mod limits;
mod sandbox_recipe;
mod volume;
mod hostile;
mod prompts;
mod users;
mod host_test;
