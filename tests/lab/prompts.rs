//! Questions of a real ssh: for a passphrase, a password, and a host key.

use std::{io::Write as _, process::Stdio};

use serde_json::Value;

use crate::{
    network::{Host, Network, program},
    sandbox::{Netns, Sandbox, Sshd, command, ended, output, wait_for},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

/// A network with the laptop and a host behind ssh. The ssh configuration has these lines.
fn network(
    sandbox: &Sandbox,
    far: Host,
    server: &Sshd,
    lines: &str,
) -> (Network, Vec<Box<dyn std::any::Any>>) {
    let far = far
        .entered_by(server.asking_cmd(&program(sandbox), lines))
        .ports(WEB);
    let hosts = vec![Host::laptop(), far];
    let page: Box<dyn std::any::Any> = Box::new(hosts[1].serve_name(sandbox));
    (Network::start(sandbox, hosts), vec![page])
}

fn far(sandbox: &Sandbox) -> Value {
    let status = ended(&mut Network::ask(sandbox, &["status", "--json"]));
    let status: Value = serde_json::from_str(&status.out).unwrap_or_default();
    status["hosts"][1].clone()
}

/// Waits for a question with a higher number than `last`.
#[track_caller]
fn asked_after(sandbox: &Sandbox, last: u64) -> Value {
    wait_for("a question of ssh", || {
        let far = far(sandbox);
        let id = far["prompts"][0]["id"].as_u64()?;
        (id > last).then(|| {
            assert_eq!(far["state"], "needsYou");
            far["prompts"][0].clone()
        })
    })
}

#[track_caller]
fn answer(sandbox: &Sandbox, text: &str) {
    let mut answer = Network::ask(sandbox, &["answer", "far"]);
    let mut child = answer.stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{text}").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_key_with_a_passphrase_is_unlocked_and_a_slip_is_asked_for_again() {
    let sandbox = Sandbox::new();
    let (host, server) = Host::ssh("far", &sandbox, "");
    let mut lock = command(&[
        "ssh-keygen",
        "-q",
        "-p",
        "-P",
        "",
        "-N",
        "open sesame",
        "-f",
    ]);
    output(lock.arg(server.user_key()));
    let (mut network, _page) = network(&sandbox, host, &server, "PasswordAuthentication no\n");
    let first = asked_after(&sandbox, 0);
    assert_eq!(first["kind"], "secret");
    let text = first["text"].as_str().unwrap();
    assert!(text.starts_with("Enter passphrase for key '"), "{text}");
    answer(&sandbox, "open barley");
    let second = asked_after(&sandbox, first["id"].as_u64().unwrap());
    assert_eq!(second["text"], first["text"]);
    answer(&sandbox, "open sesame");
    network.wait_for_page("laptop", "far");
    let log = network.manager.log();
    assert!(
        log.contains("\"norouter answer far\" answers that"),
        "{log}"
    );
    assert!(!log.contains("open "), "{log}");
    assert_eq!(far(&sandbox)["state"], "ready");
}

#[test]
fn an_unknown_host_key_is_shown_and_refused_or_taken() {
    let sandbox = Sandbox::new();
    let (host, server) = Host::ssh("far", &sandbox, "");
    let known = sandbox.path("known_hosts");
    let lines = format!(
        "StrictHostKeyChecking ask\nUserKnownHostsFile {}\n",
        known.display()
    );
    let (mut network, _page) = network(&sandbox, host, &server, &lines);
    let first = asked_after(&sandbox, 0);
    assert_eq!(first["kind"], "confirm");
    let text = first["text"].as_str().unwrap();
    assert!(
        text.contains("\nED25519 key fingerprint is SHA256:"),
        "{text}"
    );
    assert!(text.ends_with("(yes/no/[fingerprint])?"), "{text}");

    output(&mut Network::ask(&sandbox, &["answer", "far", "--cancel"]));
    let refused = wait_for("the end of ssh", || {
        let far = far(&sandbox);
        (far["state"] == "refused").then_some(far)
    });
    let reason = refused["reason"].as_str().unwrap();
    assert!(reason.starts_with("nobody has answered"), "{reason}");
    assert!(reason.contains("The authenticity of host"), "{reason}");
    assert!(!known.exists());

    output(&mut Network::ask(&sandbox, &["start", "far"]));
    asked_after(&sandbox, first["id"].as_u64().unwrap());
    answer(&sandbox, "yes");
    network.wait_for_page("laptop", "far");
    assert!(known.exists());
}

#[test]
fn a_password_is_kept_for_the_next_life_if_the_person_says_so() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let hash = output(&mut command(&["openssl", "passwd", "-6", "tea for two"]));
    netns.etc(
        "shadow",
        &format!("root:{}:19000:0:99999:7:::\n", hash.trim()),
    );
    let server = Sshd::in_netns(&sandbox, &netns);
    let host = Host::in_netns("far", netns);
    let lines = "PreferredAuthentications password\nNumberOfPasswordPrompts 1\n";
    let (mut network, _page) = network(&sandbox, host, &server, lines);
    let first = asked_after(&sandbox, 0);
    assert_eq!(first["text"], "root@lab's password:");
    answer(&sandbox, "tea for three");
    // Without a person, there must not be a second attempt, because it could lock the account.
    let refused = wait_for("the refusal", || {
        let far = far(&sandbox);
        (far["state"] == "refused").then_some(far)
    });
    assert_eq!(refused["troubles"][0]["cause"], "login", "{refused}");
    output(&mut Network::ask(&sandbox, &["start", "far"]));
    let second = asked_after(&sandbox, first["id"].as_u64().unwrap());
    let words = ["answer", "far", "--remember"];
    let mut child = Network::ask(&sandbox, &words)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "tea for two").unwrap();
    assert!(child.wait().unwrap().success());
    network.wait_for_page("laptop", "far");
    assert!(second["id"].as_u64() > first["id"].as_u64());
    let since = far(&sandbox)["sinceMs"].as_u64();
    output(&mut Network::ask(&sandbox, &["restart", "far"]));
    wait_for("the next life", || {
        let far = far(&sandbox);
        assert_eq!(
            far["prompts"],
            serde_json::json!([]),
            "a person is asked again"
        );
        (far["state"] == "ready" && far["sinceMs"].as_u64() > since).then_some(())
    });
    network.wait_for_page("laptop", "far");
}
