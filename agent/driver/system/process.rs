//! Identifies this process by a text that other programs of the machine can check.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Returns a text that is unique on this machine, for each process and each call: process id, start time, and a count.
pub(in crate::driver) fn word() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let pid = std::process::id();
    let began = began(pid).unwrap_or_default();
    format!("{pid}.{began}.{}", COUNT.fetch_add(1, Relaxed))
}

/// Whether the process with this text has ended. If that cannot be determined, it counts as alive, except on systems
/// where it can never be determined.
pub(in crate::driver) fn is_gone(word: &str) -> bool {
    let mut parts = word.split('.');
    let (Some(pid), Some(then)) = (parts.next(), parts.next()) else {
        return false;
    };
    let (Ok(pid), Ok(then)) = (pid.parse(), then.parse::<u64>()) else {
        return false;
    };
    // Process ids are reused, so the start time is compared too.
    !exists(pid) || began(pid).is_some_and(|began| began != then && then != 0)
}

#[cfg(unix)]
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // Signalling may be forbidden although the process exists; only this error means that it does not exist.
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn exists(pid: u32) -> bool {
    pid == std::process::id()
}

/// The start time of a process, in ticks since the machine started (`proc_pid_stat(5)`); not known on every system.
fn began(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name in parentheses may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_is() {
        assert!(!is_gone(&word()));
        assert_ne!(word(), word());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(is_gone(&format!("{pid}.1.1")));
        for strange in ["", "x", "x.1", "1", "-1.1"] {
            assert!(!is_gone(strange), "{strange}");
        }
        // Another process has this id by now.
        #[cfg(target_os = "linux")]
        assert!(is_gone(&format!("{}.1.1", std::process::id())));
    }
}
