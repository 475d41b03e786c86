//! Detects changes of a file, no matter how programs write the file or through which links its path leads.
//!
//! The system sends notifications of changes in the folders on the way to the file. In addition, the file's properties
//! are checked every few seconds, without reading it. This is needed because some file systems do not notify of changes
//! that come from another machine, and because folders far above the file are not watched.

mod settling;
mod way;

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};
use tokio::sync::mpsc;

pub use self::settling::Wholeness;
use self::{
    settling::{Settling, Writer},
    way::Way,
};
use super::{clock::Clock, files, stamp::Stamp};
use crate::time::Instant;

/// The interval at which the file is checked if there are no notifications.
const LOOK: Duration = Duration::from_secs(3);

/// How many notifications may wait. Further ones are dropped, because each notification only causes a check of the
/// file.
const HEARD_MAX: usize = 64;

/// How many times in a row the watch follows a path that keeps leading to other places. After that, it waits for the
/// next check.
const TURNS_MAX: usize = 4;

/// Whether the system notifies when a program has closed a file.
const CLOSES_ARE_TOLD: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Watches one file.
pub struct Watch {
    changes: mpsc::Receiver<Wholeness>,
}

impl Watch {
    /// Watches from this call on. The file need not exist.
    pub fn start(file: &Path) -> io::Result<Self> {
        let (sender, heard) = sync_channel(HEARD_MAX);
        let mut guard = Guard::new(std::path::absolute(file)?, sender);
        let (news, changes) = mpsc::channel(1);
        // The thread must not be one of the runtime's threads: checking a file on another machine may block for ever.
        let thread = thread::Builder::new().name("watch".to_owned());
        thread.spawn(move || guard.run(&heard, &news))?;
        Ok(Self { changes })
    }

    /// Waits until the file has changed and has then stayed the same for a moment. If a part of the file may still be
    /// missing, returns `Perhaps`, and a later call returns `Surely` when the file is certainly complete. If the future
    /// is dropped, the next call reports the change.
    pub async fn changed(&mut self) -> Wholeness {
        match self.changes.recv().await {
            Some(wholeness) => wholeness,
            // The thread ends only together with this value, or because of a bug.
            None => std::future::pending().await,
        }
    }
}

/// The information that a notification gives about the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    /// The knowledge about the program that has changed the file, or may have changed it.
    writer: Option<Writer>,
    /// Whether the file has certainly changed. A program may open a file for writing, and close it unchanged.
    changed: bool,
    /// Whether a part of the path was created or removed.
    turned: bool,
}

impl Heard {
    /// The meaning of an event for a path with these parts. `None` if the event does not concern the path.
    fn of(event: &notify::Event, is_part: impl Fn(&Path) -> bool) -> Option<Self> {
        if event.need_rescan() {
            return Some(Self {
                turned: true,
                ..Self::default()
            });
        }
        if !event.paths.iter().any(|path| is_part(path)) {
            return None;
        }
        let (writer, changed, turned) = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                (Some(Writer::Closed), false, false)
            }
            // Reading the file is not a change. Otherwise each report would cause another one, because the file is read
            // after each report.
            EventKind::Access(_) => return None,
            EventKind::Modify(ModifyKind::Data(_)) => {
                let writes = CLOSES_ARE_TOLD.then_some(Writer::Writes);
                (Some(writes.unwrap_or(Writer::Unknown)), true, false)
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both))
                if event.paths.last().is_some_and(|path| is_part(path)) =>
            {
                (Some(Writer::Replaced), true, true)
            }
            EventKind::Create(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(_)) => (None, false, true),
            EventKind::Any | EventKind::Other | EventKind::Modify(_) => (None, false, false),
        };
        Some(Self {
            writer,
            changed,
            turned,
        })
    }

    /// Combines this notification with a later one.
    fn and(self, later: Self) -> Self {
        Self {
            writer: later.writer.or(self.writer),
            changed: self.changed || later.changed,
            turned: self.turned || later.turned,
        }
    }
}

/// The state of a watch, on its thread.
struct Guard {
    file: PathBuf,
    sender: SyncSender<Heard>,
    way: Way,
    stamp: Option<Stamp>,
    settling: Settling,
    /// The source of notifications. `None` if the system has none; in that case, changes are noticed only by the
    /// regular checks.
    watcher: Option<RecommendedWatcher>,
}

impl Guard {
    fn new(file: PathBuf, sender: SyncSender<Heard>) -> Self {
        let mut guard = Self {
            way: Way::of(&file),
            stamp: None,
            settling: Settling::default(),
            watcher: None,
            sender,
            file,
        };
        guard.follow(true);
        guard.stamp = Stamp::of(&guard.file);
        guard
    }

    fn run(&mut self, heard: &Receiver<Heard>, news: &mpsc::Sender<Wholeness>) {
        let clock = Clock::start();
        while !news.is_closed() {
            let now = clock.now();
            let due = self.settling.poll_timeout();
            let wait = due.map_or(LOOK, |due| (due - now).min(LOOK));
            let first = match heard.recv_timeout(wait) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => Heard::default(),
                // This value has a sender, so this does not happen.
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let all = heard.try_iter().take(HEARD_MAX).fold(first, Heard::and);
            if let Some(wholeness) = self.look(clock.now(), all)
                && news.blocking_send(wholeness).is_err()
            {
                return;
            }
        }
    }

    /// Checks the file, and returns whether it has to be read.
    fn look(&mut self, now: Instant, heard: Heard) -> Option<Wholeness> {
        self.follow(heard.turned);
        let before = std::mem::replace(&mut self.stamp, Stamp::of(&self.file));
        if heard.changed || self.stamp != before {
            self.settling.handle_change(now, heard.writer);
        } else if let Some(writer) = heard.writer {
            self.settling.handle_writer(writer);
        }
        self.settling.poll(now, || has_ended(&self.file))
    }

    /// Watches the places on the present way to the file.
    fn follow(&mut self, mut turned: bool) {
        for _ in 0..TURNS_MAX {
            let way = Way::of(&self.file);
            if way == self.way && !turned {
                return;
            }
            turned = false;
            self.way = way;
            // The old watcher is dropped first, because systems limit the number of watchers of a user.
            self.watcher = None;
            match self.listen() {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(error) => {
                    tracing::debug!("{} is only looked at: {error}", self.file.display());
                }
            }
        }
    }

    fn listen(&self) -> notify::Result<RecommendedWatcher> {
        let (sender, names) = (self.sender.clone(), self.way.names().clone());
        let is_part = move |path: &Path| path.file_name().is_some_and(|name| names.contains(name));
        let hear = move |event: notify::Result<notify::Event>| {
            let heard = event.map_or_else(
                |_| Some(Heard::default()),
                |event| Heard::of(&event, &is_part),
            );
            if let Some(heard) = heard {
                // The notification is not needed if too many already wait, or if the watch has ended.
                let _ = sender.try_send(heard);
            }
        };
        let mut watcher = notify::recommended_watcher(hear)?;
        for place in self.way.places() {
            // A folder that may be entered but not listed cannot be watched; the others still can.
            if let Err(error) = watcher.watch(place, RecursiveMode::NonRecursive) {
                tracing::debug!("{} is only looked at: {error}", place.display());
            }
        }
        Ok(watcher)
    }
}

/// Whether the last line of a file ends with a line break. True for a file that cannot be read, because there is
/// nothing to wait for. False for an empty file, because its content will probably be written soon.
fn has_ended(file: &Path) -> bool {
    let last = |mut file: File| {
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        io::Result::Ok(last == *b"\n")
    };
    files::open(file).and_then(last).unwrap_or(true)
}

#[cfg(test)]
mod tests;
