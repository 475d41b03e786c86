//! Properties of a file from which a change or replacement of the file can be noticed without reading it.

use std::{
    fs::{self, Metadata},
    path::Path,
    time::SystemTime,
};

/// The properties that distinguish a file or folder from another one that is at the same path later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) struct Identity {
    /// The device and the inode; zeros on systems that have none.
    number: (u64, u64),
    /// The time at which the file was created. It is needed because the number of a removed file can be given to a new
    /// file at once. `None` if the file system does not keep this time.
    created: Option<SystemTime>,
}

/// The state of a file without its content. If two stamps of a path are equal, the content is very likely the same,
/// too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::driver) struct Stamp {
    identity: Identity,
    length: u64,
    modified: Option<SystemTime>,
    /// When the inode was last changed, in seconds and nanoseconds. Programs cannot set this time, in contrast to the
    /// modification time.
    changed: (i64, i64),
}

impl Identity {
    pub(in crate::driver) fn of(it: &Metadata) -> Self {
        Self {
            number: number(it),
            created: it.created().ok(),
        }
    }
}

impl Stamp {
    /// The stamp of the file at this path. Links are followed. `None` if there is no file, or if it cannot be examined.
    pub(in crate::driver) fn of(path: &Path) -> Option<Self> {
        let it = fs::metadata(path).ok()?;
        Some(Self {
            identity: Identity::of(&it),
            length: it.len(),
            modified: it.modified().ok(),
            changed: changed(&it),
        })
    }
}

#[cfg(unix)]
fn number(it: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (it.dev(), it.ino())
}

#[cfg(not(unix))]
fn number(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
fn changed(it: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (it.ctime(), it.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> (i64, i64) {
    (0, 0)
}
