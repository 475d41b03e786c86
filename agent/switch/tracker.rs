//! The flows that cross the switch. The switch knows them only from their packets.
//!
//! The switch does not trust agents, so it follows each flow itself. A flow begins with a SYN that the policy allows.
//! It ends when both FINs are acknowledged, when one end resets it, when its SYN is not answered in time, when one of
//! its hosts is lost, or when the manager ends it. Packets that belong to no flow may not pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddrV4},
    ops::Bound,
    time::Duration,
};

use super::{
    ended::{Ended, EndedFlow},
    meter::{Meter, Reading},
    window::{Window, is_after},
};
use crate::{
    addr::{FlowKey, Vip},
    budget::{Counts, Shares},
    route::policy::By,
    time::Instant,
    view::{FlowOutcome, TryOutcome},
    wire::{
        Segment,
        packet::{RESET_LEN, reset},
    },
};

/// The maximum number of existing flows that one host may have begun. The manager's own host may begin as many in
/// addition to the flows of all other hosts.
pub(super) const FLOWS_PER_HOST: usize = 16_384;

/// The maximum number of existing flows that all hosts together may have begun, except for the manager's own host.
pub(super) const FLOWS_MAX: usize = 3 * FLOWS_PER_HOST;

/// The maximum number of unanswered SYNs of one host.
pub(super) const OPENINGS_PER_HOST: usize = 1_024;

/// The maximum number of unanswered SYNs from one host to one other host.
pub(super) const OPENINGS_PER_PAIR: usize = 768;

/// The time after which an unanswered SYN is discarded. An agent abandons a dial well before that.
const OPENING_MAX: Duration = Duration::from_mins(2);

/// A service that refuses a connection does so at once. A reset that comes later than this after the SYN therefore
/// means that the service has not answered the agent at the far end. An agent gives up after 10 s for each address.
const SLOW_REFUSAL: Duration = Duration::from_secs(5);

/// The reason why a segment may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPassage {
    /// The segment belongs to no connection.
    Stray,
    /// The segment would begin a forbidden connection: the port is not published, the host is down, or there are too
    /// many flows.
    Forbidden,
    /// The segment would begin a flow that this rule of the policy refuses.
    Denied(By),
}

#[derive(Debug)]
pub(super) struct Tracker {
    /// Flows by their two endpoints, the lower one first.
    flows: BTreeMap<FlowKey, Flow>,
    /// The keys of each host's flows. If a host is lost, its flows are found without a search through all flows.
    by_host: BTreeMap<Vip, BTreeSet<FlowKey>>,
    /// The manager's own host. It can begin flows even if the other hosts have reached their limit.
    favourite: Option<Vip>,
    /// The number of flows that `favourite` has begun.
    favoured: usize,
    /// The number of flows that each host other than `favourite` has begun.
    begun: Shares<Vip>,
    /// The flows whose SYN is unanswered, ordered by the time of the SYN.
    openings: BTreeSet<(Instant, FlowKey)>,
    /// The number of unanswered SYNs that each host has sent.
    opening_by: Counts<Vip>,
    /// The number of unanswered SYNs that each host has sent to each other host.
    opening_to: Counts<(Vip, Vip)>,
    ended: Ended,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            flows: BTreeMap::new(),
            by_host: BTreeMap::new(),
            favourite: None,
            favoured: 0,
            begun: Shares::new(FLOWS_MAX, 1),
            openings: BTreeSet::new(),
            opening_by: Counts::new(),
            opening_to: Counts::new(),
            ended: Ended::default(),
        }
    }
}

#[derive(Debug)]
struct Flow {
    /// The end whose endpoint is the first in the flow's key.
    first: End,
    second: End,
    /// The end that sent the SYN.
    initiator: Side,
    /// The sequence number of the SYN that began the flow.
    first_seq: u32,
    /// The time at which the flow began; `None` after its SYN was answered.
    opening: Option<Instant>,
    begun: Instant,
    last: Instant,
    /// The duration of the handshake; `None` before its end.
    handshake: Option<Duration>,
}

/// The state of a flow, as its packets show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowInfo {
    /// The two endpoints. The first is the endpoint of the initiator.
    pub key: FlowKey,
    /// The host that began the flow.
    pub from: Vip,
    /// The host at the other end. If the destination is outside the network, this is the gateway.
    pub to: Vip,
    /// The progress of the flow.
    pub phase: FlowPhase,
    /// The traffic from the host that began the flow.
    pub sent: Reading,
    /// The traffic from the host at the other end.
    pub received: Reading,
    /// The time since the flow began.
    pub age: Duration,
    /// The time since the last packet of the flow.
    pub idle: Duration,
    /// The time from the SYN to the initiator's acknowledgment of the SYN|ACK. It contains one round trip through the
    /// whole network, and the dial at the far end. `None` before that acknowledgment.
    pub handshake: Option<Duration>,
}

/// The progress of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowPhase {
    /// The SYN is not answered yet.
    Opening,
    /// The flow is established: both ends may send.
    Open,
    /// One end has finished sending.
    Closing,
}

/// One of the two ends of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The state of one end of a flow, as its packets show it.
#[derive(Clone, Copy, Debug)]
struct End {
    host: Vip,
    meter: Meter,
    /// The sequence number after the last byte that this end has sent. `None` before its SYN.
    next: Option<u32>,
    /// The sequence number after this end's FIN; `None` before the FIN.
    fin: Option<u32>,
    fin_acked: bool,
    window: Window,
}

/// The facts about a segment that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// The host at the other end of the flow.
    pub(super) to: Vip,
    /// The number of bytes of the segment that are beyond the receiver's window. A receiver can make an honest sender
    /// send bytes again, but these bytes never count, because the window that the switch assumes never shrinks.
    pub(super) useless: u32,
    /// The outcome for the sender's service, if the segment is the answer to the SYN.
    pub(super) tried: Option<TryOutcome>,
}

/// A SYN that nobody has answered in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unanswered {
    /// The host at the far end.
    pub(super) to: Vip,
    /// The address and port where the flow would have ended.
    pub(super) dst: SocketAddrV4,
}

/// A reset for one end of a flow, because the other end is gone.
#[derive(Debug)]
pub(super) struct Farewell {
    /// The host that is gone. The reset appears to come from it.
    pub(super) from: Vip,
    pub(super) to: Vip,
    pub(super) key: FlowKey,
    pub(super) packet: [u8; RESET_LEN],
}

impl Tracker {
    /// Marks a host as the manager's own, unless another host is marked already.
    pub(super) fn favour(&mut self, host: Vip) {
        self.favourite.get_or_insert(host);
    }

    /// Forgets a host that is removed. The host must have no flows left.
    pub(super) fn forget(&mut self, host: Vip) {
        self.ended.forget(host);
        self.favourite.take_if(|favourite| *favourite == host);
    }

    /// The number of flows from or to this host.
    pub(super) fn count(&self, host: Vip) -> usize {
        self.by_host.get(&host).map_or(0, BTreeSet::len)
    }

    /// Whether a SYN repeats the one that began its flow. Any other SYN begins a new flow, which replaces the old one:
    /// its sender has forgotten the old flow, and uses the port again.
    pub(super) fn is_repeated(&self, key: FlowKey, syn: Segment) -> bool {
        let (name, side) = ordered(key);
        let known = self.flows.get(&name);
        known.is_some_and(|flow| flow.initiator == side && flow.first_seq == syn.seq)
    }

    /// Begins a flow with an allowed SYN from host `from` to host `to`.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        from: Vip,
        to: Vip,
        key: FlowKey,
        segment: Segment,
    ) -> Result<(), NoPassage> {
        let (name, side) = ordered(key);
        if let Some(old) = self.flows.get(&name) {
            let outcome = old.reset_by(side);
            self.remove(now, name, outcome);
        }
        let opening = self.opening_by.of(from) < OPENINGS_PER_HOST
            && self.opening_to.of((from, to)) < OPENINGS_PER_PAIR;
        if !opening || !self.take(from) {
            return Err(NoPassage::Forbidden);
        }
        self.opening_by.add(from, 1);
        self.opening_to.add((from, to), 1);
        self.openings.insert((now, name));
        let mut initiator = End::new(now, from);
        initiator.meter.count(now, initiator.fresh(segment));
        initiator.next = Some(segment.seq.wrapping_add(segment.span));
        initiator.window.note(segment, Window::default(), None);
        let (first, second) = match side {
            Side::First => (initiator, End::new(now, to)),
            Side::Second => (End::new(now, to), initiator),
        };
        for host in [from, to] {
            self.by_host.entry(host).or_default().insert(name);
        }
        self.flows.insert(
            name,
            Flow {
                first,
                second,
                initiator: side,
                first_seq: segment.seq,
                opening: Some(now),
                begun: now,
                last: now,
                handshake: None,
            },
        );
        Ok(())
    }

    /// Notes that the SYN of this flow no longer waits for its answer: it was answered, or the flow is removed.
    fn opened(&mut self, since: Instant, name: FlowKey, (from, to): (Vip, Vip)) {
        self.openings.remove(&(since, name));
        self.opening_by.take(from, 1);
        self.opening_to.take((from, to), 1);
    }

    /// Counts one more flow that a host begins; returns false if the host has too many.
    fn take(&mut self, from: Vip) -> bool {
        if self.favourite == Some(from) {
            let fits = self.favoured < FLOWS_PER_HOST;
            self.favoured += usize::from(fits);
            return fits;
        }
        self.begun.held(from) < FLOWS_PER_HOST && self.begun.take(from, 1)
    }

    /// Reverses [`Tracker::take`] for a flow that has ended.
    fn give(&mut self, from: Vip) {
        if self.favourite == Some(from) {
            self.favoured -= 1;
        } else {
            self.begun.give(from, 1);
        }
    }

    /// The addresses to which a host has flows, inside and outside the network.
    pub(super) fn destinations(&self, host: Vip) -> BTreeSet<Ipv4Addr> {
        let names = self.by_host.get(&host).into_iter().flatten();
        names
            .flat_map(|name| [*name.src.ip(), *name.dst.ip()])
            .collect()
    }

    /// Updates a flow with one of its segments.
    pub(super) fn follow(
        &mut self,
        now: Instant,
        from: Vip,
        key: FlowKey,
        segment: Segment,
    ) -> Result<Passage, NoPassage> {
        let (name, side) = ordered(key);
        let Some(flow) = self.flows.get_mut(&name) else {
            return Err(NoPassage::Stray);
        };
        // Several gateways may lead to an address, but only one of them has this flow.
        if flow.end(side).host != from {
            return Err(NoPassage::Stray);
        }
        let End {
            host: to,
            window,
            next,
            ..
        } = *flow.end(side.other());
        let mut opened = None;
        if segment.flags.rst {
            let tried = flow.refusal(now, side);
            let outcome = match tried {
                Some(TryOutcome::TimedOut) => FlowOutcome::TimedOut,
                Some(_) => FlowOutcome::Refused,
                None => flow.reset_by(side),
            };
            self.remove(now, name, outcome);
            return Ok(Passage {
                to,
                useless: 0,
                tried,
            });
        }
        flow.last = now;
        let end = segment.seq.wrapping_add(segment.span);
        let sender = flow.end_mut(side);
        let fresh = sender.fresh(segment);
        let useless = window.beyond(end).min(segment.bytes());
        sender.meter.count(now, fresh);
        sender.window.note(segment, window, next);
        if sender.next.is_none_or(|next| is_after(end, next)) {
            sender.next = Some(end);
        }
        if segment.flags.fin {
            sender.fin = Some(end);
        }
        if segment.flags.ack {
            if side != flow.initiator {
                if let Some(since) = flow.opening.take() {
                    opened = Some((since, (to, from)));
                }
            } else if flow.handshake.is_none() {
                flow.handshake = Some(now - flow.begun);
            }
            let receiver = flow.end_mut(side.other());
            receiver.fin_acked |= receiver.fin.is_some_and(|fin| !is_after(fin, segment.ack));
        }
        let over = flow.first.fin_acked && flow.second.fin_acked;
        let tried = opened.map(|_| TryOutcome::Answered);
        if let Some((since, pair)) = opened {
            self.opened(since, name, pair);
        }
        if over {
            self.remove(now, name, FlowOutcome::Closed);
        }
        Ok(Passage { to, useless, tried })
    }

    /// Removes all flows of a lost host, and returns the resets for their other ends.
    pub(super) fn lose(&mut self, now: Instant, host: Vip) -> Vec<Farewell> {
        let names = self.by_host.remove(&host).unwrap_or_default();
        names
            .into_iter()
            .filter_map(|name| {
                let flow = self.remove(now, name, FlowOutcome::Lost)?;
                let gone = if flow.first.host == host {
                    Side::First
                } else {
                    Side::Second
                };
                // If a host has a flow to itself, there is no other end to reset.
                (flow.end(gone.other()).host != host).then(|| flow.farewell(name, gone))
            })
            .collect()
    }

    /// Ends one flow, and returns the resets for both ends; `None` if there is no such flow. `key` may name the flow in
    /// either direction.
    pub(super) fn end(
        &mut self,
        now: Instant,
        key: FlowKey,
        outcome: FlowOutcome,
    ) -> Option<[Farewell; 2]> {
        let (name, _) = ordered(key);
        let flow = self.remove(now, name, outcome)?;
        Some([Side::First, Side::Second].map(|gone| flow.farewell(name, gone)))
    }

    /// All flows, ordered by their endpoints.
    pub(super) fn flows(&self, now: Instant) -> impl Iterator<Item = FlowInfo> {
        let flows = self.flows.iter();
        flows.map(move |(&name, flow)| flow.info(now, name))
    }

    /// One flow. `key` may name it in either direction.
    pub(super) fn flow(&self, now: Instant, key: FlowKey) -> Option<FlowInfo> {
        let (name, _) = ordered(key);
        Some(self.flows.get(&name)?.info(now, name))
    }

    /// The flows that follow the flow `after`, or all flows, each with the time of its last packet. They are ordered by
    /// their names. A name consists of the two endpoints, the lower one first.
    pub(super) fn uses(&self, after: Option<FlowKey>) -> impl Iterator<Item = (FlowKey, Instant)> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let flows = self.flows.range((after, Bound::Unbounded));
        flows.map(|(&name, flow)| (name, flow.last))
    }

    /// The number of flows.
    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    /// At most `most` of the flows that have ended last, the oldest of them first.
    pub(super) fn ended(&self, most: usize) -> impl Iterator<Item = &EndedFlow> {
        self.ended.newest(most)
    }

    /// Notes a flow that was refused before it began.
    pub(super) fn note_unbegun(
        &mut self,
        now: Instant,
        (from, to): (Vip, Option<Vip>),
        key: FlowKey,
        outcome: FlowOutcome,
    ) {
        self.ended.note(EndedFlow {
            key,
            from,
            to,
            outcome,
            sent: 0,
            received: 0,
            lasted: Duration::ZERO,
            at: now,
            handshake: None,
        });
    }

    /// Removes the next flow whose SYN was not answered in time; `None` if there is none.
    pub(super) fn poll_unanswered(&mut self, now: Instant) -> Option<Unanswered> {
        let &(since, name) = self.openings.first()?;
        if now - since < OPENING_MAX {
            return None;
        }
        let flow = self.remove(now, name, FlowOutcome::TimedOut)?;
        Some(Unanswered {
            to: flow.end(flow.initiator.other()).host,
            dst: flow.key(name).dst,
        })
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let (since, _) = self.openings.first()?;
        Some((*since + OPENING_MAX, "a SYN that nobody answers"))
    }

    fn remove(&mut self, now: Instant, name: FlowKey, outcome: FlowOutcome) -> Option<Flow> {
        let flow = self.flows.remove(&name)?;
        self.ended.note(flow.ended(now, name, outcome));
        for host in [flow.first.host, flow.second.host] {
            if let Some(names) = self.by_host.get_mut(&host) {
                names.remove(&name);
            }
        }
        let [from, to] = [flow.initiator, flow.initiator.other()].map(|side| flow.end(side).host);
        if let Some(since) = flow.opening {
            self.opened(since, name, (from, to));
        }
        self.give(from);
        Some(flow)
    }
}

impl Flow {
    const fn end(&self, side: Side) -> &End {
        match side {
            Side::First => &self.first,
            Side::Second => &self.second,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    /// The key of the flow in the direction from its initiator.
    fn key(&self, name: FlowKey) -> FlowKey {
        match self.initiator {
            Side::First => name,
            Side::Second => name.reversed(),
        }
    }

    /// The outcome if the host at this end resets the flow.
    fn reset_by(&self, side: Side) -> FlowOutcome {
        if side == self.initiator {
            FlowOutcome::ResetByFrom
        } else {
            FlowOutcome::ResetByTo
        }
    }

    /// The outcome for the service that a reset from this end shows; `None` if the reset is not the answer to the SYN.
    fn refusal(&self, now: Instant, side: Side) -> Option<TryOutcome> {
        let since = self.opening.filter(|_| side != self.initiator)?;
        Some(if now - since < SLOW_REFUSAL {
            TryOutcome::Refused
        } else {
            TryOutcome::TimedOut
        })
    }

    fn ended(&self, now: Instant, name: FlowKey, outcome: FlowOutcome) -> EndedFlow {
        let (from, to) = (self.end(self.initiator), self.end(self.initiator.other()));
        EndedFlow {
            key: self.key(name),
            from: from.host,
            to: Some(to.host),
            outcome,
            sent: from.meter.read(now).bytes,
            received: to.meter.read(now).bytes,
            lasted: now - self.begun,
            at: now,
            handshake: self.handshake,
        }
    }

    fn info(&self, now: Instant, name: FlowKey) -> FlowInfo {
        let key = self.key(name);
        let (from, to) = (self.end(self.initiator), self.end(self.initiator.other()));
        let phase = if self.opening.is_some() {
            FlowPhase::Opening
        } else if from.fin.is_some() || to.fin.is_some() {
            FlowPhase::Closing
        } else {
            FlowPhase::Open
        };
        FlowInfo {
            key,
            from: from.host,
            to: to.host,
            phase,
            sent: from.meter.read(now),
            received: to.meter.read(now),
            age: now - self.begun,
            idle: now - self.last,
            handshake: self.handshake,
        }
    }

    /// A reset for the end that remains, in the name of the end that is gone. Its sequence number follows everything
    /// that was forwarded, because the receiver expects this number as soon as it has received all of the forwarded
    /// bytes.
    fn farewell(&self, name: FlowKey, gone: Side) -> Farewell {
        let key = match gone {
            Side::First => name,
            Side::Second => name.reversed(),
        };
        let stays = self.end(gone.other());
        let packet = match self.end(gone).next {
            Some(next) => reset(key, next, None),
            // If the SYN was never answered, a reset is valid only if it acknowledges the SYN.
            None => reset(key, 0, stays.next),
        };
        Farewell {
            from: self.end(gone).host,
            to: stays.host,
            key,
            packet,
        }
    }
}

impl End {
    fn new(now: Instant, host: Vip) -> Self {
        Self {
            host,
            meter: Meter::new(now),
            next: None,
            fin: None,
            fin_acked: false,
            window: Window::default(),
        }
    }

    /// The number of bytes of a segment that were not sent before. A keepalive probe repeats one byte, so it has no new
    /// bytes.
    fn fresh(&self, segment: Segment) -> u32 {
        let bytes = segment.bytes();
        let numbered = segment.span - bytes;
        let end = segment.seq.wrapping_add(segment.span);
        match self.next {
            Some(next) if is_after(end, next) => {
                end.wrapping_sub(next).saturating_sub(numbered).min(bytes)
            }
            Some(_) => 0,
            None => bytes,
        }
    }
}

/// The flow's key with its endpoints in ascending order, and the end that is the source in the given key.
fn ordered(key: FlowKey) -> (FlowKey, Side) {
    if key.src <= key.dst {
        (key, Side::First)
    } else {
        (key.reversed(), Side::Second)
    }
}
