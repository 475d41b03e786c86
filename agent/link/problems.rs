//! The problems that an agent reports about its host, rate-limited for people.

use std::time::Duration;

use super::counter::Counter;
use crate::{time::Instant, wire::control::ProblemReport};

/// The maximum number of changes of an agent's problems that are reported within [`CHANGES_WINDOW`]. If there are more,
/// the last one is reported when the window ends.
pub(super) const CHANGES_MAX: u32 = 20;

/// The length of the window in which at most [`CHANGES_MAX`] changes are reported.
pub(super) const CHANGES_WINDOW: Duration = Duration::from_mins(1);

/// The problems of a host.
pub(super) struct Problems {
    shown: Vec<ProblemReport>,
    changes: Counter,
    /// The newest problems, if they are held back because there were too many changes; otherwise `None`.
    unsettled: Option<Vec<ProblemReport>>,
}

impl Default for Problems {
    fn default() -> Self {
        Self {
            shown: Vec::new(),
            changes: Counter::within(CHANGES_WINDOW),
            unsettled: None,
        }
    }
}

impl Problems {
    /// The problems as people see them.
    pub(super) fn shown(&self) -> &[ProblemReport] {
        &self.shown
    }

    /// Stores a report, which has all problems of the host. Returns true if the visible problems have changed.
    pub(super) fn take(&mut self, now: Instant, problems: Vec<ProblemReport>) -> bool {
        self.unsettled = None;
        if problems == self.shown {
            return false;
        }
        if self.changes.count(now) > CHANGES_MAX {
            self.unsettled = Some(problems);
            return false;
        }
        self.shown = problems;
        true
    }

    /// Shows the problems that were held back, if the window has ended. Returns true if the visible problems have
    /// changed.
    pub(super) fn settle(&mut self, now: Instant) -> bool {
        if !self.changes.is_over(now) {
            return false;
        }
        let unsettled = self.unsettled.take();
        unsettled.is_some_and(|problems| self.take(now, problems))
    }

    /// The time of the next call to [`Problems::settle`]; `None` if no problems are held back.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unsettled.as_ref().map(|_| self.changes.end())
    }
}
