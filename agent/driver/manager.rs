//! Performs what the manager decides: starts and ends agents, and carries frames between them.

mod batch;
mod inside;

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};

use self::batch::Batch;
pub(super) use self::inside::Inside;
use super::{
    askpass::Pass,
    clock::{Clock, SleepWatch, seed},
    control::{self, Door, Journal, Name},
    pool::{Pool, Turns},
    resources, transport,
    uplink::Uplink,
    vigil::Vigil,
};
use crate::{
    addr::{FlowKey, Vip},
    link::Reply,
    manager::{Core, Hold, Outcome, Output, Turn},
    plan::{Plan, Start},
    secret::Secret,
    time::Instant,
    view::{Answer, Event, Snapshot},
};

/// How much is taken from a host's queue at a time, in bytes. What was taken cannot be overtaken any more.
const BATCH_MAX: usize = 128 << 10;

/// How long the rest of an agent's output is waited for after its process has ended.
const REST_MAX: Duration = Duration::from_millis(500);

/// How long to wait before looking whether an agent takes anything of what is written to it ...
const STALL_LOOK: Duration = Duration::from_secs(2);

/// ... and how many looks in a row may find nothing. Looks are counted and not time, so that a manager that was stopped
/// itself, or slept, blames nobody.
const STALLS_MAX: u32 = 5;

/// How often to look whether the machine has slept or has another way out, at least.
const TICK: Duration = Duration::from_secs(2);

/// The longest line of standard error that is kept together, in bytes.
const LINE_MAX: usize = 16 << 10;

/// How many lines of standard error are taken at a time.
const LINES_MAX: usize = 64;

/// How long an agent that writes more than that at a time has to wait before more is taken. Its words are not worth the time
/// of others.
const FLOOD_PAUSE: Duration = Duration::from_millis(20);

/// How many events a slow listener may be behind before it is told to look at the snapshot instead.
const EVENTS_MAX: usize = 1_024;

/// How long those who are connected to the control socket have to hear the end.
const LAST_WORDS: Duration = Duration::from_millis(500);

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
    /// There is no such host.
    #[error("no host of this network has that name")]
    NoHost,
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
    /// Who asks may not.
    #[error("only the command of a host that is being connected to may ask, and not too much")]
    NoAsker,
    /// Nobody reads a manifest for this network.
    #[error("this network has no manifest that could be read again")]
    NoManifest,
}

/// Somebody wants the manifest to be read again, and to hear what came of it, or what is wrong.
pub type ReloadRequest = oneshot::Sender<Result<Outcome, String>>;

/// A running manager, on a thread of its own.
pub struct Manager {
    handle: Handle,
    reloads: Option<mpsc::UnboundedReceiver<ReloadRequest>>,
    thread: JoinHandle<()>,
}

/// How faces reach a manager, from any thread: they tell it what people want, and read the truth stream. What is told to
/// a manager that has ended is lost.
#[derive(Clone)]
pub struct Handle {
    asked: mpsc::UnboundedSender<Asked>,
    snapshot: watch::Receiver<Snapshot>,
    events: broadcast::WeakSender<Event>,
    clock: Clock,
}

/// What comes from other threads.
enum Asked {
    Intent(Intent),
    Reload(Box<Plan>, Hold, oneshot::Sender<Outcome>),
}

impl Manager {
    /// Starts all hosts of a plan. The manager goes on until [`Intent::Down`].
    ///
    /// The receiver tells everything that happens from the start. Who does not want to read it drops it. Other programs of
    /// this user come in by the door, if there is one.
    pub fn start(
        plan: &Plan,
        door: Option<Door>,
    ) -> std::io::Result<(Self, broadcast::Receiver<Event>)> {
        resources::open_files();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let core = Core::new(plan, seed());
        let clock = Clock::start();
        let (asked, inbox) = mpsc::unbounded_channel();
        let (reload, reloads) = mpsc::unbounded_channel();
        let (snapshots, snapshot) = watch::channel(core.snapshot(clock.now()));
        let (sender, events) = broadcast::channel(EVENTS_MAX);
        let handle = Handle {
            asked,
            snapshot,
            events: sender.downgrade(),
            clock,
        };
        let thread = std::thread::Builder::new()
            .name("manager".to_owned())
            .spawn(move || {
                let outside = Outside {
                    snapshots,
                    events: sender,
                    reload,
                    door,
                };
                runtime.block_on(run(core, clock, outside, inbox));
                // A resolver that does not answer has a thread, and must not keep the manager alive.
                runtime.shutdown_background();
            })?;
        let manager = Self {
            handle,
            reloads: Some(reloads),
            thread,
        };
        Ok((manager, events))
    }

    /// What faces need to reach it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What other programs want to be read again. Without a taker they are told that there is no manifest. There is one
    /// taker.
    pub fn take_reloads(&mut self) -> Option<mpsc::UnboundedReceiver<ReloadRequest>> {
        self.reloads.take()
    }

    /// Waits until every process is gone. Blocks; call it after [`Intent::Down`].
    pub fn join(self) {
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Handle {
    /// The whole state, now and whenever it has changed.
    pub fn snapshot(&self) -> watch::Receiver<Snapshot> {
        self.snapshot.clone()
    }

    /// Everything that happens from now on; `None` if the manager has ended.
    pub fn events(&self) -> Option<broadcast::Receiver<Event>> {
        Some(self.events.upgrade()?.subscribe())
    }

    /// The manager's clock, in milliseconds: what the moments in a [`Snapshot`] are compared with.
    pub fn now_ms(&self) -> u64 {
        self.clock.now().as_micros() / 1_000
    }

    /// Tells the manager what somebody wants. After [`Intent::Down`] the senders of snapshots and events end.
    pub fn tell(&self, intent: Intent) {
        self.ask(Asked::Intent(intent));
    }

    /// Makes the running network that of another plan. What came of it is answered; nobody answers when the manager has
    /// ended. What is held waits for [`Intent::Approve`] and [`Intent::ApproveChange`].
    pub fn reload(&self, plan: Plan, hold: Hold) -> oneshot::Receiver<Outcome> {
        let (sender, outcome) = oneshot::channel();
        self.ask(Asked::Reload(Box::new(plan), hold, sender));
        outcome
    }

    fn ask(&self, asked: Asked) {
        // Nobody reads it when the manager has ended.
        let _ = self.asked.send(asked);
    }
}

/// Who hears of a manager.
struct Outside {
    snapshots: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
    reload: mpsc::UnboundedSender<ReloadRequest>,
    door: Option<Door>,
}

async fn run(
    core: Core,
    clock: Clock,
    outside: Outside,
    mut inbox: mpsc::UnboundedReceiver<Asked>,
) {
    let shared = Arc::new(Shared {
        clock,
        state: Mutex::new(State {
            core,
            lives: HashMap::new(),
            asked: HashMap::new(),
            askers: HashMap::new(),
            armed: None,
        }),
        network: outside.door.as_ref().map(|door| door.name().clone()),
        snapshots: outside.snapshots,
        events: outside.events,
        reload: outside.reload,
        sooner: Notify::new(),
        over: Notify::new(),
        vigil: Vigil::default(),
        journal: Journal::default(),
    });
    let (ended, ending) = watch::channel(false);
    let inside = Inside(shared.clone());
    let server = outside
        .door
        .map(|door| tokio::spawn(control::serve(door, inside.clone(), ending)));
    let mut timers = JoinSet::new();
    timers.spawn(keep_time(shared.clone()));
    timers.spawn(keep_vigil(shared.clone()));
    shared.tell(Core::start);
    while !shared.lock().core.is_over() {
        tokio::select! {
            asked = inbox.recv() => match asked {
                // A host or a flow that is not there any more needs nothing.
                Some(Asked::Intent(intent)) => drop(inside.obey(&intent)),
                Some(Asked::Reload(plan, hold, outcome)) => shared.tell(|core, now| {
                    // Who has asked need not wait for the answer.
                    let _ = outcome.send(core.take_up(now, &plan, hold));
                }),
                // When all senders are gone, nobody is left to say it.
                None => drop(inside.obey(&Intent::Down)),
            },
            () = shared.over.notified() => {}
        }
    }
    if let Some(server) = server {
        ended.send_replace(true);
        // Whoever does not listen misses it.
        let _ = tokio::time::timeout(LAST_WORDS, server).await;
    }
}

/// What the tasks of a manager share.
struct Shared {
    clock: Clock,
    state: Mutex<State>,
    /// What the network is called, if there is a door at which commands may ask.
    network: Option<Name>,
    snapshots: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
    reload: mpsc::UnboundedSender<ReloadRequest>,
    /// The earliest deadline has moved forward.
    sooner: Notify,
    /// The network was stopped and every process is gone.
    over: Notify,
    vigil: Vigil,
    journal: Journal,
}

/// The machine, and what the driver needs to know beside it.
struct State {
    core: Core,
    lives: HashMap<Vip, Life>,
    /// Who waits for what an agent was asked.
    asked: HashMap<(Vip, u64), oneshot::Sender<Reply>>,
    /// Who waits for the answer to which question.
    askers: HashMap<u64, oneshot::Sender<Option<Secret>>>,
    /// What the timer waits for.
    armed: Option<Instant>,
}

/// How the tasks of one agent are reached.
struct Life {
    to_write: Arc<Notify>,
    orders: mpsc::UnboundedSender<Order>,
    /// What lets its command ask.
    pass: Option<Pass>,
}

/// What happens to a running agent.
enum Order {
    CloseInput,
    Terminate,
    Kill,
}

impl Shared {
    /// The state, between two awaits and never across one. A panic in one task leaves it as good as it was.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the machine something, and performs what it decides.
    fn tell<R>(self: &Arc<Self>, what: impl FnOnce(&mut Core, Instant) -> R) -> R {
        let mut state = self.lock();
        let answer = what(&mut state.core, self.clock.now());
        self.settle(state);
        answer
    }

    fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut changed = false;
        while let Some(output) = state.core.poll_output() {
            match output {
                Output::Spawn(vip, start) => self.spawn(&mut state, vip, start),
                Output::CloseInput(vip) => state.order(vip, Order::CloseInput),
                Output::Terminate(vip) => state.order(vip, Order::Terminate),
                Output::Kill(vip) => state.order(vip, Order::Kill),
                Output::Wake(vip) => {
                    if let Some(life) = state.lives.get(&vip) {
                        life.to_write.notify_one();
                    }
                }
                Output::Reply(vip, id, reply) => {
                    if let Some(asker) = state.asked.remove(&(vip, id)) {
                        // Who has asked need not wait for the answer.
                        let _ = asker.send(reply);
                    }
                }
                Output::Answer(prompt, answer) => {
                    if let Some(asker) = state.askers.remove(&prompt) {
                        // It may have gone a moment ago.
                        let _ = asker.send(answer);
                    }
                }
                Output::Event(event) => {
                    self.journal.note(event.clone());
                    // Nobody needs to listen.
                    let _ = self.events.send(event);
                }
                Output::Changed => changed = true,
            }
        }
        if changed {
            self.snapshots
                .send_replace(state.core.snapshot(self.clock.now()));
            if state.core.is_over() {
                self.over.notify_one();
            }
        }
        let next = state.core.poll_timeout().map(|(at, _why)| at);
        if next.is_some_and(|at| state.armed.is_none_or(|armed| at < armed)) {
            self.sooner.notify_one();
        }
    }

    fn spawn(self: &Arc<Self>, state: &mut State, vip: Vip, start: Start) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let to_write = Arc::new(Notify::new());
        let pass = self.network.as_ref().and_then(|name| Pass::new(name, vip));
        let life = Life {
            to_write: to_write.clone(),
            orders,
            pass: pass.clone(),
        };
        state.lives.insert(vip, life);
        tokio::spawn(live(self.clone(), vip, start, pass, to_write, inbox));
    }
}

impl State {
    fn order(&self, vip: Vip, order: Order) {
        if let Some(life) = self.lives.get(&vip) {
            // Its process has ended meanwhile if nobody reads this.
            let _ = life.orders.send(order);
        }
    }
}

/// One life of one agent: starts it, feeds it, listens to it, and sees it off.
async fn live(
    shared: Arc<Shared>,
    vip: Vip,
    start: Start,
    pass: Option<Pass>,
    to_write: Arc<Notify>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
) {
    let (mut process, pipes) = match transport::launch(&start, pass.as_ref()) {
        Ok(launched) => launched,
        Err(reason) => {
            shared.lock().lives.remove(&vip);
            return shared.tell(|core, now| core.handle_spawned(now, vip, Err(reason)));
        }
    };
    shared.tell(|core, now| core.handle_spawned(now, vip, Ok(())));
    let mut writer = tokio::spawn(write(shared.clone(), vip, pipes.input, to_write));
    let mut errors = tokio::spawn(read_errors(shared.clone(), vip, pipes.errors));
    let mut reader = pin!(read(shared.clone(), vip, pipes.output));
    let (mut reading, mut writing) = (true, true);
    let ending = loop {
        tokio::select! {
            () = &mut reader, if reading => {
                reading = false;
                shared.tell(|core, now| core.handle_closed(now, vip));
            }
            // An agent that reads no more is as good as gone, whatever it still writes.
            _ = &mut writer, if writing => {
                writing = false;
                shared.tell(|core, now| core.handle_closed(now, vip));
            }
            ending = process.wait() => break ending,
            Some(order) = inbox.recv() => match order {
                Order::CloseInput => writer.abort(),
                Order::Terminate => process.terminate(),
                Order::Kill => process.kill(),
            }
        }
    };
    // Its last words may explain its end. Something that it has started may hold the pipes open.
    let rest = async {
        if reading {
            reader.await;
        }
        let _ = (&mut errors).await;
    };
    let _ = tokio::time::timeout(REST_MAX, rest).await;
    writer.abort();
    errors.abort();
    // Whatever it has left behind goes with it.
    process.kill();
    shared.lock().lives.remove(&vip);
    shared.tell(|core, now| core.handle_exit(now, vip, ending));
}

async fn read(shared: Arc<Shared>, vip: Vip, mut output: impl AsyncRead + Unpin + Send) {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    let mut turns = Turns::default();
    loop {
        pool.make_room(&mut buffer);
        match output.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                shared.vigil.note();
                turns.take(count).await;
                loop {
                    match shared.tell(|core, now| core.handle_bytes(now, vip, &mut buffer)) {
                        Turn::Done => break,
                        Turn::Yield => tokio::task::yield_now().await,
                        // Nothing is read meanwhile, so that in the end the host itself waits.
                        Turn::Wait(until) => shared.clock.sleep_until(Some(until)).await,
                    }
                }
            }
        }
    }
}

async fn write(
    shared: Arc<Shared>,
    vip: Vip,
    mut input: impl AsyncWrite + Unpin + Send,
    to_write: Arc<Notify>,
) {
    let mut batch = Batch::default();
    loop {
        while batch.remaining() < BATCH_MAX
            && let Some(frame) = shared.lock().core.poll_frame(vip)
        {
            batch.push(frame);
        }
        if !batch.has_remaining() {
            to_write.notified().await;
            continue;
        }
        let mut stalls = 0;
        while batch.has_remaining() {
            match tokio::time::timeout(STALL_LOOK, input.write_buf(&mut batch)).await {
                Ok(Ok(1..)) => stalls = 0,
                Ok(Ok(0) | Err(_)) => return,
                Err(_) => {
                    stalls += 1;
                    if stalls >= STALLS_MAX {
                        shared.tell(|core, now| core.handle_stalled(now, vip));
                    }
                }
            }
        }
        if input.flush().await.is_err() {
            return;
        }
    }
}

async fn read_errors(shared: Arc<Shared>, vip: Vip, mut errors: impl AsyncRead + Unpin + Send) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(LINE_MAX);
        let ended = matches!(errors.read_buf(&mut buffer).await, Ok(0) | Err(_));
        let mut flooded = buffer.len() >= LINE_MAX;
        let mut lines = 0;
        loop {
            if lines == LINES_MAX {
                tokio::time::sleep(FLOOD_PAUSE).await;
                (lines, flooded) = (0, false);
            }
            lines += 1;
            let line = match buffer.iter().position(|&byte| byte == b'\n') {
                Some(end) => {
                    let line = buffer.split_to(end);
                    buffer.advance(1);
                    line
                }
                None if buffer.len() >= LINE_MAX || (ended && !buffer.is_empty()) => buffer.split(),
                None => break,
            };
            shared.tell(|core, now| core.handle_stderr(now, vip, &line));
        }
        if ended {
            return;
        }
        if flooded {
            tokio::time::sleep(FLOOD_PAUSE).await;
        }
    }
}

async fn keep_vigil(shared: Arc<Shared>) {
    shared.vigil.keep().await;
}

async fn keep_time(shared: Arc<Shared>) {
    let (mut watch, mut uplink) = (SleepWatch::start(), Uplink::start());
    let mut look_at = shared.clock.now() + TICK;
    loop {
        let next = {
            let mut state = shared.lock();
            let next = state.core.poll_timeout().map(|(at, _why)| at);
            let tick = shared.clock.now() + TICK;
            *state.armed.insert(next.map_or(tick, |at| at.min(tick)))
        };
        tokio::select! {
            () = shared.clock.sleep_until(Some(next)) => {
                let now = shared.clock.now();
                let mut wakes = watch.has_slept(now - next);
                if look_at <= now {
                    look_at = now + TICK;
                    wakes |= uplink.has_changed();
                }
                if wakes {
                    tracing::debug!("the machine has slept, or has another way out");
                    shared.tell(Core::handle_wake);
                }
                shared.tell(Core::handle_timeout);
            }
            () = shared.sooner.notified() => {}
        }
    }
}
