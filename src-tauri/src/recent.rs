//! The manifests that were open before.

use std::path::Path;

use norouter::driver::manager::NetworkName;
use serde::{Deserialize, Serialize};

use crate::view;

/// How many manifests are remembered.
const FILES_MAX: usize = 12;

/// The paths of the manifests, the most recent first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recent {
    files: Vec<String>,
    /// The manifests whose networks the app runs now, or ran when it was quit.
    #[serde(default)]
    pub(crate) hosted: Vec<String>,
}

impl Recent {
    /// Moves a manifest to the top of the list, or adds it there.
    pub(crate) fn add(&mut self, path: &str) {
        self.forget(path);
        self.files.insert(0, path.to_owned());
        self.files.truncate(FILES_MAX);
    }

    /// Removes a manifest from the list.
    pub(crate) fn forget(&mut self, path: &str) {
        self.files.retain(|file| file != path);
    }

    /// Whether a manifest was open before.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file == path)
    }

    /// Notes whether the app runs the network of a manifest.
    pub(crate) fn set_hosted(&mut self, path: &str, runs: bool) {
        if !runs {
            self.hosted.retain(|file| file != path);
        } else if !self.hosted.iter().any(|file| file == path) {
            self.hosted.push(path.to_owned());
        }
    }

    /// The manifest that was open last.
    pub(crate) fn last(&self) -> Option<&str> {
        self.files.first().map(String::as_str)
    }

    /// All manifests, each with its present state.
    pub(crate) fn view(&self) -> Vec<view::Recent> {
        let files = self.files.iter();
        files
            .map(|path| view::Recent {
                path: path.clone(),
                name: NetworkName::of_manifest(Path::new(path)).to_string(),
                exists: Path::new(path).is_file(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_first_and_none_is_there_twice() {
        let mut recent = Recent::default();
        for number in 0..20 {
            recent.add(&format!("/{number}.yaml"));
        }
        recent.add("/15.yaml");
        recent.forget("/19.yaml");
        let paths: Vec<_> = recent.view().into_iter().map(|file| file.path).collect();
        assert_eq!(paths[..3], ["/15.yaml", "/18.yaml", "/17.yaml"]);
        assert_eq!(paths.len(), FILES_MAX - 1);
        assert!(recent.view().iter().all(|file| !file.exists));
        assert_eq!(recent.view()[0].name, "15");
    }
}
