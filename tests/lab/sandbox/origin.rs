//! A web server that does what the path of a request asks for, even if that violates the protocol. It records the
//! requests.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex},
    thread,
};

use socket2::SockRef;

use super::{DEADLINE, Netns};

/// A server that handles one request on each connection, until the tests end.
pub(crate) struct Origin {
    kept: Arc<Kept>,
}

/// The state that the server's threads and the test share.
struct Kept {
    name: String,
    heads: Mutex<Vec<String>>,
    /// If a connection has to break in the middle of a response, it waits here until its client has received the first
    /// half.
    half_seen: Barrier,
}

impl Origin {
    /// Starts a server in a namespace. Its front page is its name.
    pub(crate) fn start(netns: &Netns, address: &str, name: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let listener = netns.inside(|| {
            TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"))
        });
        let kept = Arc::new(Kept {
            name: name.to_owned(),
            heads: Mutex::default(),
            half_seen: Barrier::new(2),
        });
        let shared = kept.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = shared.clone();
                // It is not an error if a client closes the connection.
                thread::spawn(move || serve(&stream, &kept).unwrap_or_default());
            }
        });
        Self { kept }
    }

    /// The heads of all requests so far, as they arrived.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.kept.heads.lock().unwrap().clone()
    }

    /// Breaks a connection whose client has received the first half of a response.
    pub(crate) fn break_off(&self) {
        self.kept.half_seen.wait();
    }
}

fn serve(stream: &TcpStream, kept: &Kept) -> io::Result<()> {
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut input = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    kept.heads.lock().unwrap().push(head.clone());
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut output = stream;
    if head.to_lowercase().contains("\r\nexpect: 100-continue\r\n") {
        output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if path == "/upgrade" {
        output.write_all(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ",
        )?;
        io::copy(&mut input, &mut output)?;
        return stream.shutdown(std::net::Shutdown::Write);
    }
    let body = body(&head, &mut input)?;
    let answer: &[u8] = match path.as_str() {
        "/length-then-reset" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart\n",
        "/chunks-then-reset" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\npart\n\r\n",
        "/close-then-reset" => b"HTTP/1.1 200 OK\r\n\r\npart\n",
        "/length-then-end" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\npart\n",
        "/reset" => b"",
        "/chunks" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n",
        "/no-http" => b"220 ready\r\n",
        "/echo" => return reply(output, &body),
        _ => return reply(output, format!("{}\n", kept.name).as_bytes()),
    };
    output.write_all(answer)?;
    if path.contains("-then-") {
        kept.half_seen.wait();
    }
    if path.ends_with("reset") {
        SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO))?;
    }
    Ok(())
}

fn reply(mut output: &TcpStream, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    output.write_all(&[head.as_bytes(), body].concat())
}

/// The body of a request. The head says how it is framed.
fn body(head: &str, input: &mut BufReader<&TcpStream>) -> io::Result<Vec<u8>> {
    let field = |name: &str| {
        head.lines()
            .find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned))
    };
    let mut body = Vec::new();
    if field("transfer-encoding: chunked").is_some() {
        loop {
            let mut line = String::new();
            input.read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            input.by_ref().take(length).read_to_end(&mut body)?;
            input.read_line(&mut String::new())?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
    let length = field("content-length: ").map_or(Ok(0), |length| length.trim().parse());
    input
        .take(length.map_err(io::Error::other)?)
        .read_to_end(&mut body)?;
    Ok(body)
}
