//! Reports to the manager which hosts have asked this one for more than their share.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use crate::{
    time::Instant,
    wire::control::{ProblemCode, ProblemReport},
};

/// How long a host is reported after the last refusal.
const TOLD_FOR: Duration = Duration::from_secs(30);

/// How many refusals of a host are needed before it is reported. A short peak is not worth a report.
const TOLD_AFTER: u32 = 16;

/// How many hosts are remembered. Further ones are refused in the same way, but are not reported.
const HOSTS_MAX: usize = 64;

/// The hosts that have recently been refused because they had used up their share.
#[derive(Debug, Default)]
pub(super) struct Crowd(BTreeMap<Ipv4Addr, Refused>);

#[derive(Debug)]
struct Refused {
    last: Instant,
    count: u32,
}

impl Crowd {
    /// Notes that a host was refused. Returns true if the report to the manager changes.
    pub(super) fn note(&mut self, now: Instant, host: Ipv4Addr) -> bool {
        if self.0.len() >= HOSTS_MAX && !self.0.contains_key(&host) {
            return false;
        }
        let refused = self.0.entry(host).or_insert(Refused {
            last: now,
            count: 0,
        });
        refused.last = now;
        refused.count = refused.count.saturating_add(1);
        refused.count == TOLD_AFTER
    }

    /// Forgets hosts that were not refused for a while. Returns true if the report to the manager changes.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let mut news = false;
        self.0.retain(|_, refused| {
            let stays = now - refused.last < TOLD_FOR;
            news |= !stays && refused.count >= TOLD_AFTER;
            stays
        });
        news
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let last = self.0.values().map(|refused| refused.last).min()?;
        Some((last + TOLD_FOR, "the last refusal of a host is long ago"))
    }

    /// One report for each host that was refused often enough.
    pub(super) fn problems(
        &self,
        name: impl Fn(Ipv4Addr) -> String,
    ) -> impl Iterator<Item = ProblemReport> {
        let loud = self.0.iter();
        let loud = loud.filter(|(_, refused)| refused.count >= TOLD_AFTER);
        loud.map(move |(host, _)| ProblemReport {
            what: format!("take all connections of {}", name(*host)),
            reason: "it has as many as one host may have here, and more would be at the expense of the others"
                .to_owned(),
            code: Some(ProblemCode::Crowded),
            address: None,
            remedy: Some("check what it is doing".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 103);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_crowd_is_told_once_and_forgotten_when_it_is_calm() {
        let mut crowd = Crowd::default();
        let news: Vec<_> = (0..1_000).filter(|_| crowd.note(at(0), HOST)).collect();
        assert_eq!(news.len(), 1);
        let told: Vec<_> = crowd.problems(|host| host.to_string()).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].what.ends_with("127.0.42.103"));
        let (due, _) = crowd.poll_timeout().unwrap();
        assert!(!crowd.handle_timeout(at(29)));
        assert!(crowd.handle_timeout(due));
        assert_eq!(crowd.poll_timeout(), None);
    }

    #[test]
    fn a_busy_moment_is_no_news() {
        let mut crowd = Crowd::default();
        assert!((0..10).all(|_| !crowd.note(at(0), HOST)));
        assert_eq!(crowd.problems(|host| host.to_string()).count(), 0);
        assert!(!crowd.handle_timeout(at(60)));
    }
}
