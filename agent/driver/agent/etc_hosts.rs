//! The hosts file of this machine. Our block is written when the network starts, written again when another program has
//! removed it, and removed when the network ends.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, File},
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    driver::system::{describe, files, locked, process, stamp::Stamp},
    names::{
        Owner, Zone,
        hosts_file::{self, Damaged, LeftOut, Repaired},
    },
    time::Instant,
    wire::control::{ProblemCode, ProblemReport},
};

/// How many times an edit is tried if other programs change the file at the same time.
const TRIES: usize = 16;

/// How long to wait while another agent edits the file.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// The interval at which an agent checks whether another program has rewritten the file.
pub(super) const LOOK: Duration = Duration::from_secs(3);

/// The interval at which an agent tries again to write the files that it could not write. [`AGAIN_WORDS`] tells people
/// about it.
pub(super) const AGAIN: Duration = Duration::from_secs(30);
pub(super) const AGAIN_WORDS: &str = "it is tried again every 30 s";

/// If the block was lost this many times within [`OFTEN_WITHIN`], people are told.
const OFTEN: usize = 5;
const OFTEN_WITHIN: Duration = Duration::from_mins(10);

/// A hosts file in which a host may have a block. Dropping this value does not remove the block.
///
/// Agents take turns to edit the file, with a lock file beside it. The lock only saves work: even without it, an edit
/// notices the edits of others. Just before the file is replaced, it is compared with the content that was read. If it
/// differs, the edit starts again. A change is lost only if it happens in the few microseconds between this comparison
/// and the replacement.
#[derive(Debug)]
pub struct EtcHosts {
    path: PathBuf,
    /// The host and process that own the block.
    owner: Owner,
    /// Whether the backup beside the file has been made since this value was created.
    is_backed_up: bool,
    /// Whether the file did not exist before the block was written. If so, it is deleted when nothing else is left in
    /// it.
    is_ours: bool,
    /// The last [`EtcHosts::put`]; `None` before the first one.
    kept: Option<Kept>,
    /// The last [`OFTEN`] times at which the block was written again, because another program had removed it.
    losses: VecDeque<Instant>,
}

/// The names that should be in the block, and the state of the file at earlier times.
#[derive(Debug)]
struct Kept {
    zone: Zone,
    /// The state of the file just before [`EtcHosts::put`] read it. Our own change makes the file differ from this
    /// state, so a later check reads the file once more. In this way, a change that another program made during our
    /// edit is not missed.
    read: Option<Stamp>,
    /// The state of the file at the last check.
    seen: Option<Stamp>,
    outcome: Result<Report, String>,
}

/// The outcome of [`EtcHosts::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the file had to be changed.
    pub changed: bool,
    /// The names that are not in our block, because the file gives them other addresses.
    pub left_out: Vec<LeftOut>,
}

impl EtcHosts {
    /// A hosts file, in which the host with this name and VIP may have a block. Nothing is written yet.
    pub fn new(path: impl Into<PathBuf>, host: &str, vip: Ipv4Addr) -> Self {
        Self {
            path: path.into(),
            owner: Owner {
                host: host.to_owned(),
                vip,
                process: process::stamp(),
            },
            is_backed_up: false,
            is_ours: false,
            kept: None,
            losses: VecDeque::new(),
        }
    }

    /// Whether the block belongs to this host.
    pub fn is_of(&self, host: &str, vip: Ipv4Addr) -> bool {
        (self.owner.host.as_str(), self.owner.vip) == (host, vip)
    }

    /// Whether the last [`EtcHosts::put`] has failed.
    pub fn has_failed(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.outcome.is_err())
    }

    /// Writes the names of the zone into the block. Before the first change, the file is copied to [`backup_path`].
    ///
    /// On an error, the file is unchanged, and the error says what to do.
    pub fn put(&mut self, zone: &Zone) -> Result<Report, String> {
        let read = Stamp::of(&self.path);
        let outcome = self.write(zone);
        self.kept = Some(Kept {
            zone: zone.clone(),
            read,
            seen: read,
            outcome: outcome.clone(),
        });
        outcome
    }

    /// Writes the block again if another program has changed it or removed it. The file is read only if it has changed
    /// since [`EtcHosts::put`] read it, and has stayed the same since the last check: another program may still be
    /// writing a file that keeps changing.
    pub fn look(&mut self, now: Instant) {
        let Some(kept) = &mut self.kept else { return };
        let stamp = Stamp::of(&self.path);
        let rests = std::mem::replace(&mut kept.seen, stamp) == stamp;
        if !rests || kept.read == stamp {
            return;
        }
        let zone = kept.zone.clone();
        let had_worked = kept.outcome.is_ok();
        let is_lost = self.put(&zone).is_ok_and(|report| report.changed);
        if !(is_lost && had_worked) {
            return;
        }
        let path = self.path.display();
        if self.losses.is_empty() {
            tracing::warn!(
                "another program has rewritten {path} without the names of the network; they were written again"
            );
        } else {
            tracing::debug!("the names of the network were written into {path} again");
        }
        self.losses.push_back(now);
        if self.losses.len() > OFTEN {
            self.losses.pop_front();
        }
    }

    /// The problems with the file, for people.
    pub fn problems(&self, now: Instant) -> Vec<ProblemReport> {
        let problem = |what: &str, reason: String| ProblemReport {
            what: what.to_owned(),
            reason,
            code: Some(ProblemCode::Files),
            ..ProblemReport::default()
        };
        let mut problems = Vec::new();
        match self.kept.as_ref().map(|kept| &kept.outcome) {
            Some(Ok(report)) => problems.extend(
                (report.left_out.iter())
                    .map(|name| problem("write a name into the hosts file", name.to_string())),
            ),
            Some(Err(reason)) => problems.push(ProblemReport {
                remedy: Some(AGAIN_WORDS.to_owned()),
                ..problem("write the hosts file", reason.clone())
            }),
            None => {}
        }
        let is_recent = |first: &Instant| now - *first < OFTEN_WITHIN;
        if self.losses.len() == OFTEN && self.losses.front().is_some_and(is_recent) {
            let reason = format!(
                "another program has removed them from {} {OFTEN} times within {} minutes; they were written again each time",
                self.path.display(),
                OFTEN_WITHIN.as_secs() / 60
            );
            problems.push(ProblemReport {
                remedy: Some(
                    "let the program that rewrites the file keep our lines, or remove writeEtcHosts from this host: its DNS server and \
                     its proxies know the names, too"
                        .to_owned(),
                ),
                ..problem("keep its names in the hosts file", reason)
            });
        }
        problems
    }

    fn write(&mut self, zone: &Zone) -> Result<Report, String> {
        self.is_ours |= files::read(&self.path)?.is_none();
        let owner = self.owner.clone();
        let (changed, left_out) = self.edit(|original| {
            let put = hosts_file::put(original, zone, &owner, is_gone)?;
            Ok((put.bytes, put.left_out))
        })?;
        Ok(Report { changed, left_out })
    }

    /// Removes the block. The rest of the file stays as it is. A file that did not exist before the block was written
    /// is deleted if nothing else is in it.
    pub fn remove(&mut self) -> Result<(), String> {
        if files::read(&self.path)?.is_none() {
            return Ok(());
        }
        let owner = self.owner.clone();
        let (_, is_empty) = self.edit(|original| {
            let without = hosts_file::remove(original, &owner, is_gone)?;
            let is_empty = without.is_empty();
            Ok((without, is_empty))
        })?;
        if self.is_ours && is_empty {
            fs::remove_file(&self.path).map_err(|error| {
                let what = describe(&error);
                format!(
                    "cannot remove {}: {what}; remove it by hand",
                    self.path.display()
                )
            })?;
        }
        Ok(())
    }

    /// Replaces the file's content with the output of `make`, and returns whether anything has changed.
    fn edit<T>(
        &mut self,
        make: impl Fn(&[u8]) -> Result<(Vec<u8>, T), Damaged>,
    ) -> Result<(bool, T), String> {
        let _turn = EditLock::take(&self.path);
        for _ in 0..TRIES {
            let original = files::read(&self.path)?;
            let bytes = original.as_deref().unwrap_or_default();
            let (new, result) =
                make(bytes).map_err(|damaged| format!("{}: {damaged}", self.path.display()))?;
            if new == bytes {
                return Ok((false, result));
            }
            if !self.is_backed_up {
                copy_first(&self.path).map_err(|reason| named(&self.path, reason))?;
                self.is_backed_up = true;
            }
            let changed = change(&self.path, original.as_deref(), &new);
            if changed.map_err(|reason| named(&self.path, reason))? {
                return Ok((true, result));
            }
        }
        Err(format!(
            "{} changes faster than it can be read; check which program writes it",
            self.path.display()
        ))
    }
}

/// Removes the blocks of agents that have ended from a hosts file, even damaged blocks.
pub fn repair(path: &Path) -> Result<Repaired, String> {
    let _turn = EditLock::take(path);
    for _ in 0..TRIES {
        let original = files::read(path)?;
        let bytes = original.as_deref().unwrap_or_default();
        let repaired = hosts_file::repair(bytes, is_gone);
        if repaired.bytes == bytes {
            return Ok(repaired);
        }
        copy_first(path)?;
        if change(path, original.as_deref(), &repaired.bytes)? {
            return Ok(repaired);
        }
    }
    Err(format!(
        "{} changes faster than it can be read; check which program writes it",
        path.display()
    ))
}

fn is_gone(owner: &Owner) -> bool {
    process::is_gone(&owner.process)
}

/// The reason why a hosts file could not be written. If the file is on a read-only file system, `reason` is replaced,
/// because it might recommend running as another user, and no user can write the file.
fn named(path: &Path, reason: String) -> String {
    let opened = fs::OpenOptions::new().write(true).open(path);
    match opened {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => read_only(path),
        _ => reason,
    }
}

/// The message for people about a hosts file that nobody can write.
fn read_only(path: &Path) -> String {
    let real = fs::canonicalize(path).ok().filter(|real| real != path);
    let real = real.map_or_else(String::new, |real| format!(" (it is {})", real.display()));
    format!(
        "{}{real} is on a read-only file system; add the names where this system configures its hosts file, or remove writeEtcHosts from \
         this host: its DNS server and its proxies know the names, too",
        path.display()
    )
}

fn copy_first(path: &Path) -> Result<(), String> {
    files::copy(path, &backup_path(path))
        .map_err(|error| format!("no copy could be made first: {error}"))
}

/// Writes the new content. If the file does not have the original content any more, returns false and writes nothing.
fn change(path: &Path, original: Option<&[u8]>, new: &[u8]) -> Result<bool, String> {
    files::replace_if(
        path,
        new,
        files::PUBLIC,
        &|path| match (fs::read(path), original) {
            (Ok(now), Some(original)) => Ok(now == original),
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            (Ok(_), None) => Ok(false),
            (Err(error), _) => Err(error),
        },
    )
}

/// The right of an agent to edit a hosts file. It ends when this value is dropped.
struct EditLock(Option<(File, PathBuf)>);

impl EditLock {
    /// Waits for the lock, but not longer than [`WAIT_MAX`], because another user could hold the lock for ever. The
    /// edit is safe without the lock, too.
    fn take(hosts: &Path) -> Self {
        let mut name = OsString::from(".");
        name.push(hosts.file_name().unwrap_or_default());
        name.push(".norouter-lock");
        let path = hosts.with_file_name(name);
        let locked = locked::wait(&path, WAIT_MAX).ok().flatten();
        Self(locked.map(|file| (file, path)))
    }
}

impl Drop for EditLock {
    fn drop(&mut self) {
        if let Some((file, path)) = &self.0 {
            locked::remove(file, path);
        }
    }
}

/// The path of the backup of a hosts file, such as `/etc/hosts.bak.norouter`.
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".bak.norouter");
    name.into()
}

/// The path of this machine's hosts file.
pub fn default_path() -> PathBuf {
    if cfg!(windows) {
        let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        PathBuf::from(root).join(r"System32\drivers\etc\hosts")
    } else {
        PathBuf::from("/etc/hosts")
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, panic};

    use super::*;
    use crate::driver::system::files::tests::{Folder, Trouble, at_step, was_spared};

    const OLD: &[u8] = b"127.0.0.1 localhost\r\n10.0.0.9 mail\xff";

    fn zone(name: &str) -> Zone {
        Zone::new([
            (name, Ipv4Addr::new(127, 0, 42, 101)),
            ("mail", Ipv4Addr::new(127, 0, 42, 102)),
        ])
    }

    fn hosts_of(path: &Path, host: &str) -> EtcHosts {
        EtcHosts::new(path, host, Ipv4Addr::new(127, 0, 42, 101))
    }

    #[test]
    fn the_block_comes_and_goes_and_the_copy_is_of_before() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        folder.file("hosts.bak.norouter", b"of another session");
        let mut hosts = hosts_of(&path, "web");
        let report = hosts.put(&zone("web")).unwrap();
        assert!(report.changed && report.left_out.is_empty());
        assert_eq!(fs::read(backup_path(&path)).unwrap(), OLD);
        assert!(!hosts.put(&zone("web")).unwrap().changed);
        assert!(hosts.put(&zone("web2")).unwrap().changed);
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert!(
            text.contains("127.0.42.101 web2\r\n") && !text.contains("web\r\n"),
            "{text}"
        );
        assert_eq!(fs::read(backup_path(&path)).unwrap(), OLD);
        hosts.remove().unwrap();
        assert_eq!(fs::read(&path).unwrap(), OLD);
        hosts.remove().unwrap();
    }

    #[test]
    fn a_name_with_another_address_is_reported() {
        let folder = Folder::new();
        let path = folder.file("hosts", b"10.0.0.9 mail\n");
        let report = hosts_of(&path, "web").put(&zone("web")).unwrap();
        assert_eq!(report.left_out.len(), 1);
        assert_eq!(
            (report.left_out[0].name.as_str(), report.left_out[0].line),
            ("mail", 1)
        );
    }

    /// Checks the file twice, because the first check after a change only notices that the file has changed.
    fn look(hosts: &mut EtcHosts, now: Instant) -> Vec<ProblemReport> {
        hosts.look(now);
        hosts.look(now + LOOK);
        hosts.problems(now + LOOK)
    }

    #[test]
    fn a_block_that_another_program_has_removed_is_written_again_and_told_of_if_it_happens_often() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        let mut hosts = hosts_of(&path, "web");
        hosts.put(&zone("web")).unwrap();
        let with = fs::read(&path).unwrap();
        let mut now = Instant::ZERO;
        assert!(look(&mut hosts, now).is_empty());
        assert_eq!(fs::read(&path).unwrap(), with, "nothing has happened");
        // Another program adds a line.
        fs::write(&path, [&with[..], b"10.0.0.1 other\n"].concat()).unwrap();
        assert!(look(&mut hosts, now).is_empty() && hosts.losses.is_empty());

        for loss in 1..=OFTEN {
            now = now + Duration::from_mins(1);
            fs::write(&path, format!("127.0.0.1 localhost\n10.0.0.{loss} new\n")).unwrap();
            hosts.look(now);
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("127.0.42.101"), "it may still be written");
            let problems = look(&mut hosts, now + LOOK);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("127.0.0.1 localhost\n10.0.0.{loss} new\n")));
            assert!(text.contains("127.0.42.101 web"), "{text}");
            assert_eq!(problems.len(), usize::from(loss == OFTEN), "{problems:?}");
        }
        let sentence = hosts.problems(now)[0].sentence();
        assert!(
            sentence.contains("another program has removed them from")
                && sentence.contains("5 times within 10 minutes"),
            "{sentence}"
        );
        assert!(hosts.problems(now + OFTEN_WITHIN).is_empty());
        // A file that is gone is made again.
        fs::remove_file(&path).unwrap();
        look(&mut hosts, now);
        assert!(fs::read_to_string(&path).unwrap().contains("web"));
    }

    #[test]
    fn networks_that_share_the_file_leave_each_other_in_peace() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        let mut all: Vec<_> = (0..3).map(|i| hosts_of(&path, &format!("h{i}"))).collect();
        for hosts in &mut all {
            hosts.put(&zone("web")).unwrap();
        }
        let with = fs::read(&path).unwrap();
        for _ in 0..3 {
            for hosts in &mut all {
                assert!(look(hosts, Instant::ZERO).is_empty());
                assert!(hosts.losses.is_empty());
            }
        }
        assert_eq!(fs::read(&path).unwrap(), with);
    }

    #[test]
    fn a_file_that_could_not_be_written_is_tried_again_when_it_has_changed() {
        let folder = Folder::new();
        let path = folder.file("hosts", b"# <Added-by-NoRouter>\n");
        let mut hosts = hosts_of(&path, "web");
        let reason = hosts.put(&zone("web")).unwrap_err();
        assert_eq!(
            hosts.problems(Instant::ZERO)[0].sentence(),
            format!("cannot write the hosts file: {reason}")
        );
        fs::write(&path, OLD).unwrap();
        assert!(look(&mut hosts, Instant::ZERO).is_empty());
        assert!(hosts.losses.is_empty(), "nobody has removed anything");
        assert_ne!(fs::read(&path).unwrap(), OLD);
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_file_is_named_with_its_real_path() {
        let folder = Folder::new();
        let store = folder.file("store", OLD);
        let path = folder.path().join("hosts");
        std::os::unix::fs::symlink(&store, &path).unwrap();
        let real = fs::canonicalize(&store).unwrap();
        let told = read_only(&path);
        let begin = format!(
            "{} (it is {}) is on a read-only file system; ",
            path.display(),
            real.display()
        );
        assert!(told.starts_with(&begin), "{told}");
        assert_eq!(named(&path, "full".to_owned()), "full");
    }

    #[test]
    fn a_file_that_did_not_exist_goes_again() {
        let folder = Folder::new();
        let mut hosts = hosts_of(&folder.path().join("hosts"), "web");
        hosts.remove().unwrap();
        assert!(hosts.put(&zone("web")).unwrap().changed);
        assert_eq!(folder.names(), ["hosts"]);
        hosts.remove().unwrap();
        assert!(folder.names().is_empty());
    }

    #[test]
    fn a_damaged_file_is_not_touched_and_can_be_repaired() {
        let folder = Folder::new();
        let damaged = b"a\n# <Added-by-NoRouter>\n127.0.42.101 web\nb\n";
        let path = folder.file("hosts", damaged);
        let mut hosts = hosts_of(&path, "web");
        let reason = hosts.put(&zone("web")).unwrap_err();
        assert!(
            reason.contains("hosts: the block that begins in line 2 has no end"),
            "{reason}"
        );
        assert_eq!(hosts.remove().unwrap_err(), reason);
        assert_eq!(folder.names(), ["hosts"]);
        let done = repair(&path).unwrap().done;
        assert_eq!(done, ["removed a beginning without an end in lines 2 to 3"]);
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\n");
        assert_eq!(fs::read(backup_path(&path)).unwrap(), damaged);
        assert!(repair(&path).unwrap().done.is_empty());
    }

    #[test]
    fn trouble_at_any_step_leaves_a_file_that_has_every_byte_of_others() {
        for trouble in [Trouble::Full, Trouble::Busy, Trouble::Crash] {
            let mut met = 0;
            loop {
                let folder = Folder::new();
                let path = folder.file("hosts", OLD);
                at_step(met, trouble);
                let outcome = panic::catch_unwind(|| hosts_of(&path, "web").put(&zone("web")));
                let spared = was_spared();
                let found = fs::read(&path).unwrap();
                let without = hosts_file::repair(&found, |_| true).bytes;
                assert_eq!(without, OLD, "{trouble:?} at step {met}");
                if let Ok(Ok(report)) = outcome {
                    assert!(report.changed && found != OLD);
                    assert_eq!(fs::read(backup_path(&path)).unwrap(), OLD);
                }
                if found != OLD {
                    assert_eq!(repair(&path).unwrap().kept.len(), 1, "we live");
                    fs::write(&path, without).unwrap();
                }
                if spared {
                    break;
                }
                met += 1;
            }
            assert!(met >= 12, "only {met} steps");
        }
    }

    #[test]
    fn networks_share_the_file() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        let mut all: Vec<_> = (0..4).map(|i| hosts_of(&path, &format!("h{i}"))).collect();
        std::thread::scope(|scope| {
            for hosts in &mut all {
                scope.spawn(move || {
                    for i in 0..8 {
                        hosts.put(&zone(&format!("w{i}"))).unwrap();
                    }
                });
            }
        });
        let text = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(text.matches("# <Added-by-NoRouter h").count(), 4, "{text}");
        assert_eq!(text.matches(" w7").count(), 4, "{text}");
        assert_eq!(repair(&path).unwrap().kept.len(), 4);
        std::thread::scope(|scope| {
            for hosts in &mut all {
                scope.spawn(move || hosts.remove().unwrap());
            }
        });
        assert_eq!(fs::read(&path).unwrap(), OLD);
        assert_eq!(folder.names(), ["hosts", "hosts.bak.norouter"]);
    }

    #[test]
    fn what_others_append_between_reading_and_writing_stays() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        let mut hosts = hosts_of(&path, "web");
        let times = std::cell::Cell::new(0);
        let append = |text: &str| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        };
        let owner = hosts.owner.clone();
        let (changed, ()) = hosts
            .edit(|original| {
                times.set(times.get() + 1);
                if times.get() < 3 {
                    append(&format!("\r\n10.0.0.1 other{}", times.get()));
                }
                let put = hosts_file::put(original, &zone("web"), &owner, is_gone)?;
                Ok((put.bytes, ()))
            })
            .unwrap();
        assert!(changed && times.get() == 3);
        hosts.remove().unwrap();
        let expected = [OLD, b"\r\n10.0.0.1 other1\r\n10.0.0.1 other2"].concat();
        assert_eq!(fs::read(&path).unwrap(), expected);
        let restless = hosts.edit(|original| {
            append("\n");
            Ok((original.iter().copied().chain(*b"x").collect(), ()))
        });
        assert!(restless.unwrap_err().contains("changes faster"));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_of_somebody_else_keeps_nobody_waiting_for_ever() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        let _taken = locked::lock(&folder.path().join(".hosts.norouter-lock"))
            .unwrap()
            .unwrap();
        assert!(hosts_of(&path, "web").put(&zone("web")).unwrap().changed);
    }

    #[test]
    fn the_block_goes_even_when_the_disk_is_full_at_any_step() {
        let mut met = 0;
        loop {
            let folder = Folder::new();
            let path = folder.file("hosts", OLD);
            let mut hosts = hosts_of(&path, "web");
            hosts.put(&zone("web")).unwrap();
            at_step(met, Trouble::Full);
            hosts.remove().unwrap();
            assert_eq!(fs::read(&path).unwrap(), OLD, "step {met}");
            if was_spared() {
                break;
            }
            met += 1;
        }
        assert!(met >= 6, "only {met} steps");
    }
}
