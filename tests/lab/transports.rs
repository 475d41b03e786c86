//! The commands that lead to hosts transmit bytes unchanged. If they did not, the other tests of the lab would be
//! meaningless.

use std::path::Path;

use crate::sandbox::{
    Container, Netns, Podman, Postgres, Sandbox, Sshd,
    client::{noise, through},
    command, output,
};

const CAT: &str = "/bin/cat";

/// Sends random bytes to a `cat` at the end of this command. Expects the same bytes back, and a clean end.
#[track_caller]
fn assert_echo(words: &[String]) {
    let sent = noise(7, 1 << 20);
    let (received, talk, status) = through(&mut command(words), &sent);
    assert!(status.success(), "{words:?} ended with {status}: {talk}");
    assert!(
        received == sent,
        "{words:?}: {} bytes came back of {}",
        received.len(),
        sent.len()
    );
}

#[test]
fn a_namespace_carries_bytes_exactly() {
    let netns = Netns::new();
    assert_echo(&netns.cmd(Path::new(CAT)));
}

#[test]
fn a_namespace_has_a_loopback_of_its_own() {
    let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = here.local_addr().unwrap().port().to_string();
    let netns = Netns::new();
    let reached = netns
        .command(&[
            "socat",
            "-u",
            "/dev/null",
            &format!("TCP4:127.0.0.1:{port}"),
        ])
        .output()
        .unwrap();
    assert!(!reached.status.success());
    assert!(String::from_utf8_lossy(&reached.stderr).contains("refused"));
}

#[test]
fn a_real_ssh_server_carries_bytes_exactly() {
    let sandbox = Sandbox::new();
    let server = Sshd::on_this_machine(&sandbox);
    assert_echo(&server.cmd(Path::new(CAT)));
}

#[test]
fn a_real_ssh_server_in_a_namespace_carries_bytes_exactly() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let server = Sshd::in_netns(&sandbox, &netns);
    assert_echo(&server.cmd(Path::new(CAT)));
    let mut words = server.ssh();
    words.extend(["ip", "netns", "identify"].map(str::to_owned));
    let inside = output(&mut command(&words));
    assert!(inside.starts_with("nrlab"), "the shell is in {inside:?}");
}

#[test]
fn a_banner_comes_before_everything_else() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let server = Sshd::with_banner(&sandbox, &netns, "Welcome to the machine.\n");
    let (received, talk, status) = through(&mut command(&server.cmd(Path::new(CAT))), b"abc");
    assert!(status.success(), "{talk}");
    assert_eq!(received, b"Welcome to the machine.\nabc");
}

#[test]
fn a_container_carries_bytes_exactly() {
    let sandbox = Sandbox::new();
    let podman = Podman::new(&sandbox);
    let image = podman.busybox_image("box", &[]);
    let container: Container = podman.start(&image);
    assert_echo(&container.cmd(Path::new(CAT)));
    assert_echo(&podman.run_cmd(&image, CAT));
    let devices = output(&mut container.command(&["/bin/ls", "/sys/class/net"]));
    assert_eq!(devices.trim(), "lo", "the container is not alone");
}

#[test]
fn a_database_answers_in_its_namespace_only() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let postgres = Postgres::start(&sandbox, &netns);
    let psql = postgres.program("psql");
    let words = [
        &psql,
        "-XAtq",
        "-h",
        "127.0.0.1",
        "-U",
        "lab",
        "-d",
        "postgres",
        "-c",
        "select 6 * 7",
    ];
    assert_eq!(output(&mut netns.command(&words)).trim(), "42");
}
