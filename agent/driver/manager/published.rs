//! Publishes snapshots to everybody who watches the network.
//!
//! A snapshot has all hosts, so it costs more in a larger network, and in a larger network something changes more often.
//! Therefore snapshots follow each other so slowly that they take a small part of the thread's time. A change after a
//! quiet moment is published at once, and the last change always.

use std::{convert::Infallible, sync::Arc, time::Duration};

use super::shared::{Shared, State};
use crate::driver::harness::World as _;

/// The pause after a snapshot, as a multiple of the time that it has taken.
const PAUSE: u32 = 30;

/// The longest pause after a snapshot. A process that was stopped for a while may have measured any time.
const PAUSE_MAX: Duration = Duration::from_secs(1);

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
    state.changed = false;
    let snapshot = state.core.snapshot(now);
    shared.snapshots.send_replace(Arc::new(snapshot));
    let end = shared.now();
    state.publish_at = end + PAUSE_MAX.min((end - now) * PAUSE);
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
