//! The inside of an agent: where streams enter and leave the virtual network.
//!
//! It decides what to listen on, what to dial and which packets to send. It never does any of that: the driver performs
//! [`Output`]s, reports their results, and moves bytes in and out of flows in place.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod arrivals;
mod config;
mod crowd;
mod limited;
mod pace;
mod pages;
mod path;
mod policy;
mod places;
mod probe;
mod refusals;
mod silence;
mod strangers;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
};

use bytes::{Buf, BytesMut};

use self::{
    arrivals::Arrivals,
    config::{Config, Peer},
    crowd::Crowd,
    limited::Refused,
    pace::Pace,
    path::Given,
    places::{Listening, Place},
    refusals::Refusals,
    silence::Silence,
    strangers::Strangers,
};
pub use self::{
    config::{Files, Proxy},
    path::{Gateway, Path},
    probe::Errand,
};
use crate::{
    VERSION,
    addr::{FlowKey, Port, Vip},
    flow::{Capacity, Holder, Receive, Table, TableFull},
    limits::Limits,
    link::Sign,
    names::Zone,
    proxy::Destination,
    time::Instant,
    wire::{
        self, Decoder, Desync, HEADER_LEN, Item, Packet,
        control::{
            self, Configure, Event, Greeting, Message, Outcome, ProblemReport, Raw,
            RouteSuggestion, feature,
        },
        frame,
        probe::Cause,
        sum,
    },
};

/// How many problems are reported. A manager keeps one more, which counts the rest.
const PROBLEMS_MAX: usize = 63;

/// How many frames are handled in one turn, before others have theirs.
const FRAMES_IN_A_TURN: usize = 64;

/// How many messages may wait for the manager before suggestions are dropped.
const CONTROL_MAX: usize = 1_024;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Listen there; answer with [`Core::handle_listening`].
    Listen(Listener),
    /// Keep the address, so that nobody else can have it, and refuse connections there; answer with
    /// [`Core::handle_listening`].
    Hold(Listener),
    /// Stop listening there. This has no answer.
    Close(Listener),
    /// Connect to `host` (an address or a name) for this flow; answer with [`Core::handle_dialled`].
    Dial {
        /// The flow that waits.
        flow: FlowKey,
        /// An address, or a name for the resolver of this host.
        host: String,
        /// The port there.
        port: u16,
    },
    /// Dial this for the probe with this number, close it at once, and answer with [`Core::handle_probed`].
    Probe(u64, Errand),
    /// Serve what has come in on this flow.
    Serve(FlowKey, Service),
    /// End an earlier agent of this manager for this address, before anything else is done.
    TakePlace(String, Vip),
    /// Write these files; answer with [`Core::handle_files`].
    Write(Box<Files>),
    /// The manager is gone: end everything. This comes once.
    Silent,
    /// Look at this flow again: it has bytes, room, or an end.
    Wake(FlowKey),
}

/// A real address to listen on, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listener {
    /// The use of what arrives there.
    pub purpose: Purpose,
    /// The address.
    pub address: SocketAddr,
}

/// The uses of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Connections to the address of the same name inside the network ([`Core::connect`]).
    Network,
    /// DNS questions over UDP. Those over TCP are connections into the network.
    Dns,
    /// Clients of the HTTP proxy.
    Http,
    /// Clients of the SOCKS proxy.
    Socks,
}

impl Listener {
    /// What the agent does there, and the address.
    fn words(&self) -> (&'static str, String) {
        let address = self.address.to_string();
        match self.purpose {
            Purpose::Network => ("listen on", address),
            Purpose::Dns => ("listen on", format!("{address} (UDP)")),
            Purpose::Http => ("serve the HTTP proxy on", address),
            Purpose::Socks => ("serve the SOCKS proxy on", address),
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, address) = self.words();
        write!(f, "{what} {address}")
    }
}

/// Why an address cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListening {
    /// The cause, for programs.
    pub cause: Cause,
    /// The reason, for people.
    pub reason: String,
}

impl From<String> for NotListening {
    fn from(reason: String) -> Self {
        Self {
            cause: Cause::Other,
            reason,
        }
    }
}

/// What an agent itself serves inside the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// DNS questions, as over TCP (RFC 7766).
    Dns,
    /// Connections that another host's proxy asks for.
    Relay,
}

/// Whether everything that has come was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing is left.
    Done,
    /// Some bytes are left. Others have their turn first.
    Yield,
}

/// One agent.
pub struct Core {
    decoder: Decoder,
    /// What this machine permits.
    limits: Limits,
    /// Why the limits cannot be known.
    unfit: Option<String>,
    config: Option<Config>,
    listeners: BTreeMap<Listener, Place>,
    /// Hosts that cannot be reached: their addresses are held, so that connections to them are refused.
    lost: BTreeSet<Ipv4Addr>,
    /// The earliest `retry_at` of the listeners.
    next_retry: Option<Instant>,
    flows: Table,
    /// When the agent may send more packets.
    pace: Pace,
    /// The addresses that the DNS server of this gateway has given.
    given: Given,
    /// What is wrong with the files.
    files: Vec<ProblemReport>,
    /// Why a later start of this agent will have to wait for its ports.
    no_place: Option<ProblemReport>,
    /// The parts of the configuration that are not permitted.
    denied: Vec<ProblemReport>,
    /// What was refused since the last configuration.
    refused: Refused,
    /// Requests of other hosts that are under way.
    arrivals: Arrivals,
    /// The hosts that want more than their share of this one.
    crowd: Crowd,
    /// The files that were last to be written.
    written: Option<Files>,
    /// The strangers that were refused and reported.
    strangers: Strangers,
    /// The probes that wait for the driver.
    errands: BTreeSet<u64>,
    /// The flows that other hosts have begun.
    accepted: BTreeSet<FlowKey>,
    /// What other hosts have asked this gateway for on their flows, and the address that it has connected to.
    relayed: BTreeMap<FlowKey, (Destination, IpAddr)>,
    /// What the policy has refused to other hosts.
    refusals: Refusals,
    /// Only with a manager that has promised to send something from time to time.
    silence: Option<Silence>,
    outputs: VecDeque<Output>,
    control: VecDeque<Message>,
    report_due: bool,
}

impl Core {
    /// An agent that waits to be configured. `seed` decides its sequence numbers and ports.
    pub fn new(seed: u64, capacity: Capacity) -> Self {
        Self::limited(seed, capacity, Ok(Limits::default()))
    }

    /// An agent that does only what these limits permit. If they cannot be known, it refuses every configuration and
    /// says why.
    pub fn limited(seed: u64, capacity: Capacity, limits: Result<Limits, String>) -> Self {
        Self {
            decoder: Decoder::new(wire::CONTROL_MAX_FROM_MANAGER),
            unfit: limits.as_ref().err().cloned(),
            limits: limits.unwrap_or_else(|_| Limits::nothing()),
            config: None,
            listeners: BTreeMap::new(),
            lost: BTreeSet::new(),
            next_retry: None,
            flows: Table::new(seed, capacity),
            pace: Pace::default(),
            given: Given::default(),
            files: Vec::new(),
            arrivals: Arrivals::default(),
            crowd: Crowd::default(),
            no_place: None,
            denied: Vec::new(),
            refused: Refused::default(),
            written: None,
            strangers: Strangers::default(),
            errands: BTreeSet::new(),
            accepted: BTreeSet::new(),
            relayed: BTreeMap::new(),
            refusals: Refusals::default(),
            silence: None,
            outputs: VecDeque::new(),
            control: VecDeque::new(),
            report_due: false,
        }
    }

    /// Takes whole frames off the front of what the manager has sent, as many as make a turn.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Result<Turn, Desync> {
        let mut sign = Sign::Part;
        let mut turn = Turn::Yield;
        for _ in 0..FRAMES_IN_A_TURN {
            let Some(item) = self.decoder.poll(buffer)? else {
                turn = Turn::Done;
                break;
            };
            sign = Sign::Whole;
            match item {
                Item::Packet(frame) => self.handle_packet(now, frame.payload()),
                Item::Control(json) => self.handle_control(now, &json),
                // TCP sends a damaged packet again. A frame that a newer manager sends without an announcement of this
                // agent is lost.
                Item::Damaged | Item::Unknown(_) => {}
            }
        }
        if self.peer().heartbeat {
            let silence = self.silence.get_or_insert_with(|| Silence::new(now));
            silence.hear(sign);
        }
        Ok(turn)
    }

    /// Makes the agent what `args` say. Keeps what both configurations share, including flows; resets flows to what is
    /// gone. A message that cannot be understood changes nothing.
    pub fn configure(&mut self, args: Configure) -> Result<(), String> {
        if let Some(reason) = &self.unfit {
            return Err(reason.clone());
        }
        let mut config = Config::read(args)?;
        if let Some(old) = &self.config
            && old.me != config.me
        {
            return Err(format!("this agent is {}, and stays it", old.me));
        }
        let denied = config.limit(&self.limits);
        self.report_due |= !denied.is_empty() || !self.denied.is_empty();
        self.denied = denied;
        self.refused = Refused::default();
        let listeners = config.listeners();
        let old = self.config.as_ref();
        // A proxy with other users is another one at the same address.
        let is_same = |listener: &Listener| match (old, listener.purpose) {
            (Some(old), Purpose::Http) => old.http == config.http,
            (Some(old), Purpose::Socks) => old.socks == config.socks,
            (_, Purpose::Network | Purpose::Dns) | (None, _) => true,
        };
        let same: BTreeSet<_> = listeners.iter().filter(|it| is_same(it)).copied().collect();
        let place = config.manager.clone().filter(|_| old.is_none());
        let place = place.map(|manager| Output::TakePlace(manager, config.me));
        self.outputs.extend(place);
        self.config = Some(config);
        self.keep_listening(&same);
        self.listen(&listeners);
        self.write_files();
        Ok(())
    }

    /// Takes a configuration while there are flows, and ends those to what is gone.
    fn reconfigure(&mut self, now: Instant, args: Configure) -> Result<(), String> {
        let routes = self.config.as_ref().map(|config| config.routes.clone());
        self.configure(args)?;
        let own = self.config.as_ref().map(|config| config.me.address());
        let same_routes = routes == self.config.as_ref().map(|config| config.routes.clone());
        // If the routes are unchanged, flows to addresses that a gateway was allowed to dial are not checked again: the
        // names of such addresses are forgotten earlier than a long connection ends.
        let gone = |flow: &&FlowKey| {
            let judged = !same_routes || own == Some(*flow.src.ip());
            let served = !judged || self.served_at(now, flow.src).is_some();
            !served || !self.lets_in(**flow)
        };
        let gone: Vec<_> = self.accepted.iter().filter(gone).copied().collect();
        for flow in gone {
            self.flows.abort(flow);
        }
        self.cut_relayed();
        Ok(())
    }

    /// The outcome of [`Output::Write`]: what could not be written.
    pub fn handle_files(&mut self, problems: Vec<ProblemReport>) {
        self.report_due |= self.files != problems;
        self.files = problems;
    }

    /// Notes that [`Output::TakePlace`] failed: a later start of this agent will have to wait for its ports.
    pub fn handle_no_place(&mut self, reason: String) {
        let what = "make room for a new start of itself".to_owned();
        self.no_place = Some(ProblemReport { what, reason });
        self.report_due = true;
    }

    /// Begins a flow to an address inside the network.
    pub fn connect(
        &mut self,
        now: Instant,
        holder: Holder,
        remote: SocketAddrV4,
    ) -> Result<FlowKey, TableFull> {
        // There are listeners only after a configuration.
        let me = self
            .config
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST, |config| config.me.address());
        self.flows.connect(now, holder, me, remote)
    }

    /// Tells the manager that these addresses are behind a gateway, before the flows that go there.
    pub fn suggest(&mut self, gateway: Vip, addresses: &[Ipv4Addr]) {
        // A manager that reads so little would not learn of them in time.
        if self.control.len() >= CONTROL_MAX {
            return;
        }
        let event = Event::RouteSuggestion(RouteSuggestion {
            ip: addresses.iter().copied().map(IpAddr::from).collect(),
            route: gateway.address(),
        });
        self.control.push_back(Message::Event(event.into_raw()));
    }

    /// Whether the manager wants reports of problems. If not, only those who read the agent's output learn of them.
    pub fn reports_problems(&self) -> bool {
        self.peer().problems
    }

    /// This host's own address; `None` before the configuration.
    pub fn me(&self) -> Option<Vip> {
        self.config.as_ref().map(|config| config.me)
    }

    /// The names of the network.
    pub fn zone(&self) -> Option<&Zone> {
        self.config.as_ref().map(|config| &config.zone)
    }

    /// The DNS servers of the network.
    pub fn dns_servers(&self) -> Vec<SocketAddrV4> {
        let servers = self.config.iter().flat_map(|config| &config.dns);
        servers.map(|(vip, port)| vip.socket(*port)).collect()
    }

    /// A proxy as it is configured.
    pub fn proxy(&self, purpose: Purpose) -> Option<&Proxy> {
        let config = self.config.as_ref()?;
        match purpose {
            Purpose::Http => config.http.as_ref(),
            Purpose::Socks => config.socks.as_ref(),
            Purpose::Network | Purpose::Dns => None,
        }
    }

    /// The outcome of [`Output::Dial`].
    pub fn handle_dialled(&mut self, flow: FlowKey, connected: bool) {
        self.arrivals.end_dial(flow);
        if connected {
            self.flows.admit(flow);
        } else {
            self.flows.abort(flow);
            self.release(flow);
        }
    }

    /// Whether so much is open that it matters who holds it.
    pub fn is_busy(&self) -> bool {
        self.flows.is_busy()
    }

    /// See [`Table::send_with`].
    pub fn send_with<R>(
        &mut self,
        flow: FlowKey,
        fill: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Option<R> {
        self.flows.send_with(flow, fill)
    }

    /// See [`Table::receive_with`].
    pub fn receive_with<R>(
        &mut self,
        flow: FlowKey,
        take: impl FnOnce(&[u8]) -> (usize, R),
    ) -> Receive<R> {
        self.flows.receive_with(flow, take)
    }

    /// Whether the far end has accepted the flow.
    pub fn is_established(&self, flow: FlowKey) -> bool {
        self.flows.is_established(flow)
    }

    /// See [`Table::is_reset`].
    pub fn is_reset(&mut self, flow: FlowKey) -> bool {
        self.flows.is_reset(flow)
    }

    /// The local side of a flow has finished sending.
    pub fn handle_finished(&mut self, flow: FlowKey) {
        self.flows.finish(flow);
    }

    /// The local side of a flow is gone without a clean end.
    pub fn handle_broken(&mut self, flow: FlowKey) {
        self.flows.abort(flow);
    }

    /// The driver is done with a flow.
    pub fn release(&mut self, flow: FlowKey) {
        self.accepted.remove(&flow);
        self.handle_served(flow);
        self.relayed.remove(&flow);
        self.flows.release(flow);
    }

    /// How many flows there are.
    #[cfg(test)]
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// What the driver is to do next; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs
            .pop_front()
            .or_else(|| self.flows.poll_wake().map(Output::Wake))
    }

    /// Whether [`Core::poll_frames`] has something to do.
    pub fn wants_wire(&self) -> bool {
        let packets = self.flows.wants_wire(self.pace.pick());
        self.report_due || !self.control.is_empty() || packets
    }

    /// Appends frames for the manager to `out` until it holds `limit` bytes or nothing is left to send.
    pub fn poll_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        let start = out.len();
        self.put_frames(now, out, limit);
        if self.peer().sums {
            sum::seal(out.get_mut(start..).unwrap_or_default());
        }
    }

    fn put_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        self.report();
        while let Some(message) = self.control.pop_front() {
            frame::put_control(out, &message.to_json());
        }
        while out.len() < limit {
            let start = out.len();
            self.pace.look(now);
            let Some(sent) = self.flows.poll_packet(now, self.pace.pick(), out) else {
                return;
            };
            let own = self.config.as_ref().map(|config| config.me.address());
            if own == Some(sent.to) {
                // Packets to this host's own published ports take the same way as all others, but do not leave the
                // agent.
                let mut frame = out.split_off(start);
                frame.advance(HEADER_LEN);
                self.handle_packet(now, &frame);
                continue;
            }
            self.pace.spend(now, sent);
        }
    }

    /// Does what is due for flows and listeners.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.flows.handle_timeout(now);
        self.pace.handle_timeout(now);
        self.report_due |= self.crowd.handle_timeout(now);
        let refused = self.refusals.poll(now);
        if !refused.is_empty() {
            let event = Event::Refused(refused);
            self.control.push_back(Message::Event(event.into_raw()));
        }
        if self.next_retry.is_some_and(|at| at <= now) {
            self.retry_listeners(now);
        }
        self.report_due |= self.refused.is_due(now);
        if let Some(silence) = &mut self.silence
            && silence.look(now)
        {
            self.silence = None;
            self.outputs.push_back(Output::Silent);
        }
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let retry = self.next_retry.map(|at| (at, "a listener's next try"));
        let silence = self.silence.as_ref();
        let silence = silence.map(|silence| (silence.due(), "a sign of the manager"));
        let crowd = self.crowd.poll_timeout();
        let refused = self.refused.due();
        let refused = refused.map(|at| (at, "what was refused, in sum"));
        let own = retry.into_iter().chain(silence).chain(crowd);
        let refusals = self.refusals.due().map(|at| (at, "what was refused"));
        let own = own.chain(refused).chain(refusals);
        let own = own.chain(self.pace.poll_timeout());
        own.chain(self.flows.poll_timeout()).min()
    }

    fn handle_packet(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else {
            return;
        };
        if self.flows.handle_packet(now, &packet) || self.accept(now, &packet) {
            return;
        }
        if let Some(reset) = packet.reset_reply() {
            self.flows.reply(&reset);
        }
    }

    fn served_at(&self, now: Instant, address: SocketAddrV4) -> Option<Served> {
        let config = self.config.as_ref()?;
        let port = Port::new(address.port())?;
        if *address.ip() != config.me.address() {
            let relays = self.relays_packets_to(now, *address.ip());
            return relays.then(|| Served::Dial(address.ip().to_string(), port.get()));
        }
        if let Some((host, port)) = config.forwards.get(&port) {
            return Some(Served::Dial(host.clone(), *port));
        }
        let port = Some(&port);
        if config.dns.get(&config.me) == port {
            return Some(Served::Service(Service::Dns));
        }
        (config.relays.get(&config.me) == port).then_some(Served::Service(Service::Relay))
    }

    fn handle_control(&mut self, now: Instant, json: &[u8]) {
        // Only agents send results and events; and what cannot be read cannot be answered.
        let Ok(Message::Request(request)) = Message::parse(json) else {
            return;
        };
        if request.op == control::PROBE {
            let answer = self.probe(now, request.id, &request.args);
            self.control
                .extend(answer.map(|answer| result(request.id, request.op, answer)));
            return;
        }
        let outcome = match request.op.as_str() {
            control::CONFIGURE => (request.args.read())
                .map_err(|error| error.to_string())
                .and_then(|args| self.reconfigure(now, args))
                .map(|()| greeting(sum::of_control(json))),
            control::PING => Ok(Raw::default()),
            control::LOST => (request.args.read())
                .map_err(|error| error.to_string())
                .map(|lost| self.handle_lost(lost))
                .map(|()| Raw::default()),
            other => Err(format!("this agent does not know how to {other:?}")),
        };
        self.control
            .push_back(result(request.id, request.op, outcome));
    }

    /// Queues the list of problems if it has changed. It is always the whole list, so that no report depends on
    /// another.
    fn report(&mut self) {
        if !std::mem::take(&mut self.report_due) {
            return;
        }
        if !self.peer().problems {
            return;
        }
        let event = Event::Problems(self.problems());
        self.control.push_back(Message::Event(event.into_raw()));
    }

    /// What the manager has announced; nothing before it has announced anything.
    fn peer(&self) -> Peer {
        let config = self.config.as_ref();
        config.map(|config| config.peer).unwrap_or_default()
    }

    /// Everything that does not work at the moment.
    fn problems(&self) -> Vec<ProblemReport> {
        let listeners = self.listeners.iter().filter_map(|(listener, place)| {
            let Listening::Failed { why, .. } = &place.listening else {
                return None;
            };
            Some(ProblemReport {
                what: listener.to_string(),
                reason: why.reason.clone(),
            })
        });
        let crowd = self.crowd.problems(|host| self.called(host));
        let others = self.files.iter().chain(&self.no_place).cloned();
        let all = listeners.chain(others).chain(self.limited_problems());
        told(all.chain(crowd).collect())
    }
}

/// As many problems as anybody reads, and the number of the others.
fn told(mut problems: Vec<ProblemReport>) -> Vec<ProblemReport> {
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    if more > 0 {
        problems.truncate(PROBLEMS_MAX);
        problems.push(ProblemReport {
            what: format!("do {more} more things"),
            reason: "what is listed before comes first".to_owned(),
        });
    }
    problems
}

/// What is served at an address of the network.
enum Served {
    Service(Service),
    Dial(String, u16),
}

fn result(id: u64, op: String, outcome: Result<Raw, String>) -> Message {
    let (error, data) = match outcome {
        Ok(data) => (Raw::default(), data),
        Err(reason) => (Raw::of(&reason), Raw::default()),
    };
    Message::Result(Outcome {
        request_id: id,
        op,
        error,
        data,
    })
}

fn greeting(sum: u16) -> Raw {
    let served = [
        feature::LOOPBACK,
        feature::TCP,
        feature::LOOPBACK_DISABLE,
        feature::HTTP,
        feature::SOCKS,
        feature::CREDENTIALS,
        feature::HOST_ALIASES,
        feature::HOST_ALIASES_NIP_IO,
        feature::ETC_HOSTS,
        feature::ROUTES,
        feature::NOT_TO,
        feature::POLICY,
        feature::DNS,
        feature::HEARTBEAT,
        feature::RECONFIGURE,
        feature::LOST,
        feature::PROBE,
        feature::SUMS,
    ];
    // Other systems do not tell an agent whose a connection is.
    let same_user = cfg!(target_os = "linux").then_some(feature::SAME_USER);
    let served = served.into_iter().chain(same_user);
    let greeting = Greeting {
        features: served.collect(),
        version: VERSION.to_owned(),
        sum,
    };
    Raw::of(&greeting)
}

#[cfg(test)]
mod tests;
