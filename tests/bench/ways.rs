//! The compared ways from a client to the server: a direct connection, relays, tunnels of OpenSSH, and networks.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{
    load::{self, Direction, Transfer},
    options::Program,
    processes,
    sandbox::{Running, Sandbox, Sshd, command, free_port, wait_for},
};

/// A way that is ready for clients.
pub(crate) struct Way {
    /// The name of the way's column.
    pub(crate) name: String,
    entry: Entry,
    /// The processes that keep the way open.
    running: Vec<Running>,
    /// The processes of servers that the way shares with others.
    shared: Vec<u32>,
    /// The processes of a network over pipes, by their roles.
    pub(crate) roles: Vec<(&'static str, u32)>,
}

/// What a client uses.
enum Entry {
    /// A connection to this address.
    Address(SocketAddr),
    /// The standard streams of this command, with the words of a shell after it.
    Pipe(Vec<String>),
}

impl Way {
    /// Waits until the way's address is ready for clients.
    pub(crate) fn opened(mut self, is_ready: impl Fn(SocketAddr) -> bool) -> Self {
        let address = self.address().unwrap();
        wait_for(&self.name, || {
            for child in &mut self.running {
                assert!(child.is_alive(), "{} ended: {}", self.name, child.log());
            }
            is_ready(address).then_some(())
        });
        self
    }

    /// The address for clients; `None` if the way is a command.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self.entry {
            Entry::Address(address) => Some(address),
            Entry::Pipe(_) => None,
        }
    }

    /// Sends bytes through this many flows for this long; `None` if the way has only one flow.
    pub(crate) fn transfer(
        &self,
        direction: Direction,
        flows: usize,
        span: Duration,
    ) -> Option<Transfer> {
        match &self.entry {
            Entry::Address(address) => Some(load::transfer(*address, direction, flows, span)),
            Entry::Pipe(words) if flows == 1 => Some(load::pipe(words, direction, span)),
            Entry::Pipe(_) => None,
        }
    }

    /// All processes of the way.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let own = self.running.iter().map(Running::pid);
        let roots: Vec<u32> = own.chain(self.shared.iter().copied()).collect();
        processes::with_descendants(&roots)
    }
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A connection to the server itself.
pub(crate) fn direct(port: u16) -> Way {
    Way {
        name: "direct".to_owned(),
        entry: Entry::Address(here(port)),
        running: Vec::new(),
        shared: Vec::new(),
        roles: Vec::new(),
    }
}

/// Two relays of socat with a pipe between them, as the network has two agents and two pipes.
pub(crate) fn socat(port: u16) -> Way {
    let own = free_port();
    let listen = format!("TCP4-LISTEN:{own},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay");
    let second = format!("EXEC:socat -b 131072 STDIO TCP4\\:127.0.0.1\\:{port}\\,nodelay");
    let relay = Running::start(
        "socat",
        &mut command(&["socat", "-b", "131072", &listen, &second]),
    );
    let way = started("socat x 2", here(own), vec![relay]);
    way.opened(load::echoes)
}

/// A tunnel of OpenSSH. `ssh` are the first words of its client, whose server is `server`.
pub(crate) fn forward(name: &str, ssh: &[String], server: &Sshd, port: u16) -> Way {
    let own = free_port();
    let forward = format!("127.0.0.1:{own}:127.0.0.1:{port}");
    let mut words = ssh.to_vec();
    let options = ["-N", "-o", "ExitOnForwardFailure=yes", "-L", &forward];
    words.splice(1..1, options.map(str::to_owned));
    let client = Running::start("ssh -L", &mut command(&words));
    let mut way = started(name, here(own), vec![client]);
    way.shared.push(server.pid());
    way.opened(load::echoes)
}

/// The standard streams of a command that leads to a shell.
pub(crate) fn pipe(name: &str, words: &[String]) -> Way {
    Way {
        name: name.to_owned(),
        entry: Entry::Pipe(words.to_vec()),
        running: Vec::new(),
        shared: Vec::new(),
        roles: Vec::new(),
    }
}

/// A network with two agents on this machine: client, agent, pipe, manager, pipe, agent, server.
pub(crate) fn network_over_pipes(sandbox: &Sandbox, program: &Program, port: u16) -> Way {
    let near = [program.path.to_str().unwrap().to_owned()];
    let far = near.clone();
    let way = network(sandbox, program, Some(&near), &far, "", port);
    let mut way = way.opened(load::echoes);
    // The manager starts its agents in the order of the manifest.
    let names = ["manager", "agent of the client", "agent of the server"];
    way.roles = names.into_iter().zip(way.processes()).collect();
    way
}

/// A network whose manager reaches the agent of the server through these words.
pub(crate) fn network_over(
    sandbox: &Sandbox,
    program: &Program,
    words: &[String],
    port: u16,
) -> Way {
    let way = network(sandbox, program, None, words, "", port);
    way.opened(load::echoes)
}

/// The address of the host that publishes the server's port.
fn far_address(program: &Program) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 42, 12 + 10 * program.number)
}

/// A network with the hosts `near` and `far`, which has just been started. Without a command, `near` is the manager's own
/// host. `lines` are further lines of the manifest about `near`.
pub(crate) fn network(
    sandbox: &Sandbox,
    program: &Program,
    near: Option<&[String]>,
    far: &[String],
    lines: &str,
    port: u16,
) -> Way {
    let own = free_port();
    let address = far_address(program);
    let vip = Ipv4Addr::from(u32::from(address) - 1);
    let mut manifest = format!("hosts:\n  near:\n    vip: {vip}\n{lines}");
    if let Some(words) = near {
        writeln!(manifest, "    cmd: {words:?}").unwrap();
    }
    write!(
        manifest,
        "  far:\n    vip: {address}\n    cmd: {far:?}\n    loopback: {{disable: true}}\n    \
         ports: [\"{own}:127.0.0.1:{port}\"]\nhostTemplate:\n  stateDir: {{disable: true}}\n"
    )
    .unwrap();
    let manifest = sandbox.write(&format!("network-{own}.yaml"), manifest);
    let mut manager = command(&[&program.path]);
    let manager = Running::start("norouter", manager.arg(&manifest));
    started(
        &program.name,
        SocketAddr::from((address, own)),
        vec![manager],
    )
}

fn started(name: &str, address: SocketAddr, running: Vec<Running>) -> Way {
    Way {
        name: name.to_owned(),
        entry: Entry::Address(address),
        running,
        shared: Vec::new(),
        roles: Vec::new(),
    }
}
