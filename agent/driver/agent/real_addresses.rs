//! The real addresses that an agent has bound, and the lookup of the owners of connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socket2::Socket;
use tokio::task::AbortHandle;

use crate::{
    driver::system::{
        describe,
        owner::{SocketOwner, SocketOwners},
    },
    edge::{Listener, NotListening, Purpose},
};

/// How long a listener pauses after the operating system could not accept a connection. Usually the process has no free
/// file descriptors left, and an immediate retry would make that worse.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The real addresses that an agent has bound, or tries to bind.
pub(super) type RealAddresses = HashMap<Listener, RealAddress>;

/// The state of one real address.
#[derive(Default)]
pub(super) struct RealAddress {
    /// The bound socket. `None` until the address was bound for the first time. The socket is kept even while nobody
    /// may connect, so that no other program can take the address.
    pub(super) socket: Option<Arc<Socket>>,
    pub(super) listens: bool,
    /// The socket of another program that listens at the address, and a description of that program if it is known.
    /// `None` if no such socket was found.
    pub(super) taken_by: Option<(SocketOwner, Option<String>)>,
    /// The task that opens the address or accepts connections there.
    pub(super) task: Option<AbortHandle>,
}

impl RealAddress {
    pub(super) fn rest(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for RealAddress {
    fn drop(&mut self) {
        self.rest();
    }
}

/// Finds the owners of connections. The netlink socket for that is opened on first use.
#[derive(Default)]
pub(super) struct Doorman(Mutex<Option<SocketOwners>>);

impl Doorman {
    pub(super) fn ask<T>(
        &self,
        ask: impl FnOnce(&mut SocketOwners) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owners = match &mut *owners {
            Some(owners) => owners,
            none => none.insert(SocketOwners::open()?),
        };
        ask(owners)
    }

    /// Fails with the reason if other users cannot be kept out on this system.
    pub(super) fn unable(&self, listener: Listener) -> Result<(), NotListening> {
        self.ask(|_| Ok(())).map_err(|error| {
            let key = match listener.purpose {
                Purpose::Network | Purpose::Dns => "loopback",
                Purpose::Http => "http",
                Purpose::Socks => "socks",
            };
            NotListening::from(format!(
                "it is for this user alone, and the system does not tell whose a connection is ({}); write \"{key}: {{allow: \
                 any}}\" below the host in the manifest to let every user of that machine in",
                describe(&error)
            ))
        })
    }
}
