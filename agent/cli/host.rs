//! `norouter start`, `stop` and `restart`: one host of a running network.

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{self, Reach, wait_for},
};

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

/// What to do with the host.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Start,
    Stop,
    Restart,
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

pub(super) fn run(what: What, args: &Args) -> Result<Exit, Error> {
    let name = wait_for(async {
        let client = args.reach.client().await?;
        let snapshot = client.network().await?.snapshot;
        let host = reach::host(&snapshot, &args.host)?;
        let path = format!("/v1/hosts/{}/{}", host.vip, what.word());
        client.post(&path).await?;
        Ok(host.name.clone())
    })?;
    if args.json {
        output::json(&json!({"host": name, "asked": what.word()}))?;
    } else {
        output::talk(&format!("{name}: asked to {}", what.word()));
    }
    Ok(Exit::Ok)
}
