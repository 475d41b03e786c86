//! Starts the app for a test, with its own home folder, and ends it by its process id.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A time limit that is much longer than anything in these tests takes, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A home folder, which is removed at the end of the test. Its path is short, because the paths of sockets must be
/// short.
pub(crate) struct Home(TempDir);

/// A running app, which is killed when the value is dropped.
pub(crate) struct App(Child);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("norouter-screen-").unwrap())
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Writes the file of agreements as if the person had already agreed to a manifest with only this machine. The
    /// machine publishes this port to everybody.
    pub(crate) fn agreed_to(&self, manifest: &str, port: u16, target: &str) {
        let grant = serde_json::json!({
            "kind": "publish", "host": "laptop", "port": port, "protocol": "tcp", "target": target, "here": true,
        });
        self.agreed(manifest, grant);
    }

    /// Writes the file of agreements as if the person had already agreed to a manifest with this grant.
    pub(crate) fn agreed(&self, manifest: &str, grant: serde_json::Value) {
        let reach = serde_json::json!({"kind": "reach", "allowsRest": true, "rules": []});
        let folder = "data/io.github.norouter.app";
        fs::create_dir_all(self.path(folder)).unwrap();
        let file = format!("{folder}/agreements.json");
        // Agreements to other manifests are kept.
        let before = fs::read_to_string(self.path(&file)).unwrap_or_else(|_| "{}".to_owned());
        let mut all: serde_json::Value = serde_json::from_str(&before).unwrap();
        all[manifest] = serde_json::json!({ "grants": [grant, reach] });
        self.file(&file, &all.to_string());
    }

    /// The path of a file in the home folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Installs a program in a folder that comes first in the `PATH` of the app and of its login shell, from which the
    /// app takes its own.
    pub(crate) fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let bin = self.path("bin");
        self.file(
            ".profile",
            &format!("PATH={}:$PATH\nexport PATH\n", bin.display()),
        );
        fs::create_dir_all(self.path("bin")).unwrap();
        let path = self.file(&format!("bin/{name}"), script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Calls `look` until it returns a value. Panics with the text `what` after a time limit.
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(start.elapsed() < PATIENCE, "{what}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sets the environment variables of the app.
    pub(crate) fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let agents = self.path("agents");
        if agents.exists() {
            command.env("NOROUTER_AGENTS", agents);
        }
        let old = std::env::var_os("PATH").unwrap_or_default();
        let places = [self.path("bin")].into_iter();
        let path = std::env::join_paths(places.chain(std::env::split_paths(&old))).unwrap();
        command
            .env("PATH", path)
            .env("HOME", self.0.path())
            .env("XDG_DATA_HOME", self.0.path().join("data"))
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("XDG_CACHE_HOME", self.0.path().join("cache"))
            .env("SHELL", "/bin/sh")
    }

    /// Starts the app.
    pub(crate) fn start(&self, words: &[&str]) -> App {
        self.start_with(words, &[])
    }

    /// Starts the app with further environment variables.
    pub(crate) fn start_with(&self, words: &[&str], variables: &[(&str, &str)]) -> App {
        let log = File::create(self.0.path().join("stderr")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_norouter-app"));
        let command = self.dress(&mut command).args(words);
        command.envs(variables.iter().copied());
        App(command
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap())
    }

    /// The texts that the app has written to its standard output, its standard error and its log.
    pub(crate) fn said(&self) -> String {
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let log = self.0.path().join("data/io.github.norouter.app/app.log");
        read(self.0.path().join("stderr")) + &read(log)
    }
}

impl App {
    /// The app's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends the app a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the app ends without being killed, and returns its exit code.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.ends_within(PATIENCE).expect("the app does not end")
    }

    /// Like [`App::ended`], but returns `None` if the app has not ended within the time limit.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> Option<Option<i32>> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status.code());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The app with a window that a test drives. The app is killed when the value is dropped.
pub(crate) struct Driven {
    /// The driver's connection to the page.
    pub(crate) page: fantoccini::Client,
    driver: App,
    process: Process,
}

/// A process that the driver has started. It may outlive the driver, and is killed when the value is dropped.
struct Process(u32);

impl Driven {
    /// Starts the app through the driver of the web view.
    pub(crate) async fn start(home: &Home, words: &[&str]) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let log = File::create(home.path("stderr")).unwrap();
        let mut command = Command::new("WebKitWebDriver");
        let command = home.dress(&mut command);
        command.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
        command.env("TAURI_WEBVIEW_AUTOMATION", "true");
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let driver = App(command.spawn().unwrap());
        let options =
            serde_json::json!({"binary": env!("CARGO_BIN_EXE_norouter-app"), "args": words});
        let wanted = [("webkitgtk:browserOptions".to_owned(), options)]
            .into_iter()
            .collect();
        let url = format!("http://127.0.0.1:{port}");
        let start = Instant::now();
        let page = loop {
            let connector = hyper_util::client::legacy::connect::HttpConnector::new();
            let mut builder = fantoccini::ClientBuilder::new(connector);
            match builder
                .capabilities(Clone::clone(&wanted))
                .connect(&url)
                .await
            {
                Ok(page) => break page,
                // The driver may not be listening yet.
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}\n{}", home.said()),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let apps = children(driver.0.id(), Path::new(env!("CARGO_BIN_EXE_norouter-app")));
        let [pid] = apps[..] else {
            panic!("there is not one app: {apps:?}\n{}", home.said());
        };
        Self {
            page,
            driver,
            process: Process(pid),
        }
    }

    /// The process id of the app itself, not of its driver.
    pub(crate) fn pid(&self) -> u32 {
        self.process.0
    }

    /// Calls a command of the app as its page would, and returns the result or the reason for the refusal.
    pub(crate) async fn invoke(
        &self,
        command: &str,
        arguments: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let script = "const [command, given, done] = arguments;
            window.__TAURI_INTERNALS__.invoke(command, given)
                .then((ok) => done({ok: ok ?? null}), (error) => done({error: error.text ?? String(error)}));";
        let answer = self
            .page
            .execute_async(script, vec![command.into(), arguments])
            .await;
        let answer = answer.unwrap();
        match answer.get("error").and_then(serde_json::Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// Waits until the app has ended without being killed. The exit code is known only to the driver, which has started
    /// the app. Instead, a test can check what an orderly end leaves behind.
    pub(crate) fn ended(self, home: &Home) {
        home.wait("the app does not end", || {
            (!self.process.is_there()).then_some(())
        });
    }

    /// Kills the app, so that it cannot clean up.
    pub(crate) fn kill(self, home: &Home) {
        self.process.signal("KILL");
        self.ended(home);
    }

    /// Closes the window, and ends the app.
    pub(crate) async fn end(self) {
        // If the driver cannot close the window, the app is ended below.
        let _ = self.page.close().await;
        drop(self.driver);
        let start = Instant::now();
        while self.process.is_there() {
            self.process.signal("TERM");
            assert!(start.elapsed() < PATIENCE, "the app does not go");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Whether a process is running. A zombie does not count: it has ended, but its parent has not waited for it yet.
pub(crate) fn is_there(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

impl Process {
    fn is_there(&self) -> bool {
        is_there(self.0)
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill")
            .args(["-s", name, &self.0.to_string()])
            .status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_there() {
            self.signal("KILL");
        }
    }
}

/// The direct child processes of `parent` that run this program, found in `/proc`.
pub(crate) fn children(parent: u32, program: &Path) -> Vec<u32> {
    let program = fs::canonicalize(program).unwrap();
    let processes = fs::read_dir("/proc").unwrap();
    let numbers =
        processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|pid| {
            let place = Path::new("/proc").join(pid.to_string());
            let stat = fs::read_to_string(place.join("stat")).unwrap_or_default();
            // The name of the program is in parentheses, and may itself contain spaces and parentheses.
            let its = stat
                .rsplit(") ")
                .next()
                .and_then(|rest| rest.split(' ').nth(1));
            its == Some(parent.to_string().as_str())
                && fs::read_link(place.join("exe")).is_ok_and(|exe| exe == program)
        })
        .collect()
}
