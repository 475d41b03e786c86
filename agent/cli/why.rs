//! `norouter why`: explains why a connection works or does not.

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::{
    error::{Error, Exit},
    figures::{latency, span, table},
    output,
    reach::{self, WhichNetwork, host_name, wait_for},
};
use crate::{
    destination::{Destination, Host, Pasted},
    driver::control::Client,
    manager::host_remedy,
    text::{escape, figures::counted},
    view::{HostState, HostView, Snapshot, WhyOutcome, WhyStep, WhyView},
};

/// The greatest number of published ports that are tried if the person has not named one.
const PORTS_MAX: usize = 100;

/// Explain why a connection or a host works or does not, and what to do about it
///
/// Follows the connection from the destination's name to the service, and makes every host on the way test its own part
/// now. Shows the first step that does not work, and its remedy. The test really connects to the service, and closes
/// the connection at once.
///
/// If TARGET is a host of the network without a port, explains what is wrong with that host. If the host is up, also
/// explains the connections to all ports that it publishes. Without TARGET, explains everything that is not well: hosts
/// that are not ready, and published ports that cannot be reached.
///
/// Exits with 5 if a step does not work or a host is not ready. A step about which no host could say anything is shown
/// as unknown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The destination, as NAME:PORT or as a URL: a host of the network, or any name or address that a route leads to.
    /// For a host of the network, the port can be left out
    #[arg(value_name = "TARGET", value_hint = clap::ValueHint::Other, value_parser = reach::pasted)]
    target: Option<Pasted>,
    /// The host where the connection begins, by name, alias or VIP; by default the host of this machine, or else the
    /// first that is up
    #[arg(long, value_name = "HOST", value_hint = clap::ValueHint::Other)]
    from: Option<String>,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write everything as JSON. If TARGET is NAME:PORT or a URL, this is one object that explains the connection;
    /// otherwise, it is an object with "hosts", "notes" and "connections"
    #[arg(long)]
    json: bool,
}

/// The explanation if no port is named.
struct Several {
    /// The hosts that are not ready, or that need attention.
    hosts: Vec<HostView>,
    /// Notes about hosts, each with the name of its host. A note does not mean that the host lacks anything.
    notes: Vec<(String, String)>,
    /// The connections to the published ports of hosts that are up.
    connections: Vec<WhyView>,
    /// The number of published ports that were not tried, because there are more than [`PORTS_MAX`].
    left_out: usize,
    now_ms: u64,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.client().await?;
        let from = host_name(&client, args.from.as_deref()).await?;
        let from = from.as_deref();
        let snapshot = match &args.target {
            Some(Pasted::Whole(target)) => {
                return args.show_one(&client.why(target, from).await?);
            }
            Some(Pasted::Host(_)) | None => client.network().await?.snapshot,
        };
        let about = match &args.target {
            Some(Pasted::Host(host)) => vec![own_host(&snapshot, host)?],
            Some(Pasted::Whole(_)) | None => snapshot.hosts.iter().collect(),
        };
        let found = Several::find(&client, from, &about, snapshot.now_ms).await?;
        args.show_several(&found)
    })
}

impl Args {
    fn show_one(&self, why: &WhyView) -> Result<Exit, Error> {
        if self.json {
            output::json(&serde_json::to_value(why).unwrap_or_default())?;
        } else {
            output::data(&text(why))?;
        }
        Ok(match why.first_failed() {
            None => Exit::Ok,
            Some(_) => Exit::PartlyUp,
        })
    }

    fn show_several(&self, found: &Several) -> Result<Exit, Error> {
        if self.json {
            let (hosts, connections) = (&found.hosts, &found.connections);
            let notes: Vec<_> = found
                .notes
                .iter()
                .map(|(host, note)| json!({"host": host, "note": note}))
                .collect();
            output::json(&json!({"hosts": hosts, "notes": notes, "connections": connections}))?;
        } else {
            output::data(&found.text(self.target.is_some()))?;
        }
        Ok(if found.is_well() {
            Exit::Ok
        } else {
            Exit::PartlyUp
        })
    }
}

/// The host of the network that the person means by a target without a port. Fails for a target outside the network,
/// because such a target needs a port.
fn own_host<'a>(snapshot: &'a Snapshot, host: &Host) -> Result<&'a HostView, Error> {
    reach::pasted_host(snapshot, host)?.ok_or_else(|| {
        let message = format!("{host} is not a host of this network, so a port is needed");
        let hint = format!("add the port: norouter why {host}:443");
        Error::new(Exit::Usage, message).hint(hint)
    })
}

/// Whether a host has to be explained: it is not ready, or it needs attention.
fn is_unwell(host: &HostView) -> bool {
    host.state != HostState::Ready || host.needs_attention()
}

impl Several {
    /// Finds the hosts in `about` that are not well, and tries the published ports of those that are up.
    async fn find(
        client: &Client,
        from: Option<&str>,
        about: &[&HostView],
        now_ms: u64,
    ) -> Result<Self, Error> {
        let up = about.iter().filter(|host| host.state.is_up());
        let mut targets: Vec<_> = up
            .flat_map(|host| host.ports.iter().map(move |port| (&host.name, *port)))
            .collect();
        let left_out = targets.len().saturating_sub(PORTS_MAX);
        targets.truncate(PORTS_MAX);
        let mut connections = Vec::new();
        for (name, port) in targets {
            let host = name.parse().unwrap_or_else(|_| Host::Name(name.clone()));
            connections.push(client.why(&Destination { host, port }, from).await?);
        }
        let unwell = about.iter().filter(|host| is_unwell(host));
        Ok(Self {
            hosts: unwell.map(|host| (*host).clone()).collect(),
            notes: about.iter().flat_map(|host| notes(host)).collect(),
            connections,
            left_out,
            now_ms,
        })
    }

    fn is_well(&self) -> bool {
        let mut connections = self.connections.iter();
        self.hosts.is_empty() && connections.all(|why| why.first_failed().is_none())
    }

    /// The explanations; with `all`, also of connections that work.
    fn text(&self, all: bool) -> String {
        let hosts = self.hosts.iter().map(|host| about_host(host, self.now_ms));
        let notes = self.notes.iter();
        let notes = notes.map(|(host, note)| format!("{}: {}\n", escape(host), escape(note)));
        let mut connections: Vec<_> = self.connections.iter().collect();
        if !all {
            connections.retain(|why| why.first_failed().is_some());
        }
        let connections = connections.into_iter().map(text);
        let mut parts: Vec<String> = hosts.chain(notes).chain(connections).collect();
        if self.left_out > 0 {
            let more = counted(self.left_out, "more published port");
            parts.push(format!(
                "{more} were not tried; name a host to try its ports\n"
            ));
        }
        if self.is_well() && (!all || self.connections.is_empty()) {
            parts.push(match self.connections.len() {
                0 => "Nothing was found that does not work. No published port could be tried.\n"
                    .to_owned(),
                tried => format!(
                    "Nothing was found that does not work. Tried: {}.\n",
                    counted(tried, "published port")
                ),
            });
        }
        parts.join("\n")
    }
}

/// The notes of a host, each with the host's name.
fn notes(host: &HostView) -> impl Iterator<Item = (String, String)> {
    let notes = host.notes.iter().cloned();
    notes.map(|note| (host.name.clone(), note))
}

/// Explains a host that is not well.
fn about_host(host: &HostView, now_ms: u64) -> String {
    let style = AnsiColor::Red.on_default().bold();
    let since = span(now_ms.saturating_sub(host.since_ms));
    let name = escape(&host.name);
    let mut text = format!("{name}: {style}{}{style:#} for {since}", host.state.word());
    if let Some(reason) = &host.reason {
        text += ": ";
        text += &escape(reason);
    }
    let remedy = match host.state {
        HostState::Degraded => {
            format!("correct what the reason says; \"norouter logs {name}\" may say more")
        }
        HostState::Ready if host.held.is_some() => {
            format!("its new command waits for approval: norouter approve {name}")
        }
        HostState::Ready
        | HostState::Starting
        | HostState::Greeting
        | HostState::Configuring
        | HostState::Waiting
        | HostState::NeedsYou
        | HostState::Refused
        | HostState::Stopped => host_remedy(host),
    };
    format!("{text}\n  help: {}\n", escape(&remedy))
}

fn text(why: &WhyView) -> String {
    let rows: Vec<_> = why.steps.iter().map(row).collect();
    let title = format!("{} from {}", escape(&why.target), escape(&why.from));
    let mut lines = vec![title];
    let steps = table(&["", "", ">", ""], &rows).into_iter().skip(1);
    lines.extend(steps.zip(&why.steps).map(|(line, step)| {
        let (mark, style) = mark(step.outcome);
        let rest = line.strip_prefix(mark).unwrap_or(&line);
        format!("  {style}{mark}{style:#}{rest}")
    }));
    let is_unknown = |step: &WhyStep| step.outcome == WhyOutcome::Unknown;
    lines.push(match why.first_failed() {
        Some(failed) => {
            let remedy = failed.remedy.as_deref().unwrap_or_default();
            format!("  help: {}", escape(remedy))
        }
        None if why.steps.iter().any(is_unknown) => {
            let uncertain = "Nothing was found that does not work, but not everything is certain.";
            let remedies = why.steps.iter().filter_map(|step| step.remedy.as_deref());
            let remedies = remedies.map(|remedy| format!("What could help: {}", escape(remedy)));
            let all: Vec<_> = [uncertain.to_owned()].into_iter().chain(remedies).collect();
            all.join("\n")
        }
        None => "Nothing was found that does not work.".to_owned(),
    });
    lines.join("\n") + "\n"
}

fn row(step: &WhyStep) -> Vec<String> {
    vec![
        mark(step.outcome).0.to_owned(),
        escape(&step.step),
        step.took_us.map(latency).unwrap_or_default(),
        escape(&step.text),
    ]
}

/// The word for an outcome, and its style.
fn mark(outcome: WhyOutcome) -> (&'static str, Style) {
    match outcome {
        WhyOutcome::Ok => ("ok", AnsiColor::Green.on_default()),
        WhyOutcome::Failed => ("broken", AnsiColor::Red.on_default().bold()),
        WhyOutcome::Unknown => ("unknown", AnsiColor::Yellow.on_default()),
        WhyOutcome::Skipped => ("-", Style::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Snapshot {
        let host = |name: &str, vip: &str| HostView {
            name: name.to_owned(),
            vip: vip.to_owned(),
            state: HostState::Ready,
            ..HostView::default()
        };
        Snapshot {
            hosts: vec![host("web", "127.0.42.101"), host("db", "127.0.42.102")],
            ..Snapshot::default()
        }
    }

    #[test]
    fn only_a_host_of_the_network_needs_no_port() {
        let network = network();
        let found = |text: &str| own_host(&network, &text.parse().unwrap());
        for called in ["web", "WEB", "web.norouter", "127.0.42.101"] {
            assert_eq!(found(called).unwrap().name, "web", "{called}");
        }
        for (called, exit) in [
            ("wbe", Exit::Failure),
            ("example.org", Exit::Usage),
            ("10.0.0.1", Exit::Usage),
        ] {
            assert_eq!(found(called).unwrap_err().exit(), exit, "{called}");
        }
    }

    #[test]
    fn the_notes_of_hosts_are_shown_and_nothing_is_wrong_for_that() {
        let mut host = network().hosts.remove(0);
        host.notes = vec!["cannot write the files".to_owned()];
        let found = Several {
            hosts: Vec::new(),
            notes: notes(&host).collect(),
            connections: Vec::new(),
            left_out: 0,
            now_ms: 0,
        };
        assert!(found.is_well());
        assert_eq!(
            found.text(false),
            "web: cannot write the files\n\nNothing was found that does not work. No published port could be tried.\n"
        );
    }

    #[test]
    fn a_host_that_is_not_ready_is_explained_with_what_to_do() {
        let mut host = network().hosts.remove(0);
        assert!(!is_unwell(&host));
        host.state = HostState::Stopped;
        host.since_ms = 1_000;
        assert!(is_unwell(&host));
        let told = anstream::adapter::strip_str(&about_host(&host, 61_000)).to_string();
        assert_eq!(
            told,
            "web: stopped for 1 min\n  help: run: norouter start web\n"
        );
    }
}
