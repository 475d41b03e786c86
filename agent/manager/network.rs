//! A running network: a plan, the links to its agents, and the switch between them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};

use super::{
    choice::{Choice, Wish},
    configure::{self, Names},
    flows::{self, FlowSurvey},
    held,
    host::{self, Host},
    hosts::Hosts,
    lost,
    pace::Pace,
    prompts::{PromptVerdict, Will},
    refused, talk,
    why::{Inquiry, Part},
};
use crate::{
    addr::{FlowKey, HostName, Vip},
    budget::Effort,
    destination::Destination,
    link::{self, AgentQuestion, AgentReply, CannotStart, Ending, Link, Offer, Parcel, Turn},
    plan::{Plan, Start},
    secret::Secret,
    switch::{Offence, Switch, Verdict},
    time::Instant,
    view::{Answer, EndedFlowsView, Event, FlowView, HostAction, PromptKind, Snapshot, Unapplied},
    wire::{control::Lost, sum},
};

/// An action that the driver has to perform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Start the host's agent. Report the result with [`Core::handle_spawned`], or with [`Core::handle_shell`] if a
    /// shell runs now.
    Spawn(Vip, Start),
    /// Run this command under this number, and report its lines with [`Core::handle_look_line`] and its end with
    /// [`Core::handle_look_end`]. It gets no input.
    Look(Vip, u64, Vec<String>),
    /// End the command with this number.
    EndLook(Vip, u64),
    /// Close the agent's input.
    CloseInput(Vip),
    /// Ask the agent's process group to end.
    Terminate(Vip),
    /// Kill the agent's process group.
    Kill(Vip),
    /// Frames wait for the host; take them with [`Core::poll_frame`].
    Wake(Vip),
    /// Read the agent with this SHA-256, and give its bytes to [`Core::handle_parcel`].
    Fetch(Vip, String),
    /// The reply of this host's agent to the question with this number; see [`Core::ask`].
    Reply(Vip, u64, AgentReply),
    /// The answer to the prompt with this number; `None` if there will be no answer.
    Answer(u64, Option<Secret>),
    /// An event to show to people and programs.
    Event(Event),
    /// [`Core::snapshot`] has changed.
    Changed,
}

/// The maximum number of open prompts in a network. Each prompt holds a connection to the control socket, and some
/// connections must stay free for the programs with which people answer.
const PROMPTS_MAX: usize = 128;

/// A running network. It runs until it is told to stop, even if hosts fail. A lost host is started again. A host that
/// cannot run without a change waits for a person.
pub struct Core {
    pub(super) plan: Arc<Plan>,
    pub(super) seed: u64,
    /// The run id of this manager, by which agents recognize their predecessors.
    pub(super) run_id: String,
    pub(super) hosts: Hosts,
    /// The hosts in the order of the manifest.
    pub(super) order: Vec<Vip>,
    pub(super) switch: Switch,
    pub(super) pace: Pace,
    pub(super) lost_broadcast: lost::LostBroadcast,
    /// The number of the last command or change that was held.
    pub(super) last_held_number: u64,
    /// A change of the manifest that waits for a person.
    pub(super) held: Option<held::HeldPlan>,
    /// A changed manifest that could not be applied.
    pub(super) unapplied: Option<Unapplied>,
    pub(super) stopping: bool,
    /// Whether this is a trial of one host. The host is started once, and its command reports each step of its
    /// connection.
    pub(super) is_trial: bool,
    /// The number of further lines that can count as the tried command's reports about its connection. Lines after
    /// these are handled as any other line.
    pub(super) talk_left: usize,
    /// Whether it has been reported that no host can run.
    hopeless: bool,
    /// The number of the last prompt.
    prompts: u64,
    pub(super) outputs: VecDeque<Output>,
}

impl Core {
    /// Creates the network of a plan, and starts nothing yet. `seed` randomizes the times at which lost hosts are
    /// retried. Each run of a manager needs a different `seed`, because the run id is derived from it.
    pub fn new(plan: &Plan, seed: u64) -> Self {
        let run_id = format!("{seed:016x}");
        let mut switch = Switch::new(plan.routes.clone());
        switch.set_policy(Instant::ZERO, plan.policy.clone());
        let (plan, names) = (Arc::new(plan.clone()), Names::of(plan));
        let mut hosts = Hosts::default();
        for (host, number) in plan.hosts.iter().zip(0..) {
            switch.add(host.vip, configure::ports(host), host.has_proxy());
            if host.start == Start::InProcess {
                switch.favour(host.vip);
            }
            let link = Link::new(
                configure::configuration(&plan, &names, host, run_id_for(&run_id, &host.start)),
                configure::demands(&plan, host),
                seed.wrapping_add(number),
            );
            hosts.insert(host.vip, Host::new(host.clone(), link, Instant::ZERO));
        }
        Self {
            order: plan.hosts.iter().map(|host| host.vip).collect(),
            plan,
            seed,
            run_id,
            switch,
            pace: Pace::new(u32::try_from(hosts.len()).unwrap_or(u32::MAX)),
            lost_broadcast: lost::LostBroadcast::default(),
            last_held_number: 0,
            held: None,
            unapplied: None,
            stopping: false,
            is_trial: false,
            talk_left: talk::LINES_MAX,
            hopeless: false,
            prompts: 0,
            outputs: VecDeque::new(),
            hosts,
        }
    }

    /// Starts all hosts.
    pub fn start(&mut self, now: Instant) {
        for vip in self.order.clone() {
            self.tell(now, vip, Link::start);
        }
    }

    /// Stops all hosts permanently.
    pub fn stop(&mut self, now: Instant) {
        self.stopping = true;
        // Hosts that were removed, but whose processes have not ended, are among them.
        for vip in self.hosts.keys().copied().collect::<Vec<_>>() {
            self.tell(now, vip, |link| link.stop(now));
        }
        // If the network has no host, no link reports a change. Therefore the driver is told here that the snapshot has
        // changed.
        self.outputs.push_back(Output::Changed);
    }

    /// Starts, stops or restarts one host. Returns false if the host cannot be started: its command waits for approval,
    /// it is being removed, or the network is stopping.
    pub fn host_action(&mut self, now: Instant, vip: Vip, action: HostAction) -> bool {
        if action != HostAction::Stop && !self.may_start(vip) {
            return false;
        }
        self.tell(now, vip, |link| match action {
            HostAction::Start => link.start(),
            HostAction::Stop => link.stop(now),
            HostAction::Restart => link.restart(now),
        });
        true
    }

    /// Called when the machine has slept, or when its uplink has changed. Hosts that wait for a retry are started at
    /// once, and hosts that are up are sent a heartbeat.
    pub fn handle_wake(&mut self, now: Instant) {
        for vip in self.order.clone() {
            self.tell(now, vip, |link| link.handle_wake(now));
        }
    }

    /// Whether the network was stopped and every process is gone. If so, nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.stopping && self.hosts.values().all(Host::is_at_rest)
    }

    /// Takes the result of [`Output::Spawn`].
    pub fn handle_spawned(&mut self, now: Instant, vip: Vip, outcome: Result<(), CannotStart>) {
        self.tell(now, vip, |link| link.handle_spawned(now, outcome));
    }

    /// Takes the result of [`Output::Spawn`] if a shell runs on the host now. The shell has to run one of these agents.
    pub fn handle_shell(&mut self, now: Instant, vip: Vip, offers: Arc<[Offer]>) {
        self.tell(now, vip, |link| link.handle_shell(now, offers));
    }

    /// Takes a line of [`Output::Look`].
    pub fn handle_look_line(&mut self, now: Instant, vip: Vip, look: u64, line: &str) {
        self.choose(now, vip, |choice| choice.handle_line(now, look, line));
    }

    /// Takes the end of [`Output::Look`].
    pub fn handle_look_end(
        &mut self,
        now: Instant,
        vip: Vip,
        look: u64,
        outcome: Result<Ending, CannotStart>,
    ) {
        self.choose(now, vip, |choice| choice.handle_end(now, look, outcome));
        self.settle(now, vip);
        // The end of this command may be the end of the network.
        self.outputs.push_back(Output::Changed);
    }

    /// Takes the result of [`Output::Fetch`].
    pub fn handle_parcel(
        &mut self,
        now: Instant,
        vip: Vip,
        sum: &str,
        parcel: Result<Arc<Parcel>, String>,
    ) {
        self.tell(now, vip, |link| link.handle_parcel(now, sum, parcel));
    }

    /// Takes whole frames from the front of an agent's output. No agent may use more than its share of time at once, so
    /// the result says when to continue with the rest.
    pub fn handle_bytes(&mut self, now: Instant, vip: Vip, buffer: &mut BytesMut) -> Turn {
        if let Some(host) = self.hosts.get_mut(vip) {
            host.link.begin_turn();
        }
        loop {
            let Some(host) = self.hosts.get_mut(vip) else {
                buffer.clear();
                return Turn::Done;
            };
            let frame = host.link.handle_bytes(now, buffer);
            let Some(frame) = frame else {
                let turn = host.link.end_turn(now);
                self.settle(now, vip);
                return turn;
            };
            if host.link.has_output() {
                self.settle(now, vip);
            }
            let verdict = self.switch.handle_packet(now, vip, frame);
            let effort = match verdict {
                Verdict::Forwarded => Effort::Packet,
                Verdict::Useless(bytes) => Effort::Useless(bytes),
                Verdict::Begun => Effort::Connection,
                Verdict::Refused | Verdict::Offence(_) => Effort::Refused,
            };
            if let Some(host) = self.hosts.get_mut(vip) {
                host.link.spend(now, effort);
            }
            match verdict {
                Verdict::Forwarded | Verdict::Useless(_) | Verdict::Begun | Verdict::Refused => {}
                Verdict::Offence(Offence::Spoofed) => {
                    let spoofed = self.switch.traffic(vip).spoofed;
                    let host = self.hosts.get_mut(vip);
                    let suspicion = host.and_then(|host| host.suspect(now, spoofed));
                    self.outputs.extend(suspicion.map(Output::Event));
                    self.tell(now, vip, |link| link.handle_impostor(now));
                }
                Verdict::Offence(offence) => {
                    self.tell(now, vip, |link| {
                        link.handle_fault(now, &offence.to_string());
                    });
                }
            }
        }
    }

    /// Takes a line that an agent has written to its standard error.
    pub fn handle_stderr(&mut self, now: Instant, vip: Vip, line: &[u8]) {
        let host = self.hosts.get(&vip);
        let host = host.filter(|it| self.is_trial && it.plan.start.is_talkative());
        if host.is_some() && self.talk_left > 0 && talk::is_talk(line) {
            self.talk_left -= 1;
            let event = host.map(|host| Output::Event(talk::talk(&host.plan, line)));
            return self.outputs.extend(event);
        }
        self.tell(now, vip, |link| link.handle_stderr(now, line));
    }

    /// Handles the end of an agent's output stream.
    pub fn handle_closed(&mut self, now: Instant, vip: Vip) {
        self.tell(now, vip, |link| link.handle_closed(now));
    }

    /// Called when an agent has read nothing of its input for a long time.
    pub fn handle_stalled(&mut self, now: Instant, vip: Vip) {
        self.tell(now, vip, |link| link.handle_stalled(now));
    }

    /// Handles the end of an agent's process.
    pub fn handle_exit(&mut self, now: Instant, vip: Vip, ending: Ending) {
        self.tell(now, vip, |link| link.handle_exit(now, ending));
    }

    /// Takes a prompt of a host's command. Without a `kind`, the prompt is a text that needs no answer. `asker` is the
    /// id of the process that asks. Returns the number of the prompt; [`Output::Answer`] will have the same number.
    /// `None` if the prompt is not accepted.
    pub fn prompt(
        &mut self,
        now: Instant,
        vip: Vip,
        kind: Option<PromptKind>,
        text: String,
        asker: u32,
    ) -> Option<u64> {
        let open: usize = self.hosts.values().map(|host| host.prompts.len()).sum();
        let host = self.hosts.get_mut(vip)?;
        if !host.link.may_ask() || open >= PROMPTS_MAX {
            return None;
        }
        let id = self.prompts + 1;
        match host.prompts.ask(id, kind, text, asker) {
            PromptVerdict::TooMany => return None,
            PromptVerdict::Known(answer) => {
                self.outputs.push_back(Output::Answer(id, Some(answer)));
            }
            PromptVerdict::Open => self.look_at_prompts(now, vip),
        }
        self.prompts = id;
        Some(id)
    }

    /// Takes a person's answer to a prompt of a host's command, or the refusal to answer. Returns false if the prompt
    /// is not open any more.
    pub fn answer(&mut self, now: Instant, vip: Vip, answer: Answer) -> bool {
        let Some(host) = self.hosts.get_mut(vip) else {
            return false;
        };
        let text = answer.text;
        let ends = match (host.prompts).answer(answer.prompt, text.as_ref(), answer.remember) {
            None => return false,
            Some(Will::Refuses { question, no }) => {
                host.link.handle_refused_prompt(now, &question, no)
            }
            Some(Will::Answers) => false,
        };
        if ends {
            host.prompts.withhold(answer.prompt);
        } else {
            self.outputs.push_back(Output::Answer(answer.prompt, text));
        }
        self.look_at_prompts(now, vip);
        true
    }

    /// Withdraws a prompt, because nobody waits for its answer any more.
    pub fn withdraw(&mut self, now: Instant, vip: Vip, prompt: u64) {
        let host = self.hosts.get_mut(vip);
        if host.is_some_and(|host| host.prompts.withdraw(prompt)) {
            self.look_at_prompts(now, vip);
        }
    }

    fn look_at_prompts(&mut self, now: Instant, vip: Vip) {
        if let Some(host) = self.hosts.get_mut(vip) {
            let asking = host.prompts.len() > 0;
            host.link.handle_asking(now, asking);
            self.settle(now, vip);
        }
    }

    /// The next frame for a host's pipe.
    pub fn poll_frame(&mut self, now: Instant, vip: Vip) -> Option<Bytes> {
        let link = &mut self.hosts.get_mut(vip)?.link;
        let may_send = link.may_send();
        if let Some(frame) = link.poll_frame(now, may_send && self.switch.waiting(vip) > 0) {
            return Some(frame);
        }
        let frame = self.switch.poll_frame(vip, may_send)?;
        link.note_sent(now, frame.len());
        // Text for a shell does not consist of frames, and must arrive unchanged.
        Some(if link.takes_sums() || link.step().is_some() {
            frame
        } else {
            sum::unsealed(frame)
        })
    }

    /// The memory that the packets cost that wait for a host, in bytes.
    pub fn waiting(&self, vip: Vip) -> usize {
        self.switch.waiting(vip)
    }

    /// Does everything that is due at this time, for the links and for the switch.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.switch.handle_timeout(now);
        if self.switch.poll_tried(now) {
            self.outputs.push_back(Output::Changed);
        }
        while let Some(refused) = self.switch.poll_refused(now) {
            let event = refused::event(&self.plan, &refused);
            self.outputs.extend(event.map(Output::Event));
        }
        for vip in self.hosts.due(now) {
            self.tell(now, vip, |link| link.handle_timeout(now));
            self.choose(now, vip, |choice| choice.handle_timeout(now));
        }
        self.spawn(now);
        if self.lost_broadcast.is_due(now) {
            self.tell_lost(now, &self.order.clone());
        }
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let starts = self.pace.due().map(|at| (at, "a start"));
        let broadcast = self
            .lost_broadcast
            .due()
            .map(|at| (at, "news of lost hosts"));
        let switch = self.switch.poll_timeout();
        (self.hosts.poll_timeout().into_iter())
            .chain(starts)
            .chain(broadcast)
            .chain(switch)
            .min()
    }

    /// The next action for the driver. After every other call, call this until it returns `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        let output = output.or_else(|| self.switch.poll_wake().map(Output::Wake));
        if output.is_none() {
            self.hosts.settle();
        }
        output
    }

    /// The whole visible state.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let hosts = self.order.iter().filter_map(|vip| {
            let host = self.hosts.get(vip)?;
            Some(host.view(now, &self.switch))
        });
        Snapshot {
            now_ms: host::millis(now),
            hosts: hosts.collect(),
            held: self.held.as_ref().map(held::HeldPlan::view),
            unapplied: self.unapplied.clone(),
        }
    }

    /// The plan of the network, with the commands that the hosts have now. Commands that wait for approval are not in
    /// it.
    pub fn plan(&self) -> Plan {
        let hosts = self.order.iter().filter_map(|vip| self.hosts.get(vip));
        Plan {
            hosts: hosts.map(|host| host.plan.clone()).collect(),
            routes: self.plan.routes.clone(),
            policy: self.plan.policy.clone(),
        }
    }

    /// Works out the way of a connection. Without `from`, the connection begins on the manager's own host. If that host
    /// is not in the network, the connection begins on the first host that is up, or else on the first host. `None` if
    /// the plan has no host, or if `from` is not one of its hosts.
    pub fn inquire(&self, now: Instant, target: Destination, from: Option<Vip>) -> Option<Inquiry> {
        Inquiry::new(&self.plan, self.snapshot(now), target, from)
    }

    /// Asks an agent a question, and returns the number of the question. The reply comes as [`Output::Reply`] with that
    /// number. If the agent cannot be asked, the error holds the reply.
    pub fn ask(
        &mut self,
        now: Instant,
        vip: Vip,
        question: &AgentQuestion,
    ) -> Result<u64, AgentReply> {
        let host = self.hosts.get_mut(vip).ok_or(AgentReply::NotUp)?;
        let asked = host.link.ask(now, question);
        self.settle(now, vip);
        asked
    }

    /// Takes the replies of agents to the questions of an inquiry. If an agent has tried to connect to a service, the
    /// outcome is noted in the same way as the outcome of a real connection.
    pub fn note_replies(
        &mut self,
        now: Instant,
        inquiry: &Inquiry,
        replies: &BTreeMap<Part, AgentReply>,
    ) {
        let host = inquiry.far().and_then(|far| self.hosts.get(&far));
        let tried = host.and_then(|host| inquiry.tried(&host.plan, replies));
        if let Some((vip, port, outcome)) = tried {
            self.switch.note_tried(now, vip, port, outcome);
        }
    }

    fn may_start(&self, vip: Vip) -> bool {
        let host = self.hosts.get(&vip);
        !self.stopping && host.is_some_and(|host| !host.leaving && !host.is_unapproved())
    }

    /// The number of flows.
    pub fn flow_total(&self) -> usize {
        self.switch.flow_total()
    }

    /// Shows the next flows to a survey. Returns false when it has seen all flows.
    pub fn show_flows(&self, survey: &mut FlowSurvey) -> bool {
        survey.see(&self.switch)
    }

    /// The flows among these that have not ended.
    pub fn flows(&self, now: Instant, keys: &[FlowKey]) -> Vec<FlowView> {
        let flows = keys.iter().filter_map(|key| self.switch.flow(now, *key));
        flows
            .map(|flow| flows::view(&self.hosts, &self.plan.routes, &flow))
            .collect()
    }

    /// The flows that have ended last, at most `most` of them, in the order in which they ended.
    pub fn ended_flows(&self, now: Instant, most: usize) -> EndedFlowsView {
        let ended = self.switch.ended(most);
        EndedFlowsView {
            now_ms: host::millis(now),
            ended: ended.map(|flow| flows::ended(&self.hosts, flow)).collect(),
        }
    }

    /// Ends a flow with a reset to both of its ends. Returns whether the flow existed.
    pub fn kill_flow(&mut self, now: Instant, key: FlowKey) -> bool {
        self.switch.kill_flow(now, key)
    }

    /// The host with this VIP, name or alias. A name cannot be confused with a VIP, because no name looks like an
    /// address. `view::Snapshot::host` follows the same rules for faces.
    pub fn host(&self, name: &str) -> Option<Vip> {
        if let Ok(vip) = name.parse() {
            return self.hosts.contains_key(&vip).then_some(vip);
        }
        let name: HostName = name.parse().ok()?;
        let mut hosts = self.hosts.values().map(|host| &host.plan);
        let found = hosts.find(|host| host.name == name || host.aliases.contains(&name));
        found.map(|host| host.vip)
    }

    pub(super) fn tell(&mut self, now: Instant, vip: Vip, what: impl FnOnce(&mut Link)) {
        if let Some(host) = self.hosts.get_mut(vip) {
            what(&mut host.link);
            self.settle(now, vip);
        }
    }

    /// Performs the outputs of a link.
    fn settle(&mut self, now: Instant, vip: Vip) {
        let (mut risen, mut has_changed) = (false, false);
        loop {
            let Some(host) = self.hosts.get_mut(vip) else {
                return;
            };
            let Some(output) = host.link.poll_output() else {
                break;
            };
            match output {
                link::Output::Spawn => self.pace.push(vip),
                // The command was not started yet, so there is no process to end.
                link::Output::CloseInput if self.pace.cancel(vip) || host.cancel_choice() => {
                    host.link.handle_exit(now, Ending::Unknown);
                }
                link::Output::CloseInput => self.outputs.push_back(Output::CloseInput(vip)),
                link::Output::Terminate => self.outputs.push_back(Output::Terminate(vip)),
                link::Output::Kill => self.outputs.push_back(Output::Kill(vip)),
                link::Output::Send(frame) => self.switch.send_control(vip, frame),
                link::Output::Wake => self.outputs.push_back(Output::Wake(vip)),
                link::Output::Note(note) => {
                    self.outputs.push_back(Output::Event(host.note(note)));
                }
                link::Output::Fetch(sum) => self.outputs.push_back(Output::Fetch(vip, sum)),
                link::Output::Reply(id, reply) => {
                    self.outputs.push_back(Output::Reply(vip, id, reply));
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
                link::Output::Refused(now, asks) => {
                    refused::note(&mut self.switch, &self.plan, now, vip, asks);
                }
                link::Output::Changed => {
                    has_changed = true;
                    let up = *host.link.state() == link::State::Ready;
                    if up != std::mem::replace(&mut host.up, up) {
                        if up {
                            host.prompts.prove();
                            self.switch.raise(vip);
                            risen = true;
                        } else {
                            self.switch.lower(now, vip);
                        }
                    }
                    let told = host::Told {
                        lost: host.is_lost(),
                        far: host.link.is_far(),
                    };
                    if told != std::mem::replace(&mut host.told, told) {
                        self.lost_broadcast.note(now, self.order.len());
                    }
                    if !host.link.may_ask() {
                        host.prompts.close();
                    }
                    if !host.link.is_ending() {
                        let gone = host.prompts.take_withheld().into_iter();
                        self.outputs.extend(gone.map(|id| Output::Answer(id, None)));
                    }
                    if let Some(event) = host.announce(now).filter(|_| !host.leaving) {
                        self.outputs.push_back(Output::Event(event));
                    }
                    self.outputs.push_back(Output::Changed);
                }
            }
        }
        if risen {
            self.tell_lost(now, &[vip]);
        }
        self.choose(now, vip, |_| ());
        if self.hosts.get(&vip).is_some_and(Host::has_left) {
            has_changed = true;
            self.hosts.remove(vip);
            self.switch.remove(now, vip);
        }
        self.spawn(now);
        if has_changed {
            self.look_for_hope();
        }
    }

    /// Tells these hosts which hosts of the network are lost now, and which are far away.
    fn tell_lost(&mut self, now: Instant, to: &[Vip]) {
        let those = |what: fn(&Host) -> bool| -> Vec<_> {
            let hosts = self.order.iter();
            let hosts = hosts.filter(|vip| self.hosts.get(vip).is_some_and(what));
            hosts.map(|vip| vip.address()).collect()
        };
        let (hosts, far) = (those(|host| host.told.lost), those(|host| host.told.far));
        for vip in to {
            // Everybody is far from a host that is far itself, so its list need not name the others.
            let own = self.hosts.get(vip).is_some_and(|host| host.told.far);
            let far = if own {
                vec![vip.address()]
            } else {
                far.clone()
            };
            let lost = Lost {
                hosts: hosts.clone(),
                far,
            };
            self.tell(now, *vip, |link| link.tell_lost(lost));
        }
    }

    /// Starts the commands that may be started at this moment.
    fn spawn(&mut self, now: Instant) {
        while let Some(vip) = self.pace.pop(now) {
            // Frames that still wait for an earlier agent are dropped, because they are useless to the new agent.
            self.switch.lower(now, vip);
            if let Some(host) = self.hosts.get_mut(vip) {
                // The questions on the way to the host are the same, whatever is started there.
                host.prompts.begin(&host.plan.start);
                let start = host.next_start();
                if let Start::Chosen(chosen) = &start {
                    host.choice
                        .get_or_insert_with(|| Choice::new(*chosen.clone()));
                    self.choose(now, vip, |choice| choice.want(now, chosen));
                } else {
                    let start = if self.is_trial {
                        start.talkative()
                    } else {
                        start
                    };
                    self.choose(now, vip, Choice::end);
                    self.outputs.push_back(Output::Spawn(vip, start));
                }
            }
        }
    }

    /// Calls `what` with the choice of a host's instance, and then performs the wishes of the choice.
    fn choose(&mut self, now: Instant, vip: Vip, what: impl FnOnce(&mut Choice)) {
        let Some(host) = self.hosts.get_mut(vip) else {
            return;
        };
        let Some(choice) = &mut host.choice else {
            return;
        };
        what(choice);
        choice.handle_state(now, host.link.state());
        let wishes: Vec<Wish> = std::iter::from_fn(|| choice.poll_wish()).collect();
        for wish in wishes {
            match wish {
                Wish::Look(look, words) => self.outputs.push_back(Output::Look(vip, look, words)),
                Wish::EndLook(look) => self.outputs.push_back(Output::EndLook(vip, look)),
                Wish::Enter(start) => self.outputs.push_back(Output::Spawn(vip, start)),
                Wish::Retry => self.tell(now, vip, Link::retry_now),
                Wish::Move(why) => self.tell(now, vip, |link| link.move_away(now, why)),
                Wish::Fail(Ok(ending)) => self.tell(now, vip, |link| link.handle_exit(now, ending)),
                Wish::Fail(Err(why)) => {
                    self.tell(now, vip, |link| link.handle_spawned(now, Err(why)));
                }
                Wish::Tell => {
                    let host = self.hosts.get_mut(vip);
                    let event = host.and_then(|host| host.announce(now));
                    self.outputs.extend(event.map(Output::Event));
                    self.outputs.push_back(Output::Changed);
                }
            }
        }
    }

    /// Reports once that no host can run unless a person does something.
    fn look_for_hope(&mut self) {
        let refused = |host: &Host| matches!(host.link.state(), link::State::Refused { .. });
        let hopeless = self.hosts.values().all(refused) && !self.hosts.is_empty();
        if hopeless && !self.hopeless {
            self.outputs.push_back(Output::Event(Event::Hopeless {
                hosts: self.hosts.len(),
            }));
        }
        self.hopeless = hopeless;
    }
}

/// The run id that a host's agent is given, so that it recognizes its predecessors; empty for an agent inside the
/// manager.
pub(super) fn run_id_for<'a>(run_id: &'a str, start: &Start) -> &'a str {
    match start {
        Start::Command(_) | Start::Shell(_) | Start::Chosen(_) => run_id,
        Start::InProcess => "",
    }
}
