//! Command lines that a person can run by hand to find or remove the cause of a loss. They are made from the words of
//! the host's command.

use crate::text::shell_line;

/// The command lines that a person can run by hand for one host. Each of them is quoted for a shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// The name of the host in the network.
    pub name: String,
    /// The host's command, changed so that the program on the host prints [`ByHand::printed`] and ends.
    pub version: String,
    /// The text that `version` has to print: the version of norouter, or a fixed word if the command leads to a shell.
    pub printed: &'static str,
    /// The host's command with `true` in place of norouter, which only tests the connection to the host. If the words
    /// of the command do not show what to replace, this is the same as `version`.
    pub connect: String,
    /// Like `connect`, but the command asks the person about a host key that is not known yet.
    pub accept: String,
    /// The word of the command that names the program norouter on the host.
    pub norouter: String,
    /// Copies norouter to the host, to the path [`ByHand::installed`]. `None` if the words of the command do not show
    /// how.
    pub copy: Option<String>,
    /// The path to which `copy` copies norouter.
    pub installed: String,
    /// Makes norouter executable on the host. `None` if the words of the command do not show how.
    pub chmod: Option<String>,
}

/// The lines from the command of a lost host that a remedy can repeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hint<'a> {
    /// The line that gives the reason for the loss.
    pub line: Option<&'a str>,
    /// The command line that removes a key from a file of known hosts.
    pub keygen: Option<&'a str>,
}

impl ByHand {
    /// Fills in a remedy: each name in braces is replaced by the field of this name, or by the result of one of the
    /// functions below.
    pub fn fill(&self, remedy: &str, hint: Hint<'_>) -> String {
        let mut filled = String::new();
        let mut rest = remedy;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(&match place {
                "name" => self.name.clone(),
                "version" => self.version.clone(),
                "trial" => self.trial(),
                "connect" => self.connect.clone(),
                "accept" => self.accept.clone(),
                "install" => self.install(),
                "executable" => self.executable(),
                "forget" => forget(hint.keygen),
                _ => user(hint.line),
            });
            rest = after;
        }
        filled + rest
    }

    /// The command line that tests whether the host's command works, followed by the text that it has to print.
    pub fn trial(&self) -> String {
        format!("{} - it has to print {}", self.version, self.printed)
    }

    /// Says how to put norouter on the host. If there are two steps, they are numbered, because the second one is a
    /// change of the manifest.
    fn install(&self) -> String {
        if self.norouter.is_empty() {
            return "it has no shell that could run an agent: put norouter there, and write the command that starts it in cmd"
                .to_owned();
        }
        match &self.copy {
            Some(copy) if self.installed == self.norouter => {
                format!(
                    "copy it there: {copy} - {} is then tried again by itself",
                    self.name
                )
            }
            Some(copy) => format!(
                "1. copy it there: {copy}  2. write {} instead of {} in cmd",
                self.installed, self.norouter
            ),
            None => "install norouter there, or write its path in cmd".to_owned(),
        }
    }

    fn executable(&self) -> String {
        match &self.chmod {
            Some(chmod) => format!("make it executable: {chmod}"),
            None => "make it executable (chmod +x)".to_owned(),
        }
    }
}

/// Says how to remove a key from the file of known hosts.
fn forget(keygen: Option<&str>) -> String {
    let unknown =
        || "remove the old one from the file of known hosts (ssh-keygen -R HOST)".to_owned();
    keygen.map_or_else(unknown, |line| format!("remove the old one: {line}"))
}

/// Says what to do if the other machine accepts only another user. The first text between quotes in the line is the
/// name of that user. It is repeated only if it is a plain name, because anybody can have written the line.
fn user(line: Option<&str>) -> String {
    let name = line.and_then(|line| line.split('"').nth(1));
    let is_plain = |name: &&str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !name.is_empty() && name.len() <= 32 && name.chars().all(is_part)
    };
    match name.filter(is_plain) {
        Some(user) => format!("write {user}@ in front of the name of the machine in cmd"),
        None => "write that user in front of the name of the machine in cmd".to_owned(),
    }
}

/// Returns the command line that removes an old key from the file of known hosts. `line` is either such a command line,
/// as `ssh` prints it, or the line in which `ssh` names the host whose key has changed. The result is composed of
/// checked words of `line`, because a program on the way to the host could have written anything.
pub fn keygen(line: &str) -> Option<String> {
    let words = shlex::split(line.trim())?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_plain = |word: &str| {
        let is_part = |c: char| !c.is_control() && !c.is_whitespace();
        !word.is_empty() && !word.starts_with('-') && word.chars().all(is_part)
    };
    let line: Vec<&str> = match words.as_slice() {
        ["ssh-keygen", "-f", file, "-R", name] if is_plain(file) && is_plain(name) => words.clone(),
        [
            "Host",
            "key",
            "for",
            name,
            "has",
            "changed",
            "and",
            "you",
            "have",
            "requested",
            ..,
        ] if is_plain(name) => vec!["ssh-keygen", "-R", *name],
        _ => return None,
    };
    let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
    Some(shell_line(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web1() -> ByHand {
        ByHand {
            printed: "the version of norouter",
            name: "web1".to_owned(),
            version: "ssh web1 -- norouter --version".to_owned(),
            connect: "ssh web1 true".to_owned(),
            accept: "ssh -o StrictHostKeyChecking=ask web1 true".to_owned(),
            norouter: "norouter".to_owned(),
            copy: Some("COPY".to_owned()),
            installed: "bin/norouter".to_owned(),
            chmod: None,
        }
    }

    #[test]
    fn the_places_of_a_remedy_are_filled() {
        let none = Hint::default();
        assert_eq!(
            web1().fill("run {connect}; then: norouter start {name}", none),
            "run ssh web1 true; then: norouter start web1"
        );
        assert_eq!(web1().fill("correct that file", none), "correct that file");
        assert_eq!(
            web1().fill("{install}", none),
            "1. copy it there: COPY  2. write bin/norouter instead of norouter in cmd"
        );
        let at_its_path = ByHand {
            norouter: "bin/norouter".to_owned(),
            ..web1()
        };
        assert_eq!(
            at_its_path.fill("{install}", none),
            "copy it there: COPY - web1 is then tried again by itself"
        );
        let unknown = ByHand {
            norouter: "norouter".to_owned(),
            ..ByHand::default()
        };
        assert_eq!(
            unknown.fill("{install}, {executable}", none),
            "install norouter there, or write its path in cmd, make it executable (chmod +x)"
        );
    }

    #[test]
    fn the_user_of_a_forced_command_is_named_if_it_is_a_plain_name() {
        let with = |line| {
            let hint = Hint {
                line: Some(line),
                keygen: None,
            };
            ByHand::default().fill("{user}", hint)
        };
        let told = with("Please login as the user \"ubuntu\" rather than the user \"root\"");
        assert!(told.starts_with("write ubuntu@ in front of"), "{told}");
        for line in ["Please login as the user \"$(id)\"", "Please login"] {
            assert!(with(line).starts_with("write that user"), "{line}");
        }
    }

    #[test]
    fn only_a_line_that_removes_a_key_is_repeated() {
        for (line, repeated) in [
            (
                "  ssh-keygen -f \"/home/me/.ssh/known_hosts\" -R \"web9\"",
                Some("ssh-keygen -f /home/me/.ssh/known_hosts -R web9"),
            ),
            (
                "  ssh-keygen -f '/home/ann/.ssh/known_hosts' -R '[127.0.0.1]:2222'\r",
                Some("ssh-keygen -f /home/ann/.ssh/known_hosts -R '[127.0.0.1]:2222'"),
            ),
            (
                "Host key for web9 has changed and you have requested strict checking.",
                Some("ssh-keygen -R web9"),
            ),
            ("ssh-keygen -f /x -R web9; rm -rf /", None),
            ("ssh-keygen -f /x -R -oProxyCommand=x", None),
            (
                "ssh-keygen -f '/x' -R 'a$(id)'",
                Some("ssh-keygen -f /x -R 'a$(id)'"),
            ),
            ("ssh-keygen -t rsa", None),
            ("it's", None),
        ] {
            assert_eq!(keygen(line).as_deref(), repeated, "{line}");
        }
    }
}
