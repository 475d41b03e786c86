//! `norouter env`: prints the variables that direct programs into the network.

use std::{env, time::Duration};

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::{
    error::{Error, Exit},
    output,
    reach::{WhichNetwork, wait_for},
};
use crate::{
    driver::{agent::state_dir, system::shell::Shell},
    proxy::variables::{EXEMPTIONS, merged_exemptions},
    text::escape,
    view::{HostView, PlanHost, TroubleCode},
};

/// If the host has a proxy, at least one of these variables is set.
const PROXIES: [&str; 2] = ["http_proxy", "all_proxy"];

/// How long a network that has just started may take to write its variables. Its agent may first have to wait until
/// another agent releases the state folder.
const WRITTEN_MAX: Duration = Duration::from_secs(3);

/// The interval at which the command checks whether the variables were written.
const LOOK: Duration = Duration::from_millis(50);

/// The message if the host has no proxy.
const NO_PROXY: &str = "this host has no proxy: programs reach the addresses of the network, but most do not find its names, and none \
                        follow its routes; for these, give the host in the manifest: http: {listen: \"127.0.0.1:18080\"}";

/// Print the environment variables that lead programs into the network
///
/// The agent of this machine writes them into its state folder while it runs: `http_proxy`,
/// `no_proxy`, HOSTALIASES and similar ones. This command works on every host of the network. It
/// fails if a proxy does not work, or if another user listens on the proxy's address. The
/// variables contain a token that lets programs use the proxies, so keep them secret. If
/// `no_proxy` is set already, its entries are kept. To set the variables in a shell:
///
///   eval "$(norouter env)"
///   norouter env --shell fish | source
///   norouter env --shell powershell | Out-String | Invoke-Expression
///
/// To remove them again, even after the network has ended:
///
///   eval "$(norouter env --unset)"
///
/// "norouter exec -- COMMAND" sets them for one command only. Programs without proxy support may work
/// under `proxychains4 -f ~/.norouter/agent/proxychains.conf`.
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
    /// Print commands that remove the variables
    #[arg(long, conflicts_with_all = ["json", "state_dir"])]
    unset: bool,
}

/// Selects the agent whose variables are read.
#[derive(Debug, clap::Args)]
pub(super) struct Folder {
    #[command(flatten)]
    network: WhichNetwork,
    /// The state folder of the agent; by default that of the network's agent on this machine, or, if no manager runs
    /// here, ~/.norouter/agent
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<String>,
}

/// The kinds of shells, as they are named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    /// sh, bash, zsh and similar shells
    #[value(aliases = ["bash", "zsh", "dash", "ksh"])]
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

/// The commands that remove an agent's variables from the shell that has started this program.
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
    /// The network that is meant.
    pub(super) const fn network(&self) -> &WhichNetwork {
        &self.network
    }

    /// Reads the variables of the agent that runs on this machine. The exemptions from proxies that are set in this
    /// process are added to those of the agent. If the agent has no proxy, the person is told so, because programs then
    /// may not reach what they look for.
    pub(super) fn variables(&self) -> Result<Vec<(String, String)>, Error> {
        let mut variables = self.written()?;
        for (name, value) in &mut variables {
            if EXEMPTIONS.contains(&name.as_str()) {
                // A person may have set only one of `no_proxy` and `NO_PROXY`.
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

    /// Reads the variables of the agent that runs on this machine, exactly as the agent has written them.
    pub(super) fn written(&self) -> Result<Vec<(String, String)>, Error> {
        let failed = |message| Error::new(Exit::Failure, message);
        let folder = match &self.state_dir {
            Some(folder) => Some(folder.clone()),
            None => wait_for(self.of_network())?,
        };
        let is_default = folder.is_none();
        let folder = folder.unwrap_or_else(|| state_dir::DEFAULT.to_owned());
        let others = || {
            let others = state_dir::inside(&folder);
            let others: Vec<_> = others
                .iter()
                .map(|it| escape(&it.display().to_string()))
                .collect();
            others.join(", ")
        };
        let variables = state_dir::proven_env(&folder).map_err(failed)?;
        let Some(variables) = variables else {
            let message = if is_default {
                "no network runs on this machine".to_owned()
            } else {
                format!("no agent runs that writes into {folder}")
            };
            let error = Error::new(Exit::NoManager, message);
            return Err(match others().as_str() {
                "" if is_default => error.hint(
                    "\"norouter up -d FILE\" starts one; if the manager of another machine has an agent here, name its folder (stateDir.pathOnAgent of the manifest) with --state-dir",
                ),
                "" => error.hint("name the folder of an agent that runs, or leave --state-dir out"),
                others => error.hint(format!(
                    "an agent that came second writes into {others}: name it with --state-dir"
                )),
            });
        };
        if is_default && !others().is_empty() {
            output::talk(&format!(
                "note: these are the variables of the agent that came first; --state-dir names another one: {}",
                others()
            ));
        }
        Ok(variables)
    }

    /// The state folder of the network that the person means, if its manager runs on this machine and has an agent of
    /// its own here. Otherwise `None`: the person may mean the agent of another machine's network.
    async fn of_network(&self) -> Result<Option<String>, Error> {
        let client = match self.network.client().await {
            Err(error) if error.exit() == Exit::NoManager && !self.network.is_named() => {
                return Ok(None);
            }
            client => client?,
        };
        let hosts = client.plan().await?.hosts.into_iter();
        let here: Vec<PlanHost> = hosts.filter(PlanHost::is_here).collect();
        let is_here = |host: &&HostView| here.iter().any(|it| it.name == host.name);
        let folders: Vec<&String> = here.iter().filter_map(|it| it.state_dir.as_ref()).collect();
        let name = client.name();
        let until = Instant::now() + WRITTEN_MAX;
        while !folders.is_empty() {
            let network = client.network().await?;
            let written = |folder: &&String| state_dir::folder_of(folder, network.pid);
            if let Some(folder) = folders.iter().find_map(written) {
                return Ok(Some(folder.display().to_string()));
            }
            let mut views = network.snapshot.hosts.iter().filter(is_here);
            if let Some(reason) = views.find_map(not_written) {
                return Err(Error::new(Exit::NoManager, reason));
            }
            if Instant::now() >= until {
                let message =
                    format!("the network {name} has not written its variables on this machine");
                return Err(Error::new(Exit::NoManager, message)
                    .hint(format!("\"norouter status --network {name}\" shows why")));
            }
            sleep(LOOK).await;
        }
        if self.network.is_named() {
            let message = format!("the network {name} has no variables on this machine");
            return Err(Error::new(Exit::NoManager, message)
                .hint("a host without cmd writes them, unless its stateDir is disabled"));
        }
        Ok(None)
    }
}

/// Why a host has not written its variables. `None` if the host has given no reason.
fn not_written(host: &HostView) -> Option<String> {
    let troubles = host.troubles.iter();
    let about_files = troubles.filter(|trouble| trouble.code == TroubleCode::Files);
    let notes = host.notes.iter().cloned();
    let reason = notes.chain(about_files.map(ToString::to_string)).next()?;
    Some(format!("{}: {}", host.name, escape(&reason)))
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
