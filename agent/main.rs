//! The headless program: manager, agent and command line in one.

use std::process::ExitCode;

fn main() -> ExitCode {
    norouter::driver::control::askpass::run_if_asked(None).unwrap_or_else(norouter::cli::main)
}
