//! `norouter wait`: waits until hosts are ready, for scripts.

use std::time::Duration;

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{self, WhichNetwork, wait_for},
};
use crate::{
    driver::control::{
        Client,
        client::{self, StreamItem},
    },
    text::escape,
    view::{HostState, HostView, Snapshot},
};

/// The time between two attempts to reach a manager that does not run yet, or is too busy.
const LOOK: Duration = Duration::from_millis(100);

/// Wait until hosts of a network can be reached; for scripts
///
/// If the network does not run yet, waits for it as well. Exits with 0 when the hosts can be reached. Exits with 5 if a
/// host cannot be reached within the timeout. Exits with 5 at once if the state of a host is "stopped" or "cannot
/// start", because NoRouter does not start such a host by itself. Exits with 3 if no network runs within the timeout,
/// or if the network ends.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The names, aliases or VIPs of the hosts
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other, required_unless_present = "all")]
    hosts: Vec<String>,
    /// Wait for all hosts of the network
    #[arg(long, conflicts_with = "hosts")]
    all: bool,
    /// How many seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    timeout: f64,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write the final state of the hosts as JSON
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|it| (0.0..=1e9).contains(it));
    seconds.ok_or_else(|| "not a number of seconds".to_owned())
}

/// The state of the network and its manager at the last attempt to reach them.
#[derive(Default)]
struct Seen {
    found: bool,
    snapshot: Snapshot,
    /// Why no manager was found.
    missing: Option<Error>,
    /// Why the manager could not report the state of its network.
    busy: Option<client::Error>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let mut seen = Seen::default();
    let outcome = wait_for(async {
        let limit = Duration::from_secs_f64(args.timeout);
        let in_time = tokio::time::timeout(limit, args.look(&mut seen)).await;
        in_time.unwrap_or_else(|_| {
            let waited = format!("within {} s", args.timeout);
            Err(match &seen.busy {
                _ if seen.found => args.not_ready(&seen.snapshot, &waited),
                Some(busy) => Error::new(Exit::PartlyUp, format!("not ready {waited}: {busy}")),
                None => {
                    let missing = seen.missing.take();
                    let missing =
                        missing.unwrap_or_else(|| Error::new(Exit::NoManager, "no network runs"));
                    missing.with(&waited)
                }
            })
        })
    });
    if args.json && seen.found {
        let hosts: Vec<_> = args.wanted(&seen.snapshot);
        output::json(&json!({"ready": outcome.is_ok(), "hosts": hosts}))?;
    }
    outcome
}

impl Args {
    async fn look(&self, seen: &mut Seen) -> Result<Exit, Error> {
        let client: Client = loop {
            match self.network.own_client().await {
                Err(error) if error.exit() == Exit::NoManager => {
                    if seen.missing.is_none() {
                        let (limit, why) = (self.timeout, error.sentence());
                        output::talk(&escape(&format!("waiting at most {limit} s: {why}")));
                    }
                    seen.missing = Some(error);
                    tokio::time::sleep(LOOK).await;
                }
                outcome => break outcome?,
            }
        };
        // While many hosts start, the manager may be late.
        let mut events = loop {
            match client.events(None).await {
                Err(error) if error.passes() => seen.busy = Some(error),
                outcome => break outcome?,
            }
            tokio::time::sleep(LOOK).await;
        };
        while let Some(item) = events.next().await? {
            match item {
                StreamItem::Snapshot(network) => {
                    (seen.found, seen.snapshot) = (true, network.snapshot);
                }
                StreamItem::Host(host) => {
                    seen.snapshot.apply(*host);
                }
                StreamItem::Event(_) | StreamItem::Missed(_) => continue,
            }
            for called in &self.hosts {
                reach::host(&seen.snapshot, called)?;
            }
            let wanted = self.wanted(&seen.snapshot);
            if wanted.iter().all(|host| host.state.is_up()) {
                return Ok(Exit::Ok);
            }
            // A host in one of these states stays in it until a person acts.
            let is_final =
                |host: &&HostView| matches!(host.state, HostState::Refused | HostState::Stopped);
            if wanted.iter().any(is_final) {
                return Err(self.not_ready(&seen.snapshot, "and will not be by waiting"));
            }
        }
        Err(Error::new(Exit::NoManager, "the network has ended"))
    }

    fn wanted<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a HostView> {
        let hosts = snapshot.hosts.iter();
        hosts
            .filter(|host| self.all || self.hosts.iter().any(|called| host.is_called(called)))
            .collect()
    }

    fn not_ready(&self, snapshot: &Snapshot, how: &str) -> Error {
        let missing = self
            .wanted(snapshot)
            .into_iter()
            .filter(|host| !host.state.is_up());
        let missing: Vec<_> = missing
            .map(|host| {
                let reason = host.reason.as_ref().map(|reason| format!(": {reason}"));
                format!(
                    "{} ({}{})",
                    host.name,
                    host.state.word(),
                    reason.unwrap_or_default()
                )
            })
            .collect();
        Error::new(
            Exit::PartlyUp,
            format!("not ready {how}: {}", missing.join(", ")),
        )
    }
}
