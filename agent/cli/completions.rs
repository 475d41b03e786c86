//! `norouter completions`: prints the script with which a shell completes the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{
    Cli,
    error::{Error, Exit},
    output,
};

/// Print a completion script for a shell
///
/// For bash: norouter completions bash > ~/.local/share/bash-completion/completions/norouter
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "norouter", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
