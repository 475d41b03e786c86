//! The tree into which a manifest is read, with the place of every value, and the limits for the size of a manifest.

use super::problem::{Span, Spanned};

/// The maximum size of a manifest, in bytes. A larger manifest is refused before it is parsed.
pub const SIZE_MAX_BYTES: usize = 1024 * 1024;

/// The maximum number of hosts in a network.
pub const HOSTS_MAX: usize = 1_024;

/// The whole manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The block from which hosts without a `vip` get their address.
    pub network: Option<Spanned<String>>,
    /// The settings of `hostTemplate`, for hosts that do not write their own.
    pub template: Settings,
    /// The hosts, in the order of the file.
    pub hosts: Vec<Host>,
    /// The routes, in the order of the file.
    pub routes: Vec<Route>,
    /// The policy: who may reach what.
    pub policy: Option<Policy>,
}

/// An entry of `hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The name of the host, which is its key in `hosts`.
    pub name: Spanned<String>,
    /// The address of the host; `None` if an address is to be assigned.
    pub vip: Option<Spanned<String>>,
    /// The command whose standard input and output lead to the host's agent; `None` if the host is this machine.
    pub cmd: Option<Spanned<Cmd>>,
    /// The ways to a shell on the host. One of them may be written instead of `cmd`.
    pub shells: Vec<Spanned<Shell>>,
    /// Further names of the host.
    pub aliases: Vec<Spanned<String>>,
    /// The fields that `hostTemplate` can have as well.
    pub settings: Settings,
    /// Whether the host has an unknown key that is probably meant as `cmd`, which is missing.
    pub has_misspelt_cmd: bool,
}

/// The two spellings of `cmd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// One text. It is split into words as a POSIX shell would do.
    Line(String),
    /// A list of words, taken as they are.
    Words(Vec<Spanned<String>>),
}

/// A way to a shell on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `ssh`: the destination, or the words of `ssh` with the destination last.
    Ssh(Cmd),
    /// `docker`, `podman`, `lxc` or `wsl`: the program, and the program's own name for the host.
    Named(&'static str, String),
    /// `docker` or `podman`: the program, and a service of compose.
    Service(&'static str, Box<Service>),
    /// `kubernetes`.
    Kubernetes(Box<Pod>),
    /// `shell`: the words in front of `sh`.
    Words(Vec<Spanned<String>>),
}

/// A container in a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// The context of the kubeconfig.
    pub context: Option<Spanned<String>>,
    /// The namespace.
    pub namespace: Option<Spanned<String>>,
    /// The name of the pod.
    pub pod: Option<Spanned<String>>,
    /// The name of the deployment.
    pub deployment: Option<Spanned<String>>,
    /// The labels of the pods.
    pub selector: Option<Spanned<String>>,
    /// The name of the container.
    pub container: Option<Spanned<String>>,
}

/// The containers of a service of compose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The name of the project.
    pub project: Option<Spanned<String>>,
    /// The name of the service.
    pub service: Option<Spanned<String>>,
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
    /// The settings for real loopback addresses.
    pub loopback: Option<Loopback>,
    /// The folder in which the agent keeps its files.
    pub state_dir: Option<StateDir>,
    /// Whether the agent maintains `/etc/hosts`.
    pub write_etc_hosts: Option<Spanned<bool>>,
}

/// A proxy: the value of `http` or `socks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address to listen on; `None` means no proxy.
    pub listen: Option<Spanned<String>>,
    /// Whether other machines may use the proxy.
    pub allow_remote: Option<Spanned<bool>>,
    /// The file with the users of the proxy.
    pub credentials: Option<Spanned<String>>,
    /// Which users of the host may use the proxy: one of [`ALLOWED`](super::schema::ALLOWED).
    pub allow: Option<Spanned<String>>,
}

/// The value of `loopback`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// If true, the agent does not listen on the real loopback addresses.
    pub disable: Option<Spanned<bool>>,
    /// Which users of the host may connect to the real loopback addresses: one of [`ALLOWED`](super::schema::ALLOWED).
    pub allow: Option<Spanned<String>>,
}

/// The value of `dns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The port of the DNS server, as written.
    pub listen: Option<Spanned<String>>,
    /// If true, the host has no DNS server.
    pub disable: Option<Spanned<bool>>,
}

/// The value of `stateDir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    /// The place of the whole value.
    pub span: Span,
    /// The folder, as written.
    pub path_on_agent: Option<Spanned<String>>,
    /// If true, the agent keeps no files in a folder.
    pub disable: Option<Spanned<bool>>,
}

/// An entry of `routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The place of the whole entry.
    pub span: Span,
    /// The hosts that dial, by name, alias or VIP.
    pub via: Vec<Spanned<String>>,
    /// The destinations: CIDR blocks and host name globs.
    pub to: Vec<Spanned<String>>,
    /// Exceptions from `to`.
    pub not_to: Vec<Spanned<String>>,
}

/// The value of `policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The action for connections that no rule fits.
    pub default: Option<Spanned<String>>,
    /// The groups of hosts: the name and the members of each.
    pub groups: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The tests, in the order of the file.
    pub tests: Vec<Test>,
}

/// An entry of `policy.rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The place of the whole entry.
    pub span: Span,
    /// The hosts where the connections begin; `None` if the rule has no `from`.
    pub from: Option<Vec<Spanned<String>>>,
    /// The destinations of the connections; `None` if the rule has no `to`.
    pub to: Option<Vec<Spanned<String>>>,
    /// The gateways; `None` if the rule has no `via`.
    pub via: Option<Vec<Spanned<String>>>,
    /// The ports, as written; `None` if the rule has no `ports`.
    pub ports: Option<Vec<Spanned<String>>>,
    /// The action for these connections.
    pub action: Option<Spanned<String>>,
}

/// An entry of `policy.tests`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The place of the whole entry.
    pub span: Span,
    /// The hosts where the tested connections begin.
    pub from: Vec<Spanned<String>>,
    /// The destinations of the tested connections.
    pub to: Vec<Spanned<String>>,
    /// The expected result.
    pub expect: Option<Spanned<String>>,
}
