//! `norouter hosts`: shows NoRouter's entries in the hosts file of this machine, and removes them.

use std::path::PathBuf;

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    driver::{
        agent::etc_hosts::{self, backup_path, default_path},
        system::describe,
    },
    names::hosts_file::{self, Repaired},
    text::escape,
};

/// Show the names that NoRouter has put into the hosts file of this machine
///
/// On hosts with "writeEtcHosts: true", /etc/hosts contains the names of the network while the network runs. A mark
/// before the names and a mark after them say which host has written them. The rest of the file is never changed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Remove names that agents have left behind. If one of the two marks is missing, remove the other one, and the
    /// lines next to it that look like NoRouter's. A copy of the old file is kept
    #[arg(long)]
    repair: bool,
    /// Use this file instead of the hosts file of this machine
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let file = args.file.clone().unwrap_or_else(default_path);
    let bytes = std::fs::read(&file).map_err(|error| {
        let message = format!("cannot read {}: {}", file.display(), describe(&error));
        Error::new(Exit::Failure, message).hint("name another file with --file")
    })?;
    let place = escape(&file.display().to_string());
    if args.repair {
        let failed = |message| Error::new(Exit::Failure, message);
        let Repaired { done, kept, .. } = etc_hosts::repair(&file).map_err(failed)?;
        for what in kept.iter().filter(|_| !args.json) {
            output::talk(&format!("{place}: {what}"));
        }
        let backup = (!done.is_empty()).then(|| escape(&backup_path(&file).display().to_string()));
        if args.json {
            output::json(&json!({"file": place, "done": done, "kept": kept, "backup": backup}))?;
        } else if let Some(backup) = backup {
            let lines: Vec<String> = done
                .iter()
                .map(|what| format!("{place}: {what}\n"))
                .collect();
            output::data(&format!("{}{backup}: the file as it was\n", lines.concat()))?;
        } else {
            output::data(&format!("{place}: nothing to repair\n"))?;
        }
        return Ok(Exit::Ok);
    }
    let (entries, damage) = match hosts_file::entries(&bytes) {
        Ok(entries) => (entries, Vec::new()),
        Err(damaged) => (None, damaged.0),
    };
    let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
    if args.json {
        let entries: Vec<_> = entries.iter().flatten().map(|line| entry(line)).collect();
        output::json(&json!({"file": place, "entries": entries, "damage": damage}))?;
    } else if let Some(entries) = entries {
        let lines: Vec<String> = entries.iter().map(|line| format!("{line}\n")).collect();
        output::data(&lines.concat())?;
    } else if damage.is_empty() {
        output::talk(&format!("{place} has no names from NoRouter"));
    }
    if damage.is_empty() {
        return Ok(Exit::Ok);
    }
    let message = format!("{}: {}", file.display(), damage.join(", and "));
    Err(Error::new(Exit::Failure, message).hint("\"norouter hosts --repair\" removes what is ours"))
}

fn entry(line: &str) -> serde_json::Value {
    let mut words = line.split(' ');
    json!({"address": words.next(), "names": words.collect::<Vec<_>>()})
}
