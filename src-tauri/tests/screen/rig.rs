//! A running app with a home folder of its own, ended by its process id.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Much longer than anything here takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A home folder; gone with the test. Near the root because the paths of sockets are short.
pub(crate) struct Home(PathBuf);

/// A running app; killed when it is dropped.
pub(crate) struct App(Child);

impl Home {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("norouter-screen-{}-{number}", std::process::id());
        let home = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        Self(home)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What the app is started with, apart from its words.
    pub(crate) fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("HOME", &self.0)
            .env("XDG_DATA_HOME", self.0.join("data"))
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .env("XDG_CACHE_HOME", self.0.join("cache"))
            .env("SHELL", "/bin/sh")
    }

    /// Starts the app.
    pub(crate) fn start(&self, words: &[&str]) -> App {
        let log = File::create(self.0.join("stderr")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_norouter-app"));
        let command = self.dress(&mut command).args(words);
        App(command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap())
    }

    /// What the app has said.
    pub(crate) fn said(&self) -> String {
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let log = self.0.join("data/io.github.norouter.app/app.log");
        read(self.0.join("stderr")) + &read(log)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl App {
    /// The code with which it ends by itself.
    pub(crate) fn ended(mut self) -> Option<i32> {
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "the app does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
