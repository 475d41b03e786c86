//! Connections that are used while there are faults. Both ends check all bytes.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::sandbox::{DEADLINE, Netns, client::noise};

/// How many bytes of a message are sent at a time.
const CHUNK: usize = 16 << 10;

/// The length of a message's head. The head has the seed of the message's bytes, and their number.
const HEAD: usize = 16;

/// A service on a port of a host's own loopback. It checks the bytes that it receives, and sends them back.
pub(crate) struct Service {
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts the service, which runs until the tests end.
    pub(crate) fn start(netns: &Netns, port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listener = netns.inside(|| TcpListener::bind(address).unwrap());
        let wrong = Arc::new(Mutex::new(Vec::new()));
        let shared = wrong.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let wrong = shared.clone();
                thread::spawn(move || {
                    if let Err(error) = serve(&stream)
                        && error.kind() == ErrorKind::InvalidData
                    {
                        wrong.lock().unwrap().push(error.to_string());
                    }
                });
            }
        });
        Self { wrong }
    }

    /// Everything that was wrong so far. A reset of a connection is not wrong. A clean end in the middle of a message
    /// is wrong.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Reads until the buffer is full. Returns false if the stream ends before the first byte.
fn fill(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..])? {
            0 if filled == 0 => return Ok(false),
            0 => return Err(wrong("an end in the middle, as if it were one")),
            count => filled += count,
        }
    }
    Ok(true)
}

fn serve(mut stream: &TcpStream) -> io::Result<()> {
    let mut head = [0; HEAD];
    while fill(stream, &mut head)? {
        let (seed, length) = head.split_at(8);
        let seed = u64::from_le_bytes(seed.try_into().unwrap());
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let length = usize::try_from(length).unwrap();
        if length > 1 << 24 {
            return Err(wrong("a length that nobody sent"));
        }
        stream.write_all(&head)?;
        for chunk in noise(seed, length).chunks(CHUNK) {
            let mut buffer = vec![0; chunk.len()];
            if !fill(stream, &mut buffer)? {
                return Err(wrong("an end in the middle, as if it were one"));
            }
            if buffer != chunk {
                return Err(wrong("the service was sent wrong bytes"));
            }
            stream.write_all(&buffer)?;
        }
    }
    Ok(())
}

/// A connection to a [`Service`].
pub(crate) struct Talk {
    stream: TcpStream,
    seed: u64,
}

impl Talk {
    /// Connects from a namespace, and checks that the service answers.
    pub(crate) fn open(netns: &Netns, address: &str) -> io::Result<Self> {
        let address: SocketAddr = address.parse().unwrap();
        netns.inside(|| Self::connect(address))
    }

    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        let seed = u64::from(stream.local_addr()?.port()) << 32;
        let mut talk = Self { stream, seed };
        talk.exchange(1)?;
        Ok(talk)
    }

    /// Sends a message of this length, and receives it back.
    pub(crate) fn exchange(&mut self, length: usize) -> io::Result<()> {
        self.seed += 1;
        let mut head = self.seed.to_le_bytes().to_vec();
        head.extend((length as u64).to_le_bytes());
        let bytes = noise(self.seed, length);
        for chunk in [&head[..]].into_iter().chain(bytes.chunks(CHUNK)) {
            self.stream.write_all(chunk)?;
            let mut back = vec![0; chunk.len()];
            if !fill(&self.stream, &mut back)? {
                return Err(wrong("an end in the middle, as if it were one"));
            }
            if back != chunk {
                return Err(wrong("the client was sent wrong bytes"));
            }
        }
        Ok(())
    }

    /// Waits for the end of the connection. Returns its time, and the kind of the end.
    pub(crate) fn end(mut self) -> (Instant, io::Result<usize>) {
        let end = self.stream.read(&mut [0; 1]);
        (Instant::now(), end)
    }

    /// Ends the connection cleanly.
    pub(crate) fn close(self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        if fill(&self.stream, &mut [0; 1])? {
            return Err(wrong("bytes after the end"));
        }
        Ok(())
    }
}

/// Clients on a host that exchange messages with services, each at its own pace, until they are stopped.
pub(crate) struct Traffic {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    done: AtomicU64,
    broken: AtomicU64,
    wrong: Mutex<Vec<String>>,
    /// The durations of the talks that ended well.
    took: Mutex<Vec<Duration>>,
}

/// The results of the traffic so far.
pub(crate) struct Sum {
    /// Talks that ended well.
    pub(crate) done: u64,
    /// Talks that could not begin, or that were reset.
    pub(crate) broken: u64,
    /// Everything that must never happen.
    pub(crate) wrong: Vec<String>,
    /// The durations of the talks that ended well, in ascending order.
    pub(crate) took: Vec<Duration>,
}

impl Sum {
    /// A quantile of the durations: `permille` of a thousand talks took at most this long.
    pub(crate) fn quantile(&self, permille: usize) -> Duration {
        assert!(self.took.len() >= 20, "only {} talks", self.took.len());
        self.took[(self.took.len() - 1) * permille / 1000]
    }
}

impl Traffic {
    /// Starts a client for each address. The clients send messages of up to this many bytes.
    pub(crate) fn start(netns: &Netns, addresses: &[String], most: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let clients = netns.inside(|| {
            // A thread begins in the namespace of the thread that starts it.
            let clients = addresses.iter().zip(1..).map(|(address, number)| {
                let (address, shared) = (address.parse().unwrap(), shared.clone());
                thread::spawn(move || shared.talk(address, number, most))
            });
            clients.collect()
        });
        Self { shared, clients }
    }

    /// How many talks have ended well so far.
    pub(crate) fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// The result since the last call of this function.
    pub(crate) fn take(&self) -> Sum {
        self.shared.take()
    }

    /// Stops the clients.
    pub(crate) fn stop(self) -> Sum {
        let Self { shared, clients } = self;
        shared.over.store(true, Ordering::Relaxed);
        for client in clients {
            client.thread().unpark();
            client.join().unwrap();
        }
        shared.take()
    }
}

impl Shared {
    fn take(&self) -> Sum {
        let mut took = std::mem::take(&mut *self.took.lock().unwrap());
        took.sort_unstable();
        Sum {
            done: self.done.swap(0, Ordering::Relaxed),
            broken: self.broken.swap(0, Ordering::Relaxed),
            wrong: std::mem::take(&mut *self.wrong.lock().unwrap()),
            took,
        }
    }

    fn talk(&self, address: SocketAddr, number: usize, most: usize) {
        let mut round = number;
        while !self.over.load(Ordering::Relaxed) {
            round = round.wrapping_mul(1_103_515_245).wrapping_add(12_345) % (1 << 31);
            let start = Instant::now();
            let talk = Talk::connect(address).and_then(|mut talk| {
                talk.exchange(1 + (round >> 8) % most)?;
                talk.close()
            });
            match talk {
                Ok(()) => {
                    self.took.lock().unwrap().push(start.elapsed());
                    self.done.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    if error.kind() == ErrorKind::InvalidData {
                        self.wrong
                            .lock()
                            .unwrap()
                            .push(format!("{address}: {error}"));
                    }
                    self.broken.fetch_add(1, Ordering::Relaxed);
                }
            }
            // The clients are not a benchmark. Without this pause, they would connect a thousand times per second to a
            // host that refuses.
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}
