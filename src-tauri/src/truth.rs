//! The present knowledge about the shown network: the state that its manager has reported, and the end of its log. Each
//! reader has a [`Cursor`], and receives everything that has changed since the cursor was last moved.

use std::collections::{BTreeMap, VecDeque};

use norouter::{
    driver::control::client,
    view::{HostView, LogLine, NetworkView},
};

use crate::view::News;

/// How many lines of the log are kept for a page that is hidden. A manager keeps as many.
pub(crate) const LINES_MAX: usize = 5_000;

/// The network as it was last reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    network: Option<NetworkView>,
    /// The number of the last change that reported all hosts together. This was a snapshot, or new traffic counters.
    whole_at: u64,
    /// For each host, by its name: the number of the last change that reported this host alone.
    host_at: BTreeMap<String, u64>,
    lines: VecDeque<LogLine>,
}

/// How much of the state a reader has received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The number of the last change of the state that the reader has received.
    pub(crate) change: u64,
    /// The number of the last log line that the reader has received.
    pub(crate) line: u64,
}

impl Truth {
    /// The whole state, once it is known.
    pub(crate) fn network(&self) -> Option<&NetworkView> {
        self.network.as_ref()
    }

    /// The number of the last line of the log; 0 if there is none.
    pub(crate) fn last_line(&self) -> u64 {
        self.lines.back().map_or(0, |line| line.seq)
    }

    /// Takes an item of the manager's stream, and records it as the change with this number.
    pub(crate) fn hear(&mut self, item: client::StreamItem, change: u64) {
        match item {
            client::StreamItem::Snapshot(network) => {
                self.network = Some(network);
                self.whole_at = change;
                self.host_at.clear();
            }
            client::StreamItem::Host(host) => {
                let name = host.name.clone();
                if let Some(network) = &mut self.network
                    && network.snapshot.apply(*host)
                {
                    self.host_at.insert(name, change);
                }
            }
            client::StreamItem::Event(line) => self.note(line),
            // The number of missed lines follows from the gap in the numbers of the received lines.
            client::StreamItem::Missed(_) => {}
        }
    }

    /// Takes log lines from before the stream began.
    pub(crate) fn remember(&mut self, lines: Vec<LogLine>) {
        for line in lines {
            self.note(line);
        }
    }

    fn note(&mut self, line: LogLine) {
        self.lines.push_back(line);
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// Takes the traffic counters from a snapshot that was requested. The states of hosts are ignored, because the
    /// snapshot may be older than the last events of the stream.
    pub(crate) fn refresh(&mut self, asked: &NetworkView, change: u64) {
        let Some(network) = &mut self.network else {
            return;
        };
        network.uptime_ms = asked.uptime_ms;
        network.snapshot.now_ms = asked.snapshot.now_ms;
        for host in &asked.snapshot.hosts {
            let hosts = &mut network.snapshot.hosts;
            if let Some(mine) = hosts.iter_mut().find(|mine| mine.name == host.name) {
                mine.traffic = host.traffic;
            }
        }
        self.whole_at = change;
    }

    /// All news since the cursor, oldest first. Moves the cursor to the end.
    pub(crate) fn since(&self, cursor: &mut Cursor, now: u64) -> Vec<News> {
        let mut news = Vec::new();
        if let Some(network) = &self.network {
            if self.whole_at > cursor.change {
                news.push(News::Network {
                    network: network.clone(),
                });
            } else {
                let changed = |host: &&HostView| {
                    self.host_at
                        .get(&host.name)
                        .is_some_and(|at| *at > cursor.change)
                };
                let hosts = network.snapshot.hosts.iter().filter(changed);
                news.extend(hosts.map(|host| News::Host {
                    host: Box::new(host.clone()),
                }));
            }
        }
        cursor.change = now;
        let unseen = self
            .lines
            .iter()
            .rev()
            .take_while(|line| line.seq > cursor.line);
        let unseen = unseen.count();
        for line in self.lines.range(self.lines.len() - unseen..) {
            // Lines from before the first line that a reader has received do not count as missed.
            if cursor.line > 0 && line.seq > cursor.line + 1 {
                news.push(News::Missed {
                    count: line.seq - cursor.line - 1,
                });
            }
            cursor.line = line.seq;
            news.push(News::Line { line: line.clone() });
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use norouter::view::{Event, HostState};

    use super::*;
    use crate::testing::{self, host};

    fn network(names: &[&str]) -> NetworkView {
        let hosts = names.iter().map(|name| host(name, HostState::Starting));
        testing::network(hosts.collect())
    }

    fn line(seq: u64) -> LogLine {
        LogLine::new(seq, 0, Event::Hopeless { hosts: 1 })
    }

    fn told(news: &[News]) -> Vec<String> {
        let word = |news: &News| match news {
            News::Network { network } => format!("network of {}", network.snapshot.hosts.len()),
            News::Host { host } => format!("host {}", host.name),
            News::Line { line } => format!("line {}", line.seq),
            News::Missed { count } => format!("missed {count}"),
            News::App { .. } | News::Manifest { .. } | News::Ended | News::Go { .. } => {
                format!("{news:?}")
            }
        };
        news.iter().map(word).collect()
    }

    #[test]
    fn everybody_is_told_the_whole_first_and_then_what_is_new() {
        let mut truth = Truth::default();
        let (mut early, mut late) = (Cursor::default(), Cursor::default());
        truth.hear(client::StreamItem::Snapshot(network(&["a", "b"])), 1);
        truth.hear(client::StreamItem::Event(line(7)), 2);
        assert_eq!(
            told(&truth.since(&mut early, 2)),
            ["network of 2", "line 7"]
        );
        assert!(truth.since(&mut early, 2).is_empty());
        truth.hear(
            client::StreamItem::Host(Box::new(host("b", HostState::Ready))),
            3,
        );
        truth.hear(
            client::StreamItem::Host(Box::new(host("stranger", HostState::Ready))),
            4,
        );
        truth.hear(client::StreamItem::Event(line(8)), 5);
        assert_eq!(told(&truth.since(&mut early, 5)), ["host b", "line 8"]);
        assert_eq!(
            told(&truth.since(&mut late, 5)),
            ["network of 2", "line 7", "line 8"]
        );
    }

    #[test]
    fn an_answer_that_was_overtaken_changes_traffic_only() {
        let mut truth = Truth::default();
        truth.hear(client::StreamItem::Snapshot(network(&["a"])), 1);
        truth.hear(
            client::StreamItem::Host(Box::new(host("a", HostState::Ready))),
            2,
        );
        let mut asked = network(&["a"]);
        asked.snapshot.hosts[0].traffic.bytes_from = 9;
        truth.refresh(&asked, 3);
        let known = &truth.network().unwrap().snapshot.hosts[0];
        assert_eq!(
            (known.state, known.traffic.bytes_from),
            (HostState::Ready, 9)
        );
    }

    #[test]
    fn lines_are_bounded_and_a_gap_is_told() {
        let mut truth = Truth::default();
        let mut cursor = Cursor::default();
        truth.hear(client::StreamItem::Event(line(1)), 1);
        assert_eq!(told(&truth.since(&mut cursor, 1)), ["line 1"]);
        let lines = 2..LINES_MAX as u64 + 5;
        truth.remember(lines.map(line).collect());
        let news = truth.since(&mut cursor, 2);
        assert_eq!(told(&news[..2]), ["missed 3", "line 5"]);
        assert_eq!(news.len(), LINES_MAX + 1);
    }
}
