//! `norouter host test` tries one host alone, step by step, and leaves nothing behind.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use crate::{
    home::{Home, alone},
    terminal::Terminal,
};

/// A command that notes its own process id and becomes an agent.
const AGENT: &str = "echo $$ >> pids; exec \"$PROGRAM\" \"$0\" \"$@\"";

/// A command that asks for a password, and becomes an agent if the password is right.
const LOGIN: &str = "echo $$ >> pids; answer=$(\"$SSH_ASKPASS\" \"ann's password: \") || exit 9; \
                     [ \"$answer\" = xyzzy-plugh ] && exec \"$PROGRAM\" \"$0\" \"$@\"; exit 8";

/// The `cmd` of a host that runs this script.
fn cmd(home: &Home, script: &str) -> String {
    let script = format!("PROGRAM='{}'\n{script}\n", env!("CARGO_BIN_EXE_norouter"));
    let path = home.write("command.sh", &script);
    format!("sh -c '. {path}'")
}

/// The exit code of a test, and its news in JSON.
fn tried(home: &Home, arguments: &[&str]) -> (i32, Vec<Value>) {
    let words = [&["host", "test", "--json"], arguments].concat();
    news(&home.command(&words).output().unwrap())
}

fn news(output: &Output) -> (i32, Vec<Value>) {
    let data = std::str::from_utf8(&output.stdout).unwrap();
    let news = data
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {data}")));
    (output.status.code().unwrap(), news.collect())
}

/// A folder with a small agent for this machine. The agent starts the program of these tests.
fn agents(home: &Home) -> PathBuf {
    let folder = home.path().join("run/agents");
    fs::create_dir(&folder).unwrap();
    let agent = folder.join("agent");
    let program = env!("CARGO_BIN_EXE_norouter");
    fs::write(&agent, format!("#!/bin/sh\nexec '{program}' \"$@\"\n")).unwrap();
    let sum = Command::new("sha256sum")
        .arg(&agent)
        .output()
        .unwrap()
        .stdout;
    let sum = String::from_utf8(sum[..64].to_vec()).unwrap();
    let packed = Command::new("gzip").arg("-c").arg(&agent).output().unwrap();
    let (processor, version) = (std::env::consts::ARCH, env!("CARGO_PKG_VERSION"));
    let name = format!("linux-{processor}-{version}-{sum}.gz");
    fs::write(folder.join(name), packed.stdout).unwrap();
    folder
}

fn steps(news: &[Value]) -> Vec<&str> {
    let steps = news.iter().filter(|it| it["type"] == "step");
    steps.map(|it| it["step"].as_str().unwrap()).collect()
}

fn over(news: &[Value]) -> &Value {
    let last = news.last().unwrap();
    assert_eq!(last["type"], "over", "{news:#?}");
    last
}

/// Asserts that every process that the commands have noted has ended, and that no file was written except those of the
/// test itself.
#[track_caller]
fn assert_nothing_is_left(home: &Home, starts: usize) {
    let pids = fs::read_to_string(home.path().join("pids")).unwrap_or_default();
    assert_eq!(pids.lines().count(), starts, "it runs once");
    for pid in pids.lines() {
        assert!(!Path::new("/proc").join(pid).exists(), "{pid} still runs");
    }
    // The folder for links to the sockets stays, as it does after a network.
    let ours = [
        "command.sh",
        "pids",
        "run",
        "net.yaml",
        "trust.json",
        "stderr",
        ".norouter",
    ];
    let left = files(home.path());
    let left: Vec<_> = left
        .iter()
        .filter(|it| !ours.contains(&it.as_str()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let sockets = [home.path().join(".norouter/run"), home.folder()];
    for folder in sockets {
        assert_eq!(files(&folder), BTreeSet::new(), "sockets and links");
    }
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_command_that_becomes_an_agent_is_a_member_and_is_ended() {
    let home = Home::new("tried");
    let (code, news) = tried(&home, &["--cmd", &cmd(&home, AGENT)]);
    assert_eq!(code, 0, "{news:#?}");
    assert_eq!(steps(&news), ["program", "answered", "agent", "features"]);
    assert_eq!(over(&news)["outcome"], "member");
    assert_eq!(over(&news)["version"], env!("CARGO_PKG_VERSION"));
    let times: Vec<u64> = news.iter().filter_map(|it| it["atMs"].as_u64()).collect();
    assert!(times.is_sorted() && times.len() == 5, "{times:?}");
    assert_nothing_is_left(&home, 1);
}

#[test]
fn a_person_reads_the_steps_and_what_to_do() {
    let home = Home::new("told");
    let run = home.run(&["host", "test", "web", "--cmd", &cmd(&home, AGENT)]);
    assert_eq!(run.code, 0, "{}", run.talk);
    assert!(
        run.data.contains("its agent has answered, version "),
        "{}",
        run.data
    );
    assert!(
        run.data.ends_with("the host can be a member\n"),
        "{}",
        run.data
    );
    assert!(run.talk.starts_with("web: sh -c "), "{}", run.talk);
    let run = home.run(&["host", "test", "--cmd", "no-such-program-7 web"]);
    assert_eq!(run.code, 5, "{}", run.talk);
    assert!(
        run.data
            .contains("the host cannot be a member: its command could not be started")
            && run.data.contains("no-such-program-7"),
        "{}",
        run.data
    );
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let home = Home::new("missing");
    let (code, news) = tried(&home, &["--cmd", "no-such-program-7 web"]);
    assert_eq!((code, steps(&news)), (5, vec![]));
    let trouble = &over(&news)["trouble"];
    assert_eq!(trouble["code"], "notStarted");
    assert!(
        trouble["what"]
            .as_str()
            .unwrap()
            .contains("no-such-program-7")
    );
    assert_nothing_is_left(&home, 0);
}

#[test]
fn what_a_command_says_before_it_ends_is_told_and_it_is_not_started_again() {
    let home = Home::new("banner");
    let script =
        "echo $$ >> pids; echo 'Welcome to the shop'; echo 'the shop is closed' >&2; exit 3";
    let (code, news) = tried(&home, &["--cmd", &cmd(&home, script)]);
    assert_eq!(code, 5);
    let said = news.iter().filter(|it| it["type"] == "said");
    let said: Vec<_> = said.map(|it| it["line"].as_str().unwrap()).collect();
    assert_eq!(said, ["the shop is closed"]);
    let over = over(&news);
    assert_eq!(over["outcome"], "failed");
    assert_eq!(over["said"], serde_json::json!(["the shop is closed"]));
    let what = over["trouble"]["what"].as_str().unwrap();
    assert!(what.contains("the shop is closed"), "{what}");
    assert_nothing_is_left(&home, 1);
}

#[test]
fn a_banner_before_the_agent_is_a_step() {
    let home = Home::new("noise");
    let script = format!("echo 'Welcome to the shop'; {AGENT}");
    let (code, news) = tried(&home, &["--cmd", &cmd(&home, &script)]);
    assert_eq!(code, 0, "{news:#?}");
    let banner = news.iter().find(|it| it["step"] == "banner");
    let text = banner.unwrap()["text"].as_str().unwrap();
    assert!(text.contains("Welcome to the shop"), "{text}");
    assert_nothing_is_left(&home, 1);
}

#[test]
fn a_question_is_refused_where_nobody_can_answer() {
    let home = Home::new("nobody");
    let run = home.run(&["host", "test", "--cmd", &cmd(&home, LOGIN)]);
    assert_eq!(run.code, 5, "{}", run.talk);
    assert!(
        run.talk.contains("its command asks: ann's password:")
            && run.talk.contains("run the test in a terminal"),
        "{}",
        run.talk
    );
    assert_nothing_is_left(&home, 1);
}

#[test]
fn a_person_at_a_terminal_is_asked_and_what_is_typed_is_not_shown() {
    let home = Home::new("asked");
    let mut terminal = Terminal::start(&home, &["host", "test", "--cmd", &cmd(&home, LOGIN)]);
    terminal.reads("its command asks: ann's password:");
    terminal.reads("an empty line refuses");
    terminal.types("xyzzy-plugh\n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("the host can be a member"), "{screen}");
    assert!(!screen.contains("xyzzy"), "{screen}");
    assert_nothing_is_left(&home, 1);
}

#[test]
fn ctrl_c_ends_a_test_that_waits() {
    let home = Home::new("ctrl-c");
    let script = "echo $$ >> pids; echo it waits >&2; exec sleep 600";
    let mut terminal = Terminal::start(&home, &["host", "test", "--cmd", &cmd(&home, script)]);
    terminal.reads("it waits");
    terminal.types("\u{3}");
    let (code, screen) = terminal.ended();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("ended before its outcome"), "{screen}");
    assert_nothing_is_left(&home, 1);
}

#[test]
fn a_shell_without_norouter_is_sent_an_agent_which_is_found_the_next_time() {
    let home = Home::new("shell");
    let far = home.path().join("run/far");
    fs::create_dir(&far).unwrap();
    let manifest = format!(
        "hosts:\n  here: {{dns: {{disable: true}}}}\n  web: {{shell: [env, -i, 'HOME={far}', 'PATH=/usr/bin:/bin', sh, -c, 'echo $$ >> {pids}; exec \"$0\" \"$@\"']}}\n",
        far = far.display(),
        pids = home.path().join("pids").display(),
    );
    home.write("net.yaml", &manifest);
    let agents = agents(&home);
    let test = || {
        let words = ["host", "test", "web", "--file", "net.yaml", "--json"];
        let output = home
            .command(&words)
            .env("NOROUTER_AGENTS", &agents)
            .output();
        news(&output.unwrap())
    };
    let (code, news) = test();
    assert_eq!(code, 0, "{news:#?}");
    let sent = [
        "program", "answered", "shell", "sent", "checked", "agent", "features",
    ];
    assert_eq!(steps(&news), sent, "{news:#?}");
    let (code, news) = test();
    assert_eq!(code, 0, "{news:#?}");
    let found = [
        "program", "answered", "shell", "present", "agent", "features",
    ];
    assert_eq!(steps(&news), found, "{news:#?}");
    assert_nothing_is_left(&home, 2);
}

#[test]
fn a_network_that_runs_is_not_disturbed() {
    let home = Home::new("beside");
    let command = cmd(&home, AGENT);
    let manifest = alone("127.0.66.10")
        + &format!(
            "  web: {{vip: 127.0.66.11, cmd: {}, dns: {{disable: true}}, stateDir: {{disable: true}}, loopback: {{disable: true}}}}\n",
            serde_json::to_string(&command).unwrap()
        );
    let manifest = home.write("net.yaml", &manifest);
    let manager = home.up(&[&manifest]);
    home.wait(&["web"]);
    let web = || home.json(&["status", "--json"])["hosts"][1].clone();
    let before = web();
    let (code, news) = tried(&home, &["web", "--file", "net.yaml"]);
    assert_eq!(code, 0, "{news:#?}");
    let after = web();
    for key in ["state", "sinceMs", "vip", "stderr"] {
        assert_eq!(before[key], after[key], "{key}");
    }
    assert_eq!(after["state"], "ready");
    // Two agents were started, and the one of the network still runs.
    let pids = fs::read_to_string(home.path().join("pids")).unwrap();
    let runs = |pid: &str| Path::new("/proc").join(pid).exists();
    let running: Vec<bool> = pids.lines().map(runs).collect();
    assert_eq!(running, [true, false]);
    drop(manager);
}

#[test]
fn nothing_runs_that_is_not_trusted_or_not_in_the_manifest() {
    let home = Home::new("trust");
    let command = cmd(&home, AGENT);
    let manifest = |more: &str| {
        let command = serde_json::to_string(&command).unwrap();
        format!("hosts: {{a: {{}}, web: {{cmd: {command}, ports: ['80:127.0.0.1:80']}}{more}}}\n")
    };
    home.write("net.yaml", &manifest(""));
    let grants = home.run(&["plan", "--grants", "--json", "net.yaml"]);
    home.write("trust.json", &grants.data);
    let test = |host: &str| {
        home.run(&[
            "host",
            "test",
            host,
            "--file",
            "net.yaml",
            "--require-trust",
            "trust.json",
        ])
    };
    assert_eq!(test("web").code, 0);
    home.write("net.yaml", &manifest(", other: {cmd: 'touch other'}"));
    let refused = test("other");
    assert_eq!(refused.code, 6, "{}", refused.talk);
    assert!(refused.talk.contains("not trusted: "), "{}", refused.talk);
    assert_eq!(test("web").code, 0, "the other host does not matter");
    let unknown = home.run(&["host", "test", "nobody", "--file", "net.yaml"]);
    assert_eq!(unknown.code, 1, "{}", unknown.talk);
    assert_nothing_is_left(&home, 2);
}
