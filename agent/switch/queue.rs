//! What waits for one host's pipe: fair between flows, bounded, and never in the way of another host.
//!
//! Deficit round robin over flows with the newly active ones first (the scheduler of RFC 8290, without its dropping:
//! the pipe loses nothing, and TCP windows bound what waits).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::{addr::FlowKey, wire::PacketFrame};

/// How many bytes a flow may send before the next one gets its turn: one packet of the largest size.
const QUANTUM: usize = crate::wire::PACKET_MAX;

/// What a frame costs beside its bytes: its place in the queue, and its flow's.
const FRAME_COST: usize = 512;

/// How many turns newly active flows get before a steady one has its own. A host that begins flow after flow could keep
/// the others waiting for ever.
const FRESH_IN_A_ROW: u32 = 16;

/// Frames for one host.
#[derive(Debug, Default)]
pub(super) struct Queue {
    control: VecDeque<Bytes>,
    backlogs: BTreeMap<FlowKey, Backlog>,
    /// Flows that have just become active ...
    fresh: VecDeque<FlowKey>,
    /// ... and those that have had their turn.
    steady: VecDeque<FlowKey>,
    fresh_served: u32,
    cost: usize,
}

#[derive(Debug)]
struct Backlog {
    frames: VecDeque<PacketFrame>,
    cost: usize,
    credit: usize,
}

impl Queue {
    /// The memory that waiting packets cost, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.cost == 0
    }

    /// Control goes before data.
    pub(super) fn push_control(&mut self, frame: Bytes) {
        self.control.push_back(frame);
    }

    pub(super) fn push(&mut self, key: FlowKey, frame: PacketFrame) {
        self.cost += cost(&frame);
        let backlog = self.backlogs.entry(key).or_insert_with(|| {
            self.fresh.push_back(key);
            Backlog {
                frames: VecDeque::new(),
                cost: 0,
                credit: QUANTUM,
            }
        });
        backlog.cost += cost(&frame);
        backlog.frames.push_back(frame);
    }

    /// Drops the newer half of the longest backlog and returns how many frames that was. A whole half, so that a
    /// flood does not make us look for the longest at every packet.
    pub(super) fn shed(&mut self) -> u64 {
        let longest = self
            .backlogs
            .values_mut()
            .max_by_key(|backlog| backlog.cost);
        let Some(backlog) = longest else {
            return 0;
        };
        let keep = backlog.frames.len() / 2;
        let dropped = backlog.frames.split_off(keep);
        let shed: usize = dropped.iter().map(cost).sum();
        backlog.cost -= shed;
        self.cost -= shed;
        dropped.len() as u64
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        loop {
            let (key, is_fresh) = self.next_turn()?;
            let Some(backlog) = self.backlogs.get_mut(&key) else {
                continue;
            };
            let Some(frame) = backlog.frames.front() else {
                // A flow that ran dry while it was fresh waits one round before it may be fresh again; otherwise
                // many flows that send a little could starve the steady ones.
                if is_fresh {
                    self.steady.push_back(key);
                } else {
                    self.backlogs.remove(&key);
                }
                continue;
            };
            if frame.len() > backlog.credit {
                backlog.credit += QUANTUM;
                self.steady.push_back(key);
                continue;
            }
            backlog.credit -= frame.len();
            backlog.cost -= cost(frame);
            self.cost -= cost(frame);
            let frame = backlog.frames.pop_front();
            if is_fresh {
                self.fresh.push_front(key);
            } else {
                self.steady.push_front(key);
            }
            return frame.map(PacketFrame::into_bytes);
        }
    }

    /// The flow whose turn it is, and whether it is a fresh one.
    fn next_turn(&mut self) -> Option<(FlowKey, bool)> {
        if self.fresh_served < FRESH_IN_A_ROW
            && let Some(key) = self.fresh.pop_front()
        {
            self.fresh_served += 1;
            return Some((key, true));
        }
        self.fresh_served = 0;
        if let Some(key) = self.steady.pop_front() {
            return Some((key, false));
        }
        Some((self.fresh.pop_front()?, true))
    }

    /// Forgets everything: the host is gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn cost(frame: &PacketFrame) -> usize {
    frame.len() + FRAME_COST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> FlowKey {
        FlowKey {
            src: std::net::SocketAddrV4::new([127, 0, 42, 100].into(), port),
            dst: std::net::SocketAddrV4::new([127, 0, 42, 101].into(), 80),
        }
    }

    fn packet(mark: u8, len: usize) -> PacketFrame {
        PacketFrame::new(&vec![mark; len])
    }

    fn marks(queue: &mut Queue) -> Vec<u8> {
        std::iter::from_fn(|| queue.pop())
            .map(|frame| *frame.last().unwrap())
            .collect()
    }

    #[test]
    fn a_keystroke_goes_before_a_copy_and_copies_share() {
        let mut queue = Queue::default();
        for _ in 0..3 {
            queue.push(key(1), packet(1, 60_000));
            queue.push(key(2), packet(2, 60_000));
        }
        assert_eq!(queue.pop().unwrap().last(), Some(&1));
        queue.push(key(3), packet(3, 40));
        assert_eq!(marks(&mut queue), [2, 3, 1, 2, 1, 2]);
        assert!(queue.is_empty());
    }

    #[test]
    fn flows_that_come_and_go_do_not_starve_a_steady_one() {
        let mut queue = Queue::default();
        for _ in 0..4 {
            queue.push(key(1), packet(1, 60_000));
        }
        let mut served = 0;
        for round in 0..100 {
            queue.push(key(2 + round % 2), packet(9, 40));
            served += usize::from(queue.pop().unwrap().last() == Some(&1));
        }
        assert_eq!(served, 4);
    }

    #[test]
    fn flows_that_are_new_every_time_do_not_starve_a_steady_one() {
        let mut queue = Queue::default();
        queue.push(key(1), packet(1, 60_000));
        queue.push(key(1), packet(1, 60_000));
        assert_eq!(queue.pop().unwrap().last(), Some(&1));
        for port in 2..1000 {
            queue.push(key(port), packet(9, 40));
            queue.push(key(port), packet(9, 40));
            if queue.pop().unwrap().last() == Some(&1) {
                return;
            }
        }
        panic!("the steady flow never had its turn");
    }

    #[test]
    fn control_goes_first() {
        let mut queue = Queue::default();
        queue.push(key(1), packet(1, 10));
        queue.push_control(Bytes::from_static(b"c"));
        assert_eq!(marks(&mut queue), [b'c', 1]);
    }

    #[test]
    fn shedding_hits_the_flow_that_fills_the_queue() {
        let mut queue = Queue::default();
        queue.push(key(1), packet(1, 40));
        for _ in 0..10 {
            queue.push(key(2), packet(2, 1000));
        }
        let before = queue.cost();
        assert_eq!(queue.shed(), 5);
        assert!(queue.cost() < before);
        let left = marks(&mut queue);
        assert!(
            left.contains(&1),
            "the flow that sends little keeps its packet"
        );
        assert_eq!(left.len(), 6);
        assert_eq!(queue.cost(), 0);
    }
}
