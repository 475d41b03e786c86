//! The parts that tests of the real program share: a home folder, ways to run the program in it, and a client of its
//! control socket.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::control_answers;

/// How long a test waits before it counts as stuck. Everything takes much less on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A home folder with a place for sockets. Its path is short, because the path of a socket must be short.
pub(crate) struct Home(TempDir);

/// The result of a command.
#[must_use = "look at what the program said"]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) data: String,
    pub(crate) talk: String,
}

/// A running manager. It is ended when this value is dropped.
pub(crate) struct Manager(Child);

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let home = TempDir::with_prefix(format!("norouter-it-{name}-")).unwrap();
        fs::create_dir(home.path().join("run")).unwrap();
        Self(home)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_norouter"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XDG_RUNTIME_DIR", self.path().join("run"))
            // Without a runtime folder, sockets are created in the folder for temporary files. All tests would share it
            // if they did not set `TMPDIR`.
            .env("TMPDIR", self.path())
            .env_remove("NOROUTER_NETWORK")
            .env_remove("NOROUTER_FILE")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        let run = Run {
            code: output.status.code().unwrap(),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        };
        control_answers::check_output(arguments, &run.data);
        run
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.talk);
        serde_json::from_str(&run.data).unwrap()
    }

    pub(crate) fn write(&self, file: &str, manifest: &str) -> String {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, manifest).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a manager without waiting for it. The manager is ready when it answers requests.
    pub(crate) fn up(&self, arguments: &[&str]) -> Manager {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path().join("stderr"))
            .unwrap();
        Manager(self.command(arguments).stderr(log).spawn().unwrap())
    }

    pub(crate) fn wait(&self, arguments: &[&str]) {
        let run = self.run(&[&["wait", "--timeout", "60"], arguments].concat());
        let log = fs::read_to_string(self.path().join("stderr")).unwrap_or_default();
        assert_eq!(run.code, 0, "{}\n{log}", run.talk);
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.path().join("run/norouter")
    }

    pub(crate) fn socket(&self, network: &str) -> PathBuf {
        self.folder().join(format!("{network}.sock"))
    }

    /// Sends a request over a connection of its own, without the client of NoRouter. Returns everything that arrives
    /// until the connection ends.
    pub(crate) fn ask(&self, network: &str, request: &str) -> String {
        let mut stream = UnixStream::connect(self.socket(network)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        control_answers::check_answer(request, &answer);
        answer
    }
}

impl From<Child> for Manager {
    fn from(child: Child) -> Self {
        Self(child)
    }
}

impl Manager {
    /// Waits until the manager has ended without being killed, and returns its exit code.
    pub(crate) fn ended(mut self) -> i32 {
        self.0.wait().unwrap().code().unwrap()
    }

    /// Kills the manager before it can clean up.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A network of this machine only, which does not need a port.
pub(crate) fn alone(vip: &str) -> String {
    format!(
        "hosts:\n  laptop:\n    vip: \"{vip}\"\n    dns: {{disable: true}}\n    stateDir: {{disable: true}}\n"
    )
}

pub(crate) fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n")
}

pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("no answer")
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
