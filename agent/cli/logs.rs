//! `norouter logs`: shows the log of a running network.

use super::{
    error::{Error, Exit},
    events::line,
    output,
    reach::{WhichNetwork, host_name, json_line, wait_for},
};
use crate::{
    driver::control::client::StreamItem,
    view::{LogLine, LogView},
};

/// Show the log of a running network: standard error of hosts, changes of their states, warnings
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the lines of the host with this name, alias or VIP
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// Go on showing new lines until the network ends
    #[arg(short, long)]
    follow: bool,
    /// How many of the last lines to show
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 100)]
    lines: usize,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.client().await?;
        let mut query = format!("/v1/logs?limit={}", args.lines);
        let host = host_name(&client, args.host.as_deref()).await?;
        let host = host.as_deref();
        if let Some(host) = host {
            query += "&host=";
            query += host;
        }
        let log: LogView = client.get(&query).await?;
        for line in &log.lines {
            args.show(line, host)?;
        }
        if args.follow {
            let mut events = client.events(Some(log.last)).await?;
            while let Some(item) = events.next().await? {
                match item {
                    StreamItem::Event(line) => args.show(&line, host)?,
                    StreamItem::Missed(count) => {
                        output::talk(&format!("({count} lines came too fast)"));
                    }
                    StreamItem::Snapshot(_) | StreamItem::Host(_) => {}
                }
            }
        }
        Ok(Exit::Ok)
    })
}

impl Args {
    /// Shows a line if it is about `host`, or if `host` is `None`.
    fn show(&self, log: &LogLine, host: Option<&str>) -> Result<(), Error> {
        if host.is_some() && log.event.host() != host {
            return Ok(());
        }
        if self.json {
            json_line(log)
        } else {
            Ok(output::data(&line(log))?)
        }
    }
}
