//! Decides which host gets a packet, and whether the packet may pass.
//!
//! No agent can bypass the switch. A host may send only from its own address, and a gateway also from the addresses
//! that it was asked to dial. A host may send only to ports that the manifest publishes and to destinations of routes,
//! and only within flows that began with an allowed SYN. The switch counts every refused packet. It answers with a
//! reset where an honest client would otherwise have to wait.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod ended;
mod learned;
mod meter;
mod queue;
mod refused;
mod tracker;
mod window;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use bytes::Bytes;

pub use self::{
    ended::EndedFlow,
    meter::Reading,
    refused::{Refused, Refusee},
    tracker::{FlowInfo, FlowPhase},
};

use self::{
    learned::{AT_ONCE_MAX, Learned},
    queue::Queue,
    refused::Tallies,
    tracker::{Farewell, NoPassage, Passage, Tracker, Unanswered},
};
use crate::{
    addr::{FlowKey, Port, Vip},
    route::{
        Route, Routes,
        policy::{Action, By, Name, Outside, Policy},
    },
    time::Instant,
    view::{FlowOutcome, TryOutcome},
    wire::{Packet, PacketError, PacketFrame},
};

/// The maximum number of bytes that may wait for one host. If there are more, a part of them is dropped.
const QUEUE_MAX: usize = 32 << 20;

/// The maximum number of bytes that may wait for all hosts together. Beyond that, a part of the longest queue is
/// dropped.
const QUEUES_MAX: usize = 64 << 20;

/// A frame with fewer bytes than this is copied into memory of its own. A frame that is not copied is a slice of the
/// block in which it was read, and keeps the whole block in memory.
const SMALL: usize = 4 << 10;

/// If more bytes than this wait for a host, frames of every size are copied, for the same reason as small ones.
const BACKLOG: usize = 1 << 20;

/// The news that a service behaves differently may wait this long, so that later changes are reported together with it.
const NEWS_PAUSE: Duration = Duration::from_secs(1);

/// The queues of all hosts, and the rules about packets between them.
#[derive(Default)]
pub struct Switch {
    hosts: BTreeMap<Vip, Host>,
    routes: Routes,
    policy: Policy,
    tallies: Tallies,
    learned: Learned,
    tracker: Tracker,
    queued: usize,
    wakes: VecDeque<Vip>,
    /// The time at which a change of [`Switch::tried`] is reported; `None` if there is no unreported change.
    news_at: Option<Instant>,
}

struct Host {
    up: bool,
    /// The ports that are open to other hosts, each with the last attempt to connect to the service behind it.
    published: BTreeMap<Port, Option<Tried>>,
    has_proxy: bool,
    queue: Queue,
    woken: bool,
    traffic: Traffic,
}

/// The last attempt to connect to the service behind a published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The outcome of the attempt.
    pub outcome: TryOutcome,
    /// The time of the outcome.
    pub at: Instant,
}

/// Counters of the packets of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of packets that the host has sent and that were forwarded.
    pub bytes_from: u64,
    /// Bytes of packets that were forwarded to the host.
    pub bytes_to: u64,
    /// Packets from the host that were not valid IPv4 packets with TCP.
    pub malformed: u64,
    /// Packets from the host with a source address that is not its own.
    pub spoofed: u64,
    /// Connections of the host that were refused: the port is not published, the other host is down, the policy does
    /// not allow the connection, or there are too many flows.
    pub refused: u64,
    /// Packets from the host that belong to no connection.
    pub stray: u64,
    /// Packets to the host that were dropped because its queue was full.
    pub shed: u64,
}

/// The decision about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The packet was queued for its destination.
    Forwarded,
    /// The packet was queued for its destination, but this many of its bytes are beyond the receiver's window.
    Useless(u32),
    /// The packet was queued for its destination. It is a SYN that begins a flow, or that repeats the SYN of an
    /// existing flow.
    Begun,
    /// The packet was refused, but a correct agent may send such a packet: for example, the port is not published, the
    /// host is down, the policy does not allow the connection, or the connection is over.
    Refused,
    /// The packet was dropped, because a correct agent never sends it.
    Offence(Offence),
}

impl Verdict {
    /// Whether the packet was queued for its destination.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Forwarded | Self::Useless(_) | Self::Begun)
    }
}

/// Packets and messages that a correct agent never sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offence {
    /// The bytes are not a valid IPv4 packet with TCP.
    Malformed(PacketError),
    /// The source address belongs to another host.
    Spoofed,
    /// A suggestion of a route from a host that may not make one.
    Suggestion,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "a packet that cannot be: {error}"),
            Self::Spoofed => f.write_str("a packet that claims to come from another host"),
            Self::Suggestion => {
                f.write_str("a suggestion of a route that the manifest does not have")
            }
        }
    }
}

impl Switch {
    /// Makes a switch without hosts.
    pub fn new(routes: Routes) -> Self {
        Self {
            routes,
            ..Self::default()
        }
    }

    /// Adds a host, which is down at first. `ports` are open to other hosts. Only a host with a proxy may report
    /// learned routes.
    pub fn add(&mut self, vip: Vip, ports: impl IntoIterator<Item = Port>, has_proxy: bool) {
        let host = Host {
            up: false,
            published: ports.into_iter().map(|port| (port, None)).collect(),
            has_proxy,
            queue: Queue::default(),
            woken: false,
            traffic: Traffic::default(),
        };
        self.hosts.insert(vip, host);
    }

    /// Marks a host as the manager's own: it can begin flows even if other hosts have reached the limit.
    pub fn favour(&mut self, vip: Vip) {
        self.tracker.favour(vip);
    }

    /// Replaces the published ports of a host. Flows to ports that are no longer published continue until an agent ends
    /// them.
    pub fn update(&mut self, vip: Vip, ports: impl IntoIterator<Item = Port>, has_proxy: bool) {
        if let Some(host) = self.hosts.get_mut(&vip) {
            let mut before = std::mem::take(&mut host.published);
            host.published = (ports.into_iter())
                .map(|port| (port, before.remove(&port).flatten()))
                .collect();
            host.has_proxy = has_proxy;
        }
    }

    /// Forgets the last attempt to connect to the service behind a port, because the port now leads to another service.
    pub fn forget_tried(&mut self, vip: Vip, port: Port) {
        let host = self.hosts.get_mut(&vip);
        if let Some(tried) = host.and_then(|host| host.published.get_mut(&port)) {
            *tried = None;
        }
    }

    /// Notes the outcome of an attempt to connect to the service behind a published port.
    pub fn note_tried(&mut self, now: Instant, vip: Vip, port: Port, outcome: TryOutcome) {
        let host = self.hosts.get_mut(&vip);
        let Some(tried) = host.and_then(|host| host.published.get_mut(&port)) else {
            return;
        };
        if tried.is_none_or(|before| before.outcome != outcome) {
            self.news_at.get_or_insert(now + NEWS_PAUSE);
        }
        *tried = Some(Tried { outcome, at: now });
    }

    /// The published ports of a host to which somebody has tried to connect, each with the outcome and the time of the
    /// last attempt.
    pub fn tried(&self, vip: Vip) -> impl Iterator<Item = (Port, Tried)> {
        let ports = self.hosts.get(&vip).map(|host| &host.published);
        let ports = ports.into_iter().flatten();
        ports.filter_map(|(port, tried)| Some((*port, (*tried)?)))
    }

    /// Whether it is time to report that a service behaves differently than before.
    pub fn poll_tried(&mut self, now: Instant) -> bool {
        self.news_at.take_if(|at| *at <= now).is_some()
    }

    /// Removes a host.
    pub fn remove(&mut self, now: Instant, vip: Vip) {
        self.lower(now, vip);
        self.tracker.forget(vip);
        self.hosts.remove(&vip);
        self.tallies.forget(vip);
    }

    /// Replaces the routes.
    pub fn set_routes(&mut self, routes: Routes) {
        self.routes = routes;
        // Learned addresses depended on the old routes, so they are dropped. Existing flows continue, even if no route
        // leads to their destinations any more.
        self.learned = Learned::default();
    }

    /// Replaces the policy. Flows that the new policy forbids are reset at both ends. Returns the number of these
    /// flows.
    pub fn set_policy(&mut self, now: Instant, policy: Policy) -> usize {
        if self.policy == policy {
            // The rules are the same, but their line numbers in the manifest may have changed.
            self.policy = policy;
            return 0;
        }
        self.policy = policy;
        let flows: Vec<_> = self.tracker.flows(now).collect();
        let denied = flows.iter().filter(|flow| {
            let address = *flow.key.dst.ip();
            let by = if flow.to.address() == address {
                self.denies_port(flow.from, flow.to, flow.key)
            } else {
                self.denies_outside(flow.from, flow.to, flow.key)
            };
            by.is_some()
        });
        let denied: Vec<_> = denied.map(|flow| flow.key).collect();
        (denied.iter())
            .filter(|key| self.end_flow(now, **key, FlowOutcome::Denied))
            .count()
    }

    /// Counts connections that another host asked a gateway for and that the gateway refused because of the policy.
    pub fn note_refused(&mut self, now: Instant, from: Vip, asked: String, by: By, times: u64) {
        if self.hosts.contains_key(&from) {
            self.tallies
                .note(now, from, Refusee::Asked(asked), by, times);
        }
    }

    /// A summary of a host's connections that the policy has refused; `None` if no summary is due.
    pub fn poll_refused(&mut self, now: Instant) -> Option<Refused> {
        self.tallies.poll(now)
    }

    /// Marks a host as up.
    pub fn raise(&mut self, vip: Vip) {
        if let Some(host) = self.hosts.get_mut(&vip) {
            host.up = true;
        }
    }

    /// Marks a host as down: its queue is dropped, and its flows are reset at their other ends.
    pub fn lower(&mut self, now: Instant, vip: Vip) {
        let Some(host) = self.hosts.get_mut(&vip) else {
            return;
        };
        host.up = false;
        self.queued -= host.queue.cost();
        host.queue.clear();
        // The machine may have been restarted, and its services may have changed.
        host.published.values_mut().for_each(|tried| *tried = None);
        self.learned.forget(vip);
        for farewell in self.tracker.lose(now, vip) {
            self.bid(&farewell);
        }
    }

    /// Resets a flow at both ends. `key` may name the flow in either direction. Returns false if there is no such flow.
    pub fn kill_flow(&mut self, now: Instant, key: FlowKey) -> bool {
        self.end_flow(now, key, FlowOutcome::Killed)
    }

    fn end_flow(&mut self, now: Instant, key: FlowKey, outcome: FlowOutcome) -> bool {
        let Some(farewells) = self.tracker.end(now, key, outcome) else {
            return false;
        };
        for farewell in &farewells {
            self.bid(farewell);
        }
        true
    }

    fn bid(&mut self, farewell: &Farewell) {
        let frame = PacketFrame::sealed(&farewell.packet);
        self.enqueue(farewell.from, farewell.to, farewell.key, frame);
    }

    /// Queues a control frame for a host in front of all packets, even if the host is down.
    pub fn send_control(&mut self, vip: Vip, frame: Bytes) {
        if let Some(host) = self.hosts.get_mut(&vip) {
            host.queue.push_control(frame);
        }
        self.wake(vip);
    }

    /// Handles a packet that the host `from` has sent.
    pub fn handle_packet(&mut self, now: Instant, from: Vip, frame: PacketFrame) -> Verdict {
        let Some(sender) = self.hosts.get_mut(&from) else {
            return Verdict::Refused;
        };
        let packet = match Packet::parse(frame.payload()) {
            Ok(packet) => packet,
            Err(error) => {
                sender.traffic.malformed += 1;
                return Verdict::Offence(Offence::Malformed(error));
            }
        };
        let key = packet.key();
        let own = *key.src.ip() == from.address();
        if !own && !self.is_behind(from, *key.src.ip()) {
            if let Some(sender) = self.hosts.get_mut(&from) {
                sender.traffic.spoofed += 1;
            }
            return Verdict::Offence(Offence::Spoofed);
        }
        match self.admit(now, from, &packet) {
            Ok((to, verdict)) => {
                let bytes = packet.bytes().len() as u64;
                if let Some(sender) = self.hosts.get_mut(&from) {
                    sender.traffic.bytes_from += bytes;
                }
                self.enqueue(from, to, key, frame);
                verdict
            }
            Err(why) => {
                if let Some(sender) = self.hosts.get_mut(&from) {
                    match why {
                        NoPassage::Stray => sender.traffic.stray += 1,
                        NoPassage::Forbidden | NoPassage::Denied(_) => sender.traffic.refused += 1,
                    }
                }
                let outcome = match why {
                    NoPassage::Stray => None,
                    NoPassage::Forbidden => Some(FlowOutcome::Unavailable),
                    NoPassage::Denied(_) => Some(FlowOutcome::Denied),
                };
                if let Some(outcome) = outcome.filter(|_| own) {
                    let to = Vip::new(*key.dst.ip()).ok();
                    let to = to.filter(|to| self.hosts.contains_key(to));
                    self.tracker.note_unbegun(now, (from, to), key, outcome);
                }
                if let NoPassage::Denied(by) = why {
                    self.tallies
                        .note(now, from, Refusee::Address(key.dst), by, 1);
                }
                let room = |host: &Host| host.queue.has_room_for_reply(from);
                if let Some(reset) = packet.reset_reply()
                    && self.hosts.get(&from).is_some_and(room)
                {
                    self.enqueue(from, from, key.reversed(), PacketFrame::sealed(&reset));
                }
                Verdict::Refused
            }
        }
    }

    /// The next frame to write to a host; `None` if no frame waits. Without `packets`, only control frames are returned.
    pub fn poll_frame(&mut self, vip: Vip, packets: bool) -> Option<Bytes> {
        let host = self.hosts.get_mut(&vip)?;
        let before = host.queue.cost();
        let frame = if packets {
            host.queue.pop()
        } else {
            host.queue.pop_control()
        };
        self.queued -= before - host.queue.cost();
        // Packets may still wait. A control frame that comes now has to wake the writer, so every frame does.
        if frame.is_none() {
            host.woken = false;
        }
        frame
    }

    /// The memory that the packets cost that wait for a host, in bytes.
    pub fn waiting(&self, vip: Vip) -> usize {
        let host = self.hosts.get(&vip);
        host.map_or(0, |host| host.queue.cost())
    }

    /// A host for which frames wait. Each host is returned once, and again only after [`Switch::poll_frame`] has
    /// returned `None` for it.
    pub fn poll_wake(&mut self) -> Option<Vip> {
        self.wakes.pop_front()
    }

    /// The counters of a host.
    pub fn traffic(&self, vip: Vip) -> Traffic {
        self.hosts
            .get(&vip)
            .map(|host| host.traffic)
            .unwrap_or_default()
    }

    /// The number of flows from or to a host.
    pub fn flow_count(&self, vip: Vip) -> usize {
        self.tracker.count(vip)
    }

    /// The number of all flows.
    pub fn flow_total(&self) -> usize {
        self.tracker.len()
    }

    /// The state of a flow; `None` if it has ended. `key` may name the flow in either direction.
    pub fn flow(&self, now: Instant, key: FlowKey) -> Option<FlowInfo> {
        self.tracker.flow(now, key)
    }

    /// The flows, each with the time of its last packet, ordered by their endpoints. `after` is a flow that was
    /// returned before: then only the flows that follow it are returned.
    pub fn flow_uses(&self, after: Option<FlowKey>) -> impl Iterator<Item = (FlowKey, Instant)> {
        self.tracker.uses(after)
    }

    /// At most `most` of the flows that have ended last, the oldest of them first.
    pub fn ended(&self, most: usize) -> impl Iterator<Item = &EndedFlow> {
        self.tracker.ended(most)
    }

    /// Removes flows whose SYN was not answered in time.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(Unanswered { to, dst }) = self.tracker.poll_unanswered(now) {
            self.note_answer(now, to, dst, TryOutcome::TimedOut);
        }
    }

    /// Notes the answer of the host `far` to a SYN for `dst`. If a gateway answers for a destination outside the
    /// network, that says nothing about the gateway's own ports.
    fn note_answer(&mut self, now: Instant, far: Vip, dst: SocketAddrV4, outcome: TryOutcome) {
        if let Some(port) = Port::new(dst.port()).filter(|_| *dst.ip() == far.address()) {
            self.note_tried(now, far, port, outcome);
        }
    }

    /// The time of the next call to [`Switch::handle_timeout`], and the reason for it.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let tallies = self.tallies.poll_timeout();
        let news = self.news_at.map(|at| (at, "news of services"));
        let flows = self.tracker.poll_timeout();
        flows.into_iter().chain(tallies).chain(news).min()
    }

    /// Decides whether a valid packet may pass, and to which host.
    fn admit(
        &mut self,
        now: Instant,
        from: Vip,
        packet: &Packet<'_>,
    ) -> Result<(Vip, Verdict), NoPassage> {
        let (key, segment) = (packet.key(), packet.segment());
        let flags = segment.flags;
        let begins =
            flags.syn && !flags.ack && !flags.rst && !self.tracker.is_repeated(key, segment);
        if !begins {
            let Passage { to, useless, tried } = self.tracker.follow(now, from, key, segment)?;
            if let Some(outcome) = tried {
                self.note_answer(now, from, key.src, outcome);
            }
            let verdict = match useless {
                // A repeated SYN causes as much work as the first SYN.
                _ if flags.syn && !flags.ack => Verdict::Begun,
                0 => Verdict::Forwarded,
                bytes => Verdict::Useless(bytes),
            };
            return Ok((to, verdict));
        }
        // A gateway may answer from an address that it has dialled, but may not begin a flow from there.
        if *key.src.ip() != from.address() {
            return Err(NoPassage::Forbidden);
        }
        let to = self.destination(now, from, key)?;
        self.tracker.begin(now, from, to, key, segment)?;
        Ok((to, Verdict::Begun))
    }

    /// The host to which a new flow goes, or the reason why the flow may not begin. The policy is applied first, so
    /// that everything that it refuses is reported, even if the port is not published.
    fn destination(&mut self, now: Instant, from: Vip, key: FlowKey) -> Result<Vip, NoPassage> {
        let is_up = |vip: &Vip| self.hosts.get(vip).is_some_and(|host| host.up);
        let address = *key.dst.ip();
        if let Ok(vip) = Vip::new(address)
            && let Some(host) = self.hosts.get(&vip)
        {
            if let Some(by) = self.denies_port(from, vip, key) {
                return Err(NoPassage::Denied(by));
            }
            let published =
                Port::new(key.dst.port()).is_some_and(|it| host.published.contains_key(&it));
            return Some(vip)
                .filter(|_| host.up && published)
                .ok_or(NoPassage::Forbidden);
        }
        let learned = self.learned.via(now, from, address);
        let gateways = match &learned {
            Some(via) => std::slice::from_ref(via),
            None => (self.routes.to_address(address.into())).map_or(&[][..], |route| &route.via),
        };
        let mut denied = None;
        for via in gateways {
            match self.denies_outside(from, *via, key) {
                None if is_up(via) => return Ok(*via),
                None => {}
                Some(by) => denied = denied.or(Some(by)),
            }
        }
        // If no route leads to the address and the policy denies by default, the policy counts as the reason.
        if gateways.is_empty() && self.policy.default_action() == Action::Deny {
            denied = Some(By::Default);
        }
        Err(denied.map_or(NoPassage::Forbidden, NoPassage::Denied))
    }

    /// The rule that refuses a flow to a port at a host's VIP; `None` if the flow is allowed.
    fn denies_port(&self, from: Vip, to: Vip, key: FlowKey) -> Option<By> {
        let Some(port) = Port::new(key.dst.port()) else {
            return Some(By::Default).filter(|_| !self.policy.is_open());
        };
        self.policy.at_port(from, to, port).denies
    }

    /// The rule that refuses a flow to an address outside the network; `None` if the flow is allowed. If no route leads
    /// to the address itself, a gateway has resolved a name to it. Packets do not contain that name, so the policy is
    /// applied to an unknown name.
    fn denies_outside(&self, from: Vip, gateway: Vip, key: FlowKey) -> Option<By> {
        let address = IpAddr::V4(*key.dst.ip());
        let name = match self.routes.to_address(address) {
            Some(_) => Name::None,
            None => Name::Unknown,
        };
        let outside = Outside {
            gateway,
            name,
            address: Some(address),
        };
        self.policy.outside(from, &outside, key.dst.port()).denies
    }

    /// Whether a host may send packets from an address. It may if a route through the host leads to the address. If no
    /// route leads to the address, the host may if it is a gateway for names. It is not checked which host has learned
    /// the address, because packets that a gateway still sends after the end of a flow are not an offence.
    fn is_behind(&self, host: Vip, address: Ipv4Addr) -> bool {
        if Vip::new(address).is_ok_and(|vip| self.hosts.contains_key(&vip)) {
            return false;
        }
        match self.routes.to_address(address.into()) {
            Some(route) => route.via.contains(&host),
            None => self.knows_names(host) && self.routes.may_relay(host, address.into()),
        }
    }

    /// Whether a route for names leads through the host. Only the gateways of such a route know the addresses of its
    /// names.
    fn knows_names(&self, host: Vip) -> bool {
        let leads = |route: &Route| route.has_globs() && route.via.contains(&host);
        self.routes.iter().any(leads)
    }

    /// Stores the addresses that the proxy of the host `teacher` suggests, because the gateway `via` has resolved a
    /// name to them. The addresses are valid only for flows of `teacher`.
    pub fn learn(&mut self, now: Instant, teacher: Vip, via: Vip, addresses: &[IpAddr]) -> Verdict {
        // When a host goes down, the addresses that it has suggested are discarded. A host that is already down may not
        // suggest any, because nothing would discard them later.
        let may = (self.hosts.get(&teacher)).is_some_and(|host| host.up && host.has_proxy);
        if !may || !self.knows_names(via) {
            return Verdict::Offence(Offence::Suggestion);
        }
        let v4 = addresses.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(address) => address.to_ipv4_mapped(),
        });
        // An address is left out if `via` cannot be its gateway. This is so for the VIP of a host, for an address for
        // which the manifest names another gateway, and for a special address that no route through `via` names.
        let v4 = v4
            .take(AT_ONCE_MAX)
            .filter(|address| self.is_behind(via, *address))
            .collect();
        let tracker = &self.tracker;
        self.learned
            .learn(now, teacher, via, v4, || tracker.destinations(teacher));
        Verdict::Forwarded
    }

    /// Queues a frame for `to`, and counts it against the share of `from`.
    fn enqueue(&mut self, from: Vip, to: Vip, key: FlowKey, frame: PacketFrame) {
        let Some(host) = self.hosts.get_mut(&to) else {
            return;
        };
        if !host.up {
            return;
        }
        host.traffic.bytes_to += frame.payload().len() as u64;
        let before = host.queue.cost();
        // A frame is a slice of the block in which it was read, and keeps the whole block in memory. A small frame, or
        // a frame in a long queue, is copied instead.
        let alone = frame.len() < SMALL || before > BACKLOG;
        let frame = if alone { frame.into_own() } else { frame };
        host.queue.push(from, key, frame);
        self.queued += host.queue.cost() - before;
        if host.queue.cost() > QUEUE_MAX {
            self.shed(to);
        } else if self.queued > QUEUES_MAX {
            // The longest queue belongs to the host that is too slow.
            let hosts = self.hosts.iter();
            if let Some((&slowest, _)) = hosts.max_by_key(|(_, host)| host.queue.cost()) {
                self.shed(slowest);
            }
        }
        self.wake(to);
    }

    /// Drops a part of a host's queue.
    fn shed(&mut self, vip: Vip) {
        if let Some(host) = self.hosts.get_mut(&vip) {
            let before = host.queue.cost();
            host.traffic.shed += host.queue.shed();
            self.queued -= before - host.queue.cost();
        }
    }

    fn wake(&mut self, vip: Vip) {
        if let Some(host) = self.hosts.get_mut(&vip)
            && !host.woken
            && !host.queue.is_empty()
        {
            host.woken = true;
            self.wakes.push_back(vip);
        }
    }
}

#[cfg(test)]
mod tests;
