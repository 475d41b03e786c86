//! Explanations of connections that do not work. The far end is behind a gateway or behind ssh.

use serde_json::Value;

use crate::{
    network::program,
    office::Office,
    sandbox::{Ended, Sandbox, ended},
};

/// The output of `norouter why` on the laptop.
fn why(sandbox: &Sandbox, office: &Office, words: &[&str]) -> (i32, Value) {
    let program = program(sandbox);
    let mut all = vec![program.to_str().unwrap(), "why", "--json"];
    all.extend_from_slice(words);
    let mut command = office.network.laptop().command(&all);
    command.env("XDG_RUNTIME_DIR", sandbox.path("run"));
    let said: Ended = ended(&mut command);
    let view = serde_json::from_str(&said.out);
    (
        said.code,
        view.unwrap_or_else(|error| panic!("{words:?}: {error}: {said:?}")),
    )
}

/// The step that does not work, with its text.
#[track_caller]
fn broken(sandbox: &Sandbox, office: &Office, words: &[&str]) -> (String, String) {
    let (code, view) = why(sandbox, office, words);
    let mut steps = view["steps"].as_array().unwrap().iter();
    let failed = steps.find(|step| step["outcome"] == "failed");
    let failed = failed.unwrap_or_else(|| panic!("{words:?}: {view:#}"));
    assert_eq!(code, 5);
    let text = |field: &str| failed[field].as_str().unwrap().to_owned();
    (text("step"), text("text"))
}

#[test]
fn what_a_gateway_refuses_or_cannot_reach_is_said_with_the_reason() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    for target in [
        "db.corp.test:8000",
        "10.99.0.5:8000",
        "[fd99::5]:8000",
        "web:8080",
    ] {
        let (code, view) = why(&sandbox, &office, &[target]);
        assert_eq!(code, 0, "{target}: {view:#}");
        let last = view["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(last["outcome"], "ok", "{target}: {view:#}");
    }
    let before = office.gate.heads().len();
    for (target, step, words) in [
        // A route leads to the name, but the gateway resolves it to its own loopback.
        ("sly.corp.test:8000", "dial", "127.0.0.1"),
        ("slow.corp.test:8000", "dial", "timed out"),
        ("none.corp.test:80", "dial", "cannot be resolved"),
        ("db.corp.test:8001", "dial", "connection refused"),
        ("a.gone.test:80", "gateway", "gone is not up"),
        ("web:9", "dial", "connection refused"),
    ] {
        let (found, text) = broken(&sandbox, &office, &[target]);
        assert_eq!(found, step, "{target}: {text}");
        assert!(text.contains(words), "{target}: {text}");
    }
    assert_eq!(office.gate.heads().len(), before);
}
