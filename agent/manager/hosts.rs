//! The hosts of a running network, and when each of them has to be told the time.
//!
//! A network of a thousand hosts has an event for every packet and several heartbeats each millisecond. Therefore the
//! next time of the network is not looked for among all hosts: only the hosts that were touched are asked again.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use super::host::Host;
use crate::{addr::Vip, time::Instant};

/// The hosts by their VIPs. They can be read like a map; [`Hosts::get_mut`] is the only way to change one.
#[derive(Default)]
pub(super) struct Hosts {
    by_vip: BTreeMap<Vip, Host>,
    /// When hosts have to be told the time, the next one first. A host that waits for no time is not in it.
    due: BTreeSet<(Instant, Vip)>,
    /// The hosts that may have changed since the last [`Hosts::settle`], each of them once.
    touched: Vec<Vip>,
}

impl Deref for Hosts {
    type Target = BTreeMap<Vip, Host>;

    fn deref(&self) -> &Self::Target {
        &self.by_vip
    }
}

impl Hosts {
    pub(super) fn insert(&mut self, vip: Vip, host: Host) {
        self.remove(vip);
        self.by_vip.insert(vip, host);
        // The host may wait for a time from the beginning.
        self.get_mut(vip);
    }

    pub(super) fn remove(&mut self, vip: Vip) {
        if let Some(host) = self.by_vip.remove(&vip)
            && let Some((at, _why)) = host.due.next
        {
            self.due.remove(&(at, vip));
        }
    }

    /// The host with this VIP, to be changed.
    pub(super) fn get_mut(&mut self, vip: Vip) -> Option<&mut Host> {
        let host = self.by_vip.get_mut(&vip)?;
        if !std::mem::replace(&mut host.due.touched, true) {
            self.touched.push(vip);
        }
        Some(host)
    }

    /// Asks the hosts that may have changed for the times that they wait for now.
    pub(super) fn settle(&mut self) {
        for vip in self.touched.drain(..) {
            // The host may have been removed.
            let Some(host) = self.by_vip.get_mut(&vip) else {
                continue;
            };
            host.due.touched = false;
            let (before, due) = (host.due.next, host.poll_timeout());
            host.due.next = due;
            let (before, due) = (before.map(|(at, _)| at), due.map(|(at, _)| at));
            if before != due {
                before.map(|at| self.due.remove(&(at, vip)));
                due.map(|at| self.due.insert((at, vip)));
            }
        }
    }

    /// The next time for one of the hosts, and the reason for it. Before [`Hosts::settle`], it may be too early.
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let first = self.due.first();
        let first = first.and_then(|(_at, vip)| self.by_vip.get(vip)?.due.next);
        let touched = self.touched.iter();
        let touched = touched.filter_map(|vip| self.by_vip.get(vip)?.poll_timeout());
        touched.chain(first).min()
    }

    /// The hosts whose times have come.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Vip> {
        self.settle();
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, vip)| *vip).collect()
    }
}
