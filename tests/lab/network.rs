//! A running network: a manager on a "laptop" (a namespace of its own), hosts of every kind, and their services.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::Command,
};

use rustix::process::Pid;
use serde_json::Value;

use crate::{
    sandbox::{
        Container, DEADLINE, Ended, Netns, Origin, Podman, Running, Sandbox, Sshd, command, ended,
        joined, norouter, output, wait_for,
    },
    shim::Shim,
};

/// The address of the host with this number. The laptop has number 1.
pub(crate) fn vip(number: usize) -> String {
    format!("127.0.42.{}", 10 + number)
}

/// One host of the network.
pub(crate) struct Host {
    pub(crate) name: String,
    /// The `cmd` of the manifest. Empty for the laptop.
    cmd: Vec<String>,
    place: Place,
    /// Further lines of the manifest about the host.
    lines: Vec<String>,
    /// Words before the command of the manager, which change its limits or its environment.
    limit: Vec<String>,
}

/// The place of a host.
enum Place {
    Namespace(Netns),
    Container(Container),
    /// No client can be started at the place of the host.
    Elsewhere,
}

impl Host {
    /// The laptop, whose agent runs inside the manager.
    pub(crate) fn laptop() -> Self {
        Self::new("laptop", Vec::new(), Place::Namespace(Netns::new()))
    }

    /// A host in a namespace.
    pub(crate) fn netns(name: &str, sandbox: &Sandbox) -> Self {
        let netns = Netns::new();
        Self::new(name, netns.cmd(&program(sandbox)), Place::Namespace(netns))
    }

    /// A host in a namespace that already exists. The command that reaches it is set later.
    pub(crate) fn in_netns(name: &str, netns: Netns) -> Self {
        Self::new(name, Vec::new(), Place::Namespace(netns))
    }

    /// A host behind a real ssh server, whose shell prints `banner` before every command.
    pub(crate) fn ssh(name: &str, sandbox: &Sandbox, banner: &str) -> (Self, Sshd) {
        let netns = Netns::new();
        let server = Sshd::with_banner(sandbox, &netns, banner);
        (
            Self::new(name, server.cmd(&program(sandbox)), Place::Namespace(netns)),
            server,
        )
    }

    /// A host in a container with a shell. It is entered by `podman exec -i`.
    pub(crate) fn podman(name: &str, podman: &Podman) -> Self {
        let binary = crate::sandbox::static_norouter();
        let image = podman.busybox_image(name, &[("/norouter", &binary)]);
        Self::in_container(name, podman.start(&image))
    }

    /// A host in a container that has the program as `/norouter`.
    pub(crate) fn in_container(name: &str, container: Container) -> Self {
        Self::new(
            name,
            container.cmd("/norouter".as_ref()),
            Place::Container(container),
        )
    }

    /// The same host, with a bad line between it and the manager.
    pub(crate) fn behind(mut self, shim: &Shim) -> Self {
        self.cmd = shim.cmd(&self.cmd);
        self
    }

    /// The same host, reached by another command.
    pub(crate) fn through(mut self, words: &[String], sandbox: &Sandbox) -> Self {
        self.cmd = words.to_vec();
        self.cmd.push(program(sandbox).to_str().unwrap().to_owned());
        self
    }

    /// A host with any command.
    pub(crate) fn with_command<S: AsRef<str>>(name: &str, words: &[S]) -> Self {
        let cmd = words.iter().map(|word| word.as_ref().to_owned()).collect();
        Self::new(name, cmd, Place::Elsewhere)
    }

    fn new(name: &str, cmd: Vec<String>, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            cmd,
            place,
            lines: Vec::new(),
            limit: Vec::new(),
        }
    }

    /// Publishes these ports, in the syntax of the manifest.
    pub(crate) fn ports(self, ports: &[&str]) -> Self {
        let quoted: Vec<String> = ports.iter().map(|port| format!("{port:?}")).collect();
        self.line(&format!("ports: [{}]", quoted.join(", ")))
    }

    /// Adds a line to the manifest below this host.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Limits the manager on this host to this many open files.
    pub(crate) fn with_open_files(mut self, most: u32) -> Self {
        let limit = format!("--nofile={most}:{most}");
        self.limit = vec!["prlimit".to_owned(), limit];
        self
    }

    /// Makes the manager on this host look for programs in this folder first.
    pub(crate) fn with_programs(mut self, folder: &std::path::Path) -> Self {
        let path = std::env::var("PATH").unwrap();
        let path = format!("PATH={}:{path}", folder.display());
        self.limit = vec!["env".to_owned(), path];
        self
    }

    /// Sets the command that reaches the host.
    pub(crate) fn entered_by(mut self, words: Vec<String>) -> Self {
        self.cmd = words;
        self
    }

    /// A command on the host.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Command {
        match &self.place {
            Place::Namespace(netns) => netns.command(words),
            Place::Container(container) => container.command(words),
            Place::Elsewhere => panic!("{} is no place to run something", self.name),
        }
    }

    /// Runs a command of this machine in the host's network. It is for clients that are not installed on the host.
    pub(crate) fn network_command(&self, words: &[&str]) -> Command {
        match &self.place {
            Place::Container(container) => container.network_command(words),
            Place::Namespace(_) | Place::Elsewhere => self.command(words),
        }
    }

    /// Whether the host is a namespace.
    pub(crate) fn is_namespace(&self) -> bool {
        matches!(self.place, Place::Namespace(_))
    }

    /// The host's namespace. Panics if the host is not a namespace.
    pub(crate) fn namespace(&self) -> &Netns {
        match &self.place {
            Place::Namespace(netns) => netns,
            Place::Container(_) | Place::Elsewhere => panic!("{} is no namespace", self.name),
        }
    }

    /// Starts a service on the host.
    pub(crate) fn serve<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Running {
        Running::start(
            &format!("a service of {}", self.name),
            &mut self.command(words),
        )
    }

    /// Starts a web server on port 8000 of the host's own loopback. Its page is the host's name.
    pub(crate) fn serve_name(&self, sandbox: &Sandbox) -> Running {
        match &self.place {
            Place::Container(_) => {
                let script = format!(
                    "mkdir -p /www && echo {} > /www/index.html && exec httpd -f -p 127.0.0.1:8000 -h /www",
                    self.name
                );
                self.serve(&["/bin/sh", "-c", &script])
            }
            Place::Namespace(_) | Place::Elsewhere => {
                let page = sandbox.write(
                    &format!("www-{}/index.html", self.name),
                    format!("{}\n", self.name),
                );
                let folder = page.parent().unwrap().to_str().unwrap();
                let words = [
                    "python3",
                    "-m",
                    "http.server",
                    "8000",
                    "--bind",
                    "127.0.0.1",
                    "--directory",
                    folder,
                ];
                self.serve(&words)
            }
        }
    }

    /// Starts a web server on port 8000 of the host's own loopback, which does what the path of a request asks for.
    pub(crate) fn serve_origin(&self) -> Origin {
        Origin::start(self.namespace(), "127.0.0.1:8000", &self.name)
    }

    /// Connects from the host to an address. The connection has a time limit for reading.
    pub(crate) fn connect(&self, address: &str) -> TcpStream {
        let address: SocketAddr = address.parse().unwrap();
        self.namespace().inside(|| {
            let stream = TcpStream::connect_timeout(&address, DEADLINE)
                .unwrap_or_else(|error| panic!("{address}: {error}"));
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream
        })
    }

    /// Sends bytes from the host to an address, finishes, and returns everything that comes back.
    pub(crate) fn ask(&self, address: &str, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect(address);
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// A command on the host, without the environment variables that lead to proxies.
    pub(crate) fn bare_command(&self, words: &[&str]) -> Command {
        let mut command = self.command(words);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    /// Runs curl on the host. With `-q`, curl does not read its configuration file.
    pub(crate) fn curl(&self, words: &[&str]) -> Ended {
        let mut curl = self.bare_command(&["curl", "-q", "-sS", "--max-time", "50"]);
        ended(curl.args(words))
    }

    /// The page that this host gets from an address of the network, or the error.
    pub(crate) fn fetch(&self, address: &str, port: u16) -> Result<String, String> {
        let url = format!("http://{address}:{port}/");
        let words = [
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "--max-time",
            "20",
            "--fail",
            &url,
        ];
        let output = self.network_command(&words).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }
}

/// The program under test and the agents beside it, as copies in the sandbox, so that processes of this test can be found
/// by its path.
pub(crate) fn program(sandbox: &Sandbox) -> std::path::PathBuf {
    let path = sandbox.path("norouter");
    if !path.exists() {
        fs::copy(norouter(), &path).unwrap();
        let agents = fs::read_dir(norouter().with_file_name("agents"));
        for agent in agents.into_iter().flatten().flatten() {
            let name = agent.file_name().into_string().unwrap();
            sandbox.write(&format!("agents/{name}"), fs::read(agent.path()).unwrap());
        }
    }
    path
}

/// Copies the program under test into the sandbox without agents beside it. It then sends itself to hosts, which takes
/// more chunks and more memory.
pub(crate) fn program_alone(sandbox: &Sandbox) {
    program(sandbox);
    let agents = sandbox.path("agents");
    if agents.exists() {
        fs::remove_dir_all(agents).unwrap();
    }
}

/// Lets a command use a home folder and a folder for sockets in the sandbox.
fn at_home(command: &mut Command, sandbox: &Sandbox) {
    let (home, runtime) = (sandbox.path("home"), sandbox.path("run"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&runtime).unwrap();
    command.env("HOME", home).env("XDG_RUNTIME_DIR", runtime);
}

/// The manager, and the hosts that it connects. The laptop is the first.
pub(crate) struct Network {
    pub(crate) manager: Running,
    pub(crate) hosts: Vec<Host>,
    sandbox: Sandbox,
}

impl Network {
    /// Starts the manager on the laptop. The addresses follow the order of the hosts; see [`vip`].
    pub(crate) fn start(sandbox: &Sandbox, hosts: Vec<Host>) -> Self {
        Self::with_routes(sandbox, hosts, &[])
    }

    /// Starts a network with routes, in the syntax of the manifest.
    pub(crate) fn with_routes(sandbox: &Sandbox, hosts: Vec<Host>, routes: &[&str]) -> Self {
        let file = sandbox.write("network.yaml", Self::manifest(&hosts, routes));
        let mut words: Vec<OsString> = hosts[0].limit.iter().map(OsString::from).collect();
        words.extend([program(sandbox).into(), file.into()]);
        let mut start = hosts[0].command(&words);
        at_home(&mut start, sandbox);
        let manager = Running::start("norouter", start.env_remove("HOSTALIASES"));
        Self {
            manager,
            hosts,
            sandbox: sandbox.clone(),
        }
    }

    /// The manifest of these hosts.
    fn manifest(hosts: &[Host], routes: &[&str]) -> String {
        let mut manifest = String::from("hostTemplate:\n  stateDir: {disable: true}\nhosts:\n");
        for (index, host) in hosts.iter().enumerate() {
            write!(manifest, "  {}:\n    vip: {}\n", host.name, vip(index + 1)).unwrap();
            if !host.cmd.is_empty() {
                writeln!(manifest, "    cmd: \"{}\"", joined(&host.cmd)).unwrap();
            }
            for line in &host.lines {
                writeln!(manifest, "    {line}").unwrap();
            }
        }
        if !routes.is_empty() {
            manifest.push_str("routes:\n");
        }
        for route in routes {
            writeln!(manifest, "  - {route}").unwrap();
        }
        manifest
    }

    /// Runs the program on the laptop, to ask the running network.
    pub(crate) fn norouter(&self, words: &[&str]) -> Command {
        self.laptop_command(&[], words)
    }

    /// Like [`Network::norouter`], with the lowest priority, so that measurements are not disturbed.
    pub(crate) fn nice_norouter(&self, words: &[&str]) -> Command {
        self.laptop_command(&["nice", "-n", "19"], words)
    }

    fn laptop_command(&self, before: &[&str], words: &[&str]) -> Command {
        let program = program(&self.sandbox);
        let mut whole: Vec<&OsStr> = before.iter().map(OsStr::new).collect();
        whole.push(program.as_os_str());
        let mut command = self.laptop().command(&whole);
        at_home(command.args(words), &self.sandbox);
        command
    }

    /// Waits until the manager answers, whatever states its hosts are in.
    #[track_caller]
    pub(crate) fn wait_until_it_answers(&self) {
        // The exit code 3 says that no network runs.
        let is_there = || ended(&mut self.norouter(&["status"])).code != 3;
        wait_for("a network that answers", || is_there().then_some(()));
    }

    /// Waits until hosts are ready. Panics if that takes too long or is not possible.
    #[track_caller]
    pub(crate) fn wait(&self, hosts: &[&str]) {
        output(self.norouter(&["wait", "--timeout", "60"]).args(hosts));
    }

    /// The present state of the network.
    pub(crate) fn status(&self) -> Value {
        // The exit code only says whether all hosts are ready.
        let status = ended(&mut self.norouter(&["status", "--json"]));
        serde_json::from_str(&status.out).unwrap_or_else(|_| panic!("{}", status.err))
    }

    /// One host of [`Network::status`].
    pub(crate) fn host_status(&self, name: &str) -> Value {
        let hosts = self.status()["hosts"].take();
        let mut hosts = hosts.as_array().unwrap().iter();
        hosts.find(|host| host["name"] == name).unwrap().clone()
    }

    /// The process of the agent in a host's namespace. Panics if there is not exactly one.
    #[track_caller]
    pub(crate) fn agent(&self, name: &str) -> Pid {
        let agents = self.agents(name);
        assert_eq!(agents.len(), 1, "agents of {name}");
        agents[0]
    }

    /// The processes of all agents in a host's namespace.
    pub(crate) fn agents(&self, name: &str) -> Vec<Pid> {
        let program = program(&self.sandbox);
        let mut pids = self.host(name).namespace().pids();
        pids.retain(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(program.to_str().unwrap()) && line.contains("agent")
        });
        let pids = pids
            .iter()
            .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap());
        pids.collect()
    }

    /// Runs the program outside the laptop's namespace, to ask the running manager.
    pub(crate) fn ask(sandbox: &Sandbox, words: &[&str]) -> Command {
        let mut command = Command::new(program(sandbox));
        at_home(command.args(words), sandbox);
        command
    }

    /// The laptop.
    pub(crate) fn laptop(&self) -> &Host {
        &self.hosts[0]
    }

    /// The host with this name.
    pub(crate) fn host(&self, name: &str) -> &Host {
        self.hosts.iter().find(|host| host.name == name).unwrap()
    }

    /// The address of the host with this name.
    pub(crate) fn vip(&self, name: &str) -> String {
        vip(1 + self
            .hosts
            .iter()
            .position(|host| host.name == name)
            .unwrap())
    }

    /// Waits until a host can fetch the page of another host at port 8080.
    #[track_caller]
    pub(crate) fn wait_for_page(&mut self, from: &str, of: &str) {
        let address = self.vip(of);
        let mut last = String::new();
        let manager = &mut self.manager;
        let host = self.hosts.iter().find(|host| host.name == from).unwrap();
        wait_for(&format!("the page of {of} on {from}"), || {
            assert!(manager.is_alive(), "the manager ended: {}", manager.log());
            match host.fetch(&address, 8080) {
                Ok(page) => {
                    assert_eq!(page, of, "the wrong host answered");
                    Some(())
                }
                Err(error) => {
                    if error != last {
                        println!("{from} asks {of}: {error}");
                    }
                    last = error;
                    None
                }
            }
        });
    }

    /// Fetches the page of a host once. This has to succeed.
    #[track_caller]
    pub(crate) fn assert_page(&self, from: &str, of: &str) {
        let page = self.host(from).fetch(&self.vip(of), 8080);
        assert_eq!(page.as_deref(), Ok(of), "{from} asked {of}");
    }
}

/// The process id and the arguments of each process that runs this sandbox's copy of the program.
pub(crate) fn processes_of(sandbox: &Sandbox) -> Vec<String> {
    let path = program(sandbox);
    let listed = output(&mut command(&["ps", "-e", "-o", "pid=,args="]));
    listed
        .lines()
        .filter(|line| line.split_whitespace().nth(1) == path.to_str())
        .map(str::to_owned)
        .collect()
}
