//! Finds mistakes in the commands of hosts: commands that can never work, or work only by luck, although their programs
//! exist. This module follows the programs that start each other down to norouter, and proposes a command that would
//! work.

mod advice;
mod by_hand;
mod engines;
mod instead;
mod options;
mod programs;
mod secret;
mod shell;
mod shell_loop;
mod ssh;

pub(super) use self::{
    advice::{Code, Mistake},
    by_hand::{by_hand, by_hand_in_shell, is_read_by_a_shell, read_here},
    instead::through_the_shell,
    secret::masked,
    shell_loop::{shell_loop, without_loop},
    ssh::{ends_at_its_destination, is_openssh, talkative},
};
use self::{
    advice::{Inner, Level, mistake, note},
    options::{Part, Spec, parse},
    programs::{SHELLS, WRAPPERS, name_of, wrapped},
};
use crate::text::quote;

/// The maximum number of programs of a command that are judged. Each program is started by the one before it. Further
/// programs are ignored.
const DEPTH_MAX: usize = 8;

/// The options of shells that have a value.
const SHELL: Spec = Spec {
    letters: "oO",
    long: &["rcfile", "init-file"],
    words: 1,
    options_follow: false,
};

/// The options of `su`. They may stand everywhere before `--`.
const SU: Spec = Spec {
    letters: "csgGw",
    long: &[
        "command",
        "shell",
        "group",
        "supp-group",
        "whitelist-environment",
    ],
    words: usize::MAX,
    options_follow: true,
};

/// The mistakes in a command, and a command that would work.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) mistakes: Vec<Mistake>,
    /// The corrected command as one line, for `cmd`.
    pub(super) line: String,
}

/// Judges the words of a command, without those that are appended.
pub(super) fn judge(words: &[String]) -> Judged {
    let mut judge = Judge {
        mistakes: Vec::new(),
        in_script: false,
        has_config: words.iter().any(|word| word.starts_with("KUBECONFIG=")),
    };
    let corrected = judge.program(words, 0);
    let is_good = judge.mistakes.is_empty();
    judge.mistakes.extend(secret::judge(words));
    Judged {
        mistakes: judge.mistakes,
        line: shell::line(&masked(if is_good { words } else { &corrected })),
    }
}

struct Judge {
    mistakes: Vec<Mistake>,
    /// Whether the words are those of a script. The manager appends the words that start the agent to every command. A
    /// script itself says where these words go, so they cannot get lost.
    in_script: bool,
    /// Whether the command sets the variable `KUBECONFIG`.
    has_config: bool,
}

impl Judge {
    /// Judges words with which a program is started without a shell. Returns the corrected words.
    fn program(&mut self, words: &[String], depth: usize) -> Vec<String> {
        if let Some(first) = words.first().filter(|word| shell::is_assignment(word)) {
            self.mistakes.push(only_in_a_shell(first));
            let env = ["env".to_owned()].into_iter();
            let words: Vec<String> = env.chain(words.iter().cloned()).collect();
            return self.program(&words, depth);
        }
        let (corrected, own) = self.words(words, false, depth);
        let own = words.get(..own).unwrap_or(words);
        let needing = |(place, word): &(usize, &String)| needs_a_shell(word, *place, own);
        let Some((_, word)) = own.iter().enumerate().find(needing) else {
            return corrected;
        };
        self.mistakes.push(only_in_a_shell(word));
        // A shell replaces `~` by the home folder only at the beginning of a word.
        let corrected: Vec<_> = corrected
            .iter()
            .map(|word| word.replace("=~/", "=$HOME/"))
            .collect();
        let script = shell::passing_on(&shell::script(&corrected), false, false);
        let script = self.script(&script, false, false, depth);
        vec!["sh".to_owned(), "-c".to_owned(), script]
    }

    /// Judges a line that a shell reads. Returns the corrected words.
    fn line(&mut self, line: &str, depth: usize) -> Vec<String> {
        let words = shlex::split(line).unwrap_or_default();
        let commands: Vec<&[String]> = words.split(|word| shell::separates(word)).collect();
        let starts = commands.iter().scan(0, |next, command| {
            let start = *next;
            *next += command.len() + 1;
            Some((start, *command))
        });
        let starts: Vec<_> = starts.collect();
        let is_named =
            |(_, words): &&(usize, &[String])| words.iter().any(|word| word.contains("norouter"));
        let named = starts.iter().rfind(is_named).copied();
        let Some(last) = starts.last().copied() else {
            return words;
        };
        let (start, command) = named.unwrap_or(last);
        if start != last.0 && !self.in_script {
            let program = last.1.first().map_or("", String::as_str);
            self.mistakes.push(lost(&quote(program)));
            return words[..start + command.len()].to_vec();
        }
        let assignments = command.iter().take_while(|word| shell::is_assignment(word));
        let (start, end) = (start + assignments.count(), start + command.len());
        let (corrected, _) = self.words(&words[start..end], true, depth);
        let before = words[..start].iter().cloned();
        before
            .chain(corrected)
            .chain(words[end..].iter().cloned())
            .collect()
    }

    /// Judges a program and its words. `is_read` means that a shell has already read the words. Returns the corrected
    /// words, and how many of the words belong to the program itself.
    fn words(&mut self, words: &[String], is_read: bool, depth: usize) -> (Vec<String>, usize) {
        let unchanged = (words.to_vec(), words.len());
        let Some(program) = words.first().map(|word| name_of(word)) else {
            return unchanged;
        };
        if depth >= DEPTH_MAX {
            return unchanged;
        }
        let level = match program {
            "ssh" => Some(ssh::ssh(words)),
            "dbclient" => Some(ssh::dbclient(words)),
            "plink" => Some(ssh::plink(words)),
            "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => {
                engines::container(words)
            }
            "kubectl" | "oc" => engines::kubectl(words, self.has_config),
            "norouter" => return (self.norouter(words), words.len()),
            "su" => return (self.su(words), words.len()),
            "runuser" if !words.iter().any(|word| word == "-u") => {
                return (self.su(words), words.len());
            }
            shell if SHELLS.contains(&shell) => return (self.shell(words, is_read, depth), 0),
            wrapper if WRAPPERS.contains(&wrapper) => wrapped(words),
            _ => None,
        };
        let Some(level) = level else {
            let is_named = words.iter().any(|word| word.contains("norouter"));
            let is_variable = words
                .iter()
                .any(|word| shell::has_variable(word) || shell::is_argument(word));
            // An unknown program at the beginning of cmd may start norouter by itself. But if another program starts
            // it, on another machine or in a container, the unknown program is the last program of cmd, and should be
            // norouter.
            if depth > 0 && !is_named && !is_variable {
                let text = format!("cmd does not name norouter: it starts {}", quote(program));
                let remedy = "that program has to start norouter with the words that are appended to cmd, \"agent --automated\"";
                self.mistakes.push(note(Code::NotNamed, text, remedy));
            }
            return unchanged;
        };
        self.level(words, level, is_read, depth)
    }

    /// Judges the command that a program runs.
    fn level(
        &mut self,
        words: &[String],
        level: Level,
        is_read: bool,
        depth: usize,
    ) -> (Vec<String>, usize) {
        let (mut own, mistakes) = (level.own, level.mistakes);
        let runs_nothing = mistakes
            .iter()
            .any(|mistake| mistake.code == Code::NoCommand);
        self.mistakes.extend(mistakes);
        let inner = match level.inner {
            Inner::Unknown => return (own, words.len()),
            Inner::Missing => {
                if !runs_nothing {
                    let text = "cmd does not name norouter, so no agent is started";
                    self.mistakes.push(mistake(Code::NotNamed, text));
                }
                own.push("norouter".to_owned());
                return (own, words.len());
            }
            Inner::Words(inner) => {
                let count = words.len() - inner.len();
                own.extend(if is_read {
                    self.words(&inner, true, depth + 1).0
                } else {
                    self.program(&inner, depth + 1)
                });
                return (own, count);
            }
            Inner::Line(inner) => inner,
        };
        let count = words.len() - inner.len();
        let written = inner.join(" ");
        let corrected = self.line(&written, depth + 1);
        let line = shell::script(&corrected);
        // If the shell on the other machine reads the words in the same way without a second layer of quotes, the words
        // are written without it.
        if line == corrected.join(" ") {
            own.extend(corrected);
        } else if line == shell::script(&shlex::split(&written).unwrap_or_default()) {
            own.extend(inner);
        } else {
            own.push(line);
        }
        (own, count)
    }

    /// Judges a script that gets the appended words as its arguments.
    fn shell(&mut self, words: &[String], is_read: bool, depth: usize) -> Vec<String> {
        let (parts, after) = parse(words.get(1..).unwrap_or_default(), SHELL);
        let has_script = options::has(&parts, 'c', "");
        let (Some(Part::Word(script)), true) = (parts.last(), has_script) else {
            return words.to_vec();
        };
        let is_fish = words.first().is_some_and(|word| name_of(word) == "fish");
        let place = words.len() - after.len() - 1;
        let mut corrected = words.to_vec();
        // If another shell has already read the line, the quotes around a script are gone.
        if is_read && !after.is_empty() && !script.contains(char::is_whitespace) {
            let text = format!(
                "two shells read this script, one after the other, and the second one gets only {} of it",
                quote(script)
            );
            self.mistakes.push(mistake(Code::ArgumentsLost, text));
            let whole = shell::script(&words[place..]);
            corrected.truncate(place);
            corrected.push(if shell::passes_on(&whole, false) {
                whole
            } else {
                shell::passing_on(&whole, false, is_fish)
            });
            return corrected;
        }
        corrected[place] = self.script(script, !after.is_empty(), is_fish, depth);
        corrected
    }

    /// Judges the words of `su`. Unless `--` stands before the appended words, `su` takes them for its own options.
    fn su(&mut self, words: &[String]) -> Vec<String> {
        let (mut parts, _) = parse(words.get(1..).unwrap_or_default(), SU);
        let end = parts.iter().position(|part| *part == Part::End);
        let is_named = end.is_some_and(|end| end + 1 < parts.len());
        let script = parts.iter_mut().find_map(|part| match part {
            Part::Valued('c', script) => Some(script),
            Part::Long(name, Some(script)) if name == "command" => Some(script),
            Part::Valued(..) | Part::Long(..) | Part::Flags(_) | Part::Word(_) | Part::End => None,
        });
        let Some(script) = script else {
            return words.to_vec();
        };
        if end.is_some() && shell::passes_on(script, is_named) {
            return words.to_vec();
        }
        self.mistakes.push(lost("su"));
        *script = shell::passing_on(script, is_named, false);
        if end.is_none() {
            parts.push(Part::End);
        }
        let own = words.iter().take(1).cloned();
        own.chain(options::words(&parts)).collect()
    }

    /// Judges the text of a script. Returns the corrected script.
    fn script(&mut self, script: &str, named: bool, is_fish: bool, depth: usize) -> String {
        let mut corrected = script.to_owned();
        if !shell::passes_on(script, named) {
            self.mistakes.push(lost("the shell"));
            corrected = shell::passing_on(script, named, is_fish);
        }
        let known = self.mistakes.len();
        let outer = std::mem::replace(&mut self.in_script, true);
        let inner = self.line(&corrected, depth + 1);
        self.in_script = outer;
        if self.mistakes.len() == known {
            return corrected;
        }
        shell::script(&inner)
    }

    /// Judges the words of norouter itself.
    fn norouter(&mut self, words: &[String]) -> Vec<String> {
        let Some(place) = words.iter().position(|word| word == "agent") else {
            return words.to_vec();
        };
        if self.in_script && !words.iter().any(|word| shell::is_argument(word)) {
            return words.to_vec();
        }
        let mut before = words[..place].to_vec();
        let kept = |word: &&String| *word != "--automated";
        let after = words[place + 1..].iter().filter(kept);
        let after: Vec<_> = after.cloned().collect();
        self.mistakes.push(mistake(
            Code::AgentTwice,
            "\"agent --automated\" is appended to every cmd, so norouter gets it twice",
        ));
        if after.is_empty() || self.in_script {
            before.extend(after);
            return before;
        }
        before.extend(["$0".to_owned(), "$@".to_owned()]);
        before.extend(after);
        let script = format!("exec {}", shell::script(&before));
        vec!["sh".to_owned(), "-c".to_owned(), script]
    }
}

fn only_in_a_shell(word: &str) -> Mistake {
    let text = format!(
        "{} means something only to a shell, and no shell reads cmd",
        quote(word)
    );
    mistake(Code::ShellSyntax, text)
}

fn lost(who: &str) -> Mistake {
    let text = format!(
        "\"agent --automated\" is appended to cmd, and so it goes to {who} and not to norouter"
    );
    mistake(Code::ArgumentsLost, text)
}

/// The options of `ssh` whose value is the name of a file. In such a name, `ssh` itself replaces variables in braces.
const SSH_FILES: [&str; 5] = ["-i", "-S", "-L", "-R", "-o"];

/// Whether `word` needs a shell to have its meaning. It is number `place` of `own`, the words of one program. `~` in
/// the options of `ssh` does not need a shell, because `ssh` itself replaces it by the home folder.
fn needs_a_shell(word: &str, place: usize, own: &[String]) -> bool {
    let is_program = place == 0;
    let before = place.checked_sub(1).and_then(|before| own.get(before));
    let is_file = before.is_some_and(|before| SSH_FILES.contains(&before.as_str()))
        || SSH_FILES.iter().any(|option| word.starts_with(option));
    let program = own.first().map_or("", |word| name_of(word));
    let is_ssh = matches!(program, "ssh" | "dbclient");
    let is_known = is_ssh || WRAPPERS.contains(&program) || is_engine(program);
    shell::is_operator(word)
        || (is_program && shell::is_builtin(word))
        || (shell::has_home(word) && (is_program || (is_known && !is_ssh)))
        // A shell reads the commands in settings of ssh, so variables in them need no other shell.
        || (shell::has_variable(word)
            && (is_program || is_known)
            && !(is_ssh && (word.contains('=') || (is_file && word.contains("${")))))
}

fn is_engine(program: &str) -> bool {
    matches!(
        program,
        "docker"
            | "podman"
            | "nerdctl"
            | "docker-compose"
            | "podman-compose"
            | "kubectl"
            | "oc"
            | "plink"
    )
}

#[cfg(test)]
mod tests;
