//! The contents of the HTTP proxy's own pages.

use std::{collections::BTreeMap, net::SocketAddr};

use ipnet::IpNet;

use super::{config::Config, rights::Rights};
use crate::{
    addr::Vip,
    proxy::{
        pac::{Pac, PacRoute, Pattern},
        page::{Page, PageHost, PageRoute},
    },
    route::{Route, Target},
    text::with_remedy,
    wire::control::ProblemReport,
};

impl Rights {
    /// The text of the proxy auto-configuration file for a proxy at this address; `None` before the configuration.
    pub fn pac(&self, proxy: SocketAddr) -> Option<String> {
        let config = self.config.as_ref()?;
        let routes: Vec<(Vec<String>, &Route)> = config
            .routes
            .iter()
            .map(|route| (texts(&route.to), route))
            .collect();
        let excepted: Vec<Vec<String>> = config
            .routes
            .iter()
            .map(|route| texts(&route.not_to))
            .collect();
        let routes = routes
            .iter()
            .zip(&excepted)
            .map(|((to, route), not_to)| PacRoute {
                to: patterns(&route.to, to),
                not_to: patterns(&route.not_to, not_to),
            });
        let pac = Pac {
            proxy,
            names: config.names.keys().map(String::as_str).collect(),
            vips: config.hosts().into_keys().map(Vip::address).collect(),
            routes: routes.collect(),
            everything: self.goes_out(),
        };
        Some(pac.script())
    }

    /// The status page, with these problems on it; `None` before the configuration.
    pub(super) fn page(&self, problems: &[ProblemReport]) -> Option<Page> {
        let config = self.config.as_ref()?;
        let called = |vip: &Vip| config.called(*vip);
        Some(Page {
            name: called(&config.me),
            vip: config.me.to_string(),
            hosts: config.hosts().into_values().collect(),
            routes: config
                .routes
                .iter()
                .map(|route| PageRoute {
                    to: texts(&route.to),
                    not_to: texts(&route.not_to),
                    via: route.via.iter().map(called).collect(),
                })
                .collect(),
            problems: problems
                .iter()
                .map(|problem| with_remedy(&problem.sentence(), problem.remedy.as_deref()))
                .collect(),
        })
    }
}

impl Config {
    /// The name of a host, or its address if it has no name.
    pub(super) fn called(&self, vip: Vip) -> String {
        let name = self.zone.name(vip.address());
        name.map_or_else(|| vip.to_string(), str::to_owned)
    }

    fn hosts(&self) -> BTreeMap<Vip, PageHost> {
        let mut hosts: BTreeMap<Vip, PageHost> = BTreeMap::new();
        for (name, address) in &self.names {
            let Ok(vip) = Vip::new(*address) else {
                continue;
            };
            let called = self.called(vip);
            let host = hosts.entry(vip).or_insert_with(|| PageHost {
                name: called.clone(),
                vip: vip.to_string(),
                ..PageHost::default()
            });
            if *name != called {
                host.aliases.push(name.clone());
            }
        }
        for address in &self.published {
            let host = Vip::new(*address.ip())
                .ok()
                .and_then(|vip| hosts.get_mut(&vip));
            if let Some(host) = host {
                host.ports.push(address.port());
            }
        }
        hosts
    }
}

fn texts(targets: &[Target]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

/// The targets as patterns for a proxy auto-configuration file.
fn patterns<'t>(targets: &[Target], texts: &'t [String]) -> Vec<Pattern<'t>> {
    let pairs = targets.iter().zip(texts);
    pairs
        .map(|(target, text)| match target {
            Target::Cidr(IpNet::V4(block)) => Pattern::Net {
                first: block.network(),
                mask: block.netmask(),
            },
            Target::Cidr(IpNet::V6(block)) => Pattern::Net6(*block),
            Target::Glob(_) => Pattern::Glob(text),
        })
        .collect()
}
