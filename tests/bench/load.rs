//! The server at the end of every way, and its clients. Both use threads and plain sockets, and are the same for all
//! ways.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::ways::Way;

/// How long a client waits for one answer before it counts a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first byte of a connection in which the server sends every further byte back.
const ECHO: u8 = b'e';
/// The first byte of a connection in which the server only counts the further bytes. When the client has closed its
/// direction, the server sends the count.
const SINK: u8 = b's';

/// A server for connections of both kinds, [`ECHO`] and [`SINK`].
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
    let mut buffer = vec![0; if kind[0] == SINK { 128 << 10 } else { 64 }];
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
    Ok(stream)
}

/// Sends one byte, and fails unless the server sends it back.
pub(crate) fn echo_once(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&[ECHO, 42])?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    if byte[0] == 42 {
        Ok(())
    } else {
        Err(io::Error::other("another byte came back"))
    }
}

/// The throughput of one flow in bytes per second. The server counts the bytes.
pub(crate) fn throughput(address: SocketAddr, span: Duration) -> f64 {
    let mut stream = open(address).unwrap();
    let block = vec![0x5a; 128 << 10];
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
    precise(sent) / start.elapsed().as_secs_f64()
}

/// The durations of `count` round trips of one byte, in seconds.
pub(crate) fn round_trips(address: SocketAddr, count: usize) -> Vec<f64> {
    let mut stream = open(address).unwrap();
    echo_once(&stream).unwrap();
    (0..count)
        .map(|_| {
            let start = Instant::now();
            let mut byte = [7];
            stream.write_all(&byte).unwrap();
            stream.read_exact(&mut byte).unwrap();
            start.elapsed().as_secs_f64()
        })
        .collect()
}

/// Opens a connection, sends a byte there and back, and closes the connection properly.
fn connection(address: SocketAddr) -> io::Result<()> {
    let mut stream = open(address)?;
    echo_once(&stream)?;
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

/// How many of `count` connections fail if they are opened one after another.
pub(crate) fn sequential_failures(address: SocketAddr, count: u64) -> f64 {
    parallel_failures(address, 1, count)
}

/// How many of `count` connections fail if `workers` of them are open at a time.
pub(crate) fn parallel_failures(address: SocketAddr, workers: usize, count: u64) -> f64 {
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

/// The additional memory that each process of a way uses for each of `count` idle connections, in bytes.
pub(crate) fn idle_memory(way: &Way, count: u32) -> Vec<(String, f64)> {
    let before = way.memory();
    let mut held = Vec::new();
    for _ in 0..count {
        let stream = open(way.address).unwrap();
        echo_once(&stream).unwrap();
        held.push(stream);
    }
    let after = way.memory();
    before
        .into_iter()
        .zip(after)
        .map(|((label, before), (_, after))| (label, (after - before) / f64::from(count)))
        .collect()
}

/// Converts a count so that it can be divided. The result is exact below 2^53.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn precise(count: u64) -> f64 {
    count as f64
}
