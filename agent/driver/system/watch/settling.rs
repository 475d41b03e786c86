//! Decides when a file that has changed is read: soon, because most files are written at once, and again when it is
//! surely whole.

use std::time::Duration;

use crate::time::Instant;

/// How long a file must stay unchanged before it is read for the first time, because an editor may write it in several
/// steps.
pub(super) const EARLY: Duration = Duration::from_millis(200);

/// How long a file must stay unchanged before it counts as whole, because a slow writer makes pauses.
pub(super) const SETTLED: Duration = Duration::from_secs(2);

/// How long a file must stay unchanged before it counts as whole even if something speaks against that: a program has
/// not closed it, or its last line has no line break.
pub(super) const LATEST: Duration = Duration::from_secs(20);

/// How sure it is that a changed file is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// The file has hardly come to rest, so a part of it may be missing. The file is reported again when it is surely
    /// whole.
    Perhaps,
    /// The file was replaced as a whole, or it has not changed for a while.
    Surely,
}

/// What is known of the program that has changed a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Nothing: only the outcome was seen.
    Unknown,
    /// It has written and not yet closed the file.
    Writes,
    /// It has closed the file.
    Closed,
    /// It has put a complete file, or a link to one, in the place of the old one.
    Replaced,
}

/// The step at which a changed file is looked at next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Early,
    Settled,
    Latest,
}

/// A change that has not come to rest.
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

/// The newest change of a file, from the moment at which it is seen until the file is whole.
#[derive(Debug, Default)]
pub(super) struct Settling(Option<Change>);

impl Settling {
    /// The file has changed. If `writer` is `None`, what was last known of the writer still counts.
    pub(super) fn handle_change(&mut self, now: Instant, writer: Option<Writer>) {
        let before = self.0.map_or(Writer::Unknown, |change| change.writer);
        self.0 = Some(Change {
            at: now,
            writer: writer.unwrap_or(before),
            next: Step::Early,
        });
    }

    /// Something was seen of the writer of the last change, without another change.
    pub(super) fn handle_writer(&mut self, writer: Writer) {
        if let Some(change) = &mut self.0 {
            change.writer = writer;
            if let Step::Latest = change.next {
                change.next = Step::Settled;
            }
        }
    }

    /// Whether the file is to be read now. `is_ended` says whether the file's last line is complete. It is called only
    /// if the decision depends on that.
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

    /// When a file is reported that this writer has changed at the start.
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
