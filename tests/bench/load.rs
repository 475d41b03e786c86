//! The server at the end of every way, and its clients. Both use threads and plain sockets, and are the same for all
//! ways.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a client waits for one answer. A longer wait is a failure, which ends the benchmark unless failures are counted.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The first byte of a connection in which the server sends every further byte back.
const ECHO: u8 = b'e';
/// The first byte of a connection in which the server only counts the further bytes. When the client has closed its
/// direction, the server sends the count.
const SINK: u8 = b's';
/// The first byte of a connection in which the server sends bytes until the client closes it.
const SOURCE: u8 = b'o';

/// The size of the blocks in which bytes are written and read.
const BLOCK: usize = 128 << 10;

/// The direction of bytes, seen from the client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::Up, Self::Down];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// A server for connections of all kinds.
pub(crate) struct Server {
    /// The server's port on 127.0.0.1.
    pub(crate) port: u16,
}

impl Server {
    /// Starts the server, which runs until the program ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // An error only means that the client has closed the connection.
                let serve = move || serve(stream).unwrap_or_default();
                thread::Builder::new()
                    .stack_size(256 << 10)
                    .spawn(serve)
                    .unwrap();
            }
        });
        Self { port }
    }
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    if kind[0] == SOURCE {
        let block = vec![0x5a; BLOCK];
        loop {
            stream.write_all(&block)?;
        }
    }
    let mut buffer = vec![0; if kind[0] == SINK { BLOCK } else { 64 }];
    let mut total = 0_u64;
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if kind[0] == ECHO {
            stream.write_all(&buffer[..count])?;
        }
    }
    if kind[0] == SINK {
        stream.write_all(&total.to_le_bytes())?;
    }
    Ok(())
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Opens a connection, and fails unless one byte goes there and back.
pub(crate) fn echo(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = open(address)?;
    stream.write_all(&[ECHO, 42])?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    if byte[0] == 42 {
        Ok(stream)
    } else {
        Err(io::Error::other("another byte came back"))
    }
}

/// Whether a byte that is sent to this address comes back.
pub(crate) fn echoes(address: SocketAddr) -> bool {
    echo(address).is_ok()
}

/// A transfer that has ended.
#[derive(Clone, Copy)]
pub(crate) struct Transfer {
    /// How many bytes have arrived, in all flows.
    pub(crate) bytes: f64,
    pub(crate) took: Duration,
}

impl Transfer {
    /// Bytes per second.
    pub(crate) fn rate(self) -> f64 {
        self.bytes / self.took.as_secs_f64()
    }
}

/// Sends bytes in one direction through this many flows at a time, for this long.
pub(crate) fn transfer(
    address: SocketAddr,
    direction: Direction,
    flows: usize,
    span: Duration,
) -> Transfer {
    let streams: Vec<_> = (0..flows).map(|_| open(address).unwrap()).collect();
    let flow = |stream| match direction {
        Direction::Up => send(stream, span),
        Direction::Down => receive(stream, span),
    };
    let transfers: Vec<Transfer> = thread::scope(|scope| {
        let flows = streams.into_iter().map(|it| scope.spawn(move || flow(it)));
        let flows: Vec<_> = flows.collect();
        flows.into_iter().map(|it| it.join().unwrap()).collect()
    });
    Transfer {
        bytes: transfers.iter().map(|it| it.bytes).sum(),
        took: transfers.iter().map(|it| it.took).max().unwrap(),
    }
}

/// Sends bytes, and waits until the server has counted them.
fn send(mut stream: TcpStream, span: Duration) -> Transfer {
    let block = vec![0x5a; BLOCK];
    stream.write_all(&[SINK]).unwrap();
    let start = Instant::now();
    let mut sent = 0_u64;
    while start.elapsed() < span {
        stream.write_all(&block).unwrap();
        sent += block.len() as u64;
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let mut total = [0; 8];
    stream.read_exact(&mut total).unwrap();
    assert_eq!(u64::from_le_bytes(total), sent, "bytes are missing");
    Transfer {
        bytes: precise(sent),
        took: start.elapsed(),
    }
}

fn receive(mut stream: TcpStream, span: Duration) -> Transfer {
    stream.write_all(&[SOURCE]).unwrap();
    let mut block = vec![0; BLOCK];
    let start = Instant::now();
    let mut received = 0_u64;
    while start.elapsed() < span {
        let count = stream.read(&mut block).unwrap();
        assert!(count > 0, "the server has ended the connection");
        received += count as u64;
    }
    Transfer {
        bytes: precise(received),
        took: start.elapsed(),
    }
}

/// Sends bytes in one direction through a command that runs the words of a shell at the far end. The time until the far
/// end has begun does not count.
pub(crate) fn pipe(words: &[String], direction: Direction, span: Duration) -> Transfer {
    let last = match direction {
        Direction::Up => "echo; cat >/dev/null; echo end",
        // The far end sends until its input ends.
        Direction::Down => "echo; cat /dev/zero & sender=$!; cat >/dev/null; kill $sender",
    };
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .arg(last)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    output.read_exact(&mut [0]).unwrap();
    let mut block = vec![0x5a; BLOCK];
    let mut bytes = 0_u64;
    let start = Instant::now();
    while start.elapsed() < span {
        bytes += match direction {
            Direction::Up => {
                input.write_all(&block).unwrap();
                block.len() as u64
            }
            Direction::Down => output.read(&mut block).unwrap() as u64,
        };
    }
    let mut took = start.elapsed();
    drop(input);
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    if direction == Direction::Up {
        took = start.elapsed();
        assert_eq!(rest, b"end\n", "the far end has not read everything");
    }
    child.wait().unwrap();
    assert!(bytes > 0, "{words:?} has carried nothing");
    Transfer {
        bytes: precise(bytes),
        took,
    }
}

/// The durations of this many round trips of one byte, in seconds.
pub(crate) fn round_trips(address: SocketAddr, count: usize) -> Vec<f64> {
    let mut stream = echo(address).unwrap();
    (0..count).map(|_| round_trip(&mut stream)).collect()
}

/// The durations of the round trips of keystrokes in this time, in seconds. After each there is a pause.
pub(crate) fn keystrokes(address: SocketAddr, span: Duration, pause: Duration) -> Vec<f64> {
    let mut stream = echo(address).unwrap();
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < span {
        times.push(round_trip(&mut stream));
        thread::sleep(pause);
    }
    times
}

fn round_trip(stream: &mut TcpStream) -> f64 {
    let start = Instant::now();
    let mut byte = [7];
    stream.write_all(&byte).unwrap();
    stream.read_exact(&mut byte).unwrap();
    start.elapsed().as_secs_f64()
}

/// Opens a connection, sends a byte there and back, and closes the connection properly.
fn connection(address: SocketAddr) -> io::Result<()> {
    let mut stream = echo(address)?;
    stream.shutdown(Shutdown::Write)?;
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::other("bytes that nobody sent")),
    }
}

/// How many connections per second are possible one after another.
pub(crate) fn connections(address: SocketAddr, count: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        connection(address).unwrap();
    }
    precise(count) / start.elapsed().as_secs_f64()
}

/// How many of `count` connections fail if `workers` of them are open at a time.
pub(crate) fn failures(address: SocketAddr, workers: usize, count: u64) -> f64 {
    let left = AtomicUsize::new(usize::try_from(count).unwrap());
    let failures = AtomicUsize::new(0);
    let take = || {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while take() {
                    let Err(error) = connection(address) else {
                        continue;
                    };
                    if failures.fetch_add(1, Ordering::Relaxed) < 3 {
                        eprintln!("  {address}: {error}");
                    }
                }
            });
        }
    });
    precise(failures.into_inner() as u64)
}

/// Converts a count so that it can be divided. The result is exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn precise(count: u64) -> f64 {
    count as f64
}
