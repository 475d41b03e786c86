//! The network for an attack, and the measurements.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    attacks::Attack,
    probe::{Probe, Times},
    service::{self, Witness},
};
use crate::{
    network::{Host, Network, program},
    sandbox::{DEADLINE, Netns, Running, Sandbox, ended, wait_for},
    watch::Watch,
};

/// The honest hosts.
const HONEST: [&str; 3] = ["laptop", "good", "good2"];

/// The hostile hosts.
const EVIL: [&str; 5] = ["evil", "evil2", "evil3", "evil4", "evil5"];

/// A name that is routed through the gateway, and its address there.
const NAME: &str = "ok.internal:9000";
const PLACE: ([u8; 4], u16) = ([10, 77, 0, 5], 9000);

/// Texts that only hostile hosts use. If a line of the log quotes them, the line does not count as telling who the
/// attacker is.
const THEIRS: [&str; 4] = ["wwwwwwww", "rrrrrrrr", "all work", "xxxxxxxx"];

/// How long after the measurement an attacker may still be reported by name.
const NAMING: Duration = Duration::from_secs(8);

/// The network of one attack.
pub(crate) struct Stage<'a> {
    attack: &'a Attack,
    sandbox: Sandbox,
    network: Network,
    watch: Watch,
    witness: Witness,
    local: Option<Running>,
}

/// The results of an attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) round_trips: [Times; 2],
    pub(crate) connects: [Times; 2],
    /// Round trips on the laptop alone, without the network.
    pub(crate) machine: [Times; 2],
    /// The errors during the attack.
    pub(crate) failed: Vec<String>,
    /// How many frames, lines or connections were sent, and how many bytes.
    pub(crate) sent: (u64, u64),
    /// The peak memory of the manager, and the highest peak of the honest agents, in KiB.
    pub(crate) manager: u64,
    pub(crate) agents: u64,
    /// For each attacker, the text that reported it by name; `None` if there was none.
    pub(crate) named: Vec<Option<String>>,
    /// The duration of the slowest answer to `norouter status`.
    pub(crate) status: Duration,
    /// The honest hosts that were not ready, with their states.
    pub(crate) unready: Vec<String>,
    /// Everything else that happened and must never happen.
    pub(crate) wrong: Vec<String>,
    pub(crate) witnessed: u64,
    /// The states of the hostile hosts at the end.
    pub(crate) states: Vec<String>,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.witness.let_go();
    }
}

impl<'a> Stage<'a> {
    /// Starts the network. The attackers wait for [`Stage::measure`].
    pub(crate) fn start(attack: &'a Attack) -> Self {
        let sandbox = Sandbox::new();
        for (name, text) in [
            ("agent.py", include_str!("agent.py")),
            ("line.py", include_str!("line.py")),
            ("local.py", include_str!("local.py")),
        ] {
            sandbox.write(name, text);
        }
        let witness = Witness::default();
        // Other users are admitted, so that they can attack the proxy and the listeners.
        let laptop = Host::laptop()
            .line("http: {listen: \"127.0.0.1:18080\", allow: any}")
            .line("loopback: {allow: any}");
        let laptop = match attack.files {
            Some(files) => laptop.with_open_files(files),
            None => laptop,
        };
        let gateway = Host::netns("good2", &sandbox);
        // Only this name is in the hosts file. For other names the resolver does not answer for a long time.
        gateway.namespace().etc("hosts", "10.77.0.5 ok.internal\n");
        let resolver = "nameserver 127.0.0.53\noptions timeout:30 attempts:1\n";
        gateway.namespace().etc("resolv.conf", resolver);
        gateway.namespace().add_address("10.77.0.5/32");
        service::echo_at(gateway.namespace(), SocketAddr::from(PLACE));
        service::deaf_nameserver(gateway.namespace());
        let mut hosts = vec![laptop, Host::netns("good", &sandbox), gateway];
        for host in &hosts {
            service::start(host.namespace(), &witness);
        }
        hosts.push(hostile(&sandbox, "silent", "nothing"));
        for (name, mode) in EVIL.iter().zip(attack.agents) {
            let proxy = "http: {listen: \"127.0.0.1:18080\"}";
            hosts.push(hostile(&sandbox, name, mode).line(proxy));
        }
        let hosts = hosts.into_iter().map(|host| host.ports(service::PORTS));
        let routes = ["{via: good2, to: [\"*.internal\", \"10.77.0.0/16\"]}"];
        let network = Network::with_routes(&sandbox, hosts.collect(), &routes);
        network.wait_until_it_answers();
        let watch = Watch::over(&network);
        network.wait(&HONEST);
        // The attacker runs with low priority. It should attack with its connections, not by taking processor time from
        // other programs on this machine.
        let local = attack.local.map(|words| {
            let place = place(&sandbox, "local");
            fs::write(format!("{place}.sent"), [0; 16]).unwrap();
            let script = sandbox.path("local.py");
            for (path, mode) in [(script.clone(), 0o644), (sandbox.path("local.sent"), 0o666)] {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            let mut command = vec!["setpriv", "--reuid", "1001", "--regid", "1001"];
            command.extend([
                "--clear-groups",
                "nice",
                "-n",
                "19",
                "/usr/bin/python3",
                script.to_str().unwrap(),
                &place,
            ]);
            command.extend(words.split(' '));
            Running::start("another user", &mut network.laptop().command(&command))
        });
        let stage = Self {
            attack,
            sandbox,
            network,
            watch,
            witness,
            local,
        };
        for (name, _) in stage.evil() {
            stage.network.wait(&[name]);
        }
        stage.network.wait(&["silent"]);
        stage
    }

    /// The hostile hosts with their modes.
    fn evil(&self) -> impl Iterator<Item = (&'static str, &&'static str)> {
        EVIL.into_iter().zip(self.attack.agents)
    }

    fn probes(&self) -> [Probe; 3] {
        let netns = self.network.laptop().namespace();
        let to = |host: &str| {
            let address = format!("{}:{}", self.network.vip(host), service::ECHO);
            address.parse().unwrap()
        };
        let connects = if self.attack.gateway {
            let proxy = SocketAddr::from(([127, 0, 0, 1], 18080));
            Probe::connects_through(netns, proxy, NAME)
        } else {
            Probe::connects(netns, to("good2"))
        };
        let own = SocketAddr::from(([127, 0, 0, 1], 9000));
        [
            Probe::round_trips(netns, to("good")),
            connects,
            Probe::round_trips(netns, own),
        ]
    }

    /// Measures for a while, begins the attack, and measures again.
    pub(crate) fn measure(mut self, before: Duration, during: Duration) -> Measured {
        let probes = self.probes();
        let warm = Instant::now();
        wait_for("the first answers", || {
            probes
                .iter()
                .all(|probe| probe.count(warm) > 20)
                .then_some(())
        });
        let start = Instant::now();
        self.ask_until(start + before);
        let log = self.network.manager.log().len();
        let go = Instant::now();
        for who in self.places() {
            fs::write(format!("{who}.go"), "").unwrap();
        }
        let status = self.ask_until(go + during);
        let end = go + during;
        let [round_trips, connects, machine] = probes.map(Probe::stop);
        let mut measured = Measured {
            status,
            ..Measured::default()
        };
        for (answers, times) in [
            (&round_trips, &mut measured.round_trips),
            (&connects, &mut measured.connects),
            (&machine, &mut measured.machine),
        ] {
            let (calm, failed) = answers.within(start, go);
            measured.wrong.extend(failed);
            let (stormy, failed) = answers.within(go, end);
            *times = [calm, stormy];
            measured.failed.extend(failed);
        }
        // The attack goes on until all attackers have been reported by name, but at most for [`NAMING`].
        let patience = Instant::now() + NAMING;
        loop {
            measured.named = self.all_named(go, log);
            let done = !self.attack.named || measured.named.iter().all(Option::is_some);
            if done || Instant::now() > patience {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
        self.judge(&mut measured, go);
        measured
    }

    /// Asks for the status again and again, as a person could do. Returns the duration of the slowest answer.
    fn ask_until(&self, end: Instant) -> Duration {
        let over = Arc::new(AtomicBool::new(false));
        let mut slowest = Duration::ZERO;
        thread::scope(|scope| {
            if self.attack.asked {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let why = ["why", "evil:8081", "--from", "laptop"];
                        ended(&mut self.network.nice_norouter(&why));
                    }
                });
            }
            while Instant::now() < end {
                let asked = Instant::now();
                let answer = ended(&mut self.network.nice_norouter(&["status", "--json"]));
                let there = serde_json::from_str::<Value>(&answer.out).is_ok();
                slowest = slowest.max(if there { asked.elapsed() } else { DEADLINE });
                let pause = end.min(asked + Duration::from_millis(700));
                thread::sleep(pause.saturating_duration_since(Instant::now()));
            }
            over.store(true, Ordering::Relaxed);
        });
        slowest
    }

    fn judge(&mut self, measured: &mut Measured, go: Instant) {
        if !self.network.manager.is_alive() {
            measured.wrong.push("the manager has ended".to_owned());
            return;
        }
        let asked = Instant::now();
        let status = ended(&mut self.network.norouter(&["status", "--json"]));
        let status: Value = serde_json::from_str(&status.out).unwrap_or_default();
        measured.status = measured.status.max(asked.elapsed());
        if status.is_null() {
            measured.wrong.push("nobody tells the status".to_owned());
        }
        measured.manager = peak(self.network.manager.pid());
        for host in &HONEST[1..] {
            let agents = self.network.agents(host);
            let peaks = agents
                .iter()
                .map(|agent| peak(agent.as_raw_nonzero().get().cast_unsigned()));
            measured.agents = measured.agents.max(peaks.max().unwrap_or(0));
        }
        let hosts = status["hosts"].as_array().map_or(&[][..], Vec::as_slice);
        for host in hosts {
            let name = host["name"].as_str().unwrap();
            let state = host["state"].as_str().unwrap();
            if HONEST.contains(&name) && !self.is_up(name, state, &host["reason"]) {
                measured
                    .unready
                    .push(format!("{name} is {state}: {}", host["reason"]));
            } else if EVIL.contains(&name) {
                measured.states.push(state.to_owned());
            }
        }
        for host in HONEST {
            for (at, line) in self.watch.states(host, go) {
                let (at, data) = (at - go, &line["data"]);
                let state = data["state"].as_str().unwrap_or_default();
                if self.is_up(host, state, &data["reason"]) {
                    continue;
                }
                let line = format!(
                    "{host} was {} {at:.1?} on: {}",
                    data["state"], data["reason"]
                );
                measured.unready.push(line);
            }
        }
        let text = self.network.manager.log();
        if text.contains("panicked") {
            measured.wrong.push("a panic".to_owned());
        }
        measured.wrong.extend(self.witness.wrong());
        measured.witnessed = self.witness.right();
        for who in self.places() {
            let bytes = fs::read(format!("{who}.sent")).unwrap_or_default();
            let number = |at: usize| {
                let bytes = bytes.get(at..at + 8).unwrap_or(&[0; 8]);
                u64::from_le_bytes(bytes.try_into().unwrap())
            };
            measured.sent.0 += number(0);
            measured.sent.1 += number(8);
        }
        if self.local.as_mut().is_some_and(|local| !local.is_alive()) {
            measured.wrong.push("the other user has gone".to_owned());
        }
    }

    /// Whether an honest host works. It works if it is ready. If hostile hosts begin many connections to it, it also
    /// works if it is degraded only because it refuses connections of hostile hosts.
    fn is_up(&self, host: &str, state: &str, reason: &Value) -> bool {
        let crowd = |(name, _)| format!("cannot take all connections of {name}: ");
        let crowds: Vec<String> = self.evil().map(crowd).collect();
        let is_crowd = |part: &str| {
            part == "check what it is doing" || crowds.iter().any(|crowd| part.starts_with(crowd))
        };
        let mut parts = reason.as_str().unwrap_or_default().split("; ");
        state == "ready"
            || (state == "degraded" && self.attack.crowded.contains(&host) && parts.all(is_crowd))
    }

    /// For each attacker, the text that reported it by name.
    fn all_named(&self, go: Instant, log: usize) -> Vec<Option<String>> {
        let status = ended(&mut self.network.norouter(&["status", "--json"]));
        let status: Value = serde_json::from_str(&status.out).unwrap_or_default();
        let hosts = status["hosts"].as_array().map_or(&[][..], Vec::as_slice);
        let text = self.network.manager.log();
        let evil = self.evil();
        evil.map(|(name, _)| self.named(name, go, &text[log..], hosts))
            .collect()
    }

    /// A text that names the attacker: a line of the log, an event since `go` (the beginning of the attack), or a part
    /// of the present state of a host.
    fn named(&self, name: &str, go: Instant, log: &str, hosts: &[Value]) -> Option<String> {
        let vip = self.network.vip(name);
        let names = |text: &str| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            words.any(|word| word == name || word.trim_end_matches('.') == vip)
                && !text.starts_with("Ready: ")
                && !THEIRS.iter().any(|theirs| text.contains(theirs))
        };
        let told = log.lines().find(|line| names(line)).map(str::to_owned);
        let told = told.or_else(|| {
            let since = |(at, line): &(Instant, Value)| *at >= go && line["event"] == "event";
            let events = self.watch.all().into_iter().filter(since);
            let mut events = events.map(|(_, line)| line["data"].to_string());
            events.find(|event| names(event))
        });
        told.or_else(|| {
            let says = |host: &Value| {
                let own = host["name"] == name;
                let mut texts = vec![host["reason"].as_str().unwrap_or_default().to_owned()];
                for list in ["troubles", "warnings"] {
                    let list = host[list].as_array().map_or(&[][..], Vec::as_slice);
                    texts.extend(list.iter().map(Value::to_string));
                }
                let foreign = |text: &&String| !THEIRS.iter().any(|theirs| text.contains(theirs));
                let mut texts = texts.iter().filter(foreign);
                texts
                    .find(|text| names(text) || (own && !text.is_empty()))
                    .cloned()
            };
            hosts.iter().find_map(says)
        })
    }

    /// The argument `PLACE` of each attacker; see `agent.py` and `local.py`.
    fn places(&self) -> Vec<String> {
        let mut who: Vec<&str> = self.evil().map(|(name, _)| name).collect();
        who.extend(self.attack.local.map(|_| "local"));
        who.iter().map(|who| place(&self.sandbox, who)).collect()
    }
}

/// A hostile host. It runs with low priority. It is on the same machine as the hosts that it attacks, and would
/// otherwise take processor time from them, which a host on another machine could not do.
fn hostile(sandbox: &Sandbox, name: &str, mode: &str) -> Host {
    let netns = Netns::new();
    let mut words = netns.cmd("nice".as_ref());
    words.extend(["-n", "19", "python3"].map(str::to_owned));
    words.push(sandbox.path("agent.py").to_str().unwrap().to_owned());
    words.extend([mode.to_owned(), place(sandbox, name)]);
    words.push(program(sandbox).to_str().unwrap().to_owned());
    Host::in_netns(name, netns).entered_by(words)
}

fn place(sandbox: &Sandbox, who: &str) -> String {
    sandbox.path(who).to_str().unwrap().to_owned()
}

/// The peak memory of a process, in KiB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| {
        line.trim_end_matches("kB").trim().parse().unwrap()
    })
}
