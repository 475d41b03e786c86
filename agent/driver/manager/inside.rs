//! The manager's interface for the control socket.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::{oneshot, watch};

use super::{
    journal::Journal,
    shared::{Intent, Shared, Unmet},
};
use crate::{
    addr::Vip,
    destination::Destination,
    driver::{
        agent::{outward, permits},
        harness::World,
    },
    link::{AgentQuestion, AgentReply},
    manager::ReloadOutcome,
    secret::Secret,
    time::Instant,
    view::{self, EndedFlowsView, FlowsView, PlanView, Snapshot, WhyView},
};

/// A handle to the manager for tasks on its own thread.
#[derive(Clone)]
pub struct Inside(pub(super) Arc<Shared>);

impl Inside {
    /// The whole state, and the time for which the manager has been running.
    pub(in crate::driver) fn snapshot(&self) -> (Snapshot, Duration) {
        let now = self.0.now();
        let snapshot = self.0.lock().core.snapshot(now);
        (snapshot, now - Instant::ZERO)
    }

    /// Subscribes to the state, which is sent whenever a host has changed.
    pub(in crate::driver) fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.0.snapshots.subscribe()
    }

    /// The flows. If there are more than `most`, only those that were used most recently.
    pub(in crate::driver) fn flows(&self, most: usize) -> FlowsView {
        self.0.lock().core.flows(self.0.now(), most)
    }

    /// The flows that have ended last, at most `most`.
    pub(in crate::driver) fn ended_flows(&self, most: usize) -> EndedFlowsView {
        self.0.lock().core.ended_flows(self.0.now(), most)
    }

    /// The plan of the network.
    pub(in crate::driver) fn plan(&self) -> PlanView {
        self.0.lock().core.plan()
    }

    /// The log.
    pub(in crate::driver) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Whether the network was stopped and every process has ended.
    pub(in crate::driver) fn is_over(&self) -> bool {
        self.0.lock().core.is_over()
    }

    /// The host with this name, alias or VIP.
    pub(in crate::driver) fn host(&self, name: &str) -> Result<Vip, Unmet> {
        let found = self.0.lock().core.host(name);
        found.ok_or_else(|| Unmet::NoHost(name.to_owned()))
    }

    /// Carries out an intent. Fails with the reason if that is not possible.
    pub(in crate::driver) fn obey(&self, intent: &Intent) -> Result<(), Unmet> {
        let mut outcome = Ok(());
        self.0.tell(|core, now| match *intent {
            Intent::Answer(vip, ref answer) => {
                let asked = core.answer(now, vip, answer.clone());
                outcome = asked.then_some(()).ok_or(Unmet::NoPrompt);
            }
            Intent::Down => core.stop(now),
            Intent::Host(vip, action) => {
                let done = core.host_action(now, vip, action);
                outcome = done.then_some(()).ok_or(Unmet::NotNow);
            }
            Intent::Approve(vip, number) => {
                let done = core.approve(now, vip, number);
                outcome = done.then_some(()).ok_or(Unmet::NotHeld);
            }
            Intent::ApproveChange(number) => {
                let done = core.approve_change(now, number);
                outcome = done.then_some(()).ok_or(Unmet::NotHeld);
            }
            Intent::KillFlow(key) => {
                outcome = core.kill_flow(now, key).then_some(()).ok_or(Unmet::NoFlow);
            }
        });
        outcome
    }

    /// Explains a connection: finds its path through the network, and has all agents on the path probe their parts at
    /// the same time.
    pub(in crate::driver) async fn why(
        &self,
        target: Destination,
        from: Option<Vip>,
    ) -> Result<WhyView, Unmet> {
        let now = self.0.now();
        let inquiry = self.0.lock().core.inquire(now, target, from);
        let inquiry = inquiry.ok_or(Unmet::NoSource)?;
        let inquiry = inquiry.with_outward(outward::outward(&permits::limits(None)));
        let mut asked = Vec::new();
        for (part, vip, question) in inquiry.questions() {
            asked.push((part, self.ask(vip, &question)));
        }
        let mut replies = BTreeMap::new();
        for (part, reply) in asked {
            let reply = match reply {
                // Every question to an agent is answered unless its host has been removed.
                Ok(reply) => reply.await.unwrap_or(AgentReply::Lost),
                Err(reply) => reply,
            };
            replies.insert(part, reply);
        }
        self.0
            .tell(|core, now| core.note_replies(now, &inquiry, &replies));
        Ok(inquiry.explain(&replies))
    }

    /// Asks an agent.
    fn ask(
        &self,
        vip: Vip,
        question: &AgentQuestion,
    ) -> Result<oneshot::Receiver<AgentReply>, AgentReply> {
        let mut state = self.0.lock();
        let asked = state.core.ask(self.0.now(), vip, question);
        let asked = asked.map(|id| {
            let (sender, reply) = oneshot::channel();
            state.reply_waiters.insert((vip, id), sender);
            reply
        });
        self.0.settle(state);
        asked
    }

    /// Reloads the manifest. Returns the outcome, or a text that says what is wrong with the manifest.
    pub(in crate::driver) async fn reload(&self) -> Result<Result<ReloadOutcome, String>, Unmet> {
        let (sender, answer) = oneshot::channel();
        let sent = self.0.reload.send(sender);
        sent.map_err(|_| Unmet::NoManifest)?;
        answer.await.map_err(|_| Unmet::NoManifest)
    }

    /// Passes a question of a host's command to people.
    pub(in crate::driver) fn prompt(
        &self,
        vip: Vip,
        question: view::Question,
    ) -> Result<Asking, Unmet> {
        let mut state = self.0.lock();
        let tasks = state.tasks.get(&vip);
        let own = tasks.and_then(|tasks| tasks.pass.as_ref());
        if !own.is_some_and(|own| own.opens(&question.token)) {
            return Err(Unmet::NoAsker);
        }
        let now = self.0.now();
        let asked = (state.core).prompt(now, vip, question.kind, question.text, question.asker);
        let prompt = asked.ok_or(Unmet::NoAsker)?;
        let (sender, answer) = oneshot::channel();
        state.prompt_waiters.insert(prompt, sender);
        self.0.settle(state);
        Ok(Asking {
            inside: self.clone(),
            vip,
            prompt,
            answer,
        })
    }
}

/// A question that waits for its answer. Dropping it withdraws the question.
pub(in crate::driver) struct Asking {
    inside: Inside,
    vip: Vip,
    prompt: u64,
    answer: oneshot::Receiver<Option<Secret>>,
}

impl Asking {
    /// Waits for the answer. `None` if the question was refused or withdrawn.
    pub(in crate::driver) async fn answer(mut self) -> Option<Secret> {
        (&mut self.answer).await.ok().flatten()
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let (vip, prompt) = (self.vip, self.prompt);
        self.inside.0.lock().prompt_waiters.remove(&prompt);
        let shared = &self.inside.0;
        shared.tell(|core, now| core.withdraw(now, vip, prompt));
    }
}
