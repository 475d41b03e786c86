//! `norouter completions`: prints the script with which a shell completes the command line. The scripts ask
//! `norouter complete`, so that they stay right when the program is updated.

use std::path::Path;

use clap_complete::Shell;

use super::{
    error::{Error, Exit},
    output,
};

/// Print a completion script for a shell
///
/// Completes commands, options, networks, hosts and ports. The hosts and ports are those of the running network or, if
/// none runs, those of the manifest that would be run in this folder.
///
/// For bash: norouter completions bash > ~/.local/share/bash-completion/completions/norouter
///
/// For zsh: norouter completions zsh > FOLDER/_norouter, where FOLDER is in $fpath
///
/// For fish: norouter completions fish > ~/.config/fish/completions/norouter.fish
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell; by default the one that $SHELL names
    shell: Option<Shell>,
}

/// Prints the script.
pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let own =
        || std::env::var_os("SHELL").and_then(|path| Shell::from_shell_path(Path::new(&path)));
    let script = args.shell.or_else(own).and_then(script);
    let script = script.ok_or_else(|| {
        Error::new(
            Exit::Usage,
            "$SHELL does not name a shell that can be completed",
        )
        .hint("name the shell: norouter completions bash")
    })?;
    output::data(script)?;
    Ok(Exit::Ok)
}

const fn script(shell: Shell) -> Option<&'static str> {
    Some(match shell {
        Shell::Bash => include_str!("completions/norouter.bash"),
        Shell::Zsh => include_str!("completions/norouter.zsh"),
        Shell::Fish => include_str!("completions/norouter.fish"),
        Shell::PowerShell => include_str!("completions/norouter.ps1"),
        Shell::Elvish => include_str!("completions/norouter.elv"),
        // A newer clap_complete may know more shells than these.
        _ => return None,
    })
}
