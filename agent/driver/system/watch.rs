//! Detects changes of a file, no matter how the editor writes it.
//!
//! The folder is watched instead of the file: many editors write a new file and rename it, and a watch on the old file
//! would not notice that.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// How long a file must stay unchanged before it is read, because an editor may write it in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// Watches one file.
pub struct Watch {
    changes: mpsc::UnboundedReceiver<()>,
    /// The time at which the file will have been unchanged for long enough. `None` if it has not changed.
    quiet_at: Option<Instant>,
    /// The watch ends when this value is dropped.
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches from this call on. If the file is a symbolic link, both the link and its target are watched.
    pub fn start(file: &Path) -> io::Result<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let files: Vec<PathBuf> = std::iter::once(file.to_owned())
            .chain(file.canonicalize())
            .collect();
        let names: Vec<OsString> = files
            .iter()
            .filter_map(|file| Some(file.file_name()?.to_owned()))
            .collect();
        let is_ours = move |path: &PathBuf| names.iter().any(|name| path.file_name() == Some(name));
        let heard = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            // Reading the file is not a change. Otherwise each change would cause reports without end.
            if !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(&is_ours) {
                // The receiver may be gone.
                let _ = sender.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(heard).map_err(io::Error::other)?;
        let mut folders: Vec<_> = files
            .iter()
            .map(|file| match file.parent() {
                Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
                Some(folder) => folder,
                None => Path::new("/"),
            })
            .collect();
        folders.dedup();
        for folder in folders {
            watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .map_err(io::Error::other)?;
        }
        Ok(Self {
            changes,
            quiet_at: None,
            _watcher: watcher,
        })
    }

    /// Completes when the file has changed and has then been unchanged for a while. If the future is dropped, the next
    /// call reports the change.
    pub async fn changed(&mut self) {
        loop {
            let heard = if let Some(at) = self.quiet_at {
                let Ok(heard) = timeout_at(at, self.changes.recv()).await else {
                    self.quiet_at = None;
                    return;
                };
                heard
            } else {
                self.changes.recv().await
            };
            if heard.is_none() {
                // The watch is broken, so changes cannot be detected any more.
                std::future::pending::<()>().await;
            }
            self.quiet_at = Some(Instant::now() + QUIET);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::driver::system::files::tests::Folder;

    #[tokio::test]
    async fn a_change_is_seen_in_place_and_by_replacement_and_other_files_are_not() {
        let folder = Folder::new();
        let file = folder.file("n.yaml", b"1");
        let mut watch = Watch::start(&file).unwrap();
        fs::write(&file, "2").unwrap();
        watch.changed().await;
        for text in ["3", "4"] {
            let new = folder.file("n.yaml.new", text.as_bytes());
            fs::rename(new, &file).unwrap();
            watch.changed().await;
        }
        fs::write(&file, "5").unwrap();
        // This future is dropped again and again, as it is by a task that waits for several things. The change must be
        // reported nevertheless.
        while tokio::time::timeout(QUIET / 4, watch.changed())
            .await
            .is_err()
        {}
        folder.file("other", b"5");
        let _ = fs::read(&file).unwrap();
        let more = tokio::time::timeout(QUIET, watch.changed()).await;
        assert!(more.is_err(), "nothing has happened to the file");
    }
}
