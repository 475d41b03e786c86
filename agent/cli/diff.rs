//! `norouter diff`: shows what another manifest would change.

use std::path::PathBuf;

use super::{
    amend::effect,
    error::{Error, Exit},
    input::{Commands, Source},
    output,
};
use crate::{plan::Loaded, text::escape};

/// Show what a network would do differently with another manifest
///
/// Compares what the manifests mean, and not their text. Shows the hosts that would come, go or be started again, the
/// changed ports and routes, and what would be granted. Nothing is started.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The old manifest
    #[arg(value_name = "FILE")]
    old: PathBuf,
    /// The new manifest
    #[arg(value_name = "FILE")]
    new: PathBuf,
}

pub(super) fn run(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let load = |file: &PathBuf| -> Result<Loaded, Error> {
        let loaded = Source::of(Some(file))?.load(commands)?;
        if loaded.plan.is_none() {
            output::talk(&loaded.report(true));
            let message = format!("{} cannot be run", loaded.file_name);
            return Err(Error::new(Exit::InvalidManifest, message));
        }
        Ok(loaded)
    };
    let lines = effect(&load(&args.old)?, &load(&args.new)?);
    let lines = lines.iter().map(|line| escape(line) + "\n");
    output::data(&lines.collect::<String>())?;
    Ok(Exit::Ok)
}
