//! `norouter status`: shows the state of a running network.

use super::{
    error::{Error, Exit},
    figures::{bytes, span, table},
    output,
    reach::{WhichNetwork, wait_for},
};
use crate::{
    text::escape,
    view::{HostState, HostView, NetworkView},
};

/// Show the hosts of a running network: state, reason, ports, traffic
///
/// Exits with 5 unless all hosts are ready. A host is not ready if it cannot be reached, or cannot do something that
/// the manifest asks for, such as listening on a port that another program has.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Write everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
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
    let titles = [
        "HOST",
        "ADDRESS",
        "STATE",
        "PORTS",
        ">FLOWS",
        ">SENT",
        ">RECEIVED",
    ];
    let rows: Vec<_> = network.snapshot.hosts.iter().map(row).collect();
    lines.extend(table(&titles, &rows));
    for host in &network.snapshot.hosts {
        if let Some(reason) = &host.reason {
            lines.push(format!("{}: {}", host.name, escape(reason)));
        }
        lines.extend(complaints(host, network.snapshot.now_ms));
        if !host.prompts.is_empty() {
            let name = &host.name;
            lines.push(format!("{name}: \"norouter answer {name}\" answers that"));
        }
    }
    if let Some(change) = &network.snapshot.held {
        lines.push(
            "the manifest has changed; \"norouter approve\" takes that up, and grants:".to_owned(),
        );
        let grants = change.grants.iter();
        lines.extend(grants.map(|grant| format!("  {}", escape(grant))));
    }
    lines.join("\n") + "\n"
}

/// The services of a host that did not take the last connection to them.
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

fn row(host: &HostView) -> Vec<String> {
    let ports: Vec<_> = host.ports.iter().map(u16::to_string).collect();
    vec![
        host.name.clone(),
        host.vip.clone(),
        host.state.word().to_owned(),
        ports.join(" "),
        host.traffic.flows.to_string(),
        bytes(host.traffic.bytes_from),
        bytes(host.traffic.bytes_to),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{TriedPort, TryOutcome};

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
}
