//! Addresses that this gateway's DNS server has given to other hosts. For a while, other hosts may connect to them.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use crate::time::Instant;

/// The time for which other hosts may dial an address after this gateway's DNS server has given it to them.
const GIVEN_MAX: Duration = Duration::from_hours(1);

/// The maximum number of addresses that are remembered.
const GIVEN_ENTRIES_MAX: usize = 4_096;

/// The addresses, each with the time at which it was last given.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeMap<Ipv4Addr, Instant>);

impl Given {
    pub(super) fn remember(&mut self, now: Instant, address: Ipv4Addr) {
        if self.0.len() >= GIVEN_ENTRIES_MAX && !self.0.contains_key(&address) {
            self.0.retain(|_, given| now - *given < GIVEN_MAX);
            let oldest = self.0.iter().min_by_key(|(_, given)| **given);
            if self.0.len() >= GIVEN_ENTRIES_MAX
                && let Some((&oldest, _)) = oldest
            {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(address, now);
    }

    pub(super) fn has(&self, now: Instant, address: Ipv4Addr) -> bool {
        let given = self.0.get(&address);
        given.is_some_and(|given| now - *given < GIVEN_MAX)
    }
}
