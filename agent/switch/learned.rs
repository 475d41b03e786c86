//! Addresses that hosts have learned from gateways. When a gateway has resolved a name for a host, the host suggests
//! the addresses to the switch. From then on, the switch sends the host's new flows to these addresses to that gateway.
//!
//! An entry is valid only for the host that suggested it, so that no host can divert another host's connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{addr::Vip, time::Instant};

/// The maximum number of addresses that are kept from one host's suggestions.
pub(super) const ADDRESSES_MAX: usize = 4_096;

/// The maximum number of addresses that are read from one suggestion. A name normally has fewer.
pub(super) const AT_ONCE_MAX: usize = 64;

/// The maximum number of suggestions that a host may make within [`WINDOW`]. A host makes a suggestion only after a
/// query to a remote DNS server.
const SUGGESTIONS_MAX: u32 = 50;

const WINDOW: Duration = Duration::from_secs(1);

/// An address that was unused for this long expires: new flows to it are refused.
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
    /// Stores the addresses that a host suggests, unless it makes too many suggestions. `live` returns the addresses to
    /// which the host has flows; those addresses are never discarded to make room for others.
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

    /// The gateway for a host's new flow to an address; `None` if the host has not suggested that address.
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

    /// Discards everything that a host has suggested, because the host is gone. Its next agent has to suggest the
    /// addresses again.
    pub(super) fn forget(&mut self, teacher: Vip) {
        self.teachers.remove(&teacher);
    }
}

impl Teacher {
    /// Makes room by discarding the addresses that were not used for the longest time. Addresses with flows are kept.
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
