//! `norouter env`: prints the variables that direct programs into the network.

use std::env;

use serde_json::{Map, Value};

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    driver::{agent::state_dir, system::shell::Shell},
    proxy::variables::{EXEMPTIONS, merged_exemptions},
};

/// The variables of which one is there if the host has a proxy.
const PROXIES: [&str; 2] = ["http_proxy", "all_proxy"];

/// What a person is told if the host has no proxy.
const NO_PROXY: &str = "this host has no proxy: programs reach the addresses of the network, but most do not find its names, and none \
                        follow its routes; for these, give the host in the manifest: http: {listen: \"127.0.0.1:18080\"}";

/// Print the environment variables that lead programs into the network
///
/// The agent of this machine writes them into its state folder while it runs: `http_proxy`,
/// `no_proxy`, HOSTALIASES and similar ones. This command works on every host of the network. It
/// fails if a proxy does not work, or if another user listens on the proxy's address. The variables
/// contain a token that lets programs use the proxies, so keep them secret. Entries that `no_proxy`
/// has already are kept. To set the variables in a shell:
///
///   eval "$(norouter env)"
///   norouter env --shell fish | source
///   norouter env --shell powershell | Out-String | Invoke-Expression
///
/// To take them away again, also after the network has ended:
///
///   eval "$(norouter env --unset)"
///
/// "norouter exec -- COMMAND" sets them for one command only. Programs that know no proxy may work
/// below `proxychains4 -f ~/.norouter/agent/proxychains.conf`.
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
    /// Print commands that take the variables away
    #[arg(long, conflicts_with_all = ["json", "state_dir"])]
    unset: bool,
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
    let shell = Shell::from(args.shell.unwrap_or_else(Choice::of_this_session));
    if args.unset {
        output::data(&unset(shell))?;
        return Ok(Exit::Ok);
    }
    let variables = args.folder.variables()?;
    if args.json {
        let map: Map<String, Value> = variables
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        output::json(&Value::Object(map))?;
        return Ok(Exit::Ok);
    }
    let lines: Vec<String> = variables
        .iter()
        .map(|(name, value)| shell.set(name, value))
        .collect();
    output::data(&lines.concat())?;
    Ok(Exit::Ok)
}

/// The commands that take away the variables of an agent from a shell that has them.
fn unset(shell: Shell) -> String {
    if env::var_os(state_dir::AGENT).is_none() {
        return String::new();
    }
    let lines = state_dir::VARIABLES.iter().filter_map(|name| {
        let value = env::var(name).ok()?;
        let is_list = EXEMPTIONS.contains(name);
        let own = merged_exemptions(&value, "");
        let keeps_own = is_list && !own.is_empty();
        Some(if keeps_own {
            shell.set(name, &own)
        } else {
            shell.unset(name)
        })
    });
    lines.collect()
}

impl Folder {
    /// Reads the variables of the agent that runs on this machine. The exemptions from proxies that this process has are
    /// kept. A person is told if there is no proxy, because programs may then not find what they look for.
    pub(super) fn variables(&self) -> Result<Vec<(String, String)>, Error> {
        let mut variables = self.written()?;
        for (name, value) in &mut variables {
            if EXEMPTIONS.contains(&name.as_str()) {
                // A person may have set only one of the two.
                let set = EXEMPTIONS.into_iter().find_map(|name| env::var(name).ok());
                let own = env::var(&*name).ok().or(set).unwrap_or_default();
                *value = merged_exemptions(&own, value);
            }
        }
        if !variables
            .iter()
            .any(|(name, _)| PROXIES.contains(&name.as_str()))
        {
            output::talk(NO_PROXY);
        }
        Ok(variables)
    }

    fn written(&self) -> Result<Vec<(String, String)>, Error> {
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
