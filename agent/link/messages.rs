//! What an agent says, made short and safe to show.

use super::loss::said;
use crate::wire::control::{
    Event, Message, Outcome, ProblemReport, RawEvent, RefusedAsk, RouteSuggestion,
};

/// How many problems of a host are kept. Nobody needs to see more.
pub(super) const PROBLEMS_MAX: usize = 64;

/// How many refusals in one event are looked at.
const REFUSED_MAX: usize = 256;

/// A message of an agent.
pub(super) enum Said {
    /// The answer to a request, as it came.
    Result(Outcome),
    /// Everything that does not work on its host.
    Problems(Vec<ProblemReport>),
    /// Something that people are to be told.
    Notice(String),
    /// A route.
    Suggestion(RouteSuggestion),
    /// What it has refused to other hosts, by the policy.
    Refused(Vec<RefusedAsk>),
    /// Something that only a newer manager knows.
    Unknown,
    /// Something that no well-behaved agent says.
    Strange(&'static str),
}

impl Said {
    /// Reads a control frame.
    pub(super) fn read(json: &[u8]) -> Self {
        match Message::parse(json) {
            Ok(Message::Result(outcome)) => Self::Result(outcome),
            Ok(Message::Event(event)) => Self::read_event(event),
            Ok(Message::Request(_)) => Self::Strange("a request, which agents do not make"),
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
            Ok(Event::Unknown(_)) => Self::Unknown,
            Err(_) => Self::Strange("an event that cannot be read"),
        }
    }
}
