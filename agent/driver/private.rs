//! The folder for the sockets of this user's programs, and the proof that nobody else is at their other end.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::UnixStream;

use super::describe;

/// The other end, if it belongs to this user. The mode of the folder keeps others out; this is the second lock.
pub(super) fn same_user(stream: UnixStream) -> io::Result<UnixStream> {
    if stream.peer_cred()?.uid() == own() {
        Ok(stream)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// `$XDG_RUNTIME_DIR/norouter`, or a folder of this user's own where temporary files are. The variable may still be that
/// of another user, after `su`.
pub(super) fn folder() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let owned = |folder: &PathBuf| fs::metadata(folder).is_ok_and(|folder| folder.uid() == own());
    match runtime.filter(|folder| folder.is_absolute()).filter(owned) {
        Some(runtime) => runtime.join("norouter"),
        None => std::env::temp_dir().join(format!("norouter-{}", own())),
    }
}

/// Makes the folder, closed to others. One that somebody else has put there is not used.
pub(super) fn make(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    match DirBuilder::new().mode(0o700).create(folder) {
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
        // The worst that can come of it is told below.
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

pub(super) fn is_ours_alone(folder: &Path) -> bool {
    fs::symlink_metadata(folder)
        .is_ok_and(|it| it.is_dir() && it.uid() == own() && it.mode() & 0o777 & !0o700 == 0)
}

fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}
