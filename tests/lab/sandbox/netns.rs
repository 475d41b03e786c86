//! A host as a network namespace. It has the files and programs of this machine, and a loopback of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use nix::sched::{CloneFlags, setns};

use super::{command, output, unique};

/// A named network namespace with a loopback. When this value is dropped, all processes in it are killed.
pub(crate) struct Netns {
    name: String,
}

impl Netns {
    /// Creates a namespace that has only the interface `lo`.
    pub(crate) fn new() -> Self {
        let netns = Self {
            name: unique("nrlab"),
        };
        netns.create();
        netns
    }

    /// Creates the namespace again after [`Netns::destroy`], as if a machine were switched on.
    pub(crate) fn create(&self) {
        output(command(&["ip", "netns", "add"]).arg(&self.name));
        output(&mut self.command(&["ip", "link", "set", "lo", "up"]));
    }

    /// Kills all processes in the namespace and removes it, as if a machine were switched off.
    pub(crate) fn destroy(&self) {
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

    /// A command inside the namespace, with the files of [`Netns::etc`]. If there are no such files, `ip netns exec` is
    /// not used, because it also mounts a new `/sys`, and podman would not find its cgroups there.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Command {
        let mut command = if self.own_etc().is_dir() {
            let mut exec = command(&["ip", "netns", "exec"]);
            exec.arg(&self.name);
            exec
        } else {
            let mut enter = command(&["nsenter"]);
            enter.arg(format!("--net=/run/netns/{}", self.name));
            enter
        };
        command.args(words);
        command
    }

    /// Gives the namespace a file of its own in `/etc`. It is mounted over the machine's file for all commands that are
    /// started later. Returns the path of the file.
    pub(crate) fn etc(&self, file: &str, content: &str) -> PathBuf {
        assert!(
            Path::new("/etc").join(file).is_file(),
            "there is no /etc/{file} to mount something over"
        );
        fs::create_dir_all(self.own_etc()).unwrap();
        let path = self.own_etc().join(file);
        fs::write(&path, content).unwrap();
        path
    }

    fn own_etc(&self) -> PathBuf {
        Path::new("/etc/netns").join(&self.name)
    }

    /// Adds an address to the namespace's loopback.
    pub(crate) fn add_address(&self, address: &str) {
        let mut add = self.command(&["ip", "address", "add", address, "dev", "lo"]);
        if address.contains(':') {
            // Without `nodad`, the system first looks for other owners of the address, and nobody can use the address
            // until then.
            add.arg("nodad");
        }
        output(&mut add);
    }

    /// Connects the namespace to another one by a cable. Both ends have an address with a prefix length.
    pub(crate) fn lay_cable(&self, own: &str, other: &Self, others: &str) {
        let words = ["ip", "link", "add", "cable", "type", "veth", "peer", "name"];
        let mut add = self.command(&words);
        output(add.args(["cable", "netns", &other.name]));
        for (end, address) in [(self, own), (other, others)] {
            output(&mut end.command(&["ip", "address", "add", address, "dev", "cable"]));
            output(&mut end.command(&["ip", "link", "set", "cable", "up"]));
        }
    }

    /// Calls a function on a thread inside the namespace. A socket that the function creates stays in the namespace.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let door = File::open(format!("/run/netns/{}", self.name)).unwrap();
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(door, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            thread.join().unwrap()
        })
    }

    /// The `cmd` of the manifest for a program inside the namespace.
    pub(crate) fn cmd(&self, program: &Path) -> Vec<String> {
        let words = ["ip", "netns", "exec", &self.name, program.to_str().unwrap()];
        words.map(str::to_owned).to_vec()
    }

    /// The ids of the processes inside the namespace.
    pub(crate) fn pids(&self) -> Vec<String> {
        output(command(&["ip", "netns", "pids"]).arg(&self.name))
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        self.destroy();
        if self.own_etc().is_dir() {
            fs::remove_dir_all(self.own_etc()).ok();
        }
    }
}
