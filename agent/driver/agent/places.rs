//! The real addresses that an agent has, and what tells who connects to them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use socket2::Socket;
use tokio::task::AbortHandle;

use crate::{
    driver::system::{describe, owner::Owners},
    edge::{Listener, NotListening, Purpose},
};

/// How long a listener rests after the operating system has refused to accept: descriptors are short, and a loop
/// that asks again at once makes that worse.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The addresses that an agent has, or tries to have.
pub(super) type Places = HashMap<Listener, Place>;

/// One of them.
#[derive(Default)]
pub(super) struct Place {
    /// Ours from the first time that it could be had, and kept while nobody may connect: nobody else can have it then.
    pub(super) socket: Option<Arc<Socket>>,
    /// Whether connections can come.
    pub(super) listens: bool,
    /// What opens it, or accepts there.
    pub(super) task: Option<AbortHandle>,
}

impl Place {
    pub(super) fn rest(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.rest();
    }
}

/// What tells whose a connection is, once it has been asked for.
#[derive(Default)]
pub(super) struct Doorman(Mutex<Option<Owners>>);

impl Doorman {
    pub(super) fn ask<T>(
        &self,
        ask: impl FnOnce(&mut Owners) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owners = match &mut *owners {
            Some(owners) => owners,
            none => none.insert(Owners::open()?),
        };
        ask(owners)
    }

    /// Why other users cannot be kept out here.
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
