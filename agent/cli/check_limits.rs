//! `norouter check-limits`: shows what an administrator's file permits agents to do.

use std::path::PathBuf;

use super::{
    error::{Error, Exit},
    output,
};
use crate::{
    driver::{agent::permits, system::files},
    limits::Permits,
    manifest::render::render,
    text::escape,
};

/// Show what agents may do when a file of limits is in force
///
/// Without FILE, the file is /etc/norouter/agent.yaml. Agents use that file only if root owns it and only root may
/// write to it. If the file has problems, they are shown with their places, and the exit code is 1, because agents
/// refuse to serve with such a file. docs/ADMINISTRATORS.md describes the keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file to check before it is put in place
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let failed = |reason: String| Error::new(Exit::Failure, reason);
    let (name, text) = match &args.file {
        Some(file) => {
            let name = file.display().to_string();
            let bytes = files::read(file).map_err(failed)?;
            let bytes = bytes.ok_or_else(|| failed(format!("the file {name} does not exist")))?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| failed(format!("{name} is not UTF-8 text")))?;
            (name, Some(text))
        }
        None => (permits::FILE.to_owned(), permits::read().map_err(failed)?),
    };
    let shown = escape(&name);
    let Some(text) = text else {
        let line = format!(
            "{shown} does not exist: only --restrict in their commands limits the agents of this machine\n"
        );
        output::data(&line)?;
        return Ok(Exit::Ok);
    };
    match Permits::from_file(&name, &text) {
        Ok(permits) => {
            let words = permits.to_words();
            let words: Vec<_> = words
                .iter()
                .map(|word| format!("  {}\n", escape(word)))
                .collect();
            output::data(&format!(
                "{shown}: agents may do this, and nothing else:\n{}",
                words.concat()
            ))?;
            Ok(Exit::Ok)
        }
        Err(problems) => {
            output::data(&render(&name, &text, &problems, true))?;
            Err(failed(format!("with {shown} no agent serves")))
        }
    }
}
