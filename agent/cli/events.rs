//! `norouter events`: shows the events of a running network as they happen.

use serde_json::json;

use super::{
    error::{Error, Exit},
    local_time::stamp,
    output,
    reach::{WhichNetwork, json_line, wait_for},
};
use crate::{driver::control::client::StreamItem, text::escape, view::LogLine};

/// Show the events of a running network as they happen, until it ends
///
/// With --json, each line is {"event": NAME, "data": ...}. NAME is "snapshot" in the first line, whose data is the
/// whole state. In later lines it is "host" (the new state of a host), "event" (a line of the log), or "missed" (the
/// number of events that were lost because they came too fast).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Write JSON lines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let mut events = args.network.client().await?.events(None).await?;
        while let Some(item) = events.next().await? {
            if args.json {
                json_line(&match item {
                    StreamItem::Snapshot(network) => json!({"event": "snapshot", "data": network}),
                    StreamItem::Host(host) => json!({"event": "host", "data": host}),
                    StreamItem::Event(line) => json!({"event": "event", "data": line}),
                    StreamItem::Missed(count) => {
                        json!({"event": "missed", "data": {"count": count}})
                    }
                })?;
                continue;
            }
            match item {
                StreamItem::Snapshot(network) => {
                    let hosts = network.snapshot.hosts.iter();
                    let states = hosts.map(|host| format!("{} {}", host.name, host.state.word()));
                    let states = states.collect::<Vec<_>>().join(", ");
                    output::data(&format!("{}: {states}\n", network.network))?;
                }
                StreamItem::Event(event) => output::data(&line(&event))?,
                StreamItem::Missed(count) => {
                    output::data(&format!("({count} events came too fast)\n"))?;
                }
                // A log line about the same change is shown instead.
                StreamItem::Host(_) => {}
            }
        }
        Ok(Exit::Ok)
    })
}

/// Formats one line of the log for people.
pub(super) fn line(line: &LogLine) -> String {
    format!("{} {}\n", stamp(line.time_ms), escape(&line.event.line()))
}
