//! Parses the messages of an agent, shortens their texts, and makes these safe to show.

use super::loss::said;
use crate::wire::control::{
    Event, Message, Outcome, ProblemReport, RawEvent, RefusedAsk, RouteSuggestion,
};

/// How many problems of a host are kept. A person does not need more of them.
pub(super) const PROBLEMS_MAX: usize = 64;

/// How many refusals of one event are read. The rest is ignored.
const REFUSED_MAX: usize = 256;

/// A message of an agent.
pub(super) enum Said {
    /// The answer to a request, unchanged.
    Result(Outcome),
    /// All problems of the agent's host.
    Problems(Vec<ProblemReport>),
    /// A text that people should see.
    Notice(String),
    /// An address that is behind a gateway.
    Suggestion(RouteSuggestion),
    /// The destinations that the agent's policy has refused to other hosts.
    Refused(Vec<RefusedAsk>),
    /// An event of a type that this manager does not know.
    Unknown,
    /// A message that a correct agent never sends.
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
