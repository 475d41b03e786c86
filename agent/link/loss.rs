//! The reasons why an agent is lost. Only this file puts them into words and says what to do next.

use std::fmt;

use super::{
    appetite::Excess,
    last_words::LastWords,
    said::said,
    shell::{Target, Unfit},
};
use crate::{
    text::{figures, meant},
    view::{ByHand, Cure, Hint, Trouble, TroubleCause, TroubleCode, symptoms},
    wire::{Desync, control::feature},
};

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
    /// The agent was ended, for this reason, to be started elsewhere.
    Moved(String),
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
        /// What the command said before its end.
        last: LastWords,
    },
    /// The process was ended because a person has refused what it asked for.
    Unanswered {
        /// The question.
        question: String,
        /// Whether the person has answered "no", instead of refusing to answer.
        no: bool,
    },
    /// The output stream has just ended. The process may be about to end, too.
    Closing,
    /// The output stream ended, but the process did not.
    Closed,
    /// The agent did not answer in time.
    NoAnswer(LastWords),
    /// The output stream does not consist of frames.
    OutOfStep {
        /// The kind of the error: for example, other bytes where a frame should begin, or a wrong checksum.
        desync: Desync,
        /// The text that was found instead of a frame; empty if it was not text.
        found: String,
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
        /// Whether the refusal is believed. A single refusal may be due to a bit that was flipped in transit: the agent
        /// then received a changed configuration.
        sure: bool,
    },
    /// The agent lacks a feature that the manifest depends on.
    Lacks {
        /// The name of the feature.
        feature: &'static str,
        /// The agent's version.
        version: String,
    },
    /// No agent could be put on the host.
    Unfit {
        /// The reason.
        why: Unfit,
        /// What the command said before its end.
        last: Box<LastWords>,
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
    /// Start the agent again after a longer pause: something has to be installed or repaired first.
    MuchTime,
    /// Do not start the agent again: a person has to change something.
    Person,
}

impl Loss {
    /// The remedy for this loss.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Stopped => Remedy::None,
            Self::Restarted | Self::Moved(_) => Remedy::Restart,
            Self::Misbehaved(_)
            | Self::Greedy(_)
            | Self::Impostor
            | Self::Refused { sure: true, .. }
            | Self::TooLong { sure: true, .. }
            | Self::Unanswered { .. }
            // Trying again would send the whole agent to the host again.
            | Self::Unfit {
                why: Unfit::NotRun(..),
                ..
            }
            | Self::Lacks { .. } => Remedy::Person,
            Self::Exited { ending, last } => match (last.symptom, ending) {
                (Some(symptom), _) => symptom.cause.cure().into(),
                (None, Ending::Status(126 | 127)) => Remedy::MuchTime,
                (None, _) => Remedy::Time,
            },
            Self::NoAnswer(last) => last
                .symptom
                .map_or(Remedy::Time, |symptom| symptom.cause.cure().into()),
            Self::Silent
            | Self::Stalled
            | Self::Closing
            | Self::Closed
            | Self::Refused { sure: false, .. }
            | Self::TooLong { sure: false, .. }
            | Self::OutOfStep { .. }
            | Self::Unfit {
                why: Unfit::Cut { .. } | Unfit::Silent,
                ..
            } => Remedy::Time,
            Self::NotStarted(_) | Self::Unfit { .. } => Remedy::MuchTime,
        }
    }

    /// Whether the command could be run, but has not started a usable agent: it found no norouter, or one that cannot
    /// work with this manager.
    pub(super) fn is_for_want_of_an_agent(&self) -> bool {
        match self {
            Self::Exited { ending, last } if !last.answered => match last.symptom {
                Some(symptom) => symptom.cause == TroubleCause::NotInstalled,
                None => *ending == Ending::Status(127),
            },
            Self::Refused { sure, .. } => *sure,
            Self::Lacks { .. } => true,
            Self::Exited { .. }
            | Self::Stopped
            | Self::Restarted
            | Self::Silent
            | Self::Stalled
            | Self::NotStarted(_)
            | Self::Unanswered { .. }
            | Self::Closing
            | Self::Closed
            | Self::NoAnswer(_)
            | Self::OutOfStep { .. }
            | Self::TooLong { .. }
            | Self::Misbehaved(_)
            | Self::Greedy(_)
            | Self::Impostor
            | Self::Moved(_)
            | Self::Unfit { .. } => false,
        }
    }

    /// The loss: as a code and values for programs, and in words for people. The remedy contains lines from `by_hand`
    /// that a person can run.
    pub fn trouble(&self, by_hand: &ByHand) -> Trouble {
        let last = self.last_words();
        let hint = Hint {
            line: last.and_then(|last| last.line.as_deref().or(last.banner())),
            keygen: last.and_then(|last| last.keygen.as_deref()),
        };
        let remedy = self.remedy_words();
        Trouble {
            code: self.code(),
            what: self.what(),
            remedy: remedy.map(|remedy| by_hand.fill(remedy, hint)),
            address: None,
            status: self.status(),
            said: last.and_then(|last| last.line.clone()),
            cause: last.and_then(|last| Some(last.symptom?.cause)),
        }
    }

    /// The last words of the command, if the loss contains them.
    fn last_words(&self) -> Option<&LastWords> {
        let (Self::Exited { last, .. } | Self::NoAnswer(last)) = self else {
            let Self::Unfit { last, .. } = self else {
                return None;
            };
            return Some(last);
        };
        Some(last)
    }

    fn code(&self) -> TroubleCode {
        match self {
            Self::Stopped => TroubleCode::Stopped,
            Self::Restarted | Self::Moved(_) => TroubleCode::Restarted,
            Self::Silent => TroubleCode::Silent,
            Self::Stalled => TroubleCode::Stalled,
            Self::NotStarted(_) => TroubleCode::NotStarted,
            Self::Exited { .. } => TroubleCode::Exited,
            Self::Unanswered { .. } => TroubleCode::Unanswered,
            Self::Closing | Self::Closed => TroubleCode::Closed,
            Self::NoAnswer(_) => TroubleCode::NoAnswer,
            Self::OutOfStep { .. } => TroubleCode::OutOfStep,
            Self::TooLong { .. } => TroubleCode::TooLong,
            Self::Misbehaved(_) => TroubleCode::Misbehaved,
            Self::Greedy(_) => TroubleCode::Greedy,
            Self::Impostor => TroubleCode::Impostor,
            Self::Refused { .. } => TroubleCode::Refused,
            Self::Lacks { .. } => TroubleCode::Lacks,
            Self::Unfit { .. } => TroubleCode::Unfit,
        }
    }

    /// The exit status of the command; `None` if it has none.
    fn status(&self) -> Option<i32> {
        let Self::Exited {
            ending: Ending::Status(status),
            ..
        } = self
        else {
            return None;
        };
        Some(*status)
    }

    /// What has happened, in words.
    pub fn what(&self) -> String {
        match self {
            Self::Stopped => "stopped".to_owned(),
            Self::Restarted => "restarted".to_owned(),
            Self::Moved(why) => why.clone(),
            Self::Silent => {
                "its agent has not answered for 8 s, though its command still runs: the host or the connection to it may be \
                 down"
                    .to_owned()
            }
            Self::Stalled => {
                "its agent has taken no data for 10 s, though its command still runs: the host or the connection to it may \
                 be down"
                    .to_owned()
            }
            Self::NotStarted(why) => format!("its command could not be started: {why}"),
            Self::Exited { ending, last } => match reason(last) {
                // If the cause is not known, the output may tell more than the last line.
                Some(reason) if last.symptom.is_none() => {
                    format!("{reason}{}{}", ending.aside(), quoted(&last.banner))
                }
                Some(reason) => format!("{reason}{}", ending.aside()),
                None if last.banner.is_empty() && !last.answered => {
                    format!("its command {ending}, and wrote nothing")
                }
                None if *ending == Ending::Status(0) && !last.answered => format!(
                    "its command exited with status 0 without starting norouter{}",
                    quoted(&last.banner)
                ),
                None => format!("its command {ending}{}", quoted(&last.banner)),
            },
            Self::Unanswered { question, no: true } => {
                format!("the answer was no to what its command asked: {question}")
            }
            Self::Unanswered { question, no: false } => {
                format!("nobody has answered what its command asked: {question}")
            }
            Self::Closing => "its command is ending".to_owned(),
            Self::Closed => "its command closed its output but did not end".to_owned(),
            Self::NoAnswer(last) => match (last.symptom, &last.line) {
                (Some(symptom), None) => symptom.what.unwrap_or_default().to_owned(),
                (_, Some(line)) => format!(
                    "its command runs, but no agent has answered{}",
                    quoted(line)
                ),
                (None, None) => format!(
                    "its command runs, but no agent has answered{}",
                    quoted(&last.banner)
                ),
            },
            Self::OutOfStep {
                desync: Desync::Sum,
                ..
            } => Desync::Sum.to_string(),
            Self::OutOfStep {
                desync: Desync::Header(_),
                found,
            } if !found.is_empty() => {
                format!("something else than its agent wrote to the command's output: \"{found}\"")
            }
            Self::OutOfStep { desync, found } => {
                let wrote = quoted(found);
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
            Self::Unfit { why, last } if why.is_explained() => {
                format!("{why}{}", quoted(last.line.as_deref().unwrap_or(&last.banner)))
            }
            Self::Unfit { why, .. } => why.to_string(),
        }
    }

    /// The advice for people about this loss; `None` if there is none.
    fn remedy_words(&self) -> Option<&'static str> {
        match self {
            Self::Exited { ending, last } => match (last.symptom, ending) {
                (Some(symptom), _) => Some(symptom.remedy),
                (None, Ending::Status(127)) => Some(symptoms::INSTALL),
                (None, Ending::Status(126)) => Some(
                    "if norouter is there, make it executable (chmod +x); otherwise install it, or write its path in cmd",
                ),
                // Once the agent has answered, the lines are its own, and the command is known to start norouter.
                (None, _) if last.answered => None,
                (None, Ending::Status(0)) => Some(
                    "something on the way (a login shell, a menu, a command that the server forces) does not run what cmd says; \
                     run it by hand: {trial}",
                ),
                (None, _) => Some(symptoms::RUN_BY_HAND),
            },
            Self::Stopped | Self::Restarted | Self::Moved(_) | Self::Closing => None,
            Self::Silent | Self::Stalled => Some("check whether the host is up"),
            Self::NotStarted(why) => why.remedy_words(),
            Self::Unanswered { .. } => Some("start the host to be asked again"),
            Self::Closed => Some("run it by hand to see what it waits for: {version}"),
            Self::NoAnswer(last) => Some(
                last.symptom
                    .map_or(symptoms::RUN_BY_HAND, |symptom| symptom.remedy),
            ),
            Self::OutOfStep {
                desync: Desync::Sum,
                ..
            } => Some("use a command that does not change bytes, such as ssh"),
            Self::OutOfStep {
                desync: Desync::Header(_),
                found,
            } if !found.is_empty() => Some(
                "if that happens again, run it by hand to see which program writes that: {version}",
            ),
            Self::OutOfStep { .. } => {
                Some("remove the option that makes it a terminal, such as -t")
            }
            Self::TooLong { .. } => Some(
                "install the version of this manager on that host, and check what runs there if that does not help",
            ),
            Self::Misbehaved(_) => Some("install the version of this manager on that host"),
            Self::Greedy(_) => Some("check what runs on that host before you start it again"),
            Self::Impostor => {
                Some("find out who controls that host, and start it again when you trust it")
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
            Self::Unfit { why, .. } => Some(why.remedy_words()),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAgent(Some(target)) => write!(
                f,
                "it has only a shell, and norouter has no agent for its system: {}",
                said(&target.to_string())
            ),
            Self::NoAgent(None) => f.write_str(
                "it has only a shell, and does not tell which system and processor it has",
            ),
            Self::Unreadable(why) => write!(f, "the agent for it cannot be read: {why}"),
            Self::NoFolder(tried) => {
                f.write_str(
                    "its user has no folder there in which a program can be written and run",
                )?;
                match said(tried).as_str() {
                    "" => Ok(()),
                    tried => write!(f, ": {tried}"),
                }
            }
            Self::NoReader => f.write_str(
                "its shell has none of head, dd and printf, with which it could take an agent",
            ),
            Self::Cut { kept, size } => write!(
                f,
                "the connection ended when {} of the {} of the agent were there",
                figures::bytes(*kept as u64),
                figures::bytes(*size as u64)
            ),
            Self::Silent => f.write_str("its command runs, but no shell has answered"),
            Self::Full(folder) => {
                write!(f, "the agent could not be stored there in {}", said(folder))
            }
            Self::Changed => f.write_str("the agent was changed on its way there, and was not run"),
            Self::NotRun(target, status) => {
                let target = said(&target.to_string());
                write!(f, "the agent for {target} does not run there")?;
                match status {
                    Some(status @ 129..=192) => write!(f, ": signal {} ended it", status - 128),
                    Some(status) => write!(f, ": its status is {status}"),
                    None => Ok(()),
                }
            }
            Self::Strange => f.write_str("it gives answers that no shell gives"),
            Self::Noise(text) => write!(
                f,
                "it wrote more than 1 MB before its shell answered{}",
                quoted(&said(text))
            ),
            Self::Echo => f.write_str(symptoms::ECHO.what.unwrap_or_default()),
        }
    }
}

impl Unfit {
    /// Whether the last words of the command say more about the reason.
    fn is_explained(&self) -> bool {
        matches!(
            self,
            Self::Full(_) | Self::Changed | Self::NotRun(..) | Self::Cut { .. } | Self::Silent
        )
    }

    fn remedy_words(&self) -> &'static str {
        match self {
            Self::NoAgent(Some(Target { system, .. })) if system == "linux" => {
                "\"cargo xtask agents\" in the source of norouter builds agents for x86_64, aarch64, arm and riscv64: put the one for it into \
                 the folder \"agents\" beside norouter; for another processor, build norouter there and write the command \
                 that starts it in cmd"
            }
            Self::NoAgent(_) => {
                "build norouter on that machine, and write the command that starts it in cmd"
            }
            Self::Unreadable(_) => "install norouter again on this machine",
            Self::NoFolder(_) => {
                "set XDG_RUNTIME_DIR for that user to a folder of theirs that is not mounted noexec, or write cmd with the path \
                 of a norouter that is installed there"
            }
            Self::NoReader => {
                "install one of them there, or put norouter there and write the command that starts it in cmd"
            }
            Self::Cut { .. } => {
                "the next try goes on where this one stopped; if the connection is cut each time, check how long this one lasts: {connect}"
            }
            Self::Silent => {
                "run it by hand: {trial}; if that works, make the start-up files there (such as ~/.profile or ~/.bashrc) \
                 start another shell, tmux or a question only in a terminal: if [ -t 0 ]"
            }
            Self::Full(_) => {
                "check whether its disk is full or that user's quota is used up; the next try goes on where this one stopped"
            }
            Self::Changed => "use a command that does not change bytes, such as ssh",
            Self::NotRun(..) => {
                "something there does not let it run, such as SELinux, seccomp, a limit of memory or another processor: look \
                 into the log of that system, and then: norouter start {name}"
            }
            Self::Strange => "run it by hand to see what answers there: {connect}",
            Self::Noise(_) => {
                "remove the command that prints this from the start-up files of the shell there"
            }
            Self::Echo => symptoms::ECHO.remedy,
        }
    }
}

impl From<Cure> for Remedy {
    fn from(cure: Cure) -> Self {
        match cure {
            Cure::Moments => Self::Time,
            Cure::Patience => Self::MuchTime,
            Cure::Person => Self::Person,
        }
    }
}

impl Ending {
    /// The ending as a remark in brackets after the reason.
    fn aside(self) -> String {
        match self {
            Self::Status(status) => format!(" (status {status})"),
            Self::Signal(signal) => format!(" (signal {signal})"),
            Self::Unknown => String::new(),
        }
    }
}

/// Words at the beginning of a command that only a shell understands.
const OF_SHELLS: [&str; 10] = [
    "cd", "export", "source", ".", "eval", "set", "ulimit", "umask", "if", "for",
];

/// Names of programs that are often mistyped or confused, each with advice.
const MEANT: [(&str, &str); 5] = [
    (
        "ssh",
        "did you mean ssh? Otherwise install it, or write its path in cmd",
    ),
    (
        "docker",
        "did you mean docker? Otherwise install it, or write its path in cmd",
    ),
    (
        "podman",
        "did you mean podman? Otherwise install it, or write its path in cmd",
    ),
    (
        "kubectl",
        "did you mean kubectl? Otherwise install it, or write its path in cmd",
    ),
    (
        "norouter",
        "did you mean norouter? Otherwise install it, or write its path in cmd",
    ),
];

impl CannotStart {
    fn remedy_words(&self) -> Option<&'static str> {
        match self {
            Self::NotFound(program) if OF_SHELLS.contains(&program.as_str()) => Some(
                "it is a word of a shell, and no shell reads cmd: \"norouter check\" shows what to write instead",
            ),
            Self::NotFound(program) => {
                let known = meant(program, MEANT.iter().map(|(name, _)| *name));
                let known = known.filter(|known| known != program);
                let known = MEANT.iter().find(|(name, _)| known == Some(name));
                Some(known.map_or("install it, or write its path in cmd", |(_, advice)| advice))
            }
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
            // Shells exit with 128 more than the number of the signal that has ended a program.
            Self::Status(status @ 129..=192) => write!(
                f,
                "exited with status {status}, usually: signal {} ended it on that host",
                status - 128
            ),
            Self::Status(status) => write!(f, "exited with status {status}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Unknown => f.write_str("ended"),
        }
    }
}

/// The reason that belongs to the symptom, or else the command's own line; `None` if there is neither.
fn reason(last: &LastWords) -> Option<&str> {
    let known = last.symptom.and_then(|symptom| symptom.what);
    known.or(last.line.as_deref())
}

/// The output of a command, quoted so that it can end a sentence; empty if there is none.
fn quoted(banner: &str) -> String {
    if banner.is_empty() {
        return String::new();
    }
    format!("; it wrote \"{banner}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::symptoms::{NO_INPUT, Symptom};

    fn exited(status: i32, line: &str) -> Loss {
        let last = LastWords {
            line: Some(line.to_owned()),
            symptom: Symptom::seen_in(line),
            ..LastWords::default()
        };
        let ending = Ending::Status(status);
        Loss::Exited { ending, last }
    }

    fn told(lost: &Loss) -> String {
        lost.trouble(&ByHand::default()).to_string()
    }

    #[test]
    fn a_loss_is_a_value_and_is_put_into_words_once() {
        let lost = exited(255, "ssh: Could not resolve hostname wbe1");
        let trouble = lost.trouble(&ByHand::default());
        assert_eq!(
            (trouble.code, trouble.status, trouble.cause),
            (
                TroubleCode::Exited,
                Some(255),
                Some(TroubleCause::UnknownName)
            )
        );
        assert_eq!(
            trouble.said.as_deref(),
            Some("ssh: Could not resolve hostname wbe1")
        );
        assert_eq!(
            trouble.what,
            "ssh: Could not resolve hostname wbe1 (status 255)"
        );
        assert!(trouble.remedy.as_ref().unwrap().starts_with("correct"));

        let missing = Loss::NotStarted(CannotStart::NotFound("podman".to_owned()));
        assert_eq!(
            told(&missing),
            "its command could not be started: \"podman\" is not in $PATH; install it, or write its path in cmd"
        );
        assert_eq!(Loss::Closed.trouble(&ByHand::default()).status, None);
    }

    #[test]
    fn a_known_symptom_decides_how_long_to_wait_and_the_status_where_there_is_none() {
        for (lost, remedy) in [
            (
                exited(255, "a@b: Permission denied (publickey)."),
                Remedy::Person,
            ),
            (exited(255, "Host key verification failed."), Remedy::Person),
            (exited(127, "Befehl fehlt"), Remedy::MuchTime),
            (exited(1, "Error: no such container"), Remedy::MuchTime),
            (
                exited(255, "ssh: connect to host b port 22: Connection refused"),
                Remedy::Time,
            ),
            (exited(1, "the moon is down"), Remedy::Time),
        ] {
            assert_eq!(lost.remedy(), remedy, "{lost:?}");
        }
        assert_eq!(
            exited(1, "the moon is down").what(),
            "the moon is down (status 1)"
        );
    }

    #[test]
    fn a_symptom_with_its_own_words_is_told_by_them() {
        let lost = Loss::Exited {
            ending: Ending::Status(0),
            last: LastWords::of(&NO_INPUT),
        };
        assert_eq!(lost.remedy(), Remedy::MuchTime);
        let told = told(&lost);
        assert!(told.starts_with("its command ended before it was told anything"));
        assert!(told.contains("(status 0); add the option"), "{told}");
    }
}
