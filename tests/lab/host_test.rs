//! `norouter host test` with a real sshd. It reports each step of ssh, and the cause of each failure.

use std::process::Output;

use serde_json::Value;

use crate::{
    network::{Host, program},
    sandbox::{Sandbox, command},
};

/// Tests a host on this machine that is reached by this command.
fn tried(sandbox: &Sandbox, words: &[String]) -> (i32, Vec<Value>) {
    let quoted = |word: &String| format!("'{}'", word.replace('\'', "'\\''"));
    let line = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    let mut test = command(&[program(sandbox).to_str().unwrap()]);
    test.args(["host", "test", "--json", "--cmd", &line])
        .stdin(std::process::Stdio::null());
    let Output { status, stdout, .. } = test.output().unwrap();
    let data = String::from_utf8(stdout).unwrap();
    let news = data.lines().map(|line| serde_json::from_str(line).unwrap());
    (status.code().unwrap(), news.collect())
}

fn steps(news: &[Value]) -> Vec<&str> {
    news.iter().filter_map(|it| it["step"].as_str()).collect()
}

/// The kind and the cause of the trouble, and what to do about it.
fn trouble(news: &[Value]) -> (String, String, String) {
    let trouble = &news.last().unwrap()["trouble"];
    let text = |key: &str| trouble[key].as_str().unwrap_or_default().to_owned();
    (text("code"), text("cause"), text("remedy"))
}

#[test]
fn every_step_of_ssh_is_told_with_its_time() {
    let sandbox = Sandbox::new();
    let (_host, server) = Host::ssh("far", &sandbox, "");
    let (code, news) = tried(&sandbox, &server.cmd(&program(&sandbox)));
    assert_eq!(code, 0, "{news:#?}");
    let told = steps(&news);
    for step in [
        "program", "hostKey", "loggedIn", "answered", "agent", "features",
    ] {
        assert!(told.contains(&step), "{step}: {told:?}");
    }
    let times: Vec<u64> = news.iter().filter_map(|it| it["atMs"].as_u64()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let said = news.iter().filter(|it| it["type"] == "said").count();
    assert_eq!(
        said, 0,
        "what ssh says of its own way is not the host's: {news:#?}"
    );
}

#[test]
fn a_wrong_key_is_told_after_the_steps_before_it() {
    let sandbox = Sandbox::new();
    let (_host, server) = Host::ssh("far", &sandbox, "");
    let other = sandbox.path("other_key");
    let made = command(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&other)
        .status();
    assert!(made.unwrap().success());
    let mut words = server.cmd(&program(&sandbox));
    let key = format!("IdentityFile={}", other.display());
    let config = server.client_config().to_owned();
    let text = std::fs::read_to_string(&config).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("IdentityFile"));
    std::fs::write(&config, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    words.splice(1..1, ["-o".to_owned(), key]);
    let (code, news) = tried(&sandbox, &words);
    assert_eq!(code, 5, "{news:#?}");
    assert!(steps(&news).contains(&"hostKey"), "{news:#?}");
    assert!(!steps(&news).contains(&"loggedIn"), "{news:#?}");
    let (code, cause, remedy) = trouble(&news);
    assert_eq!((code.as_str(), cause.as_str()), ("exited", "login"));
    assert!(!remedy.is_empty(), "{news:#?}");
}

#[test]
fn a_port_that_refuses_and_a_name_that_does_not_exist_are_told_apart() {
    let sandbox = Sandbox::new();
    let ssh = |words: &[&str]| {
        let usual = ["ssh", "-F", "none", "-o", "BatchMode=yes"];
        let words = usual.iter().chain(words).chain(&["--", "norouter"]);
        words.map(|&word| word.to_owned()).collect::<Vec<_>>()
    };
    let (code, news) = tried(&sandbox, &ssh(&["-p", "1", "127.0.0.1"]));
    let (kind, cause, remedy) = trouble(&news);
    assert_eq!((code, steps(&news)), (5, vec!["program"]), "{news:#?}");
    assert_eq!((kind.as_str(), cause.as_str()), ("exited", "unreachable"));
    assert!(!remedy.is_empty(), "{news:#?}");
    let (code, news) = tried(&sandbox, &ssh(&["no-such-host.invalid"]));
    let (kind, cause, _) = trouble(&news);
    assert_eq!((code, steps(&news)), (5, vec!["program"]), "{news:#?}");
    assert_eq!((kind.as_str(), cause.as_str()), ("exited", "unknownName"));
    let said = news.iter().filter(|it| it["type"] == "said").count();
    assert_eq!(said, 1, "only what ssh says of the failure: {news:#?}");
}
