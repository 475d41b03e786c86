//! A host made of a network namespace: the machine's files and programs, a loopback of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use nix::sched::{CloneFlags, setns};

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
        netns.create();
        netns
    }

    /// Makes the namespace again after [`Netns::destroy`], like a machine that is switched on.
    pub(crate) fn create(&self) {
        output(command(&["ip", "netns", "add"]).arg(&self.name));
        output(&mut self.command(&["ip", "link", "set", "lo", "up"]));
    }

    /// Ends every process inside and then the namespace, like a machine that is switched off.
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

    /// A command inside the namespace, which sees the files of [`Netns::etc`]. Without such files, `ip netns exec` is
    /// not used: it also mounts a new `/sys`, in which podman would not find its cgroups.
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

    /// Gives the namespace a file of its own in `/etc`, mounted over the machine's for every command that starts from
    /// now on. Returns its real path.
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

    /// Gives the namespace's loopback a further address.
    pub(crate) fn add_address(&self, address: &str) {
        output(&mut self.command(&["ip", "address", "add", address, "dev", "lo"]));
    }

    /// Lays a cable to another namespace; each end has an address with the length of its network.
    pub(crate) fn lay_cable(&self, own: &str, other: &Self, others: &str) {
        let words = ["ip", "link", "add", "cable", "type", "veth", "peer", "name"];
        let mut add = self.command(&words);
        output(add.args(["cable", "netns", &other.name]));
        for (end, address) in [(self, own), (other, others)] {
            output(&mut end.command(&["ip", "address", "add", address, "dev", "cable"]));
            output(&mut end.command(&["ip", "link", "set", "cable", "up"]));
        }
    }

    /// Does something on a thread inside: a socket that is made there stays there.
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
        self.destroy();
        if self.own_etc().is_dir() {
            fs::remove_dir_all(self.own_etc()).ok();
        }
    }
}
