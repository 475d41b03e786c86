//! The inside of an agent: where streams enter and leave the virtual network.
//!
//! It decides what to listen on, what to dial and which packets to send. It does not act itself: the driver performs
//! [`Output`]s, reports their results, and moves bytes in and out of flows in place.

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
mod outbox;
mod pace;
mod pages;
mod path;
mod places;
mod policy;
mod probe;
mod refusals;
mod reports;
mod rights;
mod rules;
mod silence;
mod strangers;
mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use bytes::{Buf, BytesMut};

use self::{
    arrivals::Arrivals, greeting::greeting, limited::Refused, outbox::Outbox, pace::Pace,
    places::Places, probe::Errands, reports::Reports, silence::Silence, strangers::Strangers,
};
pub use self::{
    path::{Gateway, Path},
    rights::Rights,
    words::{Errand, Files, Listener, NotListening, Output, Proxy, Purpose, Service, Turn},
};
use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    flow::{self, Capacity, Holder, Receive, Table, TableFull},
    limits::Limits,
    link::Sign,
    names::Zone,
    proxy::page::Page,
    route::policy::By,
    time::Instant,
    wire::{
        self, Decoder, Desync, Failure, HEADER_LEN, Item, Packet, PacketFrame,
        control::{
            self, Configure, Event, Lost, Message, ProblemCode, ProblemReport, Raw, Request,
            RouteSuggestion,
        },
        frame, sum,
    },
};

/// How many frames from the manager are handled in one turn. Then other tasks have theirs.
const FRAMES_IN_A_TURN: usize = 64;

/// The state machine of one agent.
pub struct Core {
    decoder: Decoder,
    rights: Rights,
    places: Places,
    flows: Table,
    /// Decides when the agent may send more packets to the manager.
    pace: Pace,
    /// Requests of other hosts that are in progress.
    arrivals: Arrivals,
    /// The strangers that were refused and reported.
    strangers: Strangers,
    errands: Errands,
    reports: Reports,
    /// Watches whether the manager is still there. `None` if the manager has not promised to send something at regular
    /// intervals.
    silence: Option<Silence>,
    outbox: Outbox,
}

impl Core {
    /// Makes an agent that waits for its configuration. Its sequence numbers and ports come from `seed`.
    pub fn new(seed: u64, capacity: Capacity) -> Self {
        Self::limited(seed, capacity, Ok(Limits::default()))
    }

    /// Makes an agent that does only what these limits permit. If the limits could not be read, the agent refuses every
    /// configuration, and gives the error as the reason.
    pub fn limited(seed: u64, capacity: Capacity, limits: Result<Limits, String>) -> Self {
        Self {
            decoder: Decoder::new(wire::CONTROL_MAX_FROM_MANAGER),
            rights: Rights::new(limits),
            places: Places::default(),
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

    /// The part that knows what the agent is permitted to do, and how it reaches destinations.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// This host's own address; `None` before the configuration.
    pub fn me(&self) -> Option<Vip> {
        self.rights.me()
    }

    /// The names of the network.
    pub fn zone(&self) -> Option<&Zone> {
        self.rights.zone()
    }

    /// Takes whole frames off the front of the bytes that the manager has sent, at most as many as one turn allows.
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
                Item::Packet(frame) => self.handle_frame(now, &frame),
                Item::Control(json) => self.handle_control(now, &json),
                // TCP sends the packet of a damaged frame again. An unknown frame comes from a newer manager, and can
                // be skipped, because this agent has not announced that it understands it.
                Item::Damaged | Item::Unknown(_) => {}
            }
        }
        if self.rights.peer().heartbeat {
            let silence = self.silence.get_or_insert_with(|| Silence::new(now));
            silence.hear(sign);
        }
        Ok(turn)
    }

    /// Applies a configuration. Keeps what both configurations share, including flows; resets flows to what is gone. A
    /// message that is not valid changes nothing.
    pub fn configure(&mut self, args: Configure) -> Result<(), String> {
        let (config, denied) = self.rights.read(args)?;
        let news = !denied.is_empty() || !self.reports.denied.is_empty();
        self.outbox.note_news(news);
        self.reports.denied = denied;
        self.reports.refused = Refused::default();
        if let Some(old) = &self.rights.config {
            let kept = config.listeners_kept_from(old);
            self.places.keep(&kept, &mut self.outbox);
        } else if let Some(manager) = &config.manager {
            let place = Output::TakePlace(manager.clone(), config.me);
            self.outbox.ask(place);
        }
        self.rights.config = Some(config);
        self.places.listen(&self.rights, &mut self.outbox);
        self.places.write_files(&self.rights, &mut self.outbox);
        Ok(())
    }

    /// Applies a configuration while there are flows, and resets the flows that it does not allow any more.
    fn reconfigure(&mut self, now: Instant, args: Configure) -> Result<(), String> {
        let routes = |rights: &Rights| rights.config.as_ref().map(|config| config.routes.clone());
        let before = routes(&self.rights);
        self.configure(args)?;
        let own = self.rights.own();
        let same_routes = before == routes(&self.rights);
        // If the routes are unchanged, flows that this gateway dials for others are not checked again: the addresses
        // that its DNS server has given are forgotten after a while, and a connection may last longer.
        let gone = |flow: &FlowKey| {
            let judged = !same_routes || own == Some(*flow.src.ip());
            let served = !judged || self.rights.served_at(now, flow.src).is_some();
            !served || !self.rights.lets_in(*flow)
        };
        for flow in self.arrivals.accepted().filter(gone) {
            self.flows.abort(flow);
        }
        // The new configuration may have another policy or other routes.
        for (flow, to, address) in self.arrivals.relayed() {
            if !self.rights.may_have(*flow.dst.ip(), to, address) {
                self.flows.abort(flow);
            }
        }
        Ok(())
    }

    /// Closes the addresses of these hosts for programs, and opens those of all others again.
    fn handle_lost(&mut self, lost: Lost) {
        self.places.replace_lost(lost.hosts);
        self.places.listen(&self.rights, &mut self.outbox);
    }

    /// Takes the result of [`Output::Listen`] or [`Output::Hold`].
    pub fn handle_listening(
        &mut self,
        now: Instant,
        listener: Listener,
        outcome: Result<(), NotListening>,
    ) {
        let (rights, outbox) = (&self.rights, &mut self.outbox);
        self.places
            .handle_listening(now, listener, outcome, rights, outbox);
    }

    /// Takes the result of [`Output::Write`]: the files that could not be written.
    pub fn handle_files(&mut self, problems: Vec<ProblemReport>) {
        self.outbox.note_news(self.reports.files != problems);
        self.reports.files = problems;
    }

    /// Notes that [`Output::TakePlace`] failed: a later start of this agent will have to wait for its ports.
    pub fn handle_no_place(&mut self, reason: String) {
        self.reports.no_place = Some(ProblemReport {
            what: "make room for a new start of itself".to_owned(),
            reason,
            code: Some(ProblemCode::Succession),
            ..ProblemReport::default()
        });
        self.outbox.note_news(true);
    }

    /// Takes the result of [`Output::Probe`].
    pub fn handle_probed(&mut self, id: u64, outcome: Result<(), Failure>) {
        self.errands.handle_probed(id, outcome, &mut self.outbox);
    }

    /// Notes that a client of a listener was refused. `user` is `None` if its user could not be found out. Returns true
    /// if people should be told, with [`Core::tell_refused`].
    pub fn handle_refused(&mut self, now: Instant, listener: Listener, user: Option<u32>) -> bool {
        self.strangers.note(now, listener, user)
    }

    /// Tells the manager which client was refused, and how the manifest would let it in. If the manager does not want
    /// such notices, returns the text instead.
    pub fn tell_refused(&mut self, listener: Listener, who: &str) -> Option<String> {
        let config = self.rights.config.as_ref()?;
        let text = strangers::refused(listener, who, &config.called(config.me));
        if !config.peer.notices {
            return Some(text);
        }
        self.outbox.tell(Event::Notice(text));
        None
    }

    /// Notes that a destination was not dialled, or that the dial has failed. If the limits were the reason, that is
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

    /// Whether this agent's DNS server may answer another host's question for a name. `foreign` is true for names that
    /// are not of the network, and that only this machine's resolvers know.
    pub fn may_resolve(&mut self, now: Instant, name: &str, foreign: bool) -> bool {
        let Err(refusal) = self.rights.may_resolve(foreign) else {
            return true;
        };
        let (verb, reason) = ("tell other hosts the address of", refusal.to_string());
        let (reports, outbox) = (&mut self.reports, &mut self.outbox);
        reports.note_refused(now, verb, name, reason, outbox);
        false
    }

    /// Notes that this gateway's DNS server has given these addresses for a name to another host. Hosts may connect to
    /// them for a while if a route leads the name through this gateway.
    pub fn handle_given(&mut self, now: Instant, name: &str, addresses: &[IpAddr]) {
        self.rights.handle_given(now, name, addresses);
    }

    /// Notes for the manager that the policy has refused a destination to a host. Returns the answer for the host.
    pub fn refuse(
        &mut self,
        now: Instant,
        from: Ipv4Addr,
        to: &Destination,
        address: Option<IpAddr>,
        by: By,
    ) -> Failure {
        if self.rights.peer().policy {
            self.reports.refusals.note(now, from, to.to_string(), by);
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

    /// Notes that the request on a flow was answered. From now on the flow is a connection like any other.
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
        // Connections come from listeners, and listeners exist only after a configuration; the default is never used.
        let me = self.rights.own().unwrap_or(Ipv4Addr::LOCALHOST);
        self.flows.connect(now, holder, me, remote)
    }

    /// Tells the manager that these addresses are behind a gateway. The message leaves before the packets that go
    /// there.
    pub fn suggest(&mut self, gateway: Vip, addresses: &[Ipv4Addr]) {
        // A manager that reads so slowly would not learn of the addresses in time.
        if self.outbox.is_full() {
            return;
        }
        self.outbox.tell(Event::RouteSuggestion(RouteSuggestion {
            ip: addresses.iter().copied().map(IpAddr::from).collect(),
            route: gateway.address(),
        }));
    }

    /// Whether the manager wants reports of problems. If not, problems are written only to the agent's own output.
    pub fn reports_problems(&self) -> bool {
        self.rights.peer().problems
    }

    /// The status page. `None` before the configuration.
    pub fn page(&self) -> Option<Page> {
        self.rights.page(&self.problems())
    }

    /// Takes the result of [`Output::Dial`].
    pub fn handle_dialled(&mut self, flow: FlowKey, connected: bool) {
        self.arrivals.end_dial(flow);
        if connected {
            self.flows.admit(flow);
        } else {
            self.flows.abort(flow);
            self.release(flow);
        }
    }

    /// Whether so many flows are open that the driver should find out which users hold them.
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

    /// Notes that the local side of a flow has finished sending.
    pub fn handle_finished(&mut self, flow: FlowKey) {
        self.flows.finish(flow);
    }

    /// Notes that the local side of a flow has gone without a clean end.
    pub fn handle_broken(&mut self, flow: FlowKey) {
        self.flows.abort(flow);
    }

    /// Notes that the driver has finished with a flow.
    pub fn release(&mut self, flow: FlowKey) {
        self.arrivals.release(flow);
        self.flows.release(flow);
    }

    /// The number of flows.
    #[cfg(test)]
    pub fn flow_count(&self) -> usize {
        self.flows.len()
    }

    /// The next task for the driver. Call it until it returns `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outbox.poll_output();
        output.or_else(|| self.flows.poll_wake().map(Output::Wake))
    }

    /// Whether [`Core::poll_frames`] has something to do.
    pub fn wants_wire(&self) -> bool {
        self.outbox.has_words() || self.flows.wants_wire(self.pace.pick())
    }

    /// Appends frames for the manager to `out` until it holds `limit` bytes or nothing is left to send.
    pub fn poll_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        let start = out.len();
        self.put_frames(now, out, limit);
        if self.rights.peer().sums {
            sum::seal(out.get_mut(start..).unwrap_or_default());
        }
    }

    fn put_frames(&mut self, now: Instant, out: &mut BytesMut, limit: usize) {
        self.report();
        while let Some(message) = self.outbox.poll_message() {
            frame::put_control(out, &message.to_json());
        }
        while out.len() < limit {
            let start = out.len();
            self.pace.look(now);
            let Some(sent) = self.flows.poll_packet(now, self.pace.pick(), out) else {
                return;
            };
            if self.rights.own() == Some(sent.to) {
                // Packets to this host's own published ports go through the same code as all others, but do not leave
                // the agent.
                let mut frame = out.split_off(start);
                frame.advance(HEADER_LEN);
                if let Ok(packet) = Packet::parse(&frame) {
                    self.handle_packet(now, &packet);
                }
                continue;
            }
            self.pace.spend(now, sent);
        }
    }

    /// Does what is due for flows, listeners and reports.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.flows.handle_timeout(now);
        self.pace.handle_timeout(now);
        self.reports.handle_timeout(now, &mut self.outbox);
        self.places.handle_timeout(now, &mut self.outbox);
        if let Some(silence) = &mut self.silence
            && silence.look(now)
        {
            self.silence = None;
            self.outbox.ask(Output::Silent);
        }
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let silence = self.silence.as_ref();
        let silence = silence.map(|silence| (silence.due(), "a sign of the manager"));
        let own = self.places.poll_timeout().into_iter().chain(silence);
        let own = own.chain(self.reports.poll_timeout());
        let own = own.chain(self.pace.poll_timeout());
        own.chain(self.flows.poll_timeout()).min()
    }

    fn handle_frame(&mut self, now: Instant, frame: &PacketFrame) {
        let Ok(packet) = Packet::parse(frame.payload()) else {
            return;
        };
        // The sum of a frame covers the whole way from agent to agent, and finds more errors than TCP's, so one of them
        // is enough.
        if frame.is_sealed() || flow::is_intact(&packet) {
            self.handle_packet(now, &packet);
        }
    }

    /// Handles a packet whose sum is correct.
    fn handle_packet(&mut self, now: Instant, packet: &Packet<'_>) {
        if self.flows.handle_packet(now, packet) {
            return;
        }
        let (arrivals, flows) = (&mut self.arrivals, &mut self.flows);
        let (reports, outbox) = (&mut self.reports, &mut self.outbox);
        if arrivals.accept(now, packet, &self.rights, flows, reports, outbox) {
            return;
        }
        if let Some(reset) = packet.reset_reply() {
            self.flows.reply(&reset);
        }
    }

    fn handle_control(&mut self, now: Instant, json: &[u8]) {
        // A manager sends only requests. A message that cannot be parsed has no id, so it cannot be answered.
        let Ok(Message::Request(request)) = Message::parse(json) else {
            return;
        };
        if let Some(outcome) = self.handle_request(now, &request, json) {
            self.outbox.answer(request.id, request.op, outcome);
        }
    }

    /// Does what the manager asks for in the message `json`. Returns `None` if the answer comes later.
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
            control::LOST => (args.read())
                .map_err(|error| error.to_string())
                .map(|lost| self.handle_lost(lost))
                .map(|()| Raw::default()),
            control::PROBE => {
                let (rights, places) = (&self.rights, &self.places);
                let outbox = &mut self.outbox;
                let errands = &mut self.errands;
                return errands.probe(now, request.id, args, rights, places, outbox);
            }
            other => Err(format!("this agent does not know how to {other:?}")),
        })
    }

    /// Queues the list of problems if it has changed. The list is always complete, so that no report depends on an
    /// earlier one.
    fn report(&mut self) {
        if self.outbox.take_news() && self.rights.peer().problems {
            let problems = self.problems();
            self.outbox.tell(Event::Problems(problems));
        }
    }

    /// Everything that does not work at the moment.
    fn problems(&self) -> Vec<ProblemReport> {
        self.reports.problems(&self.places, &self.rights)
    }
}

#[cfg(test)]
mod tests;
