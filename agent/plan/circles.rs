//! Finds published ports that lead back into the network: in a circle, or through a name of the network.

use std::collections::BTreeMap;

use super::{
    network::{Forward, HostPlan, Plan, Protocol, TargetHost},
    words,
};
use crate::{
    addr::{HostName, Vip},
    manifest::{self, Manifest, Problem, Problems, Span},
    text::quote,
};

/// The maximum number of ports of a circle that its problem names.
const NAMED_MAX: usize = 8;

/// Adds a problem for each circle of published ports: a connection to such a port would come back to the port. Also
/// adds a problem for each published port whose target is a name of the network, if the host writes these names into
/// its hosts file.
pub(super) fn find(manifest: &Manifest, plan: &Plan, problems: &mut Problems) {
    let ports = Ports::new(plan);
    // A circle is reported once, at the first of its ports.
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    for start in 0..ports.all.len() {
        let mut way = Vec::new();
        let mut next = Some(start);
        while let Some(at) = next.filter(|at| !seen.contains_key(at)) {
            seen.insert(at, start);
            way.push(at);
            next = ports.after(at);
        }
        let Some(back) = next.filter(|at| seen.get(at) == Some(&start)) else {
            continue;
        };
        let circle: Vec<usize> = way.into_iter().skip_while(|at| *at != back).collect();
        let (host, forward) = ports.all[back];
        let mut named: Vec<String> = circle
            .iter()
            .take(NAMED_MAX)
            .map(|at| ports.called(*at))
            .collect();
        named.push(if circle.len() > NAMED_MAX {
            "...".to_owned()
        } else {
            ports.called(back)
        });
        let message = format!(
            "port {} of {} leads back to itself: {}",
            forward.listen_port,
            host.name,
            named.join(", then ")
        );
        let hint = format!(
            "write the address at which the service listens on {}, like \"{}:127.0.0.1:{}\"",
            host.name, forward.listen_port, forward.target.port
        );
        problems.push(Problem::error(place(manifest, plan, host, forward), message).hint(hint));
    }
    names(manifest, plan, problems);
}

/// Warns about published ports whose target is a name of the network, on hosts whose agent writes these names into the
/// hosts file.
fn names(manifest: &Manifest, plan: &Plan, problems: &mut Problems) {
    let known = plan.names();
    let writing = plan.hosts.iter().filter(|host| host.write_etc_hosts);
    for (host, forward) in writing.flat_map(|host| host.forwards.iter().map(move |it| (host, it))) {
        let TargetHost::Name(name) = &forward.target.host else {
            continue;
        };
        let Some(vip) = name
            .parse::<HostName>()
            .ok()
            .and_then(|name| known.get(&name))
        else {
            continue;
        };
        problems.push_remark(|| {
            let message = format!(
                "{} is a name of this network, and writeEtcHosts gives it the address {vip} on {}: its agent connects only if a \
                 DNS server there knows another address",
                quote(name),
                host.name
            );
            Problem::warning(place(manifest, plan, host, forward), message).hint(
                "write the address of the service, or another name of it; or leave out writeEtcHosts, or the alias",
            )
        });
    }
}

/// All published TCP ports. `numbers` has the index of each port in `all`, by the port's address.
struct Ports<'p> {
    all: Vec<(&'p HostPlan, &'p Forward)>,
    numbers: BTreeMap<(Vip, u16), usize>,
}

impl<'p> Ports<'p> {
    fn new(plan: &'p Plan) -> Self {
        let hosts = plan.hosts.iter();
        let all: Vec<_> = hosts
            .flat_map(|host| host.forwards.iter().map(move |forward| (host, forward)))
            .filter(|(_, forward)| forward.protocol == Protocol::Tcp)
            .collect();
        let numbers = all.iter().enumerate();
        let numbers = numbers
            .map(|(number, (host, forward))| ((host.vip, forward.listen_port.get()), number));
        Self {
            numbers: numbers.collect(),
            all,
        }
    }

    /// The published port to which the port `number` leads: its target is an address on which the agent itself listens.
    /// `None` if the target is anything else.
    fn after(&self, number: usize) -> Option<usize> {
        let (host, forward) = self.all[number];
        let TargetHost::Ip(std::net::IpAddr::V4(address)) = forward.target.host else {
            return None;
        };
        let vip = Vip::new(address).ok().filter(|_| host.loopback)?;
        self.numbers.get(&(vip, forward.target.port.get())).copied()
    }

    fn called(&self, number: usize) -> String {
        let (host, forward) = self.all[number];
        format!("{}:{}", host.name, forward.listen_port)
    }
}

/// The place where a port is written, in the host or in the template.
fn place(manifest: &Manifest, plan: &Plan, host: &HostPlan, forward: &Forward) -> Span {
    let mut hosts = manifest.hosts.iter().zip(&plan.hosts);
    let Some((written, _)) = hosts.find(|(_, planned)| planned.vip == host.vip) else {
        return Span::default();
    };
    let settings: [&manifest::Settings; 2] = [&written.settings, &manifest.template];
    let mut ports = settings.iter().flat_map(|from| &from.ports);
    let same = |port: &&manifest::Spanned<String>| {
        words::forward(&port.value).is_ok_and(|it| it == *forward)
    };
    ports.find(same).map_or(written.name.span, |port| port.span)
}

#[cfg(test)]
mod tests {
    use crate::plan::load;

    const HOSTS: &str = "vip: 127.0.42.101, cmd: 'ssh a norouter'";

    /// Whether a manifest can be run, and its report.
    fn loaded(hosts: &str) -> (bool, String) {
        let text = format!("hosts:\n  laptop: {{}}\n{hosts}");
        let loaded = load("test.yaml", &text);
        (loaded.plan.is_some(), loaded.report(false))
    }

    #[test]
    fn a_port_that_leads_back_to_itself_is_an_error() {
        let (runs, report) = loaded(&format!(
            "  a: {{{HOSTS}, ports: ['80:127.0.42.101:80']}}\n"
        ));
        assert!(
            !runs && report.contains("leads back to itself: a:80, then a:80"),
            "{report}"
        );
        assert!(report.contains("like \"80:127.0.0.1:80\""), "{report}");
        let b = "  b: {vip: 127.0.42.102, cmd: 'ssh b norouter', ports: ['81:127.0.42.101:80']}\n";
        let (runs, report) = loaded(&format!(
            "  a: {{{HOSTS}, ports: ['80:127.0.42.102:81']}}\n{b}"
        ));
        assert!(!runs, "{report}");
        assert_eq!(report.matches("leads back").count(), 1, "{report}");
    }

    #[test]
    fn a_port_that_leads_to_another_one_or_to_a_service_on_the_vip_is_not() {
        for ports in [
            "['80:127.0.42.101:81', '81:127.0.0.1:80']",
            "['80:127.0.42.101:8080']",
            "['80:127.0.42.100:80']",
        ] {
            let (runs, report) = loaded(&format!("  a: {{{HOSTS}, ports: {ports}}}\n"));
            assert!(runs && report.is_empty(), "{report}");
        }
        let alone = format!(
            "  a: {{{HOSTS}, ports: ['80:127.0.42.101:80'], loopback: {{disable: true}}}}\n"
        );
        assert!(loaded(&alone).0);
    }

    #[test]
    fn a_name_of_the_network_is_a_doubtful_target_where_the_hosts_file_is_written() {
        let host =
            |more: &str| format!("  a: {{{HOSTS}, aliases: [db], ports: ['80:db:80']{more}}}\n");
        let (runs, report) = loaded(&host(", writeEtcHosts: true"));
        assert!(
            runs && report.contains("\"db\" is a name of this network"),
            "{report}"
        );
        assert_eq!(loaded(&host("")), (true, String::new()));
    }

    #[test]
    fn a_circle_of_any_length_is_found_once() {
        let hosts = (1..=200).map(|number| {
            let next = number % 200 + 1;
            format!("  h{number}: {{vip: 127.0.43.{number}, cmd: 'ssh a norouter', ports: ['80:127.0.43.{next}:80']}}\n")
        });
        let (runs, report) = loaded(&hosts.collect::<String>());
        assert!(!runs);
        assert_eq!(report.matches("leads back").count(), 1, "{report}");
    }
}
