//! Looks for bytes that break `bodies::edge`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz edge`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::edge(bytes));
