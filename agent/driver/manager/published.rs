//! Publishes snapshots to everybody who watches the network.
//!
//! A snapshot has all hosts, so it costs more in a larger network, and in a larger network something changes more often.
//! Therefore snapshots follow each other so slowly that they take a small part of the thread's time. A change after a
//! quiet moment is published at once, and the last change always.

use std::{convert::Infallible, sync::Arc, time::Duration};

use super::shared::{Shared, State};
use crate::{driver::harness::World as _, view::Snapshot};

/// The pause after a snapshot, as a multiple of the time that it has taken.
const PAUSE: u32 = 30;

/// The longest pause after a snapshot. A process that was stopped for a while may have measured any time.
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Publishes the state if it has changed, or leaves that to [`keep`] if the last snapshot was too short a time ago. The
/// state of a network that has ended is published at once.
pub(super) fn publish(shared: &Shared, state: &mut State) {
    let now = shared.now();
    if !state.changed {
        return;
    }
    if now < state.publish_at && !state.core.is_over() {
        shared.unpublished.notify_one();
        return;
    }
    snapshot(shared, state);
}

/// Makes a snapshot for a reader, and publishes it if it has news, so that nobody who has seen it sees an older one later.
pub(super) fn snapshot(shared: &Shared, state: &mut State) -> Arc<Snapshot> {
    let begin = shared.now();
    let snapshot = Arc::new(state.core.snapshot(begin));
    if std::mem::take(&mut state.changed) {
        shared.snapshots.send_replace(snapshot.clone());
        let end = shared.now();
        state.publish_at = end + PAUSE_MAX.min((end - begin) * PAUSE);
    }
    snapshot
}

/// Publishes the changes that had to wait.
pub(super) async fn keep(shared: Arc<Shared>) -> Infallible {
    loop {
        shared.unpublished.notified().await;
        let at = shared.lock().publish_at;
        shared.harness.clock.sleep_until(Some(at)).await;
        publish(&shared, &mut shared.lock());
    }
}
