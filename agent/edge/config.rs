//! The configuration of an agent, checked once when the manager's message arrives.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
};

use super::{
    rules,
    words::{Files, Listener, Proxy, Purpose},
};
use crate::{
    addr::{Port, Vip},
    names::Zone,
    route::{Route, Routes, Target, policy::Policy},
    wire::control::{self, Configure, Endpoint, feature},
};

/// The configuration of an agent.
pub(super) struct Config {
    pub(super) me: Vip,
    /// The dial target of each port that this host publishes: a host and a port.
    pub(super) forwards: BTreeMap<Port, (String, u16)>,
    /// The published ports of all hosts.
    pub(super) published: BTreeSet<SocketAddrV4>,
    /// The address of each name and alias.
    pub(super) names: BTreeMap<String, Ipv4Addr>,
    pub(super) zone: Zone,
    pub(super) routes: Routes,
    pub(super) policy: Policy,
    /// The port of each host's DNS server.
    pub(super) dns: BTreeMap<Vip, Port>,
    /// The port of each gateway's relay.
    pub(super) relays: BTreeMap<Vip, Port>,
    pub(super) http: Option<Proxy>,
    pub(super) socks: Option<Proxy>,
    /// Whether the agent listens on the VIPs of the hosts, as real loopback addresses of this machine.
    pub(super) loopback: bool,
    /// Whether only programs of the agent's own user may connect to the VIPs on which the agent listens.
    pub(super) same_user: bool,
    pub(super) files: Files,
    /// The run id of the manager; `None` if it has sent none.
    pub(super) manager: Option<String>,
    pub(super) manager_features: ManagerFeatures,
}

/// The features that the manager has announced.
#[expect(clippy::struct_excessive_bools, reason = "each is announced by itself")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ManagerFeatures {
    /// The manager wants reports of problems.
    pub(super) problems: bool,
    /// The manager has promised to send heartbeats.
    pub(super) heartbeat: bool,
    /// The manager wants notices of single events.
    pub(super) notices: bool,
    /// The manager accepts frames with checksums.
    pub(super) sums: bool,
    /// The manager wants reports of connections that the policy has refused.
    pub(super) policy: bool,
    /// The manager answers marks.
    pub(super) marks: bool,
}

impl Config {
    /// Checks the manager's message. Fails with a description of the first value that is not valid.
    pub(super) fn read(args: Configure) -> Result<Self, String> {
        let me = Vip::new(args.me).map_err(|error| format!("me: {}: {error}", args.me))?;
        let zone = zone(&args);
        let dns = ports("nameServers", &args.name_servers)?;
        let dns = dns
            .into_iter()
            .map(|address| (address.0, address.1))
            .collect();
        let relays = ports("relays", &args.relays)?.into_iter().collect();
        let policy = {
            let (dns, relays) = (
                ports("nameServers", &args.name_servers)?,
                ports("relays", &args.relays)?,
            );
            rules::read(&args, dns.into_iter(), relays.into_iter())?
        };
        let mut published = BTreeSet::new();
        for (vip, port) in ports("others", &args.others)? {
            published.insert(vip.socket(port));
        }
        let mut forwards = BTreeMap::new();
        for forward in args.forwards {
            if !is_tcp(&forward.proto) {
                continue;
            }
            let port = Port::new(forward.listen_port)
                .ok_or_else(|| "forwards: 0 is not a port to listen on".to_owned())?;
            published.insert(me.socket(port));
            forwards.insert(port, (forward.connect_ip, forward.connect_port));
        }
        let manager = Some(args.manager).filter(|word| !word.is_empty());
        // The run id becomes a part of a file name, so it may contain only letters and digits.
        let is_word =
            |word: &str| word.len() <= 64 && word.bytes().all(|b| b.is_ascii_alphanumeric());
        if !manager.as_deref().is_none_or(is_word) {
            return Err("manager: it has letters and digits, at most 64".to_owned());
        }
        let http = proxy("http", args.http)?;
        let socks = proxy("socks", args.socks)?;
        let manager_has = |feature| args.features.iter().any(|has| has == feature);
        let manager_features = ManagerFeatures {
            problems: manager_has(feature::PROBLEMS),
            notices: manager_has(feature::NOTICES),
            heartbeat: manager_has(feature::HEARTBEAT),
            sums: manager_has(feature::SUMS),
            policy: manager_has(feature::POLICY),
            marks: manager_has(feature::MARKS),
        };
        let state_dir = if args.state_dir.disable {
            None
        } else {
            Some(args.state_dir.path).filter(|path| !path.is_empty())
        };
        Ok(Self {
            me,
            forwards,
            published,
            routes: routes(args.routes)?,
            policy,
            dns,
            relays,
            loopback: !args.loopback.disable,
            same_user: args.loopback.same_user,
            files: Files {
                zone: zone.clone(),
                state_dir,
                etc_hosts: args.write_etc_hosts,
                ..Files::default()
            },
            names: Arc::unwrap_or_clone(args.hostname_map),
            zone,
            manager,
            http,
            socks,
            manager_features,
        })
    }
}

impl Config {
    /// All listeners that the agent should have.
    pub(super) fn listeners(&self) -> BTreeSet<Listener> {
        let mut listeners = BTreeSet::new();
        let mut add = |purpose, address| listeners.insert(Listener { purpose, address });
        if self.loopback {
            for address in &self.published {
                add(Purpose::Network, (*address).into());
            }
            for (vip, port) in &self.dns {
                add(Purpose::Network, vip.socket(*port).into());
                add(Purpose::Dns, vip.socket(*port).into());
            }
        }
        if let Some(http) = &self.http {
            add(Purpose::Http, http.listen);
        }
        if let Some(socks) = &self.socks {
            add(Purpose::Socks, socks.listen);
        }
        listeners
    }

    /// The listeners of this configuration, except those that have to be opened again when it replaces `old`.
    pub(super) fn listeners_kept_from(&self, old: &Self) -> BTreeSet<Listener> {
        let mut kept = self.listeners();
        // If the settings of a proxy have changed, its listener is opened again, even at the same address.
        if old.http != self.http {
            kept.retain(|listener| listener.purpose != Purpose::Http);
        }
        if old.socks != self.socks {
            kept.retain(|listener| listener.purpose != Purpose::Socks);
        }
        kept
    }

    /// Whether a listener refuses connections while these hosts are lost. A listener at this host's own address never
    /// does, because it does not depend on other hosts. A listener for DNS over UDP never does, because its replies
    /// report the failure. The listeners of proxies never do, either.
    pub(super) fn is_held(&self, listener: &Listener, lost: &BTreeSet<Ipv4Addr>) -> bool {
        let SocketAddr::V4(address) = listener.address else {
            return false;
        };
        listener.purpose == Purpose::Network
            && *address.ip() != self.me.address()
            && lost.contains(address.ip())
    }

    /// Whether a listener for this purpose accepts only programs of the agent's own user.
    pub(super) fn is_for_same_user(&self, purpose: Purpose) -> bool {
        let proxy = match purpose {
            Purpose::Network => return self.same_user,
            Purpose::Dns => return false,
            Purpose::Http => &self.http,
            Purpose::Socks => &self.socks,
        };
        proxy.as_ref().is_some_and(|proxy| proxy.same_user)
    }
}

/// The names of the network. Host names come before aliases, because the first name of an address is its primary name.
fn zone(args: &Configure) -> Zone {
    let main: BTreeSet<&String> = args.main_names.iter().collect();
    let is_main = |name: &String| main.contains(name);
    let names = args.hostname_map.iter();
    let (main, aliases): (Vec<_>, Vec<_>) = names.partition(|(name, _)| is_main(name));
    let all = main.into_iter().chain(aliases);
    Zone::new(all.map(|(name, address)| (name, *address)))
}

fn ports(what: &str, endpoints: &[Endpoint]) -> Result<Vec<(Vip, Port)>, String> {
    let tcp = endpoints.iter().filter(|endpoint| is_tcp(&endpoint.proto));
    tcp.map(|endpoint| {
        let vip =
            Vip::new(endpoint.ip).map_err(|error| format!("{what}: {}: {error}", endpoint.ip))?;
        let port = Port::new(endpoint.port)
            .ok_or_else(|| format!("{what}: 0 is not a port to listen on"))?;
        Ok((vip, port))
    })
    .collect()
}

fn proxy(what: &str, listen: control::Listen) -> Result<Option<Proxy>, String> {
    if listen.listen.is_empty() {
        return Ok(None);
    }
    // In the Go version, an address that begins with a colon means that port on all addresses.
    let text = match listen.listen.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => listen.listen.replace("localhost:", "127.0.0.1:"),
    };
    let address = text
        .parse()
        .map_err(|_| format!("{what}: {:?} is not an address to listen on", listen.listen))?;
    Ok(Some(Proxy {
        listen: address,
        credentials: Some(listen.credentials).filter(|file| !file.is_empty()),
        same_user: listen.same_user,
    }))
}

fn routes(routes: Vec<control::Route>) -> Result<Routes, String> {
    let target = |text: &String| {
        let target = text.parse::<Target>();
        target.map_err(|error| format!("routes: {text:?} is {error}"))
    };
    let route = |route: control::Route| {
        let via = std::iter::once(route.via)
            .chain(route.or_via)
            .map(|via| Vip::new(via).map_err(|error| format!("routes: via {via}: {error}")));
        let to = route.to_cidr.iter().chain(&route.to_hostname_glob);
        Ok(Route {
            via: via.collect::<Result<_, String>>()?,
            to: to.map(target).collect::<Result<_, String>>()?,
            not_to: route
                .not_to
                .iter()
                .map(target)
                .collect::<Result<_, String>>()?,
        })
    };
    let routes = routes.into_iter().map(route);
    routes.collect::<Result<_, String>>().map(Routes::new)
}

/// Whether the protocol of a port is TCP. An empty text means TCP, too, because the original NoRouter knows no other
/// protocol.
fn is_tcp(protocol: &str) -> bool {
    protocol.is_empty() || protocol == "tcp"
}
