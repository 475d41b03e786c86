//! A host behind a real Dropbear server, as routers and small machines have it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::{Netns, Running, Sandbox, command, joined, output, unique};

/// A server, and the configuration of an OpenSSH client that reaches it as `host`.
pub(crate) struct Dropbear {
    _server: Running,
    config: String,
}

impl Dropbear {
    /// A server inside a namespace. Its only user has a home folder in the sandbox.
    pub(crate) fn start(sandbox: &Sandbox, netns: &Netns) -> Self {
        let folder = unique("dropbear");
        let path = |name: &str| sandbox.path(&format!("{folder}/{name}"));
        fs::create_dir_all(path("home/.ssh")).unwrap();
        output(
            command(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]).arg(path("user_key")),
        );
        output(command(&["dropbearkey", "-t", "ed25519", "-f"]).arg(path("host_key")));
        let key = output(command(&["dropbearkey", "-y", "-f"]).arg(path("host_key")));
        let key = key.lines().find(|line| line.starts_with("ssh-")).unwrap();
        fs::write(path("known_hosts"), format!("lab {key}\n")).unwrap();
        let allowed = path("home/.ssh/authorized_keys");
        fs::copy(path("user_key.pub"), &allowed).unwrap();
        for (path, mode) in [(path("home/.ssh"), 0o700), (allowed, 0o600)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let home = path("home");
        netns.etc(
            "passwd",
            &format!("root:x:0:0:root:{}:/bin/sh\n", home.display()),
        );
        let (host_key, pid) = (path("host_key"), path("pid"));
        let words = [
            "dropbear",
            "-F",
            "-E",
            "-s",
            "-p",
            "22",
            "-r",
            host_key.to_str().unwrap(),
            "-P",
            pid.to_str().unwrap(),
        ];
        let mut server = Running::start("dropbear", &mut netns.command(&words));
        server.wait_for_text("Not backgrounding");
        let way = joined(&netns.cmd(Path::new("socat")));
        let config = path("ssh_config");
        fs::write(
            &config,
            format!(
                "Host host\nUser root\nIdentityFile {}\nIdentitiesOnly yes\nUserKnownHostsFile {}\nHostKeyAlias lab\n\
                 StrictHostKeyChecking yes\nBatchMode yes\nProxyCommand {way} - TCP4:127.0.0.1:22\n",
                path("user_key").display(),
                path("known_hosts").display(),
            ),
        )
        .unwrap();
        Self {
            _server: server,
            config: config.to_str().unwrap().to_owned(),
        }
    }

    /// The first words of the client's command, without the part that runs on the host.
    pub(crate) fn ssh(&self) -> Vec<String> {
        ["ssh", "-F", &self.config, "host"]
            .map(str::to_owned)
            .to_vec()
    }
}
