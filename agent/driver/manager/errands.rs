//! Errands: short work for the manager's thread, which other threads give to it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::shared::Shared;

/// Short work on the manager's thread.
type Errand = Box<dyn FnOnce(&Arc<Shared>) + Send>;

/// The errands that wait for the manager's thread.
pub(super) type Inbox = mpsc::UnboundedReceiver<Errand>;

/// Gives errands to the manager's thread, from any thread.
#[derive(Clone)]
pub(super) struct Errands(mpsc::UnboundedSender<Errand>);

impl Errands {
    pub(super) fn new() -> (Self, Inbox) {
        let (sender, inbox) = mpsc::unbounded_channel();
        (Self(sender), inbox)
    }

    /// Runs `what` on the manager's thread. The returned receiver gets the result. If the manager has ended, the
    /// receiver is closed without a result.
    pub(super) fn give<R: Send + 'static>(
        &self,
        what: impl FnOnce(&Arc<Shared>) -> R + Send + 'static,
    ) -> oneshot::Receiver<R> {
        let (sender, result) = oneshot::channel();
        let errand = move |shared: &Arc<Shared>| {
            // Nobody may be waiting for the result any more.
            let _ = sender.send(what(shared));
        };
        // If the manager has ended, the errand is dropped, and so is the sender of its result.
        let _ = self.0.send(Box::new(errand));
        result
    }
}

/// Does the errands on the manager's thread. Between two errands, all other tasks have their turn, so a packet waits
/// for one errand at most.
pub(super) async fn run(shared: Arc<Shared>, mut inbox: Inbox) {
    while let Some(errand) = inbox.recv().await {
        let shared = shared.clone();
        // The errand runs in a task of its own, so that a panic ends only this errand.
        let _ = tokio::spawn(async move { errand(&shared) }).await;
    }
}
