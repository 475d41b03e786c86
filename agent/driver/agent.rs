//! Performs what an agent decides: listens, dials, and carries frames to and from the manager.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::HashMap,
    future::Future,
    net::SocketAddrV4,
    rc::Rc,
    task::Waker,
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
    task::LocalSet,
};

use super::{
    clock::{Clock, seed},
    describe, dial,
    pool::Pool,
    signals, stdio, stream,
};
use crate::{
    addr::FlowKey,
    edge::{Core, Output},
    time::Instant,
    wire::control::Configure,
};

/// How much is written to the manager at a time, in bytes. What is written cannot be overtaken any more.
const WRITE_MAX: usize = 128 << 10;

/// How long a listener rests after the operating system has refused to accept: descriptors are short, and a loop
/// that asks again at once makes that worse.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

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
    /// The stream from the manager is broken.
    #[error("the stream from the manager is broken: {0}")]
    Broken(String),
}

/// Runs an agent on standard input and output until the manager or a signal ends it. `configuration` configures it
/// without a manager.
pub fn run_on_stdio(configuration: Option<Configure>) -> std::io::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .thread_keep_alive(Duration::from_secs(2))
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let (input, output) = stdio::open()?;
        let stop = signals::terminated()?;
        Ok(run(input, output, configuration, stop).await)
    })
}

/// Runs an agent on a pair of streams, inside a [`LocalSet`], until the manager closes them or `stop` is done. At
/// the end every connection is reset: it did not end cleanly.
pub(super) async fn run(
    input: impl AsyncRead + Unpin + 'static,
    output: impl AsyncWrite + Unpin + 'static,
    configuration: Option<Configure>,
    stop: impl Future<Output = ()>,
) -> End {
    let shared = Rc::new(Shared::new());
    if let Some(configuration) = configuration {
        let configured = shared.core_mut().configure(configuration);
        if let Err(reason) = configured {
            return End::Broken(reason);
        }
        shared.settle();
    }
    let timer = tokio::task::spawn_local(keep_time(shared.clone()));
    let end = tokio::select! {
        end = read(shared.clone(), input) => end,
        end = write(shared.clone(), output) => end,
        () = stop => End::Stopped,
    };
    timer.abort();
    shared.stop().await;
    end
}

/// What the tasks of an agent share.
pub(super) struct Shared {
    clock: Clock,
    core: RefCell<Core>,
    /// The streams that wait for their flow.
    streams: RefCell<HashMap<FlowKey, Waker>>,
    /// There is something to write to the manager.
    to_write: Notify,
    /// The earliest deadline has moved forward.
    sooner: Notify,
    /// What the timer waits for.
    armed: Cell<Option<Instant>>,
    stopping: Cell<bool>,
    /// A stream has ended.
    left: Notify,
}

impl Shared {
    fn new() -> Self {
        Self {
            clock: Clock::start(),
            core: RefCell::new(Core::new(seed())),
            streams: RefCell::default(),
            to_write: Notify::new(),
            sooner: Notify::new(),
            armed: Cell::new(None),
            stopping: Cell::new(false),
            left: Notify::new(),
        }
    }

    /// The machine. Never held across an await.
    pub(super) fn core_mut(&self) -> RefMut<'_, Core> {
        self.core.borrow_mut()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Wakes the stream of `flow` when the flow has changed.
    pub(super) fn wake_on(&self, flow: FlowKey, waker: &Waker) {
        let mut streams = self.streams.borrow_mut();
        match streams.get_mut(&flow) {
            Some(stored) => stored.clone_from(waker),
            None => {
                streams.insert(flow, waker.clone());
            }
        }
    }

    /// A stream is done with its flow.
    pub(super) fn leave(self: &Rc<Self>, flow: FlowKey) {
        self.streams.borrow_mut().remove(&flow);
        self.core_mut().release(flow);
        self.left.notify_one();
        self.settle();
    }

    /// Performs what the machine has decided.
    pub(super) fn settle(self: &Rc<Self>) {
        loop {
            let output = self.core_mut().poll_output();
            let Some(output) = output else {
                break;
            };
            match output {
                Output::Listen(address) => {
                    tokio::task::spawn_local(listen(self.clone(), address));
                }
                Output::Dial { flow, host, port } => {
                    tokio::task::spawn_local(serve(self.clone(), flow, host, port));
                }
                Output::Wake(flow) => {
                    if let Some(waker) = self.streams.borrow().get(&flow) {
                        waker.wake_by_ref();
                    }
                }
            }
        }
        let core = self.core.borrow();
        if core.wants_wire() {
            self.to_write.notify_one();
        }
        let next = core.poll_timeout().map(|(at, _why)| at);
        if next.is_some_and(|at| self.armed.get().is_none_or(|armed| at < armed)) {
            self.sooner.notify_one();
        }
    }

    /// Resets all connections.
    async fn stop(&self) {
        self.stopping.set(true);
        for waker in self.streams.borrow().values() {
            waker.wake_by_ref();
        }
        let all_left = async {
            while !self.streams.borrow().is_empty() {
                self.left.notified().await;
            }
        };
        // Whatever is left then ends with the process.
        let _ = tokio::time::timeout(STOP_MAX, all_left).await;
    }
}

async fn read(shared: Rc<Shared>, mut input: impl AsyncRead + Unpin) -> End {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    loop {
        pool.make_room(&mut buffer);
        match input.read_buf(&mut buffer).await {
            Ok(0) => return End::Closed,
            Ok(_) => {}
            Err(error) => return End::Broken(describe(&error)),
        }
        let now = shared.clock.now();
        let outcome = shared.core_mut().handle_bytes(now, &mut buffer);
        if let Err(desync) = outcome {
            return End::Broken(desync.to_string());
        }
        shared.settle();
    }
}

async fn write(shared: Rc<Shared>, mut output: impl AsyncWrite + Unpin) -> End {
    let mut buffer = BytesMut::new();
    loop {
        let now = shared.clock.now();
        shared.core_mut().poll_frames(now, &mut buffer, WRITE_MAX);
        shared.settle();
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

async fn keep_time(shared: Rc<Shared>) {
    loop {
        let next = shared.core.borrow().poll_timeout().map(|(at, _why)| at);
        shared.armed.set(next);
        tokio::select! {
            () = shared.clock.sleep_until(next) => {
                let now = shared.clock.now();
                shared.core_mut().handle_timeout(now);
                shared.armed.set(None);
                shared.settle();
            }
            () = shared.sooner.notified() => {}
        }
    }
}

/// Listens on an address and brings every connection into the network.
async fn listen(shared: Rc<Shared>, address: SocketAddrV4) {
    let listener = dial::listen(address);
    let outcome = listener.as_ref().map(|_| ()).map_err(String::clone);
    let now = shared.clock.now();
    shared.core_mut().handle_listening(now, address, outcome);
    shared.settle();
    if let Ok(listener) = listener {
        accept(shared, &listener, address).await;
    }
}

async fn accept(shared: Rc<Shared>, listener: &TcpListener, address: SocketAddrV4) {
    while !shared.is_stopping() {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                tracing::warn!(%address, %error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // A keystroke must not wait for an acknowledgment; if this fails it is only slower.
        let _ = socket.set_nodelay(true);
        let now = shared.clock.now();
        let flow = shared.core_mut().handle_accepted(now, address);
        match flow {
            Ok(flow) => {
                tokio::task::spawn_local(stream::carry(shared.clone(), flow, socket));
            }
            Err(full) => {
                tracing::warn!(%address, "refused a connection: {full}");
                dial::reset(socket);
            }
        }
        shared.settle();
    }
}

/// Dials what a flow is for, and joins the two.
async fn serve(shared: Rc<Shared>, flow: FlowKey, host: String, port: u16) {
    let dialled = dial::dial(&host, port).await;
    shared.core_mut().handle_dialled(flow, dialled.is_ok());
    shared.settle();
    match dialled {
        Ok(socket) => stream::carry(shared, flow, socket).await,
        Err(error) => tracing::debug!(%host, port, "cannot connect: {}", describe(&error)),
    }
}
