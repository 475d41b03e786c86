//! The types with which an agent tells its driver what to do and where.

use std::{fmt, net::SocketAddr};

use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    names::Zone,
    wire::{Cause, control::ProblemCode},
};

/// A task for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Listen on this address, and answer with [`super::Core::handle_listening`].
    Listen(Listener),
    /// Bind this address, so that nobody else can have it, and refuse connections to it; answer with
    /// [`super::Core::handle_listening`].
    Hold(Listener),
    /// Close this listener. There is no answer.
    Close(Listener),
    /// Connect to `host` for this flow, and answer with [`super::Core::handle_dialled`].
    Dial {
        /// The flow that waits for the connection.
        flow: FlowKey,
        /// An address, or a name for the resolver of this host.
        host: String,
        /// The port of the destination.
        port: u16,
    },
    /// Dial for the probe with this number, close the connection at once, and answer with
    /// [`super::Core::handle_probed`].
    Probe(u64, Errand),
    /// Serve the flow, which another host has opened to a service of this agent.
    Serve(FlowKey, Service),
    /// End an earlier agent of this run of the manager for this address, before any other task.
    TakePlace(String, Vip),
    /// Write these files, and answer with [`super::Core::handle_files`].
    Write(Box<Files>),
    /// The manager is gone: end the agent. This comes once.
    Silent,
    /// Look at this flow again: it has received bytes, has room to send, or has ended.
    Wake(FlowKey),
}

/// A real address to listen on, and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listener {
    /// The purpose of connections to the address.
    pub purpose: Purpose,
    /// The address to listen on.
    pub address: SocketAddr,
}

/// The purposes of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Connections to the same address inside the network ([`super::Core::connect`]).
    Network,
    /// DNS questions over UDP. Those over TCP are connections into the network.
    Dns,
    /// Clients of the HTTP proxy.
    Http,
    /// Clients of the SOCKS proxy.
    Socks,
}

impl Listener {
    /// The action for a report, such as "listen on", and the address.
    pub(super) fn words(&self) -> (&'static str, String) {
        let address = self.address.to_string();
        match self.purpose {
            Purpose::Network => ("listen on", address),
            Purpose::Dns => ("listen on", format!("{address} (UDP)")),
            Purpose::Http => ("serve the HTTP proxy on", address),
            Purpose::Socks => ("serve the SOCKS proxy on", address),
        }
    }

    /// The code of the problem if the agent cannot listen there.
    pub(super) const fn problem(&self) -> ProblemCode {
        match self.purpose {
            Purpose::Network => ProblemCode::Listen,
            Purpose::Dns => ProblemCode::Dns,
            Purpose::Http | Purpose::Socks => ProblemCode::Proxy,
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, address) = self.words();
        write!(f, "{what} {address}")
    }
}

/// The reasons why an address cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListening {
    /// The cause, for programs.
    pub cause: Cause,
    /// The reason, for people.
    pub reason: String,
    /// A remedy, for people. `None` if it is not known.
    pub remedy: Option<String>,
}

impl From<String> for NotListening {
    fn from(reason: String) -> Self {
        Self {
            cause: Cause::Other,
            reason,
            remedy: None,
        }
    }
}

/// The services of an agent inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// DNS over TCP (RFC 7766).
    Dns,
    /// The relay of a gateway, which connects to destinations for other hosts' proxies.
    Relay,
}

/// Whether the work of a turn is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is left to do.
    Done,
    /// More is left to do, after other tasks have had their turn.
    Yield,
}

/// A proxy for programs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The address that the proxy listens on.
    pub listen: SocketAddr,
    /// The path of the file with its users, before `~` and variables are expanded. `None` if the proxy does not ask for
    /// a password.
    pub credentials: Option<String>,
    /// Whether a proxy without such a file accepts only programs of the agent's own user, and programs that send its
    /// token.
    pub same_user: bool,
}

/// The files that the agent writes for other programs on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The names and aliases of the network.
    pub zone: Zone,
    /// The path of the folder for the files, before `~` and variables are expanded. `None` if there is none.
    pub state_dir: Option<String>,
    /// Whether the names also go into `/etc/hosts`.
    pub etc_hosts: bool,
    /// The HTTP proxy. `None` if there is none, or if it does not work.
    pub http: Option<Proxy>,
    /// The SOCKS proxy. `None` if there is none, or if it does not work.
    pub socks: Option<Proxy>,
    /// The reasons why proxies of the configuration do not work.
    pub missing: Vec<String>,
}

/// The destination to dial for a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// The destination of a published port of this host: a name or an address, and a port.
    Published(String, u16),
    /// A destination that another host could ask this gateway for.
    ForOthers(Destination),
}
