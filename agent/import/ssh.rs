//! Candidates from the configuration of ssh. `ssh -G` says what ssh would do for a host, and connects to nothing.

use std::collections::BTreeMap;

use super::candidate::{Candidate, Reached, Source, limited};
use crate::text::quote;

/// The user of `ssh` at services like GitHub, which give nobody a shell.
const GIT: &str = "git";

/// The longest name, in bytes.
const NAME_MAX: usize = 253;

/// Settings of ssh, each with the values that do an agent no harm, and the option that undoes other values. The option
/// is written only for hosts that need it, because an older ssh refuses to start if it does not know an option.
const UNDONE: [(&str, &[&str], &str); 4] = [
    ("remotecommand", &["none"], "RemoteCommand=none"),
    ("stdinnull", &["no"], "StdinNull=no"),
    ("sessiontype", &["default"], "SessionType=default"),
    (
        "forkafterauthentication",
        &["no"],
        "ForkAfterAuthentication=no",
    ),
];

/// A host that ssh knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshHost {
    /// The name that is given to `ssh`.
    pub name: String,
    /// The address to which `ssh` connects; `None` if the file has none.
    pub address: Option<String>,
}

/// The hosts in the configuration of ssh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshConfig {
    /// The hosts, in their order.
    pub hosts: Vec<SshHost>,
    /// Patterns that stand for hosts which the files do not list, such as `coder.*`.
    pub patterns: Vec<String>,
    /// Whether ssh runs commands to evaluate conditions in the files, whichever host it is asked about.
    pub runs_commands: bool,
}

/// The answer of `ssh -G` about a host: the first value of each setting, or the reason why ssh refuses the host.
pub type Answer = Result<BTreeMap<String, String>, String>;

/// The candidates for all hosts of a configuration. `answers` has what ssh said about the hosts that it was asked
/// about.
pub fn candidates(config: &SshConfig, answers: &BTreeMap<String, Answer>) -> Vec<Candidate> {
    let candidates = config.hosts.iter();
    let mut candidates: Vec<_> = candidates
        .filter_map(|host| candidate_of(host, answers.get(&host.name)))
        .collect();
    mark_same(&mut candidates, answers);
    let patterns = config.patterns.iter().map(|pattern| {
        let reason = format!(
            "hosts of this pattern are not listed: write the name of one into the manifest, as in ssh: {}",
            pattern.replace(['*', '?'], "NAME")
        );
        Candidate::unusable(Source::Ssh, pattern, &reason)
    });
    candidates.extend(patterns);
    limited(candidates, Source::Ssh)
}

/// The candidate for a destination that a person has named. `answer` is what ssh said about it.
pub fn destination(name: &str, answer: &Answer) -> Result<Candidate, String> {
    let host = SshHost {
        name: name.to_owned(),
        address: None,
    };
    let wrong = || format!("{} cannot be a destination of ssh", quote(name));
    candidate_of(&host, Some(answer)).ok_or_else(wrong)
}

/// The first value of each setting in the output of `ssh -G`.
pub fn settings(text: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once(' ') {
            settings
                .entry(key.to_owned())
                .or_insert_with(|| value.trim().to_owned());
        }
    }
    settings
}

/// Whether a name of the configuration fits into one line, and can be given to `ssh` without being taken for an option.
pub fn is_usable(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "-_.@:/+%*?[]".contains(c);
    !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with('-') && name.chars().all(fits)
}

/// The candidate for one host; `None` if its name cannot be given to ssh.
fn candidate_of(host: &SshHost, answer: Option<&Answer>) -> Option<Candidate> {
    if !is_usable(&host.name) {
        return None;
    }
    let nothing = BTreeMap::new();
    let says = match answer {
        Some(Err(reason)) => {
            let reason = format!("ssh refuses its configuration: {reason}");
            return Some(Candidate::unusable(Source::Ssh, &host.name, &reason));
        }
        Some(Ok(says)) => says,
        None => &nothing,
    };
    if says.get("user").is_some_and(|user| user == GIT) {
        let reason = "its user is git: such a service gives nobody a shell";
        return Some(Candidate::unusable(Source::Ssh, &host.name, reason));
    }
    let undone = UNDONE.iter().filter(|(key, harmless, _)| {
        says.get(*key)
            .is_some_and(|value| !harmless.contains(&value.as_str()))
    });
    let options = undone.flat_map(|(_, _, word)| ["-o", word]);
    let words = options.chain([host.name.as_str()]).map(str::to_owned);
    let words: Vec<String> = words.collect();
    let value = match words.as_slice() {
        [name] => Reached::Text(name.clone()),
        _ => Reached::Words(words),
    };
    let address = says.get("hostname").or(host.address.as_ref());
    let detail = address.map_or(host.name.as_str(), String::as_str);
    Some(Candidate::new(Source::Ssh, &host.name, &value, detail))
}

/// Notes in the detail of a candidate that it leads to the same machine as an earlier one.
fn mark_same(candidates: &mut [Candidate], answers: &BTreeMap<String, Answer>) {
    let mut first: BTreeMap<[Option<&String>; 3], String> = BTreeMap::new();
    for candidate in candidates
        .iter_mut()
        .filter(|candidate| candidate.unusable.is_none())
    {
        let Some(Ok(says)) = answers.get(&candidate.name) else {
            continue;
        };
        let place = ["hostname", "user", "port"].map(|key| says.get(key));
        match first.get(&place) {
            Some(other) => {
                candidate.detail = format!("{}, the same machine as {other}", candidate.detail);
            }
            None => {
                first.insert(place, candidate.name.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> SshHost {
        SshHost {
            name: name.to_owned(),
            address: Some("of-the-file".to_owned()),
        }
    }

    fn offered(name: &str, answer: &str) -> Candidate {
        candidate_of(&host(name), Some(&Ok(settings(answer)))).unwrap()
    }

    #[test]
    fn the_line_undoes_settings_with_which_no_agent_can_run() {
        let plain = offered(
            "web1",
            "hostname 10.0.0.1\nuser me\nstdinnull no\nsessiontype default\nforkafterauthentication no\n",
        );
        assert_eq!(plain.line, "ssh: web1");
        assert_eq!(plain.detail, "10.0.0.1");
        let odd = offered(
            "box",
            "hostname box\nremotecommand tmux new\nstdinnull yes\nsessiontype none\nforkafterauthentication yes\n",
        );
        let undone = "\"RemoteCommand=none\", \"-o\", \"StdinNull=no\", \"-o\", \"SessionType=default\", \"-o\", \"ForkAfterAuthentication=no\"";
        assert_eq!(odd.line, format!("ssh: [\"-o\", {undone}, box]"));
        assert_eq!(
            candidate_of(&host("x"), None).unwrap().detail,
            "of-the-file"
        );
    }

    #[test]
    fn an_address_with_a_zone_is_given_to_ssh_as_it_stands_in_the_file() {
        let candidate = offered("fe80::1%eth0", "hostname fe80::1%eth0\n");
        assert_eq!(candidate.unusable, None);
        assert_eq!(candidate.line, "ssh: \"fe80::1%eth0\"");
        assert_eq!(candidate.detail, "fe80::1%eth0");
    }

    #[test]
    fn a_host_without_a_shell_or_that_ssh_refuses_cannot_be_chosen() {
        let git = offered("github.com", "user git\nhostname github.com\n");
        assert!(git.unusable.unwrap().contains("git"));
        let refused = Err("line 3: Bad configuration option: usekeychain".to_owned());
        let refused = candidate_of(&host("mac"), Some(&refused)).unwrap();
        assert!(refused.unusable.unwrap().contains("usekeychain"));
        assert_eq!(candidate_of(&host("-oProxyCommand=x"), None), None);
        let nothing = Ok(BTreeMap::new());
        assert_eq!(destination("me@x", &nothing).unwrap().line, "ssh: me@x");
        assert!(destination("-oProxyCommand=x", &nothing).is_err());
    }

    #[test]
    fn a_pattern_is_shown_with_what_to_write() {
        let config = SshConfig {
            patterns: vec!["coder.*".to_owned()],
            runs_commands: true,
            hosts: vec![host("web1")],
        };
        let candidates = candidates(&config, &BTreeMap::new());
        let reason = candidates[1].unusable.as_deref().unwrap();
        assert!(reason.ends_with("ssh: coder.NAME"), "{reason}");
    }

    #[test]
    fn a_second_name_of_a_machine_is_marked_as_one() {
        let answer = "hostname 10.0.0.1\nuser me\nport 22\n";
        let mut candidates = vec![
            offered("web1", answer),
            offered("10.0.0.1", answer),
            offered("db", "hostname db\n"),
        ];
        let answers = ["web1", "10.0.0.1"].map(|name| (name.to_owned(), Ok(settings(answer))));
        mark_same(&mut candidates, &answers.into());
        let details: Vec<_> = candidates
            .iter()
            .map(|candidate| candidate.detail.as_str())
            .collect();
        assert_eq!(
            details,
            ["10.0.0.1", "10.0.0.1, the same machine as web1", "db"]
        );
    }
}
