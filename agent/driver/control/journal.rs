//! The end of the log, which is kept while the network runs, within bounds.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use crate::view::{Event, LogLine};

/// How many lines are kept ...
const LINES_MAX: usize = 5_000;

/// ... if they have no more bytes than these.
const BYTES_MAX: usize = 4 << 20;

/// What has happened last, numbered.
pub(in crate::driver) struct Journal {
    lines: Mutex<Lines>,
    /// The number of the newest line.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Lines {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            lines: Mutex::default(),
            last: watch::Sender::new(0),
        }
    }
}

impl Journal {
    pub(in crate::driver) fn note(&self, event: Event) {
        let mut lines = self.lock();
        let seq = *self.last.borrow() + 1;
        lines.bytes += size(&event);
        lines.lines.push_back(LogLine {
            seq,
            time_ms: now(),
            event,
        });
        while (lines.bytes > BYTES_MAX || lines.lines.len() > LINES_MAX)
            && let Some(oldest) = lines.lines.pop_front()
        {
            lines.bytes -= size(&oldest.event);
        }
        drop(lines);
        self.last.send_replace(seq);
    }

    /// The number of the newest line, now and whenever there is another one.
    pub(super) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Everything that is kept and came after the line of that number.
    pub(super) fn after(&self, seq: u64) -> Vec<LogLine> {
        let lines = self.lock();
        let newest = lines.lines.iter().rev().take_while(|line| line.seq > seq);
        let mut newest: Vec<_> = newest.cloned().collect();
        newest.reverse();
        newest
    }

    /// The newest lines that are about a host, or about any.
    pub(super) fn tail(&self, most: usize, host: Option<&str>) -> Vec<LogLine> {
        let lines = self.lock();
        let wanted = |line: &&LogLine| host.is_none() || line.event.host() == host;
        let newest = lines.lines.iter().rev().filter(wanted).take(most);
        let mut newest: Vec<_> = newest.cloned().collect();
        newest.reverse();
        newest
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About how much memory a line takes.
fn size(event: &Event) -> usize {
    let text = match event {
        Event::Host { reason, .. } => reason.as_ref().map_or(0, String::len),
        Event::Stderr { line, .. } => line.len(),
        Event::Warning { text, .. } => text.len(),
        Event::Reloaded { changes, grants } => changes.iter().chain(grants).map(String::len).sum(),
        Event::Held { grants } => grants.iter().map(String::len).sum(),
        Event::Hopeless { .. } => 0,
    };
    text + 128
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(host: &str, text: &str) -> Event {
        Event::Stderr {
            host: host.to_owned(),
            vip: String::new(),
            line: text.to_owned(),
        }
    }

    #[test]
    fn lines_are_numbered_and_the_oldest_go() {
        let journal = Journal::default();
        for _ in 0..LINES_MAX + 10 {
            journal.note(line("a", "x"));
        }
        let all = journal.after(0);
        assert_eq!((all.len(), all[0].seq), (LINES_MAX, 11));
        assert!(all.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        assert_eq!(*journal.last().borrow(), all[LINES_MAX - 1].seq);
        let long = "x".repeat(BYTES_MAX / 4);
        for _ in 0..10 {
            journal.note(line("b", &long));
        }
        assert_eq!(journal.after(0).len(), 3);
    }

    #[test]
    fn the_tail_is_of_one_host_or_of_all() {
        let journal = Journal::default();
        for (host, text) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
            journal.note(line(host, text));
        }
        let numbers = |lines: Vec<LogLine>| lines.iter().map(|line| line.seq).collect::<Vec<_>>();
        assert_eq!(numbers(journal.tail(3, None)), [2, 3, 4]);
        assert_eq!(numbers(journal.tail(3, Some("a"))), [1, 3]);
        assert_eq!(numbers(journal.after(2)), [3, 4]);
    }
}
