//! Looks for bytes that break `bodies::control`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz control`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::control(bytes));
