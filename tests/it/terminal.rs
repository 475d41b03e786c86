//! The program at a terminal of its own, with a person who reads and types.

use std::{
    io::{Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use crate::home::{Home, PATIENCE};

/// A program at a terminal. The program `script` provides the terminal, and passes on what is typed and shown there.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    /// Starts the program with these arguments at a terminal.
    pub(crate) fn start(home: &Home, arguments: &[&str]) -> Self {
        let program = home.command(arguments);
        let quoted = |word: &std::ffi::OsStr| {
            let word = word.to_str().unwrap().replace('\'', "'\\''");
            format!("'{word}'")
        };
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let line = words.map(quoted).collect::<Vec<_>>().join(" ");
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let mut child = script.spawn().unwrap();
        let (mut out, keys) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let (sender, shown) = channel();
        thread::spawn(move || {
            let mut part = [0; 4_096];
            while let Ok(count @ 1..) = out.read(&mut part) {
                if sender.send(part[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keys,
            shown,
            screen: String::new(),
        }
    }

    /// Waits until the terminal shows a text.
    #[track_caller]
    pub(crate) fn reads(&mut self, text: &str) {
        while !self.screen.contains(text) {
            let part = self.shown.recv_timeout(PATIENCE);
            let part = part.unwrap_or_else(|why| panic!("{text:?} ({why}):\n{}", self.screen));
            self.screen.push_str(&String::from_utf8_lossy(&part));
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for the end of the program. Returns its exit code, and everything that the terminal has shown.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (i32, String) {
        loop {
            match self.shown.recv_timeout(PATIENCE) {
                Ok(part) => self.screen.push_str(&String::from_utf8_lossy(&part)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.screen),
            }
        }
        let code = self.child.wait().unwrap().code().unwrap();
        (code, self.screen)
    }
}
