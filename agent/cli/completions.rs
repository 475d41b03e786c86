//! `norouter completions`: prints the script with which a shell completes the command line.

use clap_complete::Shell;

use super::{
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

/// Prints the script; `all` is the definition of the whole command line.
pub(super) fn run(args: &Args, all: &mut clap::Command) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, all, "norouter", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
