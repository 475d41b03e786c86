//! How a manager comes by its control socket: which name it gets, and what if another has it.

use std::path::{Path, PathBuf};

use super::{client::Client, platform};
use crate::driver::manager::Name;

/// How many networks of the same name are told apart by a number.
const NUMBERS: std::ops::RangeInclusive<usize> = 1..=99;

/// What a manager wants to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: Name,
    /// Whether a person has chosen the name, so that no other will do.
    chosen: bool,
    manifest: Option<PathBuf>,
}

impl Identity {
    /// The network of a manifest.
    pub fn of_manifest(manifest: &Path) -> Self {
        // What was loaded is there; if it has gone since, its name is as good as any.
        let manifest = std::fs::canonicalize(manifest).unwrap_or_else(|_| manifest.to_owned());
        Self {
            name: Name::of_manifest(&manifest),
            chosen: false,
            manifest: Some(manifest),
        }
    }

    /// A network that comes from no file.
    pub fn named(name: &str) -> Self {
        Self {
            name: Name::near(name),
            chosen: false,
            manifest: None,
        }
    }

    /// The same network under a name that a person has chosen.
    #[must_use]
    pub fn chosen(mut self, name: Option<Name>) -> Self {
        if let Some(name) = name {
            (self.name, self.chosen) = (name, true);
        }
        self
    }
}

/// Why a manager has no control socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A living manager has the name.
    #[error("a network with the name \"{name}\" runs already")]
    Taken {
        /// The name.
        name: Name,
    },
    /// A living manager runs this very manifest.
    #[error("this manifest runs already, as the network \"{name}\"")]
    Runs {
        /// Its name.
        name: Name,
    },
    /// The operating system does not give one.
    #[error("{0}")]
    Unavailable(String),
}

impl OpenError {
    /// The network that is in the way, if one is.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Taken { name } | Self::Runs { name } => Some(name),
            Self::Unavailable(_) => None,
        }
    }
}

/// A control socket that is this manager's. It goes with it.
pub struct Door {
    name: Name,
    manifest: Option<String>,
    listener: platform::Bound,
}

impl Door {
    /// What the network is called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn into_parts(self) -> (Name, Option<String>, platform::Bound) {
        (self.name, self.manifest, self.listener)
    }
}

/// Gets a control socket for a network. What a manager has left behind that is dead is replaced; another network of the same
/// name makes ours get a number, unless a person has chosen the name.
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
