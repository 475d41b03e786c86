//! The types of a plan: the hosts of the network, and everything that each of them does.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::{commands, instances::Chosen};
use crate::{
    addr::{HostName, Port, Vip},
    route::{Routes, policy::Policy},
    view::ByHand,
};

/// The whole network that a manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The hosts, in the order of the manifest.
    pub hosts: Vec<HostPlan>,
    /// The routes to destinations outside the network; later routes win over earlier ones.
    pub routes: Routes,
    /// The policy: who may reach what in the network.
    pub policy: Policy,
}

/// One host of the network, with the template merged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPlan {
    /// The host's name in the manifest.
    pub name: HostName,
    /// Further names of the host.
    pub aliases: Vec<HostName>,
    /// The host's address in the network.
    pub vip: Vip,
    /// How the host's agent is started.
    pub start: Start,
    /// The ports that the host publishes.
    pub forwards: Vec<Forward>,
    /// Whether the host's agent listens on the VIPs of all hosts, as real loopback addresses of its own machine.
    pub loopback: bool,
    /// Which users of the host may connect to the loopback addresses on which the host's agent listens.
    pub allow: Allow,
    /// The host's HTTP proxy.
    pub http: Option<ProxyPlan>,
    /// The host's SOCKS proxy.
    pub socks: Option<ProxyPlan>,
    /// The port of the host's DNS server, on its VIP.
    pub dns: Option<Port>,
    /// The port of the host's relay, on its VIP. Other hosts' proxies ask the relay to dial. `None` if no route leads
    /// through the host.
    pub relay: Option<Port>,
    /// The folder in which the host's agent keeps hosts files; the agent expands `~` and `${VAR}`. `None` if the
    /// manifest disables the folder.
    pub state_dir: Option<String>,
    /// Whether the host's agent maintains `/etc/hosts`.
    pub write_etc_hosts: bool,
}

/// A proxy for programs on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyPlan {
    /// The address that the proxy listens on.
    pub listen: SocketAddr,
    /// The path of the file with the proxy's users; the agent expands `~` and `${VAR}`. The path is set whenever other
    /// machines could use the proxy.
    pub credentials: Option<String>,
    /// Which users of the host may use the proxy. If `credentials` is set, that file decides instead.
    pub allow: Allow,
}

/// Which users of a host may connect to what its agent listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allow {
    /// Only the user that runs the agent, and root.
    SameUser,
    /// All users.
    Any,
}

/// The words that are appended to every command, so that the program at the far end of the command runs as an agent.
pub(super) const AGENT_WORDS: [&str; 2] = ["agent", "--automated"];

/// How a host's agent is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The agent is started inside the manager's own process, because the host has no `cmd`.
    InProcess,
    /// The agent is started by a child process with these words, the program first. The standard input and output of
    /// the process lead to the agent. The words end with `agent --automated`, which is appended to every `cmd`, as in
    /// the original NoRouter.
    Command(Vec<String>),
    /// A shell on the host runs the agent. A child process with these words leads to the shell. The manager finds an
    /// agent on the host, or sends one. The words end with `sh -c` and [`crate::wire::SHELL_LOOP`].
    Shell(Vec<String>),
    /// Like [`Start::Shell`], in an instance of the host that is chosen at each start.
    Chosen(Box<Chosen>),
}

/// A published port: other hosts connect to it on the VIP, and the host dials the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forward {
    /// The port on the VIP.
    pub listen_port: Port,
    /// The target that the host dials.
    pub target: DialTarget,
    /// The protocol of the port.
    pub protocol: Protocol,
}

/// A real endpoint, as a host sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialTarget {
    /// The address, or a name that is resolved on that host at every dial.
    pub host: TargetHost,
    /// The port at this address or name.
    pub port: Port,
}

/// The host part of a [`DialTarget`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetHost {
    /// An address.
    Ip(IpAddr),
    /// A name for the resolver of the host that dials.
    Name(String),
}

/// The protocol of a published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP. It can be written in a manifest, but is not served yet.
    Udp,
}

impl fmt::Display for DialTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            TargetHost::Ip(address) => SocketAddr::new(*address, self.port.get()).fmt(f),
            TargetHost::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

impl Allow {
    /// The value of `allow` if the manifest has none. The manager's machine belongs to its user, so only that user is
    /// let in. Where a command starts the agent, for example in a container, programs may run as any user, so all users
    /// are let in. All users are also let in if the system is not Linux, because the agent then cannot find out who
    /// owns a connection.
    pub(super) fn by_default(start: &Start) -> Self {
        match start {
            Start::InProcess if cfg!(target_os = "linux") => Self::SameUser,
            Start::InProcess | Start::Command(_) | Start::Shell(_) | Start::Chosen(_) => Self::Any,
        }
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameUser => "same-user",
            Self::Any => "any",
        })
    }
}

impl HostPlan {
    /// The lines that a person can run by hand if the host is lost.
    pub fn by_hand(&self) -> ByHand {
        let name = self.name.to_string();
        match &self.start {
            Start::InProcess => ByHand {
                name,
                ..ByHand::default()
            },
            Start::Command(words) => commands::by_hand(&name, own_words(words)),
            Start::Shell(words) => commands::by_hand_in_shell(&name, commands::without_loop(words)),
            Start::Chosen(chosen) => {
                commands::by_hand_in_shell(&name, commands::without_loop(&chosen.by_hand()))
            }
        }
    }

    /// Whether programs on the host have a proxy into the network.
    pub fn has_proxy(&self) -> bool {
        self.http.is_some() || self.socks.is_some()
    }
}

impl Start {
    /// The words of the command that are read on this machine. A path after them is a path on another machine or in a
    /// container. Empty without a command.
    pub fn read_here(&self) -> &[String] {
        let own = match self {
            Self::InProcess => &[],
            Self::Command(words) => own_words(words),
            Self::Shell(words) => commands::without_loop(words),
            Self::Chosen(chosen) => commands::without_loop(&chosen.enter),
        };
        own.get(..commands::read_here(own)).unwrap_or(own)
    }

    /// The words of the command; `None` if the agent is started without one.
    pub fn words(&self) -> Option<&[String]> {
        match self {
            Self::InProcess => None,
            Self::Command(words) | Self::Shell(words) => Some(words),
            Self::Chosen(chosen) => Some(&chosen.enter),
        }
    }

    /// The commands that run before this one, to choose the instance that it enters.
    pub fn lookups(&self) -> Vec<Vec<String>> {
        match self {
            Self::InProcess | Self::Command(_) | Self::Shell(_) => Vec::new(),
            Self::Chosen(chosen) => chosen.lookups().cloned().collect(),
        }
    }

    /// The words of a command that leads to the host's shell. It is for the case that the command of `self` does not
    /// start an agent. `None` if the words do not show how the shell is reached.
    pub fn through_the_shell(&self) -> Option<Vec<String>> {
        match self {
            Self::InProcess | Self::Chosen(_) => None,
            Self::Command(words) => commands::through_the_shell(own_words(words)),
            Self::Shell(words) => Some(words.clone()),
        }
    }

    /// Whether an agent may be put on the host through its shell.
    pub fn takes_an_agent(&self) -> bool {
        matches!(self, Self::Chosen(_)) || self.through_the_shell().is_some()
    }

    /// The words of the command that is run through the host's shell if the manifest's command starts no agent. Secrets
    /// in them are masked. `None` if there is no such command, or if it is the same as the manifest's.
    pub fn shown_instead(&self) -> Option<Vec<String>> {
        let words = self.through_the_shell()?;
        (self.words() != Some(&words)).then(|| commands::masked(&words))
    }

    /// The words of the command as everybody may see them, with passwords masked. Empty without a command.
    pub fn shown(&self) -> Vec<String> {
        self.words().map(commands::masked).unwrap_or_default()
    }
}

/// The words of a command without those that are appended to every command.
fn own_words(words: &[String]) -> &[String] {
    match words {
        [own @ .., agent, automated] if [agent, automated] == AGENT_WORDS => own,
        _ => words,
    }
}

impl Plan {
    /// The host with this address.
    pub fn host(&self, vip: Vip) -> Option<&HostPlan> {
        self.hosts.iter().find(|host| host.vip == vip)
    }

    /// Every name and alias of the network, with its address.
    pub fn names(&self) -> BTreeMap<&HostName, Vip> {
        self.hosts
            .iter()
            .flat_map(|host| {
                std::iter::once(&host.name)
                    .chain(&host.aliases)
                    .map(|name| (name, host.vip))
            })
            .collect()
    }
}
