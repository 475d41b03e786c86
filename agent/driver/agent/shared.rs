//! The state that the tasks of an agent share, and operations that several of them need.

use std::{
    collections::{BTreeMap, HashMap},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use super::{
    notes::Notes,
    outward,
    real_addresses::{Doorman, RealAddresses},
    round::Round,
    succession::Successor,
};
use crate::{
    addr::{FlowKey, Vip},
    budget::Work,
    destination::Destination,
    driver::{
        harness::{Harness, World},
        system::{
            clock::{Clock, seed},
            resolver::Resolver,
        },
    },
    edge::{Core, Files},
    flow::{Capacity, Holder, TableFull},
    limits::Limits,
    secret::Secret,
    wire::Failure,
};

/// How many queries each other host may send to the DNS server of this host in a second, and in a burst. Programs that
/// need more have to use their own host's server.
const QUESTIONS_PER_SECOND: u32 = 1_000;
const QUESTIONS_AT_ONCE: u32 = 100;

/// How many flows this host may begin in a second, and in a burst. If all of these are short connections, they use four
/// fifths of the packets that the manager accepts from an agent. The rest remains for existing flows.
const CONNECTS_PER_SECOND: u32 = 4_000;
const CONNECTS_AT_ONCE: u32 = 32;

/// If there are more query budgets of other hosts than this, the budgets that are not needed are dropped.
const ASKERS_MAX: usize = 1_024;

/// How long the agent waits at its end until all connections are reset.
const STOP_MAX: Duration = Duration::from_millis(500);

/// The permissions of an agent, and the memory and connections that it may use.
pub(in crate::driver) struct May {
    /// The limits that the administrator of the machine sets, or the reason why they could not be read.
    pub(in crate::driver) limits: Result<Limits, String>,
    /// How much memory the agent may use, and how many connections it may have.
    pub(in crate::driver) capacity: Capacity,
}

/// The state that the tasks of an agent share.
pub(super) struct Shared {
    harness: Harness<State>,
    /// Notified when there is something to write to the manager.
    pub(super) to_write: Notify,
    /// Notified when a stream is the first one to move bytes in a round.
    pub(super) moved: Notify,
    /// Notified when a stream has ended.
    left: Notify,
    /// Notified when the manager is gone.
    pub(super) silent: Notify,
    /// Notified when a later agent asks this one to end. The connection on which it has asked is kept in `successor`.
    /// The end of that connection tells the later agent that this one has ended.
    pub(super) succeeded: Notify,
    pub(super) successor: OnceLock<Successor>,
    /// The task that waits for a successor.
    pub(super) awaits_successor: OnceLock<AbortHandle>,
    /// The resolver of this host, and the DNS servers that it does not ask.
    resolver: Mutex<Option<(Vec<SocketAddrV4>, Arc<Resolver>)>>,
    /// The query budget of each other host that has used this host's DNS server.
    askers: Mutex<BTreeMap<Ipv4Addr, Work>>,
    /// The files that have been written for programs on this host.
    notes: Mutex<Notes>,
    /// The newest content of the files for programs on this host.
    pub(super) files: watch::Sender<Option<Box<Files>>>,
    /// The secret part of the status page's address.
    token: String,
    /// The token with which a program proves to a proxy that it belongs to this user.
    pass: Secret,
    /// Asks the system for the owner of a connection.
    pub(super) doorman: Doorman,
    /// Locked while an agent finds out which program holds an address.
    pub(super) names_holder: tokio::sync::Mutex<()>,
}

/// The state machine, and the state of the driver under the same lock.
pub(super) struct State {
    pub(super) core: Core,
    /// The wakers of the tasks that carry flows. A task is woken when its flow changes.
    pub(super) streams: HashMap<FlowKey, Waker>,
    pub(super) round: Round,
    connects: Work,
    pub(super) listeners: RealAddresses,
    /// Whether the agent is ending. If it is, every stream has to end with a reset.
    pub(super) stopping: bool,
}

impl State {
    /// Registers the waker of the task that carries `flow`.
    pub(super) fn wake_on(&mut self, flow: FlowKey, waker: &Waker) {
        match self.streams.get_mut(&flow) {
            Some(stored) => stored.clone_from(waker),
            None => {
                self.streams.insert(flow, waker.clone());
            }
        }
    }
}

impl Shared {
    pub(super) fn new(may: May) -> Self {
        let outward = outward::outward(&may.limits);
        let mut core = Core::limited(seed(), may.capacity, may.limits);
        core.go_out_through(outward);
        let state = State {
            core,
            streams: HashMap::new(),
            round: Round::default(),
            connects: Work::new(CONNECTS_PER_SECOND, CONNECTS_AT_ONCE),
            listeners: RealAddresses::new(),
            stopping: false,
        };
        Self {
            harness: Harness::new(Clock::start(), state),
            to_write: Notify::new(),
            moved: Notify::new(),
            left: Notify::new(),
            silent: Notify::new(),
            succeeded: Notify::new(),
            successor: OnceLock::new(),
            awaits_successor: OnceLock::new(),
            resolver: Mutex::default(),
            askers: Mutex::default(),
            notes: Mutex::default(),
            files: watch::Sender::default(),
            token: format!("{:016x}{:016x}", seed(), seed()),
            pass: Secret::new(format!("{:016x}{:016x}", seed(), seed())),
            doorman: Doorman::default(),
            names_holder: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn harness(&self) -> &Harness<State> {
        &self.harness
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn pass(&self) -> &Secret {
        &self.pass
    }

    /// The resolver of this host. It does not ask the network's own DNS servers, because they would ask it again.
    pub(super) fn resolver(&self) -> Arc<Resolver> {
        let ours = self.lock().core.rights().dns_servers();
        let mut known = self.resolver.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((without, resolver)) if *without == ours => resolver.clone(),
            _ => {
                let servers = ours.iter().copied().map(SocketAddr::from);
                let resolver = Arc::new(Resolver::of_this_host(servers));
                *known = Some((ours, resolver.clone()));
                resolver
            }
        }
    }

    /// Opens a flow into the network, once the rate limit for new flows allows it.
    pub(super) async fn connect(
        self: &Arc<Self>,
        holder: Holder,
        remote: SocketAddrV4,
    ) -> Result<FlowKey, TableFull> {
        let wait = {
            let (now, mut state) = (self.now(), self.lock());
            state.connects.spend(now, 1);
            state.connects.wait(now)
        };
        if wait.is_some() {
            self.harness.clock.sleep_until(wait).await;
        }
        self.tell(|core, now| core.connect(now, holder, remote))
    }

    /// Waits until another host may ask its next question.
    pub(super) async fn turn_to_ask(&self, host: Ipv4Addr) {
        let wait = {
            let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.now();
            // If there are too many budgets, those of hosts that would not have to wait are dropped. A dropped budget
            // gives its host at most one additional burst, because its next query begins with a full budget.
            if askers.len() > ASKERS_MAX {
                askers.retain(|_, work| work.wait(now).is_some());
            }
            let work = askers
                .entry(host)
                .or_insert_with(|| Work::new(QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE));
            work.spend(now, 1);
            work.wait(now)
        };
        if wait.is_some() {
            self.harness.clock.sleep_until(wait).await;
        }
    }

    /// Tells the state machine that the request on a flow was answered.
    pub(super) fn served(self: &Arc<Self>, flow: FlowKey) {
        self.tell(|core, _| core.handle_served(flow));
    }

    /// Reports a failed dial to the state machine.
    pub(super) fn note_failure<T>(
        self: &Arc<Self>,
        destination: &Destination,
        dialled: Result<T, Failure>,
    ) -> Result<T, Failure> {
        dialled.inspect_err(|failure| {
            self.tell(|core, now| core.handle_not_dialled(now, destination, failure));
        })
    }

    /// See [`Core::suggest`].
    pub(super) fn suggest(self: &Arc<Self>, gateway: Vip, addresses: &[Ipv4Addr]) {
        self.tell(|core, _| core.suggest(gateway, addresses));
    }

    /// Releases the flow of a stream that has ended.
    pub(super) fn leave(self: &Arc<Self>, flow: FlowKey) {
        self.lock().streams.remove(&flow);
        self.tell(|core, _| core.release(flow));
        self.left.notify_one();
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resets all connections, and removes the files that were written.
    pub(super) async fn stop(&self) {
        {
            let mut state = self.lock();
            state.stopping = true;
            if let Some(task) = self.awaits_successor.get() {
                task.abort();
            }
            state.listeners.clear();
            for waker in state.streams.values() {
                waker.wake_by_ref();
            }
        }
        let all_left = async {
            while !self.lock().streams.is_empty() {
                self.left.notified().await;
            }
        };
        // Connections that are still open after this time end with the process.
        let _ = tokio::time::timeout(STOP_MAX, all_left).await;
        // If a later agent takes the place of this one, nothing is removed, because that agent writes its own files.
        if self.successor.get().is_none() {
            self.notes().remove();
        }
    }
}
