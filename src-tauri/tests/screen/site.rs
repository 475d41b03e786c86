//! An HTTP site behind a network, and a client that reads it through the network.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Instant,
};

use super::rig::PATIENCE;

/// The content of the site.
const GREETING: &str = "hello from the far end";

/// Opens a site on this machine. It keeps its connections open until the clients close them. Returns its port.
pub(crate) fn open() -> u16 {
    open_at(Ipv4Addr::LOCALHOST)
}

/// Opens a site at another address of this machine. Returns its port.
pub(crate) fn open_at(address: Ipv4Addr) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    port
}

fn serve(mut stream: TcpStream) {
    let mut asked = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        asked.extend_from_slice(&buffer[..length]);
        if asked.ends_with(b"\r\n\r\n") {
            asked.clear();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{GREETING}",
                GREETING.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    }
}

/// Reads the site through the network. The connection stays open until the returned stream is dropped.
pub(crate) fn get(vip: Ipv4Addr, port: u16) -> TcpStream {
    let mut stream = connect(SocketAddr::from((vip, port)));
    read(&mut stream, "/", "web");
    stream
}

/// Reads the site at `address` through an HTTP proxy on this machine. The connection stays open until the returned
/// stream is dropped.
pub(crate) fn get_by_proxy(proxy: u16, address: SocketAddr) -> TcpStream {
    let mut stream = connect(SocketAddr::from((Ipv4Addr::LOCALHOST, proxy)));
    read(
        &mut stream,
        &format!("http://{address}/"),
        &address.to_string(),
    );
    stream
}

fn connect(to: SocketAddr) -> TcpStream {
    let start = Instant::now();
    // The page may show the port a moment before the other agents listen for it.
    loop {
        match TcpStream::connect_timeout(&to, PATIENCE) {
            Ok(stream) => return stream,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
    }
}

fn read(stream: &mut TcpStream, target: &str, host: &str) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(GREETING.as_bytes()) {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..length]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
}
