//! Builds the plan of a manifest: assigns unique names and addresses, merges the template, and parses every text. All
//! problems are collected. There is a plan only if none of them is an error.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use super::{
    circles, commands, here,
    network::{AGENT_WORDS, Allow, Forward, HostPlan, Plan, ProxyPlan, Start},
    notes, policy, shells,
    words::{self, Flaw},
};
use crate::{
    addr::{HostName, Port, Vip},
    manifest,
    manifest::{Cmd, Host, Listen, Manifest, Problem, Problems, Settings, Span, Spanned},
    route::{Route, Routes},
    text::{ascii_name, quote},
};

/// The block from which hosts without a `vip` get their address if the manifest has no `network`.
const DEFAULT_NETWORK: &str = "127.0.42.0/24";
/// The offset of the first assigned address from the beginning of the block, if the block is large enough.
const FIRST_ASSIGNED: u32 = 100;
/// The port on which a host answers DNS queries unless the manifest says otherwise. The original NoRouter always uses
/// this port.
const DEFAULT_DNS_PORT: Port = Port::new(10_053).unwrap();
/// The first candidate for the port of a gateway's relay. Ports at which the gateway's VIP already serves something are
/// skipped.
const FIRST_RELAY_PORT: u16 = 10_054;
/// The folder in which an agent keeps its files unless the manifest says otherwise.
pub(super) const DEFAULT_STATE_DIR: &str = "~/.norouter/agent";

/// The maximum number of ports that all hosts together may publish. Ports of the template count once for each host.
const PORTS_MAX: usize = 100_000;

/// Builds the plan of a manifest, and returns it with all problems that were found. There is no plan if one of the
/// problems is an error.
pub fn build(manifest: &Manifest) -> (Option<Plan>, Problems) {
    let mut builder = Builder::default();
    if let Some(problem) = too_many_ports(manifest) {
        builder.problems.push(problem);
        return (None, builder.problems);
    }
    let mut hosts = builder.hosts(manifest);
    let known = Known::new(&hosts);
    let routes = builder.each(&manifest.routes, |builder, route| {
        builder.route(route, &known)
    });
    let routes = Routes::new(routes);
    for (_, host) in &mut hosts {
        host.relay = routes
            .has_gateway(host.vip)
            .then(|| relay_port(host))
            .flatten();
    }
    notes::not_served(manifest, &mut builder.problems);
    let planned: Vec<_> = hosts.iter().map(|(_, host)| host).collect();
    let names = &builder.names;
    let policy = policy::build(
        manifest.policy.as_ref(),
        &planned,
        &routes,
        &|name| names.contains_key(name),
        &mut builder.problems,
    );
    let plan = Plan {
        hosts: hosts.into_iter().map(|(_, host)| host).collect(),
        routes,
        policy,
    };
    if builder.problems.any_error() {
        return (None, builder.problems);
    }
    builder.problems.extend(here::remarks(manifest, &plan));
    circles::find(manifest, &plan, &mut builder.problems);
    if let Some(policy) = &manifest.policy {
        builder.problems.extend(policy::try_tests(policy, &plan));
    }
    let plan = Some(plan).filter(|_| !builder.problems.any_error());
    (plan, builder.problems)
}

/// A problem that says that all hosts together publish more ports than a network may have; `None` if they do not.
fn too_many_ports(manifest: &Manifest) -> Option<Problem> {
    let template = manifest.template.ports.len();
    let mut ports = 0;
    let host = manifest.hosts.iter().find(|host| {
        ports += template + host.settings.ports.len();
        ports > PORTS_MAX
    })?;
    let message = format!(
        "together with those of {} the network has {ports} ports",
        quote(&host.name.value)
    );
    Some(Problem::error(host.name.span, message).hint(format!(
        "all hosts together may publish {PORTS_MAX}, those of hostTemplate counted for each of them"
    )))
}

/// The VIPs of the hosts, by every name and address with which `via` may name a host.
struct Known {
    vips: BTreeMap<String, Vip>,
    /// A few of the names, for messages.
    some: String,
}

impl Known {
    fn new(hosts: &[(&str, HostPlan)]) -> Self {
        let vips = hosts.iter().flat_map(|(_, host)| {
            let names = std::iter::once(&host.name).chain(&host.aliases);
            let words = names.map(ToString::to_string).chain([host.vip.to_string()]);
            words.map(|word| (word, host.vip))
        });
        let some: Vec<&str> = hosts.iter().map(|(name, _)| *name).take(8).collect();
        Self {
            vips: vips.collect(),
            some: some.join(", "),
        }
    }
}

/// The names and addresses of the hosts that were parsed so far, and the problems that were found.
#[derive(Default)]
pub(super) struct Builder<'m> {
    problems: Problems,
    /// Each name or alias, with the host that has it and the place where it is written.
    names: BTreeMap<HostName, (&'m str, Span)>,
    /// Each address, with the host that has it and the place where it is written.
    vips: BTreeMap<Vip, (&'m str, Span)>,
}

impl<'m> Builder<'m> {
    /// Applies `take` to each item and returns the results, until there are too many problems.
    fn each<'i, I, T>(
        &mut self,
        items: &'i [I],
        mut take: impl FnMut(&mut Self, &'i I) -> Option<T>,
    ) -> Vec<T> {
        let results = items
            .iter()
            .map_while(|item| (!self.problems.is_full()).then(|| take(self, item)));
        results.flatten().collect()
    }

    /// The hosts, each with its name as written. Hosts without a usable name or address are left out.
    fn hosts(&mut self, manifest: &'m Manifest) -> Vec<(&'m str, HostPlan)> {
        // Explicit names and addresses come first. A conflict is then reported where the name or address is written for
        // the second time, and assigned addresses never conflict with explicit ones.
        let names: Vec<_> = manifest
            .hosts
            .iter()
            .map(|host| self.names_of(host))
            .collect();
        let (vips, _) = self.addresses(manifest);
        let template_forwards = self.forwards(&manifest.template.ports);
        let template = &manifest.template;
        let template_http = self.proxy(template.http.as_ref());
        let template_socks = self.proxy(template.socks.as_ref());
        let mut hosts = Vec::new();
        for ((host, (name, aliases)), vip) in manifest.hosts.iter().zip(names).zip(vips) {
            if self.problems.is_full() {
                break;
            }
            let settings = &host.settings;
            let own_forwards = self.forwards(&settings.ports);
            let forwards = self.publish(host, template_forwards.iter().chain(&own_forwards));
            let mut http = match &settings.http {
                Some(http) => self.proxy(Some(http)),
                None => template_http.clone(),
            };
            let mut socks = match &settings.socks {
                Some(socks) => self.proxy(Some(socks)),
                None => template_socks.clone(),
            };
            let listens = |proxy: &Option<ProxyPlan>| proxy.as_ref().map(|proxy| proxy.listen);
            if http.is_some() && listens(&http) == listens(&socks) {
                let place = (settings.socks.as_ref())
                    .or(settings.http.as_ref())
                    .and_then(|proxy| proxy.listen.as_ref())
                    .map_or(host.name.span, |listen| listen.span);
                let message = format!(
                    "the HTTP and the SOCKS proxy of {} listen on the same address",
                    quote(&host.name.value)
                );
                self.problems
                    .push(Problem::error(place, message).hint("give one of them another port"));
            }
            let dns = self.dns(host, template, &forwards);
            let start = self.start(host);
            let (Some(name), Some(vip), Some(start)) = (name, vip, start) else {
                continue;
            };
            let loopback = pick(settings, template, |from| from.loopback.as_ref());
            let default = Allow::by_default(&start);
            let written_http = pick(settings, template, |from| from.http.as_ref());
            let written_socks = pick(settings, template, |from| from.socks.as_ref());
            for (proxy, written) in [(&mut http, written_http), (&mut socks, written_socks)] {
                if let Some(proxy) = proxy {
                    let written = written.and_then(|written| written.allow.as_ref());
                    proxy.allow = match proxy.credentials {
                        Some(_) => Allow::Any,
                        None => allow(written, default),
                    };
                }
            }
            let plan = HostPlan {
                name,
                aliases,
                vip,
                start,
                forwards,
                loopback: !loopback
                    .and_then(|loopback| loopback.disable.as_ref())
                    .is_some_and(|disable| disable.value),
                allow: allow(
                    loopback.and_then(|loopback| loopback.allow.as_ref()),
                    default,
                ),
                http,
                socks,
                dns,
                relay: None,
                state_dir: self.state_dir(settings, template),
                write_etc_hosts: pick(settings, template, |from| from.write_etc_hosts.as_ref())
                    .is_some_and(|write| write.value),
            };
            hosts.push((host.name.value.as_str(), plan));
        }
        hosts
    }

    fn names_of(&mut self, host: &'m Host) -> (Option<HostName>, Vec<HostName>) {
        let name = self.name(&host.name, host);
        let aliases = self.each(&host.aliases, |builder, alias| builder.name(alias, host));
        (name, aliases)
    }

    fn name(&mut self, text: &Spanned<String>, host: &'m Host) -> Option<HostName> {
        let name: HostName = match text.value.parse() {
            Ok(name) => name,
            Err(error) => {
                let message = format!("{} cannot be the name of a host", quote(&text.value));
                let problem = Problem::error(text.span, message);
                let hint = ascii_name::advice(&text.value).unwrap_or_else(|| error.to_string());
                self.problems.push(problem.hint(hint));
                return None;
            }
        };
        if let Some((owner, span)) = self.names.get(&name) {
            let message = format!("the name {} is used twice", quote(&text.value));
            let problem = Problem::error(text.span, message)
                .related(*span, format!("host {} has it already", quote(owner)));
            self.problems.push(problem.hint(
                "names and aliases are unique over all hosts, whether in upper or lower case",
            ));
            return None;
        }
        if words::is_public(name.as_str()) {
            self.problems.push_remark(|| {
                let name = quote(&text.value);
                Problem::note(text.span, format!("{name} may be a name of the internet as well")).hint(
                    "programs that ask this network get this host, all others whoever has the name; a name under .internal \
                     or .test is nobody else's",
                )
            });
        }
        self.names
            .insert(name.clone(), (&host.name.value, text.span));
        Some(name)
    }

    /// The address of every host, and the address that a further host would get. Hosts without a `vip` get an address
    /// assigned.
    pub(super) fn addresses(&mut self, manifest: &'m Manifest) -> (Vec<Option<Vip>>, Option<Vip>) {
        let explicit: Vec<_> = manifest
            .hosts
            .iter()
            .map(|host| Some(self.explicit_vip(host.vip.as_ref()?, host)))
            .collect();
        let block = match &manifest.network {
            Some(text) => self.understand(text.span, words::network(&text.value)),
            None => words::network(DEFAULT_NETWORK).ok(),
        };
        let mut free = block.map(assignable);
        let mut vips = Vec::new();
        for (host, explicit) in manifest.hosts.iter().zip(explicit) {
            vips.push(explicit.unwrap_or_else(|| {
                let next = free.as_mut()?.find(|vip| !self.vips.contains_key(vip));
                if next.is_none() {
                    let message = format!("no address is left for {}", quote(&host.name.value));
                    self.problems.push(
                        Problem::error(host.name.span, message)
                            .hint("write a vip here, or a larger block as \"network\" at the top"),
                    );
                }
                next
            }));
        }
        let next = free.and_then(|mut free| free.find(|vip| !self.vips.contains_key(vip)));
        (vips, next)
    }

    fn explicit_vip(&mut self, text: &Spanned<String>, host: &'m Host) -> Option<Vip> {
        let vip = self.understand(text.span, words::vip(&text.value))?;
        if let Some((owner, span)) = self.vips.get(&vip) {
            let message = format!(
                "the VIP {vip} of host {} is used twice",
                quote(&host.name.value)
            );
            let problem = if *span == text.span {
                // The text of both hosts is written at one place, so one of the hosts has got it by a merge key or an
                // alias.
                Problem::error(host.name.span, message)
                    .related(
                        *span,
                        format!(
                            "it is that of host {}, from a merge (<<) or an alias (*)",
                            quote(owner)
                        ),
                    )
                    .hint(format!(
                        "write a vip of its own into {}",
                        quote(&host.name.value)
                    ))
            } else {
                Problem::error(text.span, message)
                    .related(*span, format!("host {} has it already", quote(owner)))
                    .hint("give each host an address of its own")
            };
            self.problems.push(problem);
            return None;
        }
        self.vips.insert(vip, (&host.name.value, text.span));
        Some(vip)
    }

    fn forwards(&mut self, ports: &[Spanned<String>]) -> Vec<Spanned<Forward>> {
        self.each(ports, |builder, port| {
            let value = builder.understand(port.span, words::forward(&port.value))?;
            Some(Spanned {
                value,
                span: port.span,
            })
        })
    }

    /// The forwards of one host. A port that is published twice is a problem.
    fn publish<'f>(
        &mut self,
        host: &Host,
        forwards: impl Iterator<Item = &'f Spanned<Forward>>,
    ) -> Vec<Forward> {
        let mut published: BTreeMap<_, Span> = BTreeMap::new();
        let mut unique = Vec::new();
        for Spanned { value, span } in forwards {
            if self.problems.is_full() {
                break;
            }
            let key = (value.listen_port, value.protocol);
            if let Some(first) = published.get(&key) {
                let message = format!(
                    "host {} publishes the port {}/{} twice",
                    quote(&host.name.value),
                    value.listen_port,
                    value.protocol,
                );
                self.problems.push(
                    Problem::error(*span, message)
                        .related(*first, "it is published here")
                        .hint(
                            "listen on another port; the ports of hostTemplate are added to those of each host",
                        ),
                );
                continue;
            }
            published.insert(key, *span);
            unique.push(value.clone());
        }
        unique
    }

    fn proxy(&mut self, proxy: Option<&Listen>) -> Option<ProxyPlan> {
        let proxy = proxy?;
        let text = proxy.listen.as_ref()?;
        let listen = self.understand(text.span, words::listen(&text.value))?;
        let remote = proxy.allow_remote.as_ref().is_some_and(|allow| allow.value);
        let missing = match (remote, &proxy.credentials) {
            (true, Some(_)) => None,
            (false, Some(_)) => Some("\"allowRemote: true\""),
            (true, None) => Some("\"credentials\", a file with a line USER:PASSWORD for each user"),
            (false, None) => Some(
                "\"allowRemote: true\" and \"credentials\", a file with a line USER:PASSWORD for each user",
            ),
        };
        if let Some(missing) = missing.filter(|_| !listen.ip().is_loopback()) {
            let message = format!(
                "{} would let other machines use this proxy",
                quote(&text.value)
            );
            self.problems
                .push(Problem::error(text.span, message).hint(format!(
                "listen on a loopback address, like \"127.0.0.1:{}\", or write beside it {missing}",
                listen.port()
            )));
        }
        if let (Some(allow), Some(_)) = (&proxy.allow, &proxy.credentials) {
            let message =
                "\"allow\" has no effect here: \"credentials\" say who may use this proxy";
            self.problems
                .push(Problem::warning(allow.span, message).hint("remove one of the two"));
        }
        Some(ProxyPlan {
            listen,
            credentials: proxy.credentials.as_ref().map(|file| file.value.clone()),
            // The default depends on the host, so `Builder::hosts` sets it.
            allow: Allow::Any,
        })
    }

    /// The port of a host's DNS server. A published port with the same number is a problem.
    fn dns(&mut self, host: &Host, template: &Settings, forwards: &[Forward]) -> Option<Port> {
        let dns = pick(&host.settings, template, |from| from.dns.as_ref());
        let written = dns.and_then(|dns| dns.listen.as_ref());
        let port = match written {
            Some(text) => self.understand(text.span, words::dns_port(&text.value))?,
            None => DEFAULT_DNS_PORT,
        };
        if dns
            .and_then(|dns| dns.disable.as_ref())
            .is_some_and(|disable| disable.value)
        {
            return None;
        }
        if forwards.iter().all(|forward| forward.listen_port != port) {
            return Some(port);
        }
        let name = quote(&host.name.value);
        let span = written.map_or(host.name.span, |text| text.span);
        let message =
            format!("host {name} publishes port {port}, so its DNS server cannot have it");
        let hint = "write another port as \"dns: {listen: PORT}\", or \"dns: {disable: true}\"";
        self.problems.push(match written {
            Some(_) => Problem::error(span, message).hint(hint),
            None => Problem::warning(span, message).hint(hint),
        });
        None
    }

    pub(super) fn start(&mut self, host: &Host) -> Option<Start> {
        let cmd = host.cmd.as_ref().map(|cmd| cmd.span);
        let spans = host.shells.iter().map(|shell| shell.span);
        if let Some(second) = cmd.into_iter().chain(spans).nth(1) {
            let name = quote(&host.name.value);
            let message = format!("host {name} has several ways to start its agent");
            let hint = "keep one of cmd, ssh, docker, podman, kubernetes, lxc, wsl and shell";
            self.problems
                .push(Problem::error(second, message).hint(hint));
            return None;
        }
        match (&host.cmd, host.shells.first()) {
            (Some(cmd), _) => self.command(cmd),
            (None, Some(shell)) => self.understand(shell.span, shells::start(&shell.value)),
            (None, None) => Some(Start::InProcess),
        }
    }

    fn command(&mut self, cmd: &Spanned<Cmd>) -> Option<Start> {
        let mut argv = match &cmd.value {
            Cmd::Line(line) => {
                let words = self.understand(cmd.span, words::split(line))?;
                if let Some(flaw) = words::lookalikes(line, &words) {
                    self.problems
                        .push(Problem::warning(cmd.span, flaw.message).hint(flaw.hint));
                }
                words
            }
            Cmd::Words(words) => words.iter().map(|word| word.value.clone()).collect(),
        };
        let words = argv.iter().map(String::as_str);
        self.understand(cmd.span, words::check_words(words))?;
        self.judge(cmd.span, &argv);
        argv.extend(AGENT_WORDS.map(String::from));
        Some(Start::Command(argv))
    }

    /// Adds a problem for each mistake in a command, with a command that would work.
    fn judge(&mut self, span: Span, argv: &[String]) {
        let judged = commands::judge(argv);
        for mistake in judged.mistakes {
            let hint = mistake
                .remedy
                .unwrap_or_else(|| format!("write cmd: {}", judged.line));
            let problem = Problem::new(mistake.severity, span, &mistake.message).hint(hint);
            self.problems.push(problem.code(mistake.code.word()));
        }
    }

    fn state_dir(&mut self, settings: &Settings, template: &Settings) -> Option<String> {
        let Some(dir) = pick(settings, template, |from| from.state_dir.as_ref()) else {
            return Some(DEFAULT_STATE_DIR.into());
        };
        if dir.disable.as_ref().is_some_and(|disable| disable.value) {
            return None;
        }
        let Some(path) = dir
            .path_on_agent
            .as_ref()
            .filter(|path| !path.value.is_empty())
        else {
            return Some(DEFAULT_STATE_DIR.into());
        };
        if path.value.chars().any(char::is_control) {
            let message = format!("{} cannot be a folder", quote(&path.value));
            let problem = Problem::error(path.span, message);
            self.problems
                .push(problem.hint("remove the line breaks and control characters"));
        }
        Some(path.value.clone())
    }

    fn route(&mut self, route: &manifest::Route, known: &Known) -> Option<Route> {
        let mut seen = BTreeSet::new();
        let via = self.each(&route.via, |builder, text| {
            builder.via(text, known).filter(|vip| seen.insert(*vip))
        });
        let mut targets = |texts: &[Spanned<String>]| {
            self.each(texts, |builder, to| {
                builder.understand(to.span, words::target(&to.value))
            })
        };
        let (to, not_to) = (targets(&route.to), targets(&route.not_to));
        if route.via.is_empty() {
            self.problems.push(
                Problem::error(route.span, "this route leads through no host")
                    .hint("write the name of a host as \"via\""),
            );
        }
        (!via.is_empty()).then_some(Route { via, to, not_to })
    }

    fn via(&mut self, via: &Spanned<String>, known: &Known) -> Option<Vip> {
        let name: Option<HostName> = via.value.parse().ok();
        let word = name.as_ref().map_or(via.value.as_str(), HostName::as_str);
        let found = known.vips.get(word).copied();
        // A host that has a problem of its own was already reported.
        let told = name.is_some_and(|name| self.names.contains_key(&name));
        if found.is_none() && !told && !self.names.is_empty() {
            let message = format!("no host is called {}", quote(&via.value));
            self.problems
                .push(Problem::error(via.span, message).hint(format!(
                    "\"via\" is the name, an alias or the VIP of a host: {}",
                    known.some
                )));
        }
        found
    }

    /// Returns the value. On an error, adds a problem and returns `None`.
    fn understand<T>(&mut self, span: Span, result: Result<T, Flaw>) -> Option<T> {
        result
            .map_err(|flaw| {
                self.problems
                    .push(Problem::error(span, flaw.message).hint(flaw.hint));
            })
            .ok()
    }
}

/// A free port on a gateway's VIP, for the gateway's relay.
fn relay_port(host: &HostPlan) -> Option<Port> {
    let published = host.forwards.iter().map(|forward| forward.listen_port);
    let taken: BTreeSet<Port> = published.chain(host.dns).collect();
    let mut ports = (FIRST_RELAY_PORT..=u16::MAX).filter_map(Port::new);
    ports.find(|port| !taken.contains(port))
}

/// Parses `allow`, which says which users may connect. When the manifest was read, words other than `any` and
/// `same-user` were refused.
fn allow(written: Option<&Spanned<String>>, default: Allow) -> Allow {
    match written.map(|text| text.value.as_str()) {
        None => default,
        Some("any") => Allow::Any,
        Some(_) => Allow::SameUser,
    }
}

/// A host's own setting; the setting of the template if the host has none.
fn pick<'s, T>(
    own: &'s Settings,
    template: &'s Settings,
    field: impl Fn(&'s Settings) -> Option<&'s T>,
) -> Option<&'s T> {
    field(own).or_else(|| field(template))
}

/// The addresses of a block in the order in which they are assigned: from the hundredth to the end, and then those
/// before the hundredth. A block that is smaller than a /24 is used from its beginning. Addresses that end in .0 or
/// .255 are skipped, because people take them for network and broadcast addresses.
fn assignable((first, last): (Ipv4Addr, Ipv4Addr)) -> impl Iterator<Item = Vip> {
    let (first, last) = (u32::from(first), u32::from(last));
    let middle = if last - first >= 255 {
        first + FIRST_ASSIGNED
    } else {
        first
    };
    (middle..=last)
        .chain(first..middle)
        .filter(|address| !matches!(address & 0xff, 0 | 255))
        .filter_map(|address| Vip::new(Ipv4Addr::from(address)).ok())
}

#[cfg(test)]
mod tests {
    use crate::{manifest::Severity, plan::load};

    /// The addresses that the hosts of a manifest get, by name.
    fn vips(text: &str) -> Vec<(String, String)> {
        let loaded = load("test.yaml", text);
        let plan = loaded.plan.as_ref();
        let plan = plan.unwrap_or_else(|| panic!("{}", loaded.report(false)));
        plan.hosts
            .iter()
            .map(|host| (host.name.to_string(), host.vip.to_string()))
            .collect()
    }

    /// A manifest with this network and `count` hosts, none of which states its address.
    fn hosts(network: &str, count: usize) -> String {
        let names: Vec<_> = (0..count).map(|i| format!("h{i}: {{}}")).collect();
        format!("{{network: {network}, hosts: {{{}}}}}", names.join(", "))
    }

    #[test]
    fn addresses_are_assigned_from_the_hundredth_upward_and_then_from_the_beginning() {
        let vips = vips(&hosts("127.0.42.0/24", 254));
        assert_eq!(vips[0].1, "127.0.42.100");
        assert_eq!(vips[154].1, "127.0.42.254");
        assert_eq!(vips[155].1, "127.0.42.1");
        assert_eq!(vips[253].1, "127.0.42.99");
        assert!(
            load("full.yaml", &hosts("127.0.42.0/24", 255))
                .plan
                .is_none()
        );
    }

    #[test]
    fn a_small_block_is_used_from_its_beginning_and_the_machines_own_addresses_never() {
        assert_eq!(vips(&hosts("127.0.42.64/30", 1))[0].1, "127.0.42.64");
        assert_eq!(vips(&hosts("127.0.0.0/28", 1))[0].1, "127.0.0.2");
        assert_eq!(vips(&hosts("127.0.0.0/8", 1))[0].1, "127.0.0.100");
    }

    #[test]
    fn a_new_host_at_the_end_moves_nobody() {
        let before = vips("hosts: {a: {}, b: {vip: 127.0.42.101}, c: {}}");
        let after = vips("hosts: {a: {}, b: {vip: 127.0.42.101}, c: {}, d: {}}");
        assert_eq!(before, after[..3]);
        assert_eq!(after[2].1, "127.0.42.102");
    }

    #[test]
    fn a_host_replaces_the_fields_of_the_template_one_by_one_and_adds_to_its_ports() {
        let text = "
            hostTemplate: {ports: ['1:a:1'], http: {listen: '127.0.0.1:1'}, loopback: {disable: true}}
            hosts: {a: {}, b: {ports: ['2:b:2'], http: {}, loopback: {}}}";
        let loaded = load("test.yaml", text);
        let plan = loaded.plan.unwrap();
        let ports = |host: usize| {
            let forwards = plan.hosts[host].forwards.iter();
            forwards
                .map(|forward| forward.listen_port.get())
                .collect::<Vec<_>>()
        };
        assert_eq!((ports(0), ports(1)), (vec![1], vec![1, 2]));
        assert!(plan.hosts[0].http.is_some() && plan.hosts[1].http.is_none());
        assert!(!plan.hosts[0].loopback && plan.hosts[1].loopback);
    }

    #[test]
    fn the_host_on_this_machine_is_for_its_own_user_unless_it_says_otherwise() {
        use crate::plan::Allow::{Any, SameUser};
        let allowed = |text: &str| {
            let loaded = load("test.yaml", text);
            let plan = loaded.plan.as_ref();
            let host = &plan
                .unwrap_or_else(|| panic!("{}", loaded.report(false)))
                .hosts[0];
            let http = host.http.as_ref().map(|http| http.allow);
            let wrong = loaded
                .problems
                .iter()
                .filter(|it| it.severity > Severity::Note);
            (host.allow, http, wrong.count())
        };
        let here = if cfg!(target_os = "linux") {
            SameUser
        } else {
            Any
        };
        let http = "http: {listen: '127.0.0.1:1'}";
        let a = |settings: &str| allowed(&format!("hosts: {{a: {{{settings}}}}}"));
        assert_eq!(a(http), (here, Some(here), 0));
        assert_eq!(
            a(&format!("cmd: x, {http}, loopback: {{disable: true}}")),
            (Any, Some(Any), 0)
        );
        assert_eq!(
            a(&format!("loopback: {{allow: any}}, {http}")),
            (Any, Some(here), 0)
        );
        assert_eq!(
            a("http: {listen: '127.0.0.1:1', allow: any}"),
            (here, Some(Any), 0)
        );
        assert_eq!(
            a("cmd: x, http: {listen: '127.0.0.1:1', allow: same-user}"),
            (Any, Some(SameUser), 0)
        );
        // With a file of users, the file decides who may connect, and `allow` has no effect.
        let with_users = "http: {listen: '127.0.0.1:1', credentials: f, allow: same-user}";
        assert_eq!(a(with_users), (here, Some(Any), 1));
        let from_template = "
            hostTemplate: {loopback: {allow: any}, http: {listen: '127.0.0.1:1', allow: any}}
            hosts: {a: {}}";
        assert_eq!(allowed(from_template), (Any, Some(Any), 0));
    }

    #[test]
    fn another_word_than_these_two_is_an_error() {
        for text in [
            "hosts: {a: {loopback: {allow: sameuser}}}",
            "hosts: {a: {http: {listen: '127.0.0.1:1', allow: [any]}}}",
        ] {
            let loaded = load("test.yaml", text);
            assert!(loaded.plan.is_none());
            let report = loaded.report(false);
            assert!(report.contains("\"same-user\" or \"any\""), "{report}");
        }
    }

    #[test]
    fn one_mistake_is_one_problem() {
        let text = "hosts: {a: {vip: 10.0.0.1}}\nroutes: [{via: a, to: ['*']}]";
        assert_eq!(load("test.yaml", text).problems.len(), 1);
        let text = "hosts: [a]\nroutes: [{via: a, to: ['*']}]";
        assert_eq!(load("test.yaml", text).problems.len(), 1);
    }
}
