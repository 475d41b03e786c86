//! Parses an agent's messages, and makes their texts short and safe to show.

use super::said::said;
use crate::wire::control::{
    Event, Mark, Message, Outcome, ProblemReport, RawEvent, RefusedAsk, RouteSuggestion,
};

/// The maximum number of problems of a host that are kept. More would not help anybody.
pub(super) const PROBLEMS_MAX: usize = 64;

/// The maximum number of refused requests that are read from one event.
const REFUSED_MAX: usize = 256;

/// A message of an agent.
pub(super) enum Said {
    /// The answer to a request, not parsed further.
    Result(Outcome),
    /// All problems on the agent's host.
    Problems(Vec<ProblemReport>),
    /// A text that people should see.
    Notice(String),
    /// A suggestion of a route.
    Suggestion(RouteSuggestion),
    /// Requests of other hosts that the agent has refused because of the policy.
    Refused(Vec<RefusedAsk>),
    /// A place in the agent's stream.
    Mark(Mark),
    /// A message of a type that this version does not know.
    Unknown,
    /// A request, which only a manager makes.
    Request,
    /// A message that a correct agent never sends.
    Strange(&'static str),
}

impl Said {
    /// Parses a control frame.
    pub(super) fn read(json: &[u8]) -> Self {
        match Message::parse(json) {
            Ok(Message::Result(outcome)) => Self::Result(outcome),
            Ok(Message::Event(event)) => Self::read_event(event),
            Ok(Message::Request(_)) => Self::Request,
            Err(_) => Self::Strange("a message that cannot be read"),
        }
    }

    fn read_event(event: RawEvent) -> Self {
        match Event::try_from(event) {
            Ok(Event::Problems(mut problems)) => {
                problems.truncate(PROBLEMS_MAX);
                for problem in &mut problems {
                    problem.what = said(&problem.what);
                    problem.reason = said(&problem.reason);
                    problem.remedy = problem.remedy.as_deref().map(said);
                }
                Self::Problems(problems)
            }
            Ok(Event::Notice(text)) => Self::Notice(said(&text)),
            Ok(Event::RouteSuggestion(suggestion)) => Self::Suggestion(suggestion),
            Ok(Event::Refused(mut refused)) => {
                refused.truncate(REFUSED_MAX);
                for ask in &mut refused {
                    ask.to = said(&ask.to);
                }
                Self::Refused(refused)
            }
            Ok(Event::Mark(mark)) => Self::Mark(mark),
            Ok(Event::Unknown(_)) => Self::Unknown,
            Err(_) => Self::Strange("an event that cannot be read"),
        }
    }
}
