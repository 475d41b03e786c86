//! Hosts whose command does not find a usable agent: the manager puts one there through the shell to which the same
//! command leads. An agent that works is left alone.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    faults::OTHER,
    network::{Host, Network, vip},
    sandbox::{Netns, Podman, Sandbox, Sshd, ended, output, static_norouter, wait_for},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

/// A host behind a real ssh server whose command starts this file, which may be missing. The user there has a home folder
/// of their own.
fn ssh(sandbox: &Sandbox, name: &str, file: &Path) -> (Host, Sshd) {
    let netns = Netns::new();
    let home = sandbox.path(&format!("home-{name}"));
    fs::create_dir_all(&home).unwrap();
    let lines = format!("SetEnv HOME={}\n", home.display());
    let server = Sshd::administrated(sandbox, &netns, "", &lines);
    let host = Host::in_netns(name, netns).entered_by(server.cmd(file));
    (host.ports(WEB), server)
}

/// A program that greets like a different version with these features, and then does nothing.
fn other(sandbox: &Sandbox, name: &str, words: &str) -> PathBuf {
    let script = sandbox.write("other.py", OTHER);
    let script = format!("#!/bin/sh\nexec python3 {} {words}\n", script.display());
    sandbox.write_program(name, &script)
}

fn status(network: &Network) -> String {
    ended(&mut network.norouter(&["status"])).out
}

#[test]
fn a_command_that_finds_no_norouter_gets_an_agent_through_its_shell() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("later/norouter");
    let (far, _server) = ssh(&sandbox, "far", &file);
    let podman = Podman::new(&sandbox);
    let container = podman.start(&podman.busybox_image("bare", &[]));
    output(&mut container.command(&["/bin/busybox", "--install", "-s", "/bin"]));
    let words = container.cmd("norouter".as_ref());
    let inside = Host::in_container("inside", container);
    let hosts = vec![Host::laptop(), far, inside.entered_by(words).ports(WEB)];
    let _pages = [hosts[1].serve_name(&sandbox), hosts[2].serve_name(&sandbox)];
    let mut network = Network::start(&sandbox, hosts);
    network.wait(&["far", "inside"]);
    for host in ["far", "inside"] {
        network.wait_for_page("laptop", host);
        let notes = network.host_status(host)["notes"].to_string();
        assert!(notes.contains("started through its shell"), "{notes}");
    }
    let log = output(&mut network.norouter(&["logs"]));
    assert_eq!(log.matches("was sent an agent").count(), 2, "{log}");
    let told = "so an agent is put there through its shell: ";
    assert_eq!(log.matches(told).count(), 2, "{log}");
    let why = ended(&mut network.norouter(&["why", "far"])).out;
    assert!(why.contains("norouter restart far"), "{why}");

    // The plan shows in advance what would be started.
    let manifest = sandbox.path("network.yaml");
    let manifest = manifest.to_str().unwrap();
    let plan = output(&mut network.norouter(&["plan", manifest]));
    for line in log.lines().filter_map(|line| line.split_once(told)) {
        assert!(plan.contains(line.1.trim_end()), "{plan}\n{}", line.1);
    }

    // A norouter that was installed meanwhile is used when a person restarts the host.
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::copy(static_norouter(), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    output(&mut network.norouter(&["restart", "far"]));
    network.wait(&["far"]);
    network.wait_for_page("laptop", "far");
    let text = status(&network);
    assert!(!text.contains("far: its agent was put there"), "{text}");
    assert!(text.contains("inside: its agent was put there"), "{text}");

    let cleaned = ended(&mut network.norouter(&["clean", "--all", "--file", manifest]));
    assert_eq!(
        cleaned.err.matches("removed 1 file").count(),
        2,
        "{cleaned:?}"
    );
    network.assert_page("laptop", "inside");
}

#[test]
fn an_agent_that_cannot_agree_is_replaced_and_one_that_can_is_left_alone() {
    let sandbox = Sandbox::new();
    let old = other(&sandbox, "old/norouter", "0.5.0 loopback tcp");
    let upstream = other(
        &sandbox,
        "upstream/norouter",
        "0.6.5 loopback tcp http loopback.disable socks hostaliases etchosts routes dns",
    );
    let (old, _old_server) = ssh(&sandbox, "old", &old);
    let (upstream, _upstream_server) = ssh(&sandbox, "upstream", &upstream);
    let hosts = [old, upstream].map(|host| host.line("loopback: {disable: true}"));
    let hosts: Vec<_> = [Host::laptop()].into_iter().chain(hosts).collect();
    let _page = hosts[1].serve_name(&sandbox);
    let mut network = Network::start(&sandbox, hosts);
    network.wait(&["old", "upstream"]);
    network.wait_for_page("laptop", "old");
    let text = status(&network);
    assert!(
        text.contains("its agent (version 0.5.0) cannot do \"loopback.disable\"")
            && text.contains("norouter restart old"),
        "{text}"
    );
    assert!(
        text.contains("upstream: its agent has version 0.6.5"),
        "{text}"
    );
    assert!(
        !text.contains("upstream: its agent was put there"),
        "{text}"
    );
}

#[test]
fn a_new_file_of_the_program_ends_no_agent_and_no_connection() {
    let sandbox = Sandbox::new();
    let (far, _server) = ssh(&sandbox, "far", &sandbox.path("nowhere/norouter"));
    let hosts = vec![Host::laptop(), far];
    let _page = hosts[1].serve_origin();
    let mut network = Network::start(&sandbox, hosts);
    network.wait(&["laptop", "far"]);
    wait_for("the port on the laptop", || {
        network.laptop().fetch(&vip(2), 8080).ok()
    });
    let address = format!("{}:8080", vip(2));
    let mut open = network.laptop().connect(&address);
    let since = network.host_status("far")["sinceMs"].clone();
    let (new, program) = (sandbox.path("new"), sandbox.path("norouter"));
    fs::copy(&program, &new).unwrap();
    let mut bytes = fs::read(&new).unwrap();
    bytes.extend_from_slice(b"another version");
    fs::write(&new, bytes).unwrap();
    fs::rename(&new, &program).unwrap();
    output(&mut network.norouter(&["reload"]));
    assert_eq!(network.host_status("far")["sinceMs"], since);
    open.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("far"), "{answer}");
    // A person restarts the host, which finds the agent that the running manager has sent.
    output(&mut network.norouter(&["restart", "far"]));
    network.wait(&["far"]);
    network.wait_for_page("laptop", "far");
    let log = output(&mut network.norouter(&["logs"]));
    assert_eq!(log.matches("was sent an agent").count(), 1, "{log}");
}
