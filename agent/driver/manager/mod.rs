//! Performs what the manager decides: starts and ends agents, and carries frames between them.

mod batch;
mod child;
pub mod doubts;
mod inside;
mod journal;
mod name;
pub mod origin;
mod pass;
mod shared;
mod transport;

use std::{
    collections::HashMap,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};

pub(super) use self::pass::{HELPER, PASS};
use self::{
    batch::Batch,
    journal::Journal,
    pass::Pass,
    shared::{Life, Look, Order, Shared, State, TICK},
};
pub use self::{
    inside::Inside,
    name::{Name, NameError},
    pass::adopt_program,
    shared::{Intent, ReloadRequest, Unmet},
};
use super::{
    harness::{Harness, Machine, World, keep_time, keep_vigil},
    system::{
        clock::{Clock, seed},
        pool::{Pool, Turns},
        resources,
    },
};
use crate::{
    addr::Vip,
    manager::{Core, Hold, Outcome, Output, Turn},
    plan::{Plan, Start},
    time::Instant,
    view::{Event, Snapshot},
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
        door: Option<impl Entrance>,
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

/// Where other programs of this user come in.
pub trait Entrance: Send + 'static {
    /// The name of the network.
    fn name(&self) -> &Name;

    /// Answers there until the network is over, and tells everybody the end.
    fn serve(
        self,
        inside: Inside,
        over: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// Who hears of a manager.
struct Outside<D> {
    snapshots: watch::Sender<Snapshot>,
    events: broadcast::Sender<Event>,
    reload: mpsc::UnboundedSender<ReloadRequest>,
    door: Option<D>,
}

async fn run(
    core: Core,
    clock: Clock,
    outside: Outside<impl Entrance>,
    mut inbox: mpsc::UnboundedReceiver<Asked>,
) {
    let state = State {
        core,
        changed: false,
        lives: HashMap::new(),
        asked: HashMap::new(),
        askers: HashMap::new(),
    };
    let shared = Arc::new(Shared {
        harness: Harness::new(clock, state),
        network: outside.door.as_ref().map(|door| door.name().clone()),
        snapshots: outside.snapshots,
        events: outside.events,
        reload: outside.reload,
        over: Notify::new(),
        journal: Journal::default(),
        look: Mutex::new(Look::start(clock.now())),
    });
    let (ended, ending) = watch::channel(false);
    let inside = Inside(shared.clone());
    let server = outside
        .door
        .map(|door| tokio::spawn(door.serve(inside.clone(), ending)));
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

impl Machine for Core {
    type Output = Output;

    fn poll_output(&mut self) -> Option<Output> {
        Core::poll_output(self)
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Core::poll_timeout(self)
    }

    fn handle_timeout(&mut self, now: Instant) {
        Core::handle_timeout(self, now);
    }
}

impl World for Shared {
    type Machine = Core;
    type State = State;

    const TICK: Option<Duration> = Some(TICK);

    fn harness(&self) -> &Harness<State> {
        &self.harness
    }

    fn machine(state: &mut State) -> &mut Core {
        &mut state.core
    }

    fn perform(self: &Arc<Self>, state: &mut State, output: Output) {
        match output {
            Output::Spawn(vip, start) => spawn(self, state, vip, start),
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
                    // The asker may not wait for it any more.
                    let _ = asker.send(reply);
                }
            }
            Output::Answer(prompt, answer) => {
                if let Some(asker) = state.askers.remove(&prompt) {
                    // The asker may have gone a moment ago.
                    let _ = asker.send(answer);
                }
            }
            Output::Event(event) => {
                self.journal.note(event.clone());
                // It need not have a listener.
                let _ = self.events.send(event);
            }
            Output::Changed => state.changed = true,
        }
    }

    fn settled(self: &Arc<Self>, state: &mut State) {
        if std::mem::take(&mut state.changed) {
            let snapshot = state.core.snapshot(self.now());
            self.snapshots.send_replace(snapshot);
            if state.core.is_over() {
                self.over.notify_one();
            }
        }
    }

    fn ticked(self: &Arc<Self>, late: Duration) {
        let look = &mut *self.look.lock().unwrap_or_else(PoisonError::into_inner);
        if look.has_woken(self.now(), late) {
            tracing::debug!("the machine has slept, or has another way out");
            self.tell(Core::handle_wake);
        }
    }
}

fn spawn(shared: &Arc<Shared>, state: &mut State, vip: Vip, start: Start) {
    let (orders, inbox) = mpsc::unbounded_channel();
    let to_write = Arc::new(Notify::new());
    let pass = shared
        .network
        .as_ref()
        .and_then(|name| Pass::new(name, vip));
    let life = Life {
        to_write: to_write.clone(),
        orders,
        pass: pass.clone(),
    };
    state.lives.insert(vip, life);
    tokio::spawn(live(shared.clone(), vip, start, pass, to_write, inbox));
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
                shared.harness().vigil.note();
                turns.take(count).await;
                loop {
                    match shared.tell(|core, now| core.handle_bytes(now, vip, &mut buffer)) {
                        Turn::Done => break,
                        Turn::Yield => tokio::task::yield_now().await,
                        // Nothing is read meanwhile, so that in the end the host itself waits.
                        Turn::Wait(until) => shared.harness().clock.sleep_until(Some(until)).await,
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
