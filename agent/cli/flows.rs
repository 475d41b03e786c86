//! `norouter flows`: shows the connections inside a running network.

use std::cmp::Reverse;

use super::{
    error::{Error, Exit},
    figures::{bytes, latency, rate, span, table_of_used},
    output,
    reach::{WhichNetwork, host_name, wait_for},
};
use crate::{
    text::{escape, quote},
    view::{EndedFlowView, EndedFlowsView, FlowView, FlowsView, parse_flow_id},
};

/// Show the connections inside a running network
///
/// The manager counts the traffic, so the figures do not depend on the agents. RTT is how long the handshake took: the
/// way through the network, the dial at the far end, and the way back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    network: WhichNetwork,
    /// Only connections that begin or end at the host with this name, alias or VIP
    #[arg(long, value_name = "HOST", value_hint = clap::ValueHint::Other)]
    host: Option<String>,
    /// The order of the connections
    #[arg(long, value_enum, default_value_t = Order::Rate)]
    sort: Order,
    /// The greatest number of connections to show; if there are more, the most recently used ones are shown
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    limit: usize,
    /// Reset one connection at both of its ends. ID is the text in the column FROM, such as laptop:49152. If several
    /// connections have the same FROM, write FROM-TO. The "id" from --json works, too
    #[arg(long, value_name = "ID")]
    kill: Option<String>,
    /// Instead, show the connections that have ended last (at most 1000) with their outcomes, the newest first
    #[arg(long, conflicts_with_all = ["sort", "kill"])]
    ended: bool,
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
    if args.ended {
        return run_ended(args);
    }
    let flows = wait_for(async {
        if let Some(id) = &args.kill {
            let client = args.network.own_client().await?;
            let id = match parse_flow_id(id) {
                Some(_) => id.clone(),
                None => meant(&client.get::<FlowsView>("/v1/flows").await?.flows, id)?,
            };
            client.delete(&format!("/v1/flows/{id}")).await?;
            return Ok(None);
        }
        let client = args.network.client().await?;
        let host = host_name(&client, args.host.as_deref()).await?;
        let path = format!("/v1/flows?limit={}", args.limit);
        Ok(Some((client.get::<FlowsView>(&path).await?, host)))
    })?;
    let Some((mut view, host)) = flows else {
        if args.json {
            output::json(&serde_json::json!({"killed": args.kill}))?;
        } else if let Some(id) = &args.kill {
            output::talk(&format!("the connection {} was ended", escape(id)));
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
    if view.flows.is_empty() {
        output::talk(match args.host {
            Some(_) => "no connections begin or end at that host now; --ended shows the last ones",
            None => "no connections are open in this network; --ended shows the last ones",
        });
        return Ok(Exit::Ok);
    }
    output::data(&(lines(&view.flows.iter().collect::<Vec<_>>()).join("\n") + "\n"))?;
    if args.host.is_none() && view.total > view.flows.len() {
        output::talk(&format!(
            "and {} more; --limit shows them",
            view.total - view.flows.len()
        ));
    }
    Ok(Exit::Ok)
}

/// Shows the connections that have ended last.
fn run_ended(args: &Args) -> Result<Exit, Error> {
    let (mut view, host) = wait_for(async {
        let client = args.network.client().await?;
        let host = host_name(&client, args.host.as_deref()).await?;
        let view = client.get::<EndedFlowsView>("/v1/flows/ended").await?;
        Ok((view, host))
    })?;
    if let Some(host) = host {
        view.ended
            .retain(|flow| flow.from == host || flow.to.as_ref() == Some(&host));
    }
    let older = view.ended.len().saturating_sub(args.limit);
    view.ended.drain(..older);
    if args.json {
        output::json(&serde_json::to_value(&view).unwrap_or_default())?;
        return Ok(Exit::Ok);
    }
    if view.ended.is_empty() {
        output::talk("no connections have ended yet");
        return Ok(Exit::Ok);
    }
    let newest_first = view.ended.iter().rev();
    let rows = newest_first.map(|flow| ended_row(flow, view.now_ms));
    let lines = table_of_used(&ENDED_TITLES, &OPTIONAL, rows.collect());
    output::data(&(lines.join("\n") + "\n"))?;
    Ok(Exit::Ok)
}

/// The titles of the columns of [`ended_row`].
const ENDED_TITLES: [&str; 9] = [
    "FROM",
    "TO",
    "VIA",
    "OUTCOME",
    ">SENT",
    ">RECEIVED",
    ">RTT",
    ">LASTED",
    ">AGO",
];

/// The cells of the row of a connection that has ended.
fn ended_row(flow: &EndedFlowView, now_ms: u64) -> Vec<String> {
    vec![
        endpoint(&flow.from, &flow.src),
        flow.name.clone(),
        flow.via.clone().unwrap_or_default(),
        flow.outcome.words().to_owned(),
        bytes(flow.bytes_from),
        bytes(flow.bytes_to),
        flow.rtt_us.map(latency).unwrap_or_default(),
        lasted(flow.lasted_ms),
        span(now_ms.saturating_sub(flow.ended_ms)),
    ]
}

/// Formats how long a connection lasted. A time below ten seconds is shown with fractions of a second, because most
/// connections last only a few seconds.
fn lasted(millis: u64) -> String {
    match millis {
        0..10_000 => latency(millis * 1_000),
        _ => span(millis),
    }
}

/// The id of the one connection that `text` can mean. The text names the endpoint where the connection begins, or both
/// endpoints: `laptop:49152`, `127.0.42.100:49152`, `laptop:49152-web:8080`.
fn meant(flows: &[FlowView], text: &str) -> Result<String, Error> {
    let is_meant = |flow: &&FlowView| {
        let begins = [begin(flow), flow.src.clone()];
        begins
            .iter()
            .any(|begin| begin == text || format!("{begin}-{}", flow.name) == text)
    };
    let mut found = flows.iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(flow), None) => Ok(flow.id.clone()),
        (Some(flow), Some(_)) => {
            let message = format!("several connections begin at {}", quote(text));
            Err(Error::new(Exit::Failure, message).hint(format!(
                "name both ends, as in: norouter flows --kill {text}-{}",
                flow.name
            )))
        }
        (None, _) => {
            let message = format!("no connection begins at {}; it may have ended", quote(text));
            Err(Error::new(Exit::Failure, message).hint("\"norouter flows\" lists them"))
        }
    }
}

/// The table of connections with its titles.
pub(super) fn lines(flows: &[&FlowView]) -> Vec<String> {
    table_of_used(
        &TITLES,
        &OPTIONAL,
        flows.iter().map(|flow| row(flow)).collect(),
    )
}

/// The columns that are omitted if they are empty for all connections.
const OPTIONAL: [&str; 2] = ["VIA", "RULE"];

/// The titles of the columns of [`row`].
const TITLES: [&str; 11] = [
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
fn row(flow: &FlowView) -> Vec<String> {
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
    endpoint(&flow.from, &flow.src)
}

/// An endpoint with the name of its host: `HOST:PORT`. The port is taken from `address`.
fn endpoint(host: &str, address: &str) -> String {
    match address.rsplit_once(':') {
        Some((_, port)) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{FlowOutcome, FlowState};

    #[test]
    fn an_ended_connection_is_a_row_with_its_outcome_and_the_time_since() {
        let flow = EndedFlowView {
            id: "127.0.42.100:4000-127.0.42.101:8080".to_owned(),
            from: "laptop".to_owned(),
            to: Some("web1".to_owned()),
            src: "127.0.42.100:4000".to_owned(),
            dst: "127.0.42.101:8080".to_owned(),
            name: "web1:8080".to_owned(),
            via: None,
            outcome: FlowOutcome::ResetByTo,
            bytes_from: 300,
            bytes_to: 2_300,
            lasted_ms: 40,
            ended_ms: 8_000,
            rtt_us: Some(1_500),
        };
        let row = ended_row(&flow, 20_000);
        assert_eq!(row.len(), ENDED_TITLES.len());
        assert_eq!(
            row.join("|"),
            "laptop:4000|web1:8080||reset by its server|300 B|2.3 kB|1.5 ms|40 ms|12 s"
        );
    }

    fn flow(port: u16, name: &str) -> FlowView {
        FlowView {
            id: format!("127.0.42.100:{port}-{name}"),
            from: "laptop".to_owned(),
            to: "web".to_owned(),
            src: format!("127.0.42.100:{port}"),
            dst: name.to_owned(),
            name: name.to_owned(),
            via: None,
            rule: None,
            state: FlowState::Open,
            bytes_from: 0,
            bytes_to: 0,
            rate_from: 0,
            rate_to: 0,
            packets: 0,
            age_ms: 0,
            idle_ms: 0,
            rtt_us: None,
        }
    }

    #[test]
    fn a_column_that_nothing_is_in_is_left_out() {
        let (mut near, far) = (flow(1, "web:80"), flow(2, "web:81"));
        let head = |flows: &[&FlowView]| lines(flows)[0].clone();
        assert!(head(&[&near, &far]).starts_with("FROM      TO      STATE"));
        near.via = Some("gate".to_owned());
        assert!(head(&[&near, &far]).starts_with("FROM      TO      VIA   STATE"));
    }

    #[test]
    fn a_connection_is_ended_by_what_the_table_shows() {
        let flows = [flow(1, "web:80"), flow(2, "web:80"), flow(2, "web:81")];
        for text in ["laptop:1", "127.0.42.100:1", "laptop:1-web:80"] {
            assert_eq!(meant(&flows, text).unwrap(), flows[0].id, "{text}");
        }
        assert_eq!(meant(&flows, "laptop:2-web:81").unwrap(), flows[2].id);
        for text in ["laptop:2", "laptop:3", "laptop", ""] {
            assert_eq!(meant(&flows, text).unwrap_err().exit(), Exit::Failure);
        }
    }
}
