//! How a command ends: the exit codes, all of them, and what a person is told when it fails.

use std::{fmt::Write as _, io, process::ExitCode};

use super::output;
use crate::text::escape;

/// What the exit code of the program means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything worked.
    Ok = 0,
    /// Something failed; also a host that the network does not have.
    Failure = 1,
    /// The command line could not be understood.
    Usage = 2,
    /// A command for a running manager found none.
    NoManager = 3,
    /// The manifest cannot be run.
    InvalidManifest = 4,
    /// The network runs, but not all of its hosts do all that they should, or a connection that was asked about does
    /// not work.
    PartlyUp = 5,
    /// The manifest grants what `--require-trust` does not list.
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

    /// All exit codes for the help.
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

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) struct Error {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// What happened and where, in one sentence without a full stop.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// How the command would end.
    pub(super) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The same error with the next step.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Shows the error to the person, and returns the exit code.
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

/// Standard output could not be written. If its reader is gone (`norouter plan | head`), that is not a failure.
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
