//! The words between an agent and its driver: what is to be done, and where.

use std::{fmt, net::SocketAddr};

use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    names::Zone,
    wire::{Cause, control::ProblemCode},
};

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Listen there; answer with [`super::Core::handle_listening`].
    Listen(Listener),
    /// Keep the address, so that nobody else can have it, and refuse connections there; answer with
    /// [`super::Core::handle_listening`].
    Hold(Listener),
    /// Stop listening there. This has no answer.
    Close(Listener),
    /// Connect to `host` (an address or a name) for this flow; answer with [`super::Core::handle_dialled`].
    Dial {
        /// The flow that waits.
        flow: FlowKey,
        /// An address, or a name for the resolver of this host.
        host: String,
        /// The port there.
        port: u16,
    },
    /// Dial this for the probe with this number, close it at once, and answer with [`super::Core::handle_probed`].
    Probe(u64, Errand),
    /// Serve what has come in on this flow.
    Serve(FlowKey, Service),
    /// End an earlier agent of this manager for this address, before anything else is done.
    TakePlace(String, Vip),
    /// Write these files; answer with [`super::Core::handle_files`].
    Write(Box<Files>),
    /// The manager is gone: end everything. This comes once.
    Silent,
    /// Look at this flow again: it has bytes, room, or an end.
    Wake(FlowKey),
}

/// A real address to listen on, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listener {
    /// The use of what arrives there.
    pub purpose: Purpose,
    /// The address.
    pub address: SocketAddr,
}

/// The uses of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Connections to the address of the same name inside the network ([`super::Core::connect`]).
    Network,
    /// DNS questions over UDP. Those over TCP are connections into the network.
    Dns,
    /// Clients of the HTTP proxy.
    Http,
    /// Clients of the SOCKS proxy.
    Socks,
}

impl Listener {
    /// What the agent does there, and the address.
    pub(super) fn words(&self) -> (&'static str, String) {
        let address = self.address.to_string();
        match self.purpose {
            Purpose::Network => ("listen on", address),
            Purpose::Dns => ("listen on", format!("{address} (UDP)")),
            Purpose::Http => ("serve the HTTP proxy on", address),
            Purpose::Socks => ("serve the SOCKS proxy on", address),
        }
    }

    /// The kind of the problem if the agent cannot listen there.
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

/// Why an address cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListening {
    /// The cause, for programs.
    pub cause: Cause,
    /// The reason, for people.
    pub reason: String,
    /// What a person can do about it, if that is known.
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

/// What an agent itself serves inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// DNS questions, as over TCP (RFC 7766).
    Dns,
    /// Connections that another host's proxy asks for.
    Relay,
}

/// Whether everything that has come was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is left.
    Done,
    /// There is more, after others have had their turn.
    Yield,
}

/// A proxy for programs on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The address that it listens on.
    pub listen: SocketAddr,
    /// The file with its users, not yet expanded.
    pub credentials: Option<String>,
    /// Whether, if it has no file, only programs of the agent's own user may use it, and those that have the token.
    pub same_user: bool,
}

/// Files that the agent writes for programs on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The names of the network.
    pub zone: Zone,
    /// The folder for the files, not yet expanded.
    pub state_dir: Option<String>,
    /// Whether the names also go into `/etc/hosts`.
    pub etc_hosts: bool,
    /// The HTTP proxy, if it works.
    pub http: Option<Proxy>,
    /// The SOCKS proxy, if it works.
    pub socks: Option<Proxy>,
    /// Why proxies do not work that should.
    pub missing: Vec<String>,
}

/// What is to be dialled for a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// What a published port of this host leads to: an address or a name, and a port.
    Published(String, u16),
    /// A destination that another host could have asked this gateway for.
    ForOthers(Destination),
}
