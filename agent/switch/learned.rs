//! Addresses that gateways have given for names. Packets of the host that asked for the name go to that gateway.
//!
//! An entry is used only for the host that has reported it, so that a host cannot redirect another host's connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{addr::Vip, time::Instant};

/// How many addresses are kept for one host.
pub(super) const ADDRESSES_MAX: usize = 4_096;

/// How many addresses of one suggestion are read. A name seldom has more.
pub(super) const AT_ONCE_MAX: usize = 64;

/// How many suggestions a host may make within [`WINDOW`]. Each one normally follows a question to a distant DNS
/// server.
const SUGGESTIONS_MAX: u32 = 50;

const WINDOW: Duration = Duration::from_secs(1);

/// How long after its last use an address may still be used for new flows.
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
    /// Takes a host's suggestion, unless the host makes too many. `live` returns the addresses to which it has flows,
    /// which are never dropped to make room.
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

    /// The gateway for a new flow from a host to an address. `None` if the host has not reported the address recently.
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

    /// Drops all entries of a host, because it is gone. Its next agent has to report them again.
    pub(super) fn forget(&mut self, teacher: Vip) {
        self.teachers.remove(&teacher);
    }
}

impl Teacher {
    /// Drops the addresses that were not used for the longest time, except those with flows.
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
