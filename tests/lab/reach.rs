//! All hosts reach each other through pipes of every kind.

use crate::{
    network::{Host, Network, vip},
    sandbox::{Podman, Sandbox, static_norouter},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

#[test]
fn every_host_reaches_every_host_through_ssh_podman_and_namespaces() {
    let sandbox = Sandbox::new();
    let podman = Podman::new(&sandbox);
    let (quiet, _quiet_server) = Host::ssh("quiet", &sandbox, "");
    let (chatty, _chatty_server) = Host::ssh(
        "chatty",
        &sandbox,
        "Welcome to chatty!\nB is for Bye.\n  * 3 updates\n",
    );
    let hosts = vec![
        Host::laptop().ports(WEB),
        quiet.ports(WEB),
        chatty.ports(WEB),
        Host::podman("box", &podman).ports(WEB),
        Host::netns("space", &sandbox).ports(&["8080:localhost:8000"]),
    ];
    let _pages: Vec<_> = hosts.iter().map(|host| host.serve_name(&sandbox)).collect();
    let mut network = Network::start(&sandbox, hosts);
    let names: Vec<String> = network.hosts.iter().map(|host| host.name.clone()).collect();
    for from in &names {
        for of in &names {
            network.wait_for_page(from, of);
        }
    }
    // All hosts are ready now, so every page must work at the first attempt.
    for from in &names {
        for of in &names {
            network.assert_page(from, of);
        }
    }
    let log = network.manager.log();
    for name in &names {
        assert!(log.contains(name.as_str()), "nothing is said of {name}");
    }
}

#[test]
fn a_container_that_holds_nothing_but_the_program_serves_the_network() {
    let sandbox = Sandbox::new();
    let podman = Podman::new(&sandbox);
    let binary = static_norouter();
    let image = podman.image("bare", &[("/norouter", &binary)]);
    let bare = Host::with_command("bare", &podman.run_cmd(&image, "/norouter"))
        .ports(&["8080:127.0.0.1:8000"]);
    let hosts = vec![Host::laptop(), bare];
    let mut network = Network::start(&sandbox, hosts);
    network
        .manager
        .wait_for_log("the bare container's readiness", |log| {
            log.lines().any(|line| {
                line.contains("eady") && (line.contains("bare") || line.contains(&vip(2)))
            })
        });
}
