//! What does not work on an agent's host, as the agent reports it: not faster than anybody can read.

use std::time::Duration;

use super::counter::Counter;
use crate::{time::Instant, wire::control::ProblemReport};

/// How many times within [`CHANGES_WINDOW`] an agent may change its problems. Of further changes only the last is
/// reported, and later.
pub(super) const CHANGES_MAX: u32 = 20;

/// The window of [`CHANGES_MAX`].
pub(super) const CHANGES_WINDOW: Duration = Duration::from_mins(1);

/// The problems of a host.
pub(super) struct Problems {
    shown: Vec<ProblemReport>,
    changes: Counter,
    /// The newest ones, since they changed too often to be shown at once.
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
    /// The problems that people see.
    pub(super) fn shown(&self) -> &[ProblemReport] {
        &self.shown
    }

    /// Takes a report, which has all problems of the host; true if people see something else from now on.
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

    /// Shows the last of the changes that came too fast, if it is time; true if people see something else from now on.
    pub(super) fn settle(&mut self, now: Instant) -> bool {
        if !self.changes.is_over(now) {
            return false;
        }
        let unsettled = self.unsettled.take();
        unsettled.is_some_and(|problems| self.take(now, problems))
    }

    /// When to call [`Problems::settle`].
    pub(super) fn due(&self) -> Option<Instant> {
        self.unsettled.as_ref().map(|_| self.changes.end())
    }
}
