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

/// Say what a file with limits permits the agents of a machine
///
/// Without FILE this is /etc/norouter/agent.yaml, and it must be one that an agent would trust: owned by root, and
/// writable by nobody else. Says everything that is wrong with the file, with its place, and then ends with exit code
/// 1: with such a file agents refuse to serve. docs/ADMINISTRATORS.md has the keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A file to look at before it is put in its place
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let failed = |reason: String| Error::new(Exit::Failure, reason);
    let (name, text) = match &args.file {
        Some(file) => {
            let name = file.display().to_string();
            let bytes = files::read(file).map_err(failed)?;
            let bytes = bytes.ok_or_else(|| failed(format!("there is no file {name}")))?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| failed(format!("{name} is not UTF-8 text")))?;
            (name, Some(text))
        }
        None => (permits::FILE.to_owned(), permits::read().map_err(failed)?),
    };
    let shown = escape(&name);
    let Some(text) = text else {
        let line = format!(
            "there is no {shown}: nothing limits the agents of this machine but --restrict in their commands\n"
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
