//! The person's consent. A manifest contains commands that are run, so it has no effect before the person has seen
//! everything that it grants.

use std::collections::{BTreeMap, BTreeSet};

use norouter::{
    driver::manager::doubts,
    plan::{Plan, grants},
    view::Grant,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::view::{CommandChange, Consent, ConsentGrant, ConsentHost};

/// The agreements, by the path of the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreements(BTreeMap<String, Agreement>);

/// The agreement for one file. It contains all grants, not only their digest, so that the next question can show the
/// differences. An agreement that was stored by an older version does not have all grants, so the person is asked
/// again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Agreement {
    #[serde(default)]
    grants: BTreeSet<Grant>,
}

impl Agreements {
    /// Whether the person has agreed to everything that the plan grants, for this file.
    pub(crate) fn cover(&self, path: &str, plan: &Plan) -> bool {
        let agreed = self.0.get(path);
        agreed.is_some_and(|agreed| grants(plan).is_subset(&agreed.grants))
    }

    /// Whether the person has agreed to all of these grants, for this file.
    pub(crate) fn cover_grants(&self, path: &str, needed: &BTreeSet<Grant>) -> bool {
        let agreed = self.0.get(path);
        agreed.is_some_and(|agreed| needed.is_subset(&agreed.grants))
    }

    /// The command of a host that the person has agreed to, for this file.
    pub(crate) fn command(&self, path: &str, of: &str) -> Option<Vec<String>> {
        self.agreed(path).find_map(|grant| {
            let Grant::Command { host, command } = grant else {
                return None;
            };
            (host == of).then(|| command.clone())
        })
    }

    /// The question to the person before a plan takes effect. `running` is true if the plan would replace a running
    /// one.
    pub(crate) fn question(&self, path: &str, plan: &Plan, running: bool) -> Consent {
        let doubts = doubts::doubts(plan).into_iter();
        Consent {
            path: path.to_owned(),
            digest: digest(plan),
            running,
            hosts: self.compare(path, plan),
            grants: self.compare_grants(path, plan),
            doubts: doubts
                .map(|doubt| format!("{}: {}", doubt.host, doubt.text))
                .collect(),
        }
    }

    fn agreed(&self, path: &str) -> impl Iterator<Item = &Grant> {
        self.0.get(path).into_iter().flat_map(|it| &it.grants)
    }

    fn compare_grants(&self, path: &str, plan: &Plan) -> Vec<ConsentGrant> {
        let agreed: BTreeSet<_> = self.agreed(path).collect();
        let all = grants(plan);
        let others = all
            .iter()
            .filter(|grant| !matches!(grant, Grant::Command { .. }));
        others
            .map(|grant| ConsentGrant {
                is_new: !agreed.contains(grant),
                text: grant.to_string(),
            })
            .collect()
    }

    /// Every command of a plan, each with the command that the person has agreed to before.
    fn compare(&self, path: &str, plan: &Plan) -> Vec<ConsentHost> {
        let before: BTreeMap<_, _> = self
            .agreed(path)
            .filter_map(|grant| match grant {
                Grant::Command { host, command } => Some((host, command)),
                Grant::Lookup { .. }
                | Grant::Install { .. }
                | Grant::Publish { .. }
                | Grant::Resolver { .. }
                | Grant::Proxy { .. }
                | Grant::Credentials { .. }
                | Grant::HostsFile { .. }
                | Grant::StateDir { .. }
                | Grant::Name { .. }
                | Grant::OtherUsers { .. }
                | Grant::Reach { .. }
                | Grant::Route { .. } => None,
            })
            .collect();
        // An agreement stores commands without their secrets, so the commands are compared in that form.
        let hosts = plan.hosts.iter().filter(|it| it.start.words().is_some());
        hosts
            .map(|it| {
                let (host, vip) = (it.name.to_string(), it.vip.to_string());
                let previous = before.get(&host).map(|&command| command.clone());
                beside(host, vip, &it.start.shown(), previous)
            })
            .collect()
    }

    /// Records that the person has agreed to the grants of this plan. This replaces the earlier agreement.
    pub(crate) fn agree(&mut self, path: &str, plan: &Plan) {
        let grants = grants(plan);
        self.0.insert(path.to_owned(), Agreement { grants });
    }
}

/// Describes a host's command and how it differs from the previous one.
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

/// The SHA-256 digest of everything that a plan grants. It does not include the contents of files that the plan's
/// commands name.
pub(crate) fn digest(plan: &Plan) -> String {
    // The grants contain only texts, which JSON can always express. Different grants give different JSON.
    hash(&serde_json::to_vec(&grants(plan)).unwrap_or_default())
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
        let question = agreements.question("/n.yaml", &changed, false);
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
    fn what_grants_no_more_needs_no_new_consent() {
        let alone = plan("hosts: {a: {dns: {disable: true}}}");
        let mut agreements = Agreements::default();
        assert!(!agreements.cover("/n.yaml", &alone), "it was never seen");
        agreements.agree("/n.yaml", &alone);
        let moved = "hosts: {a: {dns: {disable: true}, vip: 127.0.42.9, aliases: [here]}}";
        assert!(agreements.cover("/n.yaml", &plan(moved)));
        let port = plan("hosts: {a: {dns: {disable: true}, ports: ['80:127.0.0.1:80']}}");
        assert!(
            !agreements.cover("/n.yaml", &port),
            "a service of this machine is more than a command elsewhere"
        );
    }

    #[test]
    fn everything_that_is_granted_anew_is_asked_for() {
        let plain = "hosts: {a: {cmd: ssh a norouter}}";
        let more = |field: &str| format!("hosts: {{a: {{cmd: ssh a norouter, {field}}}}}");
        let mut agreements = Agreements::default();
        agreements.agree("/n.yaml", &plan(plain));
        for (text, new) in [
            (
                more("http: {listen: '0.0.0.0:8080', allowRemote: true, credentials: /users}"),
                2,
            ),
            (more("http: {listen: '127.0.0.1:8080'}"), 1),
            (more("writeEtcHosts: true"), 1),
            (more("ports: ['80:127.0.0.1:80']"), 1),
            (more("aliases: [www.example.com]"), 1),
            (more("stateDir: {pathOnAgent: ~/work}"), 1),
            (
                format!("{plain}\nroutes: [{{via: a, to: [10.0.0.0/8, '*.internal']}}]"),
                2,
            ),
        ] {
            let other = plan(&text);
            assert_ne!(digest(&other), digest(&plan(plain)));
            assert!(!agreements.cover("/n.yaml", &other), "{text}");
            let question = agreements.question("/n.yaml", &other, true);
            let fresh = question.grants.iter().filter(|it| it.is_new).count();
            // The question also shows what has not changed: the policy (who may reach what), and the agent that is put on
            // the host if its command finds none.
            assert_eq!((question.grants.len(), fresh), (new + 2, new), "{text}");
            let mut agreements = agreements.clone();
            agreements.agree("/n.yaml", &other);
            assert!(agreements.cover("/n.yaml", &other));
            assert!(agreements.cover("/n.yaml", &plan(plain)), "less is no news");
        }
    }

    #[test]
    fn a_weaker_policy_and_other_users_of_this_machine_are_asked_for() {
        let text = |policy: &str, loopback: &str| {
            format!(
                "hosts: {{a: {{dns: {{disable: true}}, loopback: {{allow: {loopback}}}}}, b: {{cmd: ssh b norouter, ports: ['80:127.0.0.1:80']}}}}\npolicy: {{default: deny, rules: [{policy}]}}\n"
            )
        };
        let narrow = "{from: a, to: b, ports: [80], action: allow}";
        let wide = "{from: '*', to: '*', action: allow}";
        let mut agreements = Agreements::default();
        agreements.agree("/n.yaml", &plan(&text(narrow, "same-user")));
        for (policy, loopback, told) in [
            (wide, "same-user", "no host may reach anything, but for: "),
            (narrow, "any", "every user of this machine can connect to "),
        ] {
            let other = plan(&text(policy, loopback));
            assert!(!agreements.cover("/n.yaml", &other), "{told}");
            let question = agreements.question("/n.yaml", &other, true);
            let fresh: Vec<_> = question.grants.iter().filter(|it| it.is_new).collect();
            assert!(
                fresh.len() == 1 && fresh[0].text.starts_with(told),
                "{fresh:?}"
            );
        }
    }

    #[test]
    fn what_an_older_version_has_kept_is_asked_for_again() {
        let kept = r#"{"/n.yaml": {"commands": {"a": ["ssh"]}, "deeds": [{"kind": "hostsFile", "host": "a"}]}}"#;
        let agreements: Agreements = serde_json::from_str(kept).unwrap();
        assert!(!agreements.cover("/n.yaml", &plan("hosts: {a: {cmd: ssh}}")));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_others_can_change_is_told_of() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = crate::testing::Folder::new("doubt");
        let script = folder.file("run.sh", "");
        let question = |mode| {
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(mode)).unwrap();
            let text = format!("hosts: {{a: {{cmd: [sh, {}]}}}}", script.display());
            Agreements::default().question("/n.yaml", &plan(&text), false)
        };
        assert!(question(0o755).doubts.is_empty());
        let doubts = question(0o757).doubts;
        assert_eq!(doubts.len(), 1);
        assert!(
            doubts[0].starts_with("a: ") && doubts[0].contains("run.sh"),
            "{doubts:?}"
        );
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
