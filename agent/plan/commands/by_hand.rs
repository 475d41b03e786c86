//! The lines that a person can run by hand to see what is wrong with a host. The lines are made of the words of the
//! host's command.

use super::{
    advice::{Inner, Level},
    engines,
    programs::{WRAPPERS, name_of, wrapped},
    secret::masked,
    ssh,
};
use crate::{text::shell_line, view::ByHand};

/// The place where norouter is put if its name in the command is not a path. `ssh` starts its commands in the home
/// folder.
const INSTALLED: &str = "bin/norouter";

/// The words of a command, with the places where the way to the machine or container ends, and where norouter stands.
struct Way<'a> {
    words: &'a [String],
    /// The place of the program that leads to the machine or container. Programs before it only start it.
    program: usize,
    /// The number of words that lead to the machine or container. The word after them is read or started there. `None`
    /// if the program is not known here.
    own: Option<usize>,
    /// Whether a shell on the other machine reads the words after the first `own` words.
    is_line: bool,
    /// The place of the word that stands for norouter; `None` if no word does.
    norouter: Option<usize>,
}

/// The lines that a person can run by hand for the host `name` with this command. The words that are appended to every
/// command are not part of `words`.
pub(in crate::plan) fn by_hand(name: &str, words: &[String]) -> ByHand {
    let words = masked(words);
    let way = Way::new(&words);
    let norouter = way.norouter.and_then(|at| words.get(at));
    let norouter = norouter.map_or("norouter", String::as_str);
    let until = way.norouter.map_or(words.len(), |at| at + 1);
    let version = shell_line(&with(words.get(..until).unwrap_or(&words), &["--version"]));
    let connect = way.connect().unwrap_or_else(|| version.clone());
    ByHand {
        name: name.to_owned(),
        accept: way.accept().unwrap_or_else(|| connect.clone()),
        connect,
        version,
        printed: "the version of norouter",
        norouter: norouter.to_owned(),
        copy: way.copy(norouter),
        installed: path(norouter).unwrap_or(INSTALLED).to_owned(),
        chmod: path(norouter).and_then(|path| {
            let there = way.there()?;
            Some(shell_line(&with(there, &["chmod", "+x", path])))
        }),
    }
}

/// The number of these words that are read on this machine. The words after them are read on another machine or in a
/// container.
pub(in crate::plan) fn read_here(words: &[String]) -> usize {
    Way::new(words).own.unwrap_or(words.len())
}

/// The lines that a person can run by hand for the host `name`, to whose shell these words lead. The command names no
/// norouter to look at or to copy, so only the shell can be tried.
pub(in crate::plan) fn by_hand_in_shell(name: &str, words: &[String]) -> ByHand {
    let words = masked(words);
    let line = with(&words, &["true"]);
    let way = Way::new(&line);
    let connect = way.connect().unwrap_or_else(|| shell_line(&line));
    ByHand {
        name: name.to_owned(),
        accept: way.accept().unwrap_or_else(|| connect.clone()),
        connect,
        version: shell_line(&with(&words, &["echo", "ready"])),
        printed: "ready",
        ..ByHand::default()
    }
}

/// Whether a shell on another machine reads what is appended to these words.
pub(in crate::plan) fn is_read_by_a_shell(words: &[String]) -> bool {
    Way::new(&with(words, &["sh"])).is_line
}

impl<'a> Way<'a> {
    fn new(words: &'a [String]) -> Self {
        let is_wrapper = words
            .first()
            .is_some_and(|word| WRAPPERS.contains(&name_of(word)));
        let place = wrapped(words).filter(|_| is_wrapper);
        let place = place.map_or(0, |level| level.own.len());
        let program = words.get(place..).unwrap_or_default();
        let level = level(program);
        let is_line = matches!(&level, Some(level) if matches!(level.inner, Inner::Line(_)));
        let own = level.map(|level| match level.inner {
            Inner::Words(inner) | Inner::Line(inner) => words.len() - inner.len(),
            Inner::Unknown | Inner::Missing => words.len(),
        });
        let from = own.unwrap_or(place);
        let is_norouter =
            |word: &String| name_of(word) == "norouter" && !word.contains(char::is_whitespace);
        let mut places = words.iter().enumerate().skip(from);
        let norouter = places.find(|(_, word)| is_norouter(word));
        Self {
            words,
            program: place,
            own,
            is_line,
            norouter: norouter.map(|(at, _)| at),
        }
    }

    /// The words before this place. A `--` at their end is left out, because `ssh` needs it only before norouter's own
    /// options.
    fn before(&self, place: usize) -> &'a [String] {
        let before = self.words.get(..place).unwrap_or(self.words);
        match before.split_last() {
            Some((last, rest)) if self.is_line && last == "--" => rest,
            _ => before,
        }
    }

    /// The line that only connects: it does nothing on the host.
    fn connect(&self) -> Option<String> {
        let before = self.before(self.norouter.or(self.own)?);
        self.own.map(|_| shell_line(&with(before, &["true"])))
    }

    /// The line that connects, and lets ssh ask about an unknown host key. `None` if the program is not OpenSSH.
    fn accept(&self) -> Option<String> {
        let own = self.own?;
        let ssh = self.words.get(self.program..own)?;
        if name_of(ssh.first()?) != "ssh" {
            return None;
        }
        let starter = self.words.get(..self.program)?.iter().cloned();
        let behind = self.words.get(own..self.norouter.unwrap_or(own))?;
        let line = starter.chain(ssh::asking(ssh));
        let line: Vec<_> = line.chain(behind.iter().cloned()).collect();
        Some(shell_line(&with(&line, &["true"])))
    }

    /// The words that lead to the machine or container of norouter. A command that is appended to them runs there.
    /// `None` if more than `sudo` or `exec` stands between them and norouter.
    fn there(&self) -> Option<&'a [String]> {
        let (own, norouter) = (self.own?, self.norouter?);
        let between = self.words.get(own..norouter)?;
        let is_right = |word: &String| word == "sudo" || word == "exec" || word == "-n";
        between.iter().all(is_right).then(|| self.before(own))
    }

    /// The line that copies norouter to the host. The copying needs a shell. `ssh` starts one by itself; for a
    /// container, the line starts one.
    fn copy(&self, norouter: &str) -> Option<String> {
        let there = self.there()?;
        let path = path(norouter).unwrap_or(INSTALLED);
        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let folder = if folder.is_empty() { "/" } else { folder };
        let script = format!("mkdir -p {folder} && cat > {path} && chmod +x {path}");
        let line = if self.is_line {
            with(there, &[script.as_str()])
        } else {
            with(there, &["sh", "-c", script.as_str()])
        };
        Some(format!(
            "{} < \"$(command -v norouter)\"",
            shell_line(&line)
        ))
    }
}

/// The facts about a program that leads to another machine or into a container.
pub(super) fn level(words: &[String]) -> Option<Level> {
    match name_of(words.first()?) {
        "ssh" => Some(ssh::ssh(words)),
        "dbclient" => Some(ssh::dbclient(words)),
        "plink" => Some(ssh::plink(words)),
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => {
            engines::container(words)
        }
        "kubectl" | "oc" => engines::kubectl(words, true),
        "lxc" | "incus" => engines::instance(words),
        _ => None,
    }
}

/// The word for norouter if it is a path that needs no quotes in a shell.
fn path(norouter: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~$".contains(c);
    Some(norouter).filter(|path| path.contains('/') && path.chars().all(is_plain))
}

fn with(words: &[String], more: &[&str]) -> Vec<String> {
    let more = more.iter().map(|&word| word.to_owned());
    words.iter().cloned().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Hint;

    fn of(cmd: &str) -> ByHand {
        by_hand("web2", &shlex::split(cmd).unwrap())
    }

    #[test]
    fn the_words_before_norouter_connect_and_those_up_to_it_show_its_version() {
        for (cmd, connect, version) in [
            (
                "ssh -J bastion admin@web2 -- norouter",
                "ssh -J bastion admin@web2 true",
                "ssh -J bastion admin@web2 -- norouter --version",
            ),
            (
                "ssh -o 'ProxyCommand=nc %h %p' web2 '~/my bin/x'",
                "ssh -o 'ProxyCommand=nc %h %p' web2 true",
                "ssh -o 'ProxyCommand=nc %h %p' web2 '~/my bin/x' --version",
            ),
            (
                "ssh web2 sudo docker exec -i c norouter --debug",
                "ssh web2 sudo docker exec -i c true",
                "ssh web2 sudo docker exec -i c norouter --version",
            ),
            (
                "docker exec -i norouter-1 norouter",
                "docker exec -i norouter-1 true",
                "docker exec -i norouter-1 norouter --version",
            ),
            (
                "kubectl --context=a exec -i deploy/api -- norouter",
                "kubectl --context=a exec -i deploy/api -- true",
                "kubectl --context=a exec -i deploy/api -- norouter --version",
            ),
            (
                "sudo podman exec -i db bin/norouter",
                "sudo podman exec -i db true",
                "sudo podman exec -i db bin/norouter --version",
            ),
            (
                "./my-script norouter",
                "./my-script norouter --version",
                "./my-script norouter --version",
            ),
            (
                "sh -c 'cd /x && exec ssh web2 norouter \"$0\" \"$@\"'",
                "sh -c 'cd /x && exec ssh web2 norouter \"$0\" \"$@\"' --version",
                "sh -c 'cd /x && exec ssh web2 norouter \"$0\" \"$@\"' --version",
            ),
            (
                "sshpass -p secret ssh web2 norouter",
                "sshpass -p '***' ssh web2 true",
                "sshpass -p '***' ssh web2 norouter --version",
            ),
            ("x", "x --version", "x --version"),
        ] {
            let by_hand = of(cmd);
            assert_eq!(by_hand.connect, connect, "{cmd}");
            assert_eq!(by_hand.version, version, "{cmd}");
        }
    }

    #[test]
    fn the_line_that_accepts_a_key_asks_whatever_the_command_says() {
        for (cmd, accept) in [
            (
                "ssh web2 -- norouter",
                "ssh -o StrictHostKeyChecking=ask web2 true",
            ),
            (
                "ssh -oBatchMode=yes -o stricthostkeychecking=yes -o 'UserKnownHostsFile /k' web2 sudo norouter",
                "ssh -o StrictHostKeyChecking=ask -o 'UserKnownHostsFile /k' web2 sudo true",
            ),
            (
                "sshpass -p secret ssh -p 22 web2 norouter",
                "sshpass -p '***' ssh -o StrictHostKeyChecking=ask -p 22 web2 true",
            ),
            ("dbclient web2 norouter", "dbclient web2 true"),
            ("./my-script norouter", "./my-script norouter --version"),
        ] {
            assert_eq!(of(cmd).accept, accept, "{cmd}");
        }
    }

    #[test]
    fn a_shell_is_tried_by_a_word_that_it_prints() {
        let words = shlex::split("ssh -p 22 web2 --").unwrap();
        let by_hand = by_hand_in_shell("web2", &words);
        assert_eq!(by_hand.connect, "ssh -p 22 web2 true");
        assert_eq!(
            by_hand.trial(),
            "ssh -p 22 web2 -- echo ready - it has to print ready"
        );
        assert!(
            by_hand
                .fill("{install}", Hint::default())
                .contains("no shell")
        );
    }

    #[test]
    fn norouter_is_copied_to_its_path_or_to_a_usual_one() {
        for (cmd, installed, copy) in [
            (
                "ssh web2 -- norouter",
                "bin/norouter",
                Some("ssh web2 'mkdir -p bin && cat > bin/norouter && chmod +x bin/norouter'"),
            ),
            (
                "ssh web2 -- sudo ~/tools/norouter",
                "~/tools/norouter",
                Some(
                    "ssh web2 'mkdir -p ~/tools && cat > ~/tools/norouter && chmod +x ~/tools/norouter'",
                ),
            ),
            (
                "docker exec -i db /norouter",
                "/norouter",
                Some(
                    "docker exec -i db sh -c 'mkdir -p / && cat > /norouter && chmod +x /norouter'",
                ),
            ),
            ("ssh web2 docker exec -i db norouter", "bin/norouter", None),
            ("./my-script norouter", "bin/norouter", None),
        ] {
            let by_hand = of(cmd);
            let copy = copy.map(|copy| format!("{copy} < \"$(command -v norouter)\""));
            assert_eq!(by_hand.installed, installed, "{cmd}");
            assert_eq!(by_hand.copy, copy, "{cmd}");
        }
        let chmod = of("ssh web4 bin/norouter").chmod;
        assert_eq!(chmod.as_deref(), Some("ssh web4 chmod +x bin/norouter"));
        assert_eq!(of("ssh web4 norouter").chmod, None);
    }
}
