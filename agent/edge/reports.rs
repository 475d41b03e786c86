//! What the manager is told of an agent's troubles without having asked.

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

/// How many problems are reported. A manager keeps one more, which counts the rest.
const PROBLEMS_MAX: usize = 63;

/// What does not work on this host, or was not allowed, beside the places where the agent listens.
#[derive(Default)]
pub(super) struct Reports {
    /// What is wrong with the files.
    pub(super) files: Vec<ProblemReport>,
    /// Why a later start of this agent will have to wait for its ports.
    pub(super) no_place: Option<ProblemReport>,
    /// The parts of the configuration that are not permitted.
    pub(super) denied: Vec<ProblemReport>,
    /// The refusals since the last configuration.
    pub(super) refusals: Refusals,
    /// The hosts that want more than their share of this one.
    pub(super) crowd: Crowd,
    /// What the policy has refused to other hosts.
    pub(super) refused_asks: RefusedAsks,
}

impl Reports {
    /// Notes that something was asked for and is not permitted. It is reported, but not at any rate.
    pub(super) fn note_refused(
        &mut self,
        now: Instant,
        verb: &'static str,
        what: &str,
        reason: String,
        outbox: &mut Outbox,
    ) {
        outbox.note_news(self.refusals.note(now, verb, what, reason));
    }

    /// Notes that a destination was not dialled, or could not be. If it was not permitted, that is reported.
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

    /// Tells the manager what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        outbox.note_news(self.crowd.handle_timeout(now));
        outbox.note_news(self.refusals.is_due(now));
        let asks = self.refused_asks.poll(now);
        if !asks.is_empty() {
            outbox.tell(Event::Refused(asks));
        }
    }

    /// When to call [`Reports::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let crowd = self.crowd.poll_timeout();
        let refusals = self.refusals.due();
        let refusals = refusals.map(|at| (at, "what was refused, in sum"));
        let asks = self.refused_asks.due().map(|at| (at, "what was refused"));
        crowd.into_iter().chain(refusals).chain(asks).min()
    }

    /// Everything that does not work at the moment, as far as anybody reads it.
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

/// As many problems as anybody reads, and the number of the others.
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
