//! The ports of a host on which programs listen, as people and programs see them.

use super::{network::Core, why::host_remedy};
use crate::{
    addr::Vip,
    link::AgentReply,
    plan::{HostPlan, Protocol, TargetHost},
    time::Instant,
    view::{OpenPortView, OpenPortsView, no_such_host},
    wire::open_ports::OpenPort,
};

impl Core {
    /// The open ports of a host, by its agent's reply. The error says why they are not known, and what to do about it.
    pub fn open_ports(
        &self,
        now: Instant,
        vip: Vip,
        reply: AgentReply,
    ) -> Result<OpenPortsView, String> {
        let host = self.hosts.get(&vip);
        let host = host.ok_or_else(|| no_such_host(&vip.to_string()))?;
        let name = &host.plan.name;
        let view = || host.view(now, &self.switch);
        Err(match reply {
            AgentReply::OpenPorts(open) => {
                let ports = open.ports.into_iter();
                return Ok(OpenPortsView {
                    ports: ports.map(|port| of_port(&host.plan, port)).collect(),
                    more: open.more,
                });
            }
            AgentReply::Unable(reason) => format!("{name} cannot list its open ports: {reason}"),
            AgentReply::NotUp | AgentReply::Lost => {
                let remedy = host_remedy(&view());
                format!("{name} is not up, so its open ports are not known; {remedy}")
            }
            AgentReply::CannotBeAsked | AgentReply::Found(..) => {
                let version = view().version.map(|version| format!(" ({version})"));
                let version = version.unwrap_or_default();
                format!("the agent of {name}{version} cannot list open ports; a newer one can")
            }
            AgentReply::Silent => {
                format!("{name} has not answered in time; run: norouter restart {name}")
            }
            AgentReply::Busy => format!("{name} has too many requests to answer; try again"),
        })
    }
}

fn of_port(host: &HostPlan, port: OpenPort) -> OpenPortView {
    let ip = port.address.ip();
    let published = host.forwards.iter().find(|forward| {
        let leads_here = match &forward.target.host {
            TargetHost::Ip(target) => *target == ip || ip.is_unspecified(),
            TargetHost::Name(name) => {
                name == "localhost" && (ip.is_loopback() || ip.is_unspecified())
            }
        };
        let target = forward.target.port.get();
        forward.protocol == Protocol::Tcp && target == port.address.port() && leads_here
    });
    OpenPortView {
        address: port.address.to_string(),
        port: port.address.port(),
        program: Some(port.program).filter(|program| !program.is_empty()),
        process: port.process,
        published: published.map(|forward| forward.listen_port.get()),
    }
}
