//! The headless program: manager, agent and command line in one.

use std::process::ExitCode;

fn main() -> ExitCode {
    norouter::cli::main()
}
