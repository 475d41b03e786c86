//! The simulated world: it performs the outputs of the state machines, and checks properties that must always hold.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write as _,
    net::SocketAddrV4,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use norouter::{
    addr::{FlowKey, Vip},
    edge,
    flow::{Capacity, Holder, Receive},
    link::Ending,
    manager::{self, Turn},
    time::Instant,
    view::{Event, HostAction, HostState, Snapshot, TrafficView},
    wire::{HEADER_LEN, Packet},
};

use crate::{
    hostile::{self, MARK},
    plans::{self, Variant},
};

/// The capacity of a pipe, in bytes.
const PIPE: usize = 64 << 10;

/// How long a frame takes from one end of a pipe to the other.
const DELAY: Duration = Duration::from_millis(5);

/// How long a command takes to start.
const SPAWN: Duration = Duration::from_millis(80);

/// The time between two actions of the hostile agent. The agent would be ended after a hundred faults within 10 s. At
/// this rate, there are fewer.
const MALICE: Duration = Duration::from_millis(400);

/// How many bytes of frames may wait in the manager for one host: a little more than the limit of the switch.
const QUEUE_MAX: usize = 33 << 20;

/// A fault that happens to an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The process is killed.
    Kill,
    /// Both pipes stop delivering, and neither side sees an end.
    Cut,
    /// A bit is flipped in the next bytes.
    Corrupt,
    /// The process is stopped for this time.
    Stall(Duration),
}

/// A pipe in one direction.
#[derive(Default)]
struct Pipe {
    chunks: VecDeque<(Instant, Bytes)>,
    buffer: BytesMut,
}

impl Pipe {
    fn has_room(&self) -> bool {
        self.chunks
            .iter()
            .map(|(_, bytes)| bytes.len())
            .sum::<usize>()
            < PIPE
    }

    fn due(&self) -> Option<Instant> {
        self.chunks.front().map(|(at, _)| *at)
    }

    /// Moves the bytes that have arrived into the buffer. Returns whether there were any.
    fn arrive(&mut self, now: Instant) -> bool {
        let mut any = false;
        while self.due().is_some_and(|at| at <= now) {
            let (_, bytes) = self.chunks.pop_front().unwrap();
            self.buffer.extend_from_slice(&bytes);
            any = true;
        }
        any
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "these are independent misfortunes"
)]
struct Agent {
    edge: edge::Core,
    to: Pipe,
    from: Pipe,
    stalled_until: Instant,
    /// The time at which the manager reads from the agent again.
    resumes_at: Option<Instant>,
    cut: bool,
    corrupt: bool,
    /// Whether a bit of the agent's output was flipped. The agent may then be sent parts of flows that the test does
    /// not know.
    tainted: bool,
    /// The agent has decided to end.
    ends: bool,
    /// The flows that the agent has begun, or whose SYN was delivered to it.
    known: BTreeSet<FlowKey>,
    /// How many bytes clients have sent on their flows.
    clients: BTreeMap<FlowKey, usize>,
    /// How many bytes servers have received on their flows.
    servers: BTreeMap<FlowKey, usize>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    random: u64,
    core: manager::Core,
    /// The number of honest hosts, which are in every plan.
    good: u8,
    /// The present plan, and the plan before it. Packets that are still on their way may have been allowed by the plan
    /// before.
    plans: [Variant; 2],
    /// The present and the previous plan at the time when each flow began. A flow may go on even if later plans do not
    /// allow it.
    begun: BTreeMap<FlowKey, [Variant; 2]>,
    hosts: Vec<Vip>,
    /// The hosts whose pipes have ever flipped a bit.
    corrupted: BTreeSet<Vip>,
    agents: BTreeMap<Vip, Agent>,
    /// Commands that are being started.
    starting: BTreeMap<Vip, Instant>,
    /// The state of each host in the last event about it.
    said: BTreeMap<String, (HostState, Option<String>)>,
    /// The snapshot at the time when the manager last reported a change.
    shown: Snapshot,
    /// Whether the manager has reported a change since `shown` was taken.
    changed: bool,
    /// The time of the hostile agent's next action.
    malice_at: Instant,
    pub(crate) starts: usize,
    pub(crate) completed: usize,
    pub(crate) broken: usize,
    pub(crate) transcript: String,
}

/// How many bytes a client sends. This follows from its port, so that both sides know it.
fn length(port: u16) -> usize {
    1 + usize::from(port % 60) * 997
}

fn byte(port: u16, index: usize) -> u8 {
    u8::try_from((index * 31 + index / 251 + usize::from(port)) % 256).unwrap()
}

/// A snapshot without its time, its traffic counters and the outcomes of connections. The manager does not report each
/// change of these at once.
fn without_counters(mut snapshot: Snapshot) -> Snapshot {
    snapshot.now_ms = 0;
    for host in &mut snapshot.hosts {
        host.traffic = TrafficView::default();
        host.tried.clear();
    }
    snapshot
}

/// The packets in a sequence of whole frames.
pub(crate) fn packets(mut frames: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    std::iter::from_fn(move || {
        while !frames.is_empty() {
            let length =
                usize::from(frames[1]) << 16 | usize::from(frames[2]) << 8 | usize::from(frames[3]);
            let (frame, rest) = frames.split_at(HEADER_LEN - 4 + length);
            frames = rest;
            if frame[5] == 1 {
                return Some(Packet::parse(&frame[HEADER_LEN..]).unwrap());
            }
        }
        None
    })
}

fn is_evil(vip: Vip) -> bool {
    vip.address() == plans::EVIL
}

impl World {
    pub(crate) fn new(seed: u64, good: u8) -> Self {
        let variant = Variant::new(0, good);
        let plan = variant.plan();
        let mut world = Self {
            now: Instant::ZERO,
            random: seed,
            core: manager::Core::new(&plan, seed),
            good,
            plans: [variant; 2],
            begun: BTreeMap::new(),
            corrupted: BTreeSet::new(),
            hosts: plan.hosts.iter().map(|host| host.vip).collect(),
            agents: BTreeMap::new(),
            starting: BTreeMap::new(),
            said: BTreeMap::new(),
            shown: Snapshot::default(),
            changed: true,
            malice_at: Instant::ZERO,
            starts: 0,
            completed: 0,
            broken: 0,
            transcript: String::new(),
        };
        world.core.start(world.now);
        world.settle();
        world
    }

    /// A number below `limit`.
    pub(crate) fn random(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn any_host(&mut self) -> Vip {
        let index = self.random(self.hosts.len() as u64);
        self.hosts[usize::try_from(index).unwrap()]
    }

    /// A random honest host.
    fn good_host(&mut self) -> Vip {
        let index = self.random(u64::from(self.good));
        self.hosts[usize::try_from(index).unwrap()]
    }

    /// Reloads the network with another plan, or with the same one.
    pub(crate) fn reload(&mut self, number: u64) {
        let variant = Variant::new(number, self.good);
        let _ = writeln!(self.transcript, "{} {variant:?}", self.now);
        self.plans = [variant, self.plans[0]];
        let plan = variant.plan();
        self.hosts = plan.hosts.iter().map(|host| host.vip).collect();
        self.core.reload(self.now, &plan, manager::Commands::Start);
        let names: BTreeSet<_> = plan
            .hosts
            .iter()
            .map(|host| host.name.to_string())
            .collect();
        self.said.retain(|host, _| names.contains(host));
        self.settle();
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        let vip = self.any_host();
        let _ = writeln!(self.transcript, "{} {vip} {fault:?}", self.now);
        let now = self.now;
        let Some(agent) = self.agents.get_mut(&vip) else {
            return;
        };
        match fault {
            Fault::Kill => self.exit(vip, Ending::Signal(9)),
            Fault::Cut => agent.cut = true,
            Fault::Corrupt => {
                agent.corrupt = true;
                self.corrupted.insert(vip);
            }
            Fault::Stall(time) => agent.stalled_until = now + time,
        }
        self.settle();
    }

    /// Begins a flow between two honest hosts, if the first one runs.
    pub(crate) fn connect(&mut self) {
        let to = self.good_host().socket(plans::ALWAYS.try_into().unwrap());
        self.connect_to(to);
    }

    /// Begins a flow to any port or destination, allowed or not.
    pub(crate) fn connect_anywhere(&mut self) {
        let host = self.any_host();
        let port = |number: u16| host.socket(number.try_into().unwrap());
        let to = match self.random(6) {
            0 => port(plans::SOMETIMES),
            5 => port(plans::KEPT),
            1 => port(plans::NEVER),
            2 => plans::NOWHERE,
            3 => port(plans::ALWAYS),
            _ => plans::ROUTED,
        };
        self.connect_to(to);
    }

    fn connect_to(&mut self, to: SocketAddrV4) {
        let from = self.good_host();
        let Some(agent) = self
            .agents
            .get_mut(&from)
            .filter(|agent| agent.edge.me().is_some())
        else {
            return;
        };
        let flow = agent.edge.connect(self.now, Holder::Owner, to).unwrap();
        agent.clients.insert(flow, 0);
        self.settle();
    }

    /// Makes the hostile agent send this many packets of 60 kB to an honest host that does not read, on a connection
    /// that the plan allows. Returns how many bytes the manager keeps.
    pub(crate) fn flood(&mut self, packets: usize) -> usize {
        let (evil, victim) = (*self.hosts.last().unwrap(), self.hosts[1]);
        assert!(is_evil(evil));
        let key = FlowKey {
            src: SocketAddrV4::new(evil.address(), 7_000),
            dst: victim.socket(plans::ALWAYS.try_into().unwrap()),
        };
        let agent = self.agents.get_mut(&victim).unwrap();
        agent.cut = true;
        // No more frames reach the agent, so the SYN stays in the queue with all others, until the agent is lost.
        agent.known.insert(key);
        let mut begin = hostile::packet(key, hostile::SYN, &[]);
        self.core.handle_bytes(self.now, evil, &mut begin);
        let packet = hostile::packet(key, hostile::ACK, &vec![0; 60_000]);
        for _ in 0..packets {
            let mut bytes = packet.clone();
            while let Turn::Wait(until) = self.core.handle_bytes(self.now, evil, &mut bytes) {
                self.now = until;
            }
        }
        self.core.waiting(victim)
    }

    /// Advances the time.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let agents = self.agents.values().flat_map(|agent| {
                let wakes = agent.edge.poll_timeout().map(|(at, _)| at);
                let dues = [agent.to.due(), wakes].into_iter().flatten();
                let dues = dues.map(|at| at.max(agent.stalled_until));
                dues.chain(agent.from.due()).chain(agent.resumes_at)
            });
            let next = agents
                .chain(self.core.poll_timeout().map(|(at, _)| at))
                .chain(self.starting.values().copied())
                .min();
            match next {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
            self.turn();
        }
        self.now = end;
        self.turn();
        self.assert_truth();
    }

    fn turn(&mut self) {
        let now = self.now;
        let due: Vec<_> = self.starting.iter().filter(|(_, at)| **at <= now).collect();
        let due: Vec<Vip> = due.into_iter().map(|(vip, _)| *vip).collect();
        for vip in due {
            self.starting.remove(&vip);
            // The starts of the hostile agent are not counted, because its own frames can cause its losses.
            self.starts += usize::from(!is_evil(vip));
            let agent = Agent {
                edge: edge::Core::new(self.random(u64::MAX), Capacity::default()),
                to: Pipe::default(),
                from: Pipe::default(),
                stalled_until: now,
                resumes_at: None,
                cut: false,
                corrupt: false,
                tainted: false,
                known: BTreeSet::new(),
                ends: false,
                clients: BTreeMap::new(),
                servers: BTreeMap::new(),
            };
            assert!(
                self.agents.insert(vip, agent).is_none(),
                "two agents at once"
            );
            self.core.handle_spawned(now, vip, Ok(()));
        }
        self.core.handle_timeout(now);
        self.settle();
    }

    /// Lets all state machines act until nothing is left to do at the present time.
    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = self.obey();
            for vip in self.agents.keys().copied().collect::<Vec<_>>() {
                busy |= self.pump(vip);
            }
        }
        if std::mem::take(&mut self.changed) {
            self.shown = without_counters(self.core.snapshot(self.now));
            self.assert_truth();
        }
    }

    /// Performs the outputs of the manager.
    fn obey(&mut self) -> bool {
        let mut busy = false;
        while let Some(output) = self.core.poll_output() {
            busy = true;
            match output {
                manager::Output::Spawn(vip, _) => {
                    self.starting.insert(vip, self.now + SPAWN);
                }
                manager::Output::CloseInput(vip) | manager::Output::Terminate(vip) => {
                    // In a real network, the command of a host (such as ssh) runs on the manager's machine. It ends
                    // when its input is closed or when it is told to end. That works even if the line is cut, but not
                    // while the command is suspended.
                    let now = self.now;
                    let hears = |agent: &mut Agent| agent.stalled_until <= now;
                    if self.agents.get_mut(&vip).is_some_and(hears) {
                        self.exit(vip, Ending::Status(0));
                    }
                }
                manager::Output::Kill(vip) => self.exit(vip, Ending::Signal(9)),
                manager::Output::Event(Event::Host {
                    host,
                    state,
                    reason,
                    ..
                }) => {
                    let _ = writeln!(self.transcript, "{} {host} {}", self.now, state.word());
                    self.said.insert(host, (state, reason));
                }
                manager::Output::Changed => self.changed = true,
                manager::Output::Wake(_)
                | manager::Output::Look(..)
                | manager::Output::EndLook(..)
                | manager::Output::Fetch(..)
                | manager::Output::Answer(..)
                | manager::Output::Reply(..)
                | manager::Output::Event(_) => {}
            }
        }
        busy
    }

    fn exit(&mut self, vip: Vip, ending: Ending) {
        let Some(agent) = self.agents.remove(&vip) else {
            return;
        };
        self.broken += agent.clients.len();
        let waits = self.core.waiting(vip);
        assert!(waits < QUEUE_MAX, "{waits} bytes wait for {vip}");
        self.core.handle_exit(self.now, vip, ending);
    }

    /// Moves bytes between an agent, its pipes and its programs. Returns whether anything happened.
    fn pump(&mut self, vip: Vip) -> bool {
        let now = self.now;
        let malice = self.random(hostile::KINDS);
        let mut others = self.agents.values();
        // The victim is not a connection to the hostile agent, because on such a connection the agent may send
        // anything.
        let foreign = |flow: &&FlowKey| *flow.dst.ip() != plans::EVIL;
        let victim = others.find_map(|agent| agent.clients.keys().find(foreign).copied());
        let Some(agent) = self.agents.get_mut(&vip) else {
            return false;
        };
        let mut busy = false;
        while agent.to.has_room()
            && let Some(frame) = self.core.poll_frame(self.now, vip)
        {
            busy = true;
            agent.judge(vip, &frame, self.plans, &self.begun);
            let mut bytes = BytesMut::from(&frame[..]);
            if std::mem::take(&mut agent.corrupt) {
                let at = bytes.len() / 2;
                bytes[at] ^= 4;
            }
            if !agent.cut {
                agent.to.chunks.push_back((now + DELAY, bytes.freeze()));
            }
        }
        busy |= agent.hand_over(now, vip, &mut self.core);
        if agent.stalled_until > now {
            return busy;
        }
        if agent.to.arrive(now) {
            busy = true;
            agent.ends |= agent.edge.handle_bytes(now, &mut agent.to.buffer).is_err();
        }
        agent.edge.handle_timeout(now);
        while let Some(output) = agent.edge.poll_output() {
            busy = true;
            match output {
                edge::Output::Listen(listener) | edge::Output::Hold(listener) => {
                    agent.edge.handle_listening(now, listener, Ok(()));
                }
                edge::Output::Dial { flow, host, port } => {
                    let key = flow.reversed();
                    let then = self.begun.get(&key).unwrap_or(&self.plans);
                    let mut plans = self.plans.iter().chain(then);
                    let allowed = plans.any(|plan| plan.allows(vip, key.src, key.dst));
                    assert!(allowed, "{vip} dials {host}:{port} for {key}");
                    agent.edge.handle_dialled(flow, true);
                    agent.servers.insert(flow, 0);
                }
                edge::Output::Silent => agent.ends = true,
                // These outputs are ignored. In the simulation, there are no earlier agents, files or real listeners,
                // and all flows are polled without wakes.
                edge::Output::EndPredecessor(..)
                | edge::Output::Write(_)
                | edge::Output::Close(_)
                | edge::Output::Probe(..)
                | edge::Output::OpenPorts(_)
                | edge::Output::Wake(_)
                | edge::Output::Serve(..) => {}
            }
        }
        self.broken += agent.serve();
        let (completed, broken) = agent.send();
        self.completed += completed;
        self.broken += broken;
        let mut out = BytesMut::new();
        if agent.from.has_room() {
            agent.edge.poll_frames(now, &mut out, PIPE);
        }
        for packet in packets(&out) {
            if packet.segment().flags.syn && !packet.segment().flags.ack {
                agent.known.insert(packet.key());
                self.begun.entry(packet.key()).or_insert(self.plans);
            }
        }
        if is_evil(vip) && agent.edge.me().is_some() && self.malice_at <= now {
            self.malice_at = now + MALICE;
            out.unsplit(hostile::frames(malice, victim));
        }
        if !out.is_empty() && !agent.cut {
            busy = true;
            if std::mem::take(&mut agent.corrupt) {
                agent.tainted = true;
                let at = out.len() / 2;
                out[at] ^= 4;
            }
            agent.from.chunks.push_back((now + DELAY, out.freeze()));
        }
        if agent.ends {
            self.exit(vip, Ending::Status(1));
            return true;
        }
        busy
    }

    /// Checks three things: no host is shown as up without a process, every change was reported, and the events lead to
    /// the present state.
    fn assert_truth(&self) {
        let snapshot = without_counters(self.core.snapshot(self.now));
        assert_eq!(snapshot, self.shown, "a change that nobody was told of");
        assert_eq!(snapshot.hosts.len(), self.hosts.len());
        for (view, vip) in snapshot.hosts.into_iter().zip(&self.hosts) {
            let alive = self.agents.contains_key(vip);
            assert!(
                alive || !view.state.is_up(),
                "{vip} is up without a process"
            );
            // While an agent is ending, its host already has the next state, but the event with the complete reason may
            // still be missing.
            let ends = view.state == HostState::Waiting && view.retry.is_none();
            let ends = ends || (view.state.is_over() && (alive || self.starting.contains_key(vip)));
            let said = self.said.get(&view.name);
            assert!(
                ends || said == Some(&(view.state, view.reason.clone())),
                "{said:?} was said of {view:?}"
            );
        }
    }

    pub(crate) fn assert_all_ready(&self, when: &str) {
        for view in self.core.snapshot(self.now).hosts {
            assert!(
                view.state == HostState::Ready || view.name == "evil",
                "{} {when}: {} {:?}\n{}",
                view.name,
                view.state.word(),
                view.reason,
                self.transcript
            );
        }
    }

    /// Starts refused hosts again, as a person would. A host may be refused only if a flipped bit on its pipes has kept
    /// its agent from applying its configuration.
    pub(crate) fn mend(&mut self) {
        for view in self.core.snapshot(self.now).hosts {
            if view.state == HostState::Refused && view.name != "evil" {
                let vip: Vip = view.vip.parse().unwrap();
                assert!(self.corrupted.contains(&vip), "{view:?}");
                assert!(self.core.host_action(self.now, vip, HostAction::Start));
            }
        }
        self.settle();
    }

    /// The traffic of a host according to the manager.
    pub(crate) fn traffic(&self, host: &str) -> TrafficView {
        let snapshot = self.core.snapshot(self.now);
        let mut hosts = snapshot.hosts.iter();
        hosts.find(|view| view.name == host).unwrap().traffic
    }

    pub(crate) fn stop(&mut self) {
        self.core.stop(self.now);
        self.settle();
        self.run_for(Duration::from_secs(5));
        assert!(self.core.is_over() && self.agents.is_empty());
    }
}

impl Agent {
    /// Passes the bytes from this agent to the manager, as many as the manager accepts now. Returns whether there were
    /// any.
    fn hand_over(&mut self, now: Instant, vip: Vip, core: &mut manager::Core) -> bool {
        let resumes = self.resumes_at.take_if(|at| *at <= now).is_some();
        if !(self.from.arrive(now) && self.resumes_at.is_none() || resumes) {
            return false;
        }
        loop {
            match core.handle_bytes(now, vip, &mut self.from.buffer) {
                Turn::Done => return true,
                Turn::Yield => {}
                Turn::Wait(until) => {
                    self.resumes_at = Some(until);
                    return true;
                }
            }
        }
    }

    /// Checks that the packets of a frame may be delivered to this host. Each packet has to begin a flow that a plan
    /// allows, or to belong to a flow that the host knows. It must not be a forged packet of the hostile agent.
    fn judge(
        &mut self,
        vip: Vip,
        frame: &[u8],
        plans: [Variant; 2],
        begun: &BTreeMap<FlowKey, [Variant; 2]>,
    ) {
        for packet in packets(frame) {
            let (key, segment) = (packet.key(), packet.segment());
            // Nothing arrives at an agent that is cut off.
            if is_evil(vip) || self.cut {
                continue;
            }
            assert_ne!(segment.seq, MARK, "{vip} is sent what was made up: {key}");
            if segment.flags.syn && !segment.flags.ack {
                let then = begun.get(&key).unwrap_or(&plans);
                let allowed = plans
                    .iter()
                    .chain(then)
                    .any(|plan| plan.allows(vip, key.src, key.dst));
                assert!(allowed, "{vip} is sent the beginning of {key}");
                self.known.insert(key);
            } else {
                let known = self.known.contains(&key) || self.known.contains(&key.reversed());
                assert!(known || self.tainted, "{vip} is sent a part of {key}");
            }
        }
    }

    /// Receives what clients have sent, checks every byte of it, and closes a connection after its client has closed
    /// it. Returns how many connections broke.
    fn serve(&mut self) -> usize {
        let mut broken = 0;
        let edge = &mut self.edge;
        self.servers.retain(|flow, received| {
            let port = flow.dst.port();
            loop {
                // A panic inside the closure would be caught as a panic of the TCP stack, and would only end the
                // connection.
                let mut right = true;
                let taken = edge.receive_with(*flow, |bytes| {
                    let mut all = bytes.iter().enumerate();
                    right = all.all(|(offset, got)| *got == byte(port, *received + offset));
                    (bytes.len(), bytes.len())
                });
                assert!(right, "a wrong byte");
                match taken {
                    Receive::Data(count) => *received += count,
                    Receive::Pending => return true,
                    Receive::Finished => {
                        assert_eq!(*received, length(port), "a short success");
                        edge.handle_finished(*flow);
                        edge.release(*flow);
                        return false;
                    }
                    Receive::Reset => {
                        broken += 1;
                        edge.release(*flow);
                        return false;
                    }
                }
            }
        });
        broken
    }

    /// Sends the clients' bytes. Returns how many clients are done, and how many connections broke.
    fn send(&mut self) -> (usize, usize) {
        let (mut completed, mut broken) = (0, 0);
        let edge = &mut self.edge;
        self.clients.retain(|flow, sent| {
            let port = flow.src.port();
            while *sent < length(port) {
                let room = edge.send_with(*flow, |room| {
                    let count = room.len().min(length(port) - *sent);
                    for (offset, place) in room[..count].iter_mut().enumerate() {
                        *place = byte(port, *sent + offset);
                    }
                    (count, count)
                });
                match room {
                    Some(count) if count > 0 => *sent += count,
                    Some(_) | None => break,
                }
                if *sent == length(port) {
                    edge.handle_finished(*flow);
                }
            }
            let (done, gone) = match edge.receive_with(*flow, |_| (0, ())) {
                Receive::Data(()) | Receive::Pending => return true,
                Receive::Finished => (1, 0),
                Receive::Reset => (0, 1),
            };
            completed += done;
            broken += gone;
            edge.release(*flow);
            false
        });
        (completed, broken)
    }
}
