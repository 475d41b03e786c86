//! The recipe of `docs/SANDBOX.md`. A container without a network of its own reaches the targets that the policy names,
//! and none of a thousand others.

use std::collections::BTreeMap;

use crate::{
    limits::example,
    network::{Host, Network},
    sandbox::{Podman, Sandbox, client::noise, ended, static_norouter, wait_for},
};

const PROXY: &str = "127.0.0.1:18080";

/// The end of the manifest: a route that nobody uses, and then the policy of the recipe.
const POLICY: &str = "{via: web, to: [\"192.0.2.0/24\"]}
policy:
  default: deny
  rules:
    - {from: box, to: web, ports: [8080], action: allow}
  tests:
    - {from: box, to: \"web:8080\", expect: allow}
    - {from: box, to: \"laptop:8080\", expect: deny}
";

/// A program that tries to connect to each target, directly or through the proxy, and prints the outcomes.
const TRY: &str = r#"
import socket, sys
for line in open(sys.argv[1]):
    way, host, port = line.split()
    try:
        s = socket.create_connection(("127.0.0.1", 18080) if way == "proxy" else (host, int(port)), timeout=20)
        if way == "proxy":
            s.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            outcome = s.recv(4096).split()[1].decode()
        else:
            s.settimeout(20)
            outcome = "open"
            try:
                if s.recv(1) == b"": outcome = "ended"
            except ConnectionResetError: outcome = "reset"
            except TimeoutError: pass
    except OSError as error:
        outcome = type(error).__name__
    print(way, host, port, outcome)
"#;

/// Targets that the policy does not name. Each is tried directly or through the proxy.
fn others(count: usize) -> Vec<(&'static str, String, u16)> {
    let bytes = noise(12, count * 8);
    let targets = bytes.chunks_exact(8).enumerate().map(|(number, random)| {
        let port = u16::from_be_bytes([random[0], random[1]]) | 1;
        let [a, b, c] = [random[2], random[3], random[4]];
        // The port is odd. Therefore it is never 8080, the only port that hosts publish.
        match number % 5 {
            0 => ("raw", format!("127.0.42.{}", 11 + number / 5 % 3), port),
            1 => ("raw", format!("127.{a}.{b}.{}", c | 1), port),
            2 => ("raw", format!("10.{a}.{b}.{c}"), port),
            3 => ("proxy", format!("10.{a}.{b}.{c}"), port),
            _ => ("proxy", format!("127.0.42.{}", 11 + number / 5 % 3), port),
        }
    });
    targets.collect()
}

#[test]
fn a_thousand_targets_that_nobody_has_named_are_refused_and_told_in_sum() {
    let sandbox = Sandbox::new();
    let limits = example("SANDBOX.md", "# /etc/norouter/agent.yaml in the image");
    let limits = sandbox.write("agent.yaml", limits);
    let podman = Podman::new(&sandbox);
    let program = static_norouter();
    let files = [
        ("/norouter", program.as_path()),
        ("/etc/norouter/agent.yaml", limits.as_path()),
    ];
    let image = podman.busybox_image("box", &files);
    let own = "dns: {disable: true}";
    let laptop = Host::laptop().ports(&["8080:127.0.0.1:8000"]).line(own);
    let web = Host::netns("web", &sandbox)
        .ports(&["8080:127.0.0.1:8000"])
        .line(own);
    let boxed = Host::in_container("box", podman.start(&image))
        .line(own)
        .line(&format!("http: {{listen: \"{PROXY}\"}}"));
    let _pages = [laptop.serve_name(&sandbox), web.serve_name(&sandbox)];
    let mut network = Network::with_routes(&sandbox, vec![laptop, web, boxed], &[POLICY]);
    network.wait_until_it_answers();
    // The named targets can be reached, both at their addresses and through the proxy.
    network.wait_for_page("box", "web");
    let script = sandbox.write("try.py", TRY);
    let tried = |name: &str, targets: &[(&str, String, u16)]| {
        let lines = targets
            .iter()
            .map(|(way, host, port)| format!("{way} {host} {port}\n"));
        let list = sandbox.write(name, lines.collect::<String>());
        let words = ["python3", script.to_str().unwrap(), list.to_str().unwrap()];
        let tried = ended(&mut network.host("box").network_command(&words));
        assert_eq!(tried.code, 0, "{tried:?}");
        let outcomes = tried.out.lines().map(|line| {
            let (target, outcome) = line.rsplit_once(' ').unwrap();
            (target.to_owned(), outcome.to_owned())
        });
        outcomes.collect::<BTreeMap<_, _>>()
    };
    let named = tried("named", &[("proxy", "127.0.42.12".to_owned(), 8080)]);
    assert_eq!(named["proxy 127.0.42.12 8080"], "200");
    // A port that another host publishes cannot be reached if the limits or the policy do not name it.
    let mut targets = others(1_000);
    targets.push(("raw", "127.0.42.11".to_owned(), 8080));
    targets.push(("proxy", "127.0.42.11".to_owned(), 8080));
    let outcomes = tried("others", &targets);
    assert!(outcomes.len() > 950, "only {} targets", outcomes.len());
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (target, outcome) in &outcomes {
        let refused = match target.split_once(' ').unwrap().0 {
            "raw" => ["ConnectionRefusedError", "OSError", "reset"].contains(&outcome.as_str()),
            _ if target.starts_with("proxy 10.") => outcome == "403",
            _ => outcome == "403" || outcome.starts_with('5'),
        };
        assert!(refused, "{target}: {outcome}");
        *count.entry(outcome).or_default() += 1;
    }
    println!("{count:?}");
    // All destinations that the agent was asked for are reported in one line.
    let outside = outcomes
        .keys()
        .filter(|it| it.starts_with("proxy 10."))
        .count();
    let told = wait_for("all refused targets to be told", || {
        let problems = network.host_status("box")["troubles"].take();
        let mut problems = problems.as_array().unwrap().clone().into_iter();
        let more = format!(" and {} more: ", outside - 4);
        let mut found = problems
            .by_ref()
            .filter(|it| it["what"].as_str().unwrap().contains(&more));
        found.next()
    });
    let told = told["what"].as_str().unwrap();
    assert!(told.starts_with("cannot connect to 10."), "{told}");
    assert!(
        told.contains("/etc/norouter/agent.yaml does not permit \"dial\""),
        "{told}"
    );
    network.assert_page("box", "web");
}
