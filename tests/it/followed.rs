//! A manifest that is edited while its network runs. The network keeps running, whatever happens to the file.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use super::{
    back_to_back::free_port,
    home::{Home, PATIENCE},
};

/// The address of the host whose command changes.
const WEB: Ipv4Addr = Ipv4Addr::new(127, 0, 63, 2);

/// The address of the host in the manifest that is written slowly.
const SLOW: Ipv4Addr = Ipv4Addr::new(127, 0, 63, 12);

/// A connection whose other end sends everything back.
struct Echo(TcpStream);

impl Echo {
    fn to(host: Ipv4Addr, port: u16) -> Self {
        let start = Instant::now();
        // The host may be ready shortly before the other hosts listen on its address, so the connection is tried
        // repeatedly.
        let stream = loop {
            match TcpStream::connect((host, port)) {
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
    /// Waits until the manager has printed these texts, in this order.
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
    let mut echo = Echo::to(WEB, port);
    assert!(echo.works());

    home.write("followed.yaml", &good.replace("127.0.63.1}", "10.0.0.1}"));
    home.hears(&["followed.yaml:2:"]);
    assert!(echo.works());
    let unapplied = home.json(&["status", "--json"])["unapplied"].clone();
    let report = unapplied["report"].as_str().unwrap();
    assert!(report.contains("followed.yaml:2:"), "{report}");
    let status = home.run(&["status"]).data;
    assert!(
        status.contains("the manifest on disk has had errors for"),
        "{status}"
    );
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
    assert!(!home.run(&["status", "--json"]).data.contains("unapplied"));
    assert!(echo.works(), "the host goes on with what was approved");

    let approved = home.run(&["approve", "web", "--yes"]);
    assert_eq!(approved.code, 0, "{}", approved.talk);
    assert!(approved.talk.contains("exec"), "{}", approved.talk);
    home.wait(&["--all"]);
    assert!(!echo.works(), "it was another agent's");
    assert!(Echo::to(WEB, port).works());
    assert!(home.held().is_null());
}

/// A time that is longer than the pause before a changed file is read for the first time.
const PAUSE: Duration = Duration::from_millis(700);

#[test]
fn a_file_that_is_written_slowly_takes_no_host_away() {
    let home = Home::new("slowly");
    let (port, to) = (free_port(SLOW), service());
    let program = env!("CARGO_BIN_EXE_norouter");
    let alone = "loopback: {disable: true}, dns: {disable: true}, stateDir: {disable: true}";
    let first = "hosts:\n  laptop: {vip: 127.0.63.11, stateDir: {disable: true}}\n";
    let rest = format!(
        "  web: {{vip: {SLOW}, cmd: [{program:?}], {alone}, ports: [\"{port}:127.0.0.1:{to}\"]}}\n"
    );
    let more = |number: usize| {
        format!("  more{number}: {{vip: 127.0.63.2{number}, cmd: [{program:?}], {alone}}}\n")
    };
    let file = home.write("slowly.yaml", &format!("{first}{rest}"));
    let _manager = home.up(&[&file]);
    home.wait(&["--all"]);
    let mut echo = Echo::to(SLOW, port);
    let mut rests = || {
        let start = Instant::now();
        while start.elapsed() < PAUSE {
            assert!(echo.works(), "the host was taken away");
        }
    };

    // A program keeps the file open while it writes.
    let mut writer = File::create(&file).unwrap();
    for part in [first, &rest, &more(1)] {
        writer.write_all(part.as_bytes()).unwrap();
        rests();
    }
    drop(writer);
    home.hears(&["more1 (127.0.63.21): added"]);

    // A program opens the file a second time to write the rest.
    fs::write(&file, first).unwrap();
    rests();
    fs::write(&file, format!("{first}{rest}{}{}", more(1), more(2))).unwrap();
    home.hears(&["more2 (127.0.63.22): added"]);
    rests();

    let said = fs::read_to_string(home.path().join("stderr")).unwrap();
    assert!(!said.contains("removed"), "{said}");
    // A host that is really missing from the finished file is removed.
    fs::write(&file, first).unwrap();
    home.hears(&["web (127.0.63.12): removed"]);
}

#[test]
fn a_manifest_behind_links_is_followed_through_each_swap() {
    use std::os::unix::fs::symlink;
    let home = Home::new("swapped");
    let alone = "loopback: {disable: true}, dns: {disable: true}, stateDir: {disable: true}";
    let release = |version: u8| {
        let hosts = (0..version).map(|number| {
            format!("  h{number}: {{vip: 127.0.63.4{number}, cmd: \"false\", {alone}}}\n")
        });
        let hosts: String = hosts.collect();
        let text =
            format!("hosts:\n  laptop: {{vip: 127.0.63.30, stateDir: {{disable: true}}}}\n{hosts}");
        home.write(&format!("v{version}/n.yaml"), &text);
        symlink(format!("v{version}"), home.path().join("new")).unwrap();
        fs::rename(home.path().join("new"), home.path().join("..data")).unwrap();
    };
    release(1);
    let file = home.path().join("n.yaml");
    symlink("..data/n.yaml", &file).unwrap();
    let _manager = home.up(&[file.to_str().unwrap(), "--name", "swapped"]);
    home.wait(&["laptop"]);
    for version in 2..5 {
        release(version);
        home.hears(&[&format!("h{0} (127.0.63.4{0}): added", version - 1)]);
    }
}
