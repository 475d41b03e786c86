//! The flows that have ended last. They are kept so that a connection that existed only for a moment can still be seen.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use crate::{
    addr::{FlowKey, Vip},
    time::Instant,
    view::FlowOutcome,
};

/// The maximum number of ended flows that are kept.
pub(super) const ENDED_MAX: usize = 1_000;

/// A flow that has ended, or that was refused before it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedFlow {
    /// The two endpoints. The first is the endpoint of the initiator.
    pub key: FlowKey,
    /// The host that began the flow.
    pub from: Vip,
    /// The host at the other end, or the gateway; `None` if the flow was refused before a gateway was chosen.
    pub to: Option<Vip>,
    /// The outcome of the flow.
    pub outcome: FlowOutcome,
    /// Bytes from the host that began the flow.
    pub sent: u64,
    /// Bytes from the host at the other end.
    pub received: u64,
    /// The time from the first packet to the end.
    pub lasted: Duration,
    /// The time of the end.
    pub at: Instant,
    /// The duration of the handshake; `None` if the handshake was never finished.
    pub handshake: Option<Duration>,
}

/// The newest ended flows by number, and for each host the numbers of the flows that it began.
#[derive(Debug, Default)]
pub(super) struct Ended {
    flows: BTreeMap<u64, EndedFlow>,
    begun_by: BTreeMap<Vip, VecDeque<u64>>,
    /// The hosts, ordered by how many of their flows are kept. The host with the most is found here without a search
    /// through all hosts.
    sizes: BTreeSet<(usize, Vip)>,
    last_number: u64,
}

impl Ended {
    /// Keeps a flow. If there are too many, drops the oldest flow of the host with the most flows. One host therefore
    /// cannot push out the flows of others.
    pub(super) fn note(&mut self, flow: EndedFlow) {
        self.last_number += 1;
        self.flows.insert(self.last_number, flow);
        let own = self.begun_by.entry(flow.from).or_default();
        self.sizes.remove(&(own.len(), flow.from));
        own.push_back(self.last_number);
        self.sizes.insert((own.len(), flow.from));
        if self.flows.len() > ENDED_MAX {
            self.shed();
        }
    }

    fn shed(&mut self) {
        let Some((_, most)) = self.sizes.pop_last() else {
            return;
        };
        if let Some(own) = self.begun_by.get_mut(&most)
            && let Some(oldest) = own.pop_front()
        {
            self.flows.remove(&oldest);
            self.sizes.insert((own.len(), most));
        }
    }

    /// Drops all flows of a host that is removed, because its address may belong to another host later.
    pub(super) fn forget(&mut self, host: Vip) {
        let flows = std::mem::take(self).flows;
        for flow in flows.into_values() {
            if flow.from != host && flow.to != Some(host) {
                self.note(flow);
            }
        }
    }

    /// At most `most` of the newest flows, the oldest of them first.
    pub(super) fn newest(&self, most: usize) -> impl Iterator<Item = &EndedFlow> {
        let skipped = self.flows.len().saturating_sub(most);
        self.flows.values().skip(skipped)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;

    fn vip(last: u8) -> Vip {
        Vip::new(Ipv4Addr::new(127, 0, 42, last)).unwrap()
    }

    fn flow(from: u8, to: u8, port: u16) -> EndedFlow {
        EndedFlow {
            key: FlowKey {
                src: SocketAddrV4::new(vip(from).address(), port),
                dst: SocketAddrV4::new(vip(to).address(), 80),
            },
            from: vip(from),
            to: Some(vip(to)),
            outcome: FlowOutcome::Closed,
            sent: 0,
            received: 0,
            lasted: Duration::ZERO,
            at: Instant::ZERO,
            handshake: None,
        }
    }

    fn ports(ended: &Ended, from: u8) -> Vec<u16> {
        let flows = ended.newest(usize::MAX);
        let own = flows.filter(|flow| flow.from == vip(from));
        own.map(|flow| flow.key.src.port()).collect()
    }

    #[test]
    fn a_host_with_many_short_connections_does_not_push_out_those_of_others() {
        let mut ended = Ended::default();
        for port in 1..=20 {
            ended.note(flow(2, 3, port));
        }
        for port in 1..=5_000 {
            ended.note(flow(1, 3, port));
        }
        assert_eq!(ended.flows.len(), ENDED_MAX);
        assert_eq!(ports(&ended, 2), (1..=20).collect::<Vec<_>>());
        assert_eq!(ports(&ended, 1), (4_021..=5_000).collect::<Vec<_>>());
        let newest: Vec<_> = ended.newest(2).map(|flow| flow.key.src.port()).collect();
        assert_eq!(newest, [4_999, 5_000]);
    }

    #[test]
    fn a_removed_host_leaves_no_flow_that_its_successor_could_be_blamed_for() {
        let mut ended = Ended::default();
        for (from, to, port) in [(1, 2, 10), (2, 3, 20), (3, 1, 30)] {
            ended.note(flow(from, to, port));
        }
        ended.forget(vip(2));
        assert_eq!(ports(&ended, 3), [30]);
        assert_eq!(ended.newest(10).count(), 1);
        // The numbers of flows per host are still correct.
        for port in 1..=5_000 {
            ended.note(flow(1, 3, port));
        }
        assert_eq!(ports(&ended, 3), [30]);
        assert_eq!(ended.flows.len(), ENDED_MAX);
    }
}
