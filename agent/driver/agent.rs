//! Performs what an agent decides: listens, dials, and carries frames to and from the manager.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::{AbortHandle, JoinSet},
};

use super::{
    clock::{Clock, seed},
    describe, dial, dns,
    listening::{self, Doorman, Places},
    lookup::{Asker, LOOKUPS_MAX},
    memory,
    network_stream::NetworkStream,
    notes::Notes,
    permits,
    pool::{Pool, Turns},
    relay,
    resolver::Resolver,
    resources::{self, Alone},
    signals, stdio,
    stream::{self, Round},
    succession::{self, Successor},
    vigil::Vigil,
};
use crate::{
    addr::{FlowKey, Vip},
    budget::Work,
    edge::{Core, Errand, Files, Output, Service, Turn},
    flow::{Capacity, Holder, TableFull},
    limits::Limits,
    proxy::{Cause, Destination, Failure, Host},
    secret::Secret,
    time::Instant,
    wire::{Desync, control::Configure},
};

/// How much is written to the manager at a time, in bytes. What is written cannot be overtaken any more.
const WRITE_MAX: usize = 128 << 10;

/// How many threads may wait for resolvers and disks: every share of the resolvers, and a few for the rest.
const BLOCKING_MAX: usize = LOOKUPS_MAX + 4;

/// How many questions another host may ask the DNS server in a second, and at once. Programs that want more ask their own.
const QUESTIONS_PER_SECOND: u32 = 1_000;
const QUESTIONS_AT_ONCE: u32 = 100;

/// How many flows this host begins in a second, and at once. With the packets of a short connection that is four fifths of what
/// the manager takes from an agent: the rest is for the flows that there are.
const CONNECTS_PER_SECOND: u32 = 4_000;
const CONNECTS_AT_ONCE: u32 = 32;

/// How many hosts are remembered that have asked.
const ASKERS_MAX: usize = 1_024;

/// How long a dial may take that the manager wants to know of.
const PROBE_MAX: Duration = Duration::from_secs(10);

/// How long connections may take to be reset at the end.
const STOP_MAX: Duration = Duration::from_millis(500);

/// Why an agent has ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The manager closed the stream, which is how it ends an agent.
    #[error("the manager has closed the stream")]
    Closed,
    /// It was told to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// The same manager has started another agent for the same address.
    #[error("another agent of the same manager has taken this one's place")]
    Succeeded,
    /// The manager has been silent for so long that it cannot be there any more.
    #[error("nothing has been heard of the manager for 10 s; it is gone, or the way to it")]
    Silent,
    /// The stream from the manager is broken.
    #[error("the stream from the manager is broken: {0}")]
    Broken(String),
}

/// Runs an agent on standard input and output until the manager or a signal ends it. `configuration` configures it
/// without a manager; `restrict` is what its command permits, if that says anything.
pub fn run_on_stdio(
    restrict: Option<&[String]>,
    configuration: Option<Configure>,
) -> std::io::Result<End> {
    let limits = permits::limits(restrict);
    if let Err(reason) = &limits {
        tracing::warn!("this agent refuses to serve: {reason}");
    }
    let runtime = runtime()?;
    let end = runtime.block_on(async {
        let (input, output) = stdio::open()?;
        let stop = signals::terminated()?;
        let may = May {
            limits,
            capacity: resources::capacity(Alone::Yes),
        };
        Ok(run(input, output, may, configuration, stop).await)
    });
    // A resolver that does not answer has a thread, and must not keep the agent alive.
    runtime.shutdown_background();
    end
}

/// What an agent may do.
pub(super) struct May {
    /// What the administrator of the machine permits, or why that cannot be known.
    pub(super) limits: Result<Limits, String>,
    /// How much there is for its connections.
    pub(super) capacity: Capacity,
}

/// What an agent runs on: one thread, and a few for what cannot be interrupted.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
}

/// Runs an agent on a pair of streams until the manager closes them or `stop` is done. At the end every connection is
/// reset: it did not end cleanly.
pub(super) async fn run(
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin + Send + 'static,
    may: May,
    configuration: Option<Configure>,
    stop: impl Future<Output = ()> + Send,
) -> End {
    memory::keep_large_buffers_apart();
    let shared = Arc::new(Shared::new(may));
    if let Some(configuration) = configuration {
        let configured = shared.lock().core.configure(configuration);
        if let Err(reason) = configured {
            return End::Broken(reason);
        }
        shared.settle(shared.lock());
    }
    // Tasks of their own: what wakes the task that the runtime was started with takes a detour through the kernel.
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_time(shared.clone()));
    tasks.spawn(keep_vigil(shared.clone()));
    tasks.spawn(stream::keep_rounds(shared.clone()));
    tasks.spawn(read(shared.clone(), input));
    tasks.spawn(write(shared.clone(), output));
    let end = tokio::select! {
        Some(ended) = tasks.join_next() => {
            ended.unwrap_or_else(|error| End::Broken(error.to_string()))
        }
        () = stop => End::Stopped,
        () = shared.silent.notified() => End::Silent,
        () = shared.succeeded.notified() => End::Succeeded,
    };
    tasks.shutdown().await;
    shared.stop().await;
    end
}

/// What the tasks of an agent share.
pub(super) struct Shared {
    clock: Clock,
    state: Mutex<State>,
    /// There is something to write to the manager.
    to_write: Notify,
    /// The earliest deadline has moved forward.
    sooner: Notify,
    /// A stream has moved something, the first one in its round.
    pub(super) moved: Notify,
    /// A stream has ended.
    left: Notify,
    /// The manager is gone.
    silent: Notify,
    /// Another agent waits for the end of this one, which the end of its connection tells.
    succeeded: Notify,
    successor: OnceLock<Successor>,
    /// Who waits for a successor.
    place: OnceLock<AbortHandle>,
    pub(super) vigil: Vigil,
    /// With the servers that it leaves out.
    resolver: Mutex<Option<(Vec<SocketAddrV4>, Arc<Resolver>)>>,
    /// How much other hosts have asked the DNS server.
    askers: Mutex<BTreeMap<Ipv4Addr, Work>>,
    /// What has been written for programs on this host.
    notes: Mutex<Notes>,
    /// How many times that was to be done.
    writes: AtomicU64,
    /// The secret part of the status page's address.
    token: String,
    /// What proves to a proxy that a program was sent by this user.
    pass: Secret,
    /// Who says whose a connection is.
    pub(super) doorman: Doorman,
}

/// The machine, and what the driver needs to know beside it.
pub(super) struct State {
    pub(super) core: Core,
    /// The streams that wait for their flow.
    streams: HashMap<FlowKey, Waker>,
    pub(super) round: Round,
    connects: Work,
    pub(super) listeners: Places,
    /// What the timer waits for.
    armed: Option<Instant>,
    /// Every stream is to end with a reset.
    pub(super) stopping: bool,
}

impl State {
    /// Wakes the stream of `flow` when the flow has changed.
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
    fn new(may: May) -> Self {
        Self {
            clock: Clock::start(),
            state: Mutex::new(State {
                core: Core::limited(seed(), may.capacity, may.limits),
                streams: HashMap::new(),
                round: Round::default(),
                connects: Work::new(CONNECTS_PER_SECOND, CONNECTS_AT_ONCE),
                listeners: Places::new(),
                armed: None,
                stopping: false,
            }),
            to_write: Notify::new(),
            sooner: Notify::new(),
            moved: Notify::new(),
            left: Notify::new(),
            silent: Notify::new(),
            succeeded: Notify::new(),
            successor: OnceLock::new(),
            place: OnceLock::new(),
            vigil: Vigil::default(),
            resolver: Mutex::default(),
            askers: Mutex::default(),
            notes: Mutex::default(),
            writes: AtomicU64::default(),
            token: format!("{:016x}{:016x}", seed(), seed()),
            pass: Secret::new(format!("{:016x}{:016x}", seed(), seed())),
            doorman: Doorman::default(),
        }
    }

    /// The state, between two awaits and never across one. A panic in one task leaves it as good as it was.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn pass(&self) -> &Secret {
        &self.pass
    }

    /// The resolvers of this host, without those of the network, which would ask us again.
    pub(super) fn resolver(&self) -> Arc<Resolver> {
        let ours = self.lock().core.dns_servers();
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

    fn handle_bytes(self: &Arc<Self>, buffer: &mut BytesMut) -> Result<Turn, Desync> {
        let mut state = self.lock();
        let turn = state.core.handle_bytes(self.clock.now(), buffer)?;
        self.settle(state);
        Ok(turn)
    }

    /// Begins a flow into the network when there is a turn for it.
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
            self.clock.sleep_until(wait).await;
        }
        let mut state = self.lock();
        let flow = state.core.connect(self.now(), holder, remote);
        self.settle(state);
        flow
    }

    /// Waits until another host may ask the DNS server one more thing.
    pub(super) async fn turn_to_ask(&self, host: Ipv4Addr) {
        let wait = {
            let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.now();
            // Who has not asked for so long has a whole budget again.
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
            self.clock.sleep_until(wait).await;
        }
    }

    /// What was asked on a flow is answered.
    pub(super) fn served(self: &Arc<Self>, flow: FlowKey) {
        self.lock().core.handle_served(flow);
    }

    /// Tells of a destination that could not be dialled what is to be told.
    pub(super) fn tell<T>(
        self: &Arc<Self>,
        destination: &Destination,
        dialled: Result<T, Failure>,
    ) -> Result<T, Failure> {
        dialled.inspect_err(|failure| {
            let mut state = self.lock();
            let now = self.now();
            state.core.handle_not_dialled(now, destination, failure);
            self.settle(state);
        })
    }

    /// See [`Core::suggest`].
    pub(super) fn suggest(self: &Arc<Self>, gateway: Vip, addresses: &[Ipv4Addr]) {
        let mut state = self.lock();
        state.core.suggest(gateway, addresses);
        self.settle(state);
    }

    /// A stream is done with its flow.
    pub(super) fn leave(self: &Arc<Self>, flow: FlowKey) {
        let mut state = self.lock();
        state.streams.remove(&flow);
        state.core.release(flow);
        self.settle(state);
        self.left.notify_one();
    }

    /// Performs what the machine has decided.
    pub(super) fn settle(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        while let Some(output) = state.core.poll_output() {
            match output {
                Output::Listen(listener) => {
                    listening::begin(self, &mut state.listeners, listener, false);
                }
                Output::Hold(listener) => {
                    listening::begin(self, &mut state.listeners, listener, true);
                }
                Output::Close(listener) => {
                    state.listeners.remove(&listener);
                }
                Output::TakePlace(manager, me) => {
                    if let Err(reason) = self.take_place(&manager, me) {
                        state.core.handle_no_place(reason);
                    }
                }
                Output::Serve(flow, service) => {
                    tokio::spawn(serve(self.clone(), flow, service));
                }
                Output::Write(files) => {
                    let number = self.writes.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(write_files(self.clone(), number, *files));
                }
                Output::Dial { flow, host, port } => {
                    tokio::spawn(publish(self.clone(), flow, host, port));
                }
                Output::Probe(id, errand) => {
                    tokio::spawn(probe(self.clone(), id, errand));
                }
                Output::Silent => self.silent.notify_one(),
                Output::Wake(flow) => {
                    if let Some(waker) = state.streams.get(&flow) {
                        waker.wake_by_ref();
                    }
                }
            }
        }
        if state.core.wants_wire() {
            self.to_write.notify_one();
        }
        let next = state.core.poll_timeout().map(|(at, _why)| at);
        if next.is_some_and(|at| state.armed.is_none_or(|armed| at < armed)) {
            self.sooner.notify_one();
        }
    }

    /// Ends an earlier life of this agent, and listens for a later one. Where that cannot be, the ports are free when the
    /// earlier one has noticed by itself that it is alone.
    fn take_place(self: &Arc<Self>, manager: &str, me: Vip) -> Result<(), String> {
        let Some(place) = succession::take_place(manager, me)? else {
            return Ok(());
        };
        let shared = self.clone();
        let task = tokio::spawn(async move {
            let successor = place.successor().await;
            if shared.successor.set(successor).is_ok() {
                shared.succeeded.notify_one();
            }
        });
        // It is taken once in a life.
        let _ = self.place.set(task.abort_handle());
        Ok(())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resets all connections, and takes back what was written.
    async fn stop(&self) {
        {
            let mut state = self.lock();
            state.stopping = true;
            if let Some(place) = self.place.get() {
                place.abort();
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
        // Whatever is left then ends with the process.
        let _ = tokio::time::timeout(STOP_MAX, all_left).await;
        // A successor has written its own by now, or will.
        if self.successor.get().is_none() {
            self.notes().remove();
        }
    }
}

async fn read(shared: Arc<Shared>, mut input: impl AsyncRead + Unpin) -> End {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    let mut turns = Turns::default();
    loop {
        pool.make_room(&mut buffer);
        let count = match input.read_buf(&mut buffer).await {
            Ok(0) => return End::Closed,
            Ok(count) => count,
            Err(error) => return End::Broken(describe(&error)),
        };
        shared.vigil.note();
        turns.take(count).await;
        // What has come for one connection does not make all others wait until it is done.
        while let Turn::Yield = match shared.handle_bytes(&mut buffer) {
            Ok(turn) => turn,
            Err(desync) => return End::Broken(desync.to_string()),
        } {
            tokio::task::yield_now().await;
        }
    }
}

async fn write(shared: Arc<Shared>, mut output: impl AsyncWrite + Unpin) -> End {
    let mut buffer = BytesMut::new();
    loop {
        let now = shared.clock.now();
        {
            let mut state = shared.lock();
            state.core.poll_frames(now, &mut buffer, WRITE_MAX);
            shared.settle(state);
        }
        if buffer.is_empty() {
            shared.to_write.notified().await;
            continue;
        }
        if let Err(error) = output.write_all_buf(&mut buffer).await {
            return End::Broken(describe(&error));
        }
        if let Err(error) = output.flush().await {
            return End::Broken(describe(&error));
        }
    }
}

async fn keep_time(shared: Arc<Shared>) -> End {
    loop {
        let next = {
            let mut state = shared.lock();
            state.armed = state.core.poll_timeout().map(|(at, _why)| at);
            state.armed
        };
        tokio::select! {
            () = shared.clock.sleep_until(next) => {
                let mut state = shared.lock();
                state.core.handle_timeout(shared.clock.now());
                shared.settle(state);
            }
            () = shared.sooner.notified() => {}
        }
    }
}

async fn keep_vigil(shared: Arc<Shared>) -> End {
    shared.vigil.keep().await
}

/// Dials what a flow is for, and joins the two.
async fn publish(shared: Arc<Shared>, flow: FlowKey, host: String, port: u16) {
    let is_published = shared.lock().core.me().map(Vip::address) == Some(*flow.src.ip());
    let dialled = if is_published {
        dial_published(&shared, host, port).await
    } else {
        relay::connect_to_address(&shared, host, port).await
    };
    {
        let mut state = shared.lock();
        state.core.handle_dialled(flow, dialled.is_ok());
        shared.settle(state);
    }
    match dialled {
        Ok(socket) => stream::carry(shared, flow, socket).await,
        Err(failure) => tracing::debug!("{}", failure.reason),
    }
}

/// Connects to what a port of this host is published for.
async fn dial_published(
    shared: &Arc<Shared>,
    host: String,
    port: u16,
) -> Result<TcpStream, Failure> {
    let host = host.parse().unwrap_or(Host::Name(host));
    let destination = Destination { host, port };
    let may = |address| shared.lock().core.may_connect(&destination, address);
    let dialled = dial::dial(&destination, Asker::Ports, may).await;
    shared.tell(&destination, dialled)
}

/// Dials what a flow would have dialled, and closes it at once.
async fn probe(shared: Arc<Shared>, id: u64, errand: Errand) {
    let dialled = async {
        match errand {
            Errand::Published(host, port) => dial_published(&shared, host, port).await,
            Errand::ForOthers(destination) => relay::connect(&shared, None, &destination).await,
        }
    };
    let dialled = tokio::time::timeout(PROBE_MAX, dialled).await;
    let outcome = match dialled {
        Ok(Ok(socket)) => {
            dial::end_cleanly(&socket);
            Ok(())
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure {
            cause: Cause::TimedOut,
            reason: format!("nothing answered within {} s", PROBE_MAX.as_secs()),
        }),
    };
    let mut state = shared.lock();
    state.core.handle_probed(id, outcome);
    shared.settle(state);
}

/// Serves what has come in on a flow by ourselves.
async fn serve(shared: Arc<Shared>, flow: FlowKey, service: Service) {
    let stream = NetworkStream::new(shared.clone(), flow);
    let served = match service {
        Service::Dns => dns::serve_network(shared, stream).await,
        Service::Relay => relay::serve(shared, stream).await,
    };
    if let Err(error) = served {
        tracing::debug!(%flow, "{service:?} broke: {}", describe(&error));
    }
}

/// Writes files for programs on this host, on a thread of its own: a disk may be slow.
async fn write_files(shared: Arc<Shared>, number: u64, files: Files) {
    let writer = shared.clone();
    let Some(me) = shared.lock().core.me() else {
        return;
    };
    let written = tokio::task::spawn_blocking(move || {
        let (page, pass) = (writer.token(), writer.pass());
        writer.notes().write(number, me, &files, page, pass)
    });
    // What is newer has been written meanwhile, or the agent has ended.
    let Ok(Some(problems)) = written.await else {
        return;
    };
    let mut state = shared.lock();
    state.core.handle_files(problems);
    shared.settle(state);
}
