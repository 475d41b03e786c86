//! What the person has agreed to. A manifest is a program: nothing of it runs before its commands were seen, and what else it
//! does to machines: proxies that others can use, hosts files, and routes.

use std::collections::{BTreeMap, BTreeSet};

use norouter::plan::{Plan, Start};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::view::{CommandChange, Consent, ConsentDeed, ConsentHost, Deed};

/// What was agreed to, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreements(BTreeMap<String, Agreement>);

/// What was agreed to for a file. The words themselves are kept, and not only their digest, so that the next question can show
/// what is different.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    /// By the name of the host.
    commands: BTreeMap<String, Vec<String>>,
    deeds: BTreeSet<Deed>,
}

impl Agreements {
    /// Whether everything that a plan would run was agreed to for this very file.
    pub(crate) fn cover(&self, path: &str, plan: &Plan) -> bool {
        let commands = self.compare(path, plan);
        let has_same = commands.iter().all(|it| it.change == CommandChange::Same);
        has_same && self.compare_deeds(path, plan).iter().all(|it| !it.is_new)
    }

    /// What the person is shown before a plan may run.
    pub(crate) fn question(&self, path: &str, plan: &Plan) -> Consent {
        Consent {
            path: path.to_owned(),
            digest: digest(plan),
            hosts: self.compare(path, plan),
            deeds: self.compare_deeds(path, plan),
        }
    }

    fn compare_deeds(&self, path: &str, plan: &Plan) -> Vec<ConsentDeed> {
        let agreed = self.0.get(path);
        let beside = |deed| ConsentDeed {
            is_new: !agreed.is_some_and(|agreed| agreed.deeds.contains(&deed)),
            deed,
        };
        deeds(plan).into_iter().map(beside).collect()
    }

    /// Every command of a plan beside what was agreed to.
    pub(crate) fn compare(&self, path: &str, plan: &Plan) -> Vec<ConsentHost> {
        let agreed = self.0.get(path);
        commands(plan)
            .map(|(host, vip, command)| {
                let previous = agreed.and_then(|agreed| agreed.commands.get(&host).cloned());
                beside(host, vip, command, previous)
            })
            .collect()
    }

    /// Remembers that a plan may run.
    pub(crate) fn agree(&mut self, path: &str, plan: &Plan) {
        let commands = commands(plan).map(|(host, _, command)| (host, command.to_vec()));
        let agreement = Agreement {
            commands: commands.collect(),
            deeds: deeds(plan),
        };
        self.0.insert(path.to_owned(), agreement);
    }

    /// Remembers that the command of one host may run.
    pub(crate) fn agree_to_one(&mut self, path: &str, host: &str, command: Vec<String>) {
        let agreed = self.0.entry(path.to_owned()).or_default();
        agreed.commands.insert(host.to_owned(), command);
    }
}

/// A command beside the one before it.
pub(crate) fn beside(
    host: String,
    vip: String,
    command: &[String],
    previous: Option<Vec<String>>,
) -> ConsentHost {
    let change = match &previous {
        None => CommandChange::New,
        Some(previous) if previous == command => CommandChange::Same,
        Some(_) => CommandChange::Changed,
    };
    ConsentHost {
        host,
        vip,
        command: command.to_vec(),
        previous,
        change,
    }
}

/// The hosts of a plan that have a command, with their names and addresses.
pub(crate) fn commands(plan: &Plan) -> impl Iterator<Item = (String, String, &[String])> {
    plan.hosts.iter().filter_map(|host| match &host.start {
        Start::InProcess => None,
        Start::Command(words) => Some((
            host.name.to_string(),
            host.vip.to_string(),
            words.as_slice(),
        )),
    })
}

/// What a plan does besides running commands. What is listened on at addresses of the loopback, only programs of that machine can
/// use.
fn deeds(plan: &Plan) -> BTreeSet<Deed> {
    let mut deeds = BTreeSet::new();
    for host in &plan.hosts {
        let name = || host.name.to_string();
        let proxies = [&host.http, &host.socks].into_iter().flatten();
        let others_can_use = proxies.filter(|proxy| !proxy.listen.ip().is_loopback());
        deeds.extend(others_can_use.map(|proxy| Deed::Listen {
            host: name(),
            address: proxy.listen.to_string(),
        }));
        deeds.extend(
            host.write_etc_hosts
                .then(|| Deed::HostsFile { host: name() }),
        );
    }
    for route in plan.routes.iter() {
        let hosts = route.via.iter().filter_map(|vip| plan.host(*vip));
        for (host, to) in hosts.flat_map(|host| route.to.iter().map(move |to| (host, to))) {
            deeds.insert(Deed::Route {
                to: to.to_string(),
                via: host.name.to_string(),
            });
        }
    }
    deeds
}

/// A plan in one word: SHA-256 of what would run, word by word, with where it would be, and of what else it does.
pub(crate) fn digest(plan: &Plan) -> String {
    let all = (commands(plan).collect::<Vec<_>>(), deeds(plan));
    // Texts and lists of them have nothing in them that JSON cannot say, and no two of them look the same in it.
    hash(&serde_json::to_vec(&all).unwrap_or_default())
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        norouter::plan::load("test.yaml", text).plan.unwrap()
    }

    #[test]
    fn a_changed_command_and_another_file_are_asked_for_again() {
        let first = plan("hosts: {a: {}, b: {cmd: ssh b norouter}, c: {cmd: ssh c norouter}}");
        let mut agreements = Agreements::default();
        assert!(!agreements.cover("/n.yaml", &first));
        agreements.agree("/n.yaml", &first);
        assert!(agreements.cover("/n.yaml", &first));
        assert!(!agreements.cover("/other.yaml", &first));

        let changed = plan(
            "hosts: {a: {}, b: {cmd: ssh b norouter}, c: {cmd: ssh x norouter}, d: {cmd: ssh d norouter}}",
        );
        assert!(!agreements.cover("/n.yaml", &changed));
        let question = agreements.question("/n.yaml", &changed);
        let words: Vec<_> = question.hosts.iter().map(|host| host.change).collect();
        assert_eq!(
            words,
            [
                CommandChange::Same,
                CommandChange::Changed,
                CommandChange::New
            ]
        );
        let previous = question.hosts[1].previous.as_ref().unwrap();
        assert_eq!(previous[..2], ["ssh", "c"]);
        assert_eq!(question.hosts[1].command.last().unwrap(), "--automated");
    }

    #[test]
    fn a_host_that_is_gone_needs_no_new_consent_and_asks_when_it_comes_back() {
        let both = plan("hosts: {b: {cmd: ssh b norouter}, c: {cmd: ssh c norouter}}");
        let one = plan("hosts: {b: {cmd: ssh b norouter}}");
        let mut agreements = Agreements::default();
        agreements.agree("/n.yaml", &both);
        assert!(agreements.cover("/n.yaml", &one));
        agreements.agree("/n.yaml", &one);
        assert!(!agreements.cover("/n.yaml", &both));
    }

    #[test]
    fn what_is_no_command_needs_no_consent() {
        let agreements = Agreements::default();
        assert!(agreements.cover("/n.yaml", &plan("hosts: {a: {ports: ['80:127.0.0.1:80']}}")));
    }

    #[test]
    fn a_new_listener_a_hosts_file_and_a_route_are_asked_for() {
        let plain = "hosts: {a: {cmd: ssh a norouter}}";
        let open = "hosts: {a: {cmd: ssh a norouter, http: {listen: '0.0.0.0:8080', allowRemote: true, credentials: /users}}}";
        let file = "hosts: {a: {cmd: ssh a norouter, writeEtcHosts: true}}";
        let route =
            "hosts: {a: {cmd: ssh a norouter}}\nroutes: [{via: a, to: [10.0.0.0/8, '*.internal']}]";
        let near = "hosts: {a: {cmd: ssh a norouter, http: {listen: '127.0.0.1:8080'}}}";
        let mut agreements = Agreements::default();
        agreements.agree("/n.yaml", &plan(plain));
        assert!(agreements.cover("/n.yaml", &plan(near)));
        for (text, new) in [(open, 1), (file, 1), (route, 2)] {
            let other = plan(text);
            assert_ne!(digest(&other), digest(&plan(plain)));
            assert!(!agreements.cover("/n.yaml", &other), "{text}");
            let question = agreements.question("/n.yaml", &other);
            let fresh = question.deeds.iter().filter(|it| it.is_new).count();
            assert_eq!((question.deeds.len(), fresh), (new, new));
            let mut agreements = agreements.clone();
            agreements.agree("/n.yaml", &other);
            assert!(agreements.cover("/n.yaml", &other));
            assert!(agreements.cover("/n.yaml", &plan(plain)), "less is no news");
        }
    }

    #[test]
    fn the_digest_tells_words_apart() {
        let one = plan("hosts: {a: {cmd: [sh, -c, 'x y']}}");
        let two = plan("hosts: {a: {cmd: [sh, -c, x, y]}}");
        assert_ne!(digest(&one), digest(&two));
        assert_eq!(digest(&one), digest(&one));
        assert_eq!(hash(b"abc").len(), 64);
    }
}
