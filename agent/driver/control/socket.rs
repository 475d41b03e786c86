//! The control sockets of this user: Unix sockets in a folder that other users cannot enter.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{fs::PermissionsExt as _, net::UnixListener as SystemListener},
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

use crate::driver::{
    manager::NetworkName,
    system::{
        describe, locked,
        private::{folder, folders, same_user},
    },
};

/// A connection, at the manager's or the client's end.
pub(super) type Stream = tokio::net::UnixStream;

/// A socket that does not accept clients yet.
pub(super) struct Bound {
    listener: SystemListener,
    files: SocketFiles,
}

/// A socket that accepts clients.
pub(super) struct Listener {
    listener: UnixListener,
    /// The socket's files, which are removed together with the listener.
    _files: SocketFiles,
}

/// The file of a control socket, and the lock that shows that the socket's manager is alive. The operating system
/// releases the lock when the manager ends, in whatever way.
struct SocketFiles {
    socket: PathBuf,
    lock: PathBuf,
    locked: File,
    /// The folder of the socket. It is locked, so that a cleaner of temporary files skips it (tmpfiles.d(5)).
    _folder: Option<File>,
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        // If the folder was removed, another manager's files may be in its place. The lock file is removed last, while
        // it is still locked.
        if locked::is_at(&self.locked, &self.lock) {
            let _ = fs::remove_file(&self.socket);
            let _ = fs::remove_file(&self.lock);
        }
    }
}

/// Creates the control socket of the network with this name. `None` if another running manager has the name. The error
/// is worded for people.
pub(super) fn bind(name: &NetworkName) -> Result<Option<Bound>, String> {
    // A network that was started earlier may have its files in another one of the possible folders.
    let locks = folders().map(|folder| folder.join(format!("{name}.lock")));
    let folder = folder()?;
    let is_elsewhere = |lock: &PathBuf| lock.parent() != Some(&folder) && lock.exists();
    for lock in locks.filter(is_elsewhere) {
        if matches!(locked::lock(&lock), Ok(None)) {
            return Ok(None);
        }
    }
    let failed = |error: io::Error| {
        let folder = folder.display();
        format!(
            "no control socket can be made in {folder}: {}",
            describe(&error)
        )
    };
    let lock = folder.join(format!("{name}.lock"));
    let Some(locked) = locked::lock(&lock).map_err(failed)? else {
        return Ok(None);
    };
    let files = SocketFiles {
        socket: socket(&folder, name),
        lock,
        locked,
        _folder: File::open(&folder)
            .ok()
            .filter(|folder| folder.try_lock_shared().is_ok()),
    };
    match fs::remove_file(&files.socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // Nobody else can enter the folder, so the socket's permissions may be set after it was created.
    let listener = SystemListener::bind(&files.socket).map_err(failed)?;
    fs::set_permissions(&files.socket, Permissions::from_mode(0o600)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(Some(Bound { listener, files }))
}

impl Bound {
    /// Begins to accept clients. This function must be called within a runtime.
    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(Listener {
            listener: UnixListener::from_std(self.listener)?,
            _files: self.files,
        })
    }
}

impl Listener {
    /// Accepts the next connection of a program of this user.
    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        let (stream, _) = self.listener.accept().await?;
        same_user(stream)
    }
}

/// Connects to the manager of the network with this name.
pub(super) async fn connect(name: &NetworkName) -> io::Result<Stream> {
    let mut missing = io::ErrorKind::NotFound.into();
    for folder in folders() {
        match Stream::connect(socket(&folder, name)).await {
            Ok(stream) => return same_user(stream),
            Err(error) => missing = error,
        }
    }
    Err(missing)
}

/// The names of all sockets. Their managers may have ended.
pub(super) fn names() -> Vec<NetworkName> {
    let entries = folders().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let mut names: Vec<NetworkName> = entries
        .filter_map(|entry| {
            let file = entry.file_name();
            file.to_str()?.strip_suffix(".sock")?.parse().ok()
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn socket(folder: &Path, name: &NetworkName) -> PathBuf {
    folder.join(format!("{name}.sock"))
}
