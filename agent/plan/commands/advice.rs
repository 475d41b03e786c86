//! The types for advice about a command: what is wrong with it, and a command that would work.

use crate::manifest::Severity;

/// The kind of a mistake in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::plan) enum Code {
    /// The agent gets no standard input, because a switch is missing or superfluous.
    NoInput,
    /// A terminal is put between the manager and the agent.
    Terminal,
    /// The program runs the command in the background.
    Background,
    /// An option makes the program run no command at all.
    NoCommand,
    /// A word means something only to a shell, but no shell reads the command.
    ShellSyntax,
    /// The command does not name norouter.
    NotNamed,
    /// The command already has the words that are appended to every command.
    AgentTwice,
    /// The program would take the appended words for its own options.
    NoSeparator,
    /// The command leads to whatever cluster is the person's current one.
    CurrentContext,
    /// The command becomes the master, that is, the shared connection, of the person's other ssh sessions.
    Master,
    /// The program would take the first bytes of the manager for the answer to a question.
    Unanswered,
    /// The appended words do not reach norouter.
    ArgumentsLost,
    /// The command has a password as a word.
    Secret,
}

impl Code {
    /// The word for this kind in JSON.
    pub(in crate::plan) const fn word(self) -> &'static str {
        match self {
            Self::NoInput => "noInput",
            Self::Terminal => "terminal",
            Self::Background => "background",
            Self::NoCommand => "noCommand",
            Self::ShellSyntax => "shellSyntax",
            Self::NotNamed => "notNamed",
            Self::AgentTwice => "agentTwice",
            Self::NoSeparator => "noSeparator",
            Self::CurrentContext => "currentContext",
            Self::Master => "master",
            Self::Unanswered => "unanswered",
            Self::ArgumentsLost => "argumentsLost",
            Self::Secret => "secret",
        }
    }

    /// The severity of this kind of mistake.
    const fn severity(self) -> Severity {
        match self {
            // Such a command could let in the wrong machine without a question, so it is not run.
            Self::Unanswered => Severity::Error,
            Self::NoInput
            | Self::Terminal
            | Self::Background
            | Self::NoCommand
            | Self::ShellSyntax
            | Self::NotNamed
            | Self::AgentTwice
            | Self::NoSeparator
            | Self::CurrentContext
            | Self::Master
            | Self::ArgumentsLost
            | Self::Secret => Severity::Warning,
        }
    }
}

/// One mistake in a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Mistake {
    pub(in crate::plan) code: Code,
    pub(in crate::plan) severity: Severity,
    /// The mistake in one sentence.
    pub(in crate::plan) message: String,
    /// What to do instead; `None` if the corrected command is the remedy.
    pub(in crate::plan) remedy: Option<String>,
}

/// A mistake that is not in the corrected command.
pub(super) fn mistake(code: Code, message: impl Into<String>) -> Mistake {
    Mistake {
        code,
        severity: code.severity(),
        message: message.into(),
        remedy: None,
    }
}

/// A mistake that the person does not correct by another command, but as `remedy` says.
pub(super) fn advised(code: Code, message: &str, remedy: &str) -> Mistake {
    Mistake {
        remedy: Some(remedy.to_owned()),
        ..mistake(code, message)
    }
}

/// A note about something that may be intended.
pub(super) fn note(code: Code, message: impl Into<String>, remedy: &str) -> Mistake {
    Mistake {
        code,
        severity: Severity::Note,
        message: message.into(),
        remedy: Some(remedy.to_owned()),
    }
}

/// One program of a command, and the command that this program runs.
#[derive(Debug)]
pub(super) struct Level {
    /// The words of the program itself, corrected.
    pub(super) own: Vec<String>,
    pub(super) inner: Inner,
    pub(super) mistakes: Vec<Mistake>,
}

/// The command that a program runs.
#[derive(Debug)]
pub(super) enum Inner {
    /// The program runs a command, but its words do not say which.
    Unknown,
    /// The program runs no agent, because the words for one are missing.
    Missing,
    /// The program starts another program, with exactly these words.
    Words(Vec<String>),
    /// A shell on another machine reads these words, joined by blanks.
    Line(Vec<String>),
}
