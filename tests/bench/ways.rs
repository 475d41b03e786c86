//! The compared ways from a client to the server: a direct connection, two relays, a tunnel of OpenSSH, and the
//! network.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
};

use crate::sandbox::{Running, Sandbox, Sshd, command, free_port, norouter, wait_for};

/// A way that is ready for clients.
pub(crate) struct Way {
    /// The name of the way in the table.
    pub(crate) name: &'static str,
    /// The address to which clients connect.
    pub(crate) address: SocketAddr,
    /// The processes that keep the way open. Their memory is measured, and that of their children.
    children: Vec<Running>,
    _server: Option<Sshd>,
}

/// Opens all ways.
pub(crate) fn all(port: u16) -> Vec<Way> {
    let sandbox = Sandbox::new();
    vec![
        direct(port),
        socat(port),
        ssh(&sandbox, port),
        network(&sandbox, port),
    ]
}

fn direct(port: u16) -> Way {
    Way {
        name: "direct",
        address: here(port),
        children: Vec::new(),
        _server: None,
    }
}

/// Two relays of socat. There are two because the network also has two programs between client and server.
fn socat(port: u16) -> Way {
    let (first, second) = (free_port(), free_port());
    let relay = |from: u16, to: u16| {
        let listen =
            format!("TCP4-LISTEN:{from},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay");
        let connect = format!("TCP4:127.0.0.1:{to},nodelay");
        Running::start(
            "socat",
            &mut command(&["socat", "-b", "65536", &listen, &connect]),
        )
    };
    let children = vec![relay(first, second), relay(second, port)];
    opened(Way {
        name: "socat x 2",
        address: here(first),
        children,
        _server: None,
    })
}

fn ssh(sandbox: &Sandbox, port: u16) -> Way {
    let server = Sshd::on_this_machine(sandbox);
    let listen = free_port();
    let mut words = server.ssh();
    let forward = format!("127.0.0.1:{listen}:127.0.0.1:{port}");
    words.splice(
        1..1,
        ["-N", "-o", "ExitOnForwardFailure=yes", "-L", &forward].map(str::to_owned),
    );
    let children = vec![Running::start("ssh -L", &mut command(&words))];
    opened(Way {
        name: "ssh -L",
        address: here(listen),
        children,
        _server: Some(server),
    })
}

/// Two agents as children of one manager: client, agent, pipe, manager, pipe, agent, server.
fn network(sandbox: &Sandbox, port: u16) -> Way {
    let binary = norouter();
    let program = binary.to_str().unwrap();
    let listen = free_port();
    let manifest = format!(
        "hosts:\n  near:\n    vip: 127.0.42.11\n    cmd: [{program:?}]\n  far:\n    vip: 127.0.42.12\n    \
         cmd: [{program:?}]\n    loopback: {{disable: true}}\n    ports: [\"{listen}:127.0.0.1:{port}\"]\n\
         hostTemplate:\n  stateDir: {{disable: true}}\n"
    );
    let manifest = sandbox.write("network.yaml", manifest);
    let children = vec![Running::start(
        "norouter",
        command(&[&binary]).arg(&manifest),
    )];
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 42, 12), listen));
    opened(Way {
        name: "norouter",
        address,
        children,
        _server: None,
    })
}

impl Way {
    /// The resident memory of each process on the way, in bytes, with a name for the process.
    pub(crate) fn memory(&self) -> Vec<(String, f64)> {
        let mut found = Vec::new();
        // socat starts a process for each connection, so the memory of its first process is not meaningful.
        for child in self.children.iter().filter(|_| self.name != "socat x 2") {
            let below = descendants(child.pid());
            let roles = if below.len() == 2 {
                ["agent 1", "agent 2"]
            } else {
                ["", ""]
            };
            let first = if below.is_empty() {
                "process"
            } else {
                "manager"
            };
            found.push((first.to_owned(), resident(child.pid())));
            if below.len() == 2 {
                found.extend(
                    below
                        .iter()
                        .zip(roles)
                        .map(|(pid, role)| (role.to_owned(), resident(*pid))),
                );
            }
        }
        found
    }
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Waits until a byte that is sent over the way comes back.
fn opened(mut way: Way) -> Way {
    let address = way.address;
    wait_for(way.name, || {
        for child in &mut way.children {
            assert!(child.is_alive(), "{} ended: {}", way.name, child.log());
        }
        let stream = TcpStream::connect(address).ok()?;
        crate::load::echo_once(&stream).ok()
    });
    way
}

/// The direct child processes of a process.
fn descendants(parent: u32) -> Vec<u32> {
    let mut found: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit(") ").next().unwrap_or_default();
            after.split(' ').nth(1) == Some(&parent.to_string())
        })
        .collect();
    found.sort_unstable();
    found
}

fn resident(pid: u32) -> f64 {
    let status = Path::new("/proc").join(pid.to_string()).join("status");
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_default();
    kib * 1024.0
}
