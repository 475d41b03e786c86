//! Lock files, with which the programs of one user exclude each other. The operating system releases a lock when the
//! process ends, in whatever way.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The interval at which a waiting process tries to take a lock.
const LOOK: Duration = Duration::from_millis(20);

/// Locks a file, which is created if necessary. `None` if another process has locked it. Links are not followed.
pub(in crate::driver) fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let no_links = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
            let flags = i32::try_from(no_links.bits()).unwrap_or_default();
            options.mode(0o600).custom_flags(flags);
        }
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The previous holder may have removed the file between the open and the lock. In that case the lock has no
        // effect, and the file at the path is opened instead.
        if is_at(&file, path) {
            return Ok(Some(file));
        }
    }
}

/// Like [`lock`], but waits up to `most` if another process has the lock.
pub(in crate::driver) fn wait(path: &Path, most: Duration) -> io::Result<Option<File>> {
    let since = Instant::now();
    loop {
        match lock(path)? {
            None if since.elapsed() < most => thread::sleep(LOOK),
            locked => return Ok(locked),
        }
    }
}

/// Whether an open file is still the one at its path.
#[cfg(unix)]
pub(in crate::driver) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata().map(|file| (file.dev(), file.ino()));
    let there = fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()));
    matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
}

/// On other systems an open file cannot be removed, so any file at the path is the open one.
#[cfg(not(unix))]
pub(in crate::driver) fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Removes a locked file while it is still locked, unless another file is at its path.
pub(in crate::driver) fn remove(file: &File, path: &Path) {
    if is_at(file, path) {
        // A file that cannot be removed does no harm, because it does not stay locked.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[test]
    fn one_has_the_lock_and_the_next_gets_it_when_that_one_is_gone() {
        let folder = Folder::new();
        let path = folder.path().join("lock");
        let first = lock(&path).unwrap().unwrap();
        assert!(lock(&path).unwrap().is_none());
        assert!(wait(&path, Duration::ZERO).unwrap().is_none());
        let waiting = thread::spawn({
            let path = path.clone();
            move || wait(&path, Duration::from_mins(1)).unwrap().is_some()
        });
        remove(&first, &path);
        drop(first);
        assert!(waiting.join().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let folder = Folder::new();
        let (path, there) = (folder.path().join("lock"), folder.path().join("there"));
        std::os::unix::fs::symlink(&there, &path).unwrap();
        assert!(lock(&path).is_err() && !there.exists());
    }
}
