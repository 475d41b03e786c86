//! A manifest that is edited while its network runs. Whatever happens to the file, the network goes on.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Instant,
};

use super::{
    back_to_back::free_port,
    home::{Home, PATIENCE},
};

/// The address of the host whose command changes.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 63, 2);

/// A connection whose other end sends everything back.
struct Echo(TcpStream);

impl Echo {
    fn open(port: u16) -> Self {
        let start = Instant::now();
        // The host may be ready shortly before the other hosts listen on its address.
        let stream = loop {
            match TcpStream::connect((WEB, port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn works(&mut self) -> bool {
        let mut heard = [0; 4];
        self.0.write_all(b"well").is_ok()
            && self.0.read_exact(&mut heard).is_ok()
            && heard == *b"well"
    }
}

fn service() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
    port
}

impl Home {
    /// Waits until the manager has printed these texts, one after the other.
    fn hears(&self, words: &[&str]) {
        let start = Instant::now();
        loop {
            let said = fs::read_to_string(self.path().join("stderr")).unwrap();
            let found = words
                .iter()
                .try_fold(&said[..], |rest, word| Some(rest.split_once(word)?.1));
            if found.is_some() {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "no {words:?} in\n{said}");
            std::thread::yield_now();
        }
    }

    fn held(&self) -> serde_json::Value {
        // The exit code is not 0, because a change waits.
        let status: serde_json::Value =
            serde_json::from_str(&self.run(&["status", "--json"]).data).unwrap();
        status["hosts"][1]["held"].clone()
    }
}

#[test]
fn a_file_that_is_broken_half_written_or_gone_changes_nothing_and_a_new_command_waits() {
    let home = Home::new("followed");
    let (port, to) = (free_port(WEB), service());
    let text = |command: &[&str]| {
        format!(
            "hosts:\n  laptop: {{vip: 127.0.63.1}}\n  web: {{vip: {WEB}, cmd: {command:?}, loopback: {{disable: true}}, ports: [\"{port}:127.0.0.1:{to}\"]}}\n"
        )
    };
    let program = env!("CARGO_BIN_EXE_norouter");
    let good = text(&[program]);
    let file = home.write("followed.yaml", &good);
    let _manager = home.up(&[&file, "--confirm-commands"]);
    home.wait(&["--all"]);
    let mut echo = Echo::open(port);
    assert!(echo.works());

    home.write("followed.yaml", &good.replace("127.0.63.1}", "10.0.0.1}"));
    home.hears(&["followed.yaml:2:"]);
    assert!(echo.works());
    home.write("followed.yaml", &good[..good.len() - 8]);
    home.hears(&["followed.yaml:2:", "followed.yaml:3:"]);
    assert!(echo.works());
    fs::remove_file(&file).unwrap();
    home.hears(&["followed.yaml:3:", "cannot be read"]);
    assert!(echo.works());

    let other = ["sh", "-c", "exec \"$0\" \"$@\"", program];
    home.write("followed.yaml", &text(&other));
    let start = Instant::now();
    while home.held().is_null() {
        assert!(start.elapsed() < PATIENCE, "the new command is not held");
    }
    let held = home.held();
    assert_eq!(held["command"][0], "sh");
    assert!(echo.works(), "the host goes on with what was approved");

    let approved = home.run(&["approve", "web", "--yes"]);
    assert_eq!(approved.code, 0, "{}", approved.talk);
    assert!(approved.talk.contains("exec"), "{}", approved.talk);
    home.wait(&["--all"]);
    assert!(!echo.works(), "it was another agent's");
    assert!(Echo::open(port).works());
    assert!(home.held().is_null());
}
