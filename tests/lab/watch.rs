//! The events of a running network with their times, so that tests can check how long something took.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{network::Network, sandbox::DEADLINE};

/// The lines that `norouter events` has printed since this value was created.
pub(crate) struct Watch {
    follower: Child,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    lines: Mutex<Vec<(Instant, Value)>>,
    grown: Condvar,
}

impl Watch {
    /// Subscribes to the events of a running network. From then on, every event is received.
    pub(crate) fn over(network: &Network) -> Self {
        let mut follow = network.norouter(&["events", "--json"]);
        let mut follower = follow
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(follower.stdout.take().unwrap());
        let told = Arc::new(Told::default());
        let writer = told.clone();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap();
                writer.lines.lock().unwrap().push((Instant::now(), line));
                writer.grown.notify_all();
            }
        });
        let watch = Self { follower, told };
        watch.wait_for("the first snapshot", |line| line["event"] == "snapshot");
        watch
    }

    /// Waits until a host has been reported as ready. A later search then finds only later changes.
    #[track_caller]
    pub(crate) fn wait_until_told_ready(&self, host: &str) {
        self.wait_for(&format!("{host} to be ready"), |line| {
            let hosts = line["data"]["hosts"].as_array();
            let mut shown = hosts.map_or(&[][..], Vec::as_slice).iter();
            shown.any(|seen| seen["name"] == host && seen["state"] == "ready")
                || (is_change(line, host) && line["data"]["state"] == "ready")
        });
    }

    /// All events so far.
    pub(crate) fn all(&self) -> Vec<(Instant, Value)> {
        self.told.lines.lock().unwrap().clone()
    }

    /// The changes of a host's state after this time.
    pub(crate) fn states(&self, host: &str, since: Instant) -> Vec<(Instant, Value)> {
        let mut all = self.all();
        all.retain(|(at, line)| *at >= since && is_change(line, host));
        all
    }

    /// The first event that fulfils a condition, with its time.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&Value) -> bool) -> (Instant, Value) {
        self.search(what, |(_, line)| holds(line))
    }

    /// The next event after this time that reports a host in this state, with its time.
    #[track_caller]
    pub(crate) fn state(&self, host: &str, state: &str, since: Instant) -> (Instant, Value) {
        self.search(&format!("{host} to be {state}"), |(at, line)| {
            *at >= since && is_change(line, host) && line["data"]["state"] == state
        })
    }

    #[track_caller]
    fn search(&self, what: &str, holds: impl Fn(&(Instant, Value)) -> bool) -> (Instant, Value) {
        let start = Instant::now();
        let mut lines = self.told.lines.lock().unwrap();
        loop {
            if let Some(found) = lines.iter().find(|line| holds(line)) {
                return found.clone();
            }
            let left = DEADLINE.saturating_sub(start.elapsed());
            if left == Duration::ZERO {
                let last: Vec<_> = lines.iter().rev().take(5).collect();
                panic!("waited {DEADLINE:?} in vain for {what}; the last lines: {last:#?}");
            }
            lines = self.told.grown.wait_timeout(lines, left).unwrap().0;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.follower.kill().ok();
        self.follower.wait().ok();
    }
}

fn is_change(line: &Value, host: &str) -> bool {
    let data = &line["data"];
    line["event"] == "event" && data["type"] == "host" && data["host"] == host
}
