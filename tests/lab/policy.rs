//! The policy. A host whose only network is NoRouter's reaches only what the policy names.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{
    network::{Host, Network},
    office::{HTTP, gateway},
    sandbox::{DEADLINE, Origin, Sandbox, ended, wait_for},
};

/// The end of the manifest: a route, and then the policy.
const POLICY: &str = "{via: gate, to: [\"10.99.0.0/24\", \"*.corp.test\"]}
policy:
  default: deny
  rules:
    - {from: ci, to: \"10.99.0.6/32\", action: deny}
    - {from: ci, to: [\"*.corp.test\"], ports: [8000], action: allow}
    - {from: ci, to: db, ports: [5432], action: allow}
  tests:
    - {from: ci, to: \"db:5432\", expect: allow}
    - {from: ci, to: \"db:5433\", expect: deny}
";

/// A laptop, a database, a gateway, and a host that is restricted, with their servers.
fn open(sandbox: &Sandbox) -> (Network, Vec<Origin>) {
    let db = Host::netns("db", sandbox).ports(&["5432:127.0.0.1:8000", "5433:127.0.0.1:8000"]);
    let ci = Host::netns("ci", sandbox).line(&format!("http: {{listen: {HTTP:?}}}"));
    let gate = gateway("gate", sandbox);
    let servers = vec![
        db.serve_origin(),
        Origin::start(gate.namespace(), "10.99.0.5:8000", "gate"),
        Origin::start(gate.namespace(), "10.99.0.6:8000", "slow"),
    ];
    let hosts = vec![Host::laptop(), db, ci, gate];
    let network = Network::with_routes(sandbox, hosts, &[POLICY]);
    network.wait_until_it_answers();
    network.wait(&["db", "ci", "gate"]);
    (network, servers)
}

/// The reply of the restricted host's proxy to a CONNECT request.
fn tunnel(to: &str) -> (TcpStream, String) {
    let proxy: SocketAddr = HTTP.parse().unwrap();
    let mut stream = TcpStream::connect_timeout(&proxy, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = vec![0; 64];
    let length = stream.read(&mut answer).unwrap();
    (
        stream,
        String::from_utf8_lossy(&answer[..length]).into_owned(),
    )
}

#[test]
fn what_is_named_is_reached_and_a_thousand_other_targets_are_refused_and_told_in_sum() {
    let sandbox = Sandbox::new();
    let (network, _servers) = open(&sandbox);
    let (ci, db) = (network.host("ci"), network.vip("db"));
    assert_eq!(ci.fetch(&db, 5432).as_deref(), Ok("db"));
    let refused = ci.fetch(&db, 5433).unwrap_err();
    assert!(refused.contains("connect"), "{refused}");
    let proxied = |url: &str| {
        let answer = ci.curl(&["--proxy", &format!("http://{HTTP}"), url]);
        answer.out.trim_end().to_owned()
    };
    assert_eq!(proxied("http://db:5432/"), "db");
    assert_eq!(proxied("http://db.corp.test:8000/"), "gate");
    for (url, words) in [
        (
            "http://db:5433/",
            "db:5433 is not allowed to this host by the default of the policy",
        ),
        (
            "http://slow.corp.test:8000/",
            "is 10.99.0.6 there, which is not allowed to this host by rule 1 of the policy",
        ),
        (
            "http://10.99.0.5:8000/",
            "is not allowed to this host by the default of the policy",
        ),
        (
            "http://db.corp.test:8001/",
            "is not allowed to this host by the default of the policy",
        ),
    ] {
        let answer = proxied(url);
        assert!(answer.contains(words), "{url}: {answer}");
    }
    // The laptop may not reach anything either, except itself.
    assert!(network.laptop().fetch(&db, 5432).is_err());
    let why = ended(&mut network.norouter(&["why", "--from", "ci", "db:5433"])).out;
    assert!(
        why.contains("the default of the policy refuses it to ci"),
        "{why}"
    );

    ci.namespace().inside(|| {
        for number in 0..1_000_u32 {
            let port = 1 + (number * 7_919) % 65_535;
            let to = match number % 4 {
                0 => format!("db:{}", if port == 5_432 { 1 } else { port }),
                1 => format!("laptop:{port}"),
                2 => format!("10.99.{}.{}:{port}", number % 256, 7 + number / 256),
                _ => format!(
                    "host-{number}.corp.test:{}",
                    if port == 8_000 { 1 } else { port }
                ),
            };
            let (_, answer) = tunnel(&to);
            let is_refused =
                answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 502");
            assert!(is_refused, "{to}: {answer}");
        }
    });
    let lines = || {
        let log = ended(&mut network.norouter(&["logs", "ci"])).out;
        let told = log.lines().filter(|line| line.contains("by the policy"));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    let told = wait_for("the sum", || {
        Some(lines()).filter(|lines| !lines.is_empty())
    });
    assert!(told.len() <= 2, "{told:#?}");
    assert!(
        told[0].contains("by the default of the policy"),
        "{told:#?}"
    );
}

#[test]
fn a_right_that_is_taken_away_cuts_what_uses_it_within_a_second() {
    let sandbox = Sandbox::new();
    let (network, _servers) = open(&sandbox);
    let ci = network.host("ci");
    let mut direct = ci.connect(&format!("{}:5432", network.vip("db")));
    let (mut named, answer) = ci.namespace().inside(|| tunnel("db.corp.test:8000"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Both flows have to be open before the policy changes.
    wait_for("both flows", || {
        let flows = ended(&mut network.norouter(&["flows"])).out;
        (flows.matches(" open ").count() == 2).then_some(())
    });
    let file = sandbox.path("network.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace(
            "ports: [8000], action: allow",
            "ports: [8001], action: allow",
        )
        .replace("to: db, ports: [5432]", "to: db, ports: [5433]")
        .replace("db:5433", "db:543X")
        .replace("db:5432", "db:5433")
        .replace("db:543X", "db:5432");
    fs::write(&file, text).unwrap();
    let reload = ended(&mut network.norouter(&["reload"]));
    let taken = Instant::now();
    assert_eq!(reload.code, 0, "{reload:?}");
    for (what, stream) in [("the port", &mut direct), ("the name", &mut named)] {
        let end = stream.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(end, Err(ErrorKind::ConnectionReset), "{what}");
        assert!(taken.elapsed() < Duration::from_secs(1), "{what}");
    }
    assert_eq!(ci.fetch(&network.vip("db"), 5433).as_deref(), Ok("db"));
}
