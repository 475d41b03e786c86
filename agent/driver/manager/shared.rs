//! What the tasks of a manager share, and what can be asked of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use super::{journal::Journal, name::Name, pass::Pass};
use crate::{
    addr::{FlowKey, Vip},
    driver::{
        harness::Harness,
        system::{clock::SleepWatch, uplink::Uplink},
    },
    link::Reply,
    manager::{Core, Outcome},
    secret::Secret,
    time::Instant,
    view::{Answer, Event, Snapshot, no_such_host},
};

/// How often to look whether the machine has slept or has another way out, at least.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// What a face asks of a running manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// End the network.
    Down,
    /// Start a host that is stopped or refused, or that waits to be started again.
    StartHost(Vip),
    /// Stop one host, until it is started.
    StopHost(Vip),
    /// End a host's agent and start it again.
    RestartHost(Vip),
    /// Start the command of a host that is held since the manifest changed: the one that was shown with this number.
    Approve(Vip, u64),
    /// Take up the change of the manifest that is held: the one that was shown with this number.
    ApproveChange(u64),
    /// End a flow with a reset to both of its ends.
    KillFlow(FlowKey),
    /// Answer what a host's command asks, or refuse to.
    Answer(Vip, Answer),
}

/// Why an intent was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// There is no such flow.
    #[error("there is no such flow; it may have ended")]
    NoFlow,
    /// There is no host of that name.
    #[error("{}", no_such_host(.0))]
    NoHost(String),
    /// There is no host from which a connection could begin.
    #[error("there is no host from which the connection could begin")]
    NoSource,
    /// The host cannot be started.
    #[error(
        "the host cannot be started now: its command waits for approval, or the network is ending"
    )]
    NotNow,
    /// Nothing is held, or something else.
    #[error("this does not wait for approval; it may have changed meanwhile")]
    NotHeld,
    /// There is no such question.
    #[error("this is not asked any more; it may have been answered, or its command has ended")]
    NoPrompt,
    /// The asker is not allowed to.
    #[error("only the command of a host that is being connected to may ask, and not too much")]
    NoAsker,
    /// Nobody reads a manifest for this network.
    #[error("this network has no manifest that could be read again")]
    NoManifest,
}

/// Somebody wants the manifest to be read again, and to hear what came of it, or what is wrong.
pub type ReloadRequest = oneshot::Sender<Result<Outcome, String>>;

/// What the tasks of a manager share.
pub(super) struct Shared {
    pub(super) harness: Harness<State>,
    /// The name of the network; `None` if it has no control socket through which commands could ask.
    pub(super) network: Option<Name>,
    pub(super) snapshots: watch::Sender<Snapshot>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) reload: mpsc::UnboundedSender<ReloadRequest>,
    /// The network was stopped and every process is gone.
    pub(super) over: Notify,
    pub(super) journal: Journal,
    pub(super) look: Mutex<Look>,
}

/// The machine, and what the driver needs to know beside it.
pub(super) struct State {
    pub(super) core: Core,
    /// The snapshot is not what the machine would say now.
    pub(super) changed: bool,
    pub(super) lives: HashMap<Vip, Life>,
    /// The askers that wait for a reply of an agent.
    pub(super) asked: HashMap<(Vip, u64), oneshot::Sender<Reply>>,
    /// The commands that wait for an answer of a person, by question.
    pub(super) askers: HashMap<u64, oneshot::Sender<Option<Secret>>>,
}

/// How the tasks of one agent are reached.
pub(super) struct Life {
    pub(super) to_write: Arc<Notify>,
    pub(super) orders: mpsc::UnboundedSender<Order>,
    /// What lets its command ask.
    pub(super) pass: Option<Pass>,
}

/// What happens to a running agent.
pub(super) enum Order {
    CloseInput,
    Terminate,
    Kill,
}

impl State {
    pub(super) fn order(&self, vip: Vip, order: Order) {
        if let Some(life) = self.lives.get(&vip) {
            // Its process has ended meanwhile if nobody reads this.
            let _ = life.orders.send(order);
        }
    }
}

/// What the manager looks at itself: whether the machine has slept, or has another way out.
pub(super) struct Look {
    sleep: SleepWatch,
    uplink: Uplink,
    /// When to look for another way out again.
    at: Instant,
}

impl Look {
    pub(super) fn start(now: Instant) -> Self {
        Self {
            sleep: SleepWatch::start(),
            uplink: Uplink::start(),
            at: now + TICK,
        }
    }

    /// Whether the lines of all agents may have changed under them, now that a timer has gone off so late.
    pub(super) fn has_woken(&mut self, now: Instant, late: Duration) -> bool {
        let mut woken = self.sleep.has_slept(late);
        if self.at <= now {
            self.at = now + TICK;
            woken |= self.uplink.has_changed();
        }
        woken
    }
}
