//! Performs what the manager decides: starts and ends agents, and carries frames between them.

mod agents;
mod batch;
mod child;
mod clean;
mod control_socket;
pub mod doubts;
mod errands;
mod handle;
mod inside;
mod journal;
mod look;
mod name;
pub mod origin;
mod pass;
mod published;
mod shared;
mod stderr;
mod transport;
mod trial;

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    runtime::{Builder, Runtime},
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};
use tracing::Instrument as _;

pub(super) use self::pass::{HELPER, PASS};
use self::{
    batch::Batch,
    errands::Errands,
    journal::Journal,
    pass::Pass,
    shared::{AgentTasks, Order, Shared, State, TICK, WakeWatch},
    stderr::{REST_MAX, read_errors},
};
pub use self::{
    clean::{clean, ways},
    control_socket::ControlSocket,
    handle::{Handle, Manager},
    inside::Inside,
    name::{NameError, NetworkName},
    pass::adopt_program,
    shared::{Intent, ReloadRequest, Unmet},
    trial::Trial,
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
    manager::{Core, Output, Turn},
    plan::{Plan, Start},
    time::Instant,
    view::Event,
};

/// How many bytes are taken from a host's queue at a time. There is a limit because urgent frames cannot overtake
/// frames that were already taken.
const BATCH_MAX: usize = 128 << 10;

/// If a write to an agent makes no progress for this time, that counts as a stall.
const STALL_LOOK: Duration = Duration::from_secs(2);

/// An agent counts as one that does not read any more after this many stalls in a row. Stalls are counted instead of
/// seconds, so that a manager that was suspended does not blame its agents.
const STALLS_MAX: u32 = 5;

/// How many events a receiver may lag behind. If it lags further, it loses events, and has to read the snapshot
/// instead.
const EVENTS_MAX: usize = 1_024;

impl Manager {
    /// Starts all hosts of a plan. The manager runs until [`Intent::Down`].
    ///
    /// The returned receiver gets every event from the start, and may be dropped. `door` is the control socket for
    /// other programs of this user.
    pub fn start(
        plan: &Plan,
        door: Option<impl ControlSocket>,
    ) -> io::Result<(Self, broadcast::Receiver<Event>)> {
        Self::run(Core::new(plan, seed()), door)
    }

    /// Starts all hosts of a network.
    fn run(
        core: Core,
        door: Option<impl ControlSocket>,
    ) -> io::Result<(Self, broadcast::Receiver<Event>)> {
        resources::open_files();
        let runtime = runtime()?;
        let clock = Clock::start();
        let (errands, inbox) = Errands::new();
        let (reload, reloads) = mpsc::unbounded_channel();
        let (snapshots, snapshot) = watch::channel(Arc::new(core.snapshot(clock.now())));
        let (sender, events) = broadcast::channel(EVENTS_MAX);
        let (face, faces) = mpsc::channel(1);
        let (over, ending) = watch::channel(false);
        let journal = Arc::new(Journal::default());
        let handle = Handle {
            errands: errands.clone(),
            snapshot: snapshot.clone(),
            events: sender.downgrade(),
            clock,
            _face: face,
        };
        let state = State {
            core,
            changed: false,
            publish_at: Instant::ZERO,
            tasks: HashMap::new(),
            looks: HashMap::new(),
            reply_waiters: HashMap::new(),
            prompt_waiters: HashMap::new(),
        };
        let shared = Arc::new(Shared {
            harness: Harness::new(clock, state),
            network: door.as_ref().map(|door| door.name().clone()),
            snapshots,
            unpublished: Notify::new(),
            events: sender,
            over: Notify::new(),
            configuring: tokio::sync::Mutex::default(),
            journal: journal.clone(),
            wake_watch: Mutex::new(WakeWatch::start(clock.now())),
        });
        let inside = Inside {
            errands,
            turn: Arc::default(),
            snapshots: snapshot,
            journal,
            reload,
            over: ending,
        };
        if let Some(door) = door {
            serve(door, inside)?;
        }
        let (end, ended) = oneshot::channel();
        let thread = thread("manager", move || {
            runtime.block_on(run(shared, inbox, faces, over));
            // A resolver that does not answer occupies a thread, which must not keep the manager alive.
            runtime.shutdown_background();
            drop(end);
        })?;
        let manager = Self {
            handle,
            reloads: Some(reloads),
            thread,
            ended,
        };
        Ok((manager, events))
    }
}

/// Serves the control socket on a thread of its own. In this way, packets do not wait for the programs on the control
/// socket, except for the short errands that [`Inside`] gives to the manager's thread. And these programs do not wait
/// for packets.
fn serve(door: impl ControlSocket, inside: Inside) -> io::Result<()> {
    let runtime = runtime()?;
    // When this thread ends, it drops `inside`. The manager notices that.
    thread("control", move || runtime.block_on(door.serve(inside))).map(drop)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn thread(name: &str, what: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(what)
}

/// Runs the network to its end. `faces` is closed when all handles are dropped.
async fn run(
    shared: Arc<Shared>,
    inbox: errands::Inbox,
    mut faces: mpsc::Receiver<Infallible>,
    over: watch::Sender<bool>,
) {
    let mut timers = JoinSet::new();
    timers.spawn(keep_time(shared.clone()));
    timers.spawn(keep_vigil(shared.clone()));
    timers.spawn(published::keep(shared.clone()));
    tokio::spawn(errands::run(shared.clone(), inbox));
    shared.tell(Core::start);
    let mut has_faces = true;
    while !shared.lock().core.is_over() {
        tokio::select! {
            () = shared.over.notified() => {}
            // The program that has started the network has dropped its handles, so nobody can control the network any
            // more.
            None = faces.recv(), if has_faces => {
                has_faces = false;
                shared.tell(Core::stop);
            }
        }
    }
    over.send_replace(true);
    // The network has ended. The control socket still answers, and passes on the last events.
    over.closed().await;
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

    fn log_output(output: &Output) {
        if let Output::Event(Event::Host {
            host,
            vip,
            state,
            reason,
            ..
        }) = output
        {
            let (state, reason) = (state.word(), reason.as_deref().unwrap_or_default());
            tracing::debug!(target: "norouter::link", %vip, %host, state, reason);
        } else if let Output::Spawn(vip, _) | Output::Look(vip, ..) = output {
            // The command may contain secrets, so it is not logged.
            tracing::trace!(target: "norouter::manager", %vip, "spawn");
        } else {
            tracing::trace!(target: "norouter::manager", ?output);
        }
    }

    fn log_timer(why: &'static str, late: Duration) {
        tracing::trace!(target: "norouter::manager", why, ?late, "timer");
    }

    fn perform(self: &Arc<Self>, state: &mut State, output: Output) {
        match output {
            Output::Spawn(vip, start) => spawn(self, state, vip, start),
            Output::Look(vip, number, words) => look::begin(self, state, vip, number, words),
            Output::EndLook(vip, number) => {
                // The command may have ended a moment ago.
                let _ = state.looks.remove(&(vip, number)).map(|end| end.send(()));
            }
            Output::CloseInput(vip) => state.order(vip, Order::CloseInput),
            Output::Terminate(vip) => state.order(vip, Order::Terminate),
            Output::Kill(vip) => state.order(vip, Order::Kill),
            Output::Wake(vip) => {
                if let Some(tasks) = state.tasks.get(&vip) {
                    tasks.to_write.notify_one();
                }
            }
            Output::Fetch(vip, sum) => {
                let shared = self.clone();
                tokio::spawn(async move {
                    let parcel = agents::read(sum.clone()).await;
                    shared.tell(|core, now| core.handle_parcel(now, vip, &sum, parcel));
                });
            }
            Output::Reply(vip, id, reply) => {
                if let Some(waiter) = state.reply_waiters.remove(&(vip, id)) {
                    // The requester may not be waiting any more.
                    let _ = waiter.send(reply);
                }
            }
            Output::Answer(prompt, answer) => {
                if let Some(waiter) = state.prompt_waiters.remove(&prompt) {
                    // The helper that asked may have ended a moment ago.
                    let _ = waiter.send(answer);
                }
            }
            Output::Event(event) => {
                self.journal.note(event.clone());
                // An event may have no receivers.
                let _ = self.events.send(event);
            }
            Output::Changed => state.changed = true,
        }
    }

    fn settled(self: &Arc<Self>, state: &mut State) {
        if state.changed {
            published::publish(self, state);
            if state.core.is_over() {
                self.over.notify_one();
            }
        }
    }

    fn ticked(self: &Arc<Self>, late: Duration) {
        let watch = &mut *self
            .wake_watch
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if watch.has_woken(self.now(), late) {
            tracing::debug!("the machine slept or changed networks");
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
    let tasks = AgentTasks {
        to_write: to_write.clone(),
        orders,
        pass: pass.clone(),
    };
    state.tasks.insert(vip, tasks);
    let span = tracing::debug_span!(target: "norouter::link", "host", %vip);
    tokio::spawn(live(shared.clone(), vip, start, pass, to_write, inbox).instrument(span));
}

/// Runs one agent: starts it, carries frames in both directions until it ends, and cleans up.
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
            shared.lock().tasks.remove(&vip);
            return shared.tell(|core, now| core.handle_spawned(now, vip, Err(reason)));
        }
    };
    let offers = match start {
        Start::Shell(_) => Some(agents::offers().await),
        Start::InProcess | Start::Command(_) | Start::Chosen(_) => None,
    };
    // All commands of a network are started before the first one is sent something, because the operating system needs
    // longer to start a command the more memory the manager has. Then one after the other is sent its configuration. The
    // pipe of each has taken as much as it can before the next one is made, so that they do not fill the memory together.
    tokio::task::yield_now().await;
    let configuring = shared.configuring.lock().await;
    if let Some(offers) = offers {
        shared.tell(|core, now| core.handle_shell(now, vip, offers));
    } else {
        shared.tell(|core, now| core.handle_spawned(now, vip, Ok(())));
    }
    let writer = write(shared.clone(), vip, pipes.input, to_write);
    let mut writer = tokio::spawn(writer.in_current_span());
    let errors = read_errors(shared.clone(), vip, pipes.errors);
    let mut errors = tokio::spawn(errors.in_current_span());
    tokio::task::yield_now().await;
    drop(configuring);
    let mut reader = pin!(read(shared.clone(), vip, pipes.output));
    let (mut reading, mut writing) = (true, true);
    let ending = loop {
        tokio::select! {
            () = &mut reader, if reading => {
                reading = false;
                shared.tell(|core, now| core.handle_closed(now, vip));
            }
            // If nothing can be written to an agent any more, it is treated as gone, even if it still sends.
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
    // The rest of the agent's output may explain why it has ended. The wait has a limit, because processes that the
    // agent has started may keep the pipes open.
    let rest = async {
        if reading {
            reader.await;
        }
        let _ = (&mut errors).await;
    };
    let _ = tokio::time::timeout(REST_MAX, rest).await;
    writer.abort();
    errors.abort();
    // Ends the processes that the agent has started.
    process.kill();
    shared.lock().tasks.remove(&vip);
    shared.tell(|core, now| core.handle_exit(now, vip, ending));
}

async fn read(shared: Arc<Shared>, vip: Vip, mut output: impl AsyncRead + Unpin + Send) {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    let mut turns = Turns::default();
    loop {
        match pool.read(&mut output, &mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => {
                shared.harness().vigil.note(count);
                turns.take(count).await;
                loop {
                    match shared.tell(|core, now| core.handle_bytes(now, vip, &mut buffer)) {
                        Turn::Done => break,
                        Turn::Yield => tokio::task::yield_now().await,
                        // Nothing is read during this wait. The pipe fills up, and then the host itself has to wait.
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
        let now = shared.now();
        while batch.remaining() < BATCH_MAX
            && let Some(frame) = shared.lock().core.poll_frame(now, vip)
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

#[cfg(test)]
mod tests;
