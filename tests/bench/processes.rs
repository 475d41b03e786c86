//! What processes use, as the system counts it.

use std::{collections::BTreeMap, fs, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Sandbox, command, wait_for};

/// The unit of processor times in `/proc`, in seconds.
const TICK: f64 = 0.01;

/// These processes and all their descendants, in the order in which they were started.
pub(crate) fn with_descendants(roots: &[u32]) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    for pid in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.append(&mut children.remove(pid).unwrap_or_default());
        next += 1;
    }
    // The ids of processes are used again, so they do not tell the order.
    let started = |pid: &u32| stat(*pid)?.get(19)?.parse::<u64>().ok();
    found.sort_by_key(started);
    found
}

/// The fields of `/proc/PID/stat` after the name, beginning with the state; see `proc_pid_stat`(5).
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// The processor time that these processes have used, with that of their children that have ended, in seconds.
pub(crate) fn processor_time(pids: &[u32]) -> f64 {
    let of_one = |pid: &u32| {
        let fields = stat(*pid).unwrap_or_default();
        let times = fields.iter().skip(11).take(4);
        times
            .filter_map(|ticks| ticks.parse::<f64>().ok())
            .sum::<f64>()
    };
    pids.iter().map(of_one).sum::<f64>() * TICK
}

/// The resident memory of a process, in bytes.
pub(crate) fn resident(pid: u32) -> f64 {
    field(pid, "status", "VmRSS:") * 1024.0
}

/// How many bytes a process has written into files and pipes.
pub(crate) fn written(pid: u32) -> f64 {
    field(pid, "io", "wchar:")
}

fn field(pid: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
    value.unwrap_or_default()
}

/// How many system calls these processes make during `work`; `None` if `perf` cannot count them on this machine.
pub(crate) fn system_calls<T>(pids: &[u32], work: impl FnOnce() -> T) -> Option<(f64, T)> {
    let words = ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter"];
    let counts = |perf: u32| {
        let files = fs::read_dir(format!("/proc/{perf}/fd")).ok()?;
        let mut files = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        files.find(|file| file.to_string_lossy().contains("perf_event"))
    };
    let (text, result) = observed(&words, pids, |perf| counts(perf).is_some(), work)?;
    let line = text.lines().find(|line| line.contains("raw_syscalls"))?;
    Some((line.split(',').next()?.parse().ok()?, result))
}

/// How many bytes the system copies to and from the memory of these processes during `work`; `None` if there is no
/// `strace`. The processes are much slower meanwhile.
pub(crate) fn copied_bytes<T>(pids: &[u32], work: impl FnOnce() -> T) -> Option<(f64, T)> {
    const CALLS: &str = "read,write,readv,writev,recvfrom,sendto,recvmsg,sendmsg";
    let words = ["strace", "-f", "-q", "-s", "0", "-e", CALLS];
    let traced = |_| {
        pids.iter()
            .all(|pid| field(*pid, "status", "TracerPid:") > 0.0)
    };
    let (text, result) = observed(&words, pids, traced, work)?;
    // The result is the last word of each line: `1234 read(5, ""..., 65536) = 512`. A call that fails has a name there.
    let counts = text.lines().filter_map(|line| {
        let (_, result) = line.rsplit_once(" = ")?;
        result
            .trim()
            .parse()
            .ok()
            .filter(|count: &f64| *count > 0.0)
    });
    Some((counts.sum(), result))
}

/// Does `work` while an observer watches these processes. Returns what the observer has written, and the result of the
/// work; `None` if the observer cannot watch. `begun` says whether the observer with this process id has begun.
fn observed<T>(
    observer: &[&str],
    pids: &[u32],
    begun: impl Fn(u32) -> bool,
    work: impl FnOnce() -> T,
) -> Option<(String, T)> {
    let sandbox = Sandbox::new();
    let file = sandbox.path("observed");
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let mut child = command(observer)
        .arg("-o")
        .arg(&file)
        .args(["-p", &pids.join(",")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .inspect_err(|error| eprintln!("  {}: {error}", observer[0]))
        .ok()?;
    let begins = wait_for("an observer of processes", || {
        let ended = child.try_wait().unwrap().is_some();
        (ended || begun(child.id())).then_some(!ended)
    });
    if !begins {
        eprintln!("  {observer:?} cannot watch these processes");
        return None;
    }
    let result = work();
    kill_process(Pid::from_child(&child), Signal::INT).ok()?;
    child.wait().ok()?;
    Some((fs::read_to_string(file).ok()?, result))
}
