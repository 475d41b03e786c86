//! `norouter reload`: makes a running network read its manifest again.

use serde_json::{Value, json};

use super::{
    error::{Error, Exit},
    output,
    reach::{WhichNetwork, wait_for},
};
use crate::{driver::control::client, text::escape, view::ErrorCode};

/// Reload the manifest of a running network
///
/// A network also reloads its manifest by itself, whenever the file changes, unless it was started with --no-watch. A
/// change that only adds something is applied at once. If the new file removes something from the network, or has
/// errors, somebody may still be writing it. Therefore such a file is loaded only when it was replaced as a whole, or
/// when it has not changed for 2 s (20 s if a program still has it open, or if its last line has no line break). This
/// command does not wait: it loads the file as it is.
///
/// Hosts that have not changed are not disturbed. A manifest with errors is not applied, and the errors are
/// shown. If the network runs with --confirm, a change that grants more is shown, and waits for "norouter approve".
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Write the changes as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let answer = wait_for(async {
        let client = args.network.own_client().await?;
        match client.call::<Value>("/v1/reload").await {
            Ok(answer) => Ok(answer),
            // A manager of an older version sends no code.
            Err(client::Error::Refused {
                code: Some(ErrorCode::InvalidManifest) | None,
                text: report,
            }) => {
                for line in report.lines() {
                    output::talk(&escape(line));
                }
                let message = "nothing was applied; the network goes on as it is";
                Err(Error::new(Exit::InvalidManifest, message))
            }
            Err(error) => Err(error.into()),
        }
    })?;
    let texts = |what: &str| -> Vec<String> {
        let texts = answer[what].as_array().into_iter().flatten();
        let texts = texts.filter_map(|text| Some(text.as_str()?.to_owned()));
        texts.collect()
    };
    let (changes, grants) = (texts("changes"), texts("grants"));
    let held = answer["held"].as_u64();
    if args.json {
        output::json(&json!({"changes": changes, "grants": grants, "held": held}))?;
        return Ok(Exit::Ok);
    }
    if held.is_some() {
        output::talk(
            "nothing was applied: the change waits for \"norouter approve\", because of what it grants",
        );
    } else if changes.is_empty() && grants.is_empty() {
        output::talk("nothing has changed");
    }
    for change in changes {
        output::data(&format!("{}\n", escape(&change)))?;
    }
    for grant in grants {
        output::data(&format!("new: {}\n", escape(&grant)))?;
    }
    Ok(Exit::Ok)
}
