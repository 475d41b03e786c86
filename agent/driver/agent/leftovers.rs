//! Removes agents that a manager has put on this host and that were not started for a long time.

use std::{
    env, fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

/// How long an agent is kept after its last start. Managers of different versions may use a host in turn, each with its
/// own agent.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// If a manager has put this program on the host, marks it as started just now, and removes the agents beside it that
/// were not started for a week. A failure does no harm, because the next agent tries again.
pub(super) fn remove() {
    if let Ok(program) = env::current_exe() {
        let _ = remove_beside(&program, SystemTime::now());
    }
}

fn remove_beside(program: &Path, now: SystemTime) -> io::Result<()> {
    let (Some(folder), Some(name)) = (program.parent(), program.file_name()) else {
        return Ok(());
    };
    let is_ours = |folder: &Path| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name == "norouter" || name.starts_with(".norouter")
    };
    if !is_sum(&name.to_string_lossy()) || !is_ours(folder) {
        return Ok(());
    }
    fs::File::open(program)?.set_modified(now)?;
    for entry in fs::read_dir(folder)?.flatten() {
        let other = entry.file_name().to_string_lossy().into_owned();
        // While an agent is being sent, its file has the agent's name followed by an extension.
        let is_agent = is_sum(other.split('.').next().unwrap_or_default());
        let started = entry.metadata().and_then(|about| about.modified());
        let is_old = started.is_ok_and(|at| {
            let since = now.duration_since(at);
            since.is_ok_and(|since| since > KEPT_FOR)
        });
        if is_agent && is_old && entry.file_name() != name {
            // Another agent may have removed the file already.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Whether this is a SHA-256 in hexadecimal.
fn is_sum(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_agents_that_were_not_started_for_a_week_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let folder = root.path().join(".norouter-1000");
        let add = |folder: &Path, name: &str, days: u32| {
            fs::create_dir_all(folder).unwrap();
            let path = folder.join(name);
            let at = now - days * Duration::from_hours(24);
            fs::File::create(&path).unwrap().set_modified(at).unwrap();
            path
        };
        let sum = |digit: &str| digit.repeat(64);
        let own = add(&folder, &sum("a"), 30);
        let part = format!("{}.key.part", sum("d"));
        add(&folder, &sum("b"), 6);
        add(&folder, &sum("c"), 8);
        add(&folder, &part, 8);
        add(&folder, "office.sock", 8);
        remove_beside(&own, now).unwrap();
        let names = |folder: &Path| {
            let names = fs::read_dir(folder).unwrap().flatten();
            let names = names.map(|entry| entry.file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        assert_eq!(
            names(&folder),
            [sum("a"), sum("b"), "office.sock".to_owned()]
        );
        let elsewhere = root.path().join("bin");
        let own = add(&elsewhere, &sum("a"), 30);
        add(&elsewhere, &sum("b"), 30);
        remove_beside(&own, now).unwrap();
        assert_eq!(names(&elsewhere).len(), 2);
    }
}
