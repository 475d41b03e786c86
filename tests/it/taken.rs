//! An agent on a machine on which another program already listens at many addresses of the network.

use std::{fmt::Write as _, fs, net::TcpListener, time::Instant};

use serde_json::Value;

use crate::home::{Home, PATIENCE};

/// How many hosts have an address that is in use.
const TAKEN: usize = 60;

/// More threads than an agent needs: for its files, for its lookups, and to find the program that uses an address.
const MANY_THREADS: usize = 12;

#[test]
fn many_taken_addresses_do_not_cost_a_thread_each() {
    let home = Home::new("taken");
    let program = env!("CARGO_BIN_EXE_norouter");
    let script = home.write(
        "web.sh",
        &format!("echo $$ > pid\nexec {program} agent --automated\n"),
    );
    let mut manifest = format!("hosts:\n  web: {{vip: 127.0.78.2, cmd: [sh, {script}]}}\n");
    let mut taken = Vec::new();
    for number in 3..TAKEN + 3 {
        writeln!(
            manifest,
            "  off{number}: {{vip: 127.0.78.{number}, cmd: [\"false\"]}}"
        )
        .unwrap();
        // Each agent serves DNS at this port of every host's address.
        taken.push(TcpListener::bind(format!("127.0.78.{number}:10053")).unwrap());
    }
    let manifest = home.write("net.yaml", &manifest);
    let _manager = home.up(&[&manifest]);

    let deadline = Instant::now() + PATIENCE;
    let is_named = |web: &Value| {
        let reason = web["reason"].as_str().unwrap_or_default();
        web["state"] == "degraded" && reason.contains("already in use by ")
    };
    loop {
        let snapshot: Value =
            serde_json::from_str(&home.run(&["status", "--json"]).data).unwrap_or_default();
        let hosts = snapshot["hosts"].as_array();
        let web = hosts.and_then(|hosts| hosts.iter().find(|host| host["name"] == "web"));
        if web.is_some_and(is_named) {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "no address is told as taken: {web:#?}"
        );
    }
    // The runtime keeps a thread for 2 s after its last work. Threads that were started a moment ago are therefore
    // still here.
    let pid = fs::read_to_string(home.path().join("pid")).unwrap();
    let threads = fs::read_dir(format!("/proc/{}/task", pid.trim())).unwrap();
    let threads = threads.count();
    assert!(threads < MANY_THREADS, "{threads} threads");
}
