//! `norouter start`, `stop` and `restart`: one host of a running network.

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{Reach, wait_for},
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
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if args.host.is_empty() || !args.host.chars().all(fits) {
        let message = format!("{:?} cannot be the name of a host", args.host);
        return Err(Error::new(Exit::Usage, message).hint("\"norouter status\" lists the hosts"));
    }
    wait_for(async {
        let client = args.reach.client().await?;
        let path = format!("/v1/hosts/{}/{}", args.host, what.word());
        client.post(&path).await?;
        Ok(())
    })?;
    if args.json {
        output::json(&json!({"host": args.host, "asked": what.word()}))?;
    } else {
        output::talk(&format!("{}: asked to {}", args.host, what.word()));
    }
    Ok(Exit::Ok)
}
