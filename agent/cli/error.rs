//! The exit codes of all commands, and the message that a person gets when a command fails.

use std::{fmt::Write as _, io, process::ExitCode};

use super::output;
use crate::text::escape;

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything worked.
    Ok = 0,
    /// The command has failed. It is also used for a host that the network does not have.
    Failure = 1,
    /// The command line is not valid.
    Usage = 2,
    /// The command needs a running manager, and there is none.
    NoManager = 3,
    /// The manifest cannot be run.
    InvalidManifest = 4,
    /// The network runs, but a host does not do everything that it should, or a connection that was asked about does
    /// not work.
    PartlyUp = 5,
    /// The manifest grants something that is not in the file of `--require-trust`.
    NotTrusted = 6,
    /// The command was ended by Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    const ALL: [(Self, &'static str); 8] = [
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
            "the network runs, but not all of its hosts do all they should, or a connection does not work",
        ),
        (
            Self::NotTrusted,
            "the manifest grants more than --require-trust allows",
        ),
        (Self::Interrupted, "ended by Ctrl-C"),
    ];

    /// The table of exit codes for the help.
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

/// The reason why a command has failed, with its exit code.
#[derive(Debug)]
pub(super) struct Error {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error. Its message is one sentence without a full stop that says what has happened, and where.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// The exit code of the command.
    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }

    /// Adds a hint that says what to do next.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows the error to the person. Returns the exit code.
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

/// Standard output could not be written. If its reader has ended (`norouter plan | head`), that is not an error.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Ok, "");
        }
        Self::new(
            Exit::Failure,
            format!("cannot write to standard output: {error}"),
        )
    }
}
