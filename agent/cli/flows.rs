//! `norouter flows`: shows the connections inside a running network.

use std::cmp::Reverse;

use super::{
    error::{Error, Exit},
    figures::{bytes, latency, rate, span, table},
    output,
    reach::{WhichNetwork, host_name, wait_for},
};
use crate::view::{FlowView, FlowsView};

/// Show the connections inside a running network
///
/// The traffic is counted by the manager, so that the figures do not depend on the agents. RTT is how long the
/// handshake took: the way through the network, the dial at the far end, and the way back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Only connections that begin or end at the host with this name, alias or VIP
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The order of the connections
    #[arg(long, value_enum, default_value_t = Order::Rate)]
    sort: Order,
    /// The greatest number of connections to show; if there are more, the most recently used ones are shown
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    limit: usize,
    /// Reset the connection with this id at both of its ends; --json shows the ids
    #[arg(long, value_name = "ID")]
    kill: Option<String>,
    /// Write everything as JSON
    #[arg(long)]
    json: bool,
}

/// The orders in which connections can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Order {
    /// The highest rate first
    Rate,
    /// The most bytes first
    Bytes,
    /// The oldest first
    Age,
    /// The slowest handshake first
    Rtt,
    /// By destination
    Name,
}

impl Order {
    /// Sorts flows in this order.
    pub(super) fn sort(self, flows: &mut [FlowView]) {
        match self {
            Self::Rate => flows.sort_by_key(|flow| Reverse(flow.rate_from + flow.rate_to)),
            Self::Bytes => flows.sort_by_key(|flow| Reverse(flow.bytes_from + flow.bytes_to)),
            Self::Age => flows.sort_by_key(|flow| Reverse(flow.age_ms)),
            Self::Rtt => flows.sort_by_key(|flow| Reverse(flow.rtt_us)),
            Self::Name => flows.sort_by(|a, b| (&a.name, &a.from).cmp(&(&b.name, &b.from))),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let flows = wait_for(async {
        let client = args.network.client().await?;
        if let Some(id) = &args.kill {
            client.delete(&format!("/v1/flows/{id}")).await?;
            return Ok(None);
        }
        let host = host_name(&client, args.host.as_deref()).await?;
        let path = format!("/v1/flows?limit={}", args.limit);
        Ok(Some((client.get::<FlowsView>(&path).await?, host)))
    })?;
    let Some((mut view, host)) = flows else {
        if args.json {
            output::json(&serde_json::json!({"killed": args.kill}))?;
        }
        return Ok(Exit::Ok);
    };
    if let Some(host) = host {
        view.flows
            .retain(|flow| flow.from == host || flow.to == host);
    }
    args.sort.sort(&mut view.flows);
    if args.json {
        output::json(&serde_json::to_value(&view).unwrap_or_default())?;
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = view.flows.iter().map(row).collect();
    output::data(&(table(&TITLES, &rows).join("\n") + "\n"))?;
    if args.host.is_none() && view.total > rows.len() {
        output::talk(&format!(
            "and {} more; --limit shows them",
            view.total - rows.len()
        ));
    }
    Ok(Exit::Ok)
}

/// The titles of the columns of [`row`].
pub(super) const TITLES: [&str; 11] = [
    "FROM",
    "TO",
    "VIA",
    "RULE",
    "STATE",
    ">SENT",
    ">RECEIVED",
    ">OUT",
    ">IN",
    ">RTT",
    ">AGE",
];

/// The cells of one connection's row.
pub(super) fn row(flow: &FlowView) -> Vec<String> {
    vec![
        begin(flow),
        flow.name.clone(),
        flow.via.clone().unwrap_or_default(),
        flow.rule.clone().unwrap_or_default(),
        flow.state.word().to_owned(),
        bytes(flow.bytes_from),
        bytes(flow.bytes_to),
        rate(flow.rate_from),
        rate(flow.rate_to),
        flow.rtt_us.map(latency).unwrap_or_default(),
        span(flow.age_ms),
    ]
}

/// The endpoint that began a connection: `laptop:49152`.
pub(super) fn begin(flow: &FlowView) -> String {
    match flow.src.rsplit_once(':') {
        Some((_, port)) => format!("{}:{port}", flow.from),
        None => flow.from.clone(),
    }
}
