//! Searches for the manifest to use if the person has named none.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::driver::system::trusted;

/// The variable that names a manifest.
const FILE: &str = "NOROUTER_FILE";

/// The file names that are searched for.
const NAMES: [&str; 2] = ["norouter.yaml", "norouter.yml"];

/// The manifest that the variable names.
pub(super) fn of_variable() -> Option<PathBuf> {
    variable(FILE)
}

/// The manifest that the search finds.
pub(super) fn found() -> Option<PathBuf> {
    let config = variable("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")));
    first(config.as_deref())
}

/// The manifest that "norouter" would run in the present folder, with all links resolved. The manifest in the folder of
/// configuration files does not count, because it belongs to no particular folder.
pub(super) fn of_this_folder() -> Option<PathBuf> {
    let named = of_variable().filter(|file| file.is_file());
    let found = || first(None).filter(|file| trusted::file(file).is_ok());
    named.or_else(found)?.canonicalize().ok()
}

/// The first manifest in the present folder, the folders above it, or the folder of configuration files.
fn first(config: Option<&Path>) -> Option<PathBuf> {
    let here = env::current_dir().unwrap_or_default();
    let mut candidates = candidates(&here, home().as_deref(), config).into_iter();
    candidates.find(|candidate| candidate.is_file())
}

fn home() -> Option<PathBuf> {
    variable("HOME").or_else(|| variable("USERPROFILE"))
}

/// The value of a variable that is not empty.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The paths where a manifest is searched for: in the current folder, in the folders above it up to the home folder,
/// and in the folder of configuration files. If the current folder is not in the home folder, the folders above it are
/// left out, because they may belong to other people.
fn candidates(here: &Path, home: Option<&Path>, config: Option<&Path>) -> Vec<PathBuf> {
    let in_home = home.filter(|home| here.starts_with(home));
    let folders = here.ancestors().take_while(|folder| {
        *folder == here || in_home.is_some_and(|home| folder.starts_with(home))
    });
    folders
        .map(Path::to_owned)
        .chain(config.map(|config| config.join("norouter")))
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(here: &str, home: Option<&str>) -> Vec<String> {
        candidates(
            Path::new(here),
            home.map(Path::new),
            Some(Path::new("/cfg")),
        )
        .iter()
        .filter(|file| file.ends_with("norouter.yml"))
        .filter_map(|file| Some(file.parent()?.to_str()?.replace('\\', "/")))
        .collect()
    }

    #[test]
    fn folders_above_are_searched_as_far_as_the_home_folder() {
        let found = folders("/houses/me/a/b", Some("/houses/me"));
        assert_eq!(
            found,
            [
                "/houses/me/a/b",
                "/houses/me/a",
                "/houses/me",
                "/cfg/norouter"
            ]
        );
    }

    #[test]
    fn outside_of_the_home_folder_nobody_elses_folder_is_searched() {
        assert_eq!(
            folders("/srv/x", Some("/houses/me")),
            ["/srv/x", "/cfg/norouter"]
        );
        assert_eq!(folders("/srv/x", None), ["/srv/x", "/cfg/norouter"]);
    }
}
