//! The control sockets of this user: Unix sockets in a folder that other users cannot enter.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener as SystemListener,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::net::UnixListener;

use crate::driver::{
    manager::NetworkName,
    system::{
        describe, locked,
        private::{folders, home_place, in_a_folder, make, same_user},
    },
};

/// A manager may have too many clients to accept another one. This is the pause before the next attempt to connect, and
/// the greatest number of attempts.
const FULL_PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS_MAX: usize = 100;

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
    files: SocketFiles,
}

/// The file of a control socket, and a locked file. The lock shows that the socket's manager is alive: the operating
/// system releases it when the manager ends, even after a crash.
struct SocketFiles {
    socket: PathBuf,
    /// The inode of the socket's file, which shows whether the file is still ours.
    inode: u64,
    lock: PathBuf,
    locked: File,
    /// Links in the home folder to the socket and the lock; empty if the socket and the lock are in the home folder
    /// themselves.
    links: Vec<Link>,
    /// The folder of the socket. It is locked, so that a cleaner of temporary files skips it (tmpfiles.d(5)).
    _folder: Option<File>,
}

/// A link in the home folder to a socket. With it, programs find the socket even if their environment variables lead to
/// another folder. The link is removed when this value is dropped.
struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Makes the link. A failure matters only to programs with other environment variables, which cannot find the
    /// socket then.
    fn put(&self) {
        if self.is_there() {
            return;
        }
        // A link that leads elsewhere is left over from a network that has ended. If that network still ran,
        // [`bind_in`] would not have given its name to ours.
        let _ = fs::remove_file(&self.path);
        if self
            .path
            .parent()
            .is_some_and(|folder| make(folder).is_ok())
        {
            let _ = symlink(&self.target, &self.path);
        }
    }

    fn is_there(&self) -> bool {
        fs::read_link(&self.path).is_ok_and(|target| target == self.target)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.is_there() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl SocketFiles {
    /// Whether other programs can still reach the socket. The system removes a user's runtime folder when the user has
    /// logged out everywhere, but a network may still run after that.
    fn are_there(&self) -> bool {
        let socket = fs::symlink_metadata(&self.socket);
        socket.is_ok_and(|socket| socket.ino() == self.inode)
            && locked::is_at(&self.locked, &self.lock)
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        self.links.clear();
        // If the folder was removed, another manager may have put its own files at these paths, and those must stay.
        // The lock file is removed last, while it is still locked.
        if locked::is_at(&self.locked, &self.lock) {
            let _ = fs::remove_file(&self.socket);
            let _ = fs::remove_file(&self.lock);
        }
    }
}

/// Creates the control socket of the network with this name. `None` if another running manager has the name. The error
/// is worded for people.
pub(super) fn bind(name: &NetworkName) -> Result<Option<Bound>, String> {
    in_a_folder(|folder| bind_in(folder, name))
}

fn bind_in(folder: &Path, name: &NetworkName) -> Result<Option<Bound>, String> {
    let failed = |error: io::Error| {
        let folder = folder.display();
        format!(
            "no control socket can be made in {folder}: {}",
            describe(&error)
        )
    };
    let (socket, lock) = (socket(folder, name), lock(folder, name));
    // Another network of this name may have been started earlier, or with other environment variables. Its files may be
    // in another one of the possible folders, or in a folder to which a link in the home folder leads.
    let here = fs::canonicalize(folder).map_err(failed)?;
    let locks = folders().filter_map(|folder| fs::canonicalize(self::lock(&folder, name)).ok());
    for other in locks.filter(|other| other.parent() != Some(&here)) {
        if matches!(locked::lock(&other), Ok(None)) {
            return Ok(None);
        }
    }
    // A link here leads to a lock in another folder. The loop above has found that no manager holds that lock, so the
    // link is left over.
    if fs::read_link(&lock).is_ok() {
        fs::remove_file(&lock).map_err(failed)?;
    }
    let Some(locked) = locked::lock(&lock).map_err(failed)? else {
        return Ok(None);
    };
    let mut files = SocketFiles {
        socket,
        inode: 0,
        lock,
        locked,
        links: Vec::new(),
        _folder: File::open(folder)
            .ok()
            .filter(|folder| folder.try_lock_shared().is_ok()),
    };
    match fs::remove_file(&files.socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // The permissions of the socket may be set after it was created, because nobody else can enter the folder.
    let listener = SystemListener::bind(&files.socket).map_err(failed)?;
    fs::set_permissions(&files.socket, Permissions::from_mode(0o600)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    files.inode = fs::symlink_metadata(&files.socket).map_err(failed)?.ino();
    if let Some(home) = home_place().filter(|home| home != folder) {
        files.links = [&files.socket, &files.lock]
            .into_iter()
            .filter_map(|target| {
                Some(Link {
                    path: home.join(target.file_name()?),
                    target: target.clone(),
                })
            })
            .collect();
        files.links.iter().for_each(Link::put);
    }
    Ok(Some(Bound { listener, files }))
}

impl Bound {
    /// Begins to accept clients. This function must be called within a runtime.
    pub(super) fn listen(self) -> io::Result<Listener> {
        Ok(Listener {
            listener: UnixListener::from_std(self.listener)?,
            files: self.files,
        })
    }
}

impl Listener {
    /// Accepts the next connection of a program of this user.
    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        let (stream, _) = self.listener.accept().await?;
        same_user(stream)
    }

    /// Whether other programs can still find the socket. Links that somebody has removed are made again.
    pub(super) fn is_there(&self) -> bool {
        self.files.links.iter().for_each(Link::put);
        self.files.are_there()
    }
}

/// Connects to the manager of the network with this name.
pub(super) async fn connect(name: &NetworkName) -> io::Result<Stream> {
    let mut missing = io::ErrorKind::NotFound.into();
    for folder in folders() {
        match connect_patiently(&socket(&folder, name)).await {
            Ok(stream) => return same_user(stream),
            Err(error) => missing = error,
        }
    }
    Err(missing)
}

/// Connects to a socket. Linux refuses a connection while too many earlier ones wait for the manager to accept them.
async fn connect_patiently(socket: &Path) -> io::Result<Stream> {
    for _ in 1..ATTEMPTS_MAX {
        match Stream::connect(socket).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(FULL_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
    Stream::connect(socket).await
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

fn lock(folder: &Path, name: &NetworkName) -> PathBuf {
    folder.join(format!("{name}.lock"))
}
