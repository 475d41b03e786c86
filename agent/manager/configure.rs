//! What a plan means for one agent, in the words of the wire.

use std::net::SocketAddr;

use crate::{
    link::Demands,
    plan::{Forward, HostPlan, Plan, Protocol, TargetHost},
    wire::control::{self, Configure, Endpoint, Listen, Loopback, StateDir, feature},
};

const TCP: &str = "tcp";

/// The configuration of `host`'s agent.
pub(super) fn configure(plan: &Plan, host: &HostPlan) -> Configure {
    let others = plan.hosts.iter().filter(|other| other.vip != host.vip);
    Configure {
        me: host.vip.address(),
        forwards: carried(host)
            .map(|forward| control::Forward {
                listen_port: forward.listen_port.get(),
                connect_ip: match &forward.target.host {
                    TargetHost::Ip(address) => address.to_string(),
                    TargetHost::Name(name) => name.clone(),
                },
                connect_port: forward.target.port.get(),
                proto: TCP.to_owned(),
            })
            .collect(),
        others: others
            .flat_map(|other| {
                carried(other).map(|forward| Endpoint {
                    ip: other.vip.address(),
                    port: forward.listen_port.get(),
                    proto: TCP.to_owned(),
                })
            })
            .collect(),
        hostname_map: plan
            .names()
            .into_iter()
            .map(|(name, vip)| (name.to_string(), vip.address()))
            .collect(),
        http: listen(host.http),
        socks: listen(host.socks),
        loopback: Loopback {
            disable: !host.loopback,
        },
        state_dir: StateDir {
            path: host.state_dir.clone().unwrap_or_default(),
            disable: host.state_dir.is_none(),
        },
        write_etc_hosts: host.write_etc_hosts,
        routes: plan
            .routes
            .iter()
            .map(|route| control::Route {
                to_cidr: route.to_cidr.clone(),
                to_hostname_glob: route.to_glob.clone(),
                via: route.via.address(),
            })
            .collect(),
        name_servers: Vec::new(),
        features: vec![feature::PROBLEMS.to_owned()],
    }
}

/// What `host`'s agent must be able to do.
pub(super) fn demands(host: &HostPlan) -> Demands {
    let mut required = vec![feature::TCP];
    let mut wanted = Vec::new();
    if host.loopback {
        wanted.push(feature::LOOPBACK);
    } else {
        // An agent that listened all the same would open the ports to every user of that machine.
        required.push(feature::LOOPBACK_DISABLE);
    }
    Demands { required, wanted }
}

/// The published ports that the network carries.
pub(super) fn carried(host: &HostPlan) -> impl Iterator<Item = &Forward> {
    host.forwards
        .iter()
        .filter(|forward| forward.protocol == Protocol::Tcp)
}

fn listen(address: Option<SocketAddr>) -> Listen {
    Listen {
        listen: address
            .map(|address| address.to_string())
            .unwrap_or_default(),
    }
}
