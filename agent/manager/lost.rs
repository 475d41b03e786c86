//! Tells agents which hosts are lost. The agents then refuse connections to these hosts at once, instead of accepting
//! and then resetting them.

use std::time::Duration;

use crate::time::Instant;

/// The pause between two messages about lost hosts is this time, multiplied by the number of hosts in the network. In a
/// small network there is almost no delay. In a large one, when a whole site is lost, each agent gets a few messages
/// instead of one for each lost host.
const STEP: Duration = Duration::from_millis(1);

/// When agents were last told about lost hosts, and when they will be told next.
#[derive(Default)]
pub(super) struct LostBroadcast {
    told: Option<Instant>,
    due: Option<Instant>,
}

impl LostBroadcast {
    /// Notes that a host is lost or back, in a network with this many hosts.
    pub(super) fn note(&mut self, now: Instant, hosts: usize) {
        let pause = STEP * u32::try_from(hosts).unwrap_or(u32::MAX);
        let soonest = self.told.map_or(now, |told| now.max(told + pause));
        self.due.get_or_insert(soonest);
    }

    /// Whether agents have to be told now. Returns true only once for each change.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.due.take_if(|due| *due <= now).is_some();
        if is_due {
            self.told = Some(now);
        }
        is_due
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_those_after_it_together() {
        let at = |millis| Instant::ZERO + Duration::from_millis(millis);
        let mut broadcast = LostBroadcast::default();
        broadcast.note(at(5), 200);
        assert_eq!(broadcast.due(), Some(at(5)));
        assert!(broadcast.is_due(at(5)));
        assert!(!broadcast.is_due(at(5)));
        for millis in 6..50 {
            broadcast.note(at(millis), 200);
        }
        assert_eq!(broadcast.due(), Some(at(205)));
        assert!(!broadcast.is_due(at(204)));
        assert!(broadcast.is_due(at(205)));
        assert_eq!(broadcast.due(), None);
    }
}
