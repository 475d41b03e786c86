//! `norouter env`: prints the variables that direct programs into the network.

use std::env;

use serde_json::{Map, Value};

use super::{
    error::{Error, Exit},
    output,
};
use crate::driver::{agent::state_dir, system::shell::Shell};

/// Print the environment variables that lead programs into the network
///
/// The agent of this machine writes them into its state folder while it runs: `http_proxy`,
/// `all_proxy`, HOSTALIASES and similar ones. This command works on every host of the network. It
/// fails if a proxy does not work, or if another user listens on the proxy's address. The variables
/// contain a token that lets programs use the proxies, so keep them secret. To set them in a shell:
///
///   eval "$(norouter env)"
///   norouter env --shell fish | source
///   norouter env --shell powershell | Out-String | Invoke-Expression
///
/// "norouter exec -- COMMAND" sets them for one command only.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// The kind of shell; by default that of $SHELL
    #[arg(long, value_enum)]
    shell: Option<Choice>,
    #[command(flatten)]
    folder: Folder,
    /// Write the variables as JSON
    #[arg(long, conflicts_with = "shell")]
    json: bool,
}

/// Selects the agent whose variables are printed.
#[derive(Debug, clap::Args)]
pub(super) struct Folder {
    /// The state folder of the agent, if the manifest does not use the default
    #[arg(long, value_name = "FOLDER", default_value = state_dir::DEFAULT)]
    state_dir: String,
}

/// The kinds of shells, as they are named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    /// sh, bash, zsh and similar shells
    Sh,
    Fish,
    Powershell,
    /// The command prompt of Windows
    Cmd,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let variables = args.folder.variables()?;
    if args.json {
        let map: Map<String, Value> = variables
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        output::json(&Value::Object(map))?;
        return Ok(Exit::Ok);
    }
    let shell = Shell::from(args.shell.unwrap_or_else(Choice::of_this_session));
    let lines: Vec<String> = variables
        .iter()
        .map(|(name, value)| shell.set(name, value))
        .collect();
    output::data(&lines.concat())?;
    Ok(Exit::Ok)
}

impl Folder {
    /// Reads the variables of the agent that runs on this machine.
    pub(super) fn variables(&self) -> Result<Vec<(String, String)>, Error> {
        let failed = |message| Error::new(Exit::Failure, message);
        let variables = state_dir::proven_env(&self.state_dir).map_err(failed)?;
        variables.ok_or_else(|| {
            let message = format!("no agent runs that writes into {}", self.state_dir);
            let error = Error::new(Exit::NoManager, message);
            match state_dir::inside(&self.state_dir).first() {
                Some(folder) => error.hint(format!(
                    "an agent that came second writes into {}: name it with --state-dir",
                    folder.display()
                )),
                None => error.hint(
                    "start the network, or name the folder with --state-dir if its manifest has another stateDir.pathOnAgent",
                ),
            }
        })
    }
}

impl Choice {
    fn of_this_session() -> Self {
        match env::var("SHELL") {
            Ok(shell) if shell.ends_with("fish") => Self::Fish,
            // PowerShell sets this variable for the programs that it starts.
            Err(_) if cfg!(windows) && env::var_os("PSModulePath").is_some() => Self::Powershell,
            Err(_) if cfg!(windows) => Self::Cmd,
            Ok(_) | Err(_) => Self::Sh,
        }
    }
}

impl From<Choice> for Shell {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Sh => Self::Posix,
            Choice::Fish => Self::Fish,
            Choice::Powershell => Self::Powershell,
            Choice::Cmd => Self::Cmd,
        }
    }
}
