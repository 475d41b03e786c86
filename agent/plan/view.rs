//! A plan as people and programs see it.

use super::network::{HostPlan, Plan, Protocol};
use crate::{
    addr::Vip,
    route::{Route, Target},
    view::{PlanHost, PlanPort, PlanRoute, PlanView},
};

impl Plan {
    /// The plan for user interfaces. Ports that agents cannot serve yet are left out.
    pub fn view(&self) -> PlanView {
        PlanView {
            hosts: self.hosts.iter().map(|host| self.host_view(host)).collect(),
            routes: self
                .routes
                .iter()
                .map(|route| self.route_view(route))
                .collect(),
            policy: (!self.policy.is_open()).then(|| self.matrix()),
        }
    }

    /// The name of the host with this address; the address itself if there is no such host.
    pub fn name_of(&self, vip: Vip) -> String {
        self.host(vip)
            .map_or_else(|| vip.to_string(), |host| host.name.to_string())
    }

    fn host_view(&self, host: &HostPlan) -> PlanHost {
        PlanHost {
            name: host.name.to_string(),
            vip: host.vip.to_string(),
            aliases: host.aliases.iter().map(ToString::to_string).collect(),
            command: host.start.shown(),
            lookups: host.start.lookups(),
            publishes: host
                .forwards
                .iter()
                .filter(|forward| forward.protocol == Protocol::Tcp)
                .map(|forward| PlanPort {
                    port: forward.listen_port.get(),
                    target: forward.target.to_string(),
                })
                .collect(),
            http: host.http.as_ref().map(|proxy| proxy.listen.to_string()),
            socks: host.socks.as_ref().map(|proxy| proxy.listen.to_string()),
            dns: host.dns.map(|port| host.vip.socket(port).to_string()),
            gateway: self.routes.has_gateway(host.vip),
            loopback: host.loopback,
            state_dir: host.state_dir.clone(),
        }
    }

    fn route_view(&self, route: &Route) -> PlanRoute {
        let texts = |targets: &[Target]| targets.iter().map(ToString::to_string).collect();
        let mut via = route.via.iter().map(|via| self.name_of(*via));
        PlanRoute {
            to: texts(&route.to),
            not_to: texts(&route.not_to),
            // A route always has at least one gateway.
            via: via.next().unwrap_or_default(),
            or_via: via.collect(),
        }
    }
}
