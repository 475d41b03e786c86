//! The simulated world: it performs what the machines decide, and keeps count of what may never happen.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use norouter::{
    addr::{FlowKey, Vip},
    edge,
    flow::Receive,
    link::Ending,
    manager,
    plan::{self, Plan},
    time::Instant,
    view::{Event, HostState},
};

/// How many bytes a pipe holds.
const PIPE: usize = 64 << 10;

/// How long a frame takes.
const DELAY: Duration = Duration::from_millis(5);

/// How long a command takes to run.
const SPAWN: Duration = Duration::from_millis(80);

/// What may happen to an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Its process is gone.
    Kill,
    /// Nothing arrives any more, either way, and nobody is told.
    Cut,
    /// A bit is wrong in what comes next.
    Corrupt,
    /// It stands still for a while.
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

    /// Moves what has arrived into the buffer; true if there was anything.
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

struct Agent {
    edge: edge::Core,
    to: Pipe,
    from: Pipe,
    stalled_until: Instant,
    cut: bool,
    corrupt: bool,
    /// Its end is decided.
    ends: bool,
    /// What clients have sent on their flows.
    clients: BTreeMap<FlowKey, usize>,
    /// What servers have received on theirs.
    servers: BTreeMap<FlowKey, usize>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    random: u64,
    core: manager::Core,
    hosts: Vec<Vip>,
    agents: BTreeMap<Vip, Agent>,
    /// Commands that are being started.
    starting: BTreeMap<Vip, Instant>,
    /// What events have said.
    said: BTreeMap<String, HostState>,
    /// Whether the snapshot is another one since it was looked at.
    changed: bool,
    pub(crate) starts: usize,
    pub(crate) completed: usize,
    pub(crate) broken: usize,
    pub(crate) transcript: String,
}

/// What a client sends: its port says how much, so that both sides know.
fn length(port: u16) -> usize {
    1 + usize::from(port % 60) * 997
}

fn byte(port: u16, index: usize) -> u8 {
    u8::try_from((index * 31 + index / 251 + usize::from(port)) % 256).unwrap()
}

fn plan(hosts: usize) -> Plan {
    let mut text = "hosts:\n".to_owned();
    for number in 1..=hosts {
        let _ = writeln!(
            text,
            "  h{number}: {{vip: 127.0.42.{number}, cmd: run, ports: ['80:127.0.0.1:80']}}"
        );
    }
    plan::load("sim.yaml", &text).plan.unwrap()
}

impl World {
    pub(crate) fn new(seed: u64, hosts: usize) -> Self {
        let plan = plan(hosts);
        let mut world = Self {
            now: Instant::ZERO,
            random: seed,
            core: manager::Core::new(&plan, seed),
            hosts: plan.hosts.iter().map(|host| host.vip).collect(),
            agents: BTreeMap::new(),
            starting: BTreeMap::new(),
            said: BTreeMap::new(),
            changed: false,
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
            Fault::Corrupt => agent.corrupt = true,
            Fault::Stall(time) => agent.stalled_until = now + time,
        }
        self.settle();
    }

    /// Begins a flow from one host to another, if the first one runs.
    pub(crate) fn connect(&mut self) {
        let (from, to) = (self.any_host(), self.any_host());
        let port = "80".parse().unwrap();
        let Some(agent) = self
            .agents
            .get_mut(&from)
            .filter(|agent| agent.edge.me().is_some())
        else {
            return;
        };
        let flow = agent.edge.connect(self.now, to.socket(port)).unwrap();
        agent.clients.insert(flow, 0);
        self.settle();
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let agents = self.agents.values().flat_map(|agent| {
                let wakes = agent.edge.poll_timeout().map(|(at, _)| at);
                let dues = [agent.to.due(), wakes].into_iter().flatten();
                let dues = dues.map(|at| at.max(agent.stalled_until));
                dues.chain(agent.from.due())
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
            self.starts += 1;
            let agent = Agent {
                edge: edge::Core::new(self.random(u64::MAX)),
                to: Pipe::default(),
                from: Pipe::default(),
                stalled_until: now,
                cut: false,
                corrupt: false,
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

    /// Lets everybody do what there is to do at this moment.
    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = self.obey();
            for vip in self.hosts.clone() {
                busy |= self.pump(vip);
            }
        }
        if std::mem::take(&mut self.changed) {
            self.assert_truth();
        }
    }

    /// Performs what the manager decides.
    fn obey(&mut self) -> bool {
        let mut busy = false;
        while let Some(output) = self.core.poll_output() {
            busy = true;
            match output {
                manager::Output::Spawn(vip, _) => {
                    self.starting.insert(vip, self.now + SPAWN);
                }
                manager::Output::CloseInput(vip) | manager::Output::Terminate(vip) => {
                    // What stands between is on this machine, and stops; a stopped process does not.
                    let now = self.now;
                    let hears = |agent: &mut Agent| agent.stalled_until <= now;
                    if self.agents.get_mut(&vip).is_some_and(hears) {
                        self.exit(vip, Ending::Status(0));
                    }
                }
                manager::Output::Kill(vip) => self.exit(vip, Ending::Signal(9)),
                manager::Output::Event(Event::Host { host, state, .. }) => {
                    let _ = writeln!(self.transcript, "{} {host} {}", self.now, state.word());
                    self.said.insert(host, state);
                }
                manager::Output::Wake(_) | manager::Output::Changed | manager::Output::Event(_) => {
                }
            }
        }
        busy
    }

    fn exit(&mut self, vip: Vip, ending: Ending) {
        let Some(agent) = self.agents.remove(&vip) else {
            return;
        };
        self.broken += agent.clients.len();
        self.core.handle_exit(self.now, vip, ending);
    }

    /// Moves bytes between an agent, its pipes and its programs; true if anything happened.
    fn pump(&mut self, vip: Vip) -> bool {
        let now = self.now;
        let Some(agent) = self.agents.get_mut(&vip) else {
            return false;
        };
        let mut busy = false;
        while agent.to.has_room()
            && let Some(frame) = self.core.poll_frame(vip)
        {
            busy = true;
            let mut bytes = BytesMut::from(&frame[..]);
            if std::mem::take(&mut agent.corrupt) {
                let at = bytes.len() / 2;
                bytes[at] ^= 4;
            }
            if !agent.cut {
                agent.to.chunks.push_back((now + DELAY, bytes.freeze()));
            }
        }
        if agent.from.arrive(now) {
            busy = true;
            self.core.handle_bytes(now, vip, &mut agent.from.buffer);
        }
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
                edge::Output::Listen(listener) => {
                    agent.edge.handle_listening(now, listener, Ok(()));
                }
                edge::Output::Dial { flow, .. } => {
                    agent.edge.handle_dialled(flow, true);
                    agent.servers.insert(flow, 0);
                }
                edge::Output::Silent => agent.ends = true,
                // The world ends each life itself.
                edge::Output::TakePlace(..)
                | edge::Output::Write(_)
                | edge::Output::Close(_)
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
        if !out.is_empty() && !agent.cut {
            busy = true;
            if std::mem::take(&mut agent.corrupt) {
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

    /// A host is never shown as up without a process.
    fn assert_truth(&self) {
        for (view, vip) in self.core.snapshot(self.now).hosts.iter().zip(&self.hosts) {
            let alive = self.agents.contains_key(vip);
            assert!(
                alive || !view.state.is_up(),
                "{vip} is up without a process"
            );
        }
    }

    pub(crate) fn assert_all_ready(&self, when: &str) {
        for view in self.core.snapshot(self.now).hosts {
            assert_eq!(
                view.state,
                HostState::Ready,
                "{} {when}: {:?}\n{}",
                view.name,
                view.reason,
                self.transcript
            );
            assert_eq!(self.said.get(&view.name), Some(&view.state));
        }
    }

    pub(crate) fn stop(&mut self) {
        self.core.stop(self.now);
        self.settle();
        self.run_for(Duration::from_secs(5));
        assert!(self.core.is_over() && self.agents.is_empty());
    }
}

impl Agent {
    /// Receives what clients have sent, every byte of it, and says that it is done when they are. Returns how many broke.
    fn serve(&mut self) -> usize {
        let mut broken = 0;
        let edge = &mut self.edge;
        self.servers.retain(|flow, received| {
            let port = flow.dst.port();
            loop {
                let taken = edge.receive_with(*flow, |bytes| {
                    for (offset, got) in bytes.iter().enumerate() {
                        assert_eq!(*got, byte(port, *received + offset), "a wrong byte");
                    }
                    (bytes.len(), bytes.len())
                });
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

    /// Sends what clients have to send. Returns how many are done, and how many broke.
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
