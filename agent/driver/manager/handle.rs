//! The interface of a running manager for faces: they wait for its end, send it intents, and read snapshots and events.

use std::thread::JoinHandle;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::shared::{Intent, ReloadRequest};
use crate::{
    driver::system::clock::Clock,
    manager::{Hold, ReloadOutcome},
    plan::Plan,
    view::{Event, Snapshot},
};

/// A running manager, on a thread of its own.
pub struct Manager {
    pub(super) handle: Handle,
    pub(super) reloads: Option<mpsc::UnboundedReceiver<ReloadRequest>>,
    pub(super) thread: JoinHandle<()>,
}

/// Lets faces reach a manager from any thread: they send intents, and read snapshots and events. An intent to a manager
/// that has ended is lost.
#[derive(Clone)]
pub struct Handle {
    pub(super) requests: mpsc::UnboundedSender<FaceRequest>,
    pub(super) snapshot: watch::Receiver<Snapshot>,
    pub(super) events: broadcast::WeakSender<Event>,
    pub(super) clock: Clock,
}

/// A request of a face, from another thread.
pub(super) enum FaceRequest {
    Intent(Intent),
    Reload(Box<Plan>, Hold, oneshot::Sender<ReloadOutcome>),
    Compare(Box<Plan>, oneshot::Sender<bool>),
    /// The manifest has changed, but cannot be applied, for these reasons.
    RefuseManifest(String),
}

impl Manager {
    /// The handle through which faces reach the manager.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The requests of other programs to reload the manifest. Only the first call returns them. If they are dropped,
    /// every request is refused with the reason that the network has no manifest.
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
    pub fn snapshot(&self) -> watch::Receiver<Snapshot> {
        self.snapshot.clone()
    }

    /// Subscribes to the events from now on; `None` if the manager has ended.
    pub fn events(&self) -> Option<broadcast::Receiver<Event>> {
        Some(self.events.upgrade()?.subscribe())
    }

    /// The time of the manager's clock, in milliseconds, for comparison with the moments in a [`Snapshot`].
    pub fn now_ms(&self) -> u64 {
        self.clock.now().as_micros() / 1_000
    }

    /// Sends an intent. When the network has ended after [`Intent::Down`], the channels of snapshots and events are
    /// closed.
    pub fn tell(&self, intent: Intent) {
        self.request(FaceRequest::Intent(intent));
    }

    /// Changes the running network to another plan. The returned receiver gets the outcome; if the manager has ended,
    /// it is closed without one. Commands and changes that are held wait for [`Intent::Approve`] and
    /// [`Intent::ApproveChange`].
    pub fn reload(&self, plan: Plan, hold: Hold) -> oneshot::Receiver<ReloadOutcome> {
        let (sender, outcome) = oneshot::channel();
        self.request(FaceRequest::Reload(Box::new(plan), hold, sender));
        outcome
    }

    /// Asks whether a reload to this plan would take something away from the network. The returned receiver gets the
    /// answer; if the manager has ended, it is closed without one.
    pub fn would_lose(&self, plan: Plan) -> oneshot::Receiver<bool> {
        let (sender, answer) = oneshot::channel();
        self.request(FaceRequest::Compare(Box::new(plan), sender));
        answer
    }

    /// Notes in the snapshot that the manifest has changed but cannot be applied, for the reasons in `report`.
    pub(super) fn refuse_manifest(&self, report: String) {
        self.request(FaceRequest::RefuseManifest(report));
    }

    fn request(&self, request: FaceRequest) {
        // If the manager has ended, the request is lost.
        let _ = self.requests.send(request);
    }
}
