//! `norouter help TOPIC`: texts beside the help of the commands, for people who have only the program.

use std::ffi::OsString;

use super::error::Exit;

/// The document about the manifest.
const MANIFEST: &str = include_str!("../../docs/MANIFEST.md");

/// The part of the help that lists the topics.
pub(super) const TOPICS: &str = "\
Texts:
  norouter help manifest    every field of the manifest
  norouter help FIELD       one of them, such as ports, routes, policy or network
  norouter help prompts     what to do when the command of a host asks something
  norouter help exit-codes  what the exit code of a command means";

/// The topics that are not fields of a manifest, and the fields that people ask for most.
pub(super) const SUGGESTED: &[&str] = &[
    "manifest",
    "prompts",
    "exit-codes",
    "hosts",
    "vip",
    "cmd",
    "ports",
    "http",
    "socks",
    "loopback",
    "stateDir",
    "aliases",
    "routes",
    "policy",
    "network",
];

/// The text that the arguments of the process ask for. `None` if they do not ask for a text of this file. `commands`
/// are the names of all commands, and `command_help` returns the help of one of them.
pub(super) fn asked(
    mut arguments: impl Iterator<Item = OsString>,
    commands: &[String],
    command_help: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    if arguments.next()? != "help" {
        return None;
    }
    let topic = arguments.next()?.into_string().ok()?;
    if arguments.next().is_some() {
        return None;
    }
    match topic.as_str() {
        "manifest" => Some(MANIFEST.to_owned()),
        "exit-codes" => Some(format!("{}\n", Exit::table())),
        "prompts" => command_help("answer"),
        command if commands.iter().any(|it| it == command) => None,
        field => section(field),
    }
}

/// The section of the document about a field. It reaches from the headline of the field to the next headline of the
/// same or a higher level.
fn section(field: &str) -> Option<String> {
    let level = |line: &str| {
        let rest = line.trim_start_matches('#');
        let level = line.len() - rest.len();
        (level > 0 && rest.starts_with(' ')).then_some(level)
    };
    let is_about = |line: &&str| {
        let mut names = line.split('`').skip(1).step_by(2);
        level(line).is_some() && names.any(|name| name == field)
    };
    let mut lines = MANIFEST.lines().skip_while(|line| !is_about(line));
    let headline = lines.next()?;
    let mut text = format!("{headline}\n");
    let mut is_code = false;
    for line in lines {
        // A comment in an example begins with `#`, too, but is not a headline.
        is_code ^= line.starts_with("```");
        if !is_code && level(line).is_some_and(|it| Some(it) <= level(headline)) {
            break;
        }
        text += line;
        text.push('\n');
    }
    Some(format!("{}\n", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &[&str]) -> Option<String> {
        let commands = ["hosts", "answer"].map(str::to_owned);
        let words = words.iter().map(OsString::from);
        asked(words, &commands, |name| Some(format!("help of {name}")))
    }

    #[test]
    fn a_topic_is_a_document_or_a_part_of_it() {
        assert_eq!(ask(&["help", "manifest"]).as_deref(), Some(MANIFEST));
        assert!(ask(&["help", "exit-codes"]).unwrap().contains("\n  130  "));
        assert_eq!(ask(&["help", "prompts"]).as_deref(), Some("help of answer"));
        let ports = ask(&["help", "ports"]).unwrap();
        assert!(ports.starts_with("### `ports`\n"), "{ports}");
        assert!(!ports.contains("`aliases`\n"), "{ports}");
        let network = ask(&["help", "network"]).unwrap();
        assert!(network.starts_with("## `network`\n"), "{network}");
        let socks = ask(&["help", "socks"]).unwrap();
        assert!(socks.starts_with("### `http`, `socks`\n"), "{socks}");
    }

    #[test]
    fn what_is_not_a_topic_is_left_to_the_commands() {
        for words in [
            &["help"][..],
            &["help", "hosts"],
            &["help", "nothing"],
            &["help", "manifest", "more"],
            &["manifest"],
            &[],
        ] {
            assert_eq!(ask(words), None, "{words:?}");
        }
    }
}
