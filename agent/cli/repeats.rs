//! Decides which lines about a host with trouble are repetitions. A host that stays broken is tried again and again,
//! and each try writes the same lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::view::{Event, HostState};

/// How many different lines of a host are remembered. Further ones are always shown.
const LINES_MAX: usize = 64;

/// Whether an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    Show,
    /// The host is still lost. The event is shown with the number of tries so far, and with the time at which the host
    /// was lost, in milliseconds since 1970.
    Still {
        tries: u32,
        since_ms: u64,
    },
    /// The event repeats what was shown.
    LeaveOut,
}

/// The events of each host that were shown since the host was last up.
#[derive(Default)]
pub(super) struct Repeats(BTreeMap<String, Told>);

#[derive(Default)]
struct Told {
    lines: BTreeSet<String>,
    /// When the host was lost, in milliseconds since 1970; `None` if it was not lost since it was last up.
    lost_ms: Option<u64>,
}

impl Repeats {
    /// Judges an event, and remembers it. `now_ms` is the present time, in milliseconds since 1970. While a host stays
    /// lost, repeated lines are left out. Its state is shown again at every try whose number is a power of two, so that
    /// people see that the host is still tried.
    pub(super) fn judge(&mut self, event: &Event, now_ms: u64) -> Judgement {
        match event {
            Event::Stderr { host, line, .. } => {
                let told = self.0.entry(host.clone()).or_default();
                if told.is_new(line) || told.lost_ms.is_none() {
                    return Judgement::Show;
                }
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
                let since_ms = *told.lost_ms.get_or_insert(now_ms);
                if told.is_new(reason) {
                    return Judgement::Show;
                }
                match retry.map(|retry| retry.attempt) {
                    Some(tries) if tries.is_power_of_two() => Judgement::Still { tries, since_ms },
                    Some(_) | None => Judgement::LeaveOut,
                }
            }
            Event::Host { host, state, .. } => {
                if state.is_up() || state.is_over() {
                    self.0.remove(host);
                }
                Judgement::Show
            }
            Event::Reloaded { .. } => {
                // After a reload, nothing counts as repeated, because hosts may be gone or have other commands.
                self.0.clear();
                Judgement::Show
            }
            Event::Held { .. }
            | Event::Hopeless { .. }
            | Event::Refused { .. }
            | Event::Step { .. }
            | Event::Warning { .. } => Judgement::Show,
        }
    }
}

impl Told {
    /// Remembers a line, if there is room for it. Returns whether the line was not remembered before.
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
    fn a_host_that_stays_broken_is_told_once_and_then_seldom() {
        let mut repeats = Repeats::default();
        let mut shown = Vec::new();
        for attempt in 1..=9 {
            let now_ms = u64::from(attempt) * 1_000;
            for event in [
                said("no such host"),
                became(HostState::Waiting, Some("status 255"), attempt),
            ] {
                match repeats.judge(&event, now_ms) {
                    Judgement::Show => shown.push((attempt, None)),
                    Judgement::Still { tries, since_ms } => shown.push((tries, Some(since_ms))),
                    Judgement::LeaveOut => {}
                }
            }
        }
        let since = Some(1_000);
        assert_eq!(
            shown,
            [(1, None), (1, None), (2, since), (4, since), (8, since)]
        );
    }

    #[test]
    fn another_line_or_another_reason_is_shown_at_once() {
        let mut repeats = Repeats::default();
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1), 0);
        for event in [said("x"), became(HostState::Waiting, Some("b"), 3)] {
            assert_eq!(repeats.judge(&event, 0), Judgement::Show);
            assert_eq!(repeats.judge(&event, 0), Judgement::LeaveOut);
        }
    }

    #[test]
    fn a_host_that_is_up_may_repeat_itself() {
        let mut repeats = Repeats::default();
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1), 0);
        let _ = repeats.judge(&became(HostState::Ready, None, 0), 0);
        for event in [
            said("tick"),
            said("tick"),
            became(HostState::Waiting, Some("a"), 3),
        ] {
            assert_eq!(repeats.judge(&event, 0), Judgement::Show);
        }
    }

    #[test]
    fn what_is_remembered_of_a_host_has_a_bound() {
        let mut repeats = Repeats::default();
        let _ = repeats.judge(&became(HostState::Waiting, Some("a"), 1), 0);
        for number in 0..10 * LINES_MAX {
            let _ = repeats.judge(&said(&number.to_string()), 0);
        }
        assert_eq!(repeats.0["db"].lines.len(), LINES_MAX);
    }
}
