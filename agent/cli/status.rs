//! `norouter status`: shows the state of a running network.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use super::{
    error::{Error, Exit},
    figures::{bytes, latency, span, table_of_used},
    host_block::colour,
    output, progress,
    reach::{WhichNetwork, wait_for},
};
use crate::{
    VERSION,
    text::escape,
    view::{HostState, HostView, NetworkView},
};

/// Show the hosts of a running network: state, reason, ports, traffic
///
/// Exits with 5 unless all hosts are ready. A host is not ready if it cannot be reached, or cannot do something that
/// the manifest asks for, for example listen on a port that another program uses.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Show the state again every second, until Ctrl-C or until the network ends
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Write everything as JSON
    #[arg(long)]
    json: bool,
}

/// The interval at which `--watch` shows the state.
const LOOK: Duration = Duration::from_secs(1);

/// The greatest width of a line with a bar, in columns. The table of a whole network takes about as many.
const WIDTH: usize = 100;

/// Moves the cursor to the top left, and erases what is below.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if args.watch {
        return watch(args);
    }
    let network = wait_for(async { Ok(args.network.client().await?.network().await?) })?;
    if args.json {
        output::json(&serde_json::to_value(&network).unwrap_or_default())?;
    } else {
        output::data(&text(&network))?;
    }
    let mut hosts = network.snapshot.hosts.iter();
    let all_ready = hosts.all(|host| host.state == HostState::Ready);
    Ok(if all_ready { Exit::Ok } else { Exit::PartlyUp })
}

fn watch(args: &Args) -> Result<Exit, Error> {
    if !io::stdout().is_terminal() {
        let error = Error::new(
            Exit::Failure,
            "\"status --watch\" needs a terminal to draw on",
        );
        return Err(error.hint("\"norouter events\" writes what changes into a file or a pipe"));
    }
    wait_for(async {
        let client = args.network.client().await?;
        loop {
            let network = text(&client.network().await?);
            let coloured = anstream::AutoStream::choice(&io::stdout());
            let network = match coloured {
                anstream::ColorChoice::Never => anstream::adapter::strip_str(&network).to_string(),
                anstream::ColorChoice::Auto
                | anstream::ColorChoice::AlwaysAnsi
                | anstream::ColorChoice::Always => network,
            };
            output::raw(&format!("{CLEAR}{network}"))?;
            tokio::time::sleep(LOOK).await;
        }
    })
}

fn text(network: &NetworkView) -> String {
    let manifest = network
        .manifest
        .as_ref()
        .map(|manifest| format!(" ({})", escape(manifest)));
    let manifest = manifest.unwrap_or_default();
    let mut lines = vec![format!(
        "{}{manifest}, running for {}, process {}",
        network.network,
        span(network.uptime_ms),
        network.pid
    )];
    lines.extend(other_program(&network.version, VERSION));
    let snapshot = &network.snapshot;
    let hosts = snapshot.hosts.iter();
    let rows = hosts.map(|host| row(host, snapshot.now_ms)).collect();
    lines.extend(table_of_used(&TITLES, &["ALIASES"], rows));
    for host in &network.snapshot.hosts {
        if let Some(reason) = &host.reason {
            let style = colour(host.state);
            let next = host.retry.map(|retry| retry.at(snapshot.now_ms));
            let next = next.map_or_else(String::new, |next| format!("; {next}"));
            lines.push(format!(
                "{}: {style}{}{style:#}{next}",
                host.name,
                escape(reason)
            ));
        }
        let instance = host.instance.iter();
        lines.extend(instance.map(|name| format!("{}: it is in {}", host.name, escape(name))));
        let install = host.install.iter();
        lines.extend(install.map(|install| {
            let name = &host.name;
            let room = WIDTH.saturating_sub(name.len() + 3);
            format!("{name}: {}", progress::line(install, room))
        }));
        let notes = host.notes.iter();
        lines.extend(notes.map(|note| format!("{}: {}", host.name, escape(note))));
        lines.extend(complaints(host, network.snapshot.now_ms));
        if !host.prompts.is_empty() {
            let name = &host.name;
            lines.push(format!("{name}: \"norouter answer {name}\" answers that"));
        }
        lines.extend(other_version(host, network));
    }
    if let Some(unapplied) = &snapshot.unapplied {
        let since = span(snapshot.now_ms.saturating_sub(unapplied.since_ms));
        lines.push(format!(
            "the manifest on disk has had errors for {since}, and was not applied:"
        ));
        let report = unapplied.report.lines();
        lines.extend(report.map(|line| format!("  {}", escape(line))));
    }
    if let Some(change) = &snapshot.held {
        lines.push(
            "the manifest has changed; \"norouter approve\" takes that up, and grants:".to_owned(),
        );
        let grants = change.grants.iter();
        lines.extend(grants.map(|grant| format!("  {}", escape(grant))));
    }
    lines.join("\n") + "\n"
}

/// One line for each service of a host that did not accept the last connection to it.
fn complaints(host: &HostView, now_ms: u64) -> impl Iterator<Item = String> {
    host.tried.iter().filter_map(move |tried| {
        let service = format!("{}:{}", host.name, tried.port);
        let ago = span(now_ms.saturating_sub(tried.at_ms));
        let complaint = tried.outcome.complaint()?;
        Some(format!(
            "{service} {complaint}, {ago} ago; \"norouter why {service}\" says more"
        ))
    })
}

/// A note about a network that another version of the program runs. The network and its agents keep that version,
/// although the file on the disk is another one.
fn other_program(network: &str, program: &str) -> Option<String> {
    (network != program).then(|| {
        format!(
            "norouter {} runs this network, but this is norouter {program}: end the network and start it again to use that",
            escape(network)
        )
    })
}

/// A note about an agent that has another version than the manager; `None` if the versions are the same.
fn other_version(host: &HostView, network: &NetworkView) -> Option<String> {
    let version = host.version.as_ref()?;
    (*version != network.version).then(|| {
        let what = if is_in_go(version) {
            " (the program in Go, which answers no heartbeats)"
        } else {
            ""
        };
        format!(
            "{}: its agent has version {}{what}, and this network {}",
            host.name,
            escape(version),
            escape(&network.version)
        )
    })
}

/// Whether a version number is that of the former program, which was written in Go. Its last version was 0.6.
fn is_in_go(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let minor = version.strip_prefix("0.");
    let minor = minor.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor < 7))
}

/// The titles of the columns of [`row`].
const TITLES: [&str; 10] = [
    "HOST",
    "ALIASES",
    "ADDRESS",
    "STATE",
    ">SINCE",
    ">RTT",
    "PORTS",
    ">FLOWS",
    ">SENT",
    ">RECEIVED",
];

fn row(host: &HostView, now_ms: u64) -> Vec<String> {
    let ports: Vec<_> = host.ports.iter().map(u16::to_string).collect();
    let style = colour(host.state);
    vec![
        host.name.clone(),
        host.aliases.join(" "),
        host.vip.clone(),
        format!("{style}{}{style:#}", host.state.word()),
        span(now_ms.saturating_sub(host.since_ms)),
        host.latency_us.map(latency).unwrap_or_default(),
        ports.join(" "),
        host.traffic.flows.to_string(),
        bytes(host.traffic.bytes_from),
        bytes(host.traffic.bytes_to),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Retry, Snapshot, TriedPort, TryOutcome, Unapplied};

    #[test]
    fn only_services_that_did_not_take_the_last_connection_have_a_line() {
        let tried = |port, outcome, at_ms| TriedPort {
            port,
            outcome,
            at_ms,
        };
        let host = HostView {
            name: "web1".to_owned(),
            tried: vec![
                tried(80, TryOutcome::Answered, 1_000),
                tried(8080, TryOutcome::Refused, 8_000),
                tried(8443, TryOutcome::TimedOut, 20_000),
            ],
            ..HostView::default()
        };
        let lines: Vec<_> = complaints(&host, 20_000).collect();
        assert_eq!(
            lines,
            [
                "web1:8080 refused the last connection, 12 s ago; \"norouter why web1:8080\" says more",
                "web1:8443 did not answer the last connection, 0 s ago; \"norouter why web1:8443\" says more",
            ]
        );
    }

    #[test]
    fn since_when_and_how_fast_and_what_is_not_applied_is_shown() {
        let host = |name: &str, version: &str| HostView {
            name: name.to_owned(),
            vip: "127.0.42.101".to_owned(),
            state: HostState::Ready,
            since_ms: 1_000,
            latency_us: Some(1_250),
            version: Some(version.to_owned()),
            ..HostView::default()
        };
        let mut db = host("db", "1.0.0");
        db.aliases = vec!["store".to_owned()];
        db.notes = vec!["cannot write the files: no space left".to_owned()];
        let mut old = host("old", "0.6.5");
        (old.state, old.reason) = (HostState::Waiting, Some("gone".to_owned()));
        old.retry = Some(Retry {
            attempt: 3,
            at_ms: 65_000,
            pause_ms: 8_000,
        });
        let network = NetworkView {
            network: "office".to_owned(),
            manifest: None,
            version: "2.0.0".to_owned(),
            pid: 7,
            uptime_ms: 61_000,
            snapshot: Snapshot {
                now_ms: 61_000,
                hosts: vec![host("web", "2.0.0"), db, old],
                held: None,
                unapplied: Some(Unapplied {
                    since_ms: 1_000,
                    report: "error: x\n  --> office.yaml:3".to_owned(),
                }),
            },
        };
        let text = text(&network);
        assert!(
            text.contains("\u{1b}[32mready\u{1b}[0m     1 min  1.2 ms"),
            "{text}"
        );
        assert!(
            text.contains("db: its agent has version 1.0.0, and this network 2.0.0\n"),
            "{text}"
        );
        assert!(
            text.contains("old: \u{1b}[31mgone\u{1b}[0m; attempt 3 in 4 s\n"),
            "{text}"
        );
        assert!(
            text.contains("db: cannot write the files: no space left\n"),
            "{text}"
        );
        assert!(
            text.contains("old: its agent has version 0.6.5 (the program in Go, "),
            "{text}"
        );
        assert!(text.contains("web            127.0.42.101"), "{text}");
        assert!(text.contains("db    store    127.0.42.101"), "{text}");
        assert!(!text.contains("web: its agent"), "{text}");
        assert!(
            text.contains("\nnorouter 2.0.0 runs this network, but this is norouter "),
            "{text}"
        );
        assert_eq!(other_program("2.0.0", "2.0.0"), None);
        assert!(
            text.ends_with(
                "the manifest on disk has had errors for 1 min, and was not applied:\n  error: x\n    --> office.yaml:3\n"
            ),
            "{text}"
        );
    }
}
