//! The remedies for the steps that do not work: what a person can do about each.

use std::net::{IpAddr, SocketAddr};

use super::inquiry::{Entrance, Inquiry, Way};
use crate::{
    addr::HostName,
    view::{HostState, HostView},
    wire::{Cause, probe::Found},
};

/// The remedy for a host that is not up.
pub fn host(view: &HostView) -> String {
    let name = &view.name;
    match view.state {
        HostState::Stopped => format!("run: norouter start {name}"),
        HostState::Refused => {
            format!("correct what the reason says, and then run: norouter start {name}")
        }
        HostState::Waiting if view.troubles.iter().any(|it| it.remedy.is_some()) => format!(
            "do what the reason says; the manifest is read again by itself, and norouter start {name} tries at once"
        ),
        HostState::Waiting => {
            // If there is no line of standard error, the remedy does not mention the log.
            let logs = if view.stderr.is_empty() {
                String::new()
            } else {
                format!("norouter logs {name} shows what its command said, ")
            };
            format!("it is tried again by itself; {logs}norouter start {name} tries at once")
        }
        HostState::NeedsYou if view.held.is_some() => {
            format!("review its new command, and approve it with: norouter approve {name}")
        }
        HostState::NeedsYou => format!("give it what it asks for: norouter answer {name}"),
        HostState::Starting | HostState::Greeting | HostState::Configuring
            if view.troubles.iter().any(|it| it.remedy.is_some()) =>
        {
            format!("do what the reason says; norouter stop {name} ends the command")
        }
        HostState::Starting | HostState::Greeting | HostState::Configuring => {
            format!("it is being started; run: norouter wait {name}")
        }
        HostState::Ready | HostState::Degraded => format!("run: norouter restart {name}"),
    }
}

impl Inquiry {
    /// The remedy for an address that the source cannot listen on.
    pub(super) fn listener_remedy(&self, cause: Cause, address: SocketAddr) -> String {
        let source = self.called(self.from);
        let port = address.port();
        let another = match (&self.way, self.entrance()) {
            (Way::Port(vip, _), Entrance::Loopback(_)) => {
                format!("let {} publish another port than {port}", self.called(*vip))
            }
            (Way::Port(..) | Way::Gateway(..) | Way::Outside(_) | Way::Nowhere(_), _) => {
                format!("let the proxy of {source} listen on another port than {port}")
            }
        };
        match cause {
            Cause::InUse => format!(
                "port {port} of {} is taken on {source} by another program; a program that listens on all addresses takes it, too. \
                 If it is not named, it is seen there with: ss -ltnp \"sport = :{port}\" (macOS: lsof -nP -iTCP:{port} \
                 -sTCP:LISTEN; Windows: netstat -ano). End it, and {source} listens within a few seconds, or {another}",
                address.ip()
            ),
            Cause::NotPermitted => format!(
                "{another}: one of 1024 or more needs no special rights. On Linux, the agent may also listen on {port} if root \
                 gives its program the capability CAP_NET_BIND_SERVICE (setcap cap_net_bind_service=+ep PATH), or opens these \
                 ports to every user of {source} (sysctl net.ipv4.ip_unprivileged_port_start={port})"
            ),
            Cause::NoAddress => format!(
                "give {source} the address {}; on macOS run there: sudo ifconfig lo0 alias {} up",
                address.ip(),
                address.ip()
            ),
            Cause::Limited => limited(&source),
            Cause::NotAllowed => format!(
                "its agent has another configuration than this manager; run: norouter restart {source}"
            ),
            Cause::NameNotFound
            | Cause::Unreachable
            | Cause::Refused
            | Cause::TimedOut
            | Cause::HostDown
            | Cause::Other => {
                format!("it is tried again every few seconds; norouter logs {source} may say more")
            }
        }
    }

    /// Whether the host of a target, such as "web1:80", is a name or an alias in this network.
    fn is_in_network(&self, target: &str) -> bool {
        let name = target.rsplit_once(':').map_or(target, |(name, _)| name);
        let name = name.parse::<HostName>();
        name.is_ok_and(|name| self.plan.names().contains_key(&name))
    }

    /// The remedy for a target that the far end cannot connect to.
    pub(super) fn dial_remedy(&self, found: &Found, host: &str, target: &str) -> String {
        let cause = found.cause.unwrap_or(Cause::Other);
        if let Some(instead) = found.instead
            && cause == Cause::Refused
            && instead.ip().is_loopback()
            && let Way::Port(..) = self.way
        {
            let (port, address) = (self.target.port, instead.ip());
            let address = match address {
                IpAddr::V4(_) => address.to_string(),
                IpAddr::V6(_) => format!("[{address}]"),
            };
            let to = instead.port();
            return format!(
                "on {host}, something listens on {instead}, and not on {target}: write \"{port}:{address}:{to}\" into the ports of \
                 {host} in the manifest, or \"{port}:localhost:{to}\", which tries 127.0.0.1 and [::1]"
            );
        }
        let correct = match &self.way {
            Way::Port(..) => format!(
                "correct the target of port {} of {host} in the manifest",
                self.target.port
            ),
            Way::Gateway(..) | Way::Outside(_) | Way::Nowhere(_) => {
                "ask for another port".to_owned()
            }
        };
        match cause {
            Cause::NameNotFound if self.is_in_network(target) => format!(
                "that is a name of this network: write the address of the service in port {} of {host}, or another name of it; \
                 or leave out writeEtcHosts of {host}, or the alias",
                self.target.port
            ),
            Cause::Refused => format!(
                "nothing listens on {target} as seen from {host}: start the server there, or {correct}"
            ),
            Cause::NameNotFound => {
                let name = target.rsplit_once(':').map_or(target, |(name, _)| name);
                format!(
                    "the resolver of {host} does not know that name: correct it, or run on {host}: getent hosts {name} - if that \
                     finds an address, it asks more than DNS and /etc/hosts, such as mDNS for .local, which a static build of \
                     norouter does not: use the address instead of the name, or write both into /etc/hosts there"
                )
            }
            Cause::TimedOut => format!(
                "see whether the machine of {target} runs, and whether a firewall between it and {host} drops connections"
            ),
            Cause::Unreachable => {
                format!("{host} has no way to {target}: see the network of {host}")
            }
            Cause::Limited => limited(host),
            Cause::NotAllowed => match &self.way {
                Way::Port(..) => format!(
                    "its agent has another configuration than this manager; run: norouter restart {host}"
                ),
                Way::Gateway(..) | Way::Outside(_) | Way::Nowhere(_) => format!(
                    "see \"to\" and \"notTo\" of the route through {host}, or publish the service as a port of {host}"
                ),
            },
            Cause::InUse
            | Cause::NotPermitted
            | Cause::NoAddress
            | Cause::HostDown
            | Cause::Other => {
                format!("try it on {host} itself; norouter logs {host} may say more")
            }
        }
    }
}

fn limited(host: &str) -> String {
    format!(
        "ask the administrator of {host} to permit it; docs/ADMINISTRATORS.md says how, and the manifest cannot"
    )
}
