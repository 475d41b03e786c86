//! The types that an agent and its driver exchange: actions, addresses and outcomes.

use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    names::Zone,
    wire::{Cause, control::ProblemCode},
};

/// An action for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Listen on this address, then call [`super::Core::handle_listening`].
    Listen(Listener),
    /// Bind the address, so that no other program can bind it, and refuse all connections to it. Then call
    /// [`super::Core::handle_listening`].
    Hold(Listener),
    /// Close this listener. This action has no answer.
    Close(Listener),
    /// Connect to `host` for this flow, then call [`super::Core::handle_dialled`].
    Dial {
        /// The flow that waits for the connection.
        flow: FlowKey,
        /// An address, or a name that this host's resolver has to resolve.
        host: String,
        /// The port to connect to.
        port: u16,
    },
    /// Dial this target for the probe with this number, close the connection at once, and call
    /// [`super::Core::handle_probed`].
    Probe(u64, Errand),
    /// List the ports of this host on which programs listen, for the request with this number, and call
    /// [`super::Core::handle_open_ports`].
    OpenPorts(u64),
    /// Serve the connection on this flow.
    Serve(FlowKey, Service),
    /// Before any other action, end the earlier agent that the same manager has started for this VIP. The text is the
    /// manager's run id.
    EndPredecessor(String, Vip),
    /// Write these files, then call [`super::Core::handle_files`].
    Write(Box<Files>),
    /// The manager is gone: end the agent. This action comes only once.
    Silent,
    /// Poll this flow again: it has bytes to read, room for more bytes, or has ended.
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
    /// Connections that are carried to the same address inside the network ([`super::Core::connect`]).
    Network,
    /// DNS queries over UDP. DNS over TCP uses [`Purpose::Network`].
    Dns,
    /// Clients of the HTTP proxy.
    Http,
    /// Clients of the SOCKS proxy.
    Socks,
}

impl Listener {
    /// The words for messages: what the agent does, such as "listen on", and the address.
    pub(super) fn words(&self) -> (&'static str, String) {
        let address = self.address.to_string();
        match self.purpose {
            Purpose::Network => ("listen on", address),
            Purpose::Dns => ("listen on", format!("{address} (UDP)")),
            Purpose::Http => ("serve the HTTP proxy on", address),
            Purpose::Socks => ("serve the SOCKS proxy on", address),
        }
    }

    /// The code of the problem if the agent cannot listen on the address.
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

/// The reason why the agent cannot listen on an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListening {
    /// The cause, for programs.
    pub cause: Cause,
    /// The reason, for people.
    pub reason: String,
    /// What a person can do about the problem; `None` if that is not known.
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

/// A service that the agent itself provides inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The DNS server, over TCP (RFC 7766).
    Dns,
    /// The relay. Through it, another host's proxy asks this gateway to connect to a destination.
    Relay,
}

/// Whether all received frames were handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All frames were handled.
    Done,
    /// More frames are left. Call again after other work had its turn.
    Yield,
}

/// A proxy for programs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The address that the proxy listens on.
    pub listen: SocketAddr,
    /// The path of the file with its users, before `~` and variables are expanded; `None` if it has no such file.
    pub credentials: Option<String>,
    /// Whether programs of the agent's own user may use the proxy without credentials, while programs of other users
    /// have to send the token. If the proxy has a file of users, every program needs credentials, regardless of this
    /// value.
    pub same_user: bool,
}

/// The files that the agent writes for other programs on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The names and aliases of the network.
    pub zone: Zone,
    /// The path of the folder for the files, before `~` and variables are expanded; `None` if it is not configured.
    pub state_dir: Option<String>,
    /// Whether the names are also written into `/etc/hosts`.
    pub etc_hosts: bool,
    /// The HTTP proxy; `None` if it does not run.
    pub http: Option<Proxy>,
    /// The SOCKS proxy; `None` if it does not run.
    pub socks: Option<Proxy>,
    /// The VIPs that programs of this host reach without a proxy, because the agent listens on them.
    pub direct: BTreeSet<Ipv4Addr>,
    /// The reasons why configured proxies do not run.
    pub missing: Vec<String>,
}

/// A dial for a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// The dial target of one of this host's published ports: an address or a name, and a port.
    Published(String, u16),
    /// A destination that another host could ask this gateway to connect to.
    ForOthers(Destination),
}
