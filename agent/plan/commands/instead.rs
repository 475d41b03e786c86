//! The command that leads to the shell of a host, made from the words of the command that starts norouter there.

use super::{
    advice::Inner,
    by_hand::level,
    programs::{SHELLS, WRAPPERS, name_of, wrapped},
    shell_loop::shell_loop,
};

/// The maximum number of programs that start each other, as in `ssh web1 sudo docker exec`.
const DEPTH_MAX: usize = 8;

/// The command that starts the loop in the host's shell: these words, with the loop in place of norouter. `None` if the
/// words do not end with norouter, or if it is not certain how they start it on the host.
pub(in crate::plan) fn through_the_shell(words: &[String]) -> Option<Vec<String>> {
    let (place, is_line) = norouter(words)?;
    let before = words.get(..place)?;
    Some(before.iter().cloned().chain(shell_loop(is_line)).collect())
}

/// The number of the word that starts norouter on another machine or in a container, and whether a shell reads this
/// word. `None` if norouter is followed by words that are not appended to every command. Such words would be lost, and
/// they may be an administrator's limits.
fn norouter(words: &[String]) -> Option<(usize, bool)> {
    let (mut place, mut is_there, mut is_line) = (0, false, false);
    for _ in 0..DEPTH_MAX {
        let rest = words.get(place..)?;
        let (first, after) = rest.split_first()?;
        let program = name_of(first);
        let level = match program {
            "norouter" => {
                let is_last = is_norouter(first) && is_appended(after);
                return (is_there && is_last).then_some((place, is_line));
            }
            // The words after the name of a shell are a script, which is not examined.
            shell if SHELLS.contains(&shell) => None,
            wrapper if WRAPPERS.contains(&wrapper) => wrapped(rest),
            _ => {
                is_there = true;
                level(rest)
            }
        };
        let inner = match level?.inner {
            Inner::Words(inner) => inner,
            // The loop is quoted for one shell only.
            Inner::Line(inner) if !is_line && inner.iter().all(|word| is_plain(word)) => {
                is_line = true;
                inner
            }
            Inner::Line(_) | Inner::Unknown | Inner::Missing => return None,
        };
        place = words.len() - inner.len();
        // Without `--`, kubectl takes the options of the shell for its own.
        let is_separated = words.get(..place)?.last().is_some_and(|word| word == "--");
        if matches!(program, "kubectl" | "oc") && !is_separated {
            return None;
        }
    }
    None
}

/// Whether a shell takes this word literally, except that `~` may stand for the home folder.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_~-".contains(c);
    !word.is_empty() && word.chars().all(plain)
}

/// Whether these are words that are appended to every command.
fn is_appended(words: &[String]) -> bool {
    let mut appended = ["agent", "--automated"].iter();
    words
        .iter()
        .all(|word| appended.next() == Some(&word.as_str()))
}

/// Whether this is the program itself, and not a script with a similar name.
fn is_norouter(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name) == "norouter"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{text::shell_line, wire::SHELL_LOOP};

    fn through(cmd: &str) -> Option<String> {
        let words = through_the_shell(&shlex::split(cmd).unwrap())?;
        let words = words.iter().map(|word| word.replace(SHELL_LOOP, "LOOP"));
        Some(shell_line(&words.collect::<Vec<_>>()))
    }

    #[test]
    fn the_words_before_norouter_lead_to_the_shell() {
        for (cmd, line) in [
            ("ssh web1 -- norouter", "ssh web1 -- sh -c \"'LOOP'\""),
            (
                "ssh -J bastion -p 22 me@web1 /usr/local/bin/norouter",
                "ssh -J bastion -p 22 me@web1 sh -c \"'LOOP'\"",
            ),
            ("ssh web1 ~/bin/norouter agent", "ssh web1 sh -c \"'LOOP'\""),
            (
                "ssh web1 sudo -n norouter",
                "ssh web1 sudo -n sh -c \"'LOOP'\"",
            ),
            (
                "ssh web1 -- docker exec -i c norouter",
                "ssh web1 -- docker exec -i c sh -c \"'LOOP'\"",
            ),
            (
                "sudo podman exec -i -u root app norouter",
                "sudo podman exec -i -u root app sh -c LOOP",
            ),
            (
                "docker compose exec -T web norouter",
                "docker compose exec -T web sh -c LOOP",
            ),
            (
                "docker exec -i c ssh web1 norouter",
                "docker exec -i c ssh web1 sh -c \"'LOOP'\"",
            ),
            (
                "kubectl --context=a exec -i deploy/api -c web -- norouter",
                "kubectl --context=a exec -i deploy/api -c web -- sh -c LOOP",
            ),
            ("lxc exec c1 -- norouter", "lxc exec c1 -- sh -c LOOP"),
            (
                "incus exec c1 --user 1000 -- /norouter",
                "incus exec c1 --user 1000 -- sh -c LOOP",
            ),
            (
                "plink -batch me@web1 norouter",
                "plink -batch me@web1 sh -c \"'LOOP'\"",
            ),
        ] {
            let words = through(cmd).and_then(|line| shlex::split(&line));
            assert_eq!(words, shlex::split(line), "{cmd}");
        }
    }

    #[test]
    fn a_command_that_does_not_show_the_way_has_no_alternative() {
        for cmd in [
            "norouter",
            "sudo norouter",
            "./my-script norouter",
            "ssh web1",
            "ssh web1 norouter-limited",
            "ssh web1 norouter --debug",
            "ssh web1 norouter agent --restrict dial=127.0.0.1",
            "ssh web1 'cd /srv && exec norouter'",
            "ssh web1 cd /srv '&&' norouter",
            "ssh web1 PATH=/opt norouter",
            "ssh web1 '$(id)/norouter'",
            "ssh bastion ssh web1 norouter",
            "ssh web1 sh -c norouter",
            "ssh web1 su me -c norouter",
            "sh -c 'exec ssh web1 norouter \"$0\" \"$@\"'",
            "docker run --rm -i image norouter",
            "kubectl exec -i pod norouter",
            "docker exec",
        ] {
            assert_eq!(through(cmd), None, "{cmd}");
        }
    }
}
