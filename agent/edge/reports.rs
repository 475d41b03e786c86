//! The problems that an agent reports to its manager.

use super::{
    crowd::Crowd, limited::Refused, outbox::Outbox, places::Places, refusals::Refusals,
    rights::Rights,
};
use crate::{
    destination::Destination,
    time::Instant,
    wire::{
        Cause, Failure,
        control::{Event, ProblemCode, ProblemReport},
    },
};

/// How many problems are reported. The last place in the manager's list is for the number of the others.
const PROBLEMS_MAX: usize = 63;

/// The problems of this host, except those of listeners, which `Places` has.
#[derive(Default)]
pub(super) struct Reports {
    /// Problems with the files for other programs.
    pub(super) files: Vec<ProblemReport>,
    /// Why a later start of this agent will have to wait for its ports. `None` if it will not.
    pub(super) no_place: Option<ProblemReport>,
    /// The parts of the configuration that this machine's limits do not permit.
    pub(super) denied: Vec<ProblemReport>,
    /// Actions that the limits have refused since the last configuration.
    pub(super) refused: Refused,
    /// The hosts that want more than their share of this one.
    pub(super) crowd: Crowd,
    /// Destinations that the policy has refused to other hosts.
    pub(super) refusals: Refusals,
}

impl Reports {
    /// Notes that the limits have refused an action. Reports about refusals have a bounded rate.
    pub(super) fn note_refused(
        &mut self,
        now: Instant,
        verb: &'static str,
        what: &str,
        reason: String,
        outbox: &mut Outbox,
    ) {
        outbox.note_news(self.refused.note(now, verb, what, reason));
    }

    /// Notes that a destination was not dialled, or that the dial has failed. If the limits were the reason, that is
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

    /// Queues the reports that are due for the manager.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        outbox.note_news(self.crowd.handle_timeout(now));
        outbox.note_news(self.refused.is_due(now));
        let refused = self.refusals.poll(now);
        if !refused.is_empty() {
            outbox.tell(Event::Refused(refused));
        }
    }

    /// The time of the next call of [`Reports::handle_timeout`], and its reason.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let crowd = self.crowd.poll_timeout();
        let refused = self.refused.due();
        let refused = refused.map(|at| (at, "what was refused, in sum"));
        let refusals = self.refusals.due().map(|at| (at, "what was refused"));
        crowd.into_iter().chain(refused).chain(refusals).min()
    }

    /// Everything that does not work at the moment, limited to the length of the manager's list.
    pub(super) fn problems(&self, places: &Places, rights: &Rights) -> Vec<ProblemReport> {
        let mut problems: Vec<_> = places.failed().collect();
        problems.extend(self.files.iter().chain(&self.no_place).cloned());
        problems.extend(places.denied());
        problems.extend(self.denied.iter().cloned());
        problems.extend(self.refused.reports());
        problems.extend(self.crowd.problems(|host| rights.called(host)));
        told(problems)
    }
}

/// The first problems, and one entry with the number of the others.
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
