//! The problems of a host as its agent reports them, shown at a rate that people can read.

use std::time::Duration;

use super::counter::Counter;
use crate::{time::Instant, wire::control::ProblemReport};

/// How many times within [`CHANGES_WINDOW`] the problems may change. If there are more changes, only the last one is
/// shown, at the end of the window.
pub(super) const CHANGES_MAX: u32 = 20;

/// The window of [`CHANGES_MAX`].
pub(super) const CHANGES_WINDOW: Duration = Duration::from_mins(1);

/// The problems of a host.
pub(super) struct Problems {
    shown: Vec<ProblemReport>,
    changes: Counter,
    /// The newest problems, if they have not been shown because of too many changes. `None` if `shown` is the newest.
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
    /// The problems that people can see.
    pub(super) fn shown(&self) -> &[ProblemReport] {
        &self.shown
    }

    /// Takes a report, which has all problems of the host. Returns true if the shown problems change.
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

    /// At the end of the window, shows the last change that was held back. Returns true if the shown problems change.
    pub(super) fn settle(&mut self, now: Instant) -> bool {
        if !self.changes.is_over(now) {
            return false;
        }
        let unsettled = self.unsettled.take();
        unsettled.is_some_and(|problems| self.take(now, problems))
    }

    /// When to call [`Problems::settle`]. `None` if no change is held back.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unsettled.as_ref().map(|_| self.changes.end())
    }
}
