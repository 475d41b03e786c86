//! The demo as a person starts and ends it: its addresses, its pages, and what is left afterwards.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits before it counts as stuck. Everything takes much less on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Only one demo runs at a time. Two demos that start together could choose the same port, and one would wait for the
/// other to end.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A running demo. It is ended when this value is dropped.
struct Demo {
    _turn: MutexGuard<'static, ()>,
    child: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = Command::new(env!("CARGO_BIN_EXE_norouter"))
            .arg("demo")
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // The receiver is gone if the test has read enough.
                let _ = sender.send(line);
            }
        });
        Self {
            _turn: turn,
            child,
            lines,
        }
    }

    /// Waits for the next line that contains a text. Returns this line, and the lines before it.
    fn line_with(&self, text: &str) -> (String, String) {
        let mut before = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text:?} after:\n{before}"));
            if line.contains(text) {
                return (line, before);
            }
            before += &(line + "\n");
        }
    }

    /// Waits until all four hosts are ready. Returns the output and the addresses of the pages.
    fn ready(&self) -> (String, Vec<String>) {
        let mut talk = String::new();
        let mut pages = Vec::new();
        for _ in 0..4 {
            let (line, before) = self.line_with("Ready: ");
            talk += &before;
            pages.extend(line.split_once("http://").map(|(_, page)| page.to_owned()));
        }
        (talk, pages)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // If the test has passed, the demo has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The response to a request of a browser.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The ids of processes that run as hosts of a demo, filtered by their own id and their parent's.
fn hosts(wanted: impl Fn(i32, i32) -> bool) -> Vec<i32> {
    let processes: Vec<_> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .collect();
    assert!(processes.len() > 1, "/proc shows no processes");
    let is_wanted = |own: &i32| {
        // A process that has ended in the meantime is left out.
        let words = fs::read(format!("/proc/{own}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{own}/stat")).unwrap_or_default();
        // In this file (proc_pid_stat(5)), the state and the parent come after the name, which is in parentheses.
        let rest = stat.rsplit(')').next().unwrap();
        let parent = rest
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok());
        words
            .split(|byte| *byte == 0)
            .any(|word| word == b"demo-host")
            && parent.is_some_and(|parent| wanted(*own, parent))
    };
    processes.into_iter().filter(is_wanted).collect()
}

/// Visits the pages of a demo, and checks that nothing is left after its end. Returns its output and the pages.
fn visit(arguments: &[&str]) -> (String, Vec<String>) {
    let mut demo = Demo::start(arguments);
    let (talk, addresses) = demo.ready();
    assert_eq!(addresses.len(), 3, "{talk}");
    let pages: Vec<_> = addresses.iter().map(|address| get(address, "/")).collect();
    for (page, address) in pages.iter().zip(&addresses) {
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        let name = get(address, "/name");
        let name = name.lines().last().unwrap();
        assert!(page.contains(&format!("<h1>{name}</h1>")), "{name}: {page}");
        assert!(get(address, "/nothing").starts_with("HTTP/1.1 404 "));
    }
    let manager = demo.pid().as_raw_nonzero().get();
    // Other networks may run on this machine, so the network of the demo is found by its name.
    let status = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_norouter"));
        let output = command
            .args(["status", "--json", "--network", name])
            .output()
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default()
    };
    let own = ["demo", "demo-2", "demo-3"].map(status);
    let own = own.iter().find(|network| network["pid"] == manager);
    assert_eq!(own.unwrap()["hosts"].as_array().unwrap().len(), 4);
    let children = hosts(|_, parent| parent == manager);
    assert_eq!(children.len(), 3);
    kill_process(demo.pid(), Signal::INT).unwrap();
    assert_eq!(demo.child.wait().unwrap().code(), Some(130));
    assert_eq!(hosts(|own, _| children.contains(&own)), [0; 0]);
    (talk, pages)
}

#[test]
fn the_pages_of_the_demo_reach_each_other_and_nothing_is_left_of_them() {
    let (talk, pages) = visit(&[]);
    let shared = talk.contains("share this machine's loopback");
    for page in pages {
        let reached = page.matches("class=\"good\">reached<").count();
        let not_measured = page.matches(">not measured<").count();
        let expected = if shared { (0, 2) } else { (2, 0) };
        assert_eq!((reached, not_measured), expected, "{page}");
    }
    let allowed = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(["demo-host", "--probe"])
        .output()
        .unwrap();
    assert_eq!(allowed.status.success(), !shared, "{talk}");
}

#[test]
fn hosts_that_share_a_loopback_are_reached_from_the_laptop() {
    let (talk, pages) = visit(&["--shared"]);
    assert!(
        talk.contains("The hosts share this machine's loopback"),
        "{talk}"
    );
    for page in pages {
        assert_eq!(page.matches(">not measured<").count(), 2, "{page}");
    }
}

#[test]
fn the_manifest_of_the_demo_passes_check() {
    let print = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(["demo", "--print"])
        .output()
        .unwrap();
    assert_eq!(print.status.code(), Some(0));
    let mut check = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    check
        .stdin
        .take()
        .unwrap()
        .write_all(&print.stdout)
        .unwrap();
    let output = check.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "<stdin>: can be run (4 hosts)\n"
    );
}
