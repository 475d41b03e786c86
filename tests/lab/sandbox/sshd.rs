//! A host behind a real OpenSSH server with its own configuration and keys.

use std::{fs, path::Path};

use super::{Netns, Running, Sandbox, command, free_port, output, unique};

/// A server, and the configuration of a client that reaches it as `host`.
pub(crate) struct Sshd {
    /// Keeps the folder with the configuration.
    _sandbox: Sandbox,
    server: Running,
    config: String,
    /// The server's port. It is open on all addresses of the server's namespace, or on 127.0.0.1 of this machine.
    pub(crate) port: u16,
}

impl Sshd {
    /// A server inside a namespace, so that its host has a loopback of its own.
    pub(crate) fn in_netns(sandbox: &Sandbox, netns: &Netns) -> Self {
        Self::start(sandbox, Some(netns), "", "", "")
    }

    /// A server inside a namespace. `options` are written before the client's key, and `lines` into the server's
    /// configuration.
    pub(crate) fn administrated(
        sandbox: &Sandbox,
        netns: &Netns,
        options: &str,
        lines: &str,
    ) -> Self {
        Self::start(sandbox, Some(netns), "", options, lines)
    }

    /// A server inside a namespace. Its shell prints `banner` before every command, as a careless `.bashrc` does.
    pub(crate) fn with_banner(sandbox: &Sandbox, netns: &Netns, banner: &str) -> Self {
        Self::start(sandbox, Some(netns), banner, "", "")
    }

    /// A server on this machine's own loopback.
    pub(crate) fn on_this_machine(sandbox: &Sandbox) -> Self {
        Self::start(sandbox, None, "", "", "")
    }

    fn start(
        sandbox: &Sandbox,
        netns: Option<&Netns>,
        banner: &str,
        options: &str,
        lines: &str,
    ) -> Self {
        // sshd needs this empty folder for its unprivileged process.
        fs::create_dir_all("/run/sshd").unwrap();
        let folder = unique("sshd");
        let path = |name: &str| sandbox.path(&format!("{folder}/{name}"));
        let write = |name: &str, text: &str| sandbox.write(&format!("{folder}/{name}"), text);
        fs::create_dir_all(path("")).unwrap();
        for key in ["host_key", "user_key"] {
            output(command(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(key)));
        }
        let key = fs::read_to_string(path("user_key.pub")).unwrap();
        write("authorized_keys", &format!("{options} {key}"));
        let force = if banner.is_empty() {
            String::new()
        } else {
            write("banner", banner);
            let script = format!(
                "#!/bin/sh\ncat '{}'\nexec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
                path("banner").display()
            );
            let script = sandbox.write_program(&format!("{folder}/shell"), &script);
            format!("ForceCommand {}\n", script.display())
        };
        // In a namespace, the server can be reached only from namespaces that are connected by a cable.
        let (listen, port) = match netns {
            Some(_) => ("0.0.0.0", 22),
            None => ("127.0.0.1", free_port()),
        };
        let server_config = write(
            "sshd_config",
            &format!(
                "ListenAddress {listen}:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
                 StrictModes no\nPermitRootLogin yes\nPasswordAuthentication yes\nMaxStartups 100\nMaxSessions 100\n{force}{lines}",
                path("host_key").display(),
                path("authorized_keys").display(),
            ),
        );
        let key = fs::read_to_string(path("host_key.pub")).unwrap();
        write("known_hosts", &format!("lab {key}"));
        let proxy = netns.map_or_else(String::new, |netns| {
            let words = joined_words(&netns.cmd(Path::new("socat")));
            // Without this option, socat's socket holds back the last bytes of a message for up to 40 ms.
            format!("ProxyCommand {words} - TCP4:127.0.0.1:{port},nodelay\n")
        });
        let config = write(
            "ssh_config",
            &format!(
                "Host host\nHostName 127.0.0.1\nPort {port}\nUser root\nIdentityFile {}\nIdentitiesOnly yes\n\
                 UserKnownHostsFile {}\nHostKeyAlias lab\nStrictHostKeyChecking yes\nBatchMode yes\n{proxy}",
                path("user_key").display(),
                path("known_hosts").display(),
            ),
        );
        let words = [
            "/usr/sbin/sshd",
            "-D",
            "-e",
            "-f",
            server_config.to_str().unwrap(),
        ];
        let mut start = netns.map_or_else(|| command(&words), |netns| netns.command(&words));
        let mut server = Running::start("sshd", &mut start);
        server.wait_for_text("Server listening");
        Self {
            _sandbox: sandbox.clone(),
            server,
            config: config.to_str().unwrap().to_owned(),
            port,
        }
    }

    /// The command that runs a program on the host.
    pub(crate) fn cmd(&self, program: &Path) -> Vec<String> {
        let mut words = self.ssh();
        words.push(program.to_str().unwrap().to_owned());
        words
    }

    /// The command of a client in another namespace, which reaches the host through a cable at this address.
    pub(crate) fn ssh_to(&self, address: &str) -> Vec<String> {
        let options = ["-o", "ProxyCommand=none", "-o"].map(str::to_owned);
        let mut words = self.ssh();
        words.splice(
            1..1,
            options.into_iter().chain([format!("HostName={address}")]),
        );
        words
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The path of the configuration of a client that reaches the server as `host`.
    pub(crate) fn client_config(&self) -> &str {
        &self.config
    }

    /// The command of a second client, which also runs a program on the host, but may ask a person. If `ssh_config`(5)
    /// has several values for a setting, the first one is used, so `lines` come before the others.
    pub(crate) fn asking_cmd(&self, program: &Path, lines: &str) -> Vec<String> {
        let usual = fs::read_to_string(&self.config).unwrap();
        let config = format!("{}.asking", self.config);
        fs::write(
            &config,
            format!("{lines}BatchMode no\nIdentityAgent none\n{usual}"),
        )
        .unwrap();
        let program = program.to_str().unwrap();
        ["ssh", "-F", &config, "host", program]
            .map(str::to_owned)
            .to_vec()
    }

    /// The client's key.
    pub(crate) fn user_key(&self) -> std::path::PathBuf {
        Path::new(&self.config).with_file_name("user_key")
    }

    /// The first words of the client's command, without the part that runs on the host.
    pub(crate) fn ssh(&self) -> Vec<String> {
        ["ssh", "-F", &self.config, "host"]
            .map(str::to_owned)
            .to_vec()
    }
}

fn joined_words(words: &[String]) -> String {
    super::joined(words)
}
