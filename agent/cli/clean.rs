//! `norouter clean`: removes what was put on hosts that have only a shell.

use std::path::PathBuf;

use serde_json::json;

use super::{
    error::{Error, Exit},
    input::{Commands, Source},
    output,
    reach::wait_for,
    typing::has_person,
};
use crate::{
    driver::manager::{clean, ways},
    plan::{HostPlan, Plan, Start},
    text::{escape, figures::counted},
    view::no_such_host,
};

/// Remove the agents that NoRouter has put on hosts
///
/// NoRouter puts its agent on hosts that the manifest reaches through a shell (with ssh, docker,
/// podman, kubernetes, lxc, wsl or shell). A host with a cmd that leads to a shell, such as
/// "ssh web1 norouter", may have an agent from NoRouter, too.
///
/// The command prints the name of each file that it removes. An agent that runs is not disturbed, and
/// its host gets a new file when it is started again. Passwords are asked for in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The hosts to clean
    #[arg(required_unless_present = "all", value_name = "HOST")]
    hosts: Vec<String>,
    /// Clean all hosts
    #[arg(long, conflicts_with = "hosts")]
    all: bool,
    /// The manifest; by default, the one that norouter itself would run
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let loaded = Source::of(args.file.as_deref())?.load(commands)?;
    let Some(plan) = &loaded.plan else {
        output::talk(&loaded.report(true));
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    let hosts = chosen(plan, args)?;
    let (mut results, mut failed) = (Vec::new(), false);
    for host in hosts {
        if !host.start.takes_an_agent() {
            continue;
        }
        let outcome = wait_for(async { Ok(clean_all(&host.start).await) })?;
        if !args.json {
            tell(&host.name.to_string(), &outcome);
        }
        failed |= outcome.is_err();
        results.push(match outcome {
            Ok(removed) => json!({"host": host.name.as_str(), "removed": removed}),
            Err(error) => json!({"host": host.name.as_str(), "error": error}),
        });
    }
    if args.json {
        output::json(&json!({ "hosts": results }))?;
    }
    Ok(if failed { Exit::PartlyUp } else { Exit::Ok })
}

/// Cleans a host. If the host has several instances, cleans all that are ready.
async fn clean_all(start: &Start) -> Result<Vec<String>, String> {
    let ways = match start {
        Start::Chosen(chosen) => ways(chosen).await?,
        Start::InProcess | Start::Command(_) | Start::Shell(_) => {
            start.through_the_shell().into_iter().collect()
        }
    };
    let mut removed = Vec::new();
    for way in ways {
        removed.extend(clean(&way, has_person()).await?);
    }
    Ok(removed)
}

fn chosen<'a>(plan: &'a Plan, args: &Args) -> Result<Vec<&'a HostPlan>, Error> {
    let has_shell = |host: &&HostPlan| host.start.takes_an_agent();
    if args.all {
        return Ok(plan.hosts.iter().filter(has_shell).collect());
    }
    let mut chosen = Vec::new();
    for called in &args.hosts {
        let is = |host: &&HostPlan| {
            let names = std::iter::once(&host.name).chain(&host.aliases);
            host.vip.to_string() == *called
                || names
                    .into_iter()
                    .any(|name| name.as_str().eq_ignore_ascii_case(called))
        };
        let host = plan.hosts.iter().find(is);
        let host = host.ok_or_else(|| Error::new(Exit::Failure, no_such_host(called)))?;
        if !has_shell(&host) {
            let message = format!(
                "nothing was put on {}: the manifest does not show the way to its shell",
                host.name
            );
            return Err(Error::new(Exit::Failure, message)
                .hint("\"norouter clean --all\" cleans all hosts whose manifest shows it"));
        }
        chosen.push(host);
    }
    Ok(chosen)
}

fn tell(name: &str, outcome: &Result<Vec<String>, String>) {
    match outcome {
        Ok(removed) if removed.is_empty() => output::talk(&format!("{name}: nothing to remove")),
        Ok(removed) => {
            let files = removed.iter().map(|file| format!("\n  {}", escape(file)));
            let count = counted(removed.len(), "file");
            output::talk(&format!(
                "{name}: removed {count}{}",
                files.collect::<String>()
            ));
        }
        Err(error) => output::talk(&format!("{name}: could not be cleaned: {}", escape(error))),
    }
}
