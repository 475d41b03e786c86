//! The problems in a manifest, with their places. Problems are only values here: other modules print them.

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

/// A range of the text of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// The first position in the range.
    pub start: Position,
    /// The first position after the range.
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
    /// The value as it was written.
    pub value: T,
    /// The place where the value was written.
    pub span: Span,
}

/// The severity of a [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The problem is only good to know. Nothing needs to change.
    Note,
    /// The network runs, but perhaps not as its author meant it to.
    Warning,
    /// The manifest cannot be run.
    Error,
}

/// Something wrong in a manifest, with its place and the next step. Unsafe characters in the texts are escaped, so that
/// a terminal can show the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The severity of the problem.
    pub severity: Severity,
    /// The kind of the problem, for programs; only problems of commands have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The place of the problem.
    #[serde(flatten)]
    pub span: Span,
    /// What a person can do about the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Another place that belongs to the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
}

/// A second place that explains a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// An explanation of this place.
    pub message: String,
    /// The place that explains the problem.
    #[serde(flatten)]
    pub span: Span,
}

impl Problem {
    /// A problem that prevents the manifest from being run.
    pub fn error(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, span, message.as_ref())
    }

    /// A problem that does not prevent the network from running.
    pub fn warning(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, span, message.as_ref())
    }

    /// A problem that is only good to know.
    pub fn note(span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Note, span, message.as_ref())
    }

    /// A problem with this severity.
    pub fn new(severity: Severity, span: Span, message: &str) -> Self {
        #[cfg(test)]
        MADE.set(MADE.get() + 1);
        Self {
            severity,
            code: None,
            message: text::escape(message),
            span,
            hint: None,
            related: None,
        }
    }

    /// Adds the next step: what a person can do about the problem.
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(text::escape(hint.as_ref()));
        self
    }

    /// Adds the kind of the problem, for programs.
    #[must_use]
    pub const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Adds a second place that explains the problem.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl AsRef<str>) -> Self {
        self.related = Some(Related {
            message: text::escape(message.as_ref()),
            span,
        });
        self
    }
}

/// The maximum number of errors that are collected. The same maximum applies to all other problems together.
pub const KEPT_MAX: usize = 1_000;

/// Collects the problems of a manifest. After [`KEPT_MAX`] errors, [`Problems::is_full`] says that the search for
/// problems may stop. This limits the work for a manifest with very many errors.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    errors: usize,
    others: usize,
}

impl Problems {
    /// Adds a problem. A part of the file that several hosts merge or refer to is checked once for each of them, but
    /// the same problem is kept only once.
    pub fn push(&mut self, problem: Problem) {
        if self.kept.contains(&problem) {
            return;
        }
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

    /// Adds a problem that is not an error. The problem is created only if it is kept, because even a manifest that can
    /// be run may have any number of such problems.
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

    /// Whether so many errors were found that the search for problems may stop.
    pub fn is_full(&self) -> bool {
        self.errors >= KEPT_MAX
    }

    /// Whether there is no problem.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether one of the problems prevents the manifest from being run.
    pub fn any_error(&self) -> bool {
        self.errors > 0
    }

    /// The problems that were kept, in the order in which they were found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.kept
    }
}

/// Whether any of the problems prevents the manifest from being run.
pub fn any_error(problems: &[Problem]) -> bool {
    problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
}

#[cfg(test)]
thread_local! {
    /// The number of problems that this thread has created, kept or not.
    pub(crate) static MADE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
