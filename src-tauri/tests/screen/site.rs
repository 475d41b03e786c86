//! An HTTP site behind a network, and a client that reads it through the network.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Instant,
};

use super::rig::PATIENCE;

/// The content of the site.
const GREETING: &str = "hello from the far end";

/// Opens a site on this machine, which keeps its connections open until the clients close them. Returns its port.
pub(crate) fn open() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
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
    let start = Instant::now();
    // The page may show the port a moment before the other agents listen for it.
    let mut stream = loop {
        match TcpStream::connect_timeout(&SocketAddr::from((vip, port)), PATIENCE) {
            Ok(stream) => break stream,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(GREETING.as_bytes()) {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..length]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    stream
}
