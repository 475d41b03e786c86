//! The inside of an agent: where streams enter and leave the virtual network.
//!
//! [`Core`] decides which addresses to listen on, what to dial and which packets to send. It performs no I/O itself:
//! the driver performs each [`Output`], reports the result, and copies bytes directly into and out of the flows.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod arrivals;
mod config;
mod crowd;
mod given;
mod greeting;
mod limited;
mod listeners;
mod outbox;
mod pace;
mod pages;
mod path;
mod policy;
mod probe;
mod refused_asks;
mod reports;
mod rights;
mod rules;
mod silence;
mod strangers;
pub mod way;
mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use bytes::{Buf, BytesMut};

use self::{
    arrivals::Arrivals, greeting::greeting, limited::Refusals, listeners::Listeners,
    outbox::Outbox, pace::Pace, probe::Errands, reports::Reports, silence::Silence,
    strangers::Strangers,
};
pub use self::{
    path::{Gateway, Path, permitted},
    rights::Rights,
    words::{Errand, Files, Listener, NotListening, Output, Progress, Proxy, Purpose, Service},
};
use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    flow::{Capacity, Holder, Receive, Table, TableFull},
    limits::Limits,
    link::Sign,
    names::Zone,
    proxy::{Outward, page::Page},
    route::policy::By,
    time::Instant,
    wire::{
        self, Decoder, Desync, Failure, HEADER_LEN, Item, Packet,
        control::{
            self, Configure, Event, Lost, Mark, Message, ProblemCode, ProblemReport, Raw, Request,
            RouteSuggestion,
        },
        frame,
        open_ports::OpenPorts,
        probe::Found,
        sum,
    },
};

/// The maximum number of frames that are handled in one turn, so that other work is not delayed.
const FRAMES_IN_A_TURN: usize = 64;

/// The state of one agent.
pub struct Core {
    decoder: Decoder,
    rights: Rights,
    listeners: Listeners,
    flows: Table,
    /// Limits how fast the agent sends packets.
    pace: Pace,
    /// The requests of other hosts that are under way.
    arrivals: Arrivals,
    /// The refused clients that were reported already.
    strangers: Strangers,
    errands: Errands,
    reports: Reports,
    /// Detects a silent manager; `None` if the manager has not promised to send heartbeats.
    silence: Option<Silence>,
    outbox: Outbox,
}

impl Core {
    /// Creates an agent without a configuration. `seed` determines its sequence numbers and ports.
    pub fn new(seed: u64, capacity: Capacity) -> Self {
        Self::limited(seed, capacity, Ok(Limits::default()))
    }

    /// Creates an agent that respects these limits. If the limits could not be read, the agent answers every
    /// configuration with the error in `limits`.
    pub fn limited(seed: u64, capacity: Capacity, limits: Result<Limits, String>) -> Self {
        Self {
            decoder: Decoder::new(wire::CONTROL_MAX_FROM_MANAGER),
            rights: Rights::new(limits),
            listeners: Listeners::default(),
            flows: Table::new(seed, capacity),
            pace: Pace::default(),
            arrivals: Arrivals::default(),
            strangers: Strangers::default(),
            errands: Errands::default(),
            reports: Reports::default(),
            silence: None,
            outbox: Outbox::default(),
        }
    }

    /// Sets the person's own proxies. The agent's proxies use them for destinations that are neither in the network nor
    /// on a route.
    pub fn go_out_through(&mut self, outward: Outward) {
        self.rights.outward = outward;
    }

    /// The decisions about what the agent may do, and its knowledge of the network.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// This host's own address; `None` before the configuration.
    pub fn me(&self) -> Option<Vip> {
        self.rights.me()
    }

    /// The names of the network; `None` before the configuration.
    pub fn zone(&self) -> Option<&Zone> {
        self.rights.zone()
    }

    /// Handles the complete frames at the front of `buffer`, which contains bytes from the manager. Handles at most as
    /// many frames as one turn allows.
    pub fn handle_bytes(
        &mut self,
        now: Instant,
        buffer: &mut BytesMut,
    ) -> Result<Progress, Desync> {
        let mut sign = Sign::Part;
        let mut turn = Progress::Yield;
        for _ in 0..FRAMES_IN_A_TURN {
            let Some(item) = self.decoder.poll(buffer)? else {
                turn = Progress::Done;
                break;
            };
            sign = Sign::Whole;
            match item {
                Item::Packet(frame) => self.handle_packet(now, frame.payload()),
                Item::Control(json) => self.handle_control(now, &json),
                // A damaged packet is dropped, and TCP sends it again. An unknown frame comes from a newer manager, and
                // is ignored.
                Item::Damaged | Item::Unknown(_) => {}
            }
        }
        if self.rights.manager_features().heartbeat {
            let silence = self.silence.get_or_insert_with(|| Silence::new(now));
            silence.hear(sign);
        }
        Ok(turn)
    }

    /// Applies a configuration. Listeners that the old and the new configuration have in common stay open, and flows
    /// are left as they are. An invalid configuration changes nothing.
    pub fn configure(&mut self, args: Configure) -> Result<(), String> {
        let (config, denied) = self.rights.read(args)?;
        let news = !denied.is_empty() || !self.reports.denied.is_empty();
        self.outbox.note_problems_changed(news);
        self.reports.denied = denied;
        self.reports.refusals = Refusals::default();
        if let Some(old) = &self.rights.config {
            let kept = config.listeners_kept_from(old);
            self.listeners.keep(&kept, &mut self.outbox);
        } else if let Some(manager) = &config.manager {
            let place = Output::EndPredecessor(manager.clone(), config.me);
            self.outbox.ask(place);
        }
        self.pace.note_marks(config.manager_features.marks);
        self.rights.config = Some(config);
        self.listeners.listen(&self.rights, &mut self.outbox);
        self.listeners.write_files(&self.rights, &mut self.outbox);
        Ok(())
    }

    /// Applies a configuration, and resets the flows that it no longer allows or whose destinations no longer exist.
    fn reconfigure(&mut self, now: Instant, args: Configure) -> Result<(), String> {
        let routes = |rights: &Rights| rights.config.as_ref().map(|config| config.routes.clone());
        let before = routes(&self.rights);
        self.configure(args)?;
        let own = self.rights.own();
        let same_routes = before == routes(&self.rights);
        // After this gateway's DNS server has given an address, other hosts may begin connections to it for a limited
        // time, but a connection may last longer. Therefore, flows to addresses outside the network are checked against
        // the routes again only if the routes have changed.
        let gone = |flow: &FlowKey| {
            let judged = !same_routes || own == Some(*flow.src.ip());
            let served = !judged || self.rights.served_at(now, flow.src).is_some();
            !served || !self.rights.lets_in(*flow)
        };
        for flow in self.arrivals.accepted().filter(gone) {
            self.flows.abort(flow);
        }
        // The policy or the routes may have changed, so relayed flows are checked again.
        for (flow, to, address) in self.arrivals.relayed() {
            if !self.rights.may_have(*flow.dst.ip(), to, address) {
                self.flows.abort(flow);
            }
        }
        Ok(())
    }

    /// From now on, refuses connections to these hosts, and accepts connections to all other hosts again.
    fn handle_lost(&mut self, lost: Lost) {
        self.rights.lost = lost.hosts.into_iter().collect();
        self.rights.far = lost.far.into_iter().collect();
        self.listeners.listen(&self.rights, &mut self.outbox);
    }

    /// Handles the outcome of [`Output::Listen`] or [`Output::Hold`].
    pub fn handle_listening(
        &mut self,
        now: Instant,
        listener: Listener,
        outcome: Result<(), NotListening>,
    ) {
        let (rights, outbox) = (&self.rights, &mut self.outbox);
        self.listeners
            .handle_listening(now, listener, outcome, rights, outbox);
    }

    /// Handles the outcome of [`Output::Write`]; `problems` lists the files that could not be written. A missing file
    /// that nobody has asked for does not change the host's state, so a notice is sent for it as well. If the manager
    /// does not want notices, the text of the notice is returned instead.
    pub fn handle_files(&mut self, problems: Vec<ProblemReport>) -> Option<String> {
        let is_unasked = |problem: &&ProblemReport| problem.code == Some(ProblemCode::NoFiles);
        let text = problems
            .iter()
            .find(is_unasked)
            .map(ProblemReport::sentence);
        self.outbox
            .note_problems_changed(self.reports.files != problems);
        self.reports.files = problems;
        // The same notice is not sent twice.
        let text = text.filter(|text| self.reports.no_files.as_ref() != Some(text))?;
        self.reports.no_files = Some(text.clone());
        let config = self.rights.config.as_ref();
        if config.is_some_and(|config| config.manager_features.notices) {
            self.outbox.tell(Event::Notice(text));
            return None;
        }
        Some(text)
    }

    /// Notes that [`Output::EndPredecessor`] failed. When this agent is started again, it will have to wait until its
    /// ports are free.
    pub fn handle_no_place(&mut self, reason: String) {
        self.reports.no_place = Some(ProblemReport {
            what: "make room for a new start of itself".to_owned(),
            reason,
            code: Some(ProblemCode::Succession),
            ..ProblemReport::default()
        });
        self.outbox.note_problems_changed(true);
    }

    /// Handles the outcome of [`Output::Probe`].
    pub fn handle_probed(&mut self, id: u64, outcome: Result<(), Found>) {
        self.errands.handle_probed(id, outcome, &mut self.outbox);
    }

    /// Handles the outcome of [`Output::OpenPorts`]: the open ports, or the reason why they are not known.
    pub fn handle_open_ports(&mut self, id: u64, outcome: Result<OpenPorts, String>) {
        self.errands
            .handle_open_ports(id, outcome, &mut self.outbox);
    }

    /// Notes that a client was refused. `user` is `None` if the client's user is not known. Returns true if people
    /// should be told, with [`Core::tell_refused`].
    pub fn handle_refused(&mut self, now: Instant, listener: Listener, user: Option<u32>) -> bool {
        self.strangers.note(now, listener, user)
    }

    /// Tells the manager which client was refused, and which setting would let the client in. If the manager does not
    /// want notices, the text is returned instead.
    pub fn tell_refused(&mut self, listener: Listener, who: &str) -> Option<String> {
        let config = self.rights.config.as_ref()?;
        let text = strangers::refused(listener, who, &config.called(config.me));
        if !config.manager_features.notices {
            return Some(text);
        }
        self.outbox.tell(Event::Notice(text));
        None
    }

    /// Notes that a destination was not dialled, or that the dial failed. A refusal by this machine's limits is
    /// reported.
    pub fn handle_not_dialled(
        &mut self,
        now: Instant,
        destination: &Destination,
        failure: &Failure,
    ) {
        let (reports, outbox) = (&mut self.reports, &mut self.outbox);
        reports.note_not_dialled(now, destination, failure, outbox);
    }

    /// Whether this agent's DNS server may answer another host's question about `name`. `foreign` means that the name
    /// does not belong to the network, and only this machine's resolvers know it.
    pub fn may_resolve(&mut self, now: Instant, name: &str, foreign: bool) -> bool {
        let Err(refusal) = self.rights.may_resolve(foreign) else {
            return true;
        };
        let (verb, reason) = ("tell other hosts the address of", refusal.to_string());
        let (reports, outbox) = (&mut self.reports, &mut self.outbox);
        reports.note_refused(now, verb, name, reason, outbox);
        false
    }

    /// Notes that this gateway's DNS server has given these addresses for `name` to another host. For a while, other
    /// hosts may connect to them if a route for the name leads through this gateway.
    pub fn handle_given(&mut self, now: Instant, name: &str, addresses: &[IpAddr]) {
        self.rights.handle_given(now, name, addresses);
    }

    /// Notes, for the report to the manager, that the policy has refused a host's request. Returns the failure with
    /// which the request is to be answered.
    pub fn refuse(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        to: &Destination,
        address: Option<IpAddr>,
        by: By,
    ) -> Failure {
        if self.rights.manager_features().policy {
            self.reports
                .refused_asks
                .note(now, from, to.to_string(), by);
        }
        policy::refused(to, address, by)
    }

    /// Notes that this gateway has connected to `address`, because another host has asked for `to` on this flow.
    pub fn handle_relayed(&mut self, flow: FlowKey, to: Destination, address: IpAddr) {
        // The policy may have changed since the host asked.
        if !self.rights.may_have(*flow.dst.ip(), &to, address) {
            self.flows.abort(flow);
        }
        self.arrivals.relay(flow, to, address);
    }

    /// Notes that the DNS server or the relay of this agent has answered what another host asked on this flow. From now
    /// on the flow is an ordinary connection.
    pub fn handle_served(&mut self, flow: FlowKey) {
        self.arrivals.end_question(flow);
    }

    /// Begins a flow to an address inside the network.
    pub fn connect(
        &mut self,
        now: Instant,
        holder: Holder,
        remote: SocketAddrV4,
    ) -> Result<FlowKey, TableFull> {
        // A listener exists only after a configuration, so this host's address is known here.
        let me = self.rights.own().unwrap_or(Ipv4Addr::LOCALHOST);
        let reach = self.rights.reach(*remote.ip());
        self.flows.connect(now, holder, reach, (me, remote))
    }

    /// Tells the manager that these addresses are reached through a gateway, before flows to these addresses begin.
    pub fn suggest(&mut self, gateway: Vip, addresses: &[Ipv4Addr]) {
        // So many messages are waiting that this one would reach the manager after the flows' packets.
        if self.outbox.is_full() {
            return;
        }
        self.outbox.tell(Event::RouteSuggestion(RouteSuggestion {
            ip: addresses.iter().copied().map(IpAddr::from).collect(),
            route: gateway.address(),
        }));
    }

    /// Whether the manager wants reports of problems. If not, the driver writes the problems to the agent's log.
    pub fn reports_problems(&self) -> bool {
        self.rights.manager_features().problems
    }

    /// The contents of the status page; `None` before the configuration.
    pub fn page(&self) -> Option<Page> {
        self.rights.page(&self.problems())
    }

    /// Handles the outcome of [`Output::Dial`].
    pub fn handle_dialled(&mut self, flow: FlowKey, connected: bool) {
        self.arrivals.end_dial(flow);
        if connected {
            self.flows.admit(flow);
        } else {
            self.flows.abort(flow);
            self.release(flow);
        }
    }

    /// Whether so many flows are open that the driver should find out which user opens a new one.
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

    /// Whether the far end has received everything that was sent into a flow.
    pub fn has_delivered(&self, flow: FlowKey) -> bool {
        self.flows.has_delivered(flow)
    }

    /// Notes that the local side of a flow has finished sending.
    pub fn handle_finished(&mut self, flow: FlowKey) {
        self.flows.finish(flow);
    }

    /// Notes that the local side of a flow has failed.
    pub fn handle_broken(&mut self, flow: FlowKey) {
        self.flows.abort(flow);
    }

    /// Notes that the driver no longer uses a flow.
    pub fn release(&mut self, flow: FlowKey) {
        self.arrivals.release(flow);
        self.flows.release(flow);
    }

    /// The number of flows.
    #[cfg(test)]
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// The next action for the driver. After every call of another method, call this until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outbox.poll_output();
        output.or_else(|| self.flows.poll_wake().map(Output::Wake))
    }

    /// Whether [`Core::poll_frames`] has frames to send.
    pub fn wants_wire(&self) -> bool {
        let waits = self.outbox.has_messages() || self.flows.wants_wire(self.pace.pick());
        waits || self.pace.needs_mark()
    }

    /// Appends frames for the manager to `out` until it holds `limit` bytes or nothing is left to send.
    pub fn poll_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        let start = out.len();
        self.put_frames(now, out, limit);
        if self.rights.manager_features().sums {
            sum::seal(out.get_mut(start..).unwrap_or_default());
        }
    }

    fn put_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        self.report();
        let mut has_talked = false;
        while let Some(message) = self.outbox.poll_message() {
            self.put_message(now, out, &message);
            has_talked = true;
        }
        while out.len() < limit {
            let start = out.len();
            self.pace.look(now);
            let has_more = self.flows.wants_wire(self.pace.pick());
            let has_talked = std::mem::take(&mut has_talked);
            if let Some(mark) = self.pace.poll_mark(now, has_more, has_talked) {
                self.put_message(now, out, &Message::Event(Event::Mark(mark).into_raw()));
                continue;
            }
            let Some(sent) = self.flows.poll_packet(now, self.pace.pick(), out) else {
                return;
            };
            if self.rights.own() == Some(sent.to) {
                // A packet to this host's own published port is handled like all others, but does not leave the agent.
                let mut frame = out.split_off(start);
                frame.advance(HEADER_LEN);
                self.handle_packet(now, &frame);
                continue;
            }
            self.pace.spend(now, sent, out.len() - start);
        }
    }

    fn put_message(&mut self, now: Instant, out: &mut BytesMut, message: &Message) {
        let json = message.to_json();
        frame::put_control(out, &json);
        self.pace.spend_message(now, json.len());
    }

    /// Handles everything that is due at this time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.flows.handle_timeout(now);
        self.pace.handle_timeout(now);
        self.reports.handle_timeout(now, &mut self.outbox);
        self.listeners.handle_timeout(now, &mut self.outbox);
        if let Some(silence) = &mut self.silence
            && silence.look(now)
        {
            self.silence = None;
            self.outbox.ask(Output::Silent);
        }
    }

    /// The time of the next call to [`Core::handle_timeout`], and the reason for it.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let silence = self.silence.as_ref();
        let silence = silence.map(|silence| (silence.due(), "a sign of the manager"));
        let own = self.listeners.poll_timeout().into_iter().chain(silence);
        let own = own.chain(self.reports.poll_timeout());
        let own = own.chain(self.pace.poll_timeout());
        own.chain(self.flows.poll_timeout()).min()
    }

    fn handle_packet(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(packet) = Packet::parse(bytes) else {
            return;
        };
        if self.flows.handle_packet(now, &packet) {
            return;
        }
        let (arrivals, flows) = (&mut self.arrivals, &mut self.flows);
        let (reports, outbox) = (&mut self.reports, &mut self.outbox);
        if arrivals.accept(now, &packet, &self.rights, flows, reports, outbox) {
            return;
        }
        if let Some(reset) = packet.reset_reply() {
            self.flows.reply(&reset);
        }
    }

    fn handle_control(&mut self, now: Instant, json: &[u8]) {
        // A manager never sends results or events, and a message that cannot be parsed has no id to answer.
        let Ok(Message::Request(request)) = Message::parse(json) else {
            return;
        };
        if let Some(outcome) = self.handle_request(now, &request, json) {
            self.outbox.answer(request.id, request.op, outcome);
        }
    }

    /// Handles the manager's request in the message `json`. Returns `None` if the answer comes later.
    fn handle_request(
        &mut self,
        now: Instant,
        request: &Request,
        json: &[u8],
    ) -> Option<Result<Raw, String>> {
        let args = &request.args;
        Some(match request.op.as_str() {
            control::CONFIGURE => (args.read())
                .map_err(|error| error.to_string())
                .and_then(|args| self.reconfigure(now, args))
                .map(|()| greeting(sum::of_control(json))),
            control::PING => Ok(Raw::default()),
            control::MARKED => {
                if let Ok(mark) = args.read::<Mark>() {
                    self.pace.handle_mark(now, mark);
                }
                return None;
            }
            control::LOST => (args.read())
                .map_err(|error| error.to_string())
                .map(|lost| self.handle_lost(lost))
                .map(|()| Raw::default()),
            control::PROBE => {
                let (rights, listeners) = (&self.rights, &self.listeners);
                let outbox = &mut self.outbox;
                let errands = &mut self.errands;
                return errands.probe(now, request.id, args, rights, listeners, outbox);
            }
            control::OPEN_PORTS => {
                return (self.errands)
                    .open_ports(request.id, &mut self.outbox)
                    .map(Err);
            }
            other => Err(format!("this agent does not know how to {other:?}")),
        })
    }

    /// Queues the list of problems if it has changed. Each report has the complete list, so that it does not depend on
    /// an earlier report.
    fn report(&mut self) {
        if self.outbox.take_problems_changed() && self.rights.manager_features().problems {
            let problems = self.problems();
            self.outbox.tell(Event::Problems(problems));
        }
    }

    /// The current problems. If there are more than the manager keeps, the last one says how many were left out.
    fn problems(&self) -> Vec<ProblemReport> {
        self.reports.problems(&self.listeners, &self.rights)
    }
}

#[cfg(test)]
mod tests;
