//! A candidate: something that could become a host, with the line of a manifest that says how its shell is reached.

use std::collections::BTreeMap;

use crate::{
    addr::HostName,
    text::{escape_line, quote},
    view::FieldValue,
};

/// Limit on the number of candidates of one source.
pub const CANDIDATES_MAX: usize = 1_000;

/// Limit on the length of an offered name, in bytes.
const NAME_MAX: usize = 253;

/// The longest name that is proposed for a host.
const HOST_MAX: usize = 40;

/// A source of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The configuration of ssh.
    Ssh,
    /// The running containers of docker.
    Docker,
    /// The running containers of podman.
    Podman,
    /// The running pods of Kubernetes.
    Kubernetes,
    /// The running instances of LXD.
    Lxc,
    /// The running instances of Incus.
    Incus,
    /// The distributions of the Windows subsystem for Linux.
    Wsl,
}

impl Source {
    /// All sources, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Ssh,
        Self::Docker,
        Self::Podman,
        Self::Kubernetes,
        Self::Lxc,
        Self::Incus,
        Self::Wsl,
    ];

    /// The word for the source. For all sources but Incus, it is also the key in a manifest.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Kubernetes => "kubernetes",
            Self::Lxc => "lxc",
            Self::Incus => "incus",
            Self::Wsl => "wsl",
        }
    }

    /// The source with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.word() == word)
    }
}

/// Something that could become a host. All of its texts are safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The source in which the candidate was found.
    pub source: Source,
    /// The name of the candidate in its source.
    pub name: String,
    /// The name that is proposed for the host. Other candidates may have the same.
    pub host: String,
    /// The line of the host in a manifest: `ssh: web1`.
    pub line: String,
    /// The same as fields of a host. The name of a field inside a map has a dot: `kubernetes.pod`.
    pub fields: BTreeMap<String, FieldValue>,
    /// More about the candidate, for people.
    pub detail: String,
    /// The ports on which the candidate is known to have servers.
    pub ports: Vec<u16>,
    /// The reason why the candidate cannot be chosen; `None` if it can be chosen.
    pub unusable: Option<String>,
}

impl Candidate {
    /// A candidate with a name that was checked, and the value of its key in a manifest.
    pub(super) fn new(source: Source, name: &str, value: &Reached, detail: &str) -> Self {
        let key = if source == Source::Incus {
            "shell"
        } else {
            source.word()
        };
        Self {
            source,
            name: safe(name),
            host: host_name(name),
            line: format!("{key}: {}", value.yaml()),
            fields: value.fields(key),
            detail: safe(detail),
            ports: Vec::new(),
            unusable: None,
        }
    }

    /// A candidate that cannot be chosen, with the reason.
    pub(super) fn unusable(source: Source, name: &str, reason: &str) -> Self {
        Self {
            line: String::new(),
            fields: BTreeMap::new(),
            unusable: Some(safe(reason)),
            ..Self::new(source, name, &Reached::Text(String::new()), "")
        }
    }

    /// The candidate for a container, instance or distribution that a person has named.
    pub fn named(source: Source, name: &str) -> Result<Self, String> {
        let word = source.word();
        let wrong = || format!("{} cannot be a name in {word}", quote(name));
        let name = plain(name).ok_or_else(wrong)?;
        Ok(Self::new(source, name, &value(source, name), ""))
    }

    /// The text with which a person chooses the candidate: `ssh:web1`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.source.word(), self.name)
    }
}

/// The value of the key that says how the shell of a host is reached.
pub(super) enum Reached {
    Text(String),
    Words(Vec<String>),
    Parts(Vec<(&'static str, String)>),
}

impl Reached {
    fn yaml(&self) -> String {
        match self {
            Self::Text(text) => scalar(text),
            Self::Words(words) => {
                let words: Vec<_> = words.iter().map(|word| scalar(word)).collect();
                format!("[{}]", words.join(", "))
            }
            Self::Parts(parts) => {
                let parts = parts.iter();
                let parts: Vec<_> = parts
                    .map(|(key, it)| format!("{key}: {}", scalar(it)))
                    .collect();
                format!("{{{}}}", parts.join(", "))
            }
        }
    }

    fn fields(&self, key: &str) -> BTreeMap<String, FieldValue> {
        let one = |value| BTreeMap::from([(key.to_owned(), value)]);
        match self {
            Self::Text(text) => one(FieldValue::Text(text.clone())),
            Self::Words(words) => one(FieldValue::Texts(words.clone())),
            Self::Parts(parts) => {
                let parts = parts.iter();
                let parts =
                    parts.map(|(part, it)| (format!("{key}.{part}"), FieldValue::Text(it.clone())));
                parts.collect()
            }
        }
    }
}

/// The value for the key of a source. The name must have been checked.
pub(super) fn value(source: Source, name: &str) -> Reached {
    if source == Source::Incus {
        let words = ["incus", "exec", name, "--"];
        return Reached::Words(words.map(str::to_owned).to_vec());
    }
    Reached::Text(name.to_owned())
}

/// A text as YAML, without quotes if no reader of YAML can misread it.
pub(super) fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    // Two dashes mean nothing in YAML, only three of them.
    if text == "--" || begins && !is_word && text.chars().all(fits) {
        return text.to_owned();
    }
    // A JSON string is also a YAML string with the same value.
    serde_json::Value::from(text).to_string()
}

/// Makes one line from outside safe to show.
pub(super) fn safe(line: &str) -> String {
    escape_line(line.trim().as_bytes())
}

/// The name, if no program can mistake it for an option or for anything else; otherwise `None`.
pub(super) fn plain(name: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@:/".contains(c);
    let good = !name.is_empty() && name.len() <= NAME_MAX && !name.starts_with('-');
    (good && name.chars().all(fits)).then_some(name)
}

/// A valid name for a host, made from a name that is known elsewhere: without the user of an ssh destination, and
/// without the kind of a pod.
fn host_name(from: &str) -> String {
    let from = from.rsplit(['@', '/']).next().unwrap_or(from);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let plain: String = from
        .to_ascii_lowercase()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let plain = plain.trim_matches('-');
    let plain = plain.get(..plain.len().min(HOST_MAX)).unwrap_or_default();
    let plain = plain.trim_matches('-');
    let good = plain.parse::<HostName>().is_ok() && plain != "localhost";
    if good { plain } else { "host" }.to_owned()
}

/// Keeps as many candidates as may be shown. If some are left out, adds an entry that says how many.
pub(super) fn limited(mut candidates: Vec<Candidate>, source: Source) -> Vec<Candidate> {
    let more = candidates.len().saturating_sub(CANDIDATES_MAX);
    if more > 0 {
        candidates.truncate(CANDIDATES_MAX);
        let reason = format!("{more} more are not listed: write them into the manifest by hand");
        candidates.push(Candidate::unusable(source, "...", &reason));
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_omitted_candidates_is_shown() {
        let all = vec![Candidate::named(Source::Docker, "a").unwrap(); CANDIDATES_MAX + 20];
        let limited = limited(all, Source::Docker);
        assert_eq!(limited.len(), CANDIDATES_MAX + 1);
        let last = limited
            .last()
            .and_then(|candidate| candidate.unusable.as_deref());
        assert!(last.is_some_and(|reason| reason.starts_with("20 more are not listed")));
    }

    #[test]
    fn a_name_that_would_be_an_option_is_not_plain() {
        assert_eq!(plain("deploy/api"), Some("deploy/api"));
        for name in ["-v", "", "a b", "a\u{1b}b", "a$b"] {
            assert_eq!(plain(name), None, "{name:?}");
        }
        let error = Candidate::named(Source::Podman, "-v").unwrap_err();
        assert_eq!(error, "\"-v\" cannot be a name in podman");
    }

    #[test]
    fn a_text_has_quotes_where_yaml_would_read_it_in_another_way() {
        for text in ["web1", "me@web1.example.com", "prod/web1"] {
            assert_eq!(scalar(text), text);
        }
        for text in ["10.0.0.1", "no", "Null", "a:b", "fe80::1%eth0", "x #y", ""] {
            assert_eq!(scalar(text), format!("\"{text}\""));
        }
        let incus = Candidate::named(Source::Incus, "c1").unwrap();
        assert_eq!(incus.line, "shell: [incus, exec, c1, --]");
    }

    #[test]
    fn a_host_has_the_name_of_its_machine() {
        for (from, name) in [
            ("web_1", "web-1"),
            ("me@Web.example.com", "web-example-com"),
            ("deployment/api", "api"),
            ("10.0.0.1", "10-0-0-1"),
            ("0", "host"),
            ("localhost", "host"),
            ("m\u{fc}nchen", "m-nchen"),
        ] {
            assert_eq!(host_name(from), name, "{from}");
        }
    }
}
