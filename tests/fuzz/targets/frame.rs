//! Looks for bytes that break `bodies::frame`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz frame`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::frame(bytes));
