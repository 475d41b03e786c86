//! The names of features, as agents and managers announce them. The word "Addition" marks each feature that upstream's
//! protocol does not have.

/// The agent carries TCP. A host without this feature cannot be used.
pub const TCP: &str = "tcp";
/// The agent listens on real loopback addresses.
pub const LOOPBACK: &str = "loopback";
/// The agent can be told not to listen on real loopback addresses. If the manifest asks for that, an agent without this
/// feature is refused.
pub const LOOPBACK_DISABLE: &str = "loopback.disable";
/// Addition: the manager wants [`super::Event::Problems`].
pub const PROBLEMS: &str = "problems";
/// The agent serves an HTTP proxy.
pub const HTTP: &str = "http";
/// The agent serves a SOCKS proxy.
pub const SOCKS: &str = "socks";
/// The agent keeps hosts files in a folder.
pub const HOST_ALIASES: &str = "hostaliases";
/// The entries of HOSTALIASES files are names under `nip.io`.
pub const HOST_ALIASES_NIP_IO: &str = "hostaliases.\"nip.io\"";
/// The agent maintains `/etc/hosts`.
pub const ETC_HOSTS: &str = "etchosts";
/// The agent's proxies follow routes, and the agent dials for other hosts.
pub const ROUTES: &str = "routes";
/// The agent answers DNS questions.
pub const DNS: &str = "dns";
/// Addition: the agent's proxies require credentials where the manifest says so. If the manifest asks for that, an
/// agent without this feature is refused.
pub const CREDENTIALS: &str = "proxy.credentials";
/// Addition: the agent admits only programs of its own user where the manifest says so. If the manifest asks for that,
/// an agent without this feature is refused.
pub const SAME_USER: &str = "sameUser";
/// Addition: the manager answers [`super::Event::Mark`] with [`super::MARKED`].
pub const MARKS: &str = "marks";
/// Addition: the manager wants [`super::Event::Notice`].
pub const NOTICES: &str = "notices";
/// Addition: the agent can be configured more than once.
pub const RECONFIGURE: &str = "reconfigure";
/// Addition, announced by both sides: the agent answers [`super::PING`], and the manager sends it regularly. Each side
/// can then conclude from silence that the other is gone.
pub const HEARTBEAT: &str = "heartbeat";
/// Addition: the agent refuses connections to hosts that are lost ([`super::LOST`]).
pub const LOST: &str = "lost";
/// Addition: the agent performs [`super::PROBE`].
pub const PROBE: &str = "probe";
/// Addition: the agent performs [`super::OPEN_PORTS`].
pub const OPEN_PORTS: &str = "openPorts";
/// Addition, announced by both sides: the side that announces it verifies [sums](super::super::sum) in the frames that
/// it receives.
pub const SUMS: &str = "sums";
/// Addition: the agent understands exceptions from routes.
pub const NOT_TO: &str = "routes.notTo";
/// Addition: the agent applies [`super::Policy`]. If the manifest has a policy, an agent without this feature is
/// refused.
pub const POLICY: &str = "policy";
