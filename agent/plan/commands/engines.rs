//! Container engines and Kubernetes. They start a program in a container, with its words unchanged.

use super::{
    advice::{Code, Inner, Level, Mistake, mistake},
    options::{self, Part, Spec, parse},
};

/// The options of `docker exec`, `podman exec` and `docker compose exec`. The words after the name of the container are
/// not judged.
const EXEC: Spec = Spec {
    letters: "euw",
    long: &[
        "env",
        "env-file",
        "user",
        "workdir",
        "detach-keys",
        "preserve-fds",
        "index",
    ],
    words: 1,
    options_follow: false,
};

/// The options of `kubectl` and `kubectl exec`, which may stand everywhere before `--`.
const KUBECTL: Spec = Spec {
    letters: "cfnsv",
    long: &[
        "container",
        "filename",
        "namespace",
        "server",
        "context",
        "kubeconfig",
        "cluster",
        "user",
        "token",
        "as",
        "as-group",
        "pod-running-timeout",
        "request-timeout",
        "certificate-authority",
        "client-certificate",
        "client-key",
        "tls-server-name",
        "cache-dir",
    ],
    words: 2,
    options_follow: true,
};

/// Judges the words of a container engine; `None` if they neither enter nor start a container.
pub(super) fn container(words: &[String]) -> Option<Level> {
    let program = words.first()?;
    let verb = words
        .iter()
        .position(|word| word == "exec" || word == "run")?;
    let is_compose = program.ends_with("compose") || words[..verb].iter().any(|it| it == "compose");
    let (before, after) = words.split_at(verb + 1);
    let called = before.last().map_or("exec", String::as_str);
    let (mut parts, rest) = match called {
        "exec" => parse(after, EXEC),
        // There are too many options of `run` to know them all, and an image may have its own command. Therefore only
        // the flags are judged.
        _ => (flags(after), Vec::new()),
    };
    let mut mistakes = Vec::new();
    let has = |parts: &[Part], letter, name| options::has(parts, letter, name);
    if has(&parts, 'd', "detach") {
        let text =
            format!("\"{called} -d\" runs in the background, so the agent gets no standard input");
        mistakes.push(mistake(Code::Background, text));
        options::remove(&mut parts, 'd', "detach");
    }
    // Without a switch, Compose already asks for a terminal and for standard input.
    let terminal = has(&parts, 't', "tty") || (is_compose && !has(&parts, 'T', "no-tty"));
    if terminal {
        let remedy = if is_compose { "without -T" } else { "with -t" };
        mistakes.push(mistake(
            Code::Terminal,
            format!("\"{called}\" {remedy} puts a terminal between the manager and the agent, which changes the bytes"),
        ));
        options::remove(&mut parts, 't', "tty");
        if is_compose && !has(&parts, 'T', "no-tty") {
            parts.insert(0, Part::Flags("T".to_owned()));
        }
    }
    if !is_compose && !has(&parts, 'i', "interactive") {
        options::remove(&mut parts, 'i', "interactive");
        mistakes.push(no_input(called));
        parts.insert(0, Part::Flags("i".to_owned()));
    }
    let inner = if called == "run" || !options::names(&parts, 1) {
        Inner::Unknown
    } else if rest.is_empty() {
        Inner::Missing
    } else {
        Inner::Words(rest)
    };
    let own = before.iter().cloned();
    Some(Level {
        own: own.chain(options::words(&parts)).collect(),
        inner,
        mistakes,
    })
}

/// Splits the words of `run` into parts. Only the flags that matter here become parts of their own. All other words
/// stay as they are.
fn flags(words: &[String]) -> Vec<Part> {
    let mut before_command = true;
    let part = |word: &String| {
        before_command &= word.rsplit('/').next() != Some("norouter");
        match word.strip_prefix('-') {
            Some(letters) if before_command && letters.chars().all(|c| "itdP".contains(c)) => {
                Part::Flags(letters.to_owned())
            }
            _ => match word.strip_prefix("--") {
                Some(name @ ("interactive" | "tty" | "detach")) if before_command => {
                    Part::Long(name.to_owned(), None)
                }
                _ => Part::Word(word.clone()),
            },
        }
    };
    words.iter().map(part).collect()
}

/// Judges the words of `kubectl` or `oc`; `None` if they do not enter a pod. `has_config` means that the variable
/// `KUBECONFIG` is set for the program.
pub(super) fn kubectl(words: &[String], has_config: bool) -> Option<Level> {
    let after = words.get(1..)?;
    let separated = after.iter().position(|word| word == "--");
    let (mut parts, rest) = match separated {
        Some(at) => {
            let spec = Spec {
                words: usize::MAX,
                ..KUBECTL
            };
            let (parts, _) = parse(&after[..at], spec);
            (parts, after[at + 1..].to_vec())
        }
        None => parse(after, KUBECTL),
    };
    let verb = parts.iter().find_map(|part| match part {
        Part::Word(word) => Some(word.as_str()),
        Part::Flags(_) | Part::Valued(..) | Part::Long(..) | Part::End => None,
    });
    if verb != Some("exec") {
        return None;
    }
    let mut mistakes = Vec::new();
    let has = |parts: &[Part], letter, name| options::has(parts, letter, name);
    if has(&parts, 't', "tty") {
        let text = "\"exec\" with -t puts a terminal between the manager and the agent, which changes the bytes";
        mistakes.push(mistake(Code::Terminal, text));
        options::remove(&mut parts, 't', "tty");
    }
    if !has(&parts, 'i', "stdin") {
        options::remove(&mut parts, 'i', "stdin");
        mistakes.push(no_input("exec"));
        let place = parts
            .iter()
            .position(|part| *part == Part::Word("exec".to_owned()));
        parts.insert(place.map_or(0, |at| at + 1), Part::Flags("i".to_owned()));
    }
    if separated.is_none() {
        mistakes.push(mistake(
            Code::NoSeparator,
            "without \"--\" kubectl takes \"--automated\", which is appended to cmd, for an option of its own",
        ));
    }
    let has_cluster = has_config
        || ["context", "kubeconfig", "cluster"]
            .iter()
            .any(|name| options::has_value(&parts, '\0', name))
        || options::has_value(&parts, 's', "server");
    if !has_cluster {
        mistakes.push(mistake(
            Code::CurrentContext,
            "without --context this goes to the cluster that was chosen last in any terminal",
        ));
        parts.insert(
            0,
            Part::Long("context".to_owned(), Some("CONTEXT".to_owned())),
        );
    }
    parts.push(Part::End);
    let inner = if !options::names(&parts, 2) && rest.is_empty() {
        Inner::Unknown
    } else if rest.is_empty() {
        Inner::Missing
    } else {
        Inner::Words(rest)
    };
    let own = words.iter().take(1).cloned();
    Some(Level {
        own: own.chain(options::words(&parts)).collect(),
        inner,
        mistakes,
    })
}

/// The words of `lxc` or `incus`, which need no correction; `None` if they do not run a program behind a `--`.
pub(super) fn instance(words: &[String]) -> Option<Level> {
    let place = words.iter().position(|word| word == "--")? + 1;
    let (own, inner) = words.split_at(place);
    let is_exec = own.get(1).is_some_and(|verb| verb == "exec");
    (is_exec && !inner.is_empty()).then(|| Level {
        own: own.to_vec(),
        inner: Inner::Words(inner.to_vec()),
        mistakes: Vec::new(),
    })
}

fn no_input(verb: &str) -> Mistake {
    let text = format!("\"{verb}\" without -i gives the agent no standard input");
    mistake(Code::NoInput, text)
}
