//! The tree that a manifest is read into, with the place of every value, and how large a manifest may be.

use super::problem::{Span, Spanned};

/// A manifest is refused beyond this size, before it is parsed.
pub const SIZE_MAX_BYTES: usize = 1024 * 1024;

/// How many hosts a network may have.
pub const HOSTS_MAX: usize = 1_024;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The block from which hosts without a `vip` get their address.
    pub network: Option<Spanned<String>>,
    /// The settings of every host that does not write its own.
    pub template: Settings,
    /// The hosts, in the order of the file.
    pub hosts: Vec<Host>,
    /// The routes, in the order of the file.
    pub routes: Vec<Route>,
    /// Who may reach what.
    pub policy: Option<Policy>,
}

/// An entry of `hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its key.
    pub name: Spanned<String>,
    /// Its address, unless it is to be assigned.
    pub vip: Option<Spanned<String>>,
    /// The command that gives a pipe to it; `None` for this machine.
    pub cmd: Option<Spanned<Cmd>>,
    /// Further names.
    pub aliases: Vec<Spanned<String>>,
    /// What it shares with `hostTemplate`.
    pub settings: Settings,
}

/// The two spellings of `cmd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// One text, to be split like a POSIX shell does.
    Line(String),
    /// A list of words, taken as they are.
    Words(Vec<Spanned<String>>),
}

/// The fields that a host shares with `hostTemplate`. `None` means that the field is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Published ports, as written.
    pub ports: Vec<Spanned<String>>,
    /// The HTTP proxy.
    pub http: Option<Listen>,
    /// The SOCKS proxy.
    pub socks: Option<Listen>,
    /// The DNS server.
    pub dns: Option<Dns>,
    /// How the agent uses the real loopback addresses.
    pub loopback: Option<Loopback>,
    /// Where the agent keeps its files.
    pub state_dir: Option<StateDir>,
    /// Whether the agent maintains `/etc/hosts`.
    pub write_etc_hosts: Option<Spanned<bool>>,
}

/// `http` or `socks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address to listen on; `None` means no proxy.
    pub listen: Option<Spanned<String>>,
    /// Whether other machines may use it.
    pub allow_remote: Option<Spanned<bool>>,
    /// The file with its users.
    pub credentials: Option<Spanned<String>>,
    /// Which users of the host may use it: one of [`ALLOWED`](super::schema::ALLOWED).
    pub allow: Option<Spanned<String>>,
}

/// `loopback`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// Whether the agent leaves the real loopback addresses alone.
    pub disable: Option<Spanned<bool>>,
    /// Which users of the host may connect there: one of [`ALLOWED`](super::schema::ALLOWED).
    pub allow: Option<Spanned<String>>,
}

/// `dns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The port, as written.
    pub listen: Option<Spanned<String>>,
    /// Whether there is no DNS server.
    pub disable: Option<Spanned<bool>>,
}

/// `stateDir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    /// The whole field.
    pub span: Span,
    /// The folder, as written.
    pub path_on_agent: Option<Spanned<String>>,
    /// Whether there is no folder.
    pub disable: Option<Spanned<bool>>,
}

/// An entry of `routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The whole entry.
    pub span: Span,
    /// The hosts that dial, by name or VIP.
    pub via: Vec<Spanned<String>>,
    /// CIDR blocks and host name globs.
    pub to: Vec<Spanned<String>>,
    /// Exceptions from `to`.
    pub not_to: Vec<Spanned<String>>,
}

/// `policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The action for connections that no rule fits.
    pub default: Option<Spanned<String>>,
    /// Names for several hosts, each with its members.
    pub groups: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The tests, in the order of the file.
    pub tests: Vec<Test>,
}

/// An entry of `policy.rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The whole entry.
    pub span: Span,
    /// Where connections begin; `None` if it is not written.
    pub from: Option<Vec<Spanned<String>>>,
    /// Where connections go; `None` if it is not written.
    pub to: Option<Vec<Spanned<String>>>,
    /// The gateways; `None` if it is not written.
    pub via: Option<Vec<Spanned<String>>>,
    /// The ports as the manifest has them; `None` if the rule has no `ports`.
    pub ports: Option<Vec<Spanned<String>>>,
    /// The action for these connections.
    pub action: Option<Spanned<String>>,
}

/// An entry of `policy.tests`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The whole entry.
    pub span: Span,
    /// Where the connection begins.
    pub from: Vec<Spanned<String>>,
    /// Where it goes.
    pub to: Vec<Spanned<String>>,
    /// The expected result.
    pub expect: Option<Spanned<String>>,
}
