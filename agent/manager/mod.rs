//! The manager's inside: a plan, the links to its agents, and the switch between them.
//!
//! It decides; the driver performs [`Output`]s. It knows agents only by what they write.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::expect_used, clippy::panic)
)]

mod configure;
mod flows;

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use crate::{
    addr::{FlowKey, Vip},
    link::{self, Ending, Link, Loss, Note},
    plan::{HostPlan, Plan, Start},
    switch::{Offence, Switch, Traffic, Verdict},
    time::Instant,
    view::{Event, FlowsView, HostState, HostView, Snapshot, TrafficView},
};

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the host's agent; answer with [`Core::handle_spawned`].
    Spawn(Vip, Start),
    /// Close the agent's input.
    CloseInput(Vip),
    /// Ask the agent's process group to go.
    Terminate(Vip),
    /// End the agent's process group.
    Kill(Vip),
    /// Frames wait for the host; take them with [`Core::poll_frame`].
    Wake(Vip),
    /// Something happened.
    Event(Event),
    /// [`Core::snapshot`] has changed.
    Changed,
}

/// A running network.
pub struct Core {
    hosts: BTreeMap<Vip, Host>,
    /// The hosts in the order of the manifest.
    order: Vec<Vip>,
    switch: Switch,
    outputs: VecDeque<Output>,
}

struct Host {
    plan: HostPlan,
    link: Link,
    /// The state and reason that were last announced.
    announced: Option<(HostState, Option<String>)>,
    up: bool,
}

impl Core {
    /// The network of a plan, with nothing started.
    pub fn new(plan: &Plan) -> Self {
        let mut switch = Switch::new(plan.routes.clone());
        let mut hosts = BTreeMap::new();
        for host in &plan.hosts {
            let published = configure::carried(host).map(|forward| forward.listen_port);
            let ports = published.chain(host.dns).chain(host.relay);
            switch.add(host.vip, ports, host.http.is_some() || host.socks.is_some());
            let link = Link::new(
                &configure::configure(plan, host),
                configure::demands(plan, host),
            );
            hosts.insert(
                host.vip,
                Host {
                    plan: host.clone(),
                    link,
                    announced: None,
                    up: false,
                },
            );
        }
        Self {
            hosts,
            order: plan.hosts.iter().map(|host| host.vip).collect(),
            switch,
            outputs: VecDeque::new(),
        }
    }

    /// Starts all hosts.
    pub fn start(&mut self) {
        for vip in self.order.clone() {
            self.tell(vip, Link::start);
        }
    }

    /// Stops all hosts.
    pub fn stop(&mut self, now: Instant) {
        for vip in self.order.clone() {
            self.tell(vip, |link| link.stop(now));
        }
    }

    /// Whether every host is gone, so that nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.hosts
            .values()
            .all(|host| matches!(host.link.state(), link::State::Over { .. }))
    }

    /// The outcome of [`Output::Spawn`].
    pub fn handle_spawned(&mut self, now: Instant, vip: Vip, outcome: Result<(), String>) {
        self.tell(vip, |link| link.handle_spawned(now, outcome));
    }

    /// Takes whole frames off the front of what an agent has written.
    pub fn handle_bytes(&mut self, now: Instant, vip: Vip, buffer: &mut BytesMut) {
        loop {
            let Some(host) = self.hosts.get_mut(&vip) else {
                return;
            };
            let frame = host.link.handle_bytes(now, buffer);
            self.settle(vip);
            let Some(frame) = frame else {
                return;
            };
            match self.switch.handle_packet(now, vip, frame) {
                Verdict::Forwarded | Verdict::Refused => {}
                Verdict::Offence(offence) => {
                    self.tell(vip, |link| link.handle_fault(now, &offence.to_string()));
                }
            }
        }
    }

    /// An agent has written a line to its standard error.
    pub fn handle_stderr(&mut self, now: Instant, vip: Vip, line: &[u8]) {
        self.tell(vip, |link| link.handle_stderr(now, line));
    }

    /// An agent's stream has ended.
    pub fn handle_closed(&mut self, now: Instant, vip: Vip) {
        self.tell(vip, |link| link.handle_closed(now));
    }

    /// An agent's process has ended.
    pub fn handle_exit(&mut self, vip: Vip, ending: Ending) {
        self.tell(vip, |link| link.handle_exit(ending));
    }

    /// The next frame for a host's pipe.
    pub fn poll_frame(&mut self, vip: Vip) -> Option<Bytes> {
        self.switch.poll_frame(vip)
    }

    /// Gives time to links and switch.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.switch.handle_timeout(now);
        for vip in self.order.clone() {
            self.tell(vip, |link| link.handle_timeout(now));
        }
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let links = self
            .hosts
            .values()
            .filter_map(|host| host.link.poll_timeout());
        links.chain(self.switch.poll_timeout()).min()
    }

    /// What to do next; call until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs
            .pop_front()
            .or_else(|| self.switch.poll_wake().map(Output::Wake))
    }

    /// The whole visible state.
    pub fn snapshot(&self) -> Snapshot {
        let hosts = self.order.iter().filter_map(|vip| {
            let host = self.hosts.get(vip)?;
            Some(host.view(self.switch.traffic(*vip), self.switch.flow_count(*vip)))
        });
        Snapshot {
            hosts: hosts.collect(),
        }
    }

    /// The flows, and of more than `most` those that were in use last.
    pub fn flows(&self, now: Instant, most: usize) -> FlowsView {
        let (total, flows) = self.switch.flows(now, most);
        let flows = flows.iter().map(|flow| flows::view(&self.hosts, flow));
        FlowsView {
            total,
            flows: flows.collect(),
        }
    }

    /// Ends a flow with a reset to both of its ends. Tells whether there was one.
    pub fn kill_flow(&mut self, key: FlowKey) -> bool {
        self.switch.kill_flow(key)
    }

    fn tell(&mut self, vip: Vip, what: impl FnOnce(&mut Link)) {
        if let Some(host) = self.hosts.get_mut(&vip) {
            what(&mut host.link);
            self.settle(vip);
        }
    }

    /// Passes on what a link has to say.
    fn settle(&mut self, vip: Vip) {
        let Some(host) = self.hosts.get_mut(&vip) else {
            return;
        };
        while let Some(output) = host.link.poll_output() {
            match output {
                link::Output::Spawn => {
                    self.outputs
                        .push_back(Output::Spawn(vip, host.plan.start.clone()));
                }
                link::Output::CloseInput => self.outputs.push_back(Output::CloseInput(vip)),
                link::Output::Terminate => self.outputs.push_back(Output::Terminate(vip)),
                link::Output::Kill => self.outputs.push_back(Output::Kill(vip)),
                link::Output::Send(frame) => self.switch.send_control(vip, frame),
                link::Output::Note(note) => {
                    self.outputs.push_back(Output::Event(host.note(note)));
                }
                link::Output::Suggestion(now, suggestion) => {
                    let via = Vip::new(suggestion.route);
                    let verdict = via.map_or(Verdict::Offence(Offence::Suggestion), |via| {
                        self.switch.learn(now, vip, via, &suggestion.ip)
                    });
                    if let Verdict::Offence(offence) = verdict {
                        host.link.handle_fault(now, &offence.to_string());
                    }
                }
                link::Output::Changed => {
                    let up = *host.link.state() == link::State::Ready;
                    if up != std::mem::replace(&mut host.up, up) {
                        if up {
                            self.switch.raise(vip);
                        } else {
                            self.switch.lower(vip);
                        }
                    }
                    if let Some(event) = host.announce() {
                        self.outputs.push_back(Output::Event(event));
                    }
                    self.outputs.push_back(Output::Changed);
                }
            }
        }
    }
}

impl Host {
    fn state(&self) -> HostState {
        match self.link.state() {
            link::State::Idle | link::State::Spawning => HostState::Starting,
            link::State::Configuring { .. } => HostState::Configuring,
            link::State::Ready if self.link.problems().is_empty() => HostState::Ready,
            link::State::Ready => HostState::Degraded,
            link::State::Ending { why, .. } | link::State::Over { why } => {
                if *why == Loss::Stopped {
                    HostState::Stopped
                } else if why.is_refusal() {
                    HostState::Refused
                } else {
                    HostState::Lost
                }
            }
        }
    }

    fn reason(&self) -> Option<String> {
        match self.link.state() {
            link::State::Ending { why, .. } | link::State::Over { why } => {
                (*why != Loss::Stopped).then(|| why.to_string())
            }
            link::State::Ready => {
                let problems = self.problems();
                (!problems.is_empty()).then(|| problems.join("; "))
            }
            link::State::Idle | link::State::Spawning | link::State::Configuring { .. } => None,
        }
    }

    fn problems(&self) -> Vec<String> {
        let problems = self.link.problems().iter();
        problems
            .map(|problem| format!("cannot {}: {}", problem.what, problem.reason))
            .collect()
    }

    /// The event of a change of state, once the process has told the whole reason.
    fn announce(&mut self) -> Option<Event> {
        if matches!(self.link.state(), link::State::Ending { .. }) {
            return None;
        }
        let now = (self.state(), self.reason());
        if self.announced.as_ref() == Some(&now) {
            return None;
        }
        self.announced = Some(now.clone());
        Some(Event::Host {
            host: self.plan.name.to_string(),
            vip: self.plan.vip.to_string(),
            state: now.0,
            reason: now.1,
        })
    }

    fn note(&self, note: Note) -> Event {
        let (host, vip) = (self.plan.name.to_string(), self.plan.vip.to_string());
        let text = match note {
            Note::Stderr(line) => return Event::Stderr { host, vip, line },
            Note::Banner(banner) => {
                format!(
                    "its command wrote this before the agent started, which was skipped: {banner}"
                )
            }
            Note::Lacks(features) => format!(
                "its agent cannot do: {}; install a newer one on that host",
                features.join(", ")
            ),
        };
        Event::Warning { host, vip, text }
    }

    fn view(&self, traffic: Traffic, flows: usize) -> HostView {
        let ports = configure::carried(&self.plan).map(|forward| forward.listen_port.get());
        let mut ports: Vec<_> = ports.collect();
        ports.sort_unstable();
        HostView {
            name: self.plan.name.to_string(),
            vip: self.plan.vip.to_string(),
            ports,
            state: self.state(),
            reason: self.reason(),
            problems: self.problems(),
            version: self
                .link
                .greeting()
                .map(|greeting| greeting.version.clone()),
            stderr: self.link.stderr_tail().map(str::to_owned).collect(),
            traffic: TrafficView {
                flows,
                bytes_from: traffic.bytes_from,
                bytes_to: traffic.bytes_to,
                refused: traffic.malformed + traffic.spoofed + traffic.refused + traffic.stray,
                shed: traffic.shed,
            },
        }
    }
}

#[cfg(test)]
mod tests;
