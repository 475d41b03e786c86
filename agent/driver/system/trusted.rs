//! Checks whether other users control the file or folder to which a path leads. Other users control it if they own it
//! or may write to it. The same applies if they own, or may write to, a folder or link on the way. The check is
//! required before an agent writes into its folder, before a list of grants is used, and before the program reads a
//! manifest that the person has not named.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::error::describe;

/// The reason why a path is not trusted.
#[derive(Debug)]
pub enum Distrust {
    /// The path cannot be examined.
    Unseen(PathBuf, io::Error),
    /// The path belongs to the user with this id.
    Foreign(PathBuf, u32),
    /// Other users may write to the path, or may replace files in it.
    Open(PathBuf),
    /// The path leads through more links than any operating system follows.
    Links(PathBuf),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen(path, error) => {
                write!(f, "cannot look at {}: {}", path.display(), describe(error))
            }
            Self::Foreign(path, uid) => {
                write!(f, "{} belongs to another user ({uid})", path.display())
            }
            Self::Open(path) => write!(f, "other users may write {}", path.display()),
            Self::Links(path) => write!(f, "{} is one of too many links", path.display()),
        }
    }
}

/// Checks that only this user and root control the content of a file, which must exist. The file and all folders on the
/// way to it must belong to one of them. No other user may write to the file or its folder, or replace a folder above.
pub fn file(path: &Path) -> Result<(), Distrust> {
    match way::FILE.follow(path)? {
        Some(_) => Ok(()),
        None => Err(Distrust::Unseen(
            path.to_owned(),
            io::ErrorKind::NotFound.into(),
        )),
    }
}

/// Like [`file()`], for a folder. Parts of the path need not exist yet. The folder may be one to which every user can
/// add files, such as `/tmp`, if users cannot replace the files of others in it.
pub(in crate::driver) fn folder(path: &Path) -> Result<(), Distrust> {
    way::FOLDER.follow(path).map(drop)
}

/// Follows all links to a file, and checks that only root can have written it. `None` if the file does not exist.
#[cfg(unix)]
pub(in crate::driver) fn file_of_root(path: &Path) -> Result<Option<PathBuf>, Distrust> {
    way::FILE_OF_ROOT.follow(path)
}

/// Other systems do not have root, so root cannot own files there.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(in crate::driver) fn file_of_root(_path: &Path) -> Result<Option<PathBuf>, Distrust> {
    Ok(None)
}

/// The effective user of this process.
#[cfg(unix)]
pub(in crate::driver) fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
mod way {
    use std::{
        collections::VecDeque,
        ffi::OsString,
        fs::{self, Metadata},
        io,
        os::unix::fs::MetadataExt as _,
        path::{Component, Path, PathBuf},
    };

    use super::{Distrust, own};

    /// The greatest number of links that any operating system follows.
    const LINKS_MAX: usize = 40;

    /// The id that stands for all users without a number in a user namespace (`user_namespaces(7)`). Root of the
    /// machine is one of them.
    const NOBODY: u32 = 65_534;

    /// In a sticky folder, every user can add files, but users cannot move the files of others (`inode(7)`).
    const STICKY: u32 = 0o1000;

    /// The rules for all parts of the path to a file or folder.
    pub(super) struct Way {
        /// The number of parts at the end of the path in which other users must not even be able to add files.
        closed: usize,
        /// Whether this user may own the parts. If false, only root may own them.
        ours: bool,
    }

    pub(super) const FILE: Way = Way {
        closed: 2,
        ours: true,
    };
    pub(super) const FOLDER: Way = Way {
        closed: 0,
        ours: true,
    };
    pub(super) const FILE_OF_ROOT: Way = Way {
        closed: 2,
        ours: false,
    };

    impl Way {
        /// Checks every folder and link, and returns the path to which they lead. `None` if a part does not exist; a
        /// link to nothing is an error.
        pub(super) fn follow(&self, path: &Path) -> Result<Option<PathBuf>, Distrust> {
            let unseen = |path: &Path| {
                let path = path.to_owned();
                |error| Distrust::Unseen(path, error)
            };
            let whole = std::path::absolute(path).map_err(unseen(path))?;
            let mut to_come = parts(&whole);
            let (mut here, mut links) = (PathBuf::from("/"), 0);
            while let Some(part) = to_come.pop_front() {
                if part == ".." {
                    here.pop();
                    continue;
                }
                // If the target of a link is an absolute path, pushing its first part replaces the whole path.
                here.push(part);
                let found = match fs::symlink_metadata(&here) {
                    Err(error) if is_absent(&error) && links == 0 => return Ok(None),
                    found => found.map_err(unseen(&here))?,
                };
                self.check(&here, &found, to_come.len() < self.closed)?;
                if found.is_symlink() {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Distrust::Links(here));
                    }
                    let target = fs::read_link(&here).map_err(unseen(&here))?;
                    here.pop();
                    for part in parts(&target).into_iter().rev() {
                        to_come.push_front(part);
                    }
                }
            }
            Ok(Some(here))
        }

        fn check(&self, path: &Path, found: &Metadata, closed: bool) -> Result<(), Distrust> {
            let trusted = match found.uid() {
                0 => true,
                NOBODY if !closed && is_root_unknown() => true,
                uid => self.ours && uid == own(),
            };
            if !trusted {
                return Err(Distrust::Foreign(path.to_owned(), found.uid()));
            }
            // The permissions of a link do not have a meaning.
            let is_safe = found.is_symlink() || (!closed && found.mode() & STICKY != 0);
            if !is_safe && others_may_write(path, found) {
                return Err(Distrust::Open(path.to_owned()));
            }
            Ok(())
        }
    }

    fn parts(path: &Path) -> VecDeque<OsString> {
        let parts = path.components().filter(|part| *part != Component::CurDir);
        parts.map(|part| part.as_os_str().to_owned()).collect()
    }

    fn is_absent(error: &io::Error) -> bool {
        [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
    }

    /// Whether this is a user namespace without the machine's root. In such a namespace even `/` seems to belong to
    /// nobody.
    fn is_root_unknown() -> bool {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let mut words = map.split_whitespace();
        let all = ["0", "0", "4294967295"];
        !map.is_empty() && !all.iter().all(|word| words.next() == Some(word))
    }

    fn others_may_write(path: &Path, it: &Metadata) -> bool {
        const GROUP: u32 = 0o020;
        const OTHERS: u32 = 0o002;
        let mode = it.mode();
        if mode & OTHERS != 0 {
            return true;
        }
        if mode & GROUP == 0 {
            return false;
        }
        // An access list can permit writing to more users than the permissions show.
        if has_list(path) {
            return true;
        }
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        !is_private_group(
            it.gid(),
            it.uid(),
            &read("/etc/group"),
            &read("/etc/passwd"),
        )
    }

    /// Whether a file has an access list in addition to its permissions (`acl(5)`).
    #[cfg(target_os = "linux")]
    fn has_list(path: &Path) -> bool {
        let mut nothing: [u8; 0] = [];
        let found = rustix::fs::getxattr(path, "system.posix_acl_access", &mut nothing);
        found.is_ok_and(|size| size > 0)
    }

    /// On other systems an access list does not change the meaning of the permissions.
    #[cfg(not(target_os = "linux"))]
    fn has_list(_path: &Path) -> bool {
        false
    }

    /// Whether this is the private group of the user `owner`. Many distributions create such a group for each user: its
    /// ID is the user's ID, it has no other members, and it is not the primary group of another user. `groups` and
    /// `users` are the contents of the files that list them. A group that is not in `groups` does not count as private.
    pub(super) fn is_private_group(group: u32, owner: u32, groups: &str, users: &str) -> bool {
        let number = group.to_string();
        let fields = |line: &str| -> Vec<String> { line.split(':').map(str::to_owned).collect() };
        let own = |line: &Vec<String>| line.get(2).is_some_and(|it| *it == number);
        let Some(entry) = groups.lines().map(fields).find(own) else {
            return false;
        };
        let members = entry.get(3).map_or("", String::as_str);
        let is_alone = members.is_empty() || entry.first().is_some_and(|name| name == members);
        let others_first = users.lines().map(fields).any(|user| {
            user.get(3).is_some_and(|it| *it == number)
                && user.get(2).is_none_or(|it| *it != number)
        });
        group == owner && is_alone && !others_first
    }
}

/// On Windows, the owner and the permissions of a file cannot be read without unsafe code, so they are not checked. A
/// person's own folders can be changed only by that person and the administrators.
#[cfg(not(unix))]
mod way {
    use std::path::{Path, PathBuf};

    use super::Distrust;

    pub(super) struct Way;

    pub(super) const FILE: Way = Way;
    pub(super) const FOLDER: Way = Way;

    impl Way {
        pub(super) fn follow(&self, path: &Path) -> Result<Option<PathBuf>, Distrust> {
            let found = std::fs::canonicalize(path);
            found.map(Some).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(None),
                _ => Err(Distrust::Unseen(path.to_owned(), error)),
            })
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;
    use crate::driver::system::files::tests::Folder;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// The message about a file or a folder.
    fn told(of: fn(&Path) -> Result<(), Distrust>, path: &Path) -> Option<String> {
        of(path).err().map(|why| why.to_string())
    }

    #[test]
    fn a_file_is_ones_own_where_nobody_else_may_write() {
        let above = Folder::new();
        let inner = above.path().join("inner");
        fs::create_dir(&inner).unwrap();
        mode(above.path(), 0o755);
        mode(&inner, 0o755);
        let path = inner.join("n.yaml");
        fs::write(&path, "").unwrap();
        mode(&path, 0o644);
        assert_eq!(told(file, &path), None);

        let refused = |word: &str| {
            let reason = told(file, &path).unwrap();
            assert!(reason.starts_with("other users may write "), "{reason}");
            assert!(reason.ends_with(word), "{reason}");
        };
        mode(&path, 0o666);
        refused("n.yaml");
        mode(&path, 0o644);
        for open in [0o777, 0o1777] {
            mode(&inner, open);
            refused("inner");
        }
        mode(&inner, 0o755);
        mode(above.path(), 0o777);
        assert!(file(&path).is_err(), "the folder could be another one");
        mode(above.path(), 0o1777);
        assert_eq!(told(file, &path), None, "the folder cannot be another one");
        assert!(file(&inner.join("absent")).is_err());
    }

    #[test]
    fn a_link_is_as_safe_as_both_of_its_ends() {
        let folder = Folder::new();
        mode(folder.path(), 0o755);
        let (open, own) = (folder.path().join("open"), folder.path().join("own"));
        for (path, permissions) in [(&open, 0o777), (&own, 0o755)] {
            fs::create_dir(path).unwrap();
            mode(path, permissions);
            fs::write(path.join("n.yaml"), "").unwrap();
        }
        symlink(open.join("n.yaml"), own.join("to-open")).unwrap();
        for folder in [&open, &own] {
            symlink(own.join("n.yaml"), folder.join("to-own")).unwrap();
        }
        symlink("absent", own.join("to-nothing")).unwrap();
        assert!(file(&own.join("to-open")).is_err());
        assert!(file(&open.join("to-own")).is_err());
        assert_eq!(told(file, &own.join("to-own")), None);
        // A link to nothing is an error, in contrast to a file that does not exist.
        for of in [file, super::folder] {
            let reason = told(of, &own.join("to-nothing")).unwrap();
            assert!(reason.starts_with("cannot look at "), "{reason}");
        }
        // Links on the way are followed as well.
        symlink("own", folder.path().join("folder")).unwrap();
        assert_eq!(
            told(file, &folder.path().join("folder/../folder/to-own")),
            None
        );
        symlink("open", folder.path().join("another")).unwrap();
        assert!(file(&folder.path().join("another/n.yaml")).is_err());
    }

    #[test]
    fn a_path_through_a_folder_of_others_is_told() {
        let above = Folder::new();
        let inside = above.path().join("open").join("inside");
        fs::create_dir_all(&inside).unwrap();
        let missing = inside.join("not").join("yet");
        assert_eq!(told(folder, &missing), None);
        let open = inside.parent().unwrap();
        mode(open, 0o777);
        let reason = Some(format!("other users may write {}", open.display()));
        for path in [&inside, &missing] {
            assert_eq!(told(folder, path), reason);
        }
        // The same folder, through a link and through `..`.
        let link = above.path().join("link");
        symlink("open/inside/../inside", &link).unwrap();
        assert_eq!(told(folder, &link), reason);
        assert!(
            folder(&above.path().join("x/../open/../open/inside")).is_ok(),
            "x is not there"
        );
        mode(open, 0o1777);
        assert_eq!(told(folder, &link), None);
        let endless = above.path().join("endless");
        symlink("endless", &endless).unwrap();
        let reason = told(folder, &endless).unwrap();
        assert!(reason.contains("too many links"), "{reason}");
    }

    #[test]
    fn what_is_not_roots_is_nothing_for_everybody() {
        let folder = Folder::new();
        mode(folder.path(), 0o755);
        let path = folder.file("limits", b"");
        mode(&path, 0o644);
        let reason = || file_of_root(&path).unwrap_err().to_string();
        if own() == 0 {
            let real = fs::canonicalize(&path).unwrap();
            assert_eq!(file_of_root(&path).unwrap(), Some(real));
            assert_eq!(file_of_root(&folder.path().join("absent")).unwrap(), None);
            mode(&path, 0o646);
            assert!(reason().starts_with("other users may write"));
            mode(&path, 0o644);
            std::os::unix::fs::chown(&path, Some(1001), None).unwrap();
        }
        let reason = reason();
        assert!(reason.contains(" belongs to another user ("), "{reason}");
    }

    #[test]
    fn a_group_is_private_if_it_is_the_owners_alone() {
        let (groups, users) = (
            "root:x:0:\nann:x:1000:\nbob:x:1001:bob\ndev:x:1002:ann,bob\neve:x:1003:\n",
            "root:x:0:0\nann:x:1000:1000\nbob:x:1001:1001\neve:x:1003:1003\nmal:x:1004:1003\n",
        );
        for (group, owner, private) in [
            (1000, 1000, true),
            (1001, 1001, true),
            (0, 0, true),
            (1000, 1001, false),
            (1002, 1002, false),
            (1003, 1003, false),
            (1005, 1005, false),
        ] {
            assert_eq!(
                way::is_private_group(group, owner, groups, users),
                private,
                "{group} of {owner}"
            );
        }
    }
}
