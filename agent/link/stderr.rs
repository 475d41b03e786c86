//! An agent's standard error. The last lines are kept, and a limited number of lines is shown.

use std::{collections::VecDeque, time::Duration};

use crate::{budget::Work, text, text::figures::counted, time::Instant};

/// The maximum number of lines that are shown in one burst. A program that is asked to be verbose (`ssh -vvv`) writes a
/// few hundred.
const BURST_MAX: u32 = 2_000;

/// The number of further lines that are shown per second, on average. This is enough for a verbose command that is
/// tried again every half minute.
const STEADY: u32 = 4;

/// Lines that are left out are counted. The count is shown when no line has come for this long.
const QUIET: Duration = Duration::from_secs(1);

/// If the lines never pause, the count of the lines that were left out is shown after this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line that is longer than this many bytes counts as several lines.
const LINE: usize = 160;

/// The number of recent lines that are kept, shown or not.
const TAIL_MAX: usize = 20;

#[derive(Debug)]
pub(super) struct Stderr {
    tail: VecDeque<String>,
    budget: Work,
    /// The lines that were left out since the last shown line; `None` if there are none.
    left_out: Option<LeftOut>,
    /// Whether the last line of the tail was shown. It also counts as shown if it repeats the line that was shown.
    is_last_shown: bool,
}

/// Lines that are not shown.
#[derive(Clone, Copy, Debug)]
struct LeftOut {
    kind: Kind,
    count: usize,
    first: Instant,
    last: Instant,
}

/// The reason why lines are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The lines repeat the line before them.
    Repeats,
    /// The lines came too fast.
    Flood,
}

impl Default for Stderr {
    fn default() -> Self {
        Self {
            tail: VecDeque::new(),
            // The budget may fall below zero by one line, so the limit is one line lower.
            budget: Work::new(STEADY, BURST_MAX - 1),
            left_out: None,
            is_last_shown: false,
        }
    }
}

impl Stderr {
    /// Stores a line, and returns the lines to show: none, or the line itself, perhaps after a note about lines that
    /// were not shown.
    pub(super) fn push(&mut self, now: Instant, line: &[u8]) -> Vec<String> {
        let line = text::escape_line(line.strip_suffix(b"\r").unwrap_or(line));
        let is_repeat = self.is_last_shown && self.tail.back() == Some(&line);
        if self.tail.len() == TAIL_MAX {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        let mut shown = self.settle(now);
        let is_flooded = |it: &LeftOut| it.kind == Kind::Flood;
        let kind = if is_repeat && shown.is_empty() {
            Kind::Repeats
        } else if self.left_out.as_ref().is_some_and(is_flooded) || self.budget.wait(now).is_some()
        {
            Kind::Flood
        } else {
            shown.extend(self.told());
            let lines = line.len().div_ceil(LINE).max(1);
            self.budget
                .spend(now, u32::try_from(lines).unwrap_or(u32::MAX));
            self.is_last_shown = true;
            shown.push(line);
            return shown;
        };
        if self.left_out.as_ref().is_some_and(|it| it.kind != kind) {
            shown.extend(self.told());
        }
        self.is_last_shown = kind == Kind::Repeats;
        let left_out = self.left_out.get_or_insert(LeftOut {
            kind,
            count: 0,
            first: now,
            last: now,
        });
        (left_out.count, left_out.last) = (left_out.count + 1, now);
        shown
    }

    /// The note about lines that were left out, if it is due.
    pub(super) fn settle(&mut self, now: Instant) -> Vec<String> {
        let is_due = self.due().is_some_and(|due| due <= now);
        is_due.then(|| self.told()).flatten().into_iter().collect()
    }

    /// The note about lines that were left out. After it, the next line is shown even if it is the same again.
    pub(super) fn told(&mut self) -> Option<String> {
        let left_out = self.left_out.take()?;
        self.is_last_shown = false;
        Some(match (left_out.kind, left_out.count) {
            (Kind::Repeats, 1) => "(this line came once more)".to_owned(),
            (Kind::Repeats, count) => format!("(this line came {count} more times)"),
            (Kind::Flood, count) => format!("({} not shown)", counted(count, "line")),
        })
    }

    /// When to call [`Stderr::settle`].
    pub(super) fn due(&self) -> Option<Instant> {
        let left_out = self.left_out.as_ref()?;
        Some((left_out.last + QUIET).min(left_out.first + PATIENCE))
    }

    pub(super) fn tail(&self) -> impl Iterator<Item = &str> {
        self.tail.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::ZERO;

    /// The lines that are shown when all of `lines` come at one moment.
    fn shown(
        stderr: &mut Stderr,
        now: Instant,
        lines: impl Iterator<Item = String>,
    ) -> Vec<String> {
        let shown = lines.map(|line| stderr.push(now, line.as_bytes()));
        shown.flatten().collect()
    }

    fn numbered(count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|number| number.to_string())
    }

    #[test]
    fn a_burst_is_shown_and_the_rest_of_a_flood_is_counted() {
        let mut stderr = Stderr::default();
        assert_eq!(shown(&mut stderr, START, numbered(3_000)).len(), 2_000);
        assert_eq!(stderr.tail().last(), Some("2999"));
        assert_eq!(stderr.tail().count(), TAIL_MAX);
        // The count is shown even if no further line comes.
        assert_eq!(stderr.due(), Some(START + QUIET));
        assert_eq!(stderr.settle(START), [""; 0]);
        assert_eq!(stderr.settle(START + QUIET), ["(1000 lines not shown)"]);
        assert_eq!(stderr.due(), None);
        let later = START + Duration::from_mins(20);
        assert_eq!(stderr.push(later, b"calm\r"), ["calm"]);
        assert_eq!(shown(&mut stderr, later, numbered(3_000)).len(), 1_999);
    }

    #[test]
    fn long_lines_use_up_the_budget_of_many() {
        let mut stderr = Stderr::default();
        let long = (0..3_000).map(|number| format!("{number} {}", "x".repeat(16_000)));
        let bytes: usize = shown(&mut stderr, START, long)
            .iter()
            .map(String::len)
            .sum();
        assert!(bytes <= 340_000, "{bytes}");
    }

    #[test]
    fn a_flood_without_a_pause_is_told_of_from_time_to_time() {
        let mut stderr = Stderr::default();
        let _ = shown(&mut stderr, START, numbered(2_001));
        let mut told = Vec::new();
        for tenth in 1..=1_800_u32 {
            let now = START + Duration::from_millis(100) * tenth;
            told.extend(stderr.push(now, format!("x{tenth}").as_bytes()));
        }
        let notes = told.iter().filter(|line| line.starts_with('('));
        assert!((4..=9).contains(&notes.count()), "{told:?}");
        assert!((480..720).contains(&told.len()), "{}", told.len());
    }

    #[test]
    fn a_line_that_repeats_is_shown_once_with_the_number_of_repeats() {
        let mut stderr = Stderr::default();
        let again = |stderr: &mut Stderr, now, count| {
            shown(stderr, now, std::iter::repeat_n("again".to_owned(), count))
        };
        assert_eq!(again(&mut stderr, START, 27), ["again"]);
        let other = stderr.push(START, b"other");
        assert_eq!(other, ["(this line came 26 more times)", "other"]);
        assert_eq!(again(&mut stderr, START, 2), ["again"]);
        let quiet = START + QUIET;
        assert_eq!(stderr.due(), Some(quiet));
        assert_eq!(stderr.settle(quiet), ["(this line came once more)"]);
        // After the note, the same line is not a repetition: a host that is tried again says the same again.
        assert_eq!(stderr.push(quiet, b"again"), ["again"]);
        // Repetitions do not use up the budget for other lines.
        assert_eq!(again(&mut stderr, quiet, 10_000), [""; 0]);
        assert_eq!(shown(&mut stderr, quiet, numbered(1_000)).len(), 1_001);
    }
}
