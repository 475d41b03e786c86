//! Looks for bytes that break `bodies::dns`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz dns`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::dns(bytes));
