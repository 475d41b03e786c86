//! A flow as a stream of bytes, for the agent's own connections inside the network.

use std::{
    future::poll_fn,
    io,
    net::SocketAddrV4,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::shared::Shared;
use crate::{
    addr::FlowKey,
    driver::harness::World,
    flow::{Holder, Receive},
};

/// How long the far end may take to accept. This is longer than the far end's dial may take.
const OPEN_MAX: Duration = Duration::from_mins(1);

/// One end of a flow. Dropping it before both sides have finished resets the flow.
///
/// A flow wakes only one task, so the reader and the writer must be in the same task.
pub(super) struct NetworkStream {
    shared: Arc<Shared>,
    flow: FlowKey,
    /// Whether our side has finished sending.
    finished: bool,
    /// Whether the far end has finished sending.
    ended: bool,
    /// Whether another task carries the flow now. If so, dropping the stream does not reset the flow.
    handed_on: bool,
}

impl NetworkStream {
    /// Wraps an existing flow.
    pub(super) fn new(shared: Arc<Shared>, flow: FlowKey) -> Self {
        Self {
            shared,
            flow,
            finished: false,
            ended: false,
            handed_on: false,
        }
    }

    /// Connects to an address inside the network. A refusal is [`io::ErrorKind::ConnectionRefused`].
    pub(super) async fn open(shared: &Arc<Shared>, remote: SocketAddrV4) -> io::Result<Self> {
        let connected = shared.connect(Holder::Owner, remote).await;
        let flow = connected.map_err(io::Error::other)?;
        let stream = Self::new(shared.clone(), flow);
        tokio::time::timeout(OPEN_MAX, stream.established()).await??;
        Ok(stream)
    }

    async fn established(&self) -> io::Result<()> {
        poll_fn(|context| {
            let mut state = self.shared.lock();
            state.wake_on(self.flow, context.waker());
            if state.stopping || state.core.is_reset(self.flow) {
                Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()))
            } else if state.core.is_established(self.flow) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// The endpoints of the flow: the local one first, no matter which side opened the flow.
    pub(super) const fn flow(&self) -> FlowKey {
        self.flow
    }

    /// Hands the flow to another task, which carries it from now on.
    pub(super) fn into_flow(mut self) -> FlowKey {
        self.handed_on = true;
        self.flow
    }
}

impl AsyncRead for NetworkStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.shared.lock();
        if state.stopping {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        state.wake_on(self.flow, context.waker());
        let received = state.core.receive_with(self.flow, |bytes| {
            let count = bytes.len().min(buffer.remaining());
            buffer.put_slice(bytes.split_at(count).0);
            (count, ())
        });
        self.shared.settle(state);
        match received {
            Receive::Data(()) => Poll::Ready(Ok(())),
            Receive::Pending => Poll::Pending,
            Receive::Finished => {
                self.ended = true;
                Poll::Ready(Ok(()))
            }
            Receive::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl AsyncWrite for NetworkStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut state = self.shared.lock();
        if state.stopping {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        state.wake_on(self.flow, context.waker());
        let sent = state.core.send_with(self.flow, |room| {
            let count = bytes.len().min(room.len());
            let (from, to) = (bytes.split_at(count).0, room.split_at_mut(count).0);
            to.copy_from_slice(from);
            (count, count)
        });
        let is_reset = sent.is_none() && state.core.is_reset(self.flow);
        self.shared.settle(state);
        match sent {
            Some(count) => Poll::Ready(Ok(count)),
            None if is_reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.tell(|core, _| core.handle_finished(self.flow));
        self.finished = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for NetworkStream {
    fn drop(&mut self) {
        if self.handed_on {
            return;
        }
        if !(self.finished && self.ended) {
            self.shared.tell(|core, _| core.handle_broken(self.flow));
        }
        self.shared.leave(self.flow);
    }
}
