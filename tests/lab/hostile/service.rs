//! The services of the hosts here: one sends everything back, one sends much, one never reads, and one checks the bytes
//! that it receives from hostile hosts.

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

/// The ports of the services, in the syntax of the manifest.
pub(crate) const PORTS: &[&str] = &[
    "8080:127.0.0.1:9000",
    "8081:127.0.0.1:9001",
    "8082:127.0.0.1:9002",
    "8083:127.0.0.1:9003",
];

/// The port of the service that sends everything back.
pub(crate) const ECHO: u16 = 8080;

/// The results of a service that checks bytes.
#[derive(Clone, Default)]
pub(crate) struct Witness {
    wrong: Arc<Mutex<Vec<String>>>,
    right: Arc<AtomicU64>,
    /// The connections of the service that never reads.
    unread: Arc<Mutex<Vec<TcpStream>>>,
}

impl Witness {
    /// The reports of bytes that were not valid for their place in the flow.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    /// Closes the connections of the service that never reads.
    pub(crate) fn let_go(&self) {
        self.unread.lock().unwrap().clear();
    }

    /// The number of valid bytes.
    pub(crate) fn right(&self) -> u64 {
        self.right.load(Ordering::Relaxed)
    }

    /// Checks the bytes of a stream. `line.py` defines which bytes are valid.
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

/// Starts the services on all ports, which run until the tests end.
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

/// Starts the service that sends everything back, at another address.
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

/// Sends to each client as much as the client takes. A single thread does this, with small buffers in the kernel.
/// Hundreds of threads that fill a gigabyte of buffers would slow down the whole machine, and with it the clients that
/// are measured.
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

/// A DNS server that never answers.
pub(crate) fn deaf_nameserver(netns: &Netns) {
    let socket = netns.inside(|| UdpSocket::bind("127.0.0.53:53").unwrap());
    thread::spawn(move || while socket.recv(&mut [0; 512]).is_ok() {});
}
