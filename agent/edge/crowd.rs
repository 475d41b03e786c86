//! The hosts that want more connections to this host than their share. They are reported to the manager.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use crate::{
    time::Instant,
    wire::control::{ProblemCode, ProblemReport},
};

/// The time that a host stays in the report after its last refused request.
const TOLD_FOR: Duration = Duration::from_secs(30);

/// A host is reported only after this many refusals, because a short burst is not worth a report.
const TOLD_AFTER: u32 = 16;

/// The maximum number of hosts that are remembered.
const HOSTS_MAX: usize = 64;

/// The hosts that were refused recently because they wanted more than their share.
#[derive(Debug, Default)]
pub(super) struct Crowd(BTreeMap<Ipv4Addr, Refused>);

#[derive(Debug)]
struct Refused {
    last: Instant,
    count: u32,
}

impl Crowd {
    /// Notes that a host was refused; returns true if the report to the manager has changed.
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

    /// Removes the hosts that were not refused for a while. Returns true if the report to the manager has changed.
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

    /// The problems to report about these hosts.
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
