//! Names of abilities, as both sides announce them.

/// The agent carries TCP. Without it a host is of no use.
pub const TCP: &str = "tcp";
/// The agent listens on real loopback addresses.
pub const LOOPBACK: &str = "loopback";
/// The agent can be told not to listen on real loopback addresses. A host whose manifest asks for that is refused
/// without it.
pub const LOOPBACK_DISABLE: &str = "loopback.disable";
/// Addition: the manager wants [`super::Event::Problems`].
pub const PROBLEMS: &str = "problems";
/// The agent serves an HTTP proxy.
pub const HTTP: &str = "http";
/// The agent serves a SOCKS proxy.
pub const SOCKS: &str = "socks";
/// The agent keeps hosts files in a folder.
pub const HOST_ALIASES: &str = "hostaliases";
/// The addresses in HOSTALIASES files are names of `nip.io`.
pub const HOST_ALIASES_NIP_IO: &str = "hostaliases.\"nip.io\"";
/// The agent maintains `/etc/hosts`.
pub const ETC_HOSTS: &str = "etchosts";
/// The agent's proxies follow routes, and it dials for others.
pub const ROUTES: &str = "routes";
/// The agent answers DNS questions.
pub const DNS: &str = "dns";
/// Addition: the agent's proxies ask for credentials where the manifest says so. A host whose manifest asks for
/// that is refused without it.
pub const CREDENTIALS: &str = "proxy.credentials";
/// Addition: the agent lets in programs of its own user only, where the manifest says so. A host whose manifest
/// asks for that is refused without it.
pub const SAME_USER: &str = "sameUser";
/// Addition: the manager wants [`super::Event::Notice`].
pub const NOTICES: &str = "notices";
/// Addition: the agent can be configured more than once.
pub const RECONFIGURE: &str = "reconfigure";
/// Addition, announced by both: the agent answers [`super::PING`], and the manager sends it, so that the silence of
/// either one means something.
pub const HEARTBEAT: &str = "heartbeat";
/// Addition: the agent does not listen for hosts that are lost ([`super::LOST`]).
pub const LOST: &str = "lost";
/// Addition: the agent performs [`super::PROBE`].
pub const PROBE: &str = "probe";
/// Addition, announced by both: frames that are sent to this side may have [sums](super::super::sum), which it
/// checks.
pub const SUMS: &str = "sums";
/// Addition: the agent understands exceptions from routes.
pub const NOT_TO: &str = "routes.notTo";
/// Addition: the agent applies [`super::Policy`]. A host is refused without it if the manifest has a policy.
pub const POLICY: &str = "policy";
