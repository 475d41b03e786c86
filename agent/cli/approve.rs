//! `norouter approve`: start commands that wait because the manifest has changed.

use std::io::{BufRead as _, IsTerminal as _};

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{Reach, wait_for},
};
use crate::{
    text::{escape, quote_whole},
    view::{HeldView, HostView},
};

/// Start commands that wait for approval
///
/// A network that runs with --confirm-commands does not start a command that is new in its manifest. This shows each one that
/// waits, asks, and lets start what it has shown; a command that changes meanwhile goes on waiting, and a host that was stopped
/// stays stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name or the VIP of a host; without one, all whose commands wait
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    reach: Reach,
    /// Write which were approved as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let outcomes = wait_for(async {
        let client = args.reach.client().await?;
        let hosts = client.network().await?.snapshot.hosts;
        let meant = |host: &&HostView| {
            (args.host.as_deref()).is_none_or(|name| name == host.name || name == host.vip)
        };
        let hosts: Vec<_> = hosts.iter().filter(meant).collect();
        if let (Some(name), []) = (&args.host, hosts.as_slice()) {
            let message = format!("no host of this network is called \"{}\"", escape(name));
            return Err(
                Error::new(Exit::Usage, message).hint("\"norouter status\" lists the hosts")
            );
        }
        let held: Vec<_> = hosts
            .iter()
            .filter_map(|host| Some((*host, host.held.as_ref()?)))
            .collect();
        for (host, held) in &held {
            show(host, held);
        }
        if held.is_empty() || !(args.yes || is_said(held.len())?) {
            return Ok(Vec::new());
        }
        let mut outcomes = Vec::new();
        for (host, held) in held {
            let path = format!("/v1/hosts/{}/approve?number={}", host.vip, held.number);
            outcomes.push((host.name.clone(), client.post(&path).await));
        }
        Ok(outcomes)
    })?;
    let mut approved = Vec::new();
    let mut exit = Exit::Ok;
    for (name, outcome) in outcomes {
        match outcome {
            Ok(()) => approved.push(name),
            Err(error) => {
                exit = Exit::Failure;
                output::talk(&format!(
                    "{}: {}",
                    escape(&name),
                    escape(&error.to_string())
                ));
            }
        }
    }
    if args.json {
        output::json(&json!({"approved": approved}))?;
    } else if approved.is_empty() {
        output::talk("no command was approved");
    } else {
        output::talk(&format!("approved: {}", escape(&approved.join(", "))));
    }
    Ok(exit)
}

fn show(host: &HostView, held: &HeldView) {
    let line = |argv: &[String]| {
        let argv: Vec<_> = argv.iter().map(|word| quote_whole(word)).collect();
        argv.join(" ")
    };
    let name = escape(&host.name);
    output::talk(&format!("{name} would run: {}", line(&held.command)));
    if let Some(previous) = &held.previous {
        output::talk(&format!("{name} runs now:  {}", line(previous)));
    }
}

/// Asks the person at the terminal.
fn is_said(count: usize) -> Result<bool, Error> {
    let mut input = std::io::stdin().lock();
    if !input.is_terminal() {
        let message = "nobody is there who could be asked";
        return Err(Error::new(Exit::Usage, message).hint("--yes starts what is shown"));
    }
    let what = if count == 1 { "it" } else { "all of them" };
    output::talk(&format!("start {what}? Type yes and Enter"));
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
