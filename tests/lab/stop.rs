//! After a network has ended, none of its processes and files are left.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{
    network::{Host, Network, processes_of},
    sandbox::{Podman, Sandbox, output, wait_for},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

fn network(sandbox: &Sandbox, podman: &Podman) -> (Network, Vec<Box<dyn std::any::Any>>) {
    let (shell, server) = Host::ssh("shell", sandbox, "");
    let hosts = vec![
        Host::laptop().ports(WEB),
        shell.ports(WEB),
        Host::podman("box", podman).ports(WEB),
        Host::netns("space", sandbox).ports(WEB),
    ];
    let mut kept: Vec<Box<dyn std::any::Any>> = vec![Box::new(server)];
    for host in &hosts {
        kept.push(Box::new(host.serve_name(sandbox)));
    }
    let mut network = Network::start(sandbox, hosts);
    for name in ["laptop", "shell", "box", "space"] {
        network.wait_for_page("laptop", name);
    }
    assert!(
        processes_of(sandbox).len() >= 3,
        "{:?}",
        processes_of(sandbox)
    );
    assert!(in_box(&network).contains("norouter"));
    (network, kept)
}

/// The processes in the container.
fn in_box(network: &Network) -> String {
    output(&mut network.host("box").command(&["/bin/ps"]))
}

#[track_caller]
fn assert_nothing_is_left(sandbox: &Sandbox, network: &Network) {
    wait_for("the end of every agent", || {
        (processes_of(sandbox).is_empty() && !in_box(network).contains("norouter")).then_some(())
    });
    for from in ["laptop", "shell", "box", "space"] {
        for of in ["laptop", "shell", "box", "space"] {
            let answer = network.host(from).fetch(&network.vip(of), 8080);
            assert!(answer.is_err(), "{from} still listens for {of}");
        }
    }
}

#[test]
fn a_terminated_manager_takes_every_agent_with_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let sandbox = Sandbox::new();
        let podman = Podman::new(&sandbox);
        let (mut network, _kept) = network(&sandbox, &podman);
        let start = Instant::now();
        network.manager.signal(signal);
        network.manager.wait();
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "it took {:?}",
            start.elapsed()
        );
        assert_nothing_is_left(&sandbox, &network);
    }
}

#[test]
fn a_killed_manager_leaves_no_agent_behind() {
    let sandbox = Sandbox::new();
    let podman = Podman::new(&sandbox);
    let (mut network, _kept) = network(&sandbox, &podman);
    network.manager.signal(Signal::KILL);
    network.manager.wait();
    assert_nothing_is_left(&sandbox, &network);
}
