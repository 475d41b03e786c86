//! The folder for the sockets of this user's programs. There are alternatives to it, in case another user has taken its
//! name. This file also checks that the other end of a socket belongs to the same user.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::UnixStream;

use super::{
    error::describe,
    trusted::{self, own},
};

/// Returns the stream if its other end belongs to this user. The permissions of the folder exclude other users already;
/// this is a second check.
pub(in crate::driver) fn same_user(stream: UnixStream) -> io::Result<UnixStream> {
    if stream.peer_cred()?.uid() == own() {
        Ok(stream)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// The possible folders, the best one first: `norouter` in the user's runtime folder, then [`home_place`], then a
/// folder among the temporary files. The runtime folder is `$XDG_RUNTIME_DIR` or, if that cannot be used,
/// `/run/user/UID`. If there is no runtime folder, the folder among the temporary files comes first. The variables are
/// used only if their folders belong to this user: after `su`, they may still name folders of another user.
fn places() -> Vec<PathBuf> {
    let runtime = usable(variable("XDG_RUNTIME_DIR"))
        .or_else(|| usable(Some(PathBuf::from(format!("/run/user/{}", own())))));
    let temporary = std::env::temp_dir().join(format!("norouter-{}", own()));
    match runtime {
        Some(runtime) => std::iter::once(runtime.join("norouter"))
            .chain(home_place())
            .chain([temporary])
            .collect(),
        None => std::iter::once(temporary).chain(home_place()).collect(),
    }
}

/// The folder for sockets, or for links to them, in the home folder. The variables that choose the other folders may
/// differ between two programs of one user, for instance in a shell and in a cron job. This folder is the same for
/// both, so every socket can be found from here.
pub(in crate::driver) fn home_place() -> Option<PathBuf> {
    let home = usable(variable("HOME")).filter(|home| trusted::folder(home).is_ok())?;
    Some(home.join(".norouter").join("run"))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn usable(folder: Option<PathBuf>) -> Option<PathBuf> {
    let owned = |folder: &PathBuf| fs::metadata(folder).is_ok_and(|folder| folder.uid() == own());
    folder.filter(|it| it.is_absolute()).filter(owned)
}

/// The possible folders that exist and belong to this user alone, in the order in which they are searched.
pub(in crate::driver) fn folders() -> impl Iterator<Item = PathBuf> {
    places().into_iter().filter(|folder| is_ours_alone(folder))
}

/// Calls `act` with one folder after the other, until it succeeds. It can fail in some of them: for example, a socket
/// cannot be made in a folder whose path is too long. Folders are created if necessary, with permissions for this user
/// only. If all calls fail, the error contains all reasons.
pub(in crate::driver) fn in_a_folder<T>(
    act: impl Fn(&Path) -> Result<T, String>,
) -> Result<T, String> {
    let mut reasons = Vec::new();
    for place in places() {
        match make(&place).and_then(|()| act(&place)) {
            Ok(done) => return Ok(done),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join(", and "))
}

/// Creates the folder with permissions for this user only. A folder of another user is not used.
pub(in crate::driver) fn make(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let mut builder = DirBuilder::new();
    match builder.recursive(true).mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(format!(
                "cannot make the folder {shown}: {}",
                describe(&error)
            ));
        }
        _ => {}
    }
    let is_ours = fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir() && it.uid() == own());
    if is_ours && !is_ours_alone(folder) {
        // If this fails, the following check reports it.
        let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    }
    if is_ours_alone(folder) {
        Ok(())
    } else {
        Err(format!(
            "{shown} is not a folder that belongs to this user alone; remove it"
        ))
    }
}

pub(in crate::driver) fn is_ours_alone(folder: &Path) -> bool {
    fs::symlink_metadata(folder)
        .is_ok_and(|it| it.is_dir() && it.uid() == own() && it.mode() & 0o777 & !0o700 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[test]
    fn what_is_no_folder_of_ours_is_not_used() {
        let folder = Folder::new();
        let taken = folder.file("taken", b"");
        assert!(make(&taken).is_err() && !is_ours_alone(&taken));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(make(&link).unwrap_err().ends_with("remove it"));
        let good = folder.path().join("a").join("run");
        make(&good).unwrap();
        fs::set_permissions(&good, Permissions::from_mode(0o755)).unwrap();
        assert!(!is_ours_alone(&good));
        make(&good).unwrap();
        assert!(is_ours_alone(&good));
    }
}
