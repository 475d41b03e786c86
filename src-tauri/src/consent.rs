//! Which commands the person has agreed to. A manifest is a program: nothing of it runs before its commands were seen.

use std::collections::BTreeMap;

use norouter::plan::{Plan, Start};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::view::{CommandChange, Consent, ConsentHost};

/// What was agreed to, by file and by the name of the host. The words themselves are kept, and not only their digest, so that
/// the next question can show what is different.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreements(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Agreements {
    /// Whether everything that a plan would run was agreed to for this very file.
    pub(crate) fn cover(&self, path: &str, plan: &Plan) -> bool {
        let compared = self.compare(path, plan);
        compared
            .iter()
            .all(|host| host.change == CommandChange::Same)
    }

    /// What the person is shown before a plan may run.
    pub(crate) fn question(&self, path: &str, plan: &Plan) -> Consent {
        Consent {
            path: path.to_owned(),
            digest: digest(plan),
            hosts: self.compare(path, plan),
        }
    }

    /// Every command of a plan beside what was agreed to.
    pub(crate) fn compare(&self, path: &str, plan: &Plan) -> Vec<ConsentHost> {
        let agreed = self.0.get(path);
        commands(plan)
            .map(|(host, vip, command)| {
                let previous = agreed.and_then(|agreed| agreed.get(&host).cloned());
                beside(host, vip, command, previous)
            })
            .collect()
    }

    /// Remembers that the commands of a plan may run.
    pub(crate) fn agree(&mut self, path: &str, plan: &Plan) {
        let commands = commands(plan).map(|(host, _, command)| (host, command.to_vec()));
        self.0.insert(path.to_owned(), commands.collect());
    }

    /// Remembers that the command of one host may run.
    pub(crate) fn agree_to_one(&mut self, path: &str, host: &str, command: Vec<String>) {
        let agreed = self.0.entry(path.to_owned()).or_default();
        agreed.insert(host.to_owned(), command);
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

/// The commands of a plan in one word: SHA-256 of what would run, word by word, with where it would be.
pub(crate) fn digest(plan: &Plan) -> String {
    let all: Vec<_> = commands(plan).collect();
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
    fn the_digest_tells_words_apart() {
        let one = plan("hosts: {a: {cmd: [sh, -c, 'x y']}}");
        let two = plan("hosts: {a: {cmd: [sh, -c, x, y]}}");
        assert_ne!(digest(&one), digest(&two));
        assert_eq!(digest(&one), digest(&one));
        assert_eq!(hash(b"abc").len(), 64);
    }
}
