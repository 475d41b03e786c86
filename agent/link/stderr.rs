//! An agent's standard error: the last lines are kept, and a limited number of lines is shown.

use std::{collections::VecDeque, time::Duration};

use crate::{text, time::Instant};

/// The maximum number of lines that are shown within [`WINDOW`]. Further lines are only counted. `ssh -vvv` writes about
/// 250 lines until it has connected, and the last ones say why it cannot.
const SHOWN_MAX: u32 = 400;

/// The length of the window in which at most [`SHOWN_MAX`] lines are shown.
const WINDOW: Duration = Duration::from_mins(1);

/// The number of recent lines that are kept, shown or not.
const TAIL_MAX: usize = 20;

#[derive(Debug, Default)]
pub(super) struct Stderr {
    tail: VecDeque<String>,
    window_began: Instant,
    shown: u32,
    suppressed: u32,
}

impl Stderr {
    /// Stores a line, and returns the lines to show: none, or the line itself, perhaps with a note about lines that
    /// were not shown.
    pub(super) fn push(&mut self, now: Instant, line: &[u8]) -> Vec<String> {
        let line = text::escape_line(line.strip_suffix(b"\r").unwrap_or(line));
        if self.tail.len() == TAIL_MAX {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        let mut shown = Vec::new();
        if now - self.window_began >= WINDOW {
            if self.suppressed > 0 {
                shown.push(format!("({} lines were not shown)", self.suppressed));
            }
            (self.window_began, self.shown, self.suppressed) = (now, 0, 0);
        }
        if self.shown < SHOWN_MAX {
            self.shown += 1;
            shown.push(line);
        } else {
            if self.suppressed == 0 {
                shown.push("(more lines follow faster than they are shown)".to_owned());
            }
            self.suppressed += 1;
        }
        shown
    }

    pub(super) fn tail(&self) -> impl Iterator<Item = &str> {
        self.tail.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_not_shown_and_its_end_is_kept() {
        let mut stderr = Stderr::default();
        let start = Instant::ZERO + WINDOW;
        let shown: usize = (0..1000)
            .map(|n| stderr.push(start, format!("{n}").as_bytes()).len())
            .sum();
        assert_eq!(shown, 401, "400 lines and the word that more follow");
        assert_eq!(stderr.tail().last(), Some("999"));
        assert_eq!(stderr.tail().count(), TAIL_MAX);
        let later = stderr.push(start + WINDOW, b"calm\r");
        assert_eq!(later, ["(600 lines were not shown)", "calm"]);
    }
}
