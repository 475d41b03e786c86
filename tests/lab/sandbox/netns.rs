//! A host made of a network namespace: the machine's files and programs, a loopback of its own.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::{command, output, unique};

/// A named network namespace whose loopback is up. Dropping it ends every process inside.
pub(crate) struct Netns {
    name: String,
}

impl Netns {
    /// A new namespace with nothing in it but `lo`.
    pub(crate) fn new() -> Self {
        let netns = Self {
            name: unique("nrlab"),
        };
        output(command(&["ip", "netns", "add"]).arg(&netns.name));
        output(&mut netns.command(&["ip", "link", "set", "lo", "up"]));
        netns
    }

    /// A command inside the namespace. Not by `ip netns exec`, which also mounts a new `/sys`: podman would not find
    /// its cgroups there.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Command {
        let mut command = command(&["nsenter"]);
        command
            .arg(format!("--net=/run/netns/{}", self.name))
            .args(words);
        command
    }

    /// A manifest's `cmd` for a program inside the namespace.
    pub(crate) fn cmd(&self, program: &Path) -> Vec<String> {
        let words = ["ip", "netns", "exec", &self.name, program.to_str().unwrap()];
        words.map(str::to_owned).to_vec()
    }

    /// The ids of the processes inside.
    pub(crate) fn pids(&self) -> Vec<String> {
        output(command(&["ip", "netns", "pids"]).arg(&self.name))
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let inside = command(&["ip", "netns", "pids"]).arg(&self.name).output();
        for pid in inside
            .iter()
            .flat_map(|inside| inside.stdout.split(|byte| *byte == b'\n'))
        {
            if !pid.is_empty() {
                let pid = String::from_utf8_lossy(pid).into_owned();
                command(&["kill", "-KILL", &pid])
                    .stderr(Stdio::null())
                    .status()
                    .ok();
            }
        }
        command(&["ip", "netns", "del"])
            .arg(&self.name)
            .status()
            .ok();
    }
}
