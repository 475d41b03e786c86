//! The folder for the sockets of this user's programs, with alternatives in case another user has taken its name, and
//! the check that the other end of a socket belongs to the same user.

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

/// The possible folders, best first. The first one is `$XDG_RUNTIME_DIR/norouter` or, if that variable cannot be used,
/// a folder among the temporary files. Another user may have taken the name of this folder, so the second one is in the
/// home folder. A variable is used only if its folder belongs to this user: after `su` the variable may still name the
/// folder of another user.
fn places() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let owned = |folder: &PathBuf| fs::metadata(folder).is_ok_and(|folder| folder.uid() == own());
    let usable = |folder: Option<PathBuf>| folder.filter(|it| it.is_absolute()).filter(owned);
    let first = match usable(variable("XDG_RUNTIME_DIR")) {
        Some(runtime) => runtime.join("norouter"),
        None => std::env::temp_dir().join(format!("norouter-{}", own())),
    };
    let home = usable(variable("HOME")).filter(|home| trusted::folder(home).is_ok());
    let second = home.map(|home| home.join(".norouter").join("run"));
    std::iter::once(first).chain(second).collect()
}

/// The possible folders that exist and belong to this user alone, in the order in which they are searched.
pub(in crate::driver) fn folders() -> impl Iterator<Item = PathBuf> {
    places().into_iter().filter(|folder| is_ours_alone(folder))
}

/// The first folder that can be used, with permissions for this user only. It is created if necessary. If no folder can
/// be used, the error gives the reasons.
pub(in crate::driver) fn folder() -> Result<PathBuf, String> {
    let mut reasons = Vec::new();
    for place in places() {
        match make(&place) {
            Ok(()) => return Ok(place),
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
