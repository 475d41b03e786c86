//! Reads and runs the command `norouter agent`, in the whole program and in the one that has only the agent.

use std::io::{self, IsTerminal as _};

use super::{
    agent::{End, run_on_stdio},
    system::digest,
};
use crate::wire::control::Configure;

/// The arguments of the command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Whether a manager has started the agent, and not a person.
    pub automated: bool,
    /// The values of `--restrict`.
    pub restrict: Vec<String>,
    /// If given, no agent is run, and the program is compared with this SHA-256.
    pub is: Option<String>,
    /// The arguments of a `configure` request, with which the agent runs without a manager.
    pub configuration: Option<String>,
}

impl Words {
    /// Reads the arguments of the program that has only the agent; `None` if they have no meaning there. `--debug`
    /// changes nothing, because only warnings are built into that program.
    pub fn read(words: &[String]) -> Option<Self> {
        let mut words = words.iter().map(String::as_str).peekable();
        let mut read = Self::default();
        let mut is_agent = false;
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            match (name, value) {
                ("--debug", None) => {}
                ("agent", None) if !is_agent => is_agent = true,
                ("--automated", None) if is_agent => read.automated = true,
                ("--restrict", _) if is_agent => {
                    let next = || words.next_if(|next| !next.starts_with('-'));
                    let value = value.or_else(next).unwrap_or_default();
                    read.restrict.push(value.to_owned());
                }
                ("--is", _) if is_agent => {
                    read.is = Some(value.or_else(|| words.next())?.to_owned());
                }
                _ => return None,
            }
        }
        is_agent.then_some(read)
    }
}

/// The reason why no agent was started, or why it has failed.
#[derive(Debug)]
pub struct Failed {
    /// Whether other arguments would help.
    pub is_usage: bool,
    /// The failure, in words.
    pub message: String,
    /// The next step for a person.
    pub hint: Option<&'static str>,
}

impl Failed {
    fn usage(message: impl Into<String>, hint: &'static str) -> Self {
        Self {
            is_usage: true,
            message: message.into(),
            hint: Some(hint),
        }
    }
}

/// Runs the command. Returns false only if the program was compared with a SHA-256 and has a different one.
pub fn run(words: &Words) -> Result<bool, Failed> {
    if let Some(sum) = &words.is {
        let own = std::env::current_exe().and_then(|program| digest::of_file(&program));
        return own.map(|own| own == *sum).map_err(|error| failed(&error));
    }
    if !words.automated && words.configuration.is_none() {
        return Err(Failed::usage(
            "an agent is started by the manager, not by hand",
            "name the host in a manifest and run \"norouter FILE\" on your own machine",
        ));
    }
    if io::stdout().is_terminal() {
        return Err(Failed::usage(
            "an agent speaks frames, and standard output is a terminal",
            "leave out -t in the command (as in \"docker exec -it\")",
        ));
    }
    let restrict = Some(&words.restrict[..]).filter(|texts| !texts.is_empty());
    let configuration = words.configuration.as_deref().map(configuration);
    match run_on_stdio(restrict, configuration.transpose()?).map_err(|error| failed(&error))? {
        End::Closed | End::Stopped | End::Succeeded => Ok(true),
        end @ End::Unconfigured(_) => Err(unusable(&end)),
        end @ (End::Broken(_) | End::Silent) => Err(failed(&end)),
    }
}

fn failed(what: &dyn std::fmt::Display) -> Failed {
    Failed {
        is_usage: false,
        message: format!("agent: {what}"),
        hint: None,
    }
}

fn configuration(json: &str) -> Result<Configure, Failed> {
    let value: serde_json::Value = serde_json::from_str(json)
        .map_err(|error| unusable(&format_args!("this is not JSON: {error}")))?;
    serde_json::from_value(value)
        .map_err(|error| unusable(&format_args!("this is not a configuration: {error}")))
}

/// The error for the value of `--debug-init-config`.
fn unusable(what: &dyn std::fmt::Display) -> Failed {
    Failed::usage(
        format!("--debug-init-config: {what}"),
        "it takes the arguments of a configure request, as docs/PROTOCOL.md lists them, like {\"me\": \"127.0.42.101\"}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Words> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Words::read(&words)
    }

    #[test]
    fn the_words_of_managers_and_administrators_are_understood() {
        let automated = Words {
            automated: true,
            ..Words::default()
        };
        assert_eq!(words("agent --automated"), Some(automated));
        let all = words("--debug agent --restrict dial=a:80 --restrict --automated --restrict=x=y");
        let all = all.unwrap();
        assert_eq!(all.restrict, ["dial=a:80", "", "x=y"]);
        assert!(all.automated);
        let is = words("agent --is 0f").unwrap().is;
        assert_eq!(is.as_deref(), Some("0f"));
    }

    #[test]
    fn other_words_are_refused() {
        for line in [
            "",
            "up",
            "agent up",
            "agent --is",
            "--automated",
            "norouter.yaml",
        ] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
