//! `norouter logs`: what the hosts of a running network have written and done.

use super::{
    error::{Error, Exit},
    events::line,
    output,
    reach::{Reach, json_line, wait_for},
};
use crate::{
    driver::control::client::News,
    view::{LogLine, LogView},
};

/// Show the log of a running network: what hosts write to standard error, how they change, warnings
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the lines of this host
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// Go on with new lines, until the network ends
    #[arg(short, long)]
    follow: bool,
    /// How many of the last lines to show
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 100)]
    lines: usize,
    #[command(flatten)]
    reach: Reach,
    /// Write one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.reach.client().await?;
        let mut query = format!("/v1/logs?limit={}", args.lines);
        if let Some(host) = &args.host {
            let hosts = client.network().await?.snapshot.hosts;
            let names: Vec<_> = hosts.into_iter().map(|host| host.name).collect();
            if !names.contains(host) {
                let message = format!("there is no host {host} in the network {}", client.name());
                return Err(Error::new(Exit::Failure, message)
                    .hint(format!("it has: {}", names.join(", "))));
            }
            query += "&host=";
            query += host;
        }
        let log: LogView = client.get(&query).await?;
        for line in &log.lines {
            args.show(line)?;
        }
        if args.follow {
            let mut events = client.events(Some(log.last)).await?;
            while let Some(news) = events.next().await? {
                match news {
                    News::Event(line) => args.show(&line)?,
                    News::Missed(count) => output::talk(&format!("({count} lines came too fast)")),
                    News::Snapshot(_) | News::Host(_) => {}
                }
            }
        }
        Ok(Exit::Ok)
    })
}

impl Args {
    fn show(&self, log: &LogLine) -> Result<(), Error> {
        if self
            .host
            .as_ref()
            .is_some_and(|host| log.event.host() != Some(host))
        {
            return Ok(());
        }
        if self.json {
            json_line(log)
        } else {
            Ok(output::data(&line(log))?)
        }
    }
}
