//! The person's own proxies, through which this machine reaches destinations outside the network. The variables
//! `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` in the environment of the agent name these proxies.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;

use super::{
    upstream::{Upstream, UpstreamError},
    variables::{USER, reached_at},
};
use crate::{
    destination::{Destination, Host},
    route,
};

/// The maximum number of entries of `no_proxy` that are used. Further entries are ignored.
const EXEMPT_MAX: usize = 1_000;

/// The port of plain HTTP.
const HTTP: u16 = 80;

/// The person's own proxies. By default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outward {
    http: Option<Arc<Upstream>>,
    https: Option<Arc<Upstream>>,
    all: Option<Arc<Upstream>>,
    exempt: Vec<Exempt>,
}

/// A destination that is reached without a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exempt {
    what: What,
    /// The only port to which the exemption applies. `None` for all ports.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Everything,
    Addresses(IpNet),
    /// A name, and all names below it.
    Domain(String),
}

/// The reason why a variable is ignored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// An agent of a network has set the variable.
    #[error("{0} leads to a proxy of NoRouter")]
    Ours(String),
    /// The address of the proxy cannot be used.
    #[error("{0} is ignored: {1}")]
    Invalid(String, UpstreamError),
}

impl Outward {
    /// Reads the variables. The second value of the result lists the variables that are ignored.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> (Self, Vec<Ignored>) {
        let mut ignored = Vec::new();
        // Most programs prefer the name in lower case.
        let either = |name: &str| {
            let names = [name.to_owned(), name.to_ascii_uppercase()];
            names.into_iter().find_map(|name| {
                let value = variable(&name).filter(|value| !value.trim().is_empty())?;
                Some((name, value))
            })
        };
        let mut proxy = |name: &str| {
            let (name, value) = either(name)?;
            match value.parse::<Upstream>() {
                // "norouter exec" has set the variable, so the proxy leads into a network. That network may in turn use
                // this agent to reach other destinations, and then connections could go in a circle.
                Ok(proxy) if proxy.has_user(USER) => ignored.push(Ignored::Ours(name)),
                Ok(proxy) => return Some(Arc::new(proxy)),
                Err(error) => ignored.push(Ignored::Invalid(name, error)),
            }
            None
        };
        let [http, https, all] = ["http_proxy", "https_proxy", "all_proxy"].map(&mut proxy);
        let list = either("no_proxy").map(|(_, list)| list).unwrap_or_default();
        let entries = list.split([',', ' ', '\t', '\n']);
        let exempt = entries.filter_map(exempt).take(EXEMPT_MAX).collect();
        let outward = Self {
            http,
            https,
            all,
            exempt,
        };
        (outward, ignored)
    }

    /// The proxy for a destination outside the network. `None` if the destination is dialled directly. `own` are the
    /// addresses of this agent's proxies. These proxies are never returned, because they would ask this function again.
    pub fn to(
        &self,
        destination: &Destination,
        own: impl IntoIterator<Item = SocketAddr>,
    ) -> Option<&Arc<Upstream>> {
        let fitting = if destination.port == HTTP {
            [&self.http, &self.all, &self.https]
        } else {
            [&self.https, &self.all, &self.http]
        };
        let proxy = fitting.into_iter().flatten().next()?;
        let is_exempt = is_here(&destination.host)
            || self.exempt.iter().any(|exempt| exempt.has(destination))
            || own.into_iter().any(|own| is_at(&proxy.at, own));
        (!is_exempt).then_some(proxy)
    }

    /// Whether there is a proxy that is not one of this agent's `own`.
    pub fn leads_out(&self, own: &[SocketAddr]) -> bool {
        let all = [&self.http, &self.https, &self.all].into_iter().flatten();
        let mut foreign = all.filter(|proxy| !own.iter().any(|own| is_at(&proxy.at, *own)));
        foreign.next().is_some()
    }
}

/// Whether a host means something different on each machine, for example `localhost` or a link-local address.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Ip(address) => route::is_special(*address),
        Host::Name(_) => host.is_localhost(),
    }
}

/// Whether the proxy at `address` may be this agent's own proxy, which listens at `own`.
fn is_at(address: &Destination, own: SocketAddr) -> bool {
    let own = reached_at(own);
    let is_same = match &address.host {
        Host::Ip(address) => {
            *address == own.ip() || address.is_loopback() || address.is_unspecified()
        }
        // A name of this machine may lead to the same proxy.
        Host::Name(name) => own.ip().is_loopback() && is_here(&Host::Name(name.clone())),
    };
    is_same && address.port == own.port()
}

/// Parses an entry of `no_proxy`. `None` if the entry has no meaning.
fn exempt(entry: &str) -> Option<Exempt> {
    if entry == "*" {
        return Some(Exempt {
            what: What::Everything,
            port: None,
        });
    }
    if let Some(block) = entry.parse().ok().or_else(|| address(entry)) {
        return Some(Exempt {
            what: What::Addresses(block),
            port: None,
        });
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (entry, None),
    };
    if let Some(block) = address(host) {
        let what = What::Addresses(block);
        return Some(Exempt { what, port });
    }
    let domain = host.trim_start_matches('*').trim_matches('.');
    (!domain.is_empty()).then(|| Exempt {
        what: What::Domain(domain.to_ascii_lowercase()),
        port,
    })
}

/// A single address as a block.
fn address(text: &str) -> Option<IpNet> {
    let address: IpAddr = text.trim_matches(['[', ']']).parse().ok()?;
    Some(address.to_canonical().into())
}

impl Exempt {
    fn has(&self, destination: &Destination) -> bool {
        let fits = match (&self.what, &destination.host) {
            (What::Everything, _) => true,
            (What::Addresses(block), Host::Ip(address)) => block.contains(address),
            (What::Domain(domain), Host::Name(name)) => {
                let below = name.strip_suffix(domain.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (What::Addresses(_), Host::Name(_)) | (What::Domain(_), Host::Ip(_)) => false,
        };
        fits && self.port.is_none_or(|port| port == destination.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outward(variables: &[(&str, &str)]) -> (Outward, Vec<Ignored>) {
        Outward::read(|name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn way(outward: &Outward, to: &str) -> Option<String> {
        let destination = Destination::parse(to, None).unwrap();
        let proxy = outward.to(&destination, []);
        proxy.map(ToString::to_string)
    }

    #[test]
    fn each_kind_of_destination_has_its_proxy_and_the_others_take_its_place() {
        let (all, ignored) = outward(&[
            ("http_proxy", "http://plain:1"),
            ("HTTP_PROXY", "http://shouted:1"),
            ("HTTPS_PROXY", "http://ann:secret@tunnel:2"),
        ]);
        assert_eq!(ignored, []);
        assert_eq!(way(&all, "example.org:80").as_deref(), Some("plain:1"));
        assert_eq!(way(&all, "example.org:443").as_deref(), Some("tunnel:2"));
        let (one, _) = outward(&[("all_proxy", "socks5h://other:3"), ("http_proxy", " ")]);
        for to in ["example.org:80", "10.0.0.1:22"] {
            assert_eq!(way(&one, to).as_deref(), Some("other:3"));
        }
        assert_eq!(way(&Outward::default(), "example.org:80"), None);
    }

    #[test]
    fn what_the_person_exempts_is_dialled_directly_and_so_is_this_machine() {
        let (outward, _) = outward(&[
            ("https_proxy", "proxy:1"),
            (
                "no_proxy",
                ".corp, 10.0.0.0/8,example.org:8443 [fd00::1] 192.0.2.7:80,*.lan,x:y",
            ),
        ]);
        for direct in [
            "corp:1",
            "git.corp:22",
            "10.9.9.9:443",
            "www.example.org:8443",
            "[fd00::1]:1",
            "192.0.2.7:80",
            "nas.lan:5000",
            "localhost:80",
            "127.0.0.9:80",
            "169.254.169.254:80",
        ] {
            assert_eq!(way(&outward, direct), None, "{direct}");
        }
        for proxied in ["acorp:1", "11.0.0.1:1", "example.org:443", "192.0.2.7:81"] {
            assert!(way(&outward, proxied).is_some(), "{proxied}");
        }
        let (nothing, _) = super::tests::outward(&[("all_proxy", "proxy:1"), ("NO_PROXY", "*")]);
        assert_eq!(way(&nothing, "example.org:443"), None);
    }

    #[test]
    fn a_variable_that_leads_to_a_proxy_of_a_network_is_ignored() {
        let (outward, ignored) = outward(&[
            ("http_proxy", "http://norouter:abc@127.0.0.1:18080"),
            ("https_proxy", "https://proxy"),
        ]);
        assert_eq!(outward, Outward::default());
        let shown = ignored.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown[0], "http_proxy leads to a proxy of NoRouter");
        assert!(
            shown[1].starts_with("https_proxy is ignored: only proxies"),
            "{shown:?}"
        );
        let loops = |url: &str, own: &str| {
            let (outward, _) = super::tests::outward(&[("all_proxy", url)]);
            let to = Destination::parse("example.org:80", None).unwrap();
            outward.to(&to, [own.parse().unwrap()]).is_none()
        };
        assert!(loops("http://127.0.0.1:18080", "127.0.0.1:18080"));
        assert!(loops("http://localhost:18080", "0.0.0.0:18080"));
        assert!(loops("http://127.0.0.2:18080", "0.0.0.0:18080"));
        assert!(loops("http://192.0.2.1:18080", "192.0.2.1:18080"));
        assert!(!loops("http://127.0.0.1:3128", "127.0.0.1:18080"));
    }
}
