//! The queue of frames for one host. It is bounded, and independent of the queues of other hosts. It is fair between
//! the sending hosts, and between the flows of each of them.
//!
//! The order is deficit round robin over the senders, and over the flows of each sender. Newly active senders and flows
//! come first. This is the scheduler of RFC 8290 without its packet drops. Drops are not needed, because the link is
//! reliable and TCP windows limit the queue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::{
    addr::{FlowKey, Vip},
    turns::Turns,
    wire::PacketFrame,
};

/// The bytes that a flow may send per turn: one packet of the largest size.
const QUANTUM: usize = crate::wire::PACKET_MAX;

/// The bytes that a sender may send per turn. If it sends more, the excess is deducted from its next turn.
const SENDER_QUANTUM: i64 = 64 << 10;

/// The memory that a frame costs in addition to its bytes: its entries in the queue and in its flow.
const FRAME_COST: usize = 512;

/// A flow with at least this many bytes in the queue counts as fat. Only a few flows can be fat at a time, so the
/// fattest is found quickly.
const FAT: usize = 64 << 10;

/// The maximum number of the switch's own answers that may wait for a host. Further ones are dropped. An agent that
/// misses an answer sends its packet again.
const REPLIES_MAX: usize = 1_024;

/// The frames for one host, from all senders.
#[derive(Debug, Default)]
pub(super) struct Queue {
    control: VecDeque<Bytes>,
    lanes: BTreeMap<Vip, Lane>,
    turns: Turns<Vip>,
    cost: usize,
}

/// The frames that one host has sent.
#[derive(Debug, Default)]
struct Lane {
    backlogs: BTreeMap<FlowKey, Backlog>,
    turns: Turns<FlowKey>,
    fat: BTreeSet<FlowKey>,
    frames: usize,
    cost: usize,
    credit: i64,
}

#[derive(Debug)]
struct Backlog {
    frames: VecDeque<PacketFrame>,
    cost: usize,
    credit: usize,
}

impl Queue {
    /// The memory that the queued packets cost, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.cost == 0
    }

    /// Queues a control frame. Control frames are sent before packets.
    pub(super) fn push_control(&mut self, frame: Bytes) {
        self.control.push_back(frame);
    }

    /// Queues a packet, and counts it against the share of the host `from`, which has sent or caused it.
    pub(super) fn push(&mut self, from: Vip, key: FlowKey, frame: PacketFrame) {
        self.cost += cost(&frame);
        let turns = &mut self.turns;
        let lane = self.lanes.entry(from).or_insert_with(|| {
            turns.begin(from);
            Lane {
                credit: SENDER_QUANTUM,
                ..Lane::default()
            }
        });
        lane.push(key, frame);
    }

    /// Whether the queue has room for one more answer of the switch. `own` is the VIP of the host.
    pub(super) fn has_room_for_reply(&self, own: Vip) -> bool {
        let lane = self.lanes.get(&own);
        lane.is_none_or(|lane| lane.frames < REPLIES_MAX)
    }

    /// Drops frames of the sender that has the most in the queue, and returns how many. The time that this takes does
    /// not grow with the queue.
    pub(super) fn shed(&mut self) -> u64 {
        let lanes = self.lanes.values_mut();
        let Some(lane) = lanes.max_by_key(|lane| lane.cost) else {
            return 0;
        };
        let before = lane.cost;
        let dropped = lane.shed();
        self.cost -= before - lane.cost;
        dropped
    }

    /// The next control frame.
    pub(super) fn pop_control(&mut self) -> Option<Bytes> {
        self.control.pop_front()
    }

    /// The next frame.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.pop_control() {
            return Some(frame);
        }
        loop {
            let (from, is_fresh) = self.turns.take()?;
            let Some(lane) = self.lanes.get_mut(&from) else {
                continue;
            };
            if lane.cost == 0 {
                // If a newly active sender has nothing left in the queue, it waits one round before it can count as new
                // again. The reason is the same as for a flow in `Lane::pop`.
                if is_fresh {
                    self.turns.end(from);
                } else {
                    self.lanes.remove(&from);
                }
                continue;
            }
            if lane.credit <= 0 {
                lane.credit += SENDER_QUANTUM;
                self.turns.end(from);
                continue;
            }
            let Some(frame) = lane.pop() else {
                continue;
            };
            lane.credit -= i64::try_from(frame.len()).unwrap_or(i64::MAX);
            self.cost -= cost(&frame);
            self.turns.go_on(from, is_fresh);
            return Some(frame.into_bytes());
        }
    }

    /// Drops all frames, because the host is gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Lane {
    fn push(&mut self, key: FlowKey, frame: PacketFrame) {
        let cost = cost(&frame);
        self.cost += cost;
        self.frames += 1;
        let turns = &mut self.turns;
        let backlog = self.backlogs.entry(key).or_insert_with(|| {
            turns.begin(key);
            Backlog {
                frames: VecDeque::new(),
                cost: 0,
                credit: QUANTUM,
            }
        });
        let was_fat = backlog.cost >= FAT;
        backlog.cost += cost;
        backlog.frames.push_back(frame);
        if !was_fat && backlog.cost >= FAT {
            self.fat.insert(key);
        }
    }

    fn pop(&mut self) -> Option<PacketFrame> {
        loop {
            let (key, is_fresh) = self.turns.take()?;
            let Some(backlog) = self.backlogs.get_mut(&key) else {
                continue;
            };
            let Some(frame) = backlog.frames.front() else {
                // If a newly active flow has nothing left in the queue, it waits one round before it can count as new
                // again. Otherwise many flows that send a little could starve the steady flows.
                if is_fresh {
                    self.turns.end(key);
                } else {
                    self.backlogs.remove(&key);
                }
                continue;
            };
            if frame.len() > backlog.credit {
                backlog.credit += QUANTUM;
                self.turns.end(key);
                continue;
            }
            backlog.credit -= frame.len();
            let frame = backlog.frames.pop_front()?;
            let was_fat = backlog.cost >= FAT;
            backlog.cost -= cost(&frame);
            if was_fat && backlog.cost < FAT {
                self.fat.remove(&key);
            }
            self.cost -= cost(&frame);
            self.frames -= 1;
            self.turns.go_on(key, is_fresh);
            return Some(frame);
        }
    }

    /// Drops the newer half of the fattest backlog, so that the flow keeps the packets that the receiver expects next.
    /// If no backlog is fat, drops the whole backlog whose turn comes last.
    fn shed(&mut self) -> u64 {
        let cost_of = |key: &&FlowKey| self.backlogs.get(key).map_or(0, |backlog| backlog.cost);
        let fattest = self.fat.iter().max_by_key(cost_of).copied();
        let dropped = match fattest {
            Some(key) => self.backlogs.get_mut(&key).map(|backlog| {
                let dropped = backlog.frames.split_off(backlog.frames.len() / 2);
                backlog.cost -= dropped.iter().map(cost).sum::<usize>();
                if backlog.cost < FAT {
                    self.fat.remove(&key);
                }
                dropped
            }),
            // The search for a backlog that has frames also removes every empty backlog on its way.
            None => std::iter::from_fn(|| self.turns.last())
                .filter_map(|key| self.backlogs.remove(&key))
                .map(|backlog| backlog.frames)
                .find(|frames| !frames.is_empty()),
        };
        let dropped = dropped.unwrap_or_default();
        self.cost -= dropped.iter().map(cost).sum::<usize>();
        self.frames -= dropped.len();
        dropped.len() as u64
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

    fn vip(number: u8) -> Vip {
        Vip::new([127, 0, 42, number].into()).unwrap()
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
            queue.push(vip(100), key(1), packet(1, 60_000));
            queue.push(vip(100), key(2), packet(2, 60_000));
        }
        assert_eq!(queue.pop().unwrap().last(), Some(&1));
        queue.push(vip(100), key(3), packet(3, 40));
        assert_eq!(marks(&mut queue), [2, 3, 1, 2, 1, 2]);
        assert!(queue.is_empty());
    }

    #[test]
    fn flows_that_come_and_go_do_not_starve_a_steady_one() {
        let mut queue = Queue::default();
        for _ in 0..4 {
            queue.push(vip(100), key(1), packet(1, 60_000));
        }
        let mut served = 0;
        for round in 0..100 {
            queue.push(vip(100), key(2 + round % 2), packet(9, 40));
            served += usize::from(queue.pop().unwrap().last() == Some(&1));
        }
        assert_eq!(served, 4);
    }

    #[test]
    fn flows_that_are_new_every_time_do_not_starve_a_steady_one() {
        let mut queue = Queue::default();
        queue.push(vip(100), key(1), packet(1, 60_000));
        queue.push(vip(100), key(1), packet(1, 60_000));
        assert_eq!(queue.pop().unwrap().last(), Some(&1));
        for port in 2..1000 {
            queue.push(vip(100), key(port), packet(9, 40));
            queue.push(vip(100), key(port), packet(9, 40));
            if queue.pop().unwrap().last() == Some(&1) {
                return;
            }
        }
        panic!("the steady flow never had its turn");
    }

    #[test]
    fn control_goes_first() {
        let mut queue = Queue::default();
        queue.push(vip(100), key(1), packet(1, 10));
        queue.push_control(Bytes::from_static(b"c"));
        assert_eq!(marks(&mut queue), [b'c', 1]);
    }

    #[test]
    fn shedding_hits_the_flow_that_fills_the_queue() {
        let mut queue = Queue::default();
        queue.push(vip(100), key(1), packet(1, 40));
        for _ in 0..10 {
            queue.push(vip(100), key(2), packet(2, 20_000));
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

    #[test]
    fn shedding_hits_the_sender_that_fills_the_queue_however_many_flows_it_has() {
        let mut queue = Queue::default();
        queue.push(vip(1), key(1), packet(1, 60_000));
        queue.push(vip(1), key(1), packet(1, 60_000));
        for port in 2..10_000 {
            queue.push(vip(2), key(port), packet(2, 40));
        }
        for _ in 2..9_700 {
            assert_eq!(queue.shed(), 1);
        }
        let left = marks(&mut queue);
        let (few, many): (Vec<u8>, Vec<u8>) = left.iter().partition(|mark| **mark == 1);
        assert_eq!((few.len(), many.len()), (2, 300));
        assert_eq!((queue.cost(), queue.shed()), (0, 0));
    }

    #[test]
    fn one_sender_with_a_thousand_flows_gets_no_more_than_one_with_one() {
        let mut queue = Queue::default();
        for port in 2..1_000 {
            for _ in 0..3 {
                queue.push(vip(2), key(port), packet(2, 60_000));
            }
        }
        for _ in 0..20 {
            queue.push(vip(1), key(1), packet(1, 60_000));
        }
        let first: Vec<u8> = (0..20)
            .map(|_| *queue.pop().unwrap().last().unwrap())
            .collect();
        let (ones, _): (Vec<u8>, Vec<u8>) = first.iter().partition(|mark| **mark == 1);
        let ones = ones.len();
        assert!((8..=12).contains(&ones), "{first:?}");
    }

    #[test]
    fn answers_of_the_switch_do_not_pile_up() {
        let mut queue = Queue::default();
        for port in 0..2_000 {
            if queue.has_room_for_reply(vip(100)) {
                queue.push(vip(100), key(port), packet(1, 40));
            }
        }
        assert_eq!(marks(&mut queue).len(), REPLIES_MAX);
        assert!(queue.has_room_for_reply(vip(100)));
    }
}
