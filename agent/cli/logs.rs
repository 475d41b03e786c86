//! `norouter logs`: shows the log of a running network.

use std::time::Duration;

use super::{
    error::{Error, Exit},
    events::line,
    local_time::Clock,
    output,
    reach::{WhichNetwork, host_name, json_line, wait_for},
};
use crate::{
    driver::control::client::StreamItem,
    view::{LogLine, LogView},
};

/// Show the log of a running network: standard error of hosts, changes of their states, warnings
///
/// On a terminal, times are those of your zone; in a file, a pipe and JSON they are in UTC.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the lines of the host with this name, alias or VIP
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other)]
    host: Option<String>,
    /// Go on showing new lines until the network ends
    #[arg(short, long)]
    follow: bool,
    /// How many of the last lines to show. By default 100; if --since is given, all lines that are kept
    #[arg(short = 'n', long, value_name = "COUNT")]
    lines: Option<usize>,
    /// Only the lines since TIME: a time in your zone, such as 12:15 or "2026-11-23 12:15", or a span before now, such
    /// as 90s, 5m, 2h or 1d (a number alone means seconds)
    #[arg(long, value_name = "TIME", value_parser = begin)]
    since: Option<u64>,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write one JSON object per line
    #[arg(long)]
    json: bool,
}

/// How many lines are shown by default.
const LINES: usize = 100;

/// A limit that is at least as high as the number of lines that a manager keeps.
const KEPT_MAX: usize = 5_000;

/// The longest span of `--since`.
const SINCE_MAX: Duration = Duration::from_hours(24 * 366);

/// The time, in milliseconds since 1970, that a person has given as a span or as a time.
fn begin(text: &str) -> Result<u64, String> {
    let clock = Clock::now();
    if let Some(time) = clock.meant(text) {
        return Ok(time);
    }
    let millis = u64::try_from(span(text)?.as_millis()).unwrap_or(u64::MAX);
    Ok(clock.now_ms().saturating_sub(millis))
}

/// Parses a time span: a number with the unit s, m, h or d; without a unit, seconds.
fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let seconds = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => {
            return Err(
                "write a span with the unit s, m, h or d, like 5m, or a time, like 12:15"
                    .to_owned(),
            );
        }
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a number and a unit, like 5m, or a time, like 12:15".to_owned())?;
    let span = Duration::from_secs(number.saturating_mul(seconds));
    if span > SINCE_MAX {
        return Err("a year at most".to_owned());
    }
    Ok(span)
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.client().await?;
        let lines = args.lines.unwrap_or(match args.since {
            Some(_) => KEPT_MAX,
            None => LINES,
        });
        let mut query = format!("/v1/logs?limit={lines}");
        let host = host_name(&client, args.host.as_deref()).await?;
        let host = host.as_deref();
        if let Some(host) = host {
            query += "&host=";
            query += host;
        }
        let log: LogView = client.get(&query).await?;
        let begin = args.since.unwrap_or(0);
        for line in log.lines.iter().filter(|line| line.time_ms >= begin) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            ("2h", 7_200),
            ("1d", 86_400),
        ] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "5 m",
            "-5m",
            "5w",
            "5m5",
            "99999999999999999999d",
            "999999d",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
