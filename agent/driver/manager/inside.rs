//! The manager's interface for the control socket, which runs on a thread of its own.

use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};

use tokio::sync::{Mutex, mpsc, oneshot, watch};

use super::{
    errands::Errands,
    journal::Journal,
    published,
    shared::{Intent, ReloadRequest, Shared, Unmet},
};
use crate::{
    addr::{FlowKey, Vip},
    destination::Destination,
    driver::{
        agent::{outward, permits},
        harness::World as _,
    },
    link::{AgentQuestion, AgentReply},
    manager::{FlowSurvey, ReloadOutcome},
    plan::Plan,
    secret::Secret,
    time::Instant,
    view::{self, EndedFlowsView, FlowView, OpenPortsView, Snapshot, WhyView},
};

/// The control socket's access to the manager: it reads the manager's state, and sends requests.
///
/// Requests become short errands on the manager's thread. Only one of them is given to the thread at a time, in the
/// order of the requests. Thus packets have their turn between two errands, no matter how many requests programs send.
#[derive(Clone)]
pub struct Inside {
    pub(super) errands: Errands,
    /// Locked from the time at which an errand is given until its result arrives.
    pub(super) turn: Arc<Mutex<()>>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) journal: Arc<Journal>,
    pub(super) reload: mpsc::UnboundedSender<ReloadRequest>,
    /// Whether the network was stopped and every process has ended.
    pub(super) over: watch::Receiver<bool>,
}

impl Inside {
    /// Runs `what` on the manager's thread, and waits for the result.
    async fn ask<R: Send + 'static>(
        &self,
        what: impl FnOnce(&Arc<Shared>) -> R + Send + 'static,
    ) -> R {
        let turn = self.turn.lock().await;
        let result = self.errands.give(what).await;
        drop(turn);
        match result {
            Ok(result) => result,
            // The manager has ended, and this thread will end soon, or the errand has panicked.
            Err(_) => pending().await,
        }
    }

    /// The whole state, and the time for which the manager has been running.
    pub(in crate::driver) async fn snapshot(&self) -> (Snapshot, Duration) {
        let look = |shared: &Arc<Shared>| {
            let now = shared.now();
            let snapshot = published::snapshot(shared, &mut shared.lock());
            (Arc::unwrap_or_clone(snapshot), now - Instant::ZERO)
        };
        self.ask(look).await
    }

    /// Subscribes to the state, which is sent whenever a host has changed, or a little later.
    pub(in crate::driver) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The number of all flows, and the keys of the `most` flows that were used last.
    pub(in crate::driver) async fn newest_flows(&self, most: usize) -> (usize, Vec<FlowKey>) {
        let mut survey = FlowSurvey::default();
        loop {
            let look = |shared: &Arc<Shared>| {
                let more = shared.lock().core.show_flows(&mut survey);
                (survey, more)
            };
            let more;
            (survey, more) = self.ask(look).await;
            if !more {
                return survey.newest(most);
            }
        }
    }

    /// The number of all flows.
    pub(in crate::driver) async fn flow_total(&self) -> usize {
        self.ask(|shared| shared.lock().core.flow_total()).await
    }

    /// Returns those of the given flows that have not ended.
    pub(in crate::driver) async fn flows(&self, keys: Vec<FlowKey>) -> Vec<FlowView> {
        self.ask(move |shared| shared.lock().core.flows(shared.now(), &keys))
            .await
    }

    /// The flows that have ended last, at most `most`.
    pub(in crate::driver) async fn ended_flows(&self, most: usize) -> EndedFlowsView {
        self.ask(move |shared| shared.lock().core.ended_flows(shared.now(), most))
            .await
    }

    /// The plan of the network.
    pub(in crate::driver) async fn plan(&self) -> Plan {
        self.ask(|shared| shared.lock().core.plan()).await
    }

    /// The log.
    pub(in crate::driver) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Subscribes to whether the network was stopped and every process has ended. When this is true, the snapshots and
    /// the log have everything that has happened.
    pub(in crate::driver) fn over(&self) -> watch::Receiver<bool> {
        self.over.clone()
    }

    /// The host with this name, alias or VIP.
    pub(in crate::driver) async fn host(&self, name: &str) -> Result<Vip, Unmet> {
        let name = name.to_owned();
        self.ask(|shared| {
            let found = shared.lock().core.host(&name);
            found.ok_or(Unmet::NoHost(name))
        })
        .await
    }

    /// Carries out an intent. Fails with the reason if that is not possible.
    pub(in crate::driver) async fn obey(&self, intent: Intent) -> Result<(), Unmet> {
        self.ask(move |shared| shared.obey(&intent)).await
    }

    /// Explains a connection. Finds its path through the network, and makes all agents on the path probe their parts at
    /// the same time.
    pub(in crate::driver) async fn why(
        &self,
        target: Destination,
        from: Option<Vip>,
    ) -> Result<WhyView, Unmet> {
        let outward = outward::outward(&permits::limits(None));
        let begin = move |shared: &Arc<Shared>| {
            let inquiry = shared.lock().core.inquire(shared.now(), target, from)?;
            let inquiry = inquiry.with_outward(outward);
            let mut asked = Vec::new();
            for (part, vip, question) in inquiry.questions() {
                asked.push((part, ask_agent(shared, vip, &question)));
            }
            Some((inquiry, asked))
        };
        let (inquiry, asked) = self.ask(begin).await.ok_or(Unmet::NoSource)?;
        let mut replies = BTreeMap::new();
        for (part, reply) in asked {
            let reply = match reply {
                // Every question to an agent is answered unless its host has been removed.
                Ok(reply) => reply.await.unwrap_or(AgentReply::Lost),
                Err(reply) => reply,
            };
            replies.insert(part, reply);
        }
        let why = inquiry.explain(&replies);
        self.ask(move |shared| {
            shared.tell(|core, now| core.note_replies(now, &inquiry, &replies));
        })
        .await;
        Ok(why)
    }

    /// Asks the agent of a host for the ports on which programs listen there.
    pub(in crate::driver) async fn open_ports(&self, vip: Vip) -> Result<OpenPortsView, Unmet> {
        let question = AgentQuestion::OpenPorts;
        let asked = self.ask(move |shared| ask_agent(shared, vip, &question));
        let reply = match asked.await {
            // Every question to an agent is answered unless its host has been removed.
            Ok(reply) => reply.await.unwrap_or(AgentReply::Lost),
            Err(reply) => reply,
        };
        let view = self.ask(move |shared| shared.lock().core.open_ports(shared.now(), vip, reply));
        view.await.map_err(Unmet::NoAnswer)
    }

    /// Reloads the manifest. Returns the outcome, or a text that says what is wrong with the manifest.
    pub(in crate::driver) async fn reload(&self) -> Result<Result<ReloadOutcome, String>, Unmet> {
        let (sender, answer) = oneshot::channel();
        let sent = self.reload.send(sender);
        sent.map_err(|_| Unmet::NoManifest)?;
        answer.await.map_err(|_| Unmet::NoManifest)
    }

    /// Passes a question of a host's command to people.
    pub(in crate::driver) async fn prompt(
        &self,
        vip: Vip,
        question: view::Question,
    ) -> Result<Asking, Unmet> {
        let errands = self.errands.clone();
        let pass_on = move |shared: &Arc<Shared>| {
            let mut state = shared.lock();
            let tasks = state.tasks.get(&vip);
            let own = tasks.and_then(|tasks| tasks.pass.as_ref());
            if !own.is_some_and(|own| own.opens(&question.token)) {
                return Err(Unmet::NoAsker);
            }
            let now = shared.now();
            let asked = (state.core).prompt(now, vip, question.kind, question.text, question.asker);
            let prompt = asked.ok_or(Unmet::NoAsker)?;
            let (sender, answer) = oneshot::channel();
            state.prompt_waiters.insert(prompt, sender);
            shared.settle(state);
            Ok(Asking {
                errands,
                vip,
                prompt,
                answer,
            })
        };
        // If the requester has gone, the result is dropped, which withdraws the question.
        self.ask(pass_on).await
    }
}

/// Sends a question to an agent.
fn ask_agent(
    shared: &Arc<Shared>,
    vip: Vip,
    question: &AgentQuestion,
) -> Result<oneshot::Receiver<AgentReply>, AgentReply> {
    let mut state = shared.lock();
    let asked = state.core.ask(shared.now(), vip, question);
    let asked = asked.map(|id| {
        let (sender, reply) = oneshot::channel();
        state.reply_waiters.insert((vip, id), sender);
        reply
    });
    shared.settle(state);
    asked
}

/// A question that waits for its answer. Dropping it withdraws the question.
pub(in crate::driver) struct Asking {
    errands: Errands,
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
        drop(self.errands.give(move |shared| {
            shared.lock().prompt_waiters.remove(&prompt);
            shared.tell(|core, now| core.withdraw(now, vip, prompt));
        }));
    }
}
