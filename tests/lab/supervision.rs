//! A lost host comes back, and an edited manifest is applied. Neither needs a person.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    network::{Host, Network, processes_of},
    sandbox::{Sandbox, wait_for},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

fn network(sandbox: &Sandbox) -> (Network, Vec<Box<dyn std::any::Any>>) {
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("first", sandbox).ports(WEB),
        Host::netns("second", sandbox).ports(WEB),
    ];
    let mut pages: Vec<Box<dyn std::any::Any>> = Vec::new();
    for host in &hosts {
        pages.push(Box::new(host.serve_name(sandbox)));
    }
    let mut network = Network::start(sandbox, hosts);
    network.wait_for_page("laptop", "first");
    network.wait_for_page("first", "second");
    (network, pages)
}

/// Waits until an agent other than `old` is ready. Returns how long that took.
fn replaced(network: &mut Network, old: Pid) -> Duration {
    let start = Instant::now();
    wait_for("another agent", || {
        let pids = network.host("first").namespace().pids();
        let old = old.as_raw_nonzero().to_string();
        (!pids.contains(&old) && network.laptop().fetch(&network.vip("first"), 8080).is_ok())
            .then_some(())
    });
    network.wait_for_page("second", "first");
    let _ = network.agent("first");
    start.elapsed()
}

#[test]
fn a_killed_agent_comes_back_by_itself() {
    let sandbox = Sandbox::new();
    let (mut network, _pages) = network(&sandbox);
    let before = processes_of(&sandbox).len();
    let old = network.agent("first");
    kill_process(old, Signal::KILL).unwrap();
    replaced(&mut network, old);
    network.assert_page("laptop", "second");
    assert_eq!(processes_of(&sandbox).len(), before);
}

#[test]
fn an_agent_that_stands_still_is_replaced_and_nobody_else_notices() {
    let sandbox = Sandbox::new();
    let (mut network, _pages) = network(&sandbox);
    let old = network.agent("first");
    kill_process(old, Signal::STOP).unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        network.assert_page("laptop", "second");
    }
    let took = replaced(&mut network, old);
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(network.manager.is_alive());
}
