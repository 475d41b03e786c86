//! The services that a host publishes here: one sends back what it gets, one sends a lot, one never reads, and one is a
//! witness of the bytes that hostile hosts make it take.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use rustix::event::{PollFd, PollFlags, poll};
use socket2::SockRef;

use crate::sandbox::Netns;

/// Their ports, as the manifest writes them.
pub(crate) const PORTS: &[&str] = &[
    "8080:127.0.0.1:9000",
    "8081:127.0.0.1:9001",
    "8082:127.0.0.1:9002",
    "8083:127.0.0.1:9003",
];

/// The port of the service that sends back.
pub(crate) const ECHO: u16 = 8080;

/// Bytes that a witness has seen.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    wrong: Arc<Mutex<Vec<String>>>,
    right: Arc<AtomicU64>,
    /// The connections that nobody reads.
    unread: Arc<Mutex<Vec<TcpStream>>>,
}

impl Witness {
    /// The bytes that were not the right ones for their place in the flow.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    /// Ends the connections that nobody reads.
    pub(crate) fn let_go(&self) {
        self.unread.lock().unwrap().clear();
    }

    /// How many bytes were the right ones.
    pub(crate) fn right(&self) -> u64 {
        self.right.load(Ordering::Relaxed)
    }

    /// Takes a stream. `line.py` says which byte belongs where.
    fn watch(&self, mut stream: &TcpStream) {
        let (mut place, mut buffer) = (0, [0; 16 << 10]);
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            for byte in &buffer[..count] {
                if usize::from(*byte) == (place * 31 + place / 251) & 0xff {
                    self.right.fetch_add(1, Ordering::Relaxed);
                } else {
                    let what = format!("{byte} at {place}");
                    self.wrong.lock().unwrap().push(what);
                    return;
                }
                place += 1;
            }
        }
    }
}

/// Serves all ports until the tests end.
pub(crate) fn start(netns: &Netns, witness: &Witness) {
    serve(netns, 9000, echo);
    let listener = listen(netns, 9001);
    thread::spawn(move || talk(&listener));
    let kept = witness.unread.clone();
    let listener = listen(netns, 9002);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            kept.lock().unwrap().push(stream);
        }
    });
    let witness = witness.clone();
    serve(netns, 9003, move |stream: TcpStream| {
        witness.watch(&stream);
    });
}

/// Serves the port that sends back on another address.
pub(crate) fn echo_at(netns: &Netns, address: SocketAddr) {
    let listener = netns.inside(|| TcpListener::bind(address).unwrap());
    accept(listener, echo);
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    stream.set_nodelay(true).ok();
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn listen(netns: &Netns, port: u16) -> TcpListener {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    netns.inside(|| TcpListener::bind(address).unwrap())
}

fn serve(netns: &Netns, port: u16, work: impl Fn(TcpStream) + Send + Clone + 'static) {
    accept(listen(netns, port), work);
}

fn accept(listener: TcpListener, work: impl Fn(TcpStream) + Send + Clone + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let work = work.clone();
            thread::spawn(move || work(stream));
        }
    });
}

/// Sends as much to each client as it takes. One thread does that, and the system keeps little of it: hundreds of
/// threads that fill a gigabyte would take the machine's time from the clients that are measured, which is not the
/// network's doing.
fn talk(listener: &TcpListener) {
    listener.set_nonblocking(true).unwrap();
    let mut clients: Vec<TcpStream> = Vec::new();
    loop {
        let wants = clients
            .iter()
            .map(|client| PollFd::new(client, PollFlags::OUT));
        let mut wants: Vec<_> = wants
            .chain([PollFd::new(listener, PollFlags::IN)])
            .collect();
        poll(&mut wants, None).unwrap();
        let can: Vec<bool> = wants
            .iter()
            .map(|want| !want.revents().is_empty())
            .collect();
        let mut can = can.into_iter();
        clients.retain_mut(|client| {
            let written = can.next().unwrap().then(|| client.write(&[0; 16 << 10]));
            let failed = written.and_then(Result::err);
            failed.is_none_or(|error| error.kind() == io::ErrorKind::WouldBlock)
        });
        while let Ok((client, _)) = listener.accept() {
            client.set_nonblocking(true).unwrap();
            SockRef::from(&client)
                .set_send_buffer_size(64 << 10)
                .unwrap();
            clients.push(client);
        }
    }
}

/// A name server that never answers.
pub(crate) fn deaf_nameserver(netns: &Netns) {
    let socket = netns.inside(|| UdpSocket::bind("127.0.0.53:53").unwrap());
    thread::spawn(move || while socket.recv(&mut [0; 512]).is_ok() {});
}
