//! Looks for bytes that break `bodies::manifest`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz manifest`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::manifest(bytes));
