//! `norouter start`, `stop` and `restart`: one host of a running network.

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{Reach, wait_for},
};
use crate::view::HostAction;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name, an alias or the VIP of the host
    #[arg(value_name = "HOST")]
    host: String,
    #[command(flatten)]
    reach: Reach,
    /// Write what was done as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(action: HostAction, args: &Args) -> Result<Exit, Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if args.host.is_empty() || !args.host.chars().all(fits) {
        let message = format!("{:?} cannot be the name of a host", args.host);
        return Err(Error::new(Exit::Usage, message).hint("\"norouter status\" lists the hosts"));
    }
    wait_for(async {
        let client = args.reach.client().await?;
        client.host(&args.host, action).await?;
        Ok(())
    })?;
    if args.json {
        output::json(&json!({"host": args.host, "asked": action.word()}))?;
    } else {
        output::talk(&format!("{}: asked to {action}", args.host));
    }
    Ok(Exit::Ok)
}
