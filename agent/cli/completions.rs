//! `norouter completions`: prints the script with which a shell completes the command line.

use std::path::Path;

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
    /// The shell; by default the one that $SHELL names
    shell: Option<Shell>,
}

/// Prints the script; `all` is the definition of the whole command line.
pub(super) fn run(args: &Args, all: &clap::Command) -> Result<Exit, Error> {
    let own =
        || std::env::var_os("SHELL").and_then(|path| Shell::from_shell_path(Path::new(&path)));
    let shell = args.shell.or_else(own).ok_or_else(|| {
        Error::new(
            Exit::Usage,
            "$SHELL does not name a shell that can be completed",
        )
        .hint("name the shell: norouter completions bash")
    })?;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(all), "norouter", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// The command line without the commands that people do not type. Generators write hidden commands as well.
fn shown(all: &clap::Command) -> clap::Command {
    let commands = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    clap::Command::new("norouter")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommands(commands.cloned())
}
