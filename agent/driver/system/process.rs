//! Identifies this process by a text with which other programs on the machine can check whether it still runs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A text that identifies this process and this call of the function on this machine: process id, start time, and a
/// count.
pub(in crate::driver) fn stamp() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let pid = std::process::id();
    let began = began(pid).unwrap_or_default();
    format!("{pid}.{began}.{}", COUNT.fetch_add(1, Relaxed))
}

/// Whether the process with this stamp has ended. If that cannot be found out, the process counts as running. On
/// systems other than Unix, every process except this one counts as ended.
pub(in crate::driver) fn is_gone(stamp: &str) -> bool {
    let mut parts = stamp.split('.');
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
    // Only the error `SRCH` shows that the process does not exist. Other errors, such as a missing permission, do not
    // show that.
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn exists(pid: u32) -> bool {
    pid == std::process::id()
}

/// The start time of a process, in ticks since the machine started (`proc_pid_stat(5)`). `None` if it is not known.
fn began(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses, and may contain any characters.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_when_it_is() {
        assert!(!is_gone(&stamp()));
        assert_ne!(stamp(), stamp());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert!(is_gone(&format!("{pid}.1.1")));
        for strange in ["", "x", "x.1", "1", "-1.1"] {
            assert!(!is_gone(strange), "{strange}");
        }
        // The process id was reused by another process.
        #[cfg(target_os = "linux")]
        assert!(is_gone(&format!("{}.1.1", std::process::id())));
    }
}
