//! One flow's TCP: a smoltcp interface with a single socket.
//!
//! smoltcp walks all sockets of an interface for every packet, so each flow has an interface of its own
//! (`docs/decisions/0001-one-stack-per-flow.md`).

use std::{
    net::SocketAddrV4,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::BytesMut;
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    socket::tcp::{self, RecvError},
    time::Duration,
    wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint},
};

pub(super) use smoltcp::socket::tcp::State;

use super::device::StackPoll;
use crate::{
    addr::FlowKey,
    time::Instant,
    wire::{Packet, Segment},
};

/// Usual size of each buffer of a flow, in bytes, and so the maximum number of bytes in flight in each direction. Pages of a
/// buffer are touched only when data fills them. An idle flow therefore takes up the address space of its buffers, but
/// only a page or two of memory.
pub(super) const WINDOW: usize = 512 << 10;

/// Size of each buffer of a flow to a host that is far away, in bytes. With it, a round trip of 50 ms is enough for 80
/// MB/s. As a buffer is a ring, a flow that carries much touches all of its pages, so only few flows have such buffers.
pub(super) const FAR_WINDOW: usize = 4 << 20;

/// The largest packet of a flow to a host that is far away, in bytes. On a line of 20 Mbit/s, a packet of the largest
/// size would delay the next one by 26 ms.
const FAR_PACKET: usize = 16 << 10;

/// Size of each buffer of a flow when memory is scarce, in bytes: enough for a packet of the largest size.
pub(super) const SMALL_WINDOW: usize = 64 << 10;

/// Idle time after which a keep-alive probe is sent to the peer.
const KEEP_ALIVE: Duration = Duration::from_secs(45);

/// Time without any packet from the peer after which the connection is aborted. With [`KEEP_ALIVE`], a dead flow ends
/// within two minutes.
const PEER_TIMEOUT: Duration = Duration::from_secs(110);

/// A stack that has carried more bytes than this is not reused: it has touched pages that the next flow may not need.
const REUSE_MAX: usize = 64 << 10;

/// The state of the receiving side of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive<R> {
    /// There were bytes; the value is the result of reading them.
    Data(R),
    /// Nothing has arrived yet.
    Pending,
    /// Nothing more will come: the peer has finished.
    Finished,
    /// Nothing more will come: the connection broke, was refused, or timed out.
    Reset,
}

/// A TCP connection between this host's stack and the stack of another host.
pub(super) struct Stack {
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    /// Whether the owner will send no more data.
    finished: bool,
    /// Whether the SYN|ACK is delayed until the dial at the far end has succeeded.
    paused: bool,
    stage: Stage,
    /// Number of bytes in all received and sent packets.
    carried: usize,
    /// How many bytes after the last acknowledgment the peer accepts.
    peer_window: usize,
    /// The scale factor of the peer's windows (RFC 7323 section 2.2).
    peer_shift: u8,
    /// The size of each of the two buffers, in bytes.
    window: usize,
    reach: Reach,
}

/// How far away the other end of a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this machine, or not much farther.
    Near,
    /// So far away that a round trip takes long. Packets are small, because the line is probably slow.
    Far,
}

/// The life cycle of a stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Packets can be received and sent.
    Open,
    /// No more packets are sent or received, but received data can still be read.
    Over,
    /// smoltcp has panicked, so its state cannot be trusted.
    Broken,
}

impl Stack {
    /// A stack without a connection, with buffers of `window` bytes.
    pub(super) fn new(now: Instant, seed: u64, window: usize, reach: Reach) -> Self {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut scratch = BytesMut::new();
        let poll = StackPoll::sending(&mut scratch);
        let mut poll = match reach {
            Reach::Near => poll,
            Reach::Far => poll.up_to(FAR_PACKET),
        };
        let interface = Interface::new(config, &mut poll, clock(now));
        let buffer = || tcp::SocketBuffer::new(vec![0; window]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        socket.set_keep_alive(Some(KEEP_ALIVE));
        socket.set_timeout(Some(PEER_TIMEOUT));
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        Self {
            interface,
            sockets,
            handle,
            finished: false,
            paused: false,
            stage: Stage::Open,
            carried: 0,
            peer_window: 0,
            peer_shift: 0,
            window,
            reach,
        }
    }

    /// The size of each of the two buffers, in bytes.
    pub(super) const fn window(&self) -> usize {
        self.window
    }

    /// The number of bytes that wait to be sent or acknowledged.
    pub(super) fn unsent(&self) -> usize {
        self.socket().send_queue()
    }

    /// The state of the connection; `None` if the stack has failed.
    pub(super) fn state(&self) -> Option<State> {
        (self.stage != Stage::Broken).then(|| self.socket().state())
    }

    /// Whether received bytes wait to be read.
    pub(super) fn has_received(&self) -> bool {
        self.socket().can_recv()
    }

    /// Returns the stack for use by another connection; `None` if it should not be reused.
    pub(super) fn reuse(mut self) -> Option<Self> {
        let is_usual = self.window == WINDOW && self.reach == Reach::Near;
        if self.stage == Stage::Broken || self.carried > REUSE_MAX || !is_usual {
            return None;
        }
        self.socket_mut().abort();
        (self.finished, self.paused) = (false, false);
        (self.stage, self.carried) = (Stage::Open, 0);
        Some(self)
    }

    /// Sends a SYN from `key.src` to `key.dst`.
    pub(super) fn connect(&mut self, key: FlowKey) {
        self.take_address(key);
        let context = self.interface.context();
        let socket = self.sockets.get_mut::<tcp::Socket>(self.handle);
        // The only possible errors are that the socket is open already, or that an address or port is zero. After such
        // an error, the flow is closed from the start.
        let _ = socket.connect(context, endpoint(key.dst), listen_endpoint(key.src));
    }

    /// Waits for a SYN to `key.src`, and does not answer it before [`Stack::admit`].
    pub(super) fn listen(&mut self, key: FlowKey) {
        self.take_address(key);
        // The only possible error is a port of zero. The flow is then closed from the start, as in `connect`.
        let _ = self.socket_mut().listen(listen_endpoint(key.src));
        self.socket_mut().pause_synack(true);
        self.paused = true;
    }

    fn take_address(&mut self, key: FlowKey) {
        self.interface.update_ip_addrs(|addresses| {
            addresses.clear();
            // The list has room for two addresses, and this is the first.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(*key.src.ip()), 32));
        });
    }

    /// Processes a packet of this flow. Answers that must be sent immediately are added to `replies`.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        replies: &mut BytesMut,
    ) {
        self.carried = self.carried.saturating_add(packet.bytes().len());
        self.guarded(|stack| {
            let mut turn = StackPoll::receiving(packet.bytes(), replies);
            let _ = stack
                .interface
                .poll_ingress_single(clock(now), &mut turn, &mut stack.sockets);
        });
        // An invalid SYN leaves the socket listening, and a reset makes it listen again. In both cases the flow is
        // over: the table begins a new flow for another SYN.
        if self.socket().state() == State::Listen {
            self.abort();
        }
        self.note_window(packet.segment());
        self.close_if_finished();
    }

    fn note_window(&mut self, segment: Segment) {
        self.peer_window = usize::from(segment.window);
        if segment.flags.syn {
            // The window of a SYN is not scaled. A larger factor counts as 14 (RFC 7323 section 2.3).
            self.peer_shift = segment.shift.unwrap_or(0).min(14);
        } else {
            self.peer_window <<= self.peer_shift;
        }
    }

    /// Appends at most one packet to `out`.
    pub(super) fn poll_packet(&mut self, now: Instant, out: &mut BytesMut) {
        if self.stage != Stage::Open {
            return;
        }
        let before = out.len();
        self.guarded(|stack| {
            let mut turn = StackPoll::sending(out);
            let _ = stack
                .interface
                .poll_egress(clock(now), &mut turn, &mut stack.sockets);
        });
        self.carried = self.carried.saturating_add(out.len() - before);
    }

    /// When to poll again; a time in the past if there is something to send.
    pub(super) fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        // While the SYN|ACK is delayed, smoltcp asks to be polled immediately, again and again.
        if self.paused || self.stage != Stage::Open {
            return None;
        }
        let at = self.guarded(|stack| stack.interface.poll_at(clock(now), &stack.sockets))??;
        Some(Instant::from_micros(
            u64::try_from(at.total_micros()).unwrap_or(0),
        ))
    }

    /// Sends the delayed SYN|ACK, because the dial at the far end has succeeded.
    pub(super) fn admit(&mut self) {
        self.paused = false;
        self.socket_mut().pause_synack(false);
    }

    /// Ends the connection with a reset.
    pub(super) fn abort(&mut self) {
        self.paused = false;
        let socket = self.socket_mut();
        socket.pause_synack(false);
        socket.abort();
    }

    /// Sends a FIN after all data has been sent.
    pub(super) fn finish(&mut self) {
        self.finished = true;
        self.close_if_finished();
    }

    /// Passes the owner's end on to smoltcp.
    ///
    /// If the peer has finished already, that waits until the peer's window has room for all data, because smoltcp does
    /// not learn of a larger window any more once both sides have finished.
    fn close_if_finished(&mut self) {
        let waits = self.socket().state() == State::CloseWait && self.unsent() > self.peer_window;
        if self.finished && !waits {
            self.socket_mut().close();
        }
    }

    /// Lets `fill` write into the free part of the send buffer; `fill` returns how many bytes it wrote. `None` if there
    /// is no room, or if the connection does not accept data yet, or accepts no more.
    pub(super) fn send_with<R>(&mut self, fill: impl FnOnce(&mut [u8]) -> (usize, R)) -> Option<R> {
        self.guarded(|stack| {
            let socket = stack.socket_mut();
            if !socket.can_send() {
                return None;
            }
            socket.send(fill).ok()
        })?
    }

    /// Lets `take` read the received bytes; `take` returns how many bytes it has consumed.
    pub(super) fn receive_with<R>(&mut self, take: impl FnOnce(&[u8]) -> (usize, R)) -> Receive<R> {
        if self.socket().can_recv() {
            let taken = self.guarded(|stack| stack.socket_mut().recv(|bytes| take(bytes)));
            return match taken {
                Some(Ok(taken)) => Receive::Data(taken),
                Some(Err(RecvError::Finished | RecvError::InvalidState)) | None => Receive::Reset,
            };
        }
        if self.is_reset() {
            Receive::Reset
        } else if self.fin_received() {
            Receive::Finished
        } else {
            Receive::Pending
        }
    }

    /// Whether the connection has ended before both sides had finished.
    pub(super) fn is_reset(&mut self) -> bool {
        if self.stage == Stage::Broken {
            return true;
        }
        let socket = self.socket();
        if socket.state() != State::Closed {
            return false;
        }
        // The end was clean only if all our data has been sent and all data of the peer has been read.
        !(self.finished && socket.send_queue() == 0 && self.fin_received())
    }

    /// Whether no more packets will be sent or received for this flow.
    ///
    /// TIME-WAIT (RFC 9293 section 3.6.1) ends as soon as our last acknowledgment has been sent. The wait protects
    /// against old segments that arrive late, but a link delivers in order.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        if self.stage != Stage::Open {
            return true;
        }
        let over = match self.socket().state() {
            State::Closed => self.socket().remote_endpoint().is_none(),
            State::TimeWait => self
                .poll_timeout(now)
                .is_none_or(|at| at.since(now) > std::time::Duration::from_secs(1)),
            State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => false,
        };
        if over {
            self.stage = Stage::Over;
        }
        over
    }

    /// Whether the peer's FIN has arrived and all data before it has been read.
    fn fin_received(&mut self) -> bool {
        let peeked =
            self.guarded(|stack| matches!(stack.socket_mut().peek(0), Err(RecvError::Finished)));
        peeked.unwrap_or(false)
    }

    /// Calls smoltcp and catches its panics. smoltcp has panicked on strange sequence numbers before. Such a panic may
    /// end one flow, but not the agent. `None` if the stack has failed, now or earlier.
    fn guarded<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if self.stage == Stage::Broken {
            return None;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| work(self)));
        if outcome.is_err() {
            self.stage = Stage::Broken;
        }
        outcome.ok()
    }

    /// Whether the connection waits for the answer to its SYN.
    pub(super) fn is_calling(&self) -> bool {
        self.socket().state() == State::SynSent
    }

    /// Whether the peer has accepted the connection.
    pub(super) fn is_established(&self) -> bool {
        !matches!(
            self.socket().state(),
            State::Closed | State::Listen | State::SynSent | State::SynReceived
        )
    }

    fn socket(&self) -> &tcp::Socket<'static> {
        self.sockets.get(self.handle)
    }

    fn socket_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

fn endpoint(address: SocketAddrV4) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(*address.ip()), address.port())
}

fn listen_endpoint(address: SocketAddrV4) -> IpListenEndpoint {
    endpoint(address).into()
}

fn clock(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}
