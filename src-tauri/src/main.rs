//! The desktop app's program.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = norouter_app::run_if_asked(Some("norouter")) {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    norouter_app::demo_host(&words).unwrap_or_else(norouter_app::run)
}
