//! Decides which lines about a host with trouble are repetitions. A host that stays broken is tried again and again, and
//! each try writes the same lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::view::{Event, HostState};

/// How many different lines of a host are remembered. Further ones are always shown.
const LINES_MAX: usize = 64;

/// Whether an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The event is shown, and so is the number of repetitions that were left out before.
    Show { left_out: usize },
    /// The event repeats what was shown.
    LeaveOut,
}

/// What was shown of each host since it was last up.
#[derive(Default)]
pub(super) struct Repeats(BTreeMap<String, Told>);

#[derive(Default)]
struct Told {
    lines: BTreeSet<String>,
    /// Whether the host was lost since it was last up.
    is_lost: bool,
    left_out: usize,
}

impl Repeats {
    /// Judges an event, and remembers it. Of a host that stays lost, repeated lines are left out; its state is shown
    /// again at every try whose number is a power of two, so that people see that it goes on.
    pub(super) fn judge(&mut self, event: &Event) -> Judgement {
        const SHOW: Judgement = Judgement::Show { left_out: 0 };
        match event {
            Event::Stderr { host, line, .. } => {
                let told = self.0.entry(host.clone()).or_default();
                if told.is_new(line) || !told.is_lost {
                    return SHOW;
                }
                told.left_out += 1;
                Judgement::LeaveOut
            }
            Event::Host {
                host,
                state: HostState::Waiting,
                reason: Some(reason),
                retry,
                ..
            } => {
                let told = self.0.entry(host.clone()).or_default();
                told.is_lost = true;
                let is_milestone = retry.is_none_or(|retry| retry.attempt.is_power_of_two());
                if told.is_new(reason) || is_milestone {
                    let left_out = std::mem::take(&mut told.left_out);
                    return Judgement::Show { left_out };
                }
                told.left_out += 1;
                Judgement::LeaveOut
            }
            Event::Host { host, state, .. } => {
                if state.is_up() || state.is_over() {
                    self.0.remove(host);
                }
                SHOW
            }
            Event::Reloaded { .. } => {
                // Hosts may be gone or have other commands, so that everything is told anew.
                self.0.clear();
                SHOW
            }
            Event::Held { .. }
            | Event::Hopeless { .. }
            | Event::Refused { .. }
            | Event::Warning { .. } => SHOW,
        }
    }
}

impl Told {
    /// Remembers a line. Whether it was not told before, or could not be remembered.
    fn is_new(&mut self, line: &str) -> bool {
        if self.lines.contains(line) {
            return false;
        }
        if self.lines.len() < LINES_MAX {
            self.lines.insert(line.to_owned());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Retry;

    fn said(line: &str) -> Event {
        Event::Stderr {
            host: "db".to_owned(),
            vip: String::new(),
            line: line.to_owned(),
        }
    }

    fn became(state: HostState, reason: Option<&str>, attempt: u32) -> Event {
        let retry = Retry {
            attempt,
            at_ms: 0,
            pause_ms: 0,
        };
        Event::Host {
            host: "db".to_owned(),
            vip: String::new(),
            state,
            reason: reason.map(str::to_owned),
            retry: (state == HostState::Waiting).then_some(retry),
        }
    }

    #[test]
    fn a_host_that_stays_broken_is_told_once_and_then_counted() {
        let mut repeats = Repeats::default();
        let mut shown = Vec::new();
        for attempt in 1..=9 {
            for event in [
                said("no such host"),
                became(HostState::Starting, None, 0),
                became(HostState::Waiting, Some("status 255"), attempt),
            ] {
                let is_told = !matches!(
                    event,
                    Event::Host {
                        state: HostState::Starting,
                        ..
                    }
                );
                if let (true, Judgement::Show { left_out }) = (is_told, repeats.judge(&event)) {
                    shown.push((attempt, left_out));
                }
            }
        }
        assert_eq!(shown, [(1, 0), (1, 0), (2, 1), (4, 3), (8, 7)]);
    }

    #[test]
    fn another_line_or_another_reason_is_shown_at_once() {
        let mut repeats = Repeats::default();
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1));
        for (event, left_out) in [
            (said("x"), 0),
            (became(HostState::Waiting, Some("b"), 3), 1),
        ] {
            assert_eq!(repeats.judge(&event), Judgement::Show { left_out });
            assert_eq!(repeats.judge(&event), Judgement::LeaveOut);
        }
    }

    #[test]
    fn a_host_that_is_up_may_repeat_itself() {
        let mut repeats = Repeats::default();
        let show = Judgement::Show { left_out: 0 };
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1));
        let _ = repeats.judge(&became(HostState::Ready, None, 0));
        for event in [
            said("tick"),
            said("tick"),
            became(HostState::Waiting, Some("a"), 3),
        ] {
            assert_eq!(repeats.judge(&event), show);
        }
    }

    #[test]
    fn what_is_remembered_of_a_host_has_a_bound() {
        let mut repeats = Repeats::default();
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1));
        for number in 0..10 * LINES_MAX {
            let _ = repeats.judge(&said(&number.to_string()));
        }
        assert_eq!(repeats.0["db"].lines.len(), LINES_MAX);
    }
}
