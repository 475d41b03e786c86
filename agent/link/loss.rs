//! Why an agent is gone, in words that say what to do next.

use std::fmt;

use super::appetite::Excess;
use crate::wire::{Desync, control::feature};

/// How much of what an agent said is quoted, in characters.
const QUOTE_MAX: usize = 200;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this status.
    Status(i32),
    /// It was ended by this signal.
    Signal(i32),
    /// The operating system does not say how it ended.
    Unknown,
}

/// Why an agent is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It was stopped on purpose.
    Stopped,
    /// It was ended on purpose to be started again.
    Restarted,
    /// Nothing was heard of it for so long that it cannot be there any more.
    Silent,
    /// It took nothing of what was sent to it for the same time.
    Stalled,
    /// Its command could not be started.
    NotStarted(String),
    /// Its process ended by itself, having written `banner` before any frame.
    Exited {
        /// How the process ended.
        ending: Ending,
        /// What it wrote instead of a frame.
        banner: String,
    },
    /// Its process ended after it had asked a person, who did not answer.
    Unanswered(Ending),
    /// Its stream ended, but its process did not.
    Closed,
    /// It never answered, having written `banner`.
    NoAnswer {
        /// What it wrote instead of a frame.
        banner: String,
    },
    /// Its stream does not consist of frames any more.
    OutOfStep {
        /// What stood where a frame should begin.
        desync: Desync,
        /// What it wrote before any frame.
        banner: String,
    },
    /// It sent a message that is too long.
    TooLong {
        /// The length of the message, and the greatest length allowed.
        desync: Desync,
        /// Whether it has done that again and again. A single time may come from a bit that was flipped on the way.
        sure: bool,
    },
    /// It kept doing what no well-behaved agent does.
    Misbehaved(String),
    /// It kept sending more than its share for too long, mostly of this.
    Greedy(Excess),
    /// It kept sending in the name of other hosts, which no version of the program does.
    Impostor,
    /// It refused its configuration.
    Refused {
        /// The reason, in its own words.
        reason: String,
        /// Whether the refusal is believed. A single one may come from a bit that was flipped on the way, so that the
        /// agent was told something else.
        sure: bool,
    },
    /// It lacks a feature without which the manifest would be broken.
    Lacks {
        /// The feature.
        feature: &'static str,
        /// The agent's version.
        version: String,
    },
}

/// What helps against a [`Loss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing has to be done.
    None,
    /// Starting it again at once helps.
    Restart,
    /// Another try after a moment may help.
    Time,
    /// Another try may help, but not soon: something has to be installed or repaired first.
    MuchTime,
    /// No try helps as things are: a person has to change something.
    Person,
}

impl Loss {
    /// What helps against this loss.
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
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Restarted => f.write_str("restarted"),
            Self::Silent => f.write_str(
                "nothing has been heard of its agent for 10 s, though its command runs: the host, or the way to \
                 it, is gone or stands still; look whether the host is up",
            ),
            Self::Stalled => f.write_str(
                "its agent has taken nothing for 10 s, though its command runs: the host, or the way to it, is \
                 gone or stands still; look whether the host is up",
            ),
            Self::NotStarted(reason) => write!(f, "its command could not be started: {reason}"),
            Self::Exited { ending, banner } => {
                write!(f, "its command {ending}")?;
                quote(f, banner)?;
                match ending {
                    Ending::Status(126 | 127) => f.write_str("; install norouter there, or write its path in cmd"),
                    Ending::Status(_) | Ending::Signal(_) | Ending::Unknown => Ok(()),
                }
            }
            Self::Unanswered(ending) => write!(
                f,
                "its command {ending} after what it had asked was not answered; start the host to be asked again"
            ),
            Self::Closed => f.write_str(
                "its command closed its output but did not end; run the command by hand and look what it waits for",
            ),
            Self::NoAnswer { banner } => {
                f.write_str("its command runs, but no agent has answered")?;
                quote(f, banner)?;
                f.write_str("; run the command by hand and look whether it asks for something")
            }
            Self::OutOfStep {
                desync: Desync::Sum,
                ..
            } => write!(f, "{}; use a command that keeps bytes as they are, as ssh does", Desync::Sum),
            Self::OutOfStep { desync, banner } => {
                write!(f, "{desync}: something else than the agent writes to the command's output")?;
                quote(f, banner)?;
                f.write_str("; take away what makes it a terminal, as -t does")
            }
            Self::TooLong { desync, .. } => write!(
                f,
                "its agent sent {desync}; install the version of this manager on that host, and look what runs there if that does \
                 not help"
            ),
            Self::Misbehaved(what) => {
                write!(
                    f,
                    "its agent misbehaves: more than 100 faults in 10 s, the last one {what}; install the version of this \
                     manager on that host"
                )
            }
            Self::Greedy(excess) => write!(
                f,
                "its agent has sent more than its share for a minute, mostly {excess}; look what runs on that host \
                 before you start it again"
            ),
            Self::Impostor => f.write_str(
                "its agent pretends to be other hosts: after more than 100 faults in 10 s it sent another packet in the name of \
                 one; look who controls that host, and start it again when you trust it",
            ),
            Self::Refused { reason, .. } => write!(
                f,
                "its agent refused its configuration: {reason}; change the manifest, or start the host again"
            ),
            Self::Lacks {
                feature: feature::SAME_USER,
                version,
            } => write!(
                f,
                "its agent (version {version}) cannot keep out the other users of that machine: it is too old, or the system there \
                 does not tell whose a connection is (only Linux does); install a newer one, or write \"allow: any\" instead of \
                 \"allow: same-user\" for that host"
            ),
            Self::Lacks { feature, version } => {
                write!(
                    f,
                    "its agent (version {version}) cannot do {feature:?}, which this manifest depends on; install \
                     a newer one on that host"
                )?;
                match *feature {
                    feature::NOT_TO => f.write_str(", or take \"notTo\" out of the routes through it"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Shells and tools that run commands elsewhere use these two (POSIX sh section 2.8.2).
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

fn quote(f: &mut fmt::Formatter<'_>, banner: &str) -> fmt::Result {
    if banner.is_empty() {
        return Ok(());
    }
    write!(f, "; it wrote \"{banner}\"")
}

/// What an agent said, made safe to show, in one line.
pub(super) fn said(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = crate::text::escape(&line);
    match clean.char_indices().nth(QUOTE_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &clean[..end]),
        None => clean,
    }
}
