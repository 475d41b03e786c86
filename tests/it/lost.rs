//! A lost host, as programs on the other hosts see it.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Instant,
};

use super::{
    back_to_back::free_port,
    home::{Home, PATIENCE},
};

/// The address of the host that is lost.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 62, 2);

/// Connects to the published port, and returns what the service sends, or the error.
fn visit(port: u16) -> Result<String, ErrorKind> {
    let mut stream = TcpStream::connect((WEB, port)).map_err(|error| error.kind())?;
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    read.map(|_| text).map_err(|error| error.kind())
}

/// Visits repeatedly until a visit has this outcome. All earlier visits have to fail. The other agent learns of the
/// change a moment after `stop` or `wait` has returned, and the number of visits in that moment is not known.
#[track_caller]
fn visit_until(port: u16, wanted: &Result<String, ErrorKind>) {
    let start = Instant::now();
    loop {
        let visit = visit(port);
        if visit == *wanted {
            return;
        }
        assert!(visit.is_err(), "{visit:?}");
        assert!(start.elapsed() < PATIENCE, "it stays at {visit:?}");
    }
}

#[test]
fn connections_to_a_host_are_refused_while_it_is_lost_and_accepted_when_it_is_back() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = service.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in service.incoming().flatten() {
            let _ = stream.write_all(b"hello");
        }
    });
    let published = free_port(WEB);
    let home = Home::new("lost");
    let program = env!("CARGO_BIN_EXE_norouter");
    let manifest = format!(
        "hosts:
  laptop: {{vip: 127.0.62.1}}
  web: {{vip: {WEB}, cmd: [\"{program}\"], loopback: {{disable: true}}, ports: [\"{published}:127.0.0.1:{port}\"]}}
"
    );
    let file = home.write("lost.yaml", &manifest);
    let _manager = home.up(&[&file]);
    // Only the laptop listens on the address.
    home.wait(&["--all"]);
    let hello = Ok("hello".to_owned());
    assert_eq!(visit(published), hello);
    for _ in 0..3 {
        assert_eq!(home.run(&["stop", "web"]).code, 0);
        // Until the other agent is told of the loss, it accepts clients and then resets them.
        visit_until(published, &Err(ErrorKind::ConnectionRefused));
        assert_eq!(home.run(&["start", "web"]).code, 0);
        home.wait(&["web"]);
        visit_until(published, &hello);
    }
}
