//! `norouter start`, `stop` and `restart`: control hosts of a running network.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{
    error::{Error, Exit},
    output,
    reach::{self, WhichNetwork, json_line, wait_for},
};
use crate::{
    driver::control::client::{Events, StreamItem},
    text::escape,
    view::{HostAction, HostState, HostView, Snapshot, TroubleCode},
};

/// How long the command waits until the hosts have done what they were asked to do.
const DONE_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The names, aliases or VIPs of the hosts
    #[arg(value_name = "HOST", value_hint = clap::ValueHint::Other, required_unless_present = "all")]
    hosts: Vec<String>,
    /// All hosts of the network
    #[arg(long, conflicts_with = "hosts")]
    all: bool,
    #[command(flatten)]
    network: WhichNetwork,
    /// Write one JSON object per host
    #[arg(long)]
    json: bool,
}

pub(super) fn run(action: HostAction, args: &Args) -> Result<Exit, Error> {
    wait_for(async {
        let client = args.network.own_client().await?;
        // The stream is opened first, so that no change is missed. It begins with the whole state.
        let mut events = client.events(None).await?;
        let mut now = Snapshot::default();
        let ended = || Error::new(Exit::NoManager, "the network has ended");
        while now.hosts.is_empty() {
            take(&mut now, events.next().await?.ok_or_else(ended)?);
        }
        let before = args.chosen(&now)?;
        for host in before.values() {
            client.host(&host.vip, action).await?;
        }
        // If the time runs out, the person is told the states that the hosts have at that time.
        let _ = tokio::time::timeout(DONE_MAX, until_done(action, &before, &mut now, &mut events))
            .await;
        for (name, before) in &before {
            let Some(host) = now.host(name) else {
                continue;
            };
            if args.json {
                let state = host.state;
                json_line(&json!({"host": name, "asked": action.word(), "state": state}))?;
            } else {
                output::talk(&escape(&told(action, before, host)));
            }
        }
        Ok(Exit::Ok)
    })
}

impl Args {
    /// The chosen hosts by their names, as they are before the action.
    fn chosen(&self, now: &Snapshot) -> Result<BTreeMap<String, HostView>, Error> {
        let mut chosen = BTreeMap::new();
        if self.all {
            let hosts = now.hosts.iter().cloned();
            chosen.extend(hosts.map(|host| (host.name.clone(), host)));
        }
        for called in &self.hosts {
            let host = reach::host(now, called)?;
            chosen.insert(host.name.clone(), host.clone());
        }
        Ok(chosen)
    }
}

/// Follows the state of the network until all hosts have done what they were asked to do, or the network has ended.
async fn until_done(
    action: HostAction,
    before: &BTreeMap<String, HostView>,
    now: &mut Snapshot,
    events: &mut Events,
) {
    let is_open = |now: &Snapshot| {
        let mut hosts = before.iter();
        hosts.any(|(name, before)| {
            now.host(name)
                .is_some_and(|host| !is_done(action, before, host))
        })
    };
    while is_open(now) {
        match events.next().await {
            Ok(Some(item)) => take(now, item),
            Ok(None) | Err(_) => return,
        }
    }
}

fn take(now: &mut Snapshot, item: StreamItem) {
    match item {
        StreamItem::Snapshot(network) => *now = network.snapshot,
        StreamItem::Host(host) => {
            now.apply(*host);
        }
        StreamItem::Event(_) | StreamItem::Missed(_) => {}
    }
}

/// Whether the action is over for a host: the host is in the wanted state, it has failed, or it needs a person.
fn is_done(action: HostAction, before: &HostView, now: &HostView) -> bool {
    let has_moved = (now.state, now.since_ms) != (before.state, before.since_ms);
    match action {
        HostAction::Stop => now.state == HostState::Stopped,
        HostAction::Start if before.state.is_up() || before.state == HostState::NeedsYou => true,
        HostAction::Start | HostAction::Restart => {
            has_moved && (now.state.is_up() || has_failed(now) || needs_you(now))
        }
    }
}

/// Whether a host is lost. A host that is being restarted has the state of a lost one for a moment, but does not count.
fn has_failed(host: &HostView) -> bool {
    let mut troubles = host.troubles.iter();
    host.state == HostState::Waiting && troubles.all(|it| it.code != TroubleCode::Restarted)
}

fn needs_you(host: &HostView) -> bool {
    matches!(host.state, HostState::NeedsYou | HostState::Refused)
}

/// The result of the action for one host: "web: stopped".
fn told(action: HostAction, before: &HostView, now: &HostView) -> String {
    let (name, state) = (&now.name, now.state.word());
    if !is_done(action, before, now) {
        return format!("{name}: asked to {action}; still {state}");
    }
    match &now.reason {
        Some(reason) if now.state != HostState::Stopped => format!("{name}: {state}: {reason}"),
        _ => format!("{name}: {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Trouble;

    fn host(state: HostState, since_ms: u64) -> HostView {
        HostView {
            name: "web".to_owned(),
            state,
            since_ms,
            ..HostView::default()
        }
    }

    #[test]
    fn a_host_is_said_to_be_stopped_when_it_is() {
        let before = host(HostState::Ready, 1);
        assert_eq!(
            told(HostAction::Stop, &before, &before),
            "web: asked to stop; still ready"
        );
        let stopped = host(HostState::Stopped, 2);
        assert_eq!(told(HostAction::Stop, &before, &stopped), "web: stopped");
    }

    #[test]
    fn a_restart_is_done_when_the_host_has_come_back_or_has_failed() {
        let before = host(HostState::Ready, 1);
        let is_done = |now: &HostView| is_done(HostAction::Restart, &before, now);
        assert!(!is_done(&before), "it has not begun");
        assert!(!is_done(&host(HostState::Starting, 2)));
        assert!(is_done(&host(HostState::Ready, 3)));
        assert!(is_done(&host(HostState::NeedsYou, 3)));
        let mut between = host(HostState::Waiting, 3);
        between.troubles = vec![Trouble {
            code: TroubleCode::Restarted,
            ..Trouble::default()
        }];
        assert!(!is_done(&between), "it is on its way");
        let mut lost = host(HostState::Waiting, 3);
        lost.reason = Some("exit status 1".to_owned());
        assert_eq!(
            told(HostAction::Restart, &before, &lost),
            "web: retrying: exit status 1"
        );
    }

    #[test]
    fn a_host_that_is_up_is_started_already() {
        let before = host(HostState::Ready, 1);
        assert!(is_done(HostAction::Start, &before, &before));
        let lost = host(HostState::Waiting, 1);
        assert!(!is_done(HostAction::Start, &lost, &lost), "it is tried now");
    }
}
