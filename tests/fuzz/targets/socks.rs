//! Looks for bytes that break `bodies::socks`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz socks`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::socks(bytes));
