//! The interface of a running manager for user interfaces: they wait for its end, send it intents, and read snapshots
//! and events.

use std::{convert::Infallible, sync::Arc, thread::JoinHandle};

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::{
    errands::Errands,
    shared::{Intent, ReloadRequest, Shared},
};
use crate::{
    driver::{harness::World as _, system::clock::Clock},
    manager::{Hold, ReloadOutcome},
    plan::Plan,
    view::{Event, Snapshot},
};

/// A running manager, on a thread of its own.
pub struct Manager {
    pub(super) handle: Handle,
    pub(super) reloads: Option<mpsc::UnboundedReceiver<ReloadRequest>>,
    pub(super) thread: JoinHandle<()>,
    /// Completes when the manager's thread has ended.
    pub(super) ended: oneshot::Receiver<()>,
}

/// Lets user interfaces reach a manager from any thread: they send intents, and read snapshots and events. An intent to
/// a manager that has ended is lost.
#[derive(Clone)]
pub struct Handle {
    pub(super) errands: Errands,
    pub(super) snapshot: watch::Receiver<Arc<Snapshot>>,
    pub(super) events: broadcast::WeakSender<Event>,
    pub(super) clock: Clock,
    /// Nothing is sent through this channel. It is closed when all handles are dropped, and then the network ends.
    pub(super) _face: mpsc::Sender<Infallible>,
}

impl Manager {
    /// The handle through which user interfaces reach the manager.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The requests of other programs to reload the manifest. Only the first call returns them. If the receiver is
    /// dropped, every request is refused with the reason that the network has no manifest.
    pub fn take_reloads(&mut self) -> Option<mpsc::UnboundedReceiver<ReloadRequest>> {
        self.reloads.take()
    }

    /// Blocks until every process is gone. Call this function after [`Intent::Down`].
    pub fn join(self) {
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Handle {
    /// Subscribes to the whole state.
    pub fn snapshot(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.clone()
    }

    /// Subscribes to the events from now on; `None` if the manager has ended.
    pub fn events(&self) -> Option<broadcast::Receiver<Event>> {
        Some(self.events.upgrade()?.subscribe())
    }

    /// The present time of the manager's clock, in milliseconds. It can be compared with the times in a [`Snapshot`].
    pub fn now_ms(&self) -> u64 {
        self.clock.now().as_micros() / 1_000
    }

    /// Sends an intent. After [`Intent::Down`], the channels of snapshots and events are closed when the network has
    /// ended.
    pub fn tell(&self, intent: Intent) {
        // If the host or the flow is gone, there is nothing to do.
        drop((self.errands).give(move |shared| shared.obey(&intent)));
    }

    /// Changes the running network to another plan. The returned receiver gets the outcome; if the manager has ended,
    /// it is closed without one. Commands and changes that are held wait for [`Intent::Approve`] and
    /// [`Intent::ApproveChange`].
    pub fn reload(&self, plan: Plan, hold: Hold) -> oneshot::Receiver<ReloadOutcome> {
        let take_up =
            move |shared: &Arc<Shared>| shared.tell(|core, now| core.take_up(now, &plan, hold));
        self.errands.give(take_up)
    }

    /// Asks whether a reload to this plan would take something away from the network. The returned receiver gets the
    /// answer. If the manager has ended, the receiver is closed without an answer.
    pub fn would_lose(&self, plan: Plan) -> oneshot::Receiver<bool> {
        let compare = move |shared: &Arc<Shared>| shared.lock().core.would_lose(&plan);
        self.errands.give(compare)
    }

    /// Notes in the snapshot that the manifest has changed but cannot be applied, for the reasons in `report`.
    pub(super) fn refuse_manifest(&self, report: String) {
        let note = move |shared: &Arc<Shared>| {
            shared.tell(|core, now| core.refuse_manifest(now, report));
        };
        drop(self.errands.give(note));
    }
}
