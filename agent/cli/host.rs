//! `norouter start`, `stop` and `restart`: control one host of a running network.

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{self, WhichNetwork, wait_for},
};
use crate::view::HostAction;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name, an alias or the VIP of the host
    #[arg(value_name = "HOST")]
    host: String,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write as JSON which host was asked to do what
    #[arg(long)]
    json: bool,
}

pub(super) fn run(action: HostAction, args: &Args) -> Result<Exit, Error> {
    let name = wait_for(async {
        let client = args.network.client().await?;
        let snapshot = client.network().await?.snapshot;
        let host = reach::host(&snapshot, &args.host)?;
        client.host(&host.vip, action).await?;
        Ok(host.name.clone())
    })?;
    if args.json {
        output::json(&json!({"host": name, "asked": action.word()}))?;
    } else {
        output::talk(&format!("{name}: asked to {action}"));
    }
    Ok(Exit::Ok)
}
