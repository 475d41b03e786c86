//! The differences between two plans: what has to happen to a running network.

use std::fmt;

use super::{
    grants::new_grants,
    network::{HostPlan, Plan},
};
use crate::addr::{HostName, Vip};

/// One difference between two plans. A host is identified by its VIP: a host that gets another name is still the same
/// host, but a host that gets another VIP counts as one host removed and another host added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The host.
    pub host: HostName,
    /// The address of the host.
    pub vip: Vip,
    /// The kind of the change.
    pub kind: Kind,
}

/// What happens to a host.
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
        let what = match self.kind {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Restarted => "restarted with its new command",
            Kind::Reconfigured => "changed",
            Kind::Held => "its new command waits for your approval",
        };
        write!(f, "{} ({}): {what}", self.host, self.vip)
    }
}

/// The differences between two plans. Those about hosts of the old plan come first. A host is not listed if only other
/// hosts have changed.
pub fn diff(old: &Plan, new: &Plan) -> Vec<Change> {
    let change = |host: &HostPlan, kind| Change {
        host: host.name.clone(),
        vip: host.vip,
        kind,
    };
    let mut changes = Vec::new();
    for before in &old.hosts {
        changes.extend(match new.host(before.vip) {
            None => Some(change(before, Kind::Removed)),
            Some(after) if after.start != before.start => Some(change(after, Kind::Restarted)),
            Some(after) if after != before => Some(change(after, Kind::Reconfigured)),
            Some(_) => None,
        });
    }
    let added = new.hosts.iter().filter(|host| old.host(host.vip).is_none());
    changes.extend(added.map(|host| change(host, Kind::Added)));
    changes
}

/// Whether `new` lacks a host of `old`, or something that `old` grants.
pub fn loses(old: &Plan, new: &Plan) -> bool {
    old.hosts.iter().any(|host| new.host(host.vip).is_none()) || !new_grants(new, old).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

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
                "a (127.0.42.1): changed",
                "b (127.0.42.2): restarted with its new command",
                "c (127.0.42.3): removed",
                "d (127.0.42.4): added",
            ]
        );
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
