//! The user-space TCP of a host: a table of flows, each with its own stack.
//!
//! The table assigns packets to flows, runs the timers, limits the number of flows, and schedules sending fairly. It
//! never dials, listens or waits: its owner copies bytes directly into and out of the buffers of the flows.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod allowance;
mod device;
mod memory;
mod scheduler;
mod stack;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use bytes::BytesMut;

use self::{
    allowance::Allowance,
    memory::{Growth, Memory, PAGE},
    scheduler::Scheduler,
    stack::{FAR_WINDOW, SMALL_WINDOW, Stack, State, WINDOW},
};
pub use self::{
    memory::{Capacity, Holder},
    scheduler::Pick,
    stack::{Reach, Receive},
};
use crate::{
    addr::FlowKey,
    time::Instant,
    wire::{Packet, Segment, frame, packet::RESET_LEN},
};

/// The maximum number of queued replies to packets without a flow. Further replies are dropped, because the senders of
/// these packets retransmit them.
const REPLIES_MAX: usize = 1_024;

/// The maximum number of queued immediate answers of one flow. Three duplicate acknowledgments already make a peer
/// retransmit (RFC 5681 section 3.2). With a higher limit, a flood of packets to a flow would make this host flood the
/// network.
const ANSWERS_MAX: usize = 4;

/// The owner of a flow is woken to write when at least this many bytes are free in the send buffer. Otherwise, a peer
/// that accepts one byte at a time would make the owner read one byte at a time from the program.
const ROOM_MIN: usize = 16 << 10;

/// The maximum number of stacks that are kept for reuse by later flows.
const SPARE_MAX: usize = 64;

/// The maximum number of timers that are handled in one call, before other work has its turn.
const TIMERS_IN_A_TURN: usize = 256;

/// The local ports of outgoing flows. There are more such ports than flows, so one is always free.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 16_384..=65_535;

/// A packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentPacket {
    /// The destination address of the packet.
    pub to: Ipv4Addr,
    /// Whether the packet is a SYN, with which a flow begins.
    pub begins: bool,
}

/// A flow could not begin, because the limit on flows or memory is reached, in total or for its [`Holder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this host already has as many connections as it has room for")]
pub struct TableFull;

/// All flows of a host. A flow is identified by its [`FlowKey`] as this host sees it. The key stays in use until the
/// flow is over **and** its owner has called [`Table::release`].
pub struct Table {
    flows: BTreeMap<FlowKey, Flow>,
    /// The flows that may have something to send.
    scheduler: Scheduler,
    /// Resets that belong to no flow, with the hosts to which they are sent.
    replies: VecDeque<(Ipv4Addr, [u8; RESET_LEN])>,
    /// Stacks of flows that are over, kept for reuse, because making a stack costs more than a short connection does.
    spare: Vec<Stack>,
    memory: Memory,
    wakes: VecDeque<FlowKey>,
    timers: BTreeSet<(Instant, FlowKey)>,
    random: SplitMix,
    next_port: u16,
}

struct Flow {
    stack: Stack,
    /// Whether the flow is in `scheduler`.
    queued: bool,
    /// Whether the flow is in `wakes`.
    woken: bool,
    /// The state that the owner was last woken for; `None` if it was not woken yet.
    known: Option<State>,
    /// The time of this flow's entry in `timers`; `None` if it has none.
    armed: Option<Instant>,
    released: bool,
    holder: Holder,
    growth: Growth,
    /// Limits what is under way; `None` if only the buffer does.
    allowance: Option<Allowance>,
    sending: Extent,
    receiving: Extent,
    /// The sequence number of the next byte from the peer; `None` before its first segment.
    expected: Option<u32>,
    /// The immediate answers of the stack that are not sent yet, as packet frames.
    answers: VecDeque<BytesMut>,
}

/// The parts of a buffer that are touched and reserved, in bytes from its beginning.
#[derive(Clone, Copy, Debug)]
struct Extent {
    touched: usize,
    paid: usize,
}

impl Extent {
    /// Nothing is touched yet. The first page is reserved, because the cost of every flow includes it.
    const NEW: Self = Self {
        touched: 0,
        paid: PAGE,
    };
}

impl Table {
    /// An empty table. `seed` decides the initial sequence numbers and the order of ports.
    pub fn new(seed: u64, capacity: Capacity) -> Self {
        let mut random = SplitMix(seed);
        let span = u64::from(EPHEMERAL.end() - EPHEMERAL.start());
        let offset = u16::try_from(random.next() % span).unwrap_or(0);
        Self {
            flows: BTreeMap::new(),
            scheduler: Scheduler::default(),
            replies: VecDeque::new(),
            spare: Vec::new(),
            memory: Memory::new(capacity),
            wakes: VecDeque::new(),
            timers: BTreeSet::new(),
            random,
            next_port: EPHEMERAL.start() + offset,
        }
    }

    /// The number of flows.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether there is no flow.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Whether more than an eighth of the flows or of the memory is in use.
    pub fn is_busy(&self) -> bool {
        self.memory.is_busy()
    }

    /// Opens a flow for `holder` from the first to the second address by sending a SYN.
    pub fn connect(
        &mut self,
        now: Instant,
        holder: Holder,
        reach: Reach,
        (local, remote): (Ipv4Addr, SocketAddrV4),
    ) -> Result<FlowKey, TableFull> {
        let growth = self.memory.begin(holder, reach).ok_or(TableFull)?;
        let Some(key) = self.free_port(local, remote) else {
            self.memory.end(holder, growth, 0);
            return Err(TableFull);
        };
        let mut stack = self.stack(now, growth, reach);
        stack.connect(key);
        self.insert(now, key, holder, growth, stack);
        Ok(key)
    }

    /// Begins a flow with a SYN that has arrived, and delays the SYN|ACK until [`Table::admit`] is called;
    /// [`Table::abort`] refuses the flow. `None` if the packet is not a valid SYN; then no flow begins.
    pub fn accept(
        &mut self,
        now: Instant,
        holder: Holder,
        reach: Reach,
        syn: &Packet<'_>,
    ) -> Result<Option<FlowKey>, TableFull> {
        let key = syn.key().reversed();
        let growth = self.memory.begin(holder, reach).ok_or(TableFull)?;
        let mut stack = self.stack(now, growth, reach);
        stack.listen(key);
        self.insert(now, key, holder, growth, stack);
        self.handle_packet(now, syn);
        if self.is_reset(key) {
            self.release(key);
            return Ok(None);
        }
        Ok(Some(key))
    }

    /// Passes a packet to its flow. Returns false if the packet belongs to no flow.
    pub fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) -> bool {
        let key = packet.key().reversed();
        let Some(flow) = self.flows.get_mut(&key) else {
            return false;
        };
        if !flow.has_room_for(packet.segment(), &mut self.memory) {
            return true;
        }
        let mut answer = BytesMut::new();
        flow.stack.handle_packet(now, packet, &mut answer);
        if let Some(allowance) = &mut flow.allowance {
            allowance.note_acknowledged(now, flow.stack.unsent());
        }
        if !answer.is_empty() {
            // Acknowledgments are cumulative. If the queue is full, the newest answer can therefore replace the last
            // one in it.
            flow.answers.truncate(ANSWERS_MAX - 1);
            flow.answers.push_back(answer);
        }
        let has_news = flow.has_news();
        self.touch(key);
        if has_news {
            self.wake(key);
        }
        true
    }

    /// Queues a reset that belongs to no flow, such as the answer to a SYN for a port without a service.
    pub fn reply(&mut self, reset: &[u8; RESET_LEN]) {
        if self.replies.len() < REPLIES_MAX
            && let Ok(packet) = Packet::parse(reset)
        {
            let to = *packet.key().dst.ip();
            self.replies.push_back((to, *reset));
        }
    }

    /// Continues the handshake of an accepted flow.
    pub fn admit(&mut self, key: FlowKey) {
        self.change(key, Stack::admit);
    }

    /// Ends a flow with a reset. If it was not admitted yet, the peer sees a refused connection.
    pub fn abort(&mut self, key: FlowKey) {
        self.change(key, Stack::abort);
    }

    /// Closes the sending side: the owner will send no more data.
    pub fn finish(&mut self, key: FlowKey) {
        self.change(key, Stack::finish);
    }

    /// Tells the table that the owner does not need the flow any more. The flow is removed as soon as its last packet
    /// has been sent.
    pub fn release(&mut self, key: FlowKey) {
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.released = true;
            self.touch(key);
        }
    }

    /// Whether the far end has accepted the flow.
    pub fn is_established(&self, key: FlowKey) -> bool {
        self.flows
            .get(&key)
            .is_some_and(|flow| flow.stack.is_established())
    }

    /// Lets `fill` write into the free part of a flow's send buffer; `fill` returns how many bytes it wrote. `None` if
    /// the buffer has no room, or if the flow does not accept data yet, or accepts no more.
    pub fn send_with<R>(
        &mut self,
        key: FlowKey,
        fill: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Option<R> {
        let result = self
            .flows
            .get_mut(&key)?
            .send_with(&mut self.memory, fill)?;
        self.touch(key);
        Some(result)
    }

    /// Lets `take` read a flow's received bytes; `take` returns how many bytes it has consumed.
    pub fn receive_with<R>(
        &mut self,
        key: FlowKey,
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Receive<R> {
        let Some(flow) = self.flows.get_mut(&key) else {
            return Receive::Reset;
        };
        let received = flow.stack.receive_with(take);
        if matches!(received, Receive::Data(_)) {
            // More room in the receive buffer may mean that the peer has to be sent a window update.
            self.touch(key);
        }
        received
    }

    /// Whether the peer has acknowledged everything that was written into a flow.
    pub fn has_delivered(&self, key: FlowKey) -> bool {
        let flow = self.flows.get(&key);
        flow.is_none_or(|flow| flow.stack.unsent() == 0)
    }

    /// Whether a flow has ended before both sides had finished.
    pub fn is_reset(&mut self, key: FlowKey) -> bool {
        self.flows
            .get_mut(&key)
            .is_none_or(|flow| flow.stack.is_reset())
    }

    /// Whether [`Table::poll_packet`] may have a packet to send.
    pub fn wants_wire(&self, pick: Pick) -> bool {
        let replies = pick == Pick::Any && !self.replies.is_empty();
        replies || !self.scheduler.is_empty(pick)
    }

    /// Appends one packet frame to `out` and describes it; `None` when nothing is left to send.
    pub fn poll_packet(
        &mut self,
        now: Instant,
        pick: Pick,
        out: &mut BytesMut,
    ) -> Option<SentPacket> {
        if pick == Pick::Any
            && let Some((to, reset)) = self.replies.pop_front()
        {
            frame::put_packet(out, reset.len(), |packet| packet.copy_from_slice(&reset));
            return Some(SentPacket { to, begins: false });
        }
        while let Some(held) = self.scheduler.take(pick) {
            let before = out.len();
            let sent = self.send(now, held.flow, out);
            self.scheduler.spent(held, out.len() - before);
            if let Some(sent) = sent {
                return Some(sent);
            }
        }
        None
    }

    /// Lets a flow send a packet, if it has one.
    fn send(&mut self, now: Instant, key: FlowKey, out: &mut BytesMut) -> Option<SentPacket> {
        let flow = self.flows.get_mut(&key)?;
        flow.queued = false;
        let mut sent = SentPacket {
            to: *key.dst.ip(),
            begins: false,
        };
        // Answers are sent first, so that later packets of the stack do not overtake them.
        if let Some(answer) = flow.answers.pop_front() {
            out.extend_from_slice(&answer);
            self.touch(key);
            return Some(sent);
        }
        sent.begins = flow.stack.is_calling();
        let before = out.len();
        flow.stack.poll_packet(now, out);
        let has_sent = out.len() > before;
        self.settle(now, key, has_sent);
        has_sent.then_some(sent)
    }

    /// The next flow that its owner should poll again.
    pub fn poll_wake(&mut self) -> Option<FlowKey> {
        let key = self.wakes.pop_front()?;
        if let Some(flow) = self.flows.get_mut(&key) {
            flow.woken = false;
        }
        Some(key)
    }

    /// Schedules the flows whose timers have expired, up to a fixed number. If more timers have expired,
    /// [`Table::poll_timeout`] returns a time that is already past.
    pub fn handle_timeout(&mut self, now: Instant) {
        for _ in 0..TIMERS_IN_A_TURN {
            let due = self.timers.first().filter(|(at, _)| *at <= now);
            let Some(&(at, key)) = due else {
                break;
            };
            self.timers.remove(&(at, key));
            if let Some(flow) = self.flows.get_mut(&key) {
                flow.armed = None;
                self.touch(key);
            }
        }
    }

    /// When to call [`Table::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let (at, _) = self.timers.first()?;
        Some((*at, "a flow's timer"))
    }

    fn stack(&mut self, now: Instant, growth: Growth, reach: Reach) -> Stack {
        let seed = self.random.next();
        let window = match growth {
            Growth::Far => FAR_WINDOW,
            Growth::Large => WINDOW,
            Growth::Small => SMALL_WINDOW,
        };
        let is_usual = growth == Growth::Large && reach == Reach::Near;
        let spare = self.spare.pop_if(|_| is_usual);
        spare.unwrap_or_else(|| Stack::new(now, seed, window, reach))
    }

    fn free_port(&mut self, local: Ipv4Addr, remote: SocketAddrV4) -> Option<FlowKey> {
        for _ in EPHEMERAL {
            let port = self.next_port;
            self.next_port = match port.checked_add(1) {
                Some(next) => next,
                None => *EPHEMERAL.start(),
            };
            let key = FlowKey {
                src: SocketAddrV4::new(local, port),
                dst: remote,
            };
            // A host may connect to itself, but the two ends of the connection must differ.
            if key.src != key.dst && !self.flows.contains_key(&key) {
                return Some(key);
            }
        }
        None
    }

    fn insert(&mut self, now: Instant, key: FlowKey, holder: Holder, growth: Growth, stack: Stack) {
        let flow = Flow {
            stack,
            queued: false,
            woken: false,
            known: None,
            armed: None,
            released: false,
            holder,
            growth,
            allowance: (growth == Growth::Far).then(|| Allowance::new(now)),
            sending: Extent::NEW,
            receiving: Extent::NEW,
            expected: None,
            answers: VecDeque::new(),
        };
        self.flows.insert(key, flow);
        self.touch(key);
    }

    fn change(&mut self, key: FlowKey, what: impl FnOnce(&mut Stack)) {
        if let Some(flow) = self.flows.get_mut(&key) {
            what(&mut flow.stack);
            self.touch(key);
        }
    }

    /// Schedules a flow for sending. Only the stack of the flow knows whether it really has something to send.
    fn touch(&mut self, key: FlowKey) {
        if let Some(flow) = self.flows.get_mut(&key)
            && !flow.queued
        {
            flow.queued = true;
            self.scheduler.begin(key);
        }
    }

    fn wake(&mut self, key: FlowKey) {
        if let Some(flow) = self.flows.get_mut(&key)
            && !flow.woken
        {
            flow.woken = true;
            self.wakes.push_back(key);
        }
    }

    /// Decides what happens to a flow after it was polled: schedules it again, arms its timer, or removes it.
    fn settle(&mut self, now: Instant, key: FlowKey, sent: bool) {
        let Some(flow) = self.flows.get_mut(&key) else {
            return;
        };
        if flow.stack.is_over(now) {
            if flow.released {
                let Some(flow) = self.flows.remove(&key) else {
                    return;
                };
                if let Some(at) = flow.armed {
                    self.timers.remove(&(at, key));
                }
                let beyond = flow.sending.paid + flow.receiving.paid - 2 * PAGE;
                self.memory.end(flow.holder, flow.growth, beyond);
                self.spare.extend(flow.stack.reuse());
                self.spare.truncate(SPARE_MAX);
            } else {
                self.wake(key);
            }
            return;
        }
        let Some(at) = flow.stack.poll_timeout(now) else {
            return;
        };
        if at <= now && sent {
            flow.queued = true;
            self.scheduler.end(key);
            return;
        }
        // A stack that wants to send but has not sent is polled again a little later. Polling it at once would loop for
        // ever.
        let at = at.max(now + Duration::from_millis(1));
        if flow.armed.is_none_or(|armed| at < armed) {
            if let Some(later) = flow.armed.replace(at) {
                self.timers.remove(&(later, key));
            }
            self.timers.insert((at, key));
        }
    }
}

impl Flow {
    /// Whether there is memory for the bytes of a segment. If not, the segment is dropped, and the peer retransmits it.
    fn has_room_for(&mut self, segment: Segment, memory: &mut Memory) -> bool {
        let numbered = u32::from(segment.flags.syn) + u32::from(segment.flags.fin);
        let bytes = usize::try_from(segment.span - numbered).unwrap_or(usize::MAX);
        let end = segment.seq.wrapping_add(segment.span);
        let expected = *self.expected.get_or_insert(segment.seq);
        let window = self.stack.window();
        if bytes > 0 && self.receiving.touched < window {
            // Bytes that arrive out of order touch at least one more page.
            let early = segment.seq != expected;
            let bytes = if early { bytes.max(PAGE) } else { bytes };
            let touched = window.min(self.receiving.touched + bytes);
            if touched > self.receiving.paid {
                let paid = self.receiving.paid;
                self.receiving.paid = memory.grow(self.holder, paid, touched, window);
            }
            if touched > self.receiving.paid {
                return false;
            }
            self.receiving.touched = touched;
        }
        if end.wrapping_sub(expected).cast_signed() > 0 {
            self.expected = Some(end);
        }
        true
    }

    /// Whether the owner of the flow should be woken: data has arrived, there is enough free room to send, or the state
    /// has changed.
    fn has_news(&mut self) -> bool {
        let state = self.stack.state();
        let has_changed = self.known != state;
        self.known = state;
        has_changed || self.stack.has_received() || self.room() >= ROOM_MIN
    }

    /// The number of bytes that may be written into the send buffer now.
    fn room(&self) -> usize {
        let unsent = self.stack.unsent();
        let free = self.stack.window() - unsent;
        let allowance = self.allowance.as_ref();
        allowance.map_or(free, |allowance| free.min(allowance.room(unsent)))
    }

    /// See [`Table::send_with`].
    fn send_with<R>(
        &mut self,
        memory: &mut Memory,
        fill: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Option<R> {
        let window = self.stack.window();
        let room = self.room();
        let extent = &mut self.sending;
        if extent.paid == window && self.allowance.is_none() {
            return self.stack.send_with(fill);
        }
        // When the buffer is empty, the stack writes the next byte at the buffer's beginning.
        if self.stack.unsent() == 0 {
            extent.touched = 0;
        }
        let paid = extent.paid - extent.touched + memory.room(self.holder);
        let may = if extent.paid == window {
            room
        } else {
            room.min(paid)
        };
        if may == 0 {
            return None;
        }
        let (count, result) = self.stack.send_with(|room| {
            let (count, result) = match room.split_at_mut_checked(may) {
                Some((room, _)) => fill(room),
                None => fill(room),
            };
            (count, (count, result))
        })?;
        if let Some(allowance) = &mut self.allowance {
            allowance.note_written(count, self.stack.unsent());
        }
        extent.touched = window.min(extent.touched + count);
        if extent.touched > extent.paid {
            extent.paid = memory.grow(self.holder, extent.paid, extent.touched, window);
        }
        Some(result)
    }
}

/// A small pseudo-random generator, `SplitMix` (Steele, Lea and Flood, 2014). It is used for nothing secret.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests;
