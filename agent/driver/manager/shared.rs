//! The state that the tasks of a manager share, and the requests that a manager takes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use super::{journal::Journal, name::NetworkName, pass::Pass};
use crate::{
    addr::{FlowKey, Vip},
    driver::{
        harness::{Harness, World as _},
        system::{clock::SleepWatch, uplink::Uplink},
    },
    link::AgentReply,
    manager::{Core, Facts, ReloadOutcome},
    secret::Secret,
    time::Instant,
    view::{Answer, Event, HostAction, Snapshot, no_such_host},
};

/// The interval at which the manager checks whether the machine has slept or uses another network.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// A request of a user interface to the running manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// End the network.
    Down,
    /// Start, stop or restart one host.
    Host(Vip, HostAction),
    /// Start the held command of this host. It must still be the one that was shown with this number.
    Approve(Vip, u64),
    /// Apply the held change of the manifest. It must still be the one that was shown with this number.
    ApproveChange(u64),
    /// End a flow with a reset at both of its ends.
    KillFlow(FlowKey),
    /// Answer a question of a host's command, or refuse to answer it.
    Answer(Vip, Answer),
}

/// The reason why an intent was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// The flow does not exist, or has ended.
    #[error("there is no such flow; it may have ended")]
    NoFlow,
    /// The network does not have a host of this name.
    #[error("{}", no_such_host(.0))]
    NoHost(String),
    /// The connection has to begin at a host, and the manager has none of its own.
    #[error("there is no host from which the connection could begin")]
    NoSource,
    /// The host cannot be started.
    #[error(
        "the host cannot be started now: its command waits for approval, or the network is ending"
    )]
    NotNow,
    /// No command or change that was shown with this number is held.
    #[error("this does not wait for approval; it may have changed meanwhile")]
    NotHeld,
    /// There is no such question, or it does not wait for an answer any more.
    #[error("this is not asked any more; it may have been answered, or its command has ended")]
    NoPrompt,
    /// The command is not allowed to ask.
    #[error(
        "only the command of a host that is still connecting may ask, and only a limited number of questions"
    )]
    NoAsker,
    /// The host's agent does not answer a question, for this reason.
    #[error("{0}")]
    NoAnswer(String),
    /// This network has no manifest to reload.
    #[error("this network has no manifest to reload")]
    NoManifest,
}

/// A request to reload the manifest. The answer is the outcome, or a text that says what is wrong with the manifest.
pub type ReloadRequest = oneshot::Sender<Result<ReloadOutcome, String>>;

/// The state that the tasks of a manager share.
pub(super) struct Shared {
    pub(super) harness: Harness<State>,
    /// The name of the network. `None` if there is no control socket. In that case, commands cannot ask people.
    pub(super) network: Option<NetworkName>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    /// Notified when a change has to wait before it is published.
    pub(super) unpublished: Notify,
    pub(super) events: broadcast::Sender<Event>,
    /// Notified when the network has been stopped and every process has ended.
    pub(super) over: Notify,
    /// Locked while a command that was started is told what it has to do.
    pub(super) configuring: tokio::sync::Mutex<()>,
    pub(super) journal: Arc<Journal>,
    pub(super) wake_watch: Mutex<WakeWatch>,
}

impl Shared {
    /// The state of the host in a trial.
    pub(super) fn facts(&self, vip: Vip) -> Option<Facts> {
        let now = self.harness.clock.now();
        self.lock().core.facts(now, vip)
    }

    /// Carries out an intent. Fails with the reason if that is not possible.
    pub(super) fn obey(self: &Arc<Self>, intent: &Intent) -> Result<(), Unmet> {
        self.tell(|core, now| match *intent {
            Intent::Answer(vip, ref answer) => {
                let asked = core.answer(now, vip, answer.clone());
                asked.then_some(()).ok_or(Unmet::NoPrompt)
            }
            Intent::Down => {
                core.stop(now);
                Ok(())
            }
            Intent::Host(vip, action) => {
                let done = core.host_action(now, vip, action);
                done.then_some(()).ok_or(Unmet::NotNow)
            }
            Intent::Approve(vip, number) => {
                let done = core.approve(now, vip, number);
                done.then_some(()).ok_or(Unmet::NotHeld)
            }
            Intent::ApproveChange(number) => {
                let done = core.approve_change(now, number);
                done.then_some(()).ok_or(Unmet::NotHeld)
            }
            Intent::KillFlow(key) => core.kill_flow(now, key).then_some(()).ok_or(Unmet::NoFlow),
        })
    }
}

/// The state machine, and the state of the driver under the same lock.
pub(super) struct State {
    pub(super) core: Core,
    /// Whether the state has changed since the last snapshot was published.
    pub(super) changed: bool,
    /// When the next snapshot may be published.
    pub(super) publish_at: Instant,
    pub(super) tasks: HashMap<Vip, AgentTasks>,
    /// The commands that look for instances, by host and number. A message ends one of them.
    pub(super) looks: HashMap<(Vip, u64), oneshot::Sender<()>>,
    /// The requests that wait for an agent's reply, by the agent and the number of the question.
    pub(super) reply_waiters: HashMap<(Vip, u64), oneshot::Sender<AgentReply>>,
    /// The helpers that wait for a person's answer, by the number of the prompt.
    pub(super) prompt_waiters: HashMap<u64, oneshot::Sender<Option<Secret>>>,
}

/// The ways to reach the tasks of one agent.
pub(super) struct AgentTasks {
    pub(super) to_write: Arc<Notify>,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    /// Permission for the agent's command to ask people. `None` if it may not.
    pub(super) pass: Option<Pass>,
}

/// The orders of the driver to the process of an agent.
pub(super) enum Order {
    CloseInput,
    Terminate,
    Kill,
}

impl State {
    pub(super) fn order(&self, vip: Vip, order: Order) {
        if let Some(tasks) = self.tasks.get(&vip) {
            // An error means that the task has ended, and its process with it.
            let _ = tasks.orders.send(order);
        }
    }
}

/// Detects that the machine has slept, or that its uplink has changed.
pub(super) struct WakeWatch {
    sleep: SleepWatch,
    uplink: Uplink,
    /// When to check the uplink again.
    at: Instant,
}

impl WakeWatch {
    pub(super) fn start(now: Instant) -> Self {
        Self {
            sleep: SleepWatch::start(),
            uplink: Uplink::start(),
            at: now + TICK,
        }
    }

    /// Whether the connections of all agents may be broken, because the machine has slept or now uses another network.
    /// `late` is the delay of the timer that has just fired, which can show a sleep.
    pub(super) fn has_woken(&mut self, now: Instant, late: Duration) -> bool {
        let mut woken = self.sleep.has_slept(late);
        if self.at <= now {
            self.at = now + TICK;
            woken |= self.uplink.has_changed();
        }
        woken
    }
}
