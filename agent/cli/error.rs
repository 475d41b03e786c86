//! The exit codes of all commands, and the message that a person sees when a command fails.

use std::{fmt::Write as _, io, process::ExitCode};

use super::output;
use crate::{
    driver::system::describe,
    text::{escape, with_remedy},
};

/// The meaning of the program's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything worked.
    Ok = 0,
    /// Something failed, or the network does not have the host that was named.
    Failure = 1,
    /// The command line is not valid.
    Usage = 2,
    /// No manager is running, but the command needs one.
    NoManager = 3,
    /// The manifest cannot be run.
    InvalidManifest = 4,
    /// Something does not work: a host cannot be reached or cannot do all that the manifest asks for, a connection does
    /// not work, or the host that `norouter host test` has tried cannot be a member.
    PartlyUp = 5,
    /// The manifest grants something that the file of `--require-trust` does not list.
    NotTrusted = 6,
    /// The manifest does not have the form that `norouter fmt --check` wants.
    NotFormatted = 7,
    /// The command of `norouter exec` exists, but cannot be run.
    CommandNotRun = 126,
    /// The command of `norouter exec` does not exist.
    CommandNotFound = 127,
    /// The command was ended by Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Ok, "ok"),
        (
            Self::Failure,
            "something failed, or there is no such host; the message says what",
        ),
        (Self::Usage, "the command line could not be understood"),
        (Self::NoManager, "no manager is running"),
        (Self::InvalidManifest, "the manifest cannot be run"),
        (
            Self::PartlyUp,
            "something does not work: a host cannot be reached or cannot do all that the manifest asks for, a connection does not work, or the host that \"norouter host test\" has tried cannot be a member",
        ),
        (
            Self::NotTrusted,
            "the manifest grants more than --require-trust allows",
        ),
        (
            Self::NotFormatted,
            "\"norouter fmt\" would change the manifest",
        ),
        (
            Self::CommandNotRun,
            "the command of norouter exec cannot be run",
        ),
        (
            Self::CommandNotFound,
            "the command of norouter exec does not exist",
        ),
        (Self::Interrupted, "ended by Ctrl-C"),
    ];

    /// The meaning of the exit code of another process of this program.
    #[cfg(unix)]
    pub(super) fn of(code: i32) -> Self {
        let mut all = Self::ALL.into_iter().map(|(exit, _)| exit);
        all.find(|exit| *exit as i32 == code)
            .unwrap_or(Self::Failure)
    }

    /// All exit codes, as a text for the help.
    pub(super) fn table() -> String {
        let mut table = String::from("Exit codes:");
        for (exit, meaning) in Self::ALL {
            let _ = write!(table, "\n  {:>3}  {meaning}", exit as u8);
        }
        table
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The reason why a command failed.
#[derive(Debug)]
pub(super) struct Error {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// Makes an error. `message` says what happened and where, in one sentence without a full stop.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// The exit code that belongs to this error.
    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }

    /// Adds a hint, which tells the person what to do next.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Changes the hint, if there is one.
    #[must_use]
    pub(super) fn map_hint(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.hint = self.hint.map(change);
        self
    }

    /// Adds words to the end of the message.
    #[must_use]
    pub(super) fn with(mut self, words: &str) -> Self {
        self.message = format!("{} {words}", self.message);
        self
    }

    /// The message and the hint as one sentence.
    pub(super) fn sentence(&self) -> String {
        with_remedy(&self.message, self.hint.as_deref())
    }

    /// The message, and the hint or an empty text.
    #[cfg(test)]
    pub(super) fn into_texts(self) -> (String, String) {
        (self.message, self.hint.unwrap_or_default())
    }

    /// The error in lines without colours, for another process of this program.
    pub(super) fn lines(&self) -> String {
        let hint = self.hint.as_ref();
        let hint = hint.map_or_else(String::new, |hint| format!("  help: {}\n", escape(hint)));
        format!("error: {}\n{hint}", escape(&self.message))
    }

    /// Shows the error to the person, and returns its exit code.
    #[must_use]
    pub(super) fn report(self) -> Exit {
        if !self.message.is_empty() {
            let red = anstyle::AnsiColor::Red.on_default().bold();
            let bold = anstyle::Style::new().bold();
            output::talk(&format!(
                "{red}error{red:#}{bold}: {}{bold:#}",
                escape(&self.message)
            ));
        }
        if let Some(hint) = &self.hint {
            output::talk(&format!("  help: {}", escape(hint)));
        }
        self.exit
    }
}

/// Converts an error of writing to standard output. The exit code is 0 if the reader of the output has ended, as in
/// `norouter plan | head`.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Ok, "");
        }
        Self::new(
            Exit::Failure,
            format!("cannot write to standard output: {}", describe(&error)),
        )
    }
}
