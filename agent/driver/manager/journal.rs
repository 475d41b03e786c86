//! The newest lines of the log. They are kept in memory while the network runs, up to a limit.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::sync::watch;

use crate::view::{Event, LogLine};

/// How many lines are kept.
const LINES_MAX: usize = 5_000;

/// How many bytes of lines are kept.
const BYTES_MAX: usize = 4 << 20;

/// The newest lines of the log, with their numbers.
pub(in crate::driver) struct Journal {
    lines: Mutex<Lines>,
    /// The number of the newest line.
    last: watch::Sender<u64>,
}

/// The lines by number, and for each host the numbers of the lines about it. The lines about no host have a list of
/// their own.
#[derive(Default)]
struct Lines {
    by_number: BTreeMap<u64, Kept>,
    bytes: usize,
    about: BTreeMap<Option<String>, About>,
}

/// A line in its compact form. The sentence is made only when the line is read, because storing it would take as much
/// memory again.
#[derive(Clone)]
struct Kept {
    time_ms: u64,
    event: Arc<Event>,
}

impl Kept {
    /// Whether the line is about this host. With `None`, every line counts.
    fn is_about(&self, host: Option<&str>) -> bool {
        host.is_none() || self.event.host() == host
    }

    /// The line with this number.
    fn line(&self, seq: u64) -> LogLine {
        LogLine::new(seq, self.time_ms, Event::clone(&self.event))
    }
}

#[derive(Default)]
struct About {
    numbers: VecDeque<u64>,
    bytes: usize,
}

impl About {
    /// The share of the log that the lines about this host take up, as a number of bytes. Each line counts as its own
    /// size plus `BYTES_MAX / LINES_MAX`, because the number of lines is limited as well as their size.
    fn weight(&self) -> usize {
        self.bytes + self.numbers.len() * (BYTES_MAX / LINES_MAX)
    }
}

impl Lines {
    fn push(&mut self, seq: u64, line: Kept) {
        let size = size(&line.event);
        let about = line.event.host().map(str::to_owned);
        let about = self.about.entry(about).or_default();
        about.numbers.push_back(seq);
        about.bytes += size;
        self.bytes += size;
        self.by_number.insert(seq, line);
    }

    /// Drops the oldest line of the host whose lines take up the most space, so that one host cannot push out the lines
    /// about others.
    fn shed(&mut self) {
        let most = self.about.values_mut().max_by_key(|about| about.weight());
        if let Some(about) = most
            && let Some(oldest) = about.numbers.pop_front()
            && let Some(line) = self.by_number.remove(&oldest)
        {
            about.bytes -= size(&line.event);
            self.bytes -= size(&line.event);
        }
        self.about.retain(|_, about| !about.numbers.is_empty());
    }
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
        let time_ms = now();
        let event = Arc::new(event);
        lines.push(seq, Kept { time_ms, event });
        while lines.bytes > BYTES_MAX || lines.by_number.len() > LINES_MAX {
            lines.shed();
        }
        drop(lines);
        self.last.send_replace(seq);
    }

    /// Subscribes to the number of the newest line.
    pub(in crate::driver) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// The kept lines after the line with this number, at most `most` of them. With `host`, only lines about this host.
    pub(in crate::driver) fn after(
        &self,
        seq: u64,
        host: Option<&str>,
        most: usize,
    ) -> Vec<LogLine> {
        let lines = self.lock();
        let after = lines.by_number.range(seq.saturating_add(1)..);
        let after = after.filter(|(_, line)| line.is_about(host)).take(most);
        let after: Vec<_> = after.map(|(seq, line)| (*seq, line.clone())).collect();
        // The lock is released first: the manager may be waiting to note an event, and making the sentences takes the
        // most time.
        drop(lines);
        after.iter().map(|(seq, line)| line.line(*seq)).collect()
    }

    /// The number of the line just before the newest `most` lines. With `host`, only lines about this host count.
    pub(in crate::driver) fn tail(&self, most: usize, host: Option<&str>) -> u64 {
        let lines = self.lock();
        let newest = lines.by_number.iter().rev();
        let mut newest = newest.filter(|(_, line)| line.is_about(host)).take(most);
        let first = newest.by_ref().last();
        first.map_or(*self.last.borrow(), |(seq, _)| seq - 1)
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The approximate memory that a line takes, in bytes.
fn size(event: &Event) -> usize {
    let text = match event {
        Event::Host { reason, .. } => reason.as_ref().map_or(0, String::len),
        Event::Stderr { line, .. } => line.len(),
        Event::Warning { text, .. } | Event::Refused { text, .. } => text.len(),
        Event::Reloaded { changes, grants } => changes.iter().chain(grants).map(String::len).sum(),
        Event::Held { grants } => grants.iter().map(String::len).sum(),
        Event::Hopeless { .. } | Event::Step { .. } => 0,
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
        let all = journal.after(0, None, usize::MAX);
        assert_eq!((all.len(), all[0].seq), (LINES_MAX, 11));
        assert!(all.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
        assert_eq!(*journal.last().borrow(), all[LINES_MAX - 1].seq);
        let long = "x".repeat(BYTES_MAX / 4);
        for _ in 0..10 {
            journal.note(line("b", &long));
        }
        let all = journal.after(0, None, usize::MAX);
        let bytes: usize = all.iter().map(|line| size(&line.event)).sum();
        assert!(bytes <= BYTES_MAX && all.len() < LINES_MAX, "{bytes} bytes");
        assert_eq!(journal.after(0, Some("b"), LINES_MAX).len(), 3);
        assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    }

    #[test]
    fn a_host_that_writes_much_does_not_wash_out_the_others() {
        let journal = Journal::default();
        journal.note(line("quiet", "x"));
        for _ in 0..3 * LINES_MAX {
            journal.note(line("loud", &"x".repeat(2_000)));
        }
        assert_eq!(journal.after(0, Some("quiet"), 10).len(), 1);
        assert!(journal.after(0, Some("loud"), LINES_MAX).len() > 1_000);
    }

    #[test]
    fn the_tail_is_of_one_host_or_of_all() {
        let journal = Journal::default();
        for (host, text) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
            journal.note(line(host, text));
        }
        let after = |seq, host, most| -> Vec<u64> {
            let lines = journal.after(seq, host, most);
            lines.iter().map(|line| line.seq).collect()
        };
        let tail = |most, host| after(journal.tail(most, host), host, usize::MAX);
        assert_eq!(tail(3, None), [2, 3, 4]);
        assert_eq!(tail(3, Some("a")), [1, 3]);
        assert_eq!(tail(1, Some("a")), [3]);
        assert!(tail(0, None).is_empty() && tail(3, Some("c")).is_empty());
        assert_eq!(after(2, None, 9), [3, 4]);
        assert_eq!(after(0, None, 3), [1, 2, 3]);
        assert_eq!(after(1, Some("a"), 9), [3]);
    }
}
