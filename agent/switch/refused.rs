//! Connections that the policy has refused, gathered for a summary. A host that tries a thousand targets causes only
//! one line in the log.

use std::{collections::BTreeMap, net::SocketAddrV4, time::Duration};

use crate::{addr::Vip, route::policy::By, time::Instant};

/// The maximum number of targets of one host that are counted separately.
const TARGETS_MAX: usize = 1_024;

/// The maximum number of targets that a summary names.
const NAMED_MAX: usize = 3;

/// The time between the first refusal and its summary. Related refusals in this time are reported together.
const GATHER: Duration = Duration::from_secs(1);

/// The shortest time between two summaries about one host.
const PAUSE: Duration = Duration::from_mins(1);

/// The connections of each host that the policy has refused.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    hosts: BTreeMap<Vip, Tally>,
}

/// The target of a refused connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusee {
    /// The connection had this destination address.
    Address(SocketAddrV4),
    /// A gateway was asked for this target, in these words.
    Asked(String),
}

#[derive(Debug)]
struct Tally {
    times: u64,
    targets: BTreeMap<Refusee, (u64, By)>,
    due: Instant,
}

/// A summary of the connections of one host that the policy has refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The host that began the connections.
    pub from: Vip,
    /// The number of connections.
    pub times: u64,
    /// The number of different targets. All targets that are not counted separately together count as one.
    pub targets: usize,
    /// The most frequent targets, each with its number of connections and the rule that has refused them.
    pub most: Vec<(Refusee, u64, By)>,
}

impl Tallies {
    pub(super) fn note(&mut self, now: Instant, from: Vip, to: Refusee, by: By, times: u64) {
        let tally = self.hosts.entry(from).or_insert_with(|| Tally {
            times: 0,
            targets: BTreeMap::new(),
            due: now,
        });
        if tally.times == 0 {
            // If the pause after the last summary is not over, the summary waits for its end.
            tally.due = tally.due.max(now + GATHER);
        }
        tally.times = tally.times.saturating_add(times);
        if tally.targets.len() < TARGETS_MAX || tally.targets.contains_key(&to) {
            let known = &mut tally.targets.entry(to).or_insert((0, by)).0;
            *known = known.saturating_add(times);
        }
    }

    pub(super) fn forget(&mut self, host: Vip) {
        self.hosts.remove(&host);
    }

    /// The summary about one host; `None` if no summary is due.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Refused> {
        let mut hosts = self.hosts.iter_mut();
        let (&from, tally) = hosts.find(|(_, tally)| tally.times > 0 && tally.due <= now)?;
        let times = std::mem::take(&mut tally.times);
        let targets = std::mem::take(&mut tally.targets);
        tally.due = now + PAUSE;
        let told_apart = targets.values().map(|(times, _)| *times);
        let told_apart = told_apart.fold(0, u64::saturating_add);
        let count = targets.len() + usize::from(told_apart < times);
        let most = targets.into_iter().map(|(to, (times, by))| (to, times, by));
        let mut most: Vec<_> = most.collect();
        // Targets that are equally frequent keep their order.
        most.sort_by_key(|(_, times, _)| std::cmp::Reverse(*times));
        most.truncate(NAMED_MAX);
        Some(Refused {
            from,
            times,
            targets: count,
            most,
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let waiting = self.hosts.values().filter(|tally| tally.times > 0);
        let due = waiting.map(|tally| tally.due).min()?;
        Some((due, "what the policy has refused"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn vip(last: u8) -> Vip {
        Vip::new(Ipv4Addr::new(127, 0, 42, last)).unwrap()
    }

    fn to(port: u16) -> Refusee {
        Refusee::Address(SocketAddrV4::new(vip(9).address(), port))
    }

    #[test]
    fn a_thousand_targets_are_told_once_and_the_next_ones_a_minute_later() {
        let mut tallies = Tallies::default();
        let mut now = Instant::ZERO + Duration::from_secs(5);
        for port in 1..=997 {
            tallies.note(now, vip(1), to(port), By::Default, 1);
        }
        for _ in 0..3 {
            tallies.note(now, vip(1), to(5432), By::Rule(2), 1);
        }
        assert_eq!(tallies.poll(now), None);
        now = now + GATHER;
        assert_eq!(tallies.poll_timeout().unwrap().0, now);
        let told = tallies.poll(now).unwrap();
        assert_eq!((told.times, told.targets, told.most.len()), (1_000, 998, 3));
        assert_eq!(told.most[0], (to(5432), 3, By::Rule(2)));
        assert_eq!(tallies.poll(now), None);
        assert_eq!(tallies.poll_timeout(), None);

        tallies.note(now, vip(1), to(1), By::Default, 1);
        assert_eq!(tallies.poll_timeout().unwrap().0, now + PAUSE);
        assert_eq!(tallies.poll(now + GATHER), None);
        // The pause after one host's summary does not delay another host's summary.
        tallies.note(now, vip(2), to(1), By::Default, 1);
        assert_eq!(tallies.poll(now + GATHER).unwrap().from, vip(2));
        assert_eq!(tallies.poll(now + PAUSE).unwrap().from, vip(1));
    }

    #[test]
    fn what_is_kept_of_one_host_has_an_end() {
        let mut tallies = Tallies::default();
        for port in 1..=20_000 {
            tallies.note(Instant::ZERO, vip(1), to(port), By::Default, 1);
        }
        assert_eq!(tallies.hosts[&vip(1)].targets.len(), TARGETS_MAX);
        let told = tallies.poll(Instant::ZERO + GATHER).unwrap();
        assert_eq!((told.times, told.targets), (20_000, TARGETS_MAX + 1));
    }
}
