//! Performs what the manager decides: starts and ends agents, and carries frames between them.

use std::{
    collections::{HashMap, VecDeque},
    io::IoSlice,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};

use super::{
    clock::Clock,
    control::{self, Door, Journal},
    limits,
    pool::Pool,
    transport,
    vigil::Vigil,
};
use crate::{
    addr::{FlowKey, Vip},
    manager::{Core, Output},
    plan::{Plan, Start},
    time::Instant,
    view::{Event, FlowsView, Snapshot},
};

/// How much is taken from a host's queue at a time, in bytes. What was taken cannot be overtaken any more.
const BATCH_MAX: usize = 128 << 10;

/// How long the rest of an agent's output is waited for after its process has ended.
const REST_MAX: Duration = Duration::from_millis(500);

/// The longest line of standard error that is kept together, in bytes.
const LINE_MAX: usize = 16 << 10;

/// How long an agent that writes so much has to wait before more is read. Its words are not worth the time of others.
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
    /// End a flow with a reset to both of its ends.
    KillFlow(FlowKey),
}

/// Why an intent was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// There is no such flow.
    #[error("there is no such flow; it may have ended")]
    NoFlow,
}

/// A running manager, as faces see it: they ask it to stop, and read the truth stream.
pub struct Manager {
    stop: Option<oneshot::Sender<()>>,
    snapshot: watch::Receiver<Snapshot>,
    asked: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Manager {
    /// Starts all hosts of a plan. The manager lives on a thread of its own until [`Manager::stop`], or until no host
    /// is left.
    ///
    /// The receiver tells everything that happens from the start. Who does not want to read it drops it. Other programs of
    /// this user come in by the door, if there is one.
    pub fn start(
        plan: &Plan,
        door: Option<Door>,
    ) -> std::io::Result<(Self, broadcast::Receiver<Event>)> {
        limits::raise_open_files();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let core = Core::new(plan);
        let (stop, stopped) = oneshot::channel();
        let (snapshots, snapshot) = watch::channel(core.snapshot());
        let (sender, events) = broadcast::channel(EVENTS_MAX);
        let asked = Arc::new(AtomicBool::new(false));
        let was_asked = asked.clone();
        let thread = std::thread::Builder::new()
            .name("manager".to_owned())
            .spawn(move || {
                runtime.block_on(run(core, snapshots, sender, stopped, door, was_asked));
                // A resolver that does not answer has a thread, and must not keep the manager alive.
                runtime.shutdown_background();
            })?;
        let manager = Self {
            stop: Some(stop),
            snapshot,
            asked,
            thread,
        };
        Ok((manager, events))
    }

    /// The whole state, now and whenever it has changed.
    pub fn snapshot(&self) -> watch::Receiver<Snapshot> {
        self.snapshot.clone()
    }

    /// Asks all hosts to stop. Afterwards the snapshot's sender ends.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The manager may have ended by itself.
            let _ = stop.send(());
        }
    }

    /// Whether a face has asked for the end of the network through the control socket.
    pub fn was_asked_to_stop(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Waits until every process is gone. Blocks; call it after [`Manager::stop`].
    pub fn join(self) {
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn run(
    core: Core,
    snapshots: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
    mut stopped: oneshot::Receiver<()>,
    door: Option<Door>,
    asked: Arc<AtomicBool>,
) {
    let shared = Arc::new(Shared {
        clock: Clock::start(),
        state: Mutex::new(State {
            core,
            lives: HashMap::new(),
            armed: None,
        }),
        snapshots,
        events,
        sooner: Notify::new(),
        over: Notify::new(),
        vigil: Vigil::default(),
        journal: Journal::default(),
        asked,
    });
    let (ended, ending) = watch::channel(false);
    let server = door.map(|door| control::serve(door, Handle(shared.clone()), ending));
    let server = server.map(tokio::spawn);
    let mut timers = JoinSet::new();
    timers.spawn(keep_time(shared.clone()));
    timers.spawn(keep_vigil(shared.clone()));
    shared.tell(|core, _| core.start());
    let mut stopping = false;
    while !shared.lock().core.is_over() {
        tokio::select! {
            // A dropped sender means that nobody is left to say it.
            _ = &mut stopped, if !stopping => {
                stopping = true;
                shared.tell(Core::stop);
            }
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
    snapshots: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
    /// The earliest deadline has moved forward.
    sooner: Notify,
    /// No host is left.
    over: Notify,
    vigil: Vigil,
    journal: Journal,
    /// A face has asked for the end.
    asked: Arc<AtomicBool>,
}

/// What the control socket sees of a manager, on the manager's own thread.
#[derive(Clone)]
pub(super) struct Handle(Arc<Shared>);

impl Handle {
    /// The whole state, and how long the manager has been running.
    pub(super) fn snapshot(&self) -> (Snapshot, Duration) {
        let snapshot = self.0.lock().core.snapshot();
        (snapshot, self.0.clock.now() - Instant::ZERO)
    }

    /// The state whenever a host has changed.
    pub(super) fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.0.snapshots.subscribe()
    }

    /// The flows, and of more than `most` those that were in use last.
    pub(super) fn flows(&self, most: usize) -> FlowsView {
        self.0.lock().core.flows(self.0.clock.now(), most)
    }

    /// What has happened.
    pub(super) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Whether no host is left.
    pub(super) fn is_over(&self) -> bool {
        self.0.lock().core.is_over()
    }

    /// Does what a face asks.
    pub(super) fn obey(&self, intent: &Intent) -> Result<(), Unmet> {
        let mut outcome = Ok(());
        self.0.tell(|core, now| match intent {
            Intent::Down => {
                self.0.asked.store(true, Ordering::Relaxed);
                core.stop(now);
            }
            Intent::KillFlow(key) => {
                outcome = core.kill_flow(*key).then_some(()).ok_or(Unmet::NoFlow);
            }
        });
        outcome
    }
}

/// The machine, and what the driver needs to know beside it.
struct State {
    core: Core,
    lives: HashMap<Vip, Life>,
    /// What the timer waits for.
    armed: Option<Instant>,
}

/// How the tasks of one agent are reached.
struct Life {
    to_write: Arc<Notify>,
    orders: mpsc::UnboundedSender<Order>,
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
    fn tell(self: &Arc<Self>, what: impl FnOnce(&mut Core, Instant)) {
        let mut state = self.lock();
        what(&mut state.core, self.clock.now());
        self.settle(state);
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
                Output::Event(event) => {
                    self.journal.note(event.clone());
                    // Nobody needs to listen.
                    let _ = self.events.send(event);
                }
                Output::Changed => changed = true,
            }
        }
        if changed {
            self.snapshots.send_replace(state.core.snapshot());
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
        let life = Life {
            to_write: to_write.clone(),
            orders,
        };
        state.lives.insert(vip, life);
        tokio::spawn(live(self.clone(), vip, start, to_write, inbox));
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
    to_write: Arc<Notify>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
) {
    let (mut process, pipes) = match transport::launch(&start) {
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
    shared.tell(|core, _| core.handle_exit(vip, ending));
}

async fn read(shared: Arc<Shared>, vip: Vip, mut output: impl AsyncRead + Unpin + Send) {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    loop {
        pool.make_room(&mut buffer);
        match output.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                shared.vigil.note();
                shared.tell(|core, now| core.handle_bytes(now, vip, &mut buffer));
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
        if input.write_all_buf(&mut batch).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
}

async fn read_errors(shared: Arc<Shared>, vip: Vip, mut errors: impl AsyncRead + Unpin + Send) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(LINE_MAX);
        let ended = matches!(errors.read_buf(&mut buffer).await, Ok(0) | Err(_));
        let flooded = buffer.len() >= LINE_MAX;
        loop {
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
    loop {
        let next = {
            let mut state = shared.lock();
            state.armed = state.core.poll_timeout().map(|(at, _why)| at);
            state.armed
        };
        tokio::select! {
            () = shared.clock.sleep_until(next) => shared.tell(Core::handle_timeout),
            () = shared.sooner.notified() => {}
        }
    }
}

/// Frames on their way into a pipe, written together and without a copy.
#[derive(Default)]
struct Batch {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

impl Batch {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }
}

impl Buf for Batch {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        self.frames.front().map(Bytes::as_ref).unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.frames);
        pairs
            .map(|(slice, frame)| *slice = IoSlice::new(frame))
            .count()
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(frame) = self.frames.front_mut() {
            if count < frame.len() {
                frame.advance(count);
                return;
            }
            count -= frame.len();
            self.frames.pop_front();
        }
    }
}
