//! Opens a manager's control socket. Chooses the socket's name, and finds out whether another manager uses that name.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{client::Client, platform};
use crate::{
    driver::manager::NetworkName,
    view::{NetworkView, PlanView, address_ranges},
};

/// If another network has the same name, a number is appended to the name of this network. These numbers are tried, one
/// after the other.
const NUMBERS: std::ops::RangeInclusive<usize> = 1..=99;

/// If a network needs other addresses, a block `127.0.N.0/24` is proposed to the person. These values of N are tried.
/// The block of a manifest that names none is `127.0.42.0/24`.
const BLOCKS: std::ops::RangeInclusive<u8> = 43..=254;

/// The name that a manager wants for its network, and the network's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: NetworkName,
    /// Whether a person has chosen the name. If so, it must not be changed.
    chosen: bool,
    manifest: Option<PathBuf>,
}

impl Identity {
    /// The identity of the network of this manifest.
    pub fn of_manifest(manifest: &Path) -> Self {
        // If the file was removed after it was loaded, its path is used as it was given.
        let manifest = std::fs::canonicalize(manifest).unwrap_or_else(|_| manifest.to_owned());
        Self {
            name: NetworkName::of_manifest(&manifest),
            chosen: false,
            manifest: Some(manifest),
        }
    }

    /// The identity of a network that does not come from a file.
    pub fn named(name: &str) -> Self {
        Self {
            name: NetworkName::near(name),
            chosen: false,
            manifest: None,
        }
    }

    /// Uses the name that a person has chosen. `None` means that nobody has chosen one.
    #[must_use]
    pub fn chosen(mut self, name: Option<NetworkName>) -> Self {
        if let Some(name) = name {
            (self.name, self.chosen) = (name, true);
        }
        self
    }
}

/// The reason why a manager has no control socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another running manager has this name.
    #[error("a network with the name \"{name}\" runs already")]
    Taken {
        /// The name of that network.
        name: NetworkName,
    },
    /// Another running manager has the same manifest.
    #[error("this manifest runs already, as the network \"{name}\"")]
    Runs {
        /// The name of that manager's network.
        name: NetworkName,
    },
    /// Another running network has addresses of this machine that ours needs.
    #[error(
        "the network \"{name}\" already uses {addresses} on this machine; end it, or give this one other addresses: other vips, or without any \"network: {free}\""
    )]
    Overlaps {
        /// The name of that network.
        name: NetworkName,
        /// The addresses.
        addresses: String,
        /// A block of addresses that no network uses.
        free: String,
    },
    /// The operating system refuses a control socket.
    #[error("{0}")]
    Unavailable(String),
}

impl OpenError {
    /// The name of the other network, if another network is the reason.
    pub fn name(&self) -> Option<&NetworkName> {
        match self {
            Self::Taken { name } | Self::Runs { name } | Self::Overlaps { name, .. } => Some(name),
            Self::Unavailable(_) => None,
        }
    }
}

/// This manager's control socket. It is removed when this value is dropped.
pub struct Door {
    name: NetworkName,
    manifest: Option<String>,
    listener: platform::Bound,
}

impl Door {
    /// The name of the network.
    pub fn name(&self) -> &NetworkName {
        &self.name
    }

    pub(super) fn into_parts(self) -> (NetworkName, Option<String>, platform::Bound) {
        (self.name, self.manifest, self.listener)
    }
}

/// Opens a control socket for the network of this plan. The socket of a manager that has ended is replaced. If another
/// network has the same name, a number is appended to ours, unless a person has chosen the name.
///
/// A network is refused if its manifest is already run, under any name. It is also refused if it needs addresses of
/// this machine that another network of this user has: its agents could not listen there, and programs would reach the
/// hosts of the other network.
pub async fn open(identity: &Identity, plan: &PlanView) -> Result<Door, OpenError> {
    let manifest = identity.manifest.as_ref();
    let manifest = manifest.map(|manifest| manifest.display().to_string());
    look_around(manifest.as_ref(), plan).await?;
    for number in NUMBERS {
        let name = identity.name.numbered(number);
        let unavailable = |reason| OpenError::Unavailable(reason);
        if let Some(listener) = platform::bind(&name).map_err(unavailable)? {
            return Ok(Door {
                name,
                manifest,
                listener,
            });
        }
        // Another manager may have started with the same manifest after [`look_around`] has looked.
        let other = Client::new(name.clone()).network().await;
        if manifest.is_some() && other.is_ok_and(|other| other.manifest == manifest) {
            return Err(OpenError::Runs { name });
        }
        if identity.chosen {
            return Err(OpenError::Taken { name });
        }
    }
    Err(OpenError::Taken {
        name: identity.name.clone(),
    })
}

/// Opens the control socket for the trial of a host. Through it, the host's command asks people. Other commands do not
/// list this socket.
pub fn open_for_trial() -> Result<Door, OpenError> {
    for number in NUMBERS {
        let name = NetworkName::of_trial(number);
        if let Some(listener) = platform::bind(&name).map_err(OpenError::Unavailable)? {
            return Ok(Door {
                name,
                manifest: None,
                listener,
            });
        }
    }
    let name = NetworkName::of_trial(*NUMBERS.end());
    Err(OpenError::Taken { name })
}

/// Fails if our network cannot run beside one of the running ones, because the two have the same manifest or clashing
/// addresses. A manager that does not answer is ignored.
async fn look_around(manifest: Option<&String>, plan: &PlanView) -> Result<(), OpenError> {
    let around = Client::around().await;
    let around: Vec<_> = around
        .into_iter()
        .filter_map(|(client, network)| Some((client, network.ok()?)))
        .collect();
    let vips = |network: &NetworkView| -> BTreeSet<String> {
        let hosts = network.snapshot.hosts.iter();
        hosts.map(|host| host.vip.clone()).collect()
    };
    for (client, network) in &around {
        let name = client.name().clone();
        if manifest.is_some() && network.manifest.as_ref() == manifest {
            return Err(OpenError::Runs { name });
        }
        let theirs = vips(network);
        if !plan.hosts.iter().any(|host| theirs.contains(&host.vip)) {
            continue;
        }
        let clashes = client.plan().await.map(|theirs| plan.clashes(&theirs));
        let clashes = clashes.unwrap_or_default();
        if !clashes.is_empty() {
            return Err(OpenError::Overlaps {
                name,
                addresses: address_ranges(&clashes),
                free: free_block(&around.iter().flat_map(|(_, it)| vips(it)).collect()),
            });
        }
    }
    Ok(())
}

/// Finds a block of addresses in which no running network has a host. It is written as in a manifest.
fn free_block(vips: &BTreeSet<String>) -> String {
    let is_free = |third: &u8| {
        let begin = format!("127.0.{third}.");
        !vips.iter().any(|vip| vip.starts_with(&begin))
    };
    // With more than two hundred networks, people choose addresses by hand.
    let third = BLOCKS.into_iter().find(is_free).unwrap_or(*BLOCKS.start());
    format!("127.0.{third}.0/24")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_that_is_proposed_has_nobody_in_it() {
        let of = |vips: &[&str]| free_block(&vips.iter().map(|&vip| vip.to_owned()).collect());
        assert_eq!(of(&["127.0.42.100"]), "127.0.43.0/24");
        let taken = ["127.0.42.100", "127.0.43.7", "127.0.4.1"];
        assert_eq!(of(&taken), "127.0.44.0/24");
    }
}
