//! The reason that a host's command gives for not being up: in the status, in the explanation, and for programs.

use std::{fs, time::Instant};

use serde_json::Value;

use crate::home::{Home, Manager, PATIENCE};

/// Starts a network with a host whose command is this script.
fn network(home: &Home, number: usize, script: &str) -> Manager {
    let script = home.write("command.sh", script);
    let manifest = format!(
        "hosts:\n  web:\n    vip: \"127.0.62.{number}\"\n    cmd: [sh, \"-c\", \". {script}\"]\n"
    );
    let manifest = home.write("net.yaml", &manifest);
    home.up(&[&manifest])
}

/// Waits until the first trouble of the host fulfils a condition. Returns the host.
#[track_caller]
fn web(home: &Home, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let run = home.run(&["status", "--json"]);
        let snapshot: Value = serde_json::from_str(&run.data).unwrap_or_default();
        let web = &snapshot["hosts"][0];
        if is_so(&web["troubles"][0]) {
            return web.clone();
        }
        assert!(Instant::now() < deadline, "it never came: {web:#}");
    }
}

#[test]
fn the_last_words_of_a_command_are_the_reason_everywhere() {
    let home = Home::new("reason");
    let script =
        "echo 'ssh: Could not resolve hostname wbe1: Name or service not known' >&2\nexit 255\n";
    let _manager = network(&home, 21, script);
    let host = web(&home, |trouble| trouble["code"] == "exited");
    let trouble = &host["troubles"][0];
    assert_eq!(
        (&trouble["status"], &trouble["cause"]),
        (&255.into(), &"unknownName".into())
    );
    let reason = "ssh: Could not resolve hostname wbe1: Name or service not known (status 255)";
    assert_eq!(trouble["what"], reason);
    assert!(trouble["remedy"].is_string(), "{trouble}");
    // The command may have been started again, and be running at this moment.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = home.run(&["status"]).data;
        if status.contains(&format!("\nweb: {reason}; ")) {
            break;
        }
        assert!(Instant::now() < deadline, "{status}");
    }
}

#[test]
fn a_refused_login_is_tried_once() {
    let home = Home::new("login");
    let script =
        "echo tried >> tried\necho 'ann@web1: Permission denied (publickey).' >&2\nexit 255\n";
    let _manager = network(&home, 23, script);
    let host = web(&home, |trouble| trouble["cause"] == "login");
    assert_eq!(host["state"], "refused");
    assert_eq!(host["retry"], Value::Null);
    let tried = fs::read_to_string(home.path().join("tried")).unwrap();
    assert_eq!(tried, "tried\n");
}

#[test]
fn a_command_that_says_nothing_is_told_of_while_it_runs() {
    let home = Home::new("silent");
    let _manager = network(&home, 47, "cat > /dev/null; exit 1\n");
    let host = web(&home, |trouble| trouble["code"] == "noAnswer");
    assert_eq!(host["state"], "greeting");
    let reason = host["reason"].as_str().unwrap();
    assert!(reason.contains("no agent has answered yet"), "{reason}");
}

#[test]
fn a_question_without_a_line_break_is_shown_while_it_waits() {
    let home = Home::new("question");
    let script =
        "printf 'Do you want to continue connecting? (y/n) ' >&2\ncat > /dev/null; exit 1\n";
    let _manager = network(&home, 25, script);
    let host = web(&home, |trouble| trouble["code"] == "says");
    assert_eq!(host["state"], "greeting");
    assert_eq!(
        host["reason"],
        "its command says: Do you want to continue connecting? (y/n)"
    );
    assert_eq!(
        host["stderr"][0],
        "Do you want to continue connecting? (y/n) "
    );
}

#[test]
fn a_command_without_its_input_is_recognized() {
    let home = Home::new("input");
    let _manager = network(&home, 27, "exec < /dev/null\nexit 0\n");
    let host = web(&home, |trouble| trouble["cause"] == "noInput");
    assert!(
        host["reason"].as_str().unwrap().contains("docker exec -i"),
        "{host}"
    );
}

#[test]
fn a_command_with_a_terminal_is_recognized() {
    let home = Home::new("tty");
    // The program "script" runs the agent on a terminal of its own, as `ssh -t` does, and passes its input on to it.
    let program = env!("CARGO_BIN_EXE_norouter");
    let script = format!("exec script -qec '{program} agent --automated' /dev/null\n");
    let _manager = network(&home, 29, &script);
    let host = web(&home, |trouble| trouble["cause"] == "terminal");
    let reason = host["reason"].as_str().unwrap();
    assert!(
        !reason.contains("configure") && reason.contains("-t"),
        "{reason}"
    );
}

#[test]
fn a_program_that_asks_is_ended_before_it_could_go_on_without_an_answer() {
    let home = Home::new("unasked");
    let script = "\"$SSH_ASKPASS\" 'password: ' || echo tried >> tried\n\"$SSH_ASKPASS\" 'password: ' || echo tried >> tried\n";
    let manager = network(&home, 31, script);
    web(&home, |trouble| trouble["code"] == "asks");
    assert_eq!(home.run(&["answer", "web", "--cancel"]).code, 0);
    let host = web(&home, |trouble| trouble["code"] == "unanswered");
    assert_eq!(
        (&host["retry"], &host["prompts"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );
    assert_eq!(home.run(&["down"]).code, 0);
    assert_eq!(manager.ended(), 0);
    assert!(!home.path().join("tried").exists(), "it went on");
}

/// A command that is as verbose as `ssh -vvv`, says one line again and again, and never becomes an agent.
const VERBOSE: &str = "i=0; while [ $i -lt 1900 ]; do echo \"debug1: line $i\" >&2; i=$((i+1)); done\n\
    i=0; while [ $i -lt 27 ]; do echo 'still waiting' >&2; i=$((i+1)); done\nexec cat > /dev/null\n";

#[test]
fn the_log_has_what_a_command_has_said_before_its_end() {
    let home = Home::new("last");
    let script =
        "i=0; while [ $i -lt 1900 ]; do echo \"debug1: line $i\" >&2; i=$((i+1)); done; exit 255\n";
    let _manager = network(&home, 51, script);
    let deadline = Instant::now() + PATIENCE;
    let log = loop {
        let log = home.run(&["logs", "web", "--lines", "5000"]).data;
        if log.contains(" is retrying") {
            break log;
        }
        assert!(Instant::now() < deadline, "{log}");
    };
    let lines = log
        .lines()
        .take_while(|line| !line.contains(" is retrying"));
    let lines = lines.filter_map(|line| line.split_once("| "));
    let said: Vec<_> = lines.map(|(_, said)| said.to_owned()).collect();
    let expected: Vec<_> = (0..1_900)
        .map(|number| format!("debug1: line {number}"))
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn the_log_has_every_line_of_a_verbose_command_and_folds_repeats() {
    let home = Home::new("verbose");
    let _manager = network(&home, 49, VERBOSE);
    let deadline = Instant::now() + PATIENCE;
    let said = loop {
        let log = home.run(&["logs", "web", "--lines", "5000"]).data;
        let lines = log.lines().filter_map(|line| line.split_once("| "));
        let said: Vec<_> = lines.map(|(_, said)| said.to_owned()).collect();
        // Lines that come slowly are not counted as repeats, so there may be more than one note.
        let times = said.iter().map(|line| match line.as_str() {
            "still waiting" | "(this line came once more)" => 1,
            line => line
                .strip_prefix("(this line came ")
                .and_then(|rest| rest.split(' ').next()?.parse().ok())
                .unwrap_or(0),
        });
        if times.sum::<u32>() == 27 {
            break said;
        }
        assert!(Instant::now() < deadline, "{said:?}");
    };
    let debug = (0..1_900).map(|number| format!("debug1: line {number}"));
    assert_eq!(said[..1_900], debug.collect::<Vec<_>>());
    assert!(said.len() < 1_927, "nothing was folded: {said:?}");
}
