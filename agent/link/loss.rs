//! The reasons why an agent is lost. Only this file puts them into words and says what to do next.

use std::fmt;

use super::appetite::Excess;
use crate::{
    view::{Trouble, TroubleCode},
    wire::{Desync, control::feature},
};

/// A message quotes at most this many characters of an agent's output.
const QUOTE_MAX: usize = 200;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The process exited with this status.
    Status(i32),
    /// The process was killed by this signal.
    Signal(i32),
    /// The operating system does not report how the process ended.
    Unknown,
}

/// The reason why a command could not be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotStart {
    /// No program has this name or path.
    NotFound(String),
    /// This file is not executable.
    NotExecutable(String),
    /// Another reason, in words.
    Other(String),
}

impl From<String> for CannotStart {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

/// The reason why an agent is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The agent was stopped by a request.
    Stopped,
    /// The agent was ended by a request to restart it.
    Restarted,
    /// The agent has sent nothing for so long that it counts as dead.
    Silent,
    /// The agent has read nothing for so long that it counts as dead.
    Stalled,
    /// The command could not be started.
    NotStarted(CannotStart),
    /// The process ended without being asked to.
    Exited {
        /// How the process ended.
        ending: Ending,
        /// The text that the command wrote before its first frame.
        banner: String,
    },
    /// The process ended after its question to a person was not answered.
    Unanswered(Ending),
    /// The output stream ended, but the process did not.
    Closed,
    /// The agent did not answer in time.
    NoAnswer {
        /// The text that the command wrote before its first frame.
        banner: String,
    },
    /// The output stream does not consist of frames.
    OutOfStep {
        /// The kind of the error: for example, other bytes where a frame should begin, or a wrong checksum.
        desync: Desync,
        /// The text that the command wrote before its first frame.
        banner: String,
    },
    /// The agent sent a message that is too long.
    TooLong {
        /// The length of the message, and the greatest length allowed.
        desync: Desync,
        /// Whether the agent has repeatedly sent messages that are too long. A single one may be due to a bit that was
        /// flipped in transit.
        sure: bool,
    },
    /// The agent repeatedly did what a correct agent never does.
    Misbehaved(String),
    /// The agent exceeded its budget for too long, mainly with this kind of work.
    Greedy(Excess),
    /// The agent repeatedly sent packets with the addresses of other hosts, which no version of the program does.
    Impostor,
    /// The agent refused its configuration.
    Refused {
        /// The reason that the agent gave.
        reason: String,
        /// Whether the refusal is believed. A single refusal may come from a bit that was flipped in transit, so that
        /// the agent received a changed configuration.
        sure: bool,
    },
    /// The agent lacks a feature that the manifest depends on.
    Lacks {
        /// The name of the feature.
        feature: &'static str,
        /// The agent's version.
        version: String,
    },
}

/// The remedy for a [`Loss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// No remedy is needed.
    None,
    /// Start the agent again at once.
    Restart,
    /// Start the agent again after a short pause.
    Time,
    /// Start the agent again after a long pause: something has to be installed or repaired first.
    MuchTime,
    /// Do not start the agent again: a person has to change something.
    Person,
}

impl Loss {
    /// The remedy for this loss.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Stopped => Remedy::None,
            Self::Restarted => Remedy::Restart,
            Self::Misbehaved(_)
            | Self::Greedy(_)
            | Self::Impostor
            | Self::Refused { sure: true, .. }
            | Self::TooLong { sure: true, .. }
            | Self::Lacks { .. } => Remedy::Person,
            Self::NotStarted(_)
            | Self::Unanswered(_)
            | Self::Exited {
                ending: Ending::Status(126 | 127),
                ..
            } => Remedy::MuchTime,
            Self::Exited { .. }
            | Self::Silent
            | Self::Stalled
            | Self::Closed
            | Self::NoAnswer { .. }
            | Self::Refused { sure: false, .. }
            | Self::TooLong { sure: false, .. }
            | Self::OutOfStep { .. } => Remedy::Time,
        }
    }

    /// The loss as a code and values for programs, and in words for people.
    pub fn trouble(&self) -> Trouble {
        Trouble {
            code: self.code(),
            what: self.what(),
            remedy: self.remedy_words().map(str::to_owned),
            address: None,
            status: self.status(),
        }
    }

    fn code(&self) -> TroubleCode {
        match self {
            Self::Stopped => TroubleCode::Stopped,
            Self::Restarted => TroubleCode::Restarted,
            Self::Silent => TroubleCode::Silent,
            Self::Stalled => TroubleCode::Stalled,
            Self::NotStarted(_) => TroubleCode::NotStarted,
            Self::Exited { .. } => TroubleCode::Exited,
            Self::Unanswered(_) => TroubleCode::Unanswered,
            Self::Closed => TroubleCode::Closed,
            Self::NoAnswer { .. } => TroubleCode::NoAnswer,
            Self::OutOfStep { .. } => TroubleCode::OutOfStep,
            Self::TooLong { .. } => TroubleCode::TooLong,
            Self::Misbehaved(_) => TroubleCode::Misbehaved,
            Self::Greedy(_) => TroubleCode::Greedy,
            Self::Impostor => TroubleCode::Impostor,
            Self::Refused { .. } => TroubleCode::Refused,
            Self::Lacks { .. } => TroubleCode::Lacks,
        }
    }

    /// The exit status of the command; `None` if it has none.
    fn status(&self) -> Option<i32> {
        let (Self::Exited {
            ending: Ending::Status(status),
            ..
        }
        | Self::Unanswered(Ending::Status(status))) = self
        else {
            return None;
        };
        Some(*status)
    }

    fn what(&self) -> String {
        match self {
            Self::Stopped => "stopped".to_owned(),
            Self::Restarted => "restarted".to_owned(),
            Self::Silent => {
                "nothing has been heard of its agent for 10 s, though its command runs: the host, or the way to it, is \
                 gone or stands still"
                    .to_owned()
            }
            Self::Stalled => {
                "its agent has taken nothing for 10 s, though its command runs: the host, or the way to it, is gone or \
                 stands still"
                    .to_owned()
            }
            Self::NotStarted(why) => format!("its command could not be started: {why}"),
            Self::Exited { ending, banner } => format!("its command {ending}{}", quoted(banner)),
            Self::Unanswered(ending) => {
                format!("its command {ending} after what it had asked was not answered")
            }
            Self::Closed => "its command closed its output but did not end".to_owned(),
            Self::NoAnswer { banner } => {
                let wrote = quoted(banner);
                format!("its command runs, but no agent has answered{wrote}")
            }
            Self::OutOfStep {
                desync: Desync::Sum,
                ..
            } => Desync::Sum.to_string(),
            Self::OutOfStep { desync, banner } => {
                let wrote = quoted(banner);
                format!(
                    "{desync}: something else than the agent writes to the command's output{wrote}"
                )
            }
            Self::TooLong { desync, .. } => format!("its agent sent {desync}"),
            Self::Misbehaved(what) => {
                format!("its agent misbehaves: more than 100 faults in 10 s, the last one {what}")
            }
            Self::Greedy(excess) => {
                format!("its agent has sent more than its share for a minute, mostly {excess}")
            }
            Self::Impostor => {
                "its agent pretends to be other hosts: after more than 100 faults in 10 s it sent another packet in the \
                 name of one"
                    .to_owned()
            }
            Self::Refused { reason, .. } => {
                format!("its agent refused its configuration: {reason}")
            }
            Self::Lacks {
                feature: feature::SAME_USER,
                version,
            } => format!(
                "its agent (version {version}) cannot keep out the other users of that machine: it is too old, or the \
                 system there does not tell whose a connection is (only Linux does)"
            ),
            Self::Lacks { feature, version } => format!(
                "its agent (version {version}) cannot do {feature:?}, which this manifest depends on"
            ),
        }
    }

    /// The advice for people about this loss; `None` if there is none.
    fn remedy_words(&self) -> Option<&'static str> {
        match self {
            Self::Exited {
                ending: Ending::Status(126 | 127),
                ..
            } => Some("install norouter there, or write its path in cmd"),
            Self::Stopped | Self::Restarted | Self::Exited { .. } => None,
            Self::Silent | Self::Stalled => Some("look whether the host is up"),
            Self::NotStarted(why) => why.remedy_words(),
            Self::Unanswered(_) => Some("start the host to be asked again"),
            Self::Closed => Some("run the command by hand to see what it waits for"),
            Self::NoAnswer { .. } => {
                Some("run the command by hand to see whether it asks for something")
            }
            Self::OutOfStep {
                desync: Desync::Sum,
                ..
            } => Some("use a command that does not change bytes, such as ssh"),
            Self::OutOfStep { .. } => {
                Some("remove the option that makes it a terminal, such as -t")
            }
            Self::TooLong { .. } => Some(
                "install the version of this manager on that host, and check what runs there if that does not help",
            ),
            Self::Misbehaved(_) => Some("install the version of this manager on that host"),
            Self::Greedy(_) => Some("check what runs on that host before you start it again"),
            Self::Impostor => {
                Some("look who controls that host, and start it again when you trust it")
            }
            Self::Refused { .. } => Some("change the manifest, or start the host again"),
            Self::Lacks {
                feature: feature::SAME_USER,
                ..
            } => Some(
                "install a newer one, or write \"allow: any\" instead of \"allow: same-user\" for that host",
            ),
            Self::Lacks {
                feature: feature::NOT_TO,
                ..
            } => Some(
                "install a newer one on that host, or take \"notTo\" out of the routes through it",
            ),
            Self::Lacks { .. } => Some("install a newer one on that host"),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.trouble(), f)
    }
}

impl CannotStart {
    fn remedy_words(&self) -> Option<&'static str> {
        match self {
            Self::NotFound(_) => Some("install it, or write its path in cmd"),
            Self::NotExecutable(_) => Some("change its mode, or write another one in cmd"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(program) => write!(f, "{program:?} is not in $PATH"),
            Self::NotExecutable(program) => write!(f, "{program:?} is not executable"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Shells exit with 127 if a command was not found, and with 126 if it is not executable (POSIX sh section
            // 2.8.2). Tools that run commands remotely do the same.
            Self::Status(127) => {
                f.write_str("exited with status 127, usually: command not found on that host")
            }
            Self::Status(126) => {
                f.write_str("exited with status 126, usually: command not executable on that host")
            }
            Self::Status(status) => write!(f, "exited with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Unknown => f.write_str("ended"),
        }
    }
}

/// The output of a command, quoted for the end of a sentence; empty if there is none.
fn quoted(banner: &str) -> String {
    if banner.is_empty() {
        return String::new();
    }
    format!("; it wrote \"{banner}\"")
}

/// A text from an agent as one line that is safe to show.
pub(super) fn said(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = crate::text::escape(&line);
    match clean.char_indices().nth(QUOTE_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_a_value_and_is_put_into_words_once() {
        let lost = Loss::Exited {
            ending: Ending::Status(127),
            banner: "sh: norouter; not found".to_owned(),
        };
        let trouble = lost.trouble();
        assert_eq!(
            (trouble.code, trouble.status),
            (TroubleCode::Exited, Some(127))
        );
        assert_eq!(
            trouble.remedy.as_deref(),
            Some("install norouter there, or write its path in cmd")
        );
        assert!(
            trouble
                .what
                .ends_with("; it wrote \"sh: norouter; not found\"")
        );
        assert_eq!(lost.to_string(), trouble.to_string());

        let missing = Loss::NotStarted(CannotStart::NotFound("podman".to_owned()));
        assert_eq!(
            missing.to_string(),
            "its command could not be started: \"podman\" is not in $PATH; install it, or write its path in cmd"
        );
        assert_eq!(Loss::Closed.trouble().status, None);
    }
}
