//! One real socket and one flow, joined: bytes go straight from the socket into the flow's buffer and back.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{agent::Shared, dial, vigil::Vigil};
use crate::{addr::FlowKey, edge::Core, flow::Receive};

/// What all streams that have much to carry move in a round, in bytes, so that whoever has little need not wait long.
const ROUND: usize = 512 << 10;

/// What one of them moves at least. Less would not be worth its turn.
const QUANTUM_MIN: usize = 4 << 10;

/// How much one stream may move each way before it is others' turn, while so many others have more to move than that.
fn quantum(busy: usize) -> usize {
    (ROUND / (busy + 1)).max(QUANTUM_MIN)
}

/// Carries bytes both ways until both ends are done, or one breaks. Each direction ends on its own; what breaks is
/// reset on both sides, never ended cleanly.
pub(super) async fn carry(shared: Arc<Shared>, flow: FlowKey, socket: TcpStream) {
    let mut stream = Stream {
        flow,
        socket,
        local_done: false,
        remote_done: false,
        busy: false,
    };
    let end = poll_fn(|context| {
        let mut state = shared.lock();
        if state.stopping {
            return Poll::Ready(Err(Broken));
        }
        state.wake_on(flow, context.waker());
        let others = state.busy - usize::from(stream.busy);
        let end = stream.poll(context, &mut state.core, &shared.vigil, quantum(others));
        state.busy = others + usize::from(stream.busy);
        shared.settle(state);
        end
    })
    .await;
    if end.is_ok() {
        dial::end_cleanly(&stream.socket);
    }
    drop(stream);
    shared.leave(flow);
}

/// One of the two ends has gone without a clean end, and the other has been told.
struct Broken;

struct Stream {
    flow: FlowKey,
    socket: TcpStream,
    /// The socket has said that it is done, and the flow has been told.
    local_done: bool,
    /// The flow has said that it is done, and the socket has been told.
    remote_done: bool,
    /// It had more to move than one turn allows.
    busy: bool,
}

impl Stream {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        vigil: &Vigil,
        quantum: usize,
    ) -> Poll<Result<(), Broken>> {
        self.busy = false;
        let moved = match self.poll_to_socket(context, core, quantum) {
            Poll::Ready(Ok(())) => self.poll_to_flow(context, core, vigil, quantum),
            // The other direction goes on meanwhile.
            Poll::Pending => match self.poll_to_flow(context, core, vigil, quantum) {
                Poll::Ready(Ok(())) | Poll::Pending => return Poll::Pending,
                broken @ Poll::Ready(Err(_)) => broken,
            },
            broken @ Poll::Ready(Err(_)) => broken,
        };
        self.busy &= moved.is_pending();
        moved.map_err(|_| {
            core.handle_broken(self.flow);
            Broken
        })
    }

    /// Goes on after others have had their turn.
    fn take_turns<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        self.busy = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_to_socket(
        &mut self,
        context: &mut Context<'_>,
        core: &mut Core,
        mut left: usize,
    ) -> Poll<io::Result<()>> {
        while !self.remote_done {
            if left == 0 {
                return self.take_turns(context);
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
                Receive::Data(Poll::Ready(Ok(count))) => left -= count,
                Receive::Data(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
                // The flow wakes us when it has something.
                Receive::Data(Poll::Pending) | Receive::Pending => return Poll::Pending,
                Receive::Finished => {
                    // The other end may be gone already; then reading will say so.
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
        mut left: usize,
    ) -> Poll<io::Result<()>> {
        while !self.local_done {
            if left == 0 {
                return self.take_turns(context);
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
                // It may take data (again) some day, and wakes us then; or never, which only it can tell.
                None if core.is_reset(self.flow) => {
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                None | Some(Poll::Pending) => return Poll::Pending,
                Some(Poll::Ready(Ok(0))) => {
                    core.handle_finished(self.flow);
                    self.local_done = true;
                }
                Some(Poll::Ready(Ok(count))) => {
                    left -= count;
                    vigil.note();
                }
                Some(Poll::Ready(Err(error))) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_streams_together_move_no_more_in_a_round_than_one_alone() {
        assert_eq!(quantum(0), ROUND);
        for busy in 1..128 {
            assert!(quantum(busy - 1) >= quantum(busy));
            assert!((busy + 1) * quantum(busy) <= ROUND);
        }
        assert_eq!(quantum(10_000), QUANTUM_MIN);
    }
}
