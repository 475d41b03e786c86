//! Decides which flow sends next. The order is fair between destination hosts, and between the flows to each host.
//!
//! If a remote host makes this host answer each of its packets, these answers do not delay packets to other hosts.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::{addr::FlowKey, turns::Turns};

/// The number of bytes that are sent to one host before the next host has its turn. If a turn sends more, the host's
/// next turn is shorter.
const HOST_QUANTUM: i64 = 64 << 10;

/// The cost of a packet in addition to its own bytes, in bytes. It stands for the work of this host and of the hosts
/// that forward the packet.
const PACKET_COST: i64 = 2 << 10;

/// Which flows may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// All flows.
    Any,
    /// Only flows to a host for which no flow was scheduled for a while.
    Fresh,
}

/// The flows that may have something to send.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    lanes: BTreeMap<Ipv4Addr, Lane>,
    hosts: Turns<Ipv4Addr>,
}

/// Flows that lead to one host.
#[derive(Debug)]
struct Lane {
    flows: Turns<FlowKey>,
    credit: i64,
}

/// The flow that sends now, and whether its host was newly active.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub(super) flow: FlowKey,
    is_fresh: bool,
}

impl Scheduler {
    /// Whether no flow can be taken.
    pub(super) fn is_empty(&self, pick: Pick) -> bool {
        match pick {
            Pick::Any => self.lanes.values().all(|lane| lane.flows.is_empty()),
            Pick::Fresh => !self.hosts.has_fresh(),
        }
    }

    /// Adds a flow that was not scheduled.
    pub(super) fn begin(&mut self, flow: FlowKey) {
        self.lane(flow).flows.begin(flow);
    }

    /// Adds a flow that has just sent and may send more.
    pub(super) fn end(&mut self, flow: FlowKey) {
        self.lane(flow).flows.end(flow);
    }

    fn lane(&mut self, flow: FlowKey) -> &mut Lane {
        let (host, hosts) = (*flow.dst.ip(), &mut self.hosts);
        self.lanes.entry(host).or_insert_with(|| {
            hosts.begin(host);
            Lane {
                flows: Turns::default(),
                credit: HOST_QUANTUM,
            }
        })
    }

    /// Takes out the flow that sends next. The caller then reports with [`Scheduler::spent`] how much the flow has
    /// sent.
    pub(super) fn take(&mut self, pick: Pick) -> Option<Holding> {
        loop {
            let (host, is_fresh) = match pick {
                Pick::Any => self.hosts.take()?,
                Pick::Fresh => (self.hosts.take_fresh()?, true),
            };
            let Some(lane) = self.lanes.get_mut(&host) else {
                continue;
            };
            if lane.credit <= 0 {
                lane.credit += HOST_QUANTUM;
                self.hosts.end(host);
                continue;
            }
            match lane.flows.take() {
                Some((flow, _)) => return Some(Holding { flow, is_fresh }),
                // If the flows of a fresh host have run out of data, the host waits one round before it counts as fresh
                // again. Otherwise a host to which a little is sent all the time would always go before a host with a
                // steady stream.
                None if is_fresh => self.hosts.end(host),
                None => {
                    self.lanes.remove(&host);
                }
            }
        }
    }

    /// Reports how many bytes the taken flow has sent: 0, or one packet.
    pub(super) fn spent(&mut self, held: Holding, bytes: usize) {
        let host = *held.flow.dst.ip();
        if let Some(lane) = self.lanes.get_mut(&host)
            && bytes > 0
        {
            lane.credit -= PACKET_COST + i64::try_from(bytes).unwrap_or(i64::MAX);
        }
        self.hosts.go_on(host, held.is_fresh);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use super::*;

    fn flow(host: u8, port: u16) -> FlowKey {
        FlowKey {
            src: SocketAddrV4::new([127, 0, 42, 100].into(), port),
            dst: SocketAddrV4::new([127, 0, 42, host].into(), 80),
        }
    }

    /// The destination host of each turn, if each flow sends this many bytes in its turn and wants another turn.
    fn served(scheduler: &mut Scheduler, turns: usize, bytes: usize) -> Vec<u32> {
        let mut hosts = Vec::new();
        for _ in 0..turns {
            let held = scheduler.take(Pick::Any).unwrap();
            scheduler.end(held.flow);
            scheduler.spent(held, bytes);
            hosts.push(held.flow.dst.ip().to_bits() & 0xff);
        }
        hosts
    }

    #[test]
    fn a_host_with_a_thousand_flows_has_the_wire_no_longer_than_one_with_one() {
        for bytes in [41, 1_500, 60_000] {
            let mut scheduler = Scheduler::default();
            for port in 1..=1_000 {
                scheduler.begin(flow(1, port));
            }
            scheduler.begin(flow(2, 1));
            let hosts = served(&mut scheduler, 2_000, bytes);
            let ones = hosts.iter().filter(|host| **host == 1).count();
            assert!((850..=1_150).contains(&ones), "{ones} with {bytes} bytes");
        }
    }

    #[test]
    fn who_has_little_to_send_waits_for_one_turn_of_the_others_at_most() {
        let mut scheduler = Scheduler::default();
        for port in 1..=1_000 {
            scheduler.begin(flow(1, port));
        }
        served(&mut scheduler, 500, 1_500);
        scheduler.begin(flow(2, 1));
        let hosts = served(&mut scheduler, 64, 1_500);
        assert!(hosts.contains(&2), "{hosts:?}");
    }

    #[test]
    fn nothing_is_left_of_flows_that_want_no_more() {
        let mut scheduler = Scheduler::default();
        scheduler.begin(flow(1, 1));
        assert!(!scheduler.is_empty(Pick::Any));
        let held = scheduler.take(Pick::Any).unwrap();
        scheduler.spent(held, 100);
        assert!(scheduler.is_empty(Pick::Any));
        assert!(scheduler.take(Pick::Any).is_none());
        assert!(scheduler.lanes.is_empty() && scheduler.hosts.is_empty());
    }

    #[test]
    fn a_host_with_little_to_do_has_the_wire_where_steady_ones_may_not() {
        let mut scheduler = Scheduler::default();
        scheduler.begin(flow(1, 1));
        assert!(!scheduler.is_empty(Pick::Fresh));
        // The first host has more to send than a turn allows.
        served(&mut scheduler, 100, 1_500);
        assert!(scheduler.is_empty(Pick::Fresh) && scheduler.take(Pick::Fresh).is_none());
        scheduler.begin(flow(2, 1));
        let held = scheduler.take(Pick::Fresh).unwrap();
        assert_eq!(held.flow, flow(2, 1));
        scheduler.spent(held, 100);
        assert!(scheduler.take(Pick::Fresh).is_none());
        assert_eq!(scheduler.take(Pick::Any).unwrap().flow, flow(1, 1));
    }
}
