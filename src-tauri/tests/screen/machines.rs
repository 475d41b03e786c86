//! Real machines for a story: a host behind a real sshd in a network namespace of its own, and a container of a real
//! podman. They need root, as the lab does. Both have only a shell, so the app has to put an agent there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::rig::Home;

/// An address that only the host behind sshd reaches.
pub(crate) const BEHIND: &str = "10.87.0.5";

/// The port of both sites.
pub(crate) const PORT: u16 = 8000;

/// The contents of the sites: the one in the container, and the one behind the gateway.
pub(crate) const IN_BOX: &str = "hello from the box";
pub(crate) const BEHIND_GATE: &str = "hello from behind the gate";

/// The host `gate` of ssh, and the container `box`. They end when the value is dropped.
pub(crate) struct Machines {
    netns: String,
    podman: Vec<String>,
    folder: TempDir,
    servers: Vec<Child>,
}

impl Machines {
    /// Starts the machines. The app finds them with the `ssh` and `podman` of this home folder.
    pub(crate) fn start(home: &Home) -> Self {
        let folder = TempDir::with_prefix("norouter-machines-").unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let store = [("--root", "store"), ("--runroot", "run")];
        let store = store
            .iter()
            .flat_map(|(option, name)| [(*option).to_owned(), path(name)]);
        // Without a cgroup manager, the overlay file system and the event log, podman also works in a small virtual
        // machine.
        let options =
            "--storage-driver vfs --cgroup-manager cgroupfs --runtime runc --events-backend none";
        let podman = ["podman".to_owned()].into_iter().chain(store);
        let podman = podman
            .chain(options.split(' ').map(str::to_owned))
            .collect();
        let netns = format!("nrstory{}", std::process::id());
        let mut machines = Self {
            netns,
            podman,
            folder,
            servers: Vec::new(),
        };
        machines.open_gate(home);
        machines.open_box(home);
        pack_agent(home);
        machines
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A command in the namespace of the host behind sshd.
    fn inside(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.netns]).args(words);
        command
    }

    fn open_gate(&mut self, home: &Home) {
        let netns = self.netns.clone();
        run(Command::new("ip").args(["netns", "add", &netns]));
        run(Command::new("ip").args(["-n", &netns, "link", "set", "lo", "up"]));
        let behind = format!("{BEHIND}/32");
        run(Command::new("ip").args(["-n", &netns, "addr", "add", &behind, "dev", "lo"]));
        // The unprivileged process of sshd needs this empty folder.
        fs::create_dir_all("/run/sshd").unwrap();
        for key in ["host_key", "user_key"] {
            let mut made = Command::new("ssh-keygen");
            run(made.args(["-q", "-t", "ed25519", "-N", "", "-f", &self.path(key)]));
        }
        fs::copy(self.path("user_key.pub"), self.path("authorized_keys")).unwrap();
        fs::create_dir(self.path("home")).unwrap();
        let config = self.path("sshd_config");
        let lines = format!(
            "ListenAddress 127.0.0.1:22\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n\
             PermitRootLogin yes\nSetEnv HOME={}\n",
            self.path("host_key"),
            self.path("authorized_keys"),
            self.path("home"),
        );
        fs::write(&config, lines).unwrap();
        let mut server = self.inside(&["/usr/sbin/sshd", "-D", "-e", "-f", &config]);
        let server = server.stderr(Stdio::null()).spawn().unwrap();
        self.servers.push(server);
        let key = fs::read_to_string(self.path("host_key.pub")).unwrap();
        fs::write(self.path("known_hosts"), format!("gate {key}")).unwrap();
        fs::create_dir(home.path(".ssh")).unwrap();
        let lines = format!(
            "Host gate\n  HostName 127.0.0.1\n  User root\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {}\n  HostKeyAlias gate\n  ProxyCommand ip netns exec {netns} socat - TCP4:127.0.0.1:22\n",
            self.path("user_key"),
            self.path("known_hosts"),
        );
        home.file(".ssh/config", &lines);
        // OpenSSH looks for its files in the folder of the account, and not in `$HOME`.
        let config = home.path(".ssh/config");
        let script = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
            config.display()
        );
        home.program("ssh", &script);
        self.site("gate", BEHIND_GATE);
        let root = self.path("gate");
        let at = format!("{BEHIND}:{PORT}");
        let site = self
            .inside(&["busybox", "httpd", "-f", "-p", &at, "-h", &root])
            .spawn();
        self.servers.push(site.unwrap());
    }

    fn open_box(&self, home: &Home) {
        let root = PathBuf::from(self.path("root"));
        for name in ["bin", "www", "tmp", "root", "lib", "lib64", "usr/lib"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
        for name in [
            "cat",
            "chmod",
            "dd",
            "gzip",
            "head",
            "ls",
            "mkdir",
            "mv",
            "printf",
            "rm",
            "sh",
            "sha256sum",
            "uname",
            "wc",
        ] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
        }
        fs::write(root.join("www/index.html"), IN_BOX).unwrap();
        let archive = self.path("root.tar");
        run(Command::new("tar")
            .args(["-cf", &archive, "-C"])
            .arg(&root)
            .arg("."));
        run(self
            .podman()
            .args(["import", &archive, "localhost/box:story"]));
        let at = format!("127.0.0.1:{PORT}");
        // An agent that is built for tests needs the libraries of this machine.
        run(self
            .podman()
            .args(["run", "--detach", "--name", "box", "--network", "none"])
            .args([
                "--ulimit",
                "nofile=4096:4096",
                "--ulimit",
                "nproc=4096:4096",
            ])
            .args([
                "--volume",
                "/lib64:/lib64:ro",
                "--volume",
                "/usr/lib:/usr/lib:ro",
                "--volume",
                "/usr/lib:/lib:ro",
            ])
            .args([
                "localhost/box:story",
                "/bin/busybox",
                "httpd",
                "-f",
                "-p",
                &at,
                "-h",
                "/www",
            ]));
        let words = self.podman.join(" ");
        let script = format!("#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec {words} \"$@\"\n");
        home.program("podman", &script);
    }

    fn podman(&self) -> Command {
        let mut command = Command::new(&self.podman[0]);
        command.args(&self.podman[1..]).stdout(Stdio::null());
        command
    }

    fn site(&self, name: &str, text: &str) {
        fs::create_dir(self.path(name)).unwrap();
        fs::write(self.folder.path().join(name).join("index.html"), text).unwrap();
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        let _ = self
            .podman()
            .args(["rm", "--all", "--force", "--time", "0"])
            .status();
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = Command::new("ip")
            .args(["netns", "del", &self.netns])
            .status();
        // While something is mounted in the folder, the folder cannot be removed.
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        for place in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
            if Path::new(place).starts_with(self.folder.path()) {
                let _ = Command::new("umount").args(["--lazy", place]).status();
            }
        }
    }
}

/// Packs the program as an agent for machines of the same kind.
fn pack_agent(home: &Home) {
    let program = std::env::var("NOROUTER").expect("run this by: cargo xtask app-test");
    fs::create_dir(home.path("agents")).unwrap();
    let agent = home.path("agent");
    run(Command::new("strip").arg("-o").arg(&agent).arg(program));
    let sum = Command::new("sha256sum").arg(&agent).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let sum = sum.split(' ').next().unwrap();
    let packed = Command::new("gzip")
        .args(["--fast", "--stdout"])
        .arg(&agent)
        .output();
    let kind = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let name = format!("agents/{kind}-{}-{sum}.gz", env!("CARGO_PKG_VERSION"));
    fs::write(home.path(&name), packed.unwrap().stdout).unwrap();
}

/// Runs a command, which has to succeed.
fn run(command: &mut Command) {
    let done = command.stdout(Stdio::null()).status();
    assert!(
        done.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{command:?}: {done:?}; this needs root"
    );
}
