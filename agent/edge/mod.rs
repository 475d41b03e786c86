//! The inside of an agent: where streams enter and leave the virtual network.
//!
//! It decides what to listen on, what to dial and which packets to send. It never does any of that: the driver
//! performs [`Output`]s, tells what came of them, and moves bytes in and out of flows in place.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

use std::{
    collections::{BTreeMap, VecDeque},
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use bytes::{Buf, BytesMut};

use crate::{
    VERSION,
    addr::{FlowKey, Port, Vip},
    flow::{Receive, Table, TableFull},
    time::Instant,
    wire::{
        self, Decoder, Desync, HEADER_LEN, Item, Packet,
        control::{self, Configure, Event, Greeting, Message, Outcome, ProblemReport, feature},
        frame,
    },
};

/// How long a listening address that could not be had is left alone before the next try.
const LISTEN_RETRY: Duration = Duration::from_secs(5);

/// How many dials may be under way at a time. A dial holds a socket and perhaps a thread that resolves a name.
const DIALS_MAX: usize = 1_024;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Listen there; answer with [`Core::handle_listening`].
    Listen(SocketAddrV4),
    /// Connect to `host` (an address or a name) for this flow; answer with [`Core::handle_dialled`].
    Dial {
        /// The flow that waits.
        flow: FlowKey,
        /// An address, or a name for the resolver of this host.
        host: String,
        /// The port there.
        port: u16,
    },
    /// Look at this flow again: it has bytes, room, or an end.
    Wake(FlowKey),
}

/// One agent.
pub struct Core {
    decoder: Decoder,
    config: Option<Config>,
    listeners: BTreeMap<SocketAddrV4, Listener>,
    /// The earliest `retry_at` of the listeners.
    next_retry: Option<Instant>,
    flows: Table,
    dials: usize,
    outputs: VecDeque<Output>,
    control: VecDeque<Message>,
    report_due: bool,
}

/// What the manager wants of this agent.
struct Config {
    me: Vip,
    /// What each published port dials.
    forwards: BTreeMap<Port, (String, u16)>,
    /// Whether the manager wants to hear of problems.
    reports: bool,
}

enum Listener {
    /// The driver has been asked.
    Asked,
    /// Connections can come.
    Listening,
    /// The address could not be had.
    Failed { reason: String, retry_at: Instant },
}

impl Core {
    /// An agent that waits to be configured. `seed` decides its sequence numbers and ports.
    pub fn new(seed: u64) -> Self {
        Self {
            decoder: Decoder::new(wire::CONTROL_MAX_FROM_MANAGER),
            config: None,
            listeners: BTreeMap::new(),
            next_retry: None,
            flows: Table::new(seed),
            dials: 0,
            outputs: VecDeque::new(),
            control: VecDeque::new(),
            report_due: false,
        }
    }

    /// Takes whole frames off the front of what the manager has sent.
    pub fn handle_bytes(&mut self, now: Instant, buffer: &mut BytesMut) -> Result<(), Desync> {
        while let Some(item) = self.decoder.poll(buffer)? {
            match item {
                Item::Packet(frame) => self.handle_packet(now, frame.payload()),
                Item::Control(json) => self.handle_control(&json),
                // A newer manager may speak of things that this agent has not announced. It is the manager's loss.
                Item::Fault(_) => {}
            }
        }
        Ok(())
    }

    /// Configures an agent without a manager.
    pub fn configure(&mut self, args: Configure) -> Result<(), String> {
        if self.config.is_some() {
            return Err("this agent is already configured".to_owned());
        }
        let me = Vip::new(args.me).map_err(|error| format!("me: {}: {error}", args.me))?;
        let mut forwards = BTreeMap::new();
        let mut listen = Vec::new();
        for forward in args
            .forwards
            .into_iter()
            .filter(|forward| is_tcp(&forward.proto))
        {
            let port = Port::new(forward.listen_port)
                .ok_or_else(|| "forwards: 0 is no port to listen on".to_owned())?;
            listen.push(me.socket(port));
            forwards.insert(port, (forward.connect_ip, forward.connect_port));
        }
        for other in args.others.iter().filter(|other| is_tcp(&other.proto)) {
            let vip =
                Vip::new(other.ip).map_err(|error| format!("others: {}: {error}", other.ip))?;
            let port = Port::new(other.port)
                .ok_or_else(|| "others: 0 is no port to listen on".to_owned())?;
            listen.push(vip.socket(port));
        }
        if !args.loopback.disable {
            for address in listen {
                if self.listeners.insert(address, Listener::Asked).is_none() {
                    self.outputs.push_back(Output::Listen(address));
                }
            }
        }
        let wants = |name: &str| args.features.iter().any(|feature| feature == name);
        self.config = Some(Config {
            me,
            forwards,
            reports: wants(feature::PROBLEMS),
        });
        Ok(())
    }

    /// The outcome of [`Output::Listen`].
    pub fn handle_listening(
        &mut self,
        now: Instant,
        address: SocketAddrV4,
        outcome: Result<(), String>,
    ) {
        let Some(listener) = self.listeners.get_mut(&address) else {
            return;
        };
        let failed_before = match listener {
            Listener::Failed { reason, .. } => Some(std::mem::take(reason)),
            Listener::Asked | Listener::Listening => None,
        };
        *listener = match outcome {
            Ok(()) => {
                self.report_due |= failed_before.is_some();
                Listener::Listening
            }
            Err(reason) => {
                self.report_due |= failed_before.as_ref() != Some(&reason);
                let retry_at = now + LISTEN_RETRY;
                self.next_retry.get_or_insert(retry_at);
                Listener::Failed { reason, retry_at }
            }
        };
    }

    /// A connection has come to a listener: the flow that carries it.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        listener: SocketAddrV4,
    ) -> Result<FlowKey, TableFull> {
        // There are listeners only after a configuration.
        let me = self
            .config
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST, |config| config.me.address());
        self.flows.connect(now, me, listener)
    }

    /// The outcome of [`Output::Dial`].
    pub fn handle_dialled(&mut self, flow: FlowKey, connected: bool) {
        self.dials = self.dials.saturating_sub(1);
        if connected {
            self.flows.admit(flow);
        } else {
            self.flows.abort(flow);
            self.flows.release(flow);
        }
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
    #[cfg(test)]
    pub fn is_established(&self, flow: FlowKey) -> bool {
        self.flows.is_established(flow)
    }

    /// See [`Table::is_reset`].
    pub fn is_reset(&mut self, flow: FlowKey) -> bool {
        self.flows.is_reset(flow)
    }

    /// The local side of a flow has said that it is done.
    pub fn handle_finished(&mut self, flow: FlowKey) {
        self.flows.finish(flow);
    }

    /// The local side of a flow is gone without a clean end.
    pub fn handle_broken(&mut self, flow: FlowKey) {
        self.flows.abort(flow);
    }

    /// The driver is done with a flow.
    pub fn release(&mut self, flow: FlowKey) {
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
        self.report_due || !self.control.is_empty() || self.flows.wants_wire()
    }

    /// Appends frames for the manager to `out` until it holds `limit` bytes or nothing is left to send.
    pub fn poll_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        self.report();
        while let Some(message) = self.control.pop_front() {
            frame::put_control(out, &message.to_json());
        }
        while out.len() < limit {
            let start = out.len();
            let Some(destination) = self.flows.poll_packet(now, out) else {
                return;
            };
            let own = self.config.as_ref().map(|config| config.me.address());
            if own == Some(destination) {
                // A host's own published ports take the same way as everybody else's, only shorter.
                let mut frame = out.split_off(start);
                frame.advance(HEADER_LEN);
                self.handle_packet(now, &frame);
            }
        }
    }

    /// Gives time to flows and listeners.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.flows.handle_timeout(now);
        if self.next_retry.is_some_and(|at| at <= now) {
            self.retry_listeners(now);
        }
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let retry = self.next_retry.map(|at| (at, "a listener's next try"));
        retry.into_iter().chain(self.flows.poll_timeout()).min()
    }

    fn retry_listeners(&mut self, now: Instant) {
        self.next_retry = None;
        for (&address, listener) in &mut self.listeners {
            let Listener::Failed { retry_at, .. } = listener else {
                continue;
            };
            if *retry_at > now {
                let next = self.next_retry.get_or_insert(*retry_at);
                *next = (*next).min(*retry_at);
                continue;
            }
            // The driver's answer sets the next time.
            *retry_at = now + LISTEN_RETRY;
            self.outputs.push_back(Output::Listen(address));
        }
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

    /// Begins a flow for a SYN to a published port; false if it is to be refused.
    fn accept(&mut self, now: Instant, packet: &Packet<'_>) -> bool {
        let flags = packet.segment().flags;
        if !flags.syn || flags.ack || flags.rst || self.dials >= DIALS_MAX {
            return false;
        }
        let Some(config) = &self.config else {
            return false;
        };
        let destination = packet.key().dst;
        let published = Port::new(destination.port())
            .filter(|_| *destination.ip() == config.me.address())
            .and_then(|port| config.forwards.get(&port));
        let Some((host, port)) = published else {
            return false;
        };
        let Some(flow) = self.flows.accept(now, packet) else {
            return false;
        };
        self.dials += 1;
        self.outputs.push_back(Output::Dial {
            flow,
            host: host.clone(),
            port: *port,
        });
        true
    }

    fn handle_control(&mut self, json: &[u8]) {
        // Results and events are an agent's to send; what cannot be read cannot be answered.
        let Ok(Message::Request(request)) = Message::parse(json) else {
            return;
        };
        let outcome = if request.op == control::CONFIGURE {
            serde_json::from_value(request.args)
                .map_err(|error| error.to_string())
                .and_then(|args| self.configure(args))
        } else {
            Err(format!("this agent does not know how to {:?}", request.op))
        };
        let (error, data) = match outcome {
            Ok(()) => (serde_json::Value::Null, greeting()),
            Err(reason) => (reason.into(), serde_json::Value::Null),
        };
        self.control.push_back(Message::Result(Outcome {
            request_id: request.id,
            op: request.op,
            error,
            data,
        }));
    }

    /// Queues the list of problems if it has changed: the whole list, so that no report depends on another.
    fn report(&mut self) {
        if !std::mem::take(&mut self.report_due) {
            return;
        }
        if self.config.as_ref().is_none_or(|config| !config.reports) {
            return;
        }
        let problems = self.listeners.iter().filter_map(|(&address, listener)| {
            let Listener::Failed { reason, .. } = listener else {
                return None;
            };
            Some(ProblemReport {
                address,
                reason: reason.clone(),
            })
        });
        let event = Event::Problems(problems.collect());
        self.control.push_back(Message::Event(event.into_raw()));
    }
}

/// Whether a port carries what this agent carries. Upstream leaves the word out where there is no choice.
fn is_tcp(protocol: &str) -> bool {
    protocol.is_empty() || protocol == "tcp"
}

fn greeting() -> serde_json::Value {
    let served = [feature::LOOPBACK, feature::TCP, feature::LOOPBACK_DISABLE];
    let greeting = Greeting {
        features: served.map(str::to_owned).to_vec(),
        version: VERSION.to_owned(),
    };
    serde_json::to_value(greeting).unwrap_or_default()
}

#[cfg(test)]
mod tests;
