//! `norouter ls`: lists the networks that run.

use serde_json::{Value, json};

use super::{
    error::{Error, Exit},
    figures::{span, table},
    output,
    reach::wait_for,
};
use crate::{
    driver::control::{Client, client},
    text::escape,
    view::{HostState, NetworkView},
};

/// List your networks that run on this machine
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write the list as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let around = wait_for(async { Ok(Client::around().await) })?;
    if args.json {
        let networks = around
            .iter()
            .map(|(client, network)| value(client, network));
        output::json(&networks.collect())?;
        return Ok(Exit::Ok);
    }
    if around.is_empty() {
        output::talk("no network runs; \"norouter FILE\" starts one");
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = around
        .iter()
        .map(|(client, network)| row(client, network))
        .collect();
    let lines = table(&["NETWORK", "READY", ">SINCE", "MANIFEST"], &rows);
    output::data(&(lines.join("\n") + "\n"))?;
    for (_, network) in &around {
        if let Err(error) = network {
            output::talk(&escape(&error.to_string()));
        }
    }
    Ok(Exit::Ok)
}

/// How many hosts of a network are ready, and how many there are.
fn ready(network: &NetworkView) -> (usize, usize) {
    let hosts = &network.snapshot.hosts;
    let ready = hosts.iter().filter(|host| host.state == HostState::Ready);
    (ready.count(), hosts.len())
}

fn row(client: &Client, network: &Result<NetworkView, client::Error>) -> Vec<String> {
    let name = client.name().to_string();
    let Ok(network) = network else {
        return vec![name, "?".to_owned(), "?".to_owned(), "?".to_owned()];
    };
    let (ready, all) = ready(network);
    let manifest = network.manifest.as_deref().unwrap_or("-");
    vec![
        name,
        format!("{ready}/{all}"),
        span(network.uptime_ms),
        escape(manifest),
    ]
}

fn value(client: &Client, network: &Result<NetworkView, client::Error>) -> Value {
    let name = client.name().to_string();
    match network {
        Ok(network) => {
            let (ready, all) = ready(network);
            json!({
                "network": name,
                "manifest": network.manifest,
                "ready": ready,
                "hosts": all,
                "uptimeMs": network.uptime_ms,
                "pid": network.pid,
            })
        }
        Err(error) => json!({"network": name, "error": error.to_string()}),
    }
}
