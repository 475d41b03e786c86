//! `norouter approve`: approves commands and changes of the manifest that wait for approval.

use std::io::{BufRead as _, IsTerminal as _};

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{self, WhichNetwork, wait_for},
};
use crate::{
    driver::system::describe,
    text::{escape, shell_line},
    view::{Grant, HeldChange, HeldView, HostView, PlanHost, PlanView},
};

/// Approve what waits for approval: changes of the manifest and new commands
///
/// With --confirm, a change of the manifest that grants more than before waits until it is approved. With
/// --confirm-commands, each new or changed command waits. This command shows what waits, asks for confirmation, and
/// approves only what it has shown. Later changes wait for another approval. Approving the command of a host that was
/// stopped does not start the host.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Approve only the command of the host with this name, alias or VIP; by default, everything that waits
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other)]
    host: Option<String>,
    /// Do not ask before approving
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let outcomes = wait_for(async {
        let client = args.network.own_client().await?;
        let snapshot = client.network().await?.snapshot;
        let (hosts, change): (Vec<&HostView>, _) = match &args.host {
            Some(called) => (vec![reach::host(&snapshot, called)?], None),
            None => (snapshot.hosts.iter().collect(), snapshot.held.as_ref()),
        };
        let held: Vec<_> = hosts
            .iter()
            .filter_map(|host| Some((*host, host.held.as_ref()?)))
            .collect();
        for (host, held) in &held {
            show(host, held);
        }
        if let Some(change) = change {
            let now = client.get::<PlanView>("/v1/plan").await?;
            show_change(change, &now);
        }
        let count = held.len() + usize::from(change.is_some());
        if count == 0 || !(args.yes || is_said(count)?) {
            return Ok(Vec::new());
        }
        let mut outcomes = Vec::new();
        if let Some(change) = change {
            let path = format!("/v1/approve?number={}", change.number);
            outcomes.push((None, client.post(&path).await));
        }
        for (host, held) in held {
            let path = format!("/v1/hosts/{}/approve?number={}", host.vip, held.number);
            outcomes.push((Some(host.name.clone()), client.post(&path).await));
        }
        Ok(outcomes)
    })?;
    let mut approved = Vec::new();
    let mut taken_up = false;
    let mut exit = Exit::Ok;
    for (name, outcome) in outcomes {
        match (outcome, name) {
            (Ok(()), Some(name)) => approved.push(name),
            (Ok(()), None) => taken_up = true,
            (Err(error), name) => {
                let name = name.unwrap_or_else(|| "the change".to_owned());
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
        output::json(&json!({"approved": approved, "change": taken_up}))?;
        return Ok(exit);
    }
    if taken_up {
        output::talk("the change of the manifest is applied");
    }
    if !approved.is_empty() {
        output::talk(&format!("approved: {}", escape(&approved.join(", "))));
    } else if !taken_up {
        output::talk("nothing was approved");
    }
    Ok(exit)
}

/// Shows the grants of a change. For each new command, also shows the command that the host runs now.
fn show_change(change: &HeldChange, now: &PlanView) {
    output::talk("the manifest has changed; nothing of that is in force. It would grant:");
    for grant in &change.grants {
        output::talk(&format!("  {}", escape(grant)));
        let of = |host: &&PlanHost| grant.starts_with(&Grant::command_of(&host.name));
        for host in now.hosts.iter().filter(of) {
            if !host.command.is_empty() {
                output::talk(&format!("    it runs now: {}", shell_line(&host.command)));
            }
        }
    }
}

fn show(host: &HostView, held: &HeldView) {
    let name = escape(&host.name);
    output::talk(&format!("{name} would run: {}", shell_line(&held.command)));
    for lookup in &held.lookups {
        output::talk(&format!("{name} is chosen by: {}", shell_line(lookup)));
    }
    if let Some(previous) = &held.previous {
        output::talk(&format!("{name} runs now:  {}", shell_line(previous)));
    }
}

/// Asks the person at the terminal; returns true if the answer is yes.
fn is_said(count: usize) -> Result<bool, Error> {
    let mut input = std::io::stdin().lock();
    if !input.is_terminal() {
        let message = "without a terminal, nobody can be asked";
        return Err(Error::new(Exit::Usage, message).hint("--yes approves what is shown"));
    }
    let what = if count == 1 { "it" } else { "all of them" };
    output::talk(&format!("approve {what}? Type yes and Enter"));
    let mut line = String::new();
    input.read_line(&mut line).map_err(|error| {
        let message = format!(
            "cannot read the answer from standard input: {}",
            describe(&error)
        );
        Error::new(Exit::Failure, message)
            .hint("nothing was approved; --yes approves what is shown")
    })?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}
