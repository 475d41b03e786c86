//! Streams a network's events: first the whole state, then each host that has changed, and each line of the log.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::{body::Body, list::PIECE, network::Network, seats::Kept};
use crate::view::{HostView, Snapshot};

/// The longest time without a frame. After this time, a comment is sent, so that the reader knows that the manager is
/// alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How many frames may wait for a slow reader. Beyond that, states are skipped, and the reader gets the newest state
/// later.
const FRAMES_MAX: usize = 16;

/// The names of the frames. `docs/CONTROL.md` describes their contents.
pub(super) const SNAPSHOT: &str = "snapshot";
pub(super) const HOST: &str = "host";
pub(super) const EVENT: &str = "event";
pub(super) const MISSED: &str = "missed";

/// Streams a network's events. With `after`, the stream begins with the kept lines of the log after the line with this
/// number. The reader keeps its seat until it is gone.
pub(super) fn stream(network: &Arc<Network>, after: Option<u64>, kept: Kept) -> Body {
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    let network = network.clone();
    tokio::spawn(async move {
        tell(network, after, sender).await;
        drop(kept);
    });
    Body::Stream(receiver)
}

async fn tell(network: Arc<Network>, after: Option<u64>, sender: mpsc::Sender<Bytes>) {
    let inside = &network.inside;
    let mut snapshots = inside.snapshots();
    let mut over = inside.over();
    let mut news = inside.journal().last();
    let last = *news.borrow_and_update();
    // If no line has the number `after` yet, the number comes from an earlier manager, so all lines are sent.
    let mut told = after.map_or(last, |after| if after > last { 0 } else { after });
    snapshots.mark_unchanged();
    let first = network.view().await;
    let sent = sender.send(frame(SNAPSHOT, None, &first)).await;
    let mut known = Arc::new(first.snapshot);
    if sent.is_err() {
        return;
    }
    loop {
        // The value is read first: if it is true, the lines and the state that are read below are the last ones.
        let is_over = *over.borrow_and_update();
        let mut frames = Vec::new();
        news.mark_unchanged();
        let lines = inside.journal().after(told, None, PIECE);
        let may_be_more = lines.len() == PIECE;
        for line in lines {
            if line.seq > told + 1 {
                frames.push(frame(MISSED, None, &json!({"count": line.seq - told - 1})));
            }
            told = line.seq;
            frames.push(frame(EVENT, Some(line.seq), &line));
        }
        let now = snapshots.borrow_and_update().clone();
        match differences(&known, &now) {
            Some(hosts) => frames.extend(hosts.iter().map(|host| frame(HOST, None, host))),
            None => frames.push(frame(SNAPSHOT, None, &network.view().await)),
        }
        known = now;
        for frame in frames {
            if sender.send(frame).await.is_err() {
                return;
            }
        }
        if may_be_more {
            continue;
        }
        if is_over {
            return;
        }
        tokio::select! {
            changed = over.changed() => if changed.is_err() { return },
            changed = snapshots.changed() => if changed.is_err() { return },
            changed = news.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(KEEP_ALIVE) => {
                if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
                    return;
                }
            }
            () = sender.closed() => return,
        }
    }
}

/// The hosts that have changed. `None` if the set of hosts, the held change or the unapplied manifest is no longer the
/// same.
fn differences<'a>(before: &Snapshot, now: &'a Snapshot) -> Option<Vec<&'a HostView>> {
    let (old, new) = (before.hosts.iter(), now.hosts.iter());
    let is_same = old.map(|host| &host.name).eq(new.map(|host| &host.name))
        && (&before.held, &before.unapplied) == (&now.held, &now.unapplied);
    is_same.then(|| {
        let pairs = before.hosts.iter().zip(&now.hosts);
        pairs
            .filter(|(before, now)| before != now)
            .map(|(_, now)| now)
            .collect()
    })
}

/// A frame: one event of a stream of Server-Sent Events (HTML, section 9.2.6). The JSON does not contain line breaks,
/// so the data is one line.
fn frame(name: &str, id: Option<u64>, data: &impl Serialize) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // This cannot fail, because views have only values that JSON can express.
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\n{id}data: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{HeldChange, HostState, Unapplied};

    fn snapshot(names: &[&str]) -> Snapshot {
        let hosts = names.iter().map(|name| HostView {
            name: (*name).to_owned(),
            ..HostView::default()
        });
        Snapshot {
            now_ms: 0,
            hosts: hosts.collect(),
            held: None,
            unapplied: None,
        }
    }

    #[test]
    fn a_snapshot_and_its_differences_are_the_next_snapshot() {
        let mut before = snapshot(&["a", "b", "c"]);
        let mut now = before.clone();
        assert_eq!(differences(&before, &now), Some(Vec::new()));
        now.hosts[1].state = HostState::Ready;
        now.hosts[2].reason = Some("x".to_owned());
        let changed = differences(&before, &now).unwrap();
        assert_eq!(changed.len(), 2);
        for host in changed {
            assert!(before.apply(host.clone()));
        }
        assert_eq!(before, now);
        assert_eq!(differences(&before, &snapshot(&["a", "b"])), None);
        assert_eq!(differences(&before, &snapshot(&["a", "c", "b"])), None);
        now.held = Some(HeldChange {
            number: 1,
            grants: Vec::new(),
        });
        assert_eq!(differences(&before, &now), None);
        now = before.clone();
        now.unapplied = Some(Unapplied {
            since_ms: 0,
            report: String::new(),
        });
        assert_eq!(differences(&before, &now), None);
    }
}
