//! Guesses what a person meant by arguments that the parser rejects.

use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::{Error, Exit};
use crate::text::{Synonyms, meant, meant_or_synonym, quote};

/// Words that people write in place of a command, each with a hint about the right command.
const NO_COMMANDS: &[(&str, &str)] = &[
    (
        "ssh",
        "use ssh as the cmd of the host does; or through the network, if HOST publishes a port for it (ports: \
         [\"2222:127.0.0.1:22\"]): ssh -p 2222 -o ProxyCommand='norouter connect %h:%p' HOST",
    ),
    (
        "curl",
        "for programs that use the network's proxy, write: norouter exec -- curl URL",
    ),
    ("version", "write: norouter --version"),
    (
        "edit",
        "to edit a manifest and then run it, write: norouter -e norouter.yaml",
    ),
    ("man", "write: norouter help, or norouter help manifest"),
];

/// Words that people and other programs use for the commands.
const SYNONYMS: &Synonyms = &[
    (&["ps", "list", "networks"], &["ls", "status"]),
    (&["ls"], &["status"]),
    (&["st", "stat", "state", "show", "info"], &["status"]),
    (&["ip", "address", "lookup", "dns"], &["addr"]),
    (&["proxy"], &["env"]),
    (&["new", "create", "setup"], &["init"]),
    (&["example"], &["show-example"]),
    (&["scan", "discover"], &["import"]),
    (
        &[
            "kill", "quit", "exit", "end", "shutdown", "halt", "delete", "rm",
        ],
        &["down"],
    ),
    (&["run", "serve", "begin"], &["up"]),
    (&["install", "installer"], &["show-installer"]),
    (&["validate", "lint", "verify", "doctor"], &["check"]),
    (&["explain", "ping", "trace", "diagnose", "debug"], &["why"]),
    (&["log", "journal"], &["logs"]),
    (&["connections", "netstat", "ss"], &["flows"]),
    (&["monitor", "htop"], &["top"]),
    (&["watch"], &["top", "events"]),
    (&["apply", "refresh", "update"], &["reload"]),
    (&["allow", "accept"], &["approve"]),
    (&["completion"], &["completions"]),
    (&["daemon", "systemd"], &["service"]),
];

/// Commands that take no name, but after which people write one, each with a hint about the right command.
const NO_NAMES: &[(&str, &str)] = &[
    (
        "down",
        "it ends a whole network; for one host, write: norouter stop NAME; for one of several networks: norouter down --network NAME",
    ),
    (
        "status",
        "for one host, write: norouter why NAME; for one of several networks: norouter status --network NAME",
    ),
    (
        "top",
        "for one of several networks, write: norouter top --network NAME",
    ),
    (
        "reload",
        "for one of several networks, write: norouter reload --network NAME",
    ),
];

/// The arguments of the process.
pub(super) fn arguments() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}

/// The error to show instead of clap's, if it is known what a person means by these arguments. `commands` are the names
/// of all commands, and `topics` are the topics of `norouter help`.
pub(super) fn explained(
    error: &clap::Error,
    arguments: &[String],
    commands: &[String],
    topics: &[&str],
) -> Option<Error> {
    let usage = |message: String| Error::new(Exit::Usage, message);
    let refused = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => "",
    };
    let is_command = |word: &&String| commands.contains(*word);
    if let (ErrorKind::InvalidSubcommand, [help, topic]) = (error.kind(), arguments)
        && help == "help"
    {
        let known = commands
            .iter()
            .map(String::as_str)
            .chain(topics.iter().copied());
        let error = usage(format!("{} is not a topic of the help", quote(topic)));
        return Some(match meant(topic, known) {
            Some(known) => error.hint(format!("did you mean {known}?")),
            None => error.hint("\"norouter --help\" lists the commands and the texts"),
        });
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let command = arguments.iter().find(is_command);
    let first = arguments.iter().find(|it| !it.starts_with('-'))?;
    if let (Some(command), [option, next, ..]) = (command, arguments)
        && refused == "--network"
        && option.starts_with(refused)
    {
        let option = if option.contains('=') {
            option.clone()
        } else {
            format!("{option} {next}")
        };
        return Some(
            usage(format!("{refused} stands before the command"))
                .hint(format!("write: norouter {command} {option}")),
        );
    }
    if let Some(option) = arguments.iter().find(|it| is_long_with_one_dash(it))
        && refused
            .strip_prefix('-')
            .is_some_and(|letter| letter.len() == 1 && option.contains(letter))
    {
        return Some(
            usage(format!("{option} is several options of one letter each"))
                .hint(format!("did you mean -{option}?")),
        );
    }
    if command == Some(first) {
        let (_, advice) = NO_NAMES.iter().find(|(command, _)| command == first)?;
        if refused.starts_with('-') {
            return None;
        }
        return Some(
            usage(format!(
                "{first} takes no name, but {} was given",
                quote(refused)
            ))
            .hint(advice.replace("NAME", refused)),
        );
    }
    // clap takes the first word for FILE, and rejects the next one.
    if commands.contains(first) || Path::new(first).exists() {
        return None;
    }
    let error = no_command(first, commands)?;
    let is_host = !refused.starts_with('-');
    Some(error.map_hint(|hint| {
        if is_host {
            hint.replace("HOST", refused)
        } else {
            hint
        }
    }))
}

/// The error for a word in the place of a command. `None` if it is not known what the word means.
pub(super) fn no_command(word: &str, commands: &[String]) -> Option<Error> {
    let advice = NO_COMMANDS.iter().find(|(known, _)| *known == word);
    let advice = match advice {
        Some((_, advice)) => (*advice).to_owned(),
        None => format!("did you mean '{}'?", meant_command(word, commands)?),
    };
    let message = format!("there is no command {word}, and no file of that name");
    Some(Error::new(Exit::Usage, message).hint(advice))
}

/// The command that a person probably meant by a word that is not a command.
pub(super) fn meant_command<'a>(word: &str, commands: &'a [String]) -> Option<&'a str> {
    meant_or_synonym(word, commands.iter().map(String::as_str), SYNONYMS)
}

/// Whether an argument looks like a long option with only one dash.
fn is_long_with_one_dash(argument: &str) -> bool {
    let name = argument.strip_prefix('-').unwrap_or_default();
    name.len() > 2
        && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{super::Cli, *};

    /// The error message for a line that the parser rejects.
    fn told(line: &str) -> Option<(String, String)> {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let words = std::iter::once("norouter".to_owned()).chain(arguments.clone());
        let refused = Cli::try_parse_from(words).unwrap_err();
        let commands = super::super::commands();
        let error = explained(
            &refused,
            &arguments,
            &commands,
            super::super::help::SUGGESTED,
        )?;
        Some(error.into_texts())
    }

    #[test]
    fn what_is_known_to_be_meant_is_explained() {
        for (line, message, hint) in [
            (
                "ssh web1",
                "there is no command ssh, and no file of that name",
                "ProxyCommand='norouter connect %h:%p'",
            ),
            (
                "statsu --json",
                "there is no command statsu, and no file of that name",
                "did you mean 'status'?",
            ),
            (
                "down web1",
                "down takes no name, but \"web1\" was given",
                "norouter stop web1",
            ),
            (
                "status web1",
                "status takes no name, but \"web1\" was given",
                "norouter why web1",
            ),
            (
                "--network p1 status",
                "--network stands before the command",
                "write: norouter status --network p1",
            ),
            (
                "--network=p1 status",
                "--network",
                "norouter status --network=p1",
            ),
            (
                "up -detach",
                "-detach is several options of one letter each",
                "did you mean --detach?",
            ),
            (
                "edit --name x y",
                "there is no command edit, and no file of that name",
                "norouter -e norouter.yaml",
            ),
            (
                "help portz",
                "\"portz\" is not a topic of the help",
                "did you mean port?",
            ),
            (
                "help qqqqqq",
                "\"qqqqqq\" is not a topic of the help",
                "norouter --help",
            ),
        ] {
            let (said, advice) = told(line).unwrap_or_default();
            assert!(said.starts_with(message), "{line}: {said}");
            assert!(advice.contains(hint), "{line}: {advice}");
        }
    }

    #[test]
    fn other_mistakes_are_left_to_the_parser() {
        for line in [
            "status --nonsense",
            "up a.yaml b.yaml",
            "completions tcsh",
            "why --from",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }
}
