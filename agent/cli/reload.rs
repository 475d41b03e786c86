//! `norouter reload`: have a running network read its manifest again.

use serde_json::{Value, json};

use super::{
    error::{Error, Exit},
    output,
    reach::{Reach, wait_for},
};
use crate::{driver::control::client, text::escape};

/// Have a running network read its manifest again
///
/// It does so by itself when the file changes, unless it was started with --no-watch. What has not changed goes on
/// undisturbed; a manifest with errors changes nothing, and the errors are shown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    reach: Reach,
    /// Write what has changed as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let changes = wait_for(async {
        let client = args.reach.client().await?;
        match client.call::<Value>("/v1/reload").await {
            Ok(answer) => {
                let changes = answer["changes"].as_array().into_iter().flatten();
                let texts = changes.filter_map(|change| Some(change.as_str()?.to_owned()));
                Ok(texts.collect::<Vec<_>>())
            }
            Err(client::Error::Refused(report)) => {
                for line in report.lines() {
                    output::talk(&escape(line));
                }
                let message = "nothing was taken up; the network goes on as it is";
                Err(Error::new(Exit::InvalidManifest, message))
            }
            Err(error) => Err(error.into()),
        }
    })?;
    if args.json {
        output::json(&json!({"changes": changes}))?;
    } else if changes.is_empty() {
        output::talk("nothing has changed");
    } else {
        for change in changes {
            output::data(&format!("{}\n", escape(&change)))?;
        }
    }
    Ok(Exit::Ok)
}
