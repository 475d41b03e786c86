//! Connects one real socket with one flow. Bytes are copied directly between the socket and the flow's buffers.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tracing::Instrument as _;

use super::{dial, shared::Shared};
use crate::{
    addr::FlowKey,
    driver::{harness::World, system::vigil::Vigil},
    edge::Core,
    flow::Receive,
};

/// How long the last bytes of a broken connection may take to arrive at the far end.
const LAST_WORDS_MAX: Duration = Duration::from_secs(5);

/// Begins a new round after a stream has moved the first bytes of a round. The notification puts this task at the end
/// of the runtime's queue, so the streams before it in the queue have their turn first.
pub(super) async fn keep_rounds(shared: Arc<Shared>) -> Infallible {
    loop {
        shared.moved.notified().await;
        shared.lock().round.renew();
    }
}

/// Carries bytes in both directions until both have finished or the connection breaks. One direction can finish before
/// the other. If the connection breaks, it is reset on both sides, and never ends cleanly. Bytes that were sent before
/// the break are delivered before the reset, because a server that refuses an upload may say why just before it resets
/// the connection.
pub(super) async fn carry(shared: Arc<Shared>, flow: FlowKey, socket: TcpStream) {
    let span = tracing::debug_span!(target: "norouter::flow", "flow", %flow);
    carry_to_the_end(shared, flow, socket)
        .instrument(span)
        .await;
}

async fn carry_to_the_end(shared: Arc<Shared>, flow: FlowKey, socket: TcpStream) {
    let mut stream = Stream {
        flow,
        socket,
        local_done: false,
        remote_done: false,
    };
    let vigil = &shared.harness().vigil;
    let end = turns(&shared, flow, |context, core, turn| {
        stream.poll(context, core, vigil, turn)
    })
    .await;
    if let Err(End::SocketBroken) = end {
        let last_words = turns(&shared, flow, |context, core, turn| {
            stream.poll_last_words(context, core, vigil, turn)
        });
        // If the last bytes are not delivered in time, the far end probably does not read them. Then the flow is reset
        // without them.
        let _ = tokio::time::timeout(LAST_WORDS_MAX, last_words).await;
        shared.tell(|core, _| core.handle_broken(flow));
    }
    let clean = end.is_ok();
    tracing::debug!(target: "norouter::flow", clean, "the connection is over");
    if clean {
        dial::end_cleanly(&stream.socket);
    }
    drop(stream);
    shared.leave(flow);
}

/// Polls `work` with a share of the round whenever the flow or its socket has changed, until `work` is ready.
async fn turns(
    shared: &Arc<Shared>,
    flow: FlowKey,
    mut work: impl FnMut(&mut Context<'_>, &mut Core, &mut Share) -> Poll<Result<(), End>>,
) -> Result<(), End> {
    poll_fn(|context| {
        let mut state = shared.lock();
        if state.stopping {
            return Poll::Ready(Err(End::FlowBroken));
        }
        state.wake_on(flow, context.waker());
        let quantum = state.round.quantum();
        let mut turn = Share { quantum, moved: 0 };
        let end = work(context, &mut state.core, &mut turn);
        if state.round.note(turn.moved) {
            shared.moved.notify_one();
        }
        shared.settle(state);
        end
    })
    .await
}

/// The reason why a connection has not ended cleanly. Both of its ends are reset.
enum End {
    /// The flow was reset, or the agent stops.
    FlowBroken,
    /// The connection of the socket is broken. The flow may still carry what the socket's peer had sent before that.
    SocketBroken,
}

struct Stream {
    flow: FlowKey,
    socket: TcpStream,
    /// Whether the peer of the socket has finished sending, and the flow was told.
    local_done: bool,
    /// Whether the far end of the flow has finished sending, and the socket was told.
    remote_done: bool,
}

/// The share of one stream in one turn: how many bytes it may move in each direction, and how many it has moved in both
/// directions together.
struct Share {
    quantum: usize,
    moved: usize,
}

impl Stream {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        vigil: &Vigil,
        turn: &mut Share,
    ) -> Poll<Result<(), End>> {
        let moved = match self.poll_to_socket(context, core, turn) {
            Poll::Ready(Ok(())) => self.poll_to_flow(context, core, vigil, turn),
            // The first direction waits, but the other one can go on.
            Poll::Pending => match self.poll_to_flow(context, core, vigil, turn) {
                Poll::Ready(Ok(())) | Poll::Pending => return Poll::Pending,
                broken @ Poll::Ready(Err(_)) => broken,
            },
            broken @ Poll::Ready(Err(_)) => broken,
        };
        moved.map_err(|_| {
            if core.is_reset(self.flow) {
                core.handle_broken(self.flow);
                return End::FlowBroken;
            }
            End::SocketBroken
        })
    }

    /// Moves what the peer had sent before its socket broke, and waits until the far end has received it.
    fn poll_last_words(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        vigil: &Vigil,
        turn: &mut Share,
    ) -> Poll<Result<(), End>> {
        if core.is_reset(self.flow) {
            return Poll::Ready(Err(End::FlowBroken));
        }
        if !self.local_done {
            // The error of the socket was reported already. A second error only means that no more bytes follow.
            let _ = ready!(self.poll_socket(context, core, vigil, turn));
            self.local_done = true;
        }
        if core.has_delivered(self.flow) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_to_socket(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        turn: &mut Share,
    ) -> Poll<io::Result<()>> {
        let mut left = turn.quantum;
        while !self.remote_done {
            if left == 0 {
                return take_turns(context);
            }
            let socket = &mut self.socket;
            let written = core.receive_with(self.flow, |bytes| {
                let bytes = bytes.get(..left).unwrap_or(bytes);
                let written = Pin::new(socket).poll_write(context, bytes);
                let count = match &written {
                    Poll::Ready(Ok(count)) => *count,
                    Poll::Ready(Err(_)) | Poll::Pending => 0,
                };
                (count, written)
            });
            match written {
                Receive::Data(Poll::Ready(Ok(count))) => {
                    left -= count;
                    turn.moved += count;
                }
                Receive::Data(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
                // The flow will wake this task when it has data, and the socket will wake it when it has room.
                Receive::Data(Poll::Pending) | Receive::Pending => return Poll::Pending,
                Receive::Finished => {
                    // If the other end is already gone, the next read reports that.
                    let _ = Pin::new(&mut self.socket).poll_shutdown(context);
                    self.remote_done = true;
                }
                Receive::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_to_flow(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        vigil: &Vigil,
        turn: &mut Share,
    ) -> Poll<io::Result<()>> {
        if !self.local_done {
            ready!(self.poll_socket(context, core, vigil, turn))?;
            core.handle_finished(self.flow);
            self.local_done = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Moves bytes from the socket into the flow until the peer of the socket has finished sending.
    fn poll_socket(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        vigil: &Vigil,
        turn: &mut Share,
    ) -> Poll<io::Result<()>> {
        let mut left = turn.quantum;
        loop {
            if left == 0 {
                return take_turns(context);
            }
            let socket = &mut self.socket;
            let read = core.send_with(self.flow, |room| {
                let end = room.len().min(left);
                let mut room = ReadBuf::new(&mut room[..end]);
                let read = Pin::new(socket).poll_read(context, &mut room);
                let count = room.filled().len();
                (count, read.map_ok(|()| count))
            });
            match read {
                // If the flow cannot take data now, it will wake this task as soon as it can. A flow that was reset
                // cannot take data any more. But the bytes that it received before the reset have to be delivered
                // first. The other direction delivers them, and then finds the reset.
                None if self.remote_done && core.is_reset(self.flow) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                None | Some(Poll::Pending) => return Poll::Pending,
                Some(Poll::Ready(Ok(0))) => return Poll::Ready(Ok(())),
                Some(Poll::Ready(Ok(count))) => {
                    left -= count;
                    turn.moved += count;
                    vigil.note(count);
                }
                Some(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Lets other tasks run first. The task of `context` is polled again after them.
fn take_turns<T>(context: &Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}
