//! The last words of a command: the line that tells the reason for its end, and the cause if it is a known one.

use std::time::Duration;

use super::said::said;
use crate::{
    time::Instant,
    view::{
        keygen,
        symptoms::{self, Symptom},
    },
};

/// The maximum number of lines of a command that are searched for known causes. It is limited so that a flood of lines
/// does not take much time.
const SEARCHED_MAX: usize = 100;

/// A line of an agent that was ready counts as the reason for its loss only if it was written at most this long before
/// the loss.
const FRESH_MAX: Duration = Duration::from_secs(5);

/// The beginning of every message of the manager. An agent's message never begins like this.
const OURS: &str = r#"{"type":"request""#;

/// The words of a command before its end, safe to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastWords {
    /// The line of its standard error that tells the reason.
    pub line: Option<String>,
    /// The text that it wrote to its standard output before its first frame.
    pub banner: String,
    /// The known cause that the words show.
    pub symptom: Option<&'static Symptom>,
    /// The line with which an old key can be removed from a file of known hosts.
    pub keygen: Option<String>,
    /// Whether the agent had answered before the end. If so, the command is known to have started it.
    pub answered: bool,
}

/// The lines of a command's standard error since its start that may tell the reason for its end.
#[derive(Debug, Default)]
pub(super) struct Heard {
    last: Option<(Instant, String)>,
    known: Option<(&'static Symptom, String)>,
    /// The command line that removes an old key. It does not name a file if `ssh` has only said whose key has changed.
    keygen: Option<String>,
    searched: usize,
    /// Whether the agent has answered since the command was started. If so, the lines come from the agent itself, not
    /// from a program on the way to it.
    answered: bool,
}

impl Heard {
    /// Takes a line, which is safe to show. Returns whether it may tell a reason.
    pub(super) fn hear(&mut self, now: Instant, line: &str) -> bool {
        if !symptoms::is_telling(line) {
            return false;
        }
        let shown = said(trimmed(line));
        if !self.answered && self.searched < SEARCHED_MAX {
            self.searched += 1;
            if self.keygen.is_none() {
                self.keygen = keygen(line);
            }
            let symptom = Symptom::seen_in(line);
            let known = self.known.as_ref();
            if let Some(symptom) =
                symptom.filter(|symptom| known.is_none_or(|(known, _)| !known.explains(symptom)))
            {
                self.known = Some((symptom, shown.clone()));
            }
        }
        self.last = Some((now, shown));
        true
    }

    /// Forgets all lines. They were written before the agent answered, so they do not tell why it ends later.
    pub(super) fn answer(&mut self) {
        *self = Self {
            answered: true,
            ..Self::default()
        };
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_ref().map(|(_, line)| line.as_str())
    }

    /// The last words of a command that has written `banner` before its first frame.
    pub(super) fn last_words(&self, now: Instant, banner: &str) -> LastWords {
        let fresh = |at: Instant| !self.answered || now - at < FRESH_MAX;
        let last = self.last.as_ref().filter(|(at, _)| fresh(*at));
        let seen = || banner.lines().take(SEARCHED_MAX).find_map(known_in);
        let (symptom, line) = match &self.known {
            _ if self.answered => (None, last.map(|(_, line)| line.clone())),
            _ if is_echo(banner) => (Some(&symptoms::ECHO), None),
            Some((symptom, line)) => (Some(*symptom), Some(line.clone())),
            // Some commands write the errors of other programs to their standard output.
            None => match seen() {
                Some((symptom, line)) => (Some(symptom), Some(line)),
                None => (None, last.map(|(_, line)| line.clone())),
            },
        };
        LastWords {
            line,
            banner: if is_echo(banner) {
                String::new()
            } else {
                said(banner)
            },
            symptom,
            keygen: self.keygen.clone(),
            answered: self.answered,
        }
    }
}

impl LastWords {
    /// Whether the command has said nothing at all.
    pub(super) fn is_silence(&self) -> bool {
        self.line.is_none() && self.banner.is_empty() && self.symptom.is_none()
    }

    /// The text before the first frame; `None` if there was none.
    pub(super) fn banner(&self) -> Option<&str> {
        Some(self.banner.as_str()).filter(|banner| !banner.is_empty())
    }

    /// Last words that consist only of this symptom.
    pub(super) fn of(symptom: &'static Symptom) -> Self {
        Self {
            symptom: Some(symptom),
            ..Self::default()
        }
    }
}

/// Whether the output of a command contains what the manager has written to the command's input.
fn is_echo(output: &str) -> bool {
    output.contains(OURS)
}

fn known_in(line: &str) -> Option<(&'static Symptom, String)> {
    Some((Symptom::seen_in(line)?, said(trimmed(line))))
}

/// The line without blanks and `@` signs at both ends, and without a full stop at its end. An ellipsis stays.
fn trimmed(line: &str) -> &str {
    let line = line.trim_matches(|c: char| c == '@' || c.is_whitespace());
    line.strip_suffix('.')
        .filter(|rest| !rest.ends_with('.'))
        .unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::TroubleCause;

    const NOW: Instant = Instant::ZERO;

    fn heard(lines: &[&str]) -> Heard {
        let mut heard = Heard::default();
        for line in lines {
            heard.hear(NOW, line);
        }
        heard
    }

    #[test]
    fn the_line_that_explains_the_others_is_the_reason() {
        let words = heard(&[
            "@@@@@@@@@@@@@@@@",
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
            "Offending ED25519 key in /home/ann/.ssh/known_hosts:3",
            "Host key verification failed.",
        ])
        .last_words(NOW, "");
        assert_eq!(
            words.line.as_deref(),
            Some("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!")
        );
        assert_eq!(words.symptom.unwrap().cause, TroubleCause::HostKey);
        assert_eq!(words.keygen, None);
    }

    #[test]
    fn the_line_that_removes_an_old_key_is_kept() {
        let words = heard(&[
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
            "  remove with:",
            "  ssh-keygen -f \"/home/ann/.ssh/known_hosts\" -R \"web9\"",
            "Host key for web9 has changed and you have requested strict checking.",
        ])
        .last_words(NOW, "");
        assert_eq!(
            words.keygen.as_deref(),
            Some("ssh-keygen -f /home/ann/.ssh/known_hosts -R web9")
        );
    }

    #[test]
    fn a_reason_that_nobody_knows_is_the_last_line_with_words() {
        let words = heard(&[
            "starting",
            "the moon is down.",
            "",
            "Connection to web1 closed.",
        ])
        .last_words(NOW, "hello\n");
        assert_eq!(words.line.as_deref(), Some("the moon is down"));
        assert_eq!((words.banner.as_str(), words.symptom), ("hello", None));
    }

    #[test]
    fn what_an_agent_said_long_ago_is_not_the_reason_for_its_loss() {
        let mut heard = heard(&["ann@web1: Permission denied (publickey)."]);
        heard.answer();
        assert!(heard.last_words(NOW, "").is_silence());
        heard.hear(NOW, "ann@web1: Permission denied (publickey).");
        let words = heard.last_words(NOW, "");
        assert!(words.line.is_some() && words.symptom.is_none(), "{words:?}");
        assert!(heard.last_words(NOW + FRESH_MAX, "").is_silence());
    }

    #[test]
    fn errors_of_others_are_recognized_on_standard_output_too() {
        let words = heard(&["command terminated with exit code 126"]).last_words(
            NOW,
            "OCI runtime exec failed: exec: \"norouter\": executable file not found in $PATH: unknown\r\n",
        );
        assert_eq!(words.symptom.unwrap().cause, TroubleCause::NotInstalled);
        assert!(words.line.unwrap().starts_with("OCI runtime"));
    }

    #[test]
    fn our_own_words_in_the_output_are_an_echo_and_not_quoted() {
        let echo = "Welcome\r\nB^@^Bo^@^B^@^@{\"type\":\"request\",\"body\":{\"id\":1}}error: leave out -t\r\n";
        let words = heard(&["Connection closed"]).last_words(NOW, echo);
        assert_eq!(words, LastWords::of(&symptoms::ECHO));
    }

    #[test]
    fn a_flood_is_not_searched_to_its_end() {
        let mut lines = vec!["noise"; SEARCHED_MAX];
        lines.push("Host key verification failed.");
        let words = heard(&lines).last_words(NOW, "");
        assert_eq!(words.symptom, None);
        assert_eq!(words.line.as_deref(), Some("Host key verification failed"));
    }
}
