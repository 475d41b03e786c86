//! The differences between two plans: what has to happen to a running network.

use std::fmt;

use super::{
    grants::new_grants,
    network::{Forward, HostPlan, Plan, ProxyPlan},
};
use crate::addr::{HostName, Vip};

/// One difference between two plans. A host is identified by its VIP. If it gets another name, it is still the same
/// host. If it gets another VIP, this counts as one host removed and another host added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The host.
    pub host: HostName,
    /// The address of the host.
    pub vip: Vip,
    /// The kind of the change.
    pub kind: Kind,
    /// The changes, in words that follow the host's name in a sentence. Empty unless the kind is
    /// [`Kind::Reconfigured`].
    pub details: Vec<String>,
}

/// The kind of a change: what happens to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The host is new.
    Added,
    /// The host is removed.
    Removed,
    /// The host's command has changed, so its agent is ended and started again.
    Restarted,
    /// The host's agent gets another configuration.
    Reconfigured,
    /// The host's command has changed and waits for approval; the host keeps running as before.
    Held,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): ", self.host, self.vip)?;
        let what = match self.kind {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Restarted => "restarted with its new command",
            Kind::Reconfigured => return f.write_str(&self.details.join(", ")),
            Kind::Held => "its new command waits for your approval",
        };
        f.write_str(what)
    }
}

/// The differences between two plans. Differences of hosts of the old plan come first. A host is listed only if it has
/// changed itself.
pub fn diff(old: &Plan, new: &Plan) -> Vec<Change> {
    let change = |host: &HostPlan, kind| Change {
        host: host.name.clone(),
        vip: host.vip,
        kind,
        details: Vec::new(),
    };
    let mut changes = Vec::new();
    for before in &old.hosts {
        changes.extend(match new.host(before.vip) {
            None => Some(change(before, Kind::Removed)),
            Some(after) if after.start != before.start => Some(change(after, Kind::Restarted)),
            Some(after) if after != before => Some(Change {
                details: details(before, after),
                ..change(after, Kind::Reconfigured)
            }),
            Some(_) => None,
        });
    }
    let added = new.hosts.iter().filter(|host| old.host(host.vip).is_none());
    changes.extend(added.map(|host| change(host, Kind::Added)));
    changes
}

/// The changes of a host that keeps its command, in words that follow the host's name in a sentence.
fn details(before: &HostPlan, after: &HostPlan) -> Vec<String> {
    let mut told = Vec::new();
    if before.name != after.name {
        told.push(format!("was called {} before", before.name));
    }
    for alias in &after.aliases {
        if !before.aliases.contains(alias) {
            told.push(format!("has the alias {alias} now"));
        }
    }
    for alias in &before.aliases {
        if !after.aliases.contains(alias) {
            told.push(format!("has lost the alias {alias}"));
        }
    }
    let same_port = |one: &Forward, other: &Forward| {
        (one.listen_port, one.protocol) == (other.listen_port, other.protocol)
    };
    for forward in &after.forwards {
        let (port, target) = (forward.listen_port, &forward.target);
        let mut old = before.forwards.iter();
        match old.find(|old| same_port(old, forward)) {
            None => told.push(format!("publishes {port} now, which leads to {target}")),
            Some(old) if old.target != *target => {
                told.push(format!("its port {port} leads to {target} now"));
            }
            Some(_) => {}
        }
    }
    for forward in &before.forwards {
        if !after.forwards.iter().any(|new| same_port(new, forward)) {
            told.push(format!("does not publish {} any more", forward.listen_port));
        }
    }
    told.extend(proxy(
        "an HTTP proxy",
        before.http.as_ref(),
        after.http.as_ref(),
    ));
    told.extend(proxy(
        "a SOCKS proxy",
        before.socks.as_ref(),
        after.socks.as_ref(),
    ));
    if before.dns != after.dns {
        told.push(match after.dns {
            Some(port) => format!("has its DNS server at port {port} now"),
            None => "has no DNS server any more".to_owned(),
        });
    }
    if before.relay != after.relay {
        told.push(match after.relay {
            Some(_) => "connects for others now, as a gateway".to_owned(),
            None => "does not connect for others any more".to_owned(),
        });
    }
    let settings = [
        (
            "loopback",
            (before.loopback, before.allow) != (after.loopback, after.allow),
        ),
        ("stateDir", before.state_dir != after.state_dir),
        (
            "writeEtcHosts",
            before.write_etc_hosts != after.write_etc_hosts,
        ),
    ];
    let settings = settings.into_iter().filter(|(_, is_other)| *is_other);
    told.extend(settings.map(|(name, _)| format!("has another {name}")));
    told
}

/// The change of a proxy, in words; `None` if nothing has changed.
fn proxy(what: &str, before: Option<&ProxyPlan>, after: Option<&ProxyPlan>) -> Option<String> {
    match (before, after) {
        (before, after) if before == after => None,
        (_, None) => Some(format!("has lost {what}")),
        (Some(before), Some(after)) if before.listen == after.listen => {
            Some(format!("has {what} for other users now"))
        }
        (_, Some(after)) => Some(format!("has {what} at {} now", after.listen)),
    }
}

/// Whether `new` lacks a host of `old`, or something that `old` grants.
pub fn loses(old: &Plan, new: &Plan) -> bool {
    old.hosts.iter().any(|host| new.host(host.vip).is_none()) || !new_grants(new, old).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{addr::Port, plan::network::Allow};

    fn plan(text: &str) -> Plan {
        crate::plan::load("test.yaml", text).plan.unwrap()
    }

    fn told(old: &str, new: &str) -> Vec<String> {
        diff(&plan(old), &plan(new))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    const OLD: &str = "
hosts:
  a: {vip: 127.0.42.1, ports: ['80:127.0.0.1:80']}
  b: {vip: 127.0.42.2, cmd: ssh b norouter}
  c: {vip: 127.0.42.3, cmd: ssh c norouter}
";

    #[test]
    fn a_plan_does_not_differ_from_itself() {
        assert!(told(OLD, OLD).is_empty());
    }

    #[test]
    fn each_host_is_told_of_once() {
        let new = "
hosts:
  a: {vip: 127.0.42.1, ports: ['80:127.0.0.1:81']}
  b: {vip: 127.0.42.2, cmd: ssh other norouter, aliases: [bee]}
  d: {vip: 127.0.42.4, cmd: ssh d norouter}
";
        assert_eq!(
            told(OLD, new),
            [
                "a (127.0.42.1): its port 80 leads to 127.0.0.1:81 now",
                "b (127.0.42.2): restarted with its new command",
                "c (127.0.42.3): removed",
                "d (127.0.42.4): added",
            ]
        );
    }

    #[test]
    fn a_host_that_has_changed_is_told_of_with_what_has() {
        let host = |rest: &str| {
            format!("hosts:\n  a: {{vip: 127.0.42.1{rest}}}\n  b: {{cmd: ssh b norouter}}\n")
        };
        for (old, new, what) in [
            (
                "",
                ", ports: ['80:127.0.0.1:8000']",
                "publishes 80 now, which leads to 127.0.0.1:8000",
            ),
            (
                ", ports: ['80:127.0.0.1:80', '81:127.0.0.1:81']",
                ", ports: ['80:127.0.0.1:80']",
                "does not publish 81 any more",
            ),
            (
                ", aliases: [x, y]",
                ", aliases: [x, z]",
                "has the alias z now, has lost the alias y",
            ),
            (
                "",
                ", http: {listen: '127.0.0.1:18080'}",
                "has an HTTP proxy at 127.0.0.1:18080 now",
            ),
            (
                ", socks: {listen: '127.0.0.1:18081'}",
                "",
                "has lost a SOCKS proxy",
            ),
            (
                "",
                ", loopback: {disable: true}, writeEtcHosts: true",
                "has another loopback, has another writeEtcHosts",
            ),
        ] {
            let told = told(&host(old), &host(new));
            assert_eq!(told, [format!("a (127.0.42.1): {what}")]);
        }
    }

    /// The pattern lists every field of a host, so that this test does not compile after a field was added to
    /// [`HostPlan`]. The new field then has to be added to the pattern, and a change of the field to `changes`.
    #[test]
    fn no_change_of_a_host_is_without_words() {
        let whole = plan(OLD).hosts.remove(0);
        let HostPlan {
            name: _,
            aliases: _,
            vip: _,
            start: _,
            forwards: _,
            loopback: _,
            allow: _,
            http: _,
            socks: _,
            dns: _,
            relay: _,
            state_dir: _,
            write_etc_hosts: _,
        } = &whole;
        let proxy = ProxyPlan {
            listen: "127.0.0.1:1".parse().unwrap(),
            credentials: None,
            allow: Allow::Any,
        };
        let changes: [fn(&mut HostPlan, ProxyPlan); 11] = [
            |host, _| host.name = plan(OLD).hosts.remove(1).name,
            |host, _| host.aliases.push(plan(OLD).hosts.remove(1).name),
            |host, _| host.forwards.clear(),
            |host, _| host.loopback = !host.loopback,
            |host, _| {
                host.allow = match host.allow {
                    Allow::Any => Allow::SameUser,
                    Allow::SameUser => Allow::Any,
                }
            },
            |host, proxy| host.http = Some(proxy),
            |host, proxy| host.socks = Some(proxy),
            |host, _| host.dns = None,
            |host, _| host.relay = Port::new(54),
            |host, _| host.state_dir = Some("/x".to_owned()),
            |host, _| host.write_etc_hosts = !host.write_etc_hosts,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other, proxy.clone());
            assert_eq!(details(&whole, &other).len(), 1, "change {number}");
        }
    }

    #[test]
    fn every_part_of_a_manifest_loses_something_that_the_whole_has() {
        let whole = "
hosts:
  a: {vip: 127.0.42.1, cmd: ssh a norouter}
  b:
    vip: 127.0.42.2
    cmd: ssh b norouter
    ports:
      - '80:127.0.0.1:80'
      - '81:127.0.0.1:81'
policy:
  rules:
    - {from: a, to: b, action: allow}
    - {from: b, to: a, action: deny}
";
        let (all, mut parts) = (plan(whole), 0);
        assert!(!loses(&all, &all));
        for (cut, _) in whole.match_indices('\n') {
            let part = &whole[..=cut];
            if part.len() < whole.len()
                && let Some(part_plan) = crate::plan::load("test.yaml", part).plan
            {
                parts += 1;
                assert!(loses(&all, &part_plan), "{part}");
                assert!(
                    !loses(&part_plan, &all) || part_plan.policy != all.policy,
                    "{part}"
                );
            }
        }
        assert!(parts >= 4, "only {parts} parts are good manifests");
    }
}
