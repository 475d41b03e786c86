//! Looks for bytes that break `bodies::packet`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz packet`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::packet(bytes));
