//! Whether a path leads only through what this user or root decides about: nobody else can lead it elsewhere afterwards.

use std::path::Path;

/// Looks at every folder and link on the way, and says of the first that somebody else could change whose it is. What does not
/// exist yet is not looked at.
#[cfg(unix)]
pub(super) fn check(path: &Path) -> Result<(), String> {
    use std::{
        collections::VecDeque,
        ffi::OsString,
        fs, io,
        os::unix::fs::MetadataExt as _,
        path::{Component, PathBuf},
    };
    /// More than any system follows.
    const LINKS_MAX: usize = 40;

    let parts = |path: &Path| -> Vec<OsString> {
        let parts = path.components();
        parts.map(|part| part.as_os_str().to_owned()).collect()
    };
    let failed = |path: &Path, error: &io::Error| {
        format!(
            "cannot look at {}: {}",
            path.display(),
            super::describe(error)
        )
    };
    let whole = std::path::absolute(path).map_err(|error| failed(path, &error))?;
    let mut to_come = VecDeque::from(parts(&whole));
    let (mut here, mut links) = (PathBuf::from("/"), 0);
    while let Some(part) = to_come.pop_front() {
        if Path::new(&part).components().next() == Some(Component::ParentDir) {
            here.pop();
            continue;
        }
        // A root begins anew.
        here.push(part);
        let shown = here.display();
        let found = match fs::symlink_metadata(&here) {
            Ok(found) => found,
            Err(error)
                if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]
                    .contains(&error.kind()) =>
            {
                return Ok(());
            }
            Err(error) => return Err(failed(&here, &error)),
        };
        if !is_ours_or_roots(found.uid()) {
            let kind = if found.is_symlink() { "link" } else { "folder" };
            return Err(format!("the {kind} {shown} belongs to another user"));
        }
        if found.is_symlink() {
            links += 1;
            if links > LINKS_MAX {
                return Err(format!("{shown} is one of too many links"));
            }
            let target = fs::read_link(&here).map_err(|error| failed(&here, &error))?;
            here.pop();
            for part in parts(&target).into_iter().rev() {
                to_come.push_front(part);
            }
        } else if others_may_write(&found) {
            return Err(format!(
                "other users can write into the folder {shown}; run \"chmod go-w {shown}\" there"
            ));
        }
    }
    Ok(())
}

/// Folders of a user are that user's on Windows, unless an administrator says otherwise.
#[cfg(not(unix))]
pub(super) fn check(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Whether others may put something of theirs in the place of what is in a folder. Where the sticky bit is set they may not.
#[cfg(unix)]
fn others_may_write(folder: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // On many systems each user has a group of the same number in which nobody else is.
    let alone = folder.gid() == own() && folder.uid() == own();
    let others = if alone { 0o002 } else { 0o022 };
    folder.is_dir() && folder.mode() & others != 0 && folder.mode() & 0o1000 == 0
}

#[cfg(unix)]
fn is_ours_or_roots(uid: u32) -> bool {
    uid == own() || uid == 0 || (uid == NOBODY && is_root_unknown())
}

/// As whom those appear who have no number in a user namespace, root outside of it among them (`user_namespaces(7)`).
#[cfg(unix)]
const NOBODY: u32 = 65_534;

/// Whether this is a user namespace without the machine's root: then `/` itself is nobody's.
#[cfg(unix)]
fn is_root_unknown() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let mut words = map.split_whitespace();
    let all = ["0", "0", "4294967295"];
    !map.is_empty() && !all.iter().all(|word| words.next() == Some(word))
}

/// Who this is.
#[cfg(unix)]
pub(super) fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;
    use crate::driver::files::tests::Folder;

    #[test]
    fn a_path_through_a_folder_of_others_is_told() {
        let folder = Folder::new();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let inside = folder.0.join("open").join("inside");
        fs::create_dir_all(&inside).unwrap();
        let missing = inside.join("not").join("yet");
        assert_eq!(check(&missing), Ok(()));
        let open = inside.parent().unwrap();
        mode(open, 0o777);
        for path in [&inside, &missing] {
            let told = check(path).unwrap_err();
            assert!(
                told.ends_with(&format!("chmod go-w {}\" there", open.display())),
                "{told}"
            );
        }
        // The same by a link, and by a way back.
        let link = folder.0.join("link");
        symlink("open/inside/../inside", &link).unwrap();
        assert!(check(&link).is_err());
        assert!(
            check(&folder.0.join("x/../open/../open/inside")).is_ok(),
            "x is not there"
        );
        mode(open, 0o1777);
        assert_eq!(check(&link), Ok(()));
        let endless = folder.0.join("endless");
        symlink("endless", &endless).unwrap();
        assert!(check(&endless).unwrap_err().contains("too many links"));
    }
}
