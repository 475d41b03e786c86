//! The problems that an agent reports to the manager without being asked.

use super::{
    crowd::Crowd, limited::Refusals, listeners::Listeners, outbox::Outbox,
    refused_asks::RefusedAsks, rights::Rights,
};
use crate::{
    destination::Destination,
    time::Instant,
    wire::{
        Cause, Failure,
        control::{Event, ProblemCode, ProblemReport},
    },
};

/// The maximum number of problems that are reported. The manager keeps one more, which says how many were left out.
const PROBLEMS_MAX: usize = 63;

/// Everything on this host that does not work or was refused, except listeners.
#[derive(Default)]
pub(super) struct Reports {
    /// Files that could not be written.
    pub(super) files: Vec<ProblemReport>,
    /// The last notice about files that nobody has asked for and that could not be written.
    pub(super) no_files: Option<String>,
    /// The reason why this agent will have to wait for its ports when it is started again; `None` if it will not have
    /// to wait.
    pub(super) no_place: Option<ProblemReport>,
    /// The parts of the configuration that the limits of this machine do not permit.
    pub(super) denied: Vec<ProblemReport>,
    /// The actions that the limits of this machine have refused since the last configuration.
    pub(super) refusals: Refusals,
    /// The hosts that want more connections to this host than their share.
    pub(super) crowd: Crowd,
    /// The requests of other hosts that the policy has refused.
    pub(super) refused_asks: RefusedAsks,
}

impl Reports {
    /// Notes an action that the limits of this machine do not permit. Reports of such actions are rate-limited.
    pub(super) fn note_refused(
        &mut self,
        now: Instant,
        verb: &'static str,
        what: &str,
        reason: String,
        outbox: &mut Outbox,
    ) {
        outbox.note_problems_changed(self.refusals.note(now, verb, what, reason));
    }

    /// Notes that a destination was not dialled, or that the dial failed. A refusal by this machine's limits is
    /// reported.
    pub(super) fn note_not_dialled(
        &mut self,
        now: Instant,
        destination: &Destination,
        failure: &Failure,
        outbox: &mut Outbox,
    ) {
        if failure.cause == Cause::Limited {
            let reason = failure.reason.trim_end_matches('.').to_owned();
            let destination = destination.to_string();
            self.note_refused(now, "connect to", &destination, reason, outbox);
        }
    }

    /// Sends the manager the reports that are due.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        outbox.note_problems_changed(self.crowd.handle_timeout(now));
        outbox.note_problems_changed(self.refusals.is_due(now));
        let asks = self.refused_asks.poll(now);
        if !asks.is_empty() {
            outbox.tell(Event::Refused(asks));
        }
    }

    /// The time of the next call of [`Reports::handle_timeout`], and its reason.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let crowd = self.crowd.poll_timeout();
        let refusals = self.refusals.due();
        let refusals = refusals.map(|at| (at, "what was refused, in sum"));
        let asks = self.refused_asks.due().map(|at| (at, "what was refused"));
        crowd.into_iter().chain(refusals).chain(asks).min()
    }

    /// The current problems. If there are more than the manager keeps, the last one says how many were left out.
    pub(super) fn problems(&self, listeners: &Listeners, rights: &Rights) -> Vec<ProblemReport> {
        let mut problems: Vec<_> = listeners.failed().collect();
        problems.extend(self.files.iter().chain(&self.no_place).cloned());
        problems.extend(listeners.denied());
        problems.extend(self.denied.iter().cloned());
        problems.extend(self.refusals.reports());
        problems.extend(self.crowd.problems(|host| rights.called(host)));
        told(problems)
    }
}

/// Cuts the list to as many problems as the manager keeps, and adds a problem that says how many were left out.
fn told(mut problems: Vec<ProblemReport>) -> Vec<ProblemReport> {
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        problems.truncate(PROBLEMS_MAX);
        problems.push(ProblemReport {
            what: format!("do {more} more things"),
            reason: "what is listed before comes first".to_owned(),
            code: Some(ProblemCode::More),
            ..ProblemReport::default()
        });
    }
    problems
}
