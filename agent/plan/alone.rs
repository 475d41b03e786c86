//! Reduces a plan to one host that reaches, serves and writes nothing. Such a plan shows whether the host's command
//! leads to an agent.

use std::collections::BTreeSet;

use super::{
    commands::{is_openssh, talkative},
    grants::grants,
    network::{HostPlan, Plan, Start},
};
use crate::{addr::Vip, route::Routes, route::policy::Policy, view::Grant};

impl Plan {
    /// A plan with only this host, and without anything that the host does in the network; `None` if this plan does not
    /// have the host.
    pub fn alone(&self, vip: Vip) -> Option<Self> {
        // Each field is named. A developer who adds a field therefore has to decide about it here.
        let HostPlan {
            name,
            aliases: _,
            vip,
            start,
            forwards: _,
            loopback: _,
            allow,
            http: _,
            socks: _,
            dns: _,
            relay: _,
            state_dir: _,
            write_etc_hosts: _,
        } = self.host(vip)?.clone();
        let host = HostPlan {
            name,
            aliases: Vec::new(),
            vip,
            start,
            forwards: Vec::new(),
            loopback: false,
            allow,
            http: None,
            socks: None,
            dns: None,
            relay: None,
            state_dir: None,
            write_etc_hosts: false,
        };
        Some(Self {
            hosts: vec![host],
            routes: Routes::default(),
            policy: Policy::default(),
        })
    }
}

/// The grants of a plan that a trial of one host needs: the commands that lead to the host, and the agent that may be
/// put there.
pub fn trial_grants(plan: &Plan, host: &HostPlan) -> BTreeSet<Grant> {
    let is_needed = |grant: &Grant| match grant {
        Grant::Command { host: of, .. }
        | Grant::Lookup { host: of, .. }
        | Grant::Install { host: of, .. } => *of == host.name.as_str(),
        Grant::Publish { .. }
        | Grant::Resolver { .. }
        | Grant::Proxy { .. }
        | Grant::Credentials { .. }
        | Grant::HostsFile { .. }
        | Grant::StateDir { .. }
        | Grant::Name { .. }
        | Grant::OtherUsers { .. }
        | Grant::Reach { .. }
        | Grant::Route { .. } => false,
    };
    grants(plan).into_iter().filter(is_needed).collect()
}

impl Start {
    /// The same start with a command that reports each step of its connection, if its program can do that.
    #[must_use]
    pub fn talkative(self) -> Self {
        match self {
            Self::Command(words) => Self::Command(talkative(words)),
            Self::Shell(words) => Self::Shell(talkative(words)),
            Self::InProcess | Self::Chosen(_) => self,
        }
    }

    /// Whether the command reports each step of its connection after [`Start::talkative`].
    pub fn is_talkative(&self) -> bool {
        match self {
            Self::Command(words) | Self::Shell(words) => is_openssh(words),
            Self::InProcess | Self::Chosen(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::load;

    const TEXT: &str = "\
hostTemplate: {http: {listen: '127.0.0.1:18080'}, writeEtcHosts: true}
hosts:
  here: {}
  web: {cmd: ssh web -- norouter, aliases: [www], ports: ['80:127.0.0.1:80']}
  db: {ssh: db}
routes: [{via: web, to: [10.0.0.0/8]}]
policy: {default: deny}
";

    #[test]
    fn a_host_alone_does_nothing_but_start() {
        let plan = load("n.yaml", TEXT).plan.unwrap();
        let web = &plan.hosts[1];
        let alone = plan.alone(web.vip).unwrap();
        assert_eq!((&alone.hosts[0].start, alone.hosts.len()), (&web.start, 1));
        let kinds = grants(&alone);
        let kinds = kinds.iter().filter(|it| !matches!(it, Grant::Reach { .. }));
        let kinds: BTreeSet<_> = kinds.cloned().collect();
        assert_eq!(kinds, trial_grants(&plan, web), "it grants no more");
        assert!(trial_grants(&plan, web).is_subset(&grants(&plan)));
        assert_eq!(plan.alone("127.9.9.9".parse().unwrap()), None);
    }

    #[test]
    fn only_ssh_is_asked_to_say_more() {
        let plan = load("n.yaml", TEXT).plan.unwrap();
        let said = |index: usize| plan.hosts[index].start.clone().talkative();
        let words = |start: Start| start.words().unwrap()[..3].join(" ");
        assert_eq!(words(said(1)), "ssh -v web");
        assert_eq!(words(said(2)).split_once(" -").unwrap().0, "ssh");
        assert!(said(2).words().unwrap().contains(&"-v".to_owned()));
        assert_eq!(said(0), Start::InProcess);
        let other = Start::Command(vec!["podman".to_owned(), "exec".to_owned()]);
        assert_eq!(other.clone().talkative(), other);
    }
}
