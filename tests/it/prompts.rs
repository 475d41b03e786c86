//! A command that asks a person a question in the same way as ssh: it runs the program that the environment names.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::home::{Home, Manager, PATIENCE, Run, alone, body, status};

/// The right answer. It must not appear in any output.
const RIGHT: &str = "xyzzy-plugh";

/// A command that asks a question, and becomes an agent if the answer is right. One process asks at most three times.
const LOGIN: &str = r#"
echo asked >> asked
for try in 1 2 3; do
    answer=$("$SSH_ASKPASS" "ann's password: ") || exit 9
    [ "$answer" = xyzzy-plugh ] && exec "$PROGRAM" "$0" "$@"
done
exit 8
"#;

/// Starts a network with a host whose command is this script.
fn network(home: &Home, number: usize, script: &str) -> Manager {
    let script = format!("PROGRAM='{}'\n{script}", env!("CARGO_BIN_EXE_norouter"));
    let script = home.write("login.sh", &script);
    let manifest = alone(&format!("127.0.62.{number}"))
        + &format!(
            "  web:\n    vip: \"127.0.62.{}\"\n    cmd: [sh, \"-c\", \". {script}\"]\n    loopback: {{disable: true}}\n    stateDir: {{disable: true}}\n    dns: {{disable: true}}\n",
            number + 1
        );
    let manifest = home.write("net.yaml", &manifest);
    let manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    manager
}

fn web(home: &Home) -> Value {
    let snapshot: Value = serde_json::from_str(&home.run(&["status", "--json"]).data).unwrap();
    snapshot["hosts"][1].clone()
}

/// Waits until the state of the host fulfils a condition.
#[track_caller]
fn wait_for(home: &Home, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let web = web(home);
        if is_so(&web) {
            return web;
        }
        assert!(Instant::now() < deadline, "{what} never came: {web:#}");
    }
}

/// Waits for a question with a greater number than this one, and returns its number.
#[track_caller]
fn asked_after(home: &Home, last: u64) -> u64 {
    let id = |web: &Value| web["prompts"][0]["id"].as_u64();
    let web = wait_for(home, "a question", |web| {
        id(web).is_some_and(|id| id > last)
    });
    id(&web).unwrap()
}

fn answer(home: &Home, arguments: &[&str], text: &str) -> Run {
    let mut child = home
        .command(&[&["answer"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // The program may fail before it reads its input.
    let _ = writeln!(input, "{text}");
    drop(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        data: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn times_asked(home: &Home) -> usize {
    let text = fs::read_to_string(home.path().join("asked")).unwrap();
    text.lines().count()
}

#[test]
fn a_host_needs_a_person_until_the_answer_is_right_and_nobody_sees_the_answer() {
    let home = Home::new("ask");
    let _manager = network(&home, 1, LOGIN);
    let first = asked_after(&home, 0);
    let asking = web(&home);
    assert_eq!(asking["state"], "needsYou");
    assert_eq!(asking["reason"], "its command asks: ann's password:");
    assert_eq!(asking["prompts"][0]["kind"], "secret");
    assert_eq!(asking["prompts"][0]["text"], "ann's password:");
    let listed = home.json(&["answer", "--list", "--json"]);
    assert_eq!(
        (&listed[0]["host"], &listed[0]["id"]),
        (&"web".into(), &first.into())
    );
    let shown = home.run(&["status"]);
    assert!(shown.data.contains("needs input"), "{}", shown.data);
    assert!(
        shown.data.contains("\"norouter answer web\" answers that"),
        "{}",
        shown.data
    );

    let wrong = answer(&home, &["web"], "wrong");
    assert_eq!(wrong.code, 0, "{}", wrong.talk);
    let second = asked_after(&home, first);
    let late = home.ask(
        "net",
        &post(
            "/v1/hosts/web/answer",
            &format!("{{\"prompt\":{first},\"text\":\"{RIGHT}\"}}"),
        ),
    );
    assert_eq!(status(&late), "404", "{late}");
    assert!(!late.contains(RIGHT), "{late}");
    assert_eq!(answer(&home, &[], RIGHT).code, 0);
    home.wait(&["web"]);
    let view = web(&home);
    assert_eq!(view["prompts"], serde_json::json!([]));
    assert!(second > first);
    assert_eq!(times_asked(&home), 1);
    let nothing = answer(&home, &["web"], RIGHT);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.talk.contains("web asks nothing"),
        "{}",
        nothing.talk
    );
    assert_eq!(answer(&home, &["nobody"], RIGHT).code, 1);

    let logs = home.run(&["logs", "-n", "1000"]).data;
    assert!(
        logs.contains("web (127.0.62.2) needs input: its command asks: ann's password:"),
        "{logs}"
    );
    let stderr = fs::read_to_string(home.path().join("stderr")).unwrap();
    assert!(
        stderr.contains("\"norouter answer web\" answers that"),
        "{stderr}"
    );
    for told in [logs, stderr, home.run(&["status", "--json"]).data] {
        assert!(!told.contains(RIGHT), "{told}");
    }
}

#[test]
fn who_refuses_is_asked_again_only_on_request() {
    let home = Home::new("refuse");
    let _manager = network(&home, 3, LOGIN);
    let first = asked_after(&home, 0);
    assert_eq!(home.run(&["answer", "web", "--cancel"]).code, 0);
    let refused = wait_for(&home, "the end", |web| web["state"] == "refused");
    let reason = refused["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("nobody has answered what its command asked: ann's password:"),
        "{reason}"
    );
    assert_eq!(refused["retry"], Value::Null);
    assert_eq!(refused["prompts"], serde_json::json!([]));
    assert_eq!(home.run(&["start", "web"]).code, 0);
    asked_after(&home, first);
    assert_eq!(home.run(&["stop", "web"]).code, 0);
    wait_for(&home, "the stop", |web| web["state"] == "stopped");
    assert_eq!(web(&home)["prompts"], serde_json::json!([]));
}

#[test]
fn a_question_goes_with_whoever_has_asked() {
    let home = Home::new("gone");
    fs::create_dir_all(home.path()).unwrap();
    let fifo = home.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let script = format!(
        "\"$SSH_ASKPASS\" 'killed? ' & echo $! > pid\n\"$SSH_ASKPASS\" 'left? ' | cat '{}'\ncat > /dev/null; exit 1\n",
        fifo.display()
    );
    let _manager = network(&home, 5, &script);
    let both = |web: &Value| web["prompts"].as_array().unwrap().len() == 2;
    wait_for(&home, "both questions", both);
    let pid = fs::read_to_string(home.path().join("pid")).unwrap();
    let killed = Command::new("kill")
        .args(["-KILL", pid.trim()])
        .status()
        .unwrap();
    assert!(killed.success());
    let one = wait_for(&home, "one question", |web| !both(web));
    assert_eq!(one["prompts"][0]["text"], "left?");
    assert_eq!(one["state"], "needsYou");
    // The `cat` that should have read the answer ends here. The askpass helper that has asked keeps running.
    fs::write(&fifo, "").unwrap();
    let none = wait_for(&home, "no question", |web| {
        web["prompts"] == serde_json::json!([])
    });
    assert_eq!(none["state"], "greeting");
}

#[test]
fn what_only_wants_to_be_read_stands_there_until_it_is_done() {
    let home = Home::new("read");
    let script = "SSH_ASKPASS_PROMPT=none \"$SSH_ASKPASS\" 'Touch your key ...' & echo $! > pid\ncat > /dev/null; exit 1\n";
    let _manager = network(&home, 15, script);
    let asking = wait_for(&home, "the word", |web| web["state"] == "needsYou");
    assert_eq!(asking["reason"], "its command says: Touch your key ...");
    assert_eq!(asking["prompts"], serde_json::json!([]));
    assert_eq!(answer(&home, &["web"], "yes").code, 1);
    let pid = fs::read_to_string(home.path().join("pid")).unwrap();
    // When a person has touched a security key, ssh ends the askpass helper in this way.
    let ended = Command::new("kill").arg(pid.trim()).status().unwrap();
    assert!(ended.success());
    wait_for(&home, "its end", |web| web["state"] == "greeting");
}

#[test]
fn a_kept_answer_serves_the_next_lives_until_it_is_wrong() {
    let home = Home::new("keep");
    let _manager = network(&home, 7, LOGIN);
    let first = asked_after(&home, 0);
    assert_eq!(answer(&home, &["web", "--remember"], RIGHT).code, 0);
    home.wait(&["web"]);
    for life in 2..4 {
        assert_eq!(home.run(&["restart", "web"]).code, 0);
        let deadline = Instant::now() + PATIENCE;
        while times_asked(&home) < life {
            assert!(
                Instant::now() < deadline,
                "the command was not started again"
            );
        }
        home.wait(&["web"]);
    }
    // From now on, a different answer is right.
    let other = fs::read_to_string(home.path().join("login.sh")).unwrap();
    home.write("login.sh", &other.replace(RIGHT, "another"));
    assert_eq!(home.run(&["restart", "web"]).code, 0);
    asked_after(&home, first);
    assert_eq!(web(&home)["state"], "needsYou");
    assert_eq!(answer(&home, &["web"], "another").code, 0);
    home.wait(&["web"]);
}

#[test]
fn only_the_hosts_own_command_asks_and_only_a_question_is_one() {
    let home = Home::new("own-ask");
    let script = "env > environment.new; \"$PROGRAM\" --version > version 2>&1; mv environment.new environment\n\
                  cat > /dev/null; exit 1\n";
    let _manager = network(&home, 9, script);
    let environment = || fs::read_to_string(home.path().join("environment")).ok();
    let deadline = Instant::now() + PATIENCE;
    let environment = loop {
        if let Some(environment) = environment() {
            break environment;
        }
        assert!(Instant::now() < deadline, "the command did not run");
    };
    let variable = |name: &str| environment.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(variable("SSH_ASKPASS_REQUIRE="), Some("force"));
    let helper = variable("SSH_ASKPASS=").unwrap();
    assert!(Path::new(helper).is_absolute());
    let version = fs::read_to_string(home.path().join("version")).unwrap();
    assert!(version.starts_with("norouter "), "{version}");
    let pass = variable("NOROUTER_ASKPASS=").unwrap();
    let token = pass.strip_prefix("net/127.0.62.10/").unwrap();
    assert!(!home.run(&["status", "--json"]).data.contains(token));

    let question = |token: &str| {
        format!("{{\"token\":\"{token}\",\"kind\":\"secret\",\"text\":\"password: \"}}")
    };
    let forged = question(&"0".repeat(token.len()));
    let laptop = question(token);
    for (path, body, code) in [
        ("/v1/hosts/web/ask", forged.as_str(), "403"),
        ("/v1/hosts/laptop/ask", &laptop, "403"),
        ("/v1/hosts/nobody/ask", &laptop, "404"),
        ("/v1/hosts/web/ask", "{\"token\":\"hush-hush\"", "400"),
        ("/v1/hosts/web/answer", "{\"prompt\":\"hush-hush\"}", "400"),
        ("/v1/hosts/web/answer", &" ".repeat(20_000), "400"),
        (
            "/v1/hosts/web/answer",
            "{\"prompt\":1,\"text\":\"hush-hush\"}",
            "404",
        ),
    ] {
        let answered = home.ask("net", &post(path, body));
        assert_eq!(status(&answered), code, "{path}: {answered}");
        assert!(!self::body(&answered).contains("hush-hush"), "{answered}");
    }
    assert_eq!(web(&home)["prompts"], serde_json::json!([]));
    let alone = Command::new(helper)
        .arg("password: ")
        .env("SSH_ASKPASS", helper)
        .env(
            "NOROUTER_ASKPASS",
            format!("net/127.0.62.10/{}", "0".repeat(32)),
        )
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .output()
        .unwrap();
    assert_eq!((alone.status.code(), alone.stdout.len()), (Some(1), 0));
}

#[test]
fn a_user_who_wants_no_helper_gets_none() {
    let home = Home::new("never");
    let out = home.path().join("environment");
    let manifest = format!(
        "hosts:\n  web:\n    vip: 127.0.62.11\n    cmd: [sh, \"-c\", \"env > {0}.new; mv {0}.new {0}; cat > /dev/null; exit 1\"]\n",
        out.display()
    );
    let manifest = home.write("never.yaml", &manifest);
    let mut up = home.command(&[&manifest]);
    let up = up
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env_remove("SSH_ASKPASS");
    let mut up = up.stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !out.exists() {
        assert!(Instant::now() < deadline, "the command did not run");
    }
    up.kill().unwrap();
    up.wait().unwrap();
    let environment = fs::read_to_string(out).unwrap();
    assert!(
        environment.contains("SSH_ASKPASS_REQUIRE=never\n"),
        "{environment}"
    );
    assert!(!environment.contains("NOROUTER_ASKPASS"), "{environment}");
}

#[test]
fn the_person_at_the_screen_is_asked_there_and_a_secret_is_not_seen() {
    let home = Home::new("screen");
    let script = LOGIN.replace(
        "for try",
        "sure=$(\"$SSH_ASKPASS\" \"The host is unknown.\nReally go on (yes/no)? \") && [ \"$sure\" = yes ] || exit 7\nfor try",
    );
    let program = env!("CARGO_BIN_EXE_norouter");
    let script = home.write("login.sh", &format!("PROGRAM='{program}'\n{script}"));
    let manifest = home.write(
        "net.yaml",
        &format!(
            "hosts:\n  web:\n    vip: 127.0.62.13\n    cmd: [sh, \"-c\", \". {script}\"]\n    loopback: {{disable: true}}\n    stateDir: {{disable: true}}\n    dns: {{disable: true}}\n"
        ),
    );
    let mut child = Command::new("script")
        .args([
            "-qec",
            &format!("stty rows 24 cols 120; '{program}' '{manifest}'"),
            "/dev/null",
        ])
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env("TERM", "xterm")
        .env_remove("NOROUTER_NETWORK")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut seen = String::new();
    let mut until = |text: &str| {
        let mut bytes = [0; 4096];
        while !seen.contains(text) {
            let count = screen.read(&mut bytes).unwrap();
            assert!(count > 0, "{text}: {seen}");
            seen += &String::from_utf8_lossy(&bytes[..count]);
        }
        std::mem::take(&mut seen)
    };
    let first = until("type yes or no for web");
    assert!(first.contains("  Really go on (yes/no)?"), "{first}");
    input.write_all(b"yes\n").unwrap();
    until("type the answer for web");
    input.write_all(format!("{RIGHT}\n").as_bytes()).unwrap();
    let rest = until("ready");
    assert!(!rest.contains("xyzzy"), "{rest}");
    assert_eq!(home.run(&["down"]).code, 0);
    let mut end = String::new();
    screen.read_to_string(&mut end).unwrap();
    assert!(!end.contains("xyzzy"), "{end}");
    assert!(child.wait().unwrap().success());
}
