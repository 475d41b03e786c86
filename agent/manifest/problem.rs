//! What is wrong in a manifest, and where. A problem is a value; nothing here prints.

use serde::Serialize;

use crate::text;

/// A place in the text of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The offset from the beginning of the file, in bytes.
    pub byte: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A stretch of the text of a manifest; `end` is the first place behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// The first place behind it.
    pub end: Position,
}

impl Default for Span {
    /// The very beginning of the file.
    fn default() -> Self {
        let start = Position {
            byte: 0,
            line: 1,
            column: 1,
        };
        Self { start, end: start }
    }
}

/// A value together with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nothing needs to change.
    Note,
    /// The network runs, perhaps not as it was meant.
    Warning,
    /// The manifest cannot be run.
    Error,
}

/// Something wrong in a manifest, with its place and the next step. Its texts hold no character that a terminal
/// would obey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The place of the problem.
    #[serde(flatten)]
    pub span: Span,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Another place that belongs to the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
}

/// A second place that explains a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// Where it is.
    #[serde(flatten)]
    pub span: Span,
}

impl Problem {
    /// A problem that keeps the manifest from being run.
    pub fn error(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, span, message.as_ref())
    }

    /// A problem with which the network still runs.
    pub fn warning(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, span, message.as_ref())
    }

    /// Something good to know.
    pub fn note(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Note, span, message.as_ref())
    }

    /// A problem that matters this much.
    pub fn new(severity: Severity, span: Span, message: &str) -> Self {
        #[cfg(test)]
        MADE.set(MADE.get() + 1);
        Self {
            severity,
            message: text::escape(message),
            span,
            hint: None,
            related: None,
        }
    }

    /// The same problem with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(text::escape(hint.as_ref()));
        self
    }

    /// The same problem with a second place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl AsRef<str>) -> Self {
        self.related = Some(Related {
            message: text::escape(message.as_ref()),
            span,
        });
        self
    }
}

/// How many errors are collected, and how many problems of other kinds.
pub const KEPT_MAX: usize = 1_000;

/// The problems of a manifest as they are found. A thousand errors are enough: then [`Problems::is_full`] says that
/// nothing more has to be looked for, so that a manifest does not cost more because more of it is wrong.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    errors: usize,
    others: usize,
}

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Problem) {
        let count = if problem.severity == Severity::Error {
            &mut self.errors
        } else {
            &mut self.others
        };
        if *count < KEPT_MAX {
            self.kept.push(problem);
        }
        *count += 1;
    }

    /// Adds a problem that is not an error. It is made only if it is kept: a manifest that can be run may have any
    /// number of them.
    pub fn push_remark(&mut self, problem: impl FnOnce() -> Problem) {
        if self.others < KEPT_MAX {
            self.push(problem());
        } else {
            self.others += 1;
        }
    }

    /// Adds several problems.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            self.push(problem);
        }
    }

    /// Whether nothing more has to be looked for.
    pub fn is_full(&self) -> bool {
        self.errors >= KEPT_MAX
    }

    /// Whether there is no problem.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether one of the problems keeps the manifest from being run.
    pub fn any_error(&self) -> bool {
        self.errors > 0
    }

    /// The problems that were kept, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.kept
    }
}

/// Whether any of the problems keeps the manifest from being run.
pub fn any_error(problems: &[Problem]) -> bool {
    problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
}

#[cfg(test)]
thread_local! {
    /// How many problems this thread has made, kept or not.
    pub(crate) static MADE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
