//! Looks for bytes that break `bodies::hosts_file`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz hosts_file`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::hosts_file(bytes));
