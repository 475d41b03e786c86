//! A sandbox for one test with real programs: a folder, child processes, namespaces, containers. They are all removed
//! when the test ends.
//!
//! The lab does not wait for fixed times. It waits for conditions, up to a deadline.
#![allow(
    dead_code,
    unused_imports,
    reason = "the lab and the benchmark each use a part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests report by panics"
)]

pub(crate) mod client;
pub(crate) mod dropbear;
pub(crate) mod nameserver;
pub(crate) mod netns;
pub(crate) mod origin;
pub(crate) mod podman;
pub(crate) mod postgres;
pub(crate) mod running;
pub(crate) mod sshd;

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub(crate) use dropbear::Dropbear;
pub(crate) use nameserver::Nameserver;
pub(crate) use netns::Netns;
pub(crate) use origin::Origin;
pub(crate) use podman::{Container, Podman};
pub(crate) use postgres::Postgres;
pub(crate) use running::Running;
pub(crate) use sshd::Sshd;

/// How long the lab waits for anything before it fails. The time is long, because a machine that is busy with other
/// work is slow.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// The folder of a test. It is removed when the last clone of this value is dropped.
#[derive(Clone)]
pub(crate) struct Sandbox {
    folder: Arc<TempDir>,
}

impl Sandbox {
    /// Creates an empty folder. Its path is short, because the path of a Unix socket has at most 107 bytes.
    pub(crate) fn new() -> Self {
        // Other users have to be able to read the files in the folder.
        let all = fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new()
            .prefix("norouter-lab-")
            .permissions(all)
            .tempdir();
        Self {
            folder: Arc::new(folder.unwrap()),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a program into the folder.
    pub(crate) fn write_program(&self, name: &str, content: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

/// The program under test: the one in `NOROUTER_BINARY`, or else the one that cargo has built for the tests.
pub(crate) fn norouter() -> PathBuf {
    env::var_os("NOROUTER_BINARY")
        .map_or_else(|| env!("CARGO_BIN_EXE_norouter").into(), PathBuf::from)
}

/// The static program, which also runs in a container without any other files.
pub(crate) fn static_norouter() -> PathBuf {
    let path = env::var_os("NOROUTER_BINARY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/dist/norouter"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "{} does not exist: run `cargo xtask dist`",
        path.display()
    );
    path
}

/// A name that is unique on this machine.
pub(crate) fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{prefix}-{}-{}",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A TCP port of 127.0.0.1 that is free at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Calls `ask` until it returns a value. Panics with `what` at the deadline.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "waited {DEADLINE:?} in vain for {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// A command with these words.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(words: &[S]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// Runs a command to its end, and returns its standard output. Panics with all of its output if it fails.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert!(
        output.status.success(),
        "{shown} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code. -1 if a signal ended the command.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end. It may fail.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The words as one text for a `cmd` in the manifest. Words that need quoting are not allowed.
pub(crate) fn joined(words: &[String]) -> String {
    assert!(
        words.iter().all(|word| !word.is_empty()
            && !word.contains(|c: char| c.is_whitespace() || "'\"\\$".contains(c))),
        "{words:?} needs quoting"
    );
    words.join(" ")
}
