//! Requests of other hosts that this gateway has refused because of the policy. They are collected for the manager,
//! which reports them to people.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use crate::{route::policy::By, time::Instant, wire::control::RefusedAsk};

/// The maximum number of targets that one message counts separately.
const TARGETS_MAX: usize = 128;

/// The time from the first refusal to the message that reports it.
const GATHER: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct RefusedAsks {
    /// The number of times that each host has asked for each target, by the rule that refused it.
    asks: BTreeMap<(Ipv4Addr, String, By), u64>,
    due: Option<Instant>,
}

impl RefusedAsks {
    pub(super) fn note(&mut self, now: Instant, from: Ipv4Addr, to: String, by: By) {
        let full = self.asks.len() >= TARGETS_MAX;
        let key = (from, to, by);
        let key = if full && !self.asks.contains_key(&key) {
            // Further targets are counted together, under an empty text. There are few such entries, because there is
            // only one for each host and rule.
            (from, String::new(), by)
        } else {
            key
        };
        if self.asks.len() < 2 * TARGETS_MAX || self.asks.contains_key(&key) {
            *self.asks.entry(key).or_default() += 1;
        }
        self.due.get_or_insert(now + GATHER);
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes the refusals that are due; empty if none are.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<RefusedAsk> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.due = None;
        let asks = std::mem::take(&mut self.asks).into_iter();
        let asks = asks.map(|((from, to, by), times)| RefusedAsk {
            from,
            to,
            rule: match by {
                By::Default => None,
                By::Rule(number) => Some(number),
            },
            times,
        });
        asks.collect()
    }
}
