//! Puts events into words. This is the only code that makes sentences of events. The terminal, the log and the app's
//! report show these sentences, and the control socket sends one with each line of the log.

use std::fmt;

use super::{
    event::Event,
    install::InstallStep,
    snapshot::{HostState, Retry},
};
use crate::text::figures::{self, countdown, counted, latency};

/// An event in words, without its host and its time, because each user interface shows those in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The event itself: "is waiting".
    pub what: String,
    /// The details: a reason and the next retry, or everything that has changed.
    pub details: Vec<String>,
}

impl Event {
    /// The event in words.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::Host {
                state,
                reason,
                retry,
                ..
            } => Sentence {
                what: state.says(),
                details: reason
                    .iter()
                    .cloned()
                    .chain(retry.map(Retry::promise))
                    .collect(),
            },
            Self::Reloaded { changes, grants } if changes.is_empty() && grants.is_empty() => {
                Sentence::alone("the manifest was reloaded; nothing has changed")
            }
            Self::Reloaded { changes, grants } => {
                let grants = grants.iter().map(|grant| format!("new: {grant}"));
                Sentence {
                    what: "the manifest was reloaded".to_owned(),
                    details: changes.iter().cloned().chain(grants).collect(),
                }
            }
            Self::Held { grants } => Sentence {
                what: "the manifest has changed, and the whole change waits for your approval, because of what it grants"
                    .to_owned(),
                details: grants.clone(),
            },
            Self::Hopeless { hosts: 1 } => Sentence::alone("the only host cannot start with these settings"),
            Self::Hopeless { hosts } => Sentence::alone(&format!(
                "none of the {} can start with these settings",
                counted(*hosts, "host")
            )),
            Self::Step {
                step,
                took_ms,
                bytes,
                ..
            } => Sentence::alone(&step.says(*took_ms, *bytes)),
            Self::Refused { text, .. } | Self::Warning { text, .. } => Sentence::alone(text),
            Self::Stderr { line, .. } => Sentence::alone(line),
        }
    }

    /// The text before the sentence in a line: the host, if the event is about one.
    pub fn about(&self) -> String {
        match self {
            Self::Host { host, vip, .. }
            | Self::Refused { host, vip, .. }
            | Self::Step { host, vip, .. } => format!("{host} ({vip}) "),
            Self::Warning { host, vip, .. } => format!("{host} ({vip}): warning: "),
            Self::Stderr { host, vip, .. } => format!("{host} ({vip}) | "),
            Self::Reloaded { .. } | Self::Held { .. } | Self::Hopeless { .. } => String::new(),
        }
    }

    /// The event as a line of a log.
    pub fn line(&self) -> String {
        format!("{}{}", self.about(), self.sentence())
    }
}

impl Sentence {
    /// A sentence without details.
    fn alone(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            details: Vec::new(),
        }
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut before = ": ";
        for detail in &self.details {
            write!(f, "{before}{detail}")?;
            before = "; ";
        }
        Ok(())
    }
}

impl HostState {
    /// The state as the part of a sentence that follows the name of the host: "is ready", "needs input".
    fn says(self) -> String {
        let word = self.word();
        if matches!(self, Self::NeedsYou | Self::Refused) {
            return word.to_owned();
        }
        format!("is {word}")
    }
}

impl Retry {
    /// The next retry in words, for a line that is not updated later: "attempt 3 in 4 s".
    pub fn promise(self) -> String {
        self.after(self.pause_ms)
    }

    /// The next retry in words, with the time that is left at `now_ms` on the manager's clock: "attempt 3 in 4 s".
    pub fn at(self, now_ms: u64) -> String {
        self.after(self.at_ms.saturating_sub(now_ms))
    }

    fn after(self, millis: u64) -> String {
        format!("attempt {} in {}", self.attempt, countdown(millis))
    }
}

impl InstallStep {
    /// Says that the step is over.
    fn says(self, took_ms: u64, bytes: u64) -> String {
        let took = latency(took_ms.saturating_mul(1_000));
        match self {
            Self::Connect => format!("has a shell, which answered in {took}"),
            Self::Upload => format!("was sent an agent, {} in {took}", figures::bytes(bytes)),
            Self::Verify => format!("has checked the agent in {took}"),
            Self::Start => format!("has started the agent in {took}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn became(state: HostState, reason: Option<&str>) -> Event {
        let pause_ms = 3_200;
        let retry = Retry {
            attempt: 3,
            at_ms: 10_000,
            pause_ms,
        };
        Event::Host {
            host: "db".to_owned(),
            vip: "127.0.42.102".to_owned(),
            state,
            reason: reason.map(str::to_owned),
            retry: (state == HostState::Waiting).then_some(retry),
        }
    }

    #[test]
    fn every_event_is_a_sentence() {
        let (host, vip) = ("db".to_owned(), "127.0.42.102".to_owned());
        let line = "listening".to_owned();
        let text = "its agent is slow".to_owned();
        let of = |changes: &[&str], grants: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            let (changes, grants) = (texts(changes), texts(grants));
            Event::Reloaded { changes, grants }
        };
        for (event, told) in [
            (became(HostState::Ready, None), "db (127.0.42.102) is ready"),
            (
                became(HostState::Waiting, Some("exit 255")),
                "db (127.0.42.102) is retrying: exit 255; attempt 3 in 4 s",
            ),
            (
                became(HostState::NeedsYou, Some("its command asks: password:")),
                "db (127.0.42.102) needs input: its command asks: password:",
            ),
            (
                of(&[], &[]),
                "the manifest was reloaded; nothing has changed",
            ),
            (
                of(&["db was added"], &["db has a proxy"]),
                "the manifest was reloaded: db was added; new: db has a proxy",
            ),
            (
                Event::Hopeless { hosts: 1 },
                "the only host cannot start with these settings",
            ),
            (
                Event::Hopeless { hosts: 2 },
                "none of the 2 hosts can start with these settings",
            ),
            (
                Event::Stderr {
                    host: host.clone(),
                    vip: vip.clone(),
                    line,
                },
                "db (127.0.42.102) | listening",
            ),
            (
                Event::Warning { host, vip, text },
                "db (127.0.42.102): warning: its agent is slow",
            ),
        ] {
            assert_eq!(event.line(), told);
        }
        let held = Event::Held {
            grants: vec!["a".to_owned(), "b".to_owned()],
        };
        assert!(held.line().ends_with("because of what it grants: a; b"));
    }

    #[test]
    fn a_next_try_counts_down() {
        let retry = Retry {
            attempt: 1,
            at_ms: 10_000,
            pause_ms: 500,
        };
        assert_eq!(retry.promise(), "attempt 1 in 1 s");
        assert_eq!(
            [7_100, 9_999, 10_000, 11_000].map(|now_ms| retry.at(now_ms)),
            [
                "attempt 1 in 3 s",
                "attempt 1 in 1 s",
                "attempt 1 in 0 s",
                "attempt 1 in 0 s"
            ]
        );
    }
}
