//! Looks for bytes that break `bodies::http`: `cargo +nightly fuzz run --fuzz-dir tests/fuzz http`.
#![no_main]

#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::http(bytes));
