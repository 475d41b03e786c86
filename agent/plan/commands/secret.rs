//! Passwords among the words of a command. `sshpass -p` and `plink -pw` take a password as a word.

use super::{
    advice::{Code, Mistake, advised},
    programs::name_of,
};

/// The text that is shown in place of a password.
const MASK: &str = "***";

/// The programs that take a password as a word. Each has its option, and whether the password may follow the option in
/// the same word.
const PROGRAMS: [(&str, &str, bool); 2] = [("sshpass", "-p", true), ("plink", "-pw", false)];

/// Programs that may give the words after their name to a shell.
const READERS: [&str; 12] = [
    "ssh", "dbclient", "plink", "su", "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish",
];

/// Whether a shell would take the text literally, and run nothing in it.
fn is_inert(text: &str) -> bool {
    !text.contains(|c: char| "$`\\;|&<>(){}".contains(c) || c.is_control())
}

/// The options of `sshpass` whose value is the next word.
const VALUED: [&str; 3] = ["-f", "-d", "-P"];

/// The words with every password masked. These words are shown wherever a command is shown. A text that a shell would
/// run is never masked, because people approve commands by what they see.
pub(in crate::plan) fn masked(words: &[String]) -> Vec<String> {
    let mut masked = words.to_vec();
    for (program, option, joins) in PROGRAMS {
        let mut is_within = false;
        let (mut is_next, mut is_value, mut is_read) = (false, false, false);
        for word in &mut masked {
            is_read |= READERS.contains(&name_of(word));
            let is_password = |text: &str| !is_read || is_inert(text);
            if std::mem::take(&mut is_next) {
                if is_password(word) {
                    MASK.clone_into(word);
                }
            } else if std::mem::take(&mut is_value) {
                continue;
            } else if name_of(word) == program {
                is_within = true;
            } else if is_within && word.as_str() == option {
                is_next = true;
            } else if is_within && joins && VALUED.contains(&word.as_str()) {
                is_value = true;
            } else if is_within && joins && word.starts_with(option) {
                if is_password(word) {
                    *word = format!("{option}{MASK}");
                }
            } else if is_within && joins && !word.starts_with('-') {
                // After this word comes the command that the program starts. That command has its own options.
                is_within = false;
            }
            if word.contains(char::is_whitespace) {
                *word = in_script(word, program, option, joins);
            }
        }
    }
    masked
}

/// A script in which the passwords for this program are masked. The passwords are words in the script.
fn in_script(script: &str, program: &str, option: &str, joins: bool) -> String {
    let mut masked = String::new();
    let mut rest = script;
    let given = format!(" {option}{}", if joins { "" } else { " " });
    while let Some((before, after)) = rest.split_once(program) {
        masked.push_str(before);
        masked.push_str(program);
        rest = after;
        let Some((before, after)) = rest.split_once(&given) else {
            break;
        };
        // After other words, the option belongs to the program that `sshpass` starts.
        if joins && !before.split_whitespace().all(|word| word.starts_with('-')) {
            continue;
        }
        masked.push_str(before);
        masked.push_str(&given);
        let password = after.trim_start();
        masked.push_str(
            after
                .get(..after.len() - password.len())
                .unwrap_or_default(),
        );
        let (password, after) = password.split_at(word_end(password));
        masked.push_str(if is_inert(password) { MASK } else { password });
        rest = after;
    }
    masked + rest
}

/// The offset at which the first word of a script ends.
fn word_end(script: &str) -> usize {
    let mut quote = None;
    let is_end = |(_, c): &(usize, char)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None if *c == '\'' || *c == '"' => {
            quote = Some(*c);
            false
        }
        None => c.is_whitespace() || ";|&<>()".contains(*c),
    };
    let end = script.char_indices().find(is_end);
    end.map_or(script.len(), |(at, _)| at)
}

/// The warning about a password in a command; `None` if it has none.
pub(super) fn judge(words: &[String]) -> Option<Mistake> {
    (masked(words) != words).then(|| {
        advised(
            Code::Secret,
            "cmd has a password: everybody who may read the manifest has it, and every user of this machine sees it in the \
             list of processes",
            "leave it out: ssh asks for it, and \"norouter answer\" answers (\"up --remember\" keeps the answer for the next \
             start); or use a key, and no password at all",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(cmd: &str) -> String {
        masked(&shlex::split(cmd).unwrap()).join(" ")
    }

    #[test]
    fn a_password_is_masked_and_nothing_else() {
        for (cmd, line) in [
            (
                "sshpass -p hunter2 ssh -p 22 web1 norouter",
                "sshpass -p *** ssh -p 22 web1 norouter",
            ),
            (
                "env A=b sshpass -v -phunter2 ssh -p22 web1",
                "env A=b sshpass -v -p*** ssh -p22 web1",
            ),
            (
                "plink -batch -pw hunter2 me@web1 norouter",
                "plink -batch -pw *** me@web1 norouter",
            ),
            (
                "sh -c 'exec sshpass -p \"my secret\" ssh -p 22 web1 norouter \"$0\" \"$@\"'",
                "sh -c exec sshpass -p *** ssh -p 22 web1 norouter \"$0\" \"$@\"",
            ),
            (
                "sshpass -P assword: -p hunter2 ssh web1",
                "sshpass -P assword: -p *** ssh web1",
            ),
            (
                "sh -c 'sshpass -e ssh -p 22 web1 norouter && sshpass -phunter2 ssh web1'",
                "sh -c sshpass -e ssh -p 22 web1 norouter && sshpass -p*** ssh web1",
            ),
            (
                "sshpass -f file ssh -p 22 web1",
                "sshpass -f file ssh -p 22 web1",
            ),
            (
                "sshpass -e ssh -p 22 web1 norouter",
                "sshpass -e ssh -p 22 web1 norouter",
            ),
            ("ssh -p 22 web1 norouter", "ssh -p 22 web1 norouter"),
            // Text that a shell would run stays visible.
            (
                "sh -c 'sshpass -p $(id) ssh web1; sshpass -p x;id; sshpass -p \"`id`\" ssh web1'",
                "sh -c sshpass -p $(id) ssh web1; sshpass -p ***;id; sshpass -p \"`id`\" ssh web1",
            ),
            (
                "ssh web1 sshpass -p '$(id)' ssh web2 norouter",
                "ssh web1 sshpass -p $(id) ssh web2 norouter",
            ),
            ("sshpass -p '$(id)' ssh web2", "sshpass -p *** ssh web2"),
        ] {
            assert_eq!(shown(cmd), line, "{cmd}");
        }
    }
}
