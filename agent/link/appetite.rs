//! Compares the work that one agent causes with the agent's budget, and counts it by kind.

use std::{fmt, time::Duration};

use crate::{
    budget::{Effort, UNITS_PER_SECOND, Work},
    time::Instant,
};

/// The maximum number of units of work that an agent may save up. A burst of that size delays other agents by a few
/// milliseconds at most.
const UNITS_MAX: u32 = 512;

/// The number of units of work after which an agent's turn ends.
const TURN: u32 = 256;

/// If an agent exceeds its budget again within this time, the earlier overload continues. After a longer break, a new
/// overload begins.
const BREAK: Duration = Duration::from_secs(2);

/// An agent that has exceeded its budget for this long is reported.
const NAMED_AFTER: Duration = Duration::from_secs(2);

/// If an agent has exceeded its budget for this long with work that is useful to nobody, the agent is ended, and its
/// host is refused.
const REFUSED_AFTER: Duration = Duration::from_mins(1);

/// The kind of work that makes up most of an agent's overload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Packets of existing connections.
    Packets,
    /// New connections.
    Connections,
    /// Refused packets and refused connections.
    Refused,
    /// Control messages.
    Messages,
    /// Bytes beyond the receive window of the other end of their connection.
    Useless,
}

impl Excess {
    const ALL: [Self; 5] = [
        Self::Packets,
        Self::Connections,
        Self::Refused,
        Self::Messages,
        Self::Useless,
    ];

    /// Whether this kind of work is useless to everybody.
    const fn is_useless(self) -> bool {
        matches!(self, Self::Refused | Self::Messages | Self::Useless)
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Packets => "packets",
            Self::Connections => "new connections",
            Self::Refused => "packets and connections that may not pass",
            Self::Messages => "control messages",
            Self::Useless => "bytes that nobody takes yet",
        })
    }
}

/// Whether an agent has more work, and when it may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The agent need not wait: all of its output has been handled, or the rest may be handled at once.
    Done,
    /// More of the agent's output is left. It may be handled after other agents have had their turn.
    Yield,
    /// More of the agent's output may be left. It may not be handled before this time.
    Wait(Instant),
}

/// A report about an agent that exceeds its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saying {
    /// The agent is slowed down, mainly because of this kind of work.
    Named(Excess),
    /// The agent has exceeded its budget for too long, mainly with this kind of work.
    Refused(Excess),
}

/// The work that one agent has caused.
#[derive(Debug)]
pub(super) struct Appetite {
    work: Work,
    /// Units spent in the current turn.
    turn: u32,
    /// The time at which the overload began, and the last time that the agent had to wait; `None` if there was no
    /// overload yet.
    over: Option<(Instant, Instant)>,
    named: bool,
    /// Units spent since the overload began, by kind of [`Effort`].
    spent: [u64; 5],
}

impl Default for Appetite {
    fn default() -> Self {
        Self {
            work: Work::new(UNITS_PER_SECOND, UNITS_MAX),
            turn: 0,
            over: None,
            named: false,
            spent: [0; 5],
        }
    }
}

impl Appetite {
    /// Begins the agent's next turn.
    pub(super) fn begin_turn(&mut self) {
        self.turn = 0;
    }

    /// Charges work that the agent has caused.
    pub(super) fn spend(&mut self, now: Instant, effort: Effort) {
        let units = effort.units();
        self.turn = self.turn.saturating_add(units);
        self.work.spend(now, units);
        if let Some(spent) = self.spent.get_mut(index(effort)) {
            *spent += u64::from(units);
        }
    }

    /// Whether the agent may cause more work at once ([`Turn::Done`]), after other agents ([`Turn::Yield`]), or only
    /// later ([`Turn::Wait`]).
    pub(super) fn turn(&mut self, now: Instant) -> Turn {
        match self.work.wait(now) {
            Some(until) => Turn::Wait(until),
            None if self.turn >= TURN => Turn::Yield,
            None => Turn::Done,
        }
    }

    /// Notes that the agent has to wait. Returns a report about the overload; `None` if no report is due, or if it was
    /// already made.
    pub(super) fn note_wait(&mut self, now: Instant) -> Option<Saying> {
        let since = match self.over {
            Some((since, last)) if now - last < BREAK => since,
            _ => {
                (self.spent, self.named) = ([0; 5], false);
                now
            }
        };
        self.over = Some((since, now));
        let over_for = now - since;
        let excess = self.excess();
        if over_for >= REFUSED_AFTER && excess.is_useless() {
            return Some(Saying::Refused(excess));
        }
        let names = over_for >= NAMED_AFTER && !self.named;
        self.named |= names;
        names.then_some(Saying::Named(excess))
    }

    /// The kind of work that has cost the most units.
    fn excess(&self) -> Excess {
        let spent = Excess::ALL.into_iter().zip(self.spent);
        let most = spent.max_by_key(|(_, units)| *units);
        most.map_or(Excess::Packets, |(excess, _)| excess)
    }
}

/// The index of an effort in `spent`.
const fn index(effort: Effort) -> usize {
    match effort {
        Effort::Packet => 0,
        Effort::Connection => 1,
        Effort::Refused => 2,
        Effort::Message(_) => 3,
        Effort::Useless(_) => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    /// Lets an agent do one kind of work for this many seconds, and wait whenever it has to. Returns how often the
    /// agent did that work, and the reports with their times.
    fn gorge(effort: Effort, seconds: u64) -> (u64, Vec<(Instant, Saying)>) {
        let (mut appetite, mut now, mut count) = (Appetite::default(), at(0), 0);
        let mut said = Vec::new();
        while now < at(seconds * 1_000) {
            appetite.begin_turn();
            match appetite.turn(now) {
                Turn::Wait(until) => {
                    said.extend(appetite.note_wait(now).map(|saying| (now, saying)));
                    now = until;
                }
                Turn::Done | Turn::Yield => {
                    appetite.spend(now, effort);
                    count += 1;
                }
            }
        }
        (count, said)
    }

    #[test]
    fn each_kind_of_work_has_its_rate() {
        for (effort, rate) in [
            (Effort::Packet, 100_000),
            (Effort::Connection, 6_250),
            (Effort::Refused, 25_000),
            (Effort::Useless(100), 100_000),
            (Effort::Useless(60_000), 847),
            (Effort::Message(100), 7_000),
            (Effort::Message(256 << 10), 6),
        ] {
            let (count, _) = gorge(effort, 10);
            let each = count / 10;
            assert!(
                (rate * 9 / 10..=rate * 11 / 10 + 1).contains(&each),
                "{each} of {effort:?} a second"
            );
        }
    }

    #[test]
    fn the_greedy_are_named_once_and_refused_for_what_nobody_wants() {
        let (_, said) = gorge(Effort::Connection, 90);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].1, Saying::Named(Excess::Connections));
        assert!((at(2_000)..at(2_500)).contains(&said[0].0));
        let (_, said) = gorge(Effort::Refused, 61);
        assert_eq!(said[0].1, Saying::Named(Excess::Refused));
        assert_eq!(said[1].1, Saying::Refused(Excess::Refused));
        assert!((at(60_000)..at(60_500)).contains(&said[1].0));
    }

    #[test]
    fn a_turn_ends_after_some_work_and_a_break_forgives() {
        let mut appetite = Appetite::default();
        for _ in 0..TURN {
            assert_eq!(appetite.turn(at(0)), Turn::Done);
            appetite.spend(at(0), Effort::Packet);
        }
        assert_eq!(appetite.turn(at(0)), Turn::Yield);
        appetite.begin_turn();
        assert_eq!(appetite.turn(at(0)), Turn::Done);
        assert_eq!(appetite.note_wait(at(0)), None);
        assert_eq!(appetite.note_wait(at(1_900)), None);
        assert_eq!(appetite.note_wait(at(5_000)), None, "there was a break");
        assert_eq!(appetite.note_wait(at(6_900)), None);
        assert!(appetite.note_wait(at(7_000)).is_some());
    }
}
