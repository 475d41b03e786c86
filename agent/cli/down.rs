//! `norouter down`: ends a running network.

use std::time::Duration;

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{WhichNetwork, wait_for},
};
use crate::driver::control::Client;

/// How long a network may take to end. The network gives each of its hosts a few seconds.
const END_MAX: Duration = Duration::from_secs(30);

/// The interval at which the command checks whether the network has ended.
const LOOK: Duration = Duration::from_millis(20);

/// End a running network, and wait until it has ended
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let name = wait_for(async {
        let client = match args.network.own_client().await {
            Err(_) if !args.network.is_named() && Client::running().await.is_empty() => {
                let message = "no network runs, so there is none to end";
                return Err(Error::new(Exit::NoManager, message));
            }
            client => client?,
        };
        client.post("/v1/down").await?;
        // The command polls instead of waiting for an event, because other programs may already be reading events and
        // occupy all seats for that.
        let ended = async {
            while client.runs().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        let in_time = tokio::time::timeout(END_MAX, ended).await;
        in_time.map_err(|_| {
            let (name, limit) = (client.name(), END_MAX.as_secs());
            Error::new(
                Exit::Failure,
                format!("the network {name} has not ended within {limit} s"),
            )
            .hint("\"norouter status\" shows which host holds it up")
        })?;
        Ok(client.name().to_string())
    })?;
    if args.json {
        output::json(&json!({"ended": name}))?;
    } else {
        output::talk(&format!("the network {name} has ended"));
    }
    Ok(Exit::Ok)
}
