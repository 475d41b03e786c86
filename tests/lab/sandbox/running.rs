//! A child process with all of its descendants, and its output. The processes are killed when the value is dropped. If
//! the test fails, the output is shown.

use std::{
    io::{BufRead as _, BufReader, Read},
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{DEADLINE, wait_for};

/// A running child.
pub(crate) struct Running {
    label: String,
    child: Child,
    /// The child's standard input. `None` after [`Running::close_stdin`].
    stdin: Option<ChildStdin>,
    log: Arc<Log>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

impl Log {
    /// The output so far. It can be read even if a test has panicked while it held the lock.
    fn text(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Starts a command in a process group of its own. Its standard output and standard error go to the log.
    pub(crate) fn start(label: &str, command: &mut Command) -> Self {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = Arc::new(Log::default());
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let readers = vec![copy(stdout, &log), copy(stderr, &log)];
        Self {
            label: label.to_owned(),
            stdin: child.stdin.take(),
            child,
            log,
            readers,
        }
    }

    /// The child's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child's output so far.
    pub(crate) fn log(&self) -> String {
        self.log.text().clone()
    }

    /// Waits until the log contains `text`. Panics if the child ends before that.
    #[track_caller]
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        self.wait_for_log(&format!("the text {text:?}"), |log| log.contains(text));
    }

    /// Waits until the log fulfils a condition. Panics if the child ends before that.
    #[track_caller]
    pub(crate) fn wait_for_log(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let start = Instant::now();
        let log = Arc::clone(&self.log);
        let mut text = log.text();
        while !holds(&text) {
            // The end of the child does not wake this thread, so the thread checks from time to time whether the child
            // has ended.
            let pause = Duration::from_millis(50);
            text = log
                .grown
                .wait_timeout(text, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            let ended = self.child.try_wait().unwrap();
            let silent = self.readers.iter().all(JoinHandle::is_finished);
            assert!(
                ended.is_none() || !silent || holds(&text),
                "{} ended with {ended:?} before {what}",
                self.label
            );
            assert!(
                start.elapsed() < DEADLINE,
                "waited {DEADLINE:?} in vain for {what} of {}",
                self.label
            );
        }
    }

    /// Closes the child's standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the child, but not to its descendants.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.raw_pid(), signal).unwrap();
    }

    /// Waits until the child ends by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.label);
        wait_for(&what, || self.child.try_wait().unwrap())
    }

    /// Whether the child is still running.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn raw_pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Descendants may outlive the child, so the whole process group is killed. The group's id cannot be reused
        // until the child has been waited for.
        kill_process_group(self.raw_pid(), Signal::KILL).ok();
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!(
                "--- log of {}:\n{}--- end of {}",
                self.label,
                self.log(),
                self.label
            );
        }
    }
}

/// Copies a stream to the log line by line, until the stream ends.
fn copy(stream: impl Read + Send + 'static, log: &Arc<Log>) -> JoinHandle<()> {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            log.text
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&line));
            log.grown.notify_all();
            line.clear();
        }
    })
}
