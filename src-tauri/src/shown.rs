//! The state of a network, as far as the app knows it: of the network that is shown, or of one that the app runs and
//! has set aside.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use norouter::{
    driver::{Handle, control::Client, manager::NetworkName},
    plan::Plan,
};
use tokio::task::AbortHandle;

use crate::{
    truth::Truth,
    view::{Phase, Shown},
};

/// A network that is shown, or that the app runs.
pub(crate) struct Session {
    /// The number of this network, counted from 1 since the app started.
    pub(crate) id: u64,
    pub(crate) client: Client,
    /// The handle of the network's manager; `None` if another program runs the manager.
    pub(crate) hosted: Option<Handle>,
    pub(crate) manifest: Option<PathBuf>,
    /// The plan in force; `None` if another program runs the manager.
    pub(crate) plan: Option<Plan>,
    /// The change of the network's manifest that waits for the person, with its number; `None` if no change waits, or
    /// if another program runs the manager.
    pub(crate) waits: Option<(u64, Plan)>,
    pub(crate) phase: Phase,
    pub(crate) truth: Truth,
    /// The jump hosts to each host for which they are known, the one nearest to this machine first.
    pub(crate) jumps: BTreeMap<String, Vec<String>>,
    /// The file with the network's log; `None` if another program runs the manager.
    pub(crate) log: Option<PathBuf>,
    pub(crate) reader: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Session {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn is_hosted(&self) -> bool {
        self.hosted.is_some()
    }

    pub(crate) fn name(&self) -> &NetworkName {
        self.client.name()
    }

    pub(crate) fn manifest(&self) -> Option<&Path> {
        self.manifest.as_deref()
    }

    /// The number of the change of the manifest that is held, as the manager has last reported it; `None` if no change
    /// is held.
    pub(crate) fn held(&self) -> Option<u64> {
        let held = self.truth.network()?.snapshot.held.as_ref()?;
        Some(held.number)
    }

    /// Notes that the network could not be stopped.
    pub(crate) fn keep_running(&mut self) {
        self.phase = if self.truth.network().is_some() {
            Phase::Running
        } else {
            Phase::Starting
        };
    }

    pub(crate) fn view(&self) -> Shown {
        let jumps = self.jumps.iter();
        Shown {
            name: self.client.name().to_string(),
            manifest: self.manifest().map(|path| path.display().to_string()),
            hosted: self.is_hosted(),
            phase: self.phase,
            jumps: jumps
                .map(|(host, jumps)| (host.clone(), jumps.join(",")))
                .collect(),
            log: self.log.as_ref().map(|log| log.display().to_string()),
        }
    }
}
