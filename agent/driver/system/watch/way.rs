//! The folders and links through which a path leads to its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

use crate::driver::system::stamp::Identity;

/// How many links a path may have, as in Linux.
const LINKS_MAX: usize = 40;

/// The places to which a path leads at one moment. While these places stay the same, a notification about one of them
/// concerns the path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// The places where a change can make the path lead elsewhere, or can change the file. They are each folder that
    /// contains a link of the path, the folder that contains the file or lacks a part of the path, and the file itself,
    /// because its content may be changed through another path. The paths of these places contain no links.
    places: BTreeMap<PathBuf, Option<Identity>>,
    /// The names of all parts of the path and of its links.
    names: BTreeSet<OsString>,
}

impl Way {
    /// The present way of an absolute path.
    pub(super) fn of(path: &Path) -> Self {
        let mut way = Self {
            places: BTreeMap::new(),
            names: BTreeSet::new(),
        };
        let mut real = PathBuf::new();
        let mut links = 0;
        let mut left = Vec::new();
        put_before(&mut left, path);
        while let Some(part) = left.pop() {
            let name = match Path::new(&part).components().next() {
                Some(Component::Normal(name)) => name,
                Some(Component::ParentDir) => {
                    real.pop();
                    continue;
                }
                Some(Component::Prefix(_) | Component::RootDir) => {
                    real.push(part);
                    continue;
                }
                Some(Component::CurDir) | None => continue,
            };
            way.names.insert(name.to_owned());
            let next = real.join(name);
            let Ok(found) = fs::symlink_metadata(&next) else {
                way.add(real);
                break;
            };
            if !found.is_symlink() {
                if left.is_empty() {
                    way.add(real);
                    way.places.insert(next, Some(Identity::of(&found)));
                    break;
                }
                real = next;
                continue;
            }
            way.add(real.clone());
            links += 1;
            let Ok(target) = fs::read_link(&next) else {
                break;
            };
            if links > LINKS_MAX {
                break;
            }
            put_before(&mut left, &target);
            if target.is_absolute() {
                real = PathBuf::new();
            }
        }
        way
    }

    fn add(&mut self, folder: PathBuf) {
        let identity = fs::symlink_metadata(&folder).ok();
        let identity = identity.as_ref().map(Identity::of);
        self.places.insert(folder, identity);
    }

    /// The paths of all places that have to be watched.
    pub(super) fn places(&self) -> impl Iterator<Item = &Path> {
        self.places.keys().map(PathBuf::as_path)
    }

    /// The names that can occur in a notification about this path.
    pub(super) fn names(&self) -> &BTreeSet<OsString> {
        &self.names
    }
}

/// Puts the parts of `path` before the parts that are left. The next part to follow is the last element of the list.
fn put_before(left: &mut Vec<OsString>, path: &Path) {
    let parts = path.components().rev();
    left.extend(parts.map(|part| part.as_os_str().to_owned()));
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::driver::system::files::tests::Folder;

    /// The places on the way to a file of this folder, without the folder's own path.
    fn places(folder: &Path, path: &str) -> Vec<String> {
        let way = Way::of(&folder.join(path));
        let places = way.places().map(|place| {
            let place = place.strip_prefix(folder).unwrap();
            place.display().to_string()
        });
        places.collect()
    }

    #[test]
    fn a_way_has_each_folder_in_which_it_can_turn() {
        let folder = Folder::new();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir_all(root.join("v1/deep")).unwrap();
        fs::write(root.join("v1/deep/n.yaml"), "").unwrap();
        symlink("v1", root.join("data")).unwrap();
        symlink("data/../data/deep/n.yaml", root.join("n.yaml")).unwrap();
        assert_eq!(
            places(&root, "v1/deep/n.yaml"),
            ["v1/deep", "v1/deep/n.yaml"]
        );
        assert_eq!(places(&root, "n.yaml"), ["", "v1/deep", "v1/deep/n.yaml"]);
        assert_eq!(places(&root, "v1/gone/n.yaml"), ["v1"]);
        let names = Way::of(&root.join("n.yaml")).names;
        for name in ["n.yaml", "data", "v1", "deep"] {
            assert!(names.contains(&OsString::from(name)), "{names:?}");
        }
    }

    #[test]
    fn links_in_a_circle_have_an_end() {
        let folder = Folder::new();
        let root = fs::canonicalize(folder.path()).unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        assert_eq!(places(&root, "a"), [""]);
    }

    #[test]
    fn a_way_differs_when_a_folder_was_made_again_or_a_link_leads_elsewhere() {
        let folder = Folder::new();
        let root = fs::canonicalize(folder.path()).unwrap();
        for version in ["v1", "v2"] {
            fs::create_dir(root.join(version)).unwrap();
            fs::write(root.join(version).join("n.yaml"), "").unwrap();
        }
        symlink("v1", root.join("data")).unwrap();
        let path = root.join("data/n.yaml");
        let before = Way::of(&path);
        assert_eq!(Way::of(&path), before);
        symlink("v2", root.join("new")).unwrap();
        fs::rename(root.join("new"), root.join("data")).unwrap();
        let after = Way::of(&path);
        assert_ne!(after, before);
        fs::rename(root.join("v2"), root.join("old")).unwrap();
        fs::create_dir(root.join("v2")).unwrap();
        fs::rename(root.join("old/n.yaml"), root.join("v2/n.yaml")).unwrap();
        assert_ne!(Way::of(&path), after);
    }
}
