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
/// the manifest asks for, for example listen on a port that another program uses.
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
