//! Two users on one machine. The network of one user opens ports on the loopback. The other user must not be able to
//! use them, and tries everything that is possible without privileges.

use std::{fs, os::unix::fs::chown, process::Command};

use rustix::process::Signal;

use crate::{
    network::program,
    sandbox::{Ended, Netns, Running, Sandbox, ended, output, wait_for},
};

/// The user who runs the network.
const OWNER: u32 = 41_000;
/// Another user, who must not have access.
const OTHER: u32 = 41_001;
const ROOT: u32 = 0;

const PUBLISHED: &str = "127.0.42.12:8080";
const HTTP: &str = "127.0.0.1:18080";
const SOCKS: &str = "127.0.0.1:18081";
const DNS: &str = "127.0.42.11:10053";

/// A program that binds an address with every option that an unprivileged user has. It prints whether that has worked,
/// and what the first client sends.
const TAKE: &str = r"
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
for options in [(), (2,), (15,), (2, 15)]:
    s = socket.socket()
    for option in options:
        s.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        s.bind((host, int(port)))
        s.listen()
    except OSError:
        s.close()
        continue
    print('taken', flush=True)
    print('heard', s.accept()[0].recv(4096), flush=True)
    sys.exit(0)
print('refused', flush=True)
";

/// A program that connects and sends a DNS question over TCP. It prints whether it was let in.
const ASK: &str = r"
import socket, sys
host, port = sys.argv[1].rsplit(':', 1)
query = bytes.fromhex('abcd01000001000000000000') + b'\x04web1\x00\x00\x01\x00\x01'
try:
    s = socket.create_connection((host, int(port)), 10)
    s.sendall(len(query).to_bytes(2, 'big') + query)
    print('answer' if s.recv(512) else 'end')
except ConnectionResetError:
    print('reset')
";

/// A machine with two users. One of them runs the network.
struct Machine {
    netns: Netns,
    sandbox: Sandbox,
    _web: Running,
}

impl Machine {
    fn new() -> Self {
        let (netns, sandbox) = (Netns::new(), Sandbox::new());
        let page = sandbox.write("www/index.html", "the page of web1\n");
        let folder = page.parent().unwrap().to_str().unwrap();
        let serve = [
            "python3",
            "-u",
            "-m",
            "http.server",
            "8000",
            "--bind",
            "127.0.0.1",
            "--directory",
            folder,
        ];
        let mut web = Running::start("web1's page", &mut netns.command(&serve));
        web.wait_for_text("Serving");
        for user in [ROOT, OWNER, OTHER] {
            for folder in ["home", "run"] {
                let path = sandbox.path(&format!("{folder}-{user}"));
                fs::create_dir(&path).unwrap();
                chown(&path, Some(user), Some(user)).unwrap();
            }
        }
        program(&sandbox);
        Self {
            netns,
            sandbox,
            _web: web,
        }
    }

    /// A command of one of the users.
    fn as_user(&self, user: u32, words: &[&str]) -> Command {
        let place = |folder| self.sandbox.path(&format!("{folder}-{user}"));
        let place = |folder| place(folder).to_str().unwrap().to_owned();
        let ids = [format!("--reuid={user}"), format!("--regid={user}")];
        let environment = [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "SHELL=/bin/sh".to_owned(),
            format!("HOME={}", place("home")),
            format!("XDG_RUNTIME_DIR={}", place("run")),
        ];
        let mut command = self.netns.command(&["setpriv"]);
        command
            .args(ids)
            .args(["--clear-groups", "env", "-i"])
            .args(environment)
            .args(words)
            .current_dir("/");
        command
    }

    fn norouter(&self, user: u32, words: &[&str]) -> Command {
        let program = program(&self.sandbox);
        self.as_user(user, &[&[program.to_str().unwrap()], words].concat())
    }

    /// Starts the owner's network. Its hosts may have problems.
    fn start(&self, laptop: &str) -> Running {
        let program = program(&self.sandbox);
        let manifest = format!(
            "hosts:
  laptop:
    vip: 127.0.42.11
{laptop}
  web1:
    vip: 127.0.42.12
    cmd: {}
    ports: [\"8080:127.0.0.1:8000\"]
    loopback: {{disable: true}}
    stateDir: {{disable: true}}
",
            program.display()
        );
        let file = self.sandbox.write("network.yaml", manifest);
        let mut start = self.norouter(OWNER, &[file.to_str().unwrap()]);
        let manager = Running::start("norouter", &mut start);
        let wait = ["wait", "--timeout", "60", "web1"];
        output(&mut self.norouter(OWNER, &wait));
        manager
    }

    /// Waits until the agent has written the variables that lead the owner's programs into the network. Returns the
    /// variables.
    fn variables(&self) -> serde_json::Value {
        let text = wait_for("the variables", || {
            let env = ended(&mut self.norouter(OWNER, &["env", "--json"]));
            (env.code == 0).then_some(env.out)
        });
        serde_json::from_str(&text).unwrap()
    }

    fn curl(&self, user: u32, words: &[&str]) -> Ended {
        let mut command = self.as_user(user, &["curl", "-s", "-S", "--max-time", "20"]);
        ended(command.args(words))
    }

    fn python(&self, user: u32, script: &str, words: &[&str]) -> Command {
        let mut command = self.as_user(user, &["/usr/bin/python3", "-c", script]);
        command.args(words);
        command
    }

    /// Tries all ways into the network as a user. Returns which of them work.
    fn ways(&self, user: u32) -> Vec<(&'static str, bool)> {
        let page = "http://web1:8080/";
        let published = format!("http://{PUBLISHED}/");
        let (http, socks5, socks4) = (
            format!("http://{HTTP}"),
            format!("socks5h://{SOCKS}"),
            format!("socks4a://{SOCKS}"),
        );
        let pac = format!("http://{HTTP}/proxy.pac");
        let words: [(&str, Vec<&str>); 6] = [
            ("port", vec![&published]),
            ("http", vec!["-x", &http, page]),
            ("connect", vec!["-p", "-x", &http, page]),
            ("socks5", vec!["-x", &socks5, page]),
            ("socks4", vec!["-x", &socks4, page]),
            ("pac", vec![&pac]),
        ];
        let mut ways: Vec<_> = words
            .into_iter()
            .map(|(way, words)| {
                let got = self.curl(user, &words).out;
                (
                    way,
                    got == "the page of web1\n" || got.contains("FindProxyForURL"),
                )
            })
            .collect();
        let asked = output(&mut self.python(user, ASK, &[DNS]));
        ways.push(("dns", asked == "answer\n"));
        ways
    }
}

/// All ways into the network, all with this outcome.
fn all(works: bool) -> Vec<(&'static str, bool)> {
    ["port", "http", "connect", "socks5", "socks4", "pac", "dns"]
        .map(|way| (way, works))
        .to_vec()
}

const PROXIES: &str =
    "    http: {listen: \"127.0.0.1:18080\"}\n    socks: {listen: \"127.0.0.1:18081\"}";

#[test]
fn what_the_laptop_opens_is_its_owners_and_roots_and_nobody_elses() {
    let machine = Machine::new();
    let mut manager = machine.start(PROXIES);
    machine.variables();
    assert_eq!(machine.ways(OWNER), all(true));
    assert_eq!(machine.ways(ROOT), all(true));
    for _ in 0..3 {
        assert_eq!(machine.ways(OTHER), all(false));
    }
    // The proxy's reply tells the person the reason.
    let http = format!("http://{HTTP}");
    let told = machine.curl(OTHER, &["-x", &http, "http://web1:8080/"]).out;
    assert!(told.contains("norouter exec"), "{told}");
    // Each refusal is reported once, with the line of the manifest that would admit the other user.
    for (place, line) in [
        (PUBLISHED, "loopback: {allow: any}"),
        (DNS, "loopback: {allow: any}"),
        (HTTP, "http: {allow: any}"),
        (SOCKS, "socks: {allow: any}"),
    ] {
        let is_told =
            |line: &&str| line.contains("refused ") && line.contains(&format!("{place};"));
        manager.wait_for_log("who was refused", |log| log.lines().any(|it| is_told(&it)));
        let log = manager.log();
        let told: Vec<_> = log.lines().filter(is_told).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(&OTHER.to_string()), "{told:?}");
        assert!(
            told[0].contains(&format!("write {line:?} below \"laptop\"")),
            "{told:?}"
        );
    }
    // The other user's attempts do not disturb the network.
    assert_eq!(ended(&mut machine.norouter(OWNER, &["status"])).code, 0);
}

#[test]
fn whoever_is_to_be_let_in_is_written_down() {
    let machine = Machine::new();
    let _manager = machine.start(
        "    loopback: {allow: any}\n    http: {listen: \"127.0.0.1:18080\", allow: any}\n    socks: {listen: \
         \"127.0.0.1:18081\", allow: any}",
    );
    machine.variables();
    assert_eq!(machine.ways(OWNER), all(true));
    assert_eq!(machine.ways(OTHER), all(true));
}

#[test]
fn a_program_of_another_user_comes_in_with_the_token_that_it_was_given() {
    let machine = Machine::new();
    let manager = machine.start(PROXIES);
    let variables = machine.variables();
    let value = |name: &str| variables[name].as_str().unwrap().to_owned();
    let (http, socks) = (value("http_proxy"), value("NOROUTER_SOCKS"));
    let token = http
        .strip_prefix("http://norouter:")
        .and_then(|rest| rest.strip_suffix(&format!("@{HTTP}")))
        .unwrap();
    let page = "http://web1:8080/";
    for words in [
        vec!["-x", &http, page],
        vec!["-p", "-x", &http, page],
        vec!["--proxy-anyauth", "-x", &http, page],
        vec!["-x", &socks, page],
    ] {
        assert_eq!(
            machine.curl(OTHER, &words).out,
            "the page of web1\n",
            "{words:?}"
        );
    }
    let wrong = "0".repeat(token.len());
    for proxy in [&http, &socks] {
        let proxy = proxy.replace(token, &wrong);
        let got = machine.curl(OTHER, &["-x", &proxy, page]).out;
        assert!(!got.contains("the page"), "{proxy}");
    }
    // Programs that read the variables. Each does it in a different way.
    let urllib =
        "import urllib.request as r; print(r.urlopen('http://web1:8080/').read().decode(), end='')";
    for words in [
        vec!["curl", "-s", page],
        vec!["wget", "-q", "-O", "-", page],
        vec!["/usr/bin/python3", "-c", urllib],
    ] {
        let exec = [&["exec", "--"], &words[..]].concat();
        let got = output(&mut machine.norouter(OWNER, &exec));
        assert_eq!(got, "the page of web1\n", "{words:?}");
    }
    // Only users who may read the token's file have the token.
    for command in [
        &mut machine.norouter(OWNER, &["status", "--json"]),
        &mut machine.norouter(OWNER, &["logs"]),
        &mut machine.as_user(OTHER, &["ps", "-e", "-o", "args="]),
    ] {
        assert!(!output(command).contains(token));
    }
    assert!(!manager.log().contains(token));
    let file = machine
        .sandbox
        .path(&format!("home-{OWNER}/.norouter/agent/env"));
    let read = machine.as_user(OTHER, &["cat", file.to_str().unwrap()]);
    assert_ne!(ended(&mut { read }).code, 0);
}

#[test]
fn programs_are_not_led_to_somebody_elses_proxy() {
    let machine = Machine::new();
    let mut thief = Running::start("a thief", &mut machine.python(OTHER, TAKE, &[HTTP]));
    thief.wait_for_text("taken");
    let mut manager = machine.start(PROXIES);
    let exec = |words: &[&str]| {
        let words = [&["exec", "--"], words].concat();
        ended(&mut machine.norouter(OWNER, &words))
    };
    let refused = wait_for("an agent that has found the port taken", || {
        let ended = exec(&["curl", "-s", "-u", "ann:secret", "http://web1:8080/"]);
        // The exit code 3 says that no agent runs.
        (ended.code != 3).then_some(ended)
    });
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains(HTTP), "{}", refused.err);
    let whom = format!("uid {OTHER}");
    assert!(refused.err.contains(&whom), "{}", refused.err);
    assert_eq!(ended(&mut machine.norouter(OWNER, &["env"])).out, "");
    let status = ended(&mut machine.norouter(OWNER, &["status"]));
    assert_eq!(status.code, 5, "{}", status.out);
    assert!(!thief.log().contains("heard"), "{}", thief.log());
    drop(thief);
    machine.variables();
    assert_eq!(
        exec(&["curl", "-s", "http://web1:8080/"]).out,
        "the page of web1\n"
    );
    assert_eq!(ended(&mut machine.norouter(OWNER, &["status"])).code, 0);
    // An agent that is killed cannot remove its variables, and other programs can then take its port.
    manager.signal(Signal::KILL);
    manager.wait();
    let gone = exec(&["true"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(gone.err.contains("is not there"), "{}", gone.err);
    let mut thief = Running::start("a thief", &mut machine.python(OTHER, TAKE, &[HTTP]));
    thief.wait_for_text("taken");
    let stolen = exec(&["curl", "-s", "http://web1:8080/"]);
    assert_eq!(stolen.code, 1, "{stolen:?}");
    assert!(stolen.err.contains("is not ours"), "{}", stolen.err);
    assert!(!thief.log().contains("heard"), "{}", thief.log());
}

#[test]
fn the_address_of_a_lost_host_is_given_to_nobody() {
    let machine = Machine::new();
    let _manager = machine.start("    dns: {disable: true}");
    let page = format!("http://{PUBLISHED}/");
    for round in 0..5 {
        assert_eq!(machine.curl(OWNER, &[&page]).out, "the page of web1\n");
        output(&mut machine.norouter(OWNER, &["stop", "web1"]));
        wait_for("a refusal", || {
            let refused = "Failed to connect";
            machine
                .curl(OWNER, &[&page])
                .err
                .contains(refused)
                .then_some(())
        });
        let taken = output(&mut machine.python(OTHER, TAKE, &[PUBLISHED]));
        assert_eq!(taken, "refused\n", "round {round}");
        output(&mut machine.norouter(OWNER, &["start", "web1"]));
        output(&mut machine.norouter(OWNER, &["wait", "--timeout", "60", "web1"]));
        let page = wait_for("a page", || {
            let got = machine.curl(OWNER, &[&page]);
            (got.code == 0).then_some(got.out)
        });
        assert_eq!(page, "the page of web1\n");
        let status = ended(&mut machine.norouter(OWNER, &["status"]));
        assert_eq!(status.code, 0, "{}", status.out);
    }
}
