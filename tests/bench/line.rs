//! A long line in front of a server: a relay that delays every byte, and that may carry only so many bytes per second.
//! `ssh` runs through it, because not every machine can delay packets itself.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

/// The number of bytes that a router keeps when its line is busy.
const QUEUE: f64 = 65_536.0;

/// The greatest number of bytes that share one time of arrival on a line with a limited rate.
const PIECE_SLOW: usize = 4 << 10;

/// The same for a line without a limit.
const PIECE_FAST: usize = 64 << 10;

/// The most bytes that are under way on a line without a limit.
const UNDER_WAY: usize = 128 << 20;

/// The size of a TCP segment on a slow line, as on Ethernet, and of the buffers of the sockets at its ends.
const SEGMENT: u32 = 1_448;
const BUFFER: usize = 32 << 10;

/// The properties of a line, the same in both directions.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    /// How long a byte is under way.
    pub(crate) delay: Duration,
    /// The number of bytes per second; `None` if there is no limit.
    pub(crate) rate: Option<u32>,
}

impl Line {
    /// Opens a port of 127.0.0.1 that leads to this port through the line, until the program ends.
    pub(crate) fn to(self, port: u16) -> u16 {
        let own = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let socket = self.socket().unwrap();
        socket.bind(&own.into()).unwrap();
        socket.listen(128).unwrap();
        let listener = TcpListener::from(socket);
        let own = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = self.socket().unwrap();
                // An error only means that one end has gone.
                if far.connect(&server.into()).is_ok() {
                    self.connect(&near, &far.into()).unwrap_or_default();
                }
            }
        });
        own
    }

    /// A socket for one end of the line. What lies in the sockets of a slow line is not on the line, so their buffers are
    /// small. Segments have to be small, too, because a sender waits until a whole one fits into the window.
    fn socket(self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if self.rate.is_some() {
            socket.set_tcp_mss(SEGMENT)?;
            socket.set_recv_buffer_size(BUFFER)?;
            socket.set_send_buffer_size(BUFFER)?;
        }
        Ok(socket)
    }

    fn connect(self, near: &TcpStream, far: &TcpStream) -> io::Result<()> {
        for (from, to) in [(near, far), (far, near)] {
            from.set_nodelay(true)?;
            let (from, to) = (from.try_clone()?, to.try_clone()?);
            let (enter, leave) = channel();
            let held = Arc::new(Held::default());
            let of_arrival = held.clone();
            thread::spawn(move || self.enter(from, &enter, &held));
            thread::spawn(move || arrive(to, &leave, &of_arrival).unwrap_or_default());
        }
        Ok(())
    }

    /// The most bytes that are on the line and in its queue.
    fn most_bytes(self) -> usize {
        let Some(rate) = self.rate else {
            return UNDER_WAY;
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred thousand"
        )]
        let most = (f64::from(rate) * self.delay.as_secs_f64() + QUEUE) as usize;
        most
    }

    /// Reads until the end, and gives each piece its time of arrival. An empty piece is the end.
    fn enter(self, mut from: TcpStream, line: &Sender<(Instant, Vec<u8>)>, held: &Held) {
        let mut free = Instant::now();
        loop {
            let piece = self.rate.map_or(PIECE_FAST, |_| PIECE_SLOW);
            let mut bytes = vec![0; piece];
            let count = from.read(&mut bytes).unwrap_or_default();
            bytes.truncate(count);
            held.take(count, self.most_bytes());
            free = free.max(Instant::now());
            if let Some(rate) = self.rate {
                // The line is busy until the last byte of this piece is on it.
                let length = u32::try_from(count).unwrap();
                free += Duration::from_secs_f64(f64::from(length) / f64::from(rate));
            }
            if line.send((free + self.delay, bytes)).is_err() || count == 0 {
                return;
            }
        }
    }
}

/// The number of bytes that a line holds in one direction.
#[derive(Default)]
struct Held {
    bytes: Mutex<usize>,
    fewer: Condvar,
}

impl Held {
    /// Waits until there is room for these bytes.
    fn take(&self, count: usize, most: usize) {
        let bytes = self.bytes.lock().unwrap();
        let is_full = |bytes: &mut usize| *bytes > 0 && *bytes + count > most;
        *self.fewer.wait_while(bytes, is_full).unwrap() += count;
    }

    fn give(&self, count: usize) {
        *self.bytes.lock().unwrap() -= count;
        self.fewer.notify_one();
    }
}

fn arrive(mut to: TcpStream, line: &Receiver<(Instant, Vec<u8>)>, held: &Held) -> io::Result<()> {
    for (at, bytes) in line {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if bytes.is_empty() {
            return to.shutdown(Shutdown::Write);
        }
        let written = to.write_all(&bytes);
        held.give(bytes.len());
        written?;
    }
    Ok(())
}
