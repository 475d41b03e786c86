//! Performs what an agent decides: listens, dials, and carries frames to and from the manager.

mod dial;
mod dns;
pub mod etc_hosts;
mod gate;
mod leftovers;
mod listening;
mod lookup;
mod network_stream;
mod notes;
pub(super) mod outward;
pub mod permits;
mod proxy;
mod real_addresses;
mod relay;
mod round;
mod shared;
pub mod state_dir;
mod stream;
#[cfg_attr(not(unix), path = "succession/nowhere.rs")]
mod succession;

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

pub(super) use self::shared::May;
use self::{
    lookup::{Asker, LOOKUPS_MAX},
    network_stream::NetworkStream,
    shared::{Shared, State},
};
use super::{
    harness::{Harness, Machine, World, keep_time, keep_vigil},
    system::{
        describe, memory, open_ports,
        pool::{Pool, Turns},
        resources::{self, Alone},
        signals, stdio,
    },
};
use crate::{
    addr::{FlowKey, Vip},
    destination::{Destination, Host},
    edge::{Core, Errand, Output, Progress, Service, permitted},
    time::Instant,
    wire::{Cause, Failure, control::Configure, probe::Found},
};

/// How many bytes are written to the manager at a time. There is a limit because urgent frames cannot overtake bytes
/// that are already written.
const WRITE_MAX: usize = 128 << 10;

/// How many threads may wait for resolvers and disks: one for each lookup, and a few for the rest.
const BLOCKING_MAX: usize = LOOKUPS_MAX + 4;

/// How long the dial of a probe may take.
const PROBE_MAX: Duration = Duration::from_secs(10);

/// How long the dial of the other loopback address may take. A machine answers itself at once.
const BESIDE_MAX: Duration = Duration::from_secs(1);

/// Why an agent has ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The manager closed the stream, which is how it ends an agent.
    #[error("the manager has closed the stream")]
    Closed,
    /// A signal told the agent to stop.
    #[error("stopped by a signal")]
    Stopped,
    /// The same run of the manager has started another agent for the same address.
    #[error("another agent of the same manager has taken this one's place")]
    Succeeded,
    /// The manager has been silent for so long that it must be gone.
    #[error("the manager has sent nothing for 10 s: it has ended, or the connection to it is down")]
    Silent,
    /// The configuration that the agent was started with cannot be used.
    #[error("this configuration cannot be used: {0}")]
    Unconfigured(String),
    /// The stream from or to the manager is broken.
    #[error("the stream from the manager is broken: {0}")]
    Broken(String),
}

/// Runs an agent on standard input and output until the manager or a signal ends it. With `configuration`, the agent
/// runs without a manager. `restrict` has the permits of the option `--restrict` on the agent's command line. It is
/// `None` if that option was not given.
pub fn run_on_stdio(
    restrict: Option<&[String]>,
    configuration: Option<Configure>,
) -> std::io::Result<End> {
    let limits = permits::limits(restrict);
    if let Err(reason) = &limits {
        tracing::warn!("this agent refuses to serve: {reason}");
    }
    let runtime = runtime()?;
    runtime.spawn_blocking(leftovers::remove);
    let end = runtime.block_on(async {
        let (input, output) = stdio::open()?;
        let stop = signals::terminated()?;
        let may = May {
            limits,
            capacity: resources::capacity(Alone::Yes),
        };
        Ok(run(input, output, may, configuration, stop).await)
    });
    // A resolver that does not answer occupies a thread, which must not keep the process alive.
    runtime.shutdown_background();
    end
}

/// The runtime of an agent: one thread for all tasks, and others for calls that cannot be interrupted.
pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
}

/// Runs an agent on a pair of streams until the manager closes them or `stop` completes. When the agent ends, all
/// connections are reset, because they have not ended cleanly.
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
        let configured = shared.tell(|core, _| core.configure(configuration));
        if let Err(reason) = configured {
            return End::Unconfigured(reason);
        }
    }
    // All work runs in spawned tasks, because waking the runtime's main task needs a system call.
    let mut tasks = JoinSet::new();
    let endless = shared.clone();
    tasks.spawn(async move { match keep_time(endless).await {} });
    let endless = shared.clone();
    tasks.spawn(async move { match keep_vigil(endless).await {} });
    let endless = shared.clone();
    tasks.spawn(async move { match stream::keep_rounds(endless).await {} });
    let endless = shared.clone();
    tasks.spawn(async move { match keep_files(endless).await {} });
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

    fn harness(&self) -> &Harness<State> {
        Shared::harness(self)
    }

    fn machine(state: &mut State) -> &mut Core {
        &mut state.core
    }

    fn log_output(output: &Output) {
        if let Output::Listen(_) | Output::Hold(_) | Output::Close(_) = output {
            tracing::debug!(target: "norouter::edge", ?output);
        } else {
            tracing::trace!(target: "norouter::edge", ?output);
        }
    }

    fn log_timer(why: &'static str, late: Duration) {
        tracing::trace!(target: "norouter::edge", why, ?late, "timer");
    }

    fn perform(self: &Arc<Self>, state: &mut State, output: Output) {
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
            Output::EndPredecessor(manager, me) => {
                if let Err(reason) = take_place(self, &manager, me) {
                    state.core.handle_no_place(reason);
                }
            }
            Output::Serve(flow, service) => {
                tokio::spawn(serve(self.clone(), flow, service));
            }
            Output::Write(files) => {
                self.files.send_replace(Some(files));
            }
            Output::Dial { flow, host, port } => {
                tokio::spawn(publish(self.clone(), flow, host, port));
            }
            Output::Probe(id, errand) => {
                tokio::spawn(probe(self.clone(), id, errand));
            }
            Output::OpenPorts(id) => {
                tokio::spawn(list_open_ports(self.clone(), id));
            }
            Output::Silent => self.silent.notify_one(),
            Output::Wake(flow) => {
                if let Some(waker) = state.streams.get(&flow) {
                    waker.wake_by_ref();
                }
            }
        }
    }

    fn settled(self: &Arc<Self>, state: &mut State) {
        if state.core.wants_wire() {
            self.to_write.notify_one();
        }
    }
}

/// Ends an earlier agent of the same manager and address, and starts a task that waits until a later agent asks this
/// one to end. An earlier agent that cannot be ended frees its ports when it notices that its manager is gone.
fn take_place(shared: &Arc<Shared>, manager: &str, me: Vip) -> Result<(), String> {
    let Some(socket) = succession::take_place(manager, me)? else {
        return Ok(());
    };
    let inner = shared.clone();
    let task = tokio::spawn(async move {
        let successor = socket.successor().await;
        if inner.successor.set(successor).is_ok() {
            inner.succeeded.notify_one();
        }
    });
    // This cannot fail: the cell is still empty, because an agent takes its place only once.
    let _ = shared.awaits_successor.set(task.abort_handle());
    Ok(())
}

async fn read(shared: Arc<Shared>, mut input: impl AsyncRead + Unpin) -> End {
    let (mut pool, mut buffer) = (Pool::default(), BytesMut::new());
    let mut turns = Turns::default();
    loop {
        let count = match pool.read(&mut input, &mut buffer).await {
            Ok(0) => return End::Closed,
            Ok(count) => count,
            Err(error) => return End::Broken(describe(&error)),
        };
        shared.harness().vigil.note(count);
        turns.take(count).await;
        // A full buffer is handled in several turns, so that other connections do not wait until all of it is handled.
        loop {
            match shared.tell(|core, now| core.handle_bytes(now, &mut buffer)) {
                Ok(Progress::Done) => break,
                Ok(Progress::Yield) => tokio::task::yield_now().await,
                Err(desync) => return End::Broken(desync.to_string()),
            }
        }
    }
}

async fn write(shared: Arc<Shared>, mut output: impl AsyncWrite + Unpin) -> End {
    let mut buffer = BytesMut::new();
    loop {
        shared.tell(|core, now| core.poll_frames(now, &mut buffer, WRITE_MAX));
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

/// Dials the destination of a flow, and carries bytes between the flow and the new connection.
async fn publish(shared: Arc<Shared>, flow: FlowKey, host: String, port: u16) {
    let is_published = shared.lock().core.me().map(Vip::address) == Some(*flow.src.ip());
    let wanted = is_published.then(|| published(&host, port));
    let dialled = match &wanted {
        Some(wanted) => dial_published(&shared, wanted).await,
        None => relay::connect_to_address(&shared, host, port).await,
    };
    shared.tell(|core, _| core.handle_dialled(flow, dialled.is_ok()));
    match dialled {
        Ok(socket) => stream::carry(shared, flow, socket).await,
        // The other loopback address is tried only if somebody reads the result.
        Err(failure) if tracing::enabled!(tracing::Level::DEBUG) => {
            let found = match wanted {
                Some(wanted) => look_beside(&shared, &wanted, failure).await,
                None => failure.into(),
            };
            tracing::debug!("{}", found.reason);
        }
        Err(_) => {}
    }
}

/// The service behind a published port of this host.
fn published(host: &str, port: u16) -> Destination {
    let host = host.parse().unwrap_or_else(|_| Host::Name(host.to_owned()));
    Destination { host, port }
}

/// Connects to the service behind a published port of this host.
async fn dial_published(shared: &Arc<Shared>, wanted: &Destination) -> Result<TcpStream, Failure> {
    let may = |address| {
        let state = shared.lock();
        state.core.rights().may_connect_for_port(wanted, address)
    };
    let dialled = match dial::dial(shared, wanted, Asker::Ports, may).await {
        // This agent may have written the name into the hosts file, and then it leads back into the network. The DNS
        // servers outside the network may still know the original meaning of the name.
        Err(failure) if failure.cause == Cause::NameNotFound => {
            match permitted(outside(shared, wanted).await, may) {
                Ok(addresses) if !addresses.is_empty() => dial::dial_any(wanted, &addresses).await,
                Ok(_) | Err(_) => Err(failure),
            }
        }
        dialled => dialled,
    };
    shared.note_failure(wanted, dialled)
}

/// If 127.0.0.1 or `::1` has refused a dial, tries the other one of these two addresses, because many servers listen on
/// only one of them. If something listens there, the failure says so. The other address is not tried if the limits of
/// this machine do not permit it.
async fn look_beside(shared: &Arc<Shared>, wanted: &Destination, failure: Failure) -> Found {
    let refused = failure.cause == Cause::Refused;
    let mut found = Found::from(failure);
    let Some(other) = dial::other_loopback(wanted).filter(|_| refused) else {
        return found;
    };
    let beside = Destination {
        host: Host::Ip(other.ip()),
        port: other.port(),
    };
    let may = |address| shared.lock().core.rights().may_connect(&beside, address);
    let dialled = dial::dial(shared, &beside, Asker::Ports, may);
    if let Ok(Ok(socket)) = tokio::time::timeout(BESIDE_MAX, dialled).await {
        dial::end_cleanly(&socket);
        let reason = found.reason.trim_end_matches('.');
        found.reason = format!("{reason}; but something listens on {other}.");
        found.instead = Some(other);
    }
    found
}

/// Asks the DNS servers of this machine, but not those of the network, for the addresses of a destination. The result
/// is empty if the destination is not a name of the network.
async fn outside(shared: &Arc<Shared>, destination: &Destination) -> Vec<SocketAddr> {
    let name = {
        let state = shared.lock();
        let name = state.core.rights().name_in_network(destination);
        name.map(ToOwned::to_owned)
    };
    let Some(name) = name else {
        return Vec::new();
    };
    let addresses = shared.resolver().addresses(&name).await.into_iter();
    addresses
        .map(|address| SocketAddr::new(address.to_canonical(), destination.port))
        .collect()
}

/// Dials in the same way as for a flow, and closes the connection at once.
async fn probe(shared: Arc<Shared>, id: u64, errand: Errand) {
    let dialled = async {
        match errand {
            Errand::Published(host, port) => {
                let wanted = published(&host, port);
                match dial_published(&shared, &wanted).await {
                    Ok(socket) => Ok(socket),
                    Err(failure) => Err(look_beside(&shared, &wanted, failure).await),
                }
            }
            Errand::ForOthers(destination) => relay::connect(&shared, None, &destination)
                .await
                .map_err(Found::from),
        }
    };
    let dialled = tokio::time::timeout(PROBE_MAX, dialled).await;
    let outcome = match dialled {
        Ok(Ok(socket)) => {
            dial::end_cleanly(&socket);
            Ok(())
        }
        Ok(Err(found)) => Err(found),
        Err(_) => Err(Found {
            cause: Some(Cause::TimedOut),
            reason: format!("nothing answered within {} s", PROBE_MAX.as_secs()),
            instead: None,
        }),
    };
    shared.tell(|core, _| core.handle_probed(id, outcome));
}

/// Lists the ports of this host on which programs listen.
async fn list_open_ports(shared: Arc<Shared>, id: u64) {
    let listed = tokio::task::spawn_blocking(open_ports::list).await;
    let outcome = listed.unwrap_or_else(|error| Err(error.to_string()));
    shared.tell(|core, _| core.handle_open_ports(id, outcome));
}

/// Serves a flow to one of the agent's own services.
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

/// The work that is due on the files of this host.
enum Due {
    /// The content of the files has changed, and has to be written.
    Write,
    /// The hosts file has to be checked, because another program may have removed the block from it.
    Look,
    /// Files that could not be written have to be tried again.
    Retry,
}

/// Writes the files for programs on this host whenever their content changes, and keeps the block in its hosts file.
/// Disks may be slow, so they are used on a separate thread. The content changes many times while a large network
/// starts. If it changes during a write, only the newest content is kept for the next write.
async fn keep_files(shared: Arc<Shared>) -> Infallible {
    let mut wanted = shared.files.subscribe();
    // The first content may have been sent before this task started.
    wanted.mark_changed();
    let (mut looks, mut retry_at) = (false, None);
    loop {
        let retry = tokio::time::sleep_until(retry_at.unwrap_or_else(tokio::time::Instant::now));
        let due = tokio::select! {
            // The sender is in `shared`, so it is never dropped before the receiver.
            _ = wanted.changed() => Due::Write,
            () = retry, if retry_at.is_some() => Due::Retry,
            () = tokio::time::sleep(etc_hosts::LOOK), if looks => Due::Look,
        };
        let files = match due {
            Due::Write => wanted.borrow_and_update().clone(),
            Due::Look | Due::Retry => wanted.borrow().clone(),
        };
        let (Some(me), Some(files)) = (shared.lock().core.me(), files) else {
            continue;
        };
        let is_look = matches!(due, Due::Look);
        let keeper = shared.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let (now, mut notes) = (keeper.now(), keeper.notes());
            let (token, pass) = (keeper.token(), keeper.pass());
            let problems = match due {
                Due::Write => notes.write(now, me, &files, token, pass),
                Due::Look => notes.look(now),
                Due::Retry => notes.retry(now, me, &files, token, pass),
            };
            (problems, notes.has_hosts_file(), notes.has_failed())
        });
        let has_failed;
        let problems;
        (problems, looks, has_failed) = kept.await.unwrap_or_default();
        let planned = retry_at.filter(|_| is_look);
        let next = || planned.unwrap_or_else(|| tokio::time::Instant::now() + etc_hosts::AGAIN);
        retry_at = has_failed.then(next);
        if let Some(problems) = problems
            && let Some(text) = shared.tell(|core, _| core.handle_files(problems))
        {
            tracing::warn!("{text}");
        }
    }
}
