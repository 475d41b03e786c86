//! Decides when a changed file is read. The file is read soon after the change, because most files are written at once.
//! It is read again when it is certainly complete.

use std::time::Duration;

use crate::time::Instant;

/// How long a file must stay unchanged before it is read for the first time. An editor may write it in several steps.
pub(super) const EARLY: Duration = Duration::from_millis(200);

/// How long a file must stay unchanged before it counts as complete. A slow writer makes pauses.
pub(super) const SETTLED: Duration = Duration::from_secs(2);

/// How long a file must stay unchanged before it counts as complete in spite of signs that it is not: a program has not
/// closed it, or its last line has no line break.
pub(super) const LATEST: Duration = Duration::from_secs(20);

/// How certain it is that a changed file is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// The file has not changed for a moment, but a part of it may be missing. The file is reported again when it is
    /// certainly complete.
    Perhaps,
    /// The file was replaced as a whole, or it has not changed for a while.
    Surely,
}

/// The knowledge about the program that has changed a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Nothing is known about the program: only the outcome was seen.
    Unknown,
    /// The program has written to the file, and has not closed it yet.
    Writes,
    /// The program has closed the file.
    Closed,
    /// The program has put a complete file, or a link to one, in the place of the old file.
    Replaced,
}

/// The next check of a changed file.
#[derive(Clone, Copy, Debug)]
enum Step {
    Early,
    Settled,
    Latest,
}

/// A change after which the file is not known to be complete.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: Instant,
    writer: Writer,
    next: Step,
}

impl Change {
    fn due(&self) -> Instant {
        let wait = match self.next {
            Step::Early => EARLY,
            Step::Settled => SETTLED,
            Step::Latest => LATEST,
        };
        self.at + wait
    }
}

/// The newest change of a file, from the moment at which it is noticed until the file is complete.
#[derive(Debug, Default)]
pub(super) struct Settling(Option<Change>);

impl Settling {
    /// Notes that the file has changed. If `writer` is `None`, the last knowledge about the writer stays valid.
    pub(super) fn handle_change(&mut self, now: Instant, writer: Option<Writer>) {
        let before = self.0.map_or(Writer::Unknown, |change| change.writer);
        self.0 = Some(Change {
            at: now,
            writer: writer.unwrap_or(before),
            next: Step::Early,
        });
    }

    /// Notes new knowledge about the program that made the last change. The file itself has not changed again.
    pub(super) fn handle_writer(&mut self, writer: Writer) {
        if let Some(change) = &mut self.0 {
            change.writer = writer;
            if let Step::Latest = change.next {
                change.next = Step::Settled;
            }
        }
    }

    /// Whether the file has to be read now. `is_ended` returns whether the file's last line is complete. It is called
    /// only if the decision depends on that.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        is_ended: impl FnOnce() -> bool,
    ) -> Option<Wholeness> {
        let change = self.0.as_mut().filter(|change| change.due() <= now)?;
        let is_whole = match (change.next, change.writer) {
            (Step::Early, Writer::Replaced)
            | (Step::Settled, Writer::Closed)
            | (Step::Latest, _) => true,
            (Step::Settled, Writer::Unknown) => is_ended(),
            (Step::Early | Step::Settled, _) => false,
        };
        if is_whole {
            self.0 = None;
            return Some(Wholeness::Surely);
        }
        if let Step::Early = change.next {
            change.next = Step::Settled;
            return Some(Wholeness::Perhaps);
        }
        change.next = Step::Latest;
        None
    }

    /// The time of the next call of [`Settling::poll`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.0.map(|change| change.due())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::ZERO;

    /// The times at which a file is reported after this writer has changed it at `START`.
    fn told(writer: Writer, is_ended: bool) -> Vec<(Duration, Wholeness)> {
        let mut settling = Settling::default();
        settling.handle_change(START, Some(writer));
        let mut told = Vec::new();
        while let Some(at) = settling.poll_timeout() {
            let wholeness = settling.poll(at, || is_ended);
            told.extend(wholeness.map(|it| (at - START, it)));
        }
        told
    }

    #[test]
    fn a_file_is_whole_when_it_is_replaced_closed_or_ended_or_has_rested_for_long() {
        use Wholeness::{Perhaps, Surely};
        assert_eq!(told(Writer::Replaced, false), [(EARLY, Surely)]);
        for (writer, is_ended, whole) in [
            (Writer::Closed, false, SETTLED),
            (Writer::Unknown, true, SETTLED),
            (Writer::Unknown, false, LATEST),
            (Writer::Writes, true, LATEST),
        ] {
            let expected = [(EARLY, Perhaps), (whole, Surely)];
            assert_eq!(told(writer, is_ended), expected, "{writer:?} {is_ended}");
        }
    }

    #[test]
    fn every_change_lets_the_time_of_rest_begin_again() {
        let mut settling = Settling::default();
        settling.handle_change(START, Some(Writer::Closed));
        assert!(settling.poll(START + EARLY, || true).is_some());
        let later = START + SETTLED.saturating_sub(Duration::from_millis(1));
        settling.handle_change(later, Some(Writer::Writes));
        settling.handle_change(later, Some(Writer::Closed));
        assert_eq!(settling.poll(START + SETTLED, || true), None);
        assert_eq!(settling.poll_timeout(), Some(later + EARLY));
    }

    #[test]
    fn a_file_that_is_closed_without_a_change_goes_on_resting() {
        let mut settling = Settling::default();
        settling.handle_writer(Writer::Closed);
        assert_eq!(settling.poll_timeout(), None);
        settling.handle_change(START, Some(Writer::Writes));
        assert!(settling.poll(START + EARLY, || true).is_some());
        assert_eq!(settling.poll(START + SETTLED, || true), None);
        assert_eq!(settling.poll_timeout(), Some(START + LATEST));
        settling.handle_writer(Writer::Closed);
        let whole = settling.poll(START + SETTLED, || true);
        assert_eq!(whole, Some(Wholeness::Surely));
    }

    #[test]
    fn the_writer_of_an_unseen_change_is_the_last_one_that_was_seen() {
        let mut settling = Settling::default();
        settling.handle_change(START, Some(Writer::Writes));
        settling.handle_change(START, None);
        assert!(settling.poll(START + EARLY, || true).is_some());
        assert_eq!(settling.poll(START + SETTLED, || true), None);
    }
}
