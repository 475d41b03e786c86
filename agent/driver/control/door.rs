//! Opens a manager's control socket: chooses its name, and finds out whether another manager has it already.

use std::path::{Path, PathBuf};

use super::{client::Client, platform};
use crate::driver::manager::NetworkName;

/// If other networks have the same name, a number is appended to the name of this one. These numbers are tried, one
/// after the other.
const NUMBERS: std::ops::RangeInclusive<usize> = 1..=99;

/// The name that a manager wants for its network, and the network's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: NetworkName,
    /// Whether a person has chosen the name. Then it must not be changed.
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
    /// The operating system refuses a control socket.
    #[error("{0}")]
    Unavailable(String),
}

impl OpenError {
    /// The name of the other network, if another network is the reason.
    pub fn name(&self) -> Option<&NetworkName> {
        match self {
            Self::Taken { name } | Self::Runs { name } => Some(name),
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

/// Opens a control socket for a network. The socket of a manager that has ended is replaced. If another network has the
/// same name, a number is appended to ours, unless a person has chosen the name.
pub async fn open(identity: &Identity) -> Result<Door, OpenError> {
    let manifest = identity.manifest.as_ref();
    let manifest = manifest.map(|manifest| manifest.display().to_string());
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
        if manifest.is_some() && Client::new(name.clone()).manifest().await == manifest {
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
