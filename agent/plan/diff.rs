//! The differences between two plans: what has to happen to a running network.

use std::fmt;

use super::network::{HostPlan, Plan};
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
}
