//! The clients of a proxy that are idle between two requests. If all places are taken, such a client gives its place to
//! a new one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, oneshot};

/// The idle clients of a proxy.
#[derive(Default)]
pub(super) struct Idle {
    clients: Mutex<Clients>,
    /// Wakes a new client that waits for a place, when another client becomes idle.
    came: Notify,
}

/// Idle clients in the order in which they became idle.
#[derive(Default)]
struct Clients {
    next: u64,
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
}

/// A client in the list. It leaves the list when this is dropped.
struct Entry<'i> {
    idle: &'i Idle,
    number: u64,
}

impl Idle {
    /// Adds a client to the idle ones, and waits until its place is wanted. The client must then end its connection.
    pub(super) async fn until_wanted(&self) {
        let (wanted, told) = oneshot::channel();
        let _entry = {
            let mut clients = self.lock();
            let number = clients.next;
            clients.next += 1;
            clients.waiting.insert(number, wanted);
            Entry { idle: self, number }
        };
        self.came.notify_one();
        let _ = told.await;
    }

    /// Tells the client that has been idle for the longest time to end its connection. If no client is idle, waits
    /// until one is.
    pub(super) async fn end_longest(&self) {
        loop {
            let first = self.lock().waiting.pop_first();
            let Some((_, wanted)) = first else {
                self.came.notified().await;
                continue;
            };
            // This fails if the client has just sent its next request.
            if wanted.send(()).is_ok() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.idle.lock().waiting.remove(&self.number);
    }
}
