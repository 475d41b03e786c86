//! The hosts file of the machine: our block comes when the network does, and goes with it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::files;
use crate::names::{
    Zone,
    hosts_file::{self, LeftOut},
};

/// The hosts file, as long as a network is in it. Dropping it does not take our block out of the file.
#[derive(Debug)]
pub struct EtcHosts {
    path: PathBuf,
    /// Whether the copy beside the file is of this session.
    is_backed_up: bool,
    /// Whether there was no file at all before.
    is_ours: bool,
}

/// What [`EtcHosts::put`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the file had to be changed.
    pub changed: bool,
    /// The names that are not in our block, because the file has other addresses for them.
    pub left_out: Vec<LeftOut>,
}

impl EtcHosts {
    /// The hosts file at this path; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            is_backed_up: false,
            is_ours: false,
        }
    }

    /// The hosts file of this machine.
    pub fn of_this_host() -> Self {
        Self::new(default_path())
    }

    /// Writes the names of the zone into our block. Before the first change of a session the file is copied to
    /// [`backup_path`].
    ///
    /// The error says what to do; the file is then as it was.
    pub fn put(&mut self, zone: &Zone) -> Result<Report, String> {
        let original = files::read(&self.path)?;
        self.is_ours |= original.is_none();
        let original = original.unwrap_or_default();
        let put = hosts_file::put(&original, zone).map_err(|damaged| self.damaged(&damaged))?;
        let changed = self.change(&original, &put.bytes)?;
        Ok(Report {
            changed,
            left_out: put.left_out,
        })
    }

    /// Takes our block out of the file, which is then as it was; a file that did not exist before goes.
    pub fn remove(&mut self) -> Result<(), String> {
        let Some(original) = files::read(&self.path)? else {
            return Ok(());
        };
        let without = hosts_file::remove(&original).map_err(|damaged| self.damaged(&damaged))?;
        self.change(&original, &without)?;
        if self.is_ours && without.is_empty() {
            fs::remove_file(&self.path).map_err(|error| {
                let what = super::describe(&error);
                format!(
                    "cannot remove {}: {what}; remove it by hand",
                    self.path.display()
                )
            })?;
        }
        Ok(())
    }

    /// Takes everything of ours out of the file, however damaged, and says what that was.
    pub fn repair(&mut self) -> Result<Vec<String>, String> {
        let Some(original) = files::read(&self.path)? else {
            return Ok(Vec::new());
        };
        let repaired = hosts_file::repair(&original);
        self.change(&original, &repaired.bytes)?;
        Ok(repaired.done)
    }

    /// Writes what is new, the backup first.
    fn change(&mut self, original: &[u8], new: &[u8]) -> Result<bool, String> {
        if original == new {
            return Ok(false);
        }
        if !self.is_backed_up {
            files::copy(&self.path, &backup_path(&self.path))
                .map_err(|error| format!("no copy could be made first: {error}"))?;
            self.is_backed_up = true;
        }
        files::replace(&self.path, new, files::PUBLIC)?;
        Ok(true)
    }

    fn damaged(&self, damaged: &hosts_file::Damaged) -> String {
        format!("{}: {damaged}", self.path.display())
    }
}

/// Where a hosts file is copied to before it is changed: `/etc/hosts.bak.norouter`.
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".bak.norouter");
    name.into()
}

/// Where this machine has its hosts file.
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
    use crate::driver::files::tests::{Folder, Trouble, at_step, was_spared};

    const OLD: &[u8] = b"127.0.0.1 localhost\r\n10.0.0.9 mail\xff";

    fn zone(name: &str) -> Zone {
        Zone::new([
            (name, Ipv4Addr::new(127, 0, 42, 101)),
            ("mail", Ipv4Addr::new(127, 0, 42, 102)),
        ])
    }

    #[test]
    fn the_block_comes_and_goes_and_the_copy_is_of_before() {
        let folder = Folder::new();
        let path = folder.file("hosts", OLD);
        folder.file("hosts.bak.norouter", b"of another session");
        let mut hosts = EtcHosts::new(&path);
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
        let report = EtcHosts::new(&path).put(&zone("web")).unwrap();
        assert_eq!(report.left_out.len(), 1);
        assert_eq!(
            (report.left_out[0].name.as_str(), report.left_out[0].line),
            ("mail", 1)
        );
    }

    #[test]
    fn a_file_that_did_not_exist_goes_again() {
        let folder = Folder::new();
        let mut hosts = EtcHosts::new(folder.0.join("hosts"));
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
        let mut hosts = EtcHosts::new(&path);
        let reason = hosts.put(&zone("web")).unwrap_err();
        assert!(
            reason.contains("hosts: the block that begins in line 2 has no end"),
            "{reason}"
        );
        assert_eq!(hosts.remove().unwrap_err(), reason);
        assert_eq!(folder.names(), ["hosts"]);
        let done = hosts.repair().unwrap();
        assert_eq!(done, ["removed a beginning without an end in lines 2 to 3"]);
        assert_eq!(fs::read(&path).unwrap(), b"a\nb\n");
        assert_eq!(fs::read(backup_path(&path)).unwrap(), damaged);
        assert!(hosts.repair().unwrap().is_empty());
    }

    #[test]
    fn trouble_at_any_step_leaves_a_file_that_has_every_byte_of_others() {
        for trouble in [Trouble::Full, Trouble::Busy, Trouble::Crash] {
            let mut met = 0;
            loop {
                let folder = Folder::new();
                let path = folder.file("hosts", OLD);
                at_step(met, trouble);
                let outcome = panic::catch_unwind(|| EtcHosts::new(&path).put(&zone("web")));
                let spared = was_spared();
                let found = fs::read(&path).unwrap();
                assert_eq!(
                    hosts_file::remove(&found).unwrap(),
                    OLD,
                    "{trouble:?} at step {met}"
                );
                if let Ok(Ok(report)) = outcome {
                    assert!(report.changed && found != OLD);
                    assert_eq!(fs::read(backup_path(&path)).unwrap(), OLD);
                }
                EtcHosts::new(&path).remove().unwrap();
                assert_eq!(fs::read(&path).unwrap(), OLD);
                if spared {
                    break;
                }
                met += 1;
            }
            assert!(met >= 12, "only {met} steps");
        }
    }

    #[test]
    fn the_block_goes_even_when_the_disk_is_full_at_any_step() {
        let mut met = 0;
        loop {
            let folder = Folder::new();
            let path = folder.file("hosts", OLD);
            let mut hosts = EtcHosts::new(&path);
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
