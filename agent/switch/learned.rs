//! Addresses that gateways have given for names: packets to them go to the gateway, for those hosts that asked for the
//! name.
//!
//! An entry counts only for the host that taught it, so that nobody can lead another host's connections astray.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{addr::Vip, time::Instant};

/// How many addresses one host may teach.
pub(super) const ADDRESSES_MAX: usize = 4_096;

/// How many addresses of one suggestion are looked at. A name has fewer than that.
pub(super) const AT_ONCE_MAX: usize = 64;

/// How many suggestions a host may make within [`WINDOW`]. Each comes with a question to a DNS server far away.
const SUGGESTIONS_MAX: u32 = 50;

const WINDOW: Duration = Duration::from_secs(1);

/// How long an address is good for new flows after its last use.
const UNUSED_MAX: Duration = Duration::from_hours(1);

#[derive(Debug, Default)]
pub(super) struct Learned {
    teachers: BTreeMap<Vip, Teacher>,
}

#[derive(Debug)]
struct Teacher {
    entries: BTreeMap<Ipv4Addr, Entry>,
    window_began: Instant,
    suggestions: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    via: Vip,
    used: Instant,
}

impl Learned {
    /// Takes what a host says about addresses, unless it says too much. `live` returns the addresses to which it has
    /// flows: those are never forgotten for new ones.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        teacher: Vip,
        via: Vip,
        addresses: Vec<Ipv4Addr>,
        live: impl FnOnce() -> BTreeSet<Ipv4Addr>,
    ) {
        let teacher = self.teachers.entry(teacher).or_insert_with(|| Teacher {
            entries: BTreeMap::new(),
            window_began: now,
            suggestions: 0,
        });
        if now - teacher.window_began >= WINDOW {
            (teacher.window_began, teacher.suggestions) = (now, 0);
        }
        teacher.suggestions += 1;
        if teacher.suggestions > SUGGESTIONS_MAX {
            return;
        }
        for address in addresses {
            teacher.entries.insert(address, Entry { via, used: now });
        }
        if let Some(excess @ 1..) = teacher.entries.len().checked_sub(ADDRESSES_MAX) {
            teacher.forget(excess, &live());
        }
    }

    /// The gateway for a new flow of a host to an address.
    pub(super) fn via(&mut self, now: Instant, host: Vip, address: Ipv4Addr) -> Option<Vip> {
        let entries = &mut self.teachers.get_mut(&host)?.entries;
        let entry = entries.get_mut(&address)?;
        if now - entry.used >= UNUSED_MAX {
            entries.remove(&address);
            return None;
        }
        entry.used = now;
        Some(entry.via)
    }

    /// Forgets what a host has taught, because it is gone. Its next agent has to learn again.
    pub(super) fn forget(&mut self, teacher: Vip) {
        self.teachers.remove(&teacher);
    }
}

impl Teacher {
    /// Makes room: forgets the addresses that were not used for the longest time, except those with flows.
    fn forget(&mut self, count: usize, live: &BTreeSet<Ipv4Addr>) {
        let idle = self
            .entries
            .iter()
            .filter(|(address, _)| !live.contains(*address));
        let mut idle: Vec<_> = idle
            .map(|(&address, entry)| (entry.used, address))
            .collect();
        idle.sort_unstable();
        for (_, address) in idle.into_iter().take(count) {
            self.entries.remove(&address);
        }
    }
}
