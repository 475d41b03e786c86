//! A host as a container, with a static program and only a few other files.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Sandbox, command, joined, output, unique};

/// A private container store in the sandbox's folder.
pub(crate) struct Podman {
    sandbox: Sandbox,
    folder: String,
}

impl Podman {
    /// Creates an empty store.
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        Self {
            sandbox: sandbox.clone(),
            folder: unique("podman"),
        }
    }

    /// The first words of every podman command. They switch off the cgroup manager, the overlay file system and the
    /// event log. With them, podman also works as root inside a container or a small virtual machine.
    fn words(&self) -> Vec<String> {
        let path = |name: &str| {
            self.sandbox
                .path(&format!("{}/{name}", self.folder))
                .to_str()
                .unwrap()
                .to_owned()
        };
        let mut words = vec!["podman".to_owned(), "--root".to_owned(), path("store")];
        words.extend(["--runroot".to_owned(), path("run")]);
        let rest =
            "--storage-driver vfs --cgroup-manager cgroupfs --runtime runc --events-backend none";
        words.extend(rest.split(' ').map(str::to_owned));
        words
    }

    /// Creates an image with these files. Each has a path in the image and a path on this machine.
    pub(crate) fn image(&self, name: &str, files: &[(&str, &Path)]) -> String {
        let root = self.sandbox.path(&format!("{}/{name}.root", self.folder));
        fs::create_dir_all(&root).unwrap();
        for (to, from) in files {
            let to = root.join(to.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let archive = self.sandbox.path(&format!("{}/{name}.tar", self.folder));
        output(
            command(&["tar", "-cf"])
                .arg(&archive)
                .arg("-C")
                .arg(&root)
                .arg("."),
        );
        let image = format!("localhost/{name}:lab");
        output(
            command(&self.words())
                .arg("import")
                .arg(archive)
                .arg(&image),
        );
        image
    }

    /// Creates an image with busybox, links for its commands, and further files.
    pub(crate) fn busybox_image(&self, name: &str, files: &[(&str, &Path)]) -> String {
        let bin = self
            .sandbox
            .path(&format!("{}/{name}.root/bin", self.folder));
        fs::create_dir_all(&bin).unwrap();
        for applet in [
            "sh", "cat", "sleep", "httpd", "nc", "wget", "kill", "ps", "ls",
        ] {
            symlink("busybox", bin.join(applet)).unwrap();
        }
        let busybox = PathBuf::from("/bin/busybox");
        let mut all: Vec<(&str, &Path)> = vec![("/bin/busybox", &busybox)];
        all.extend_from_slice(files);
        self.image(name, &all)
    }

    /// The arguments of `podman run` that isolate a container. They include limits, because podman by itself requests
    /// more than a small machine allows.
    fn isolation() -> [&'static str; 6] {
        Self::on_network("none")
    }

    /// The arguments for a container with this network, with the same limits.
    fn on_network(network: &'static str) -> [&'static str; 6] {
        [
            "--network",
            network,
            "--ulimit",
            "nofile=4096:4096",
            "--ulimit",
            "nproc=4096:4096",
        ]
    }

    /// Starts an idle container for `podman exec`. It runs until the value is dropped.
    pub(crate) fn start(&self, image: &str) -> Container {
        self.start_labelled(image, &[])
    }

    /// Starts a container with labels, as compose gives them to its containers.
    pub(crate) fn start_labelled(&self, image: &str, labels: &[&str]) -> Container {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        self.start_with(image, Self::isolation().into_iter().chain(labels))
    }

    /// Starts a container that has the network of this machine.
    pub(crate) fn start_on_this_machine(&self, image: &str) -> Container {
        self.start_with(image, Self::on_network("host"))
    }

    fn start_with<'a>(&self, image: &str, options: impl IntoIterator<Item = &'a str>) -> Container {
        let name = unique("nrlab");
        let mut run = command(&self.words());
        run.args(["run", "--detach", "--name", &name]).args(options);
        output(run.args([image, "/bin/sleep", "1000000"]));
        Container {
            podman: self.words(),
            name,
            _sandbox: self.sandbox.clone(),
        }
    }

    /// A folder with a program of this name, which runs podman with this store.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let words = joined(&self.words());
        let script = format!("#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec {words} \"$@\"\n");
        let path = format!("{}/bin/{name}", self.folder);
        let program = self.sandbox.write_program(&path, &script);
        program.parent().unwrap().to_owned()
    }

    /// The `cmd` of the manifest that runs a program in a new container. The container is removed afterwards.
    pub(crate) fn run_cmd(&self, image: &str, program: &str) -> Vec<String> {
        let mut words = self.words();
        words.extend(["run", "--rm", "--interactive"].map(str::to_owned));
        words.extend(Self::isolation().map(str::to_owned));
        words.extend([image, program].map(str::to_owned));
        words
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        command(&self.words())
            .args(["rm", "--all", "--force", "--time", "0"])
            .stdout(Stdio::null())
            .status()
            .ok();
        // While something is mounted in the folder, the folder cannot be removed.
        let store = self.sandbox.path(&self.folder);
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        for place in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
            if Path::new(place).starts_with(&store) {
                command(&["umount", "--lazy", place]).status().ok();
            }
        }
    }
}

/// A container that runs without doing anything.
pub(crate) struct Container {
    podman: Vec<String>,
    name: String,
    _sandbox: Sandbox,
}

impl Container {
    /// The `cmd` of the manifest for a program inside the container.
    pub(crate) fn cmd(&self, program: &Path) -> Vec<String> {
        let mut words = self.podman.clone();
        words.extend(["exec", "-i", &self.name, program.to_str().unwrap()].map(str::to_owned));
        words
    }

    /// A command of this machine in the container's network. It is for clients that the container does not have.
    pub(crate) fn network_command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut inspect = command(&self.podman);
        let pid = output(inspect.args(["inspect", "--format", "{{.State.Pid}}", &self.name]));
        let mut command = command(&["nsenter"]);
        command
            .arg(format!("--net=/proc/{}/ns/net", pid.trim()))
            .args(words);
        command
    }

    /// A command inside the container.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = command(&self.podman);
        command.args(["exec", "-i", &self.name]).args(words);
        command
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let mut remove = command(&self.podman);
        remove
            .args(["rm", "--force", "--time", "0", &self.name])
            .stdout(Stdio::null());
        remove.status().ok();
    }
}
