//! One real socket and one flow, joined: bytes go straight from the socket into the flow's buffer and back.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::AsyncWrite,
    net::TcpStream,
};

use super::{agent::Shared, dial};
use crate::{addr::FlowKey, flow::Receive};

/// Carries bytes both ways until both ends are done, or one breaks. Each direction ends on its own; what breaks is
/// reset on both sides, never ended cleanly.
pub(super) async fn carry(shared: Rc<Shared>, flow: FlowKey, socket: TcpStream) {
    let mut stream = Stream {
        shared: &shared,
        flow,
        socket,
        local_done: false,
        remote_done: false,
    };
    let end = poll_fn(|context| {
        let end = stream.poll(context);
        shared.settle();
        end
    })
    .await;
    if let Err(Broken) = end {
        dial::reset(stream.socket);
    }
    shared.leave(flow);
}

struct Broken;

struct Stream<'a> {
    shared: &'a Shared,
    flow: FlowKey,
    socket: TcpStream,
    /// The socket has said that it is done, and the flow has been told.
    local_done: bool,
    /// The flow has said that it is done, and the socket has been told.
    remote_done: bool,
}

impl Stream<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.shared.is_stopping() {
            return Poll::Ready(Err(Broken));
        }
        self.shared.wake_on(self.flow, context.waker());
        let to_socket = self.poll_to_socket(context)?;
        let to_flow = self.poll_to_flow(context)?;
        ready!(to_socket);
        ready!(to_flow);
        Poll::Ready(Ok(()))
    }

    fn poll_to_socket(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.remote_done {
            let mut core = self.shared.core_mut();
            let written = core.receive_with(self.flow, |bytes| {
                let written = self.socket.try_write(bytes);
                (*written.as_ref().unwrap_or(&0), written)
            });
            match written {
                Receive::Data(Ok(_)) => {}
                Receive::Data(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    if ready!(self.socket.poll_write_ready(context)).is_err() {
                        core.handle_broken(self.flow);
                        return Poll::Ready(Err(Broken));
                    }
                }
                Receive::Data(Err(_)) => {
                    core.handle_broken(self.flow);
                    return Poll::Ready(Err(Broken));
                }
                Receive::Pending => return Poll::Pending,
                Receive::Finished => {
                    // The other end may be gone already; then reading will say so.
                    let _ = ready!(Pin::new(&mut self.socket).poll_shutdown(context));
                    self.remote_done = true;
                }
                Receive::Reset => return Poll::Ready(Err(Broken)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_to_flow(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.local_done {
            let mut core = self.shared.core_mut();
            let read = core.send_with(self.flow, |room| {
                let read = self.socket.try_read(room);
                (*read.as_ref().unwrap_or(&0), read)
            });
            match read {
                // The flow wakes us when it takes data (again).
                None => return Poll::Pending,
                Some(Ok(0)) => {
                    core.handle_finished(self.flow);
                    self.local_done = true;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    if ready!(self.socket.poll_read_ready(context)).is_err() {
                        core.handle_broken(self.flow);
                        return Poll::Ready(Err(Broken));
                    }
                }
                Some(Err(_)) => {
                    core.handle_broken(self.flow);
                    return Poll::Ready(Err(Broken));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
