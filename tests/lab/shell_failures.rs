//! Hosts with only a shell that cannot become members. The tests check the reasons and the remedies that people read.

use std::{fs, path::Path};

use crate::{
    network::{Host, Network, program_alone},
    sandbox::{Netns, Podman, Sandbox, wait_for},
    shells::{clean, forced, host, mounted},
};

/// A host that fails, with a part of the reason and a part of the remedy that people read.
struct Row(Host, &'static str, &'static str);

/// The words that start a script in place of a shell.
fn script(netns: &Netns, text: &str) -> Vec<String> {
    let mut words = netns.cmd(Path::new("sh"));
    words.extend(["-c", text].map(str::to_owned));
    words
}

#[test]
fn a_host_that_cannot_be_a_member_says_why_and_what_to_do() {
    let sandbox = Sandbox::new();
    program_alone(&sandbox);
    let usual = "PATH=/usr/bin:/bin";
    let (mut rows, mut servers) = (Vec::new(), Vec::new());

    let podman = Podman::new(&sandbox);
    let image = podman.image("no-shell", &[("/bin/sleep", Path::new("/bin/busybox"))]);
    let container = podman.start(&image);
    let mut words = container.cmd("".as_ref());
    words.pop();
    rows.push(Row(
        host("no-shell", Netns::new(), &words),
        "executable file not found",
        "put norouter into its image",
    ));
    let last = words.len() - 1;
    words[last] = "nobody".to_owned();
    rows.push(Row(
        host("no-container", Netns::new(), &words),
        "no container with name or ID",
        "start the container",
    ));

    let netns = Netns::new();
    let noexec =
        "for d in /dev/shm /var/tmp /tmp; do mount -t tmpfs -o noexec none $d; done; cd /tmp";
    let words = mounted(&netns, noexec, &[usual, "HOME=/dev/shm"]);
    rows.push(Row(
        host("noexec", netns, &words),
        "/tmp/.norouter-0 does not let programs run",
        "set XDG_RUNTIME_DIR",
    ));

    let (netns, home) = (Netns::new(), sandbox.path("full"));
    fs::create_dir_all(&home).unwrap();
    let full = format!("mount -t tmpfs -o size=1m none {}", home.display());
    let home = format!("HOME={}", home.display());
    let words = mounted(&netns, &full, &[usual, &home]);
    rows.push(Row(
        host("full", netns, &words),
        "No space left on device",
        "whether its disk is full",
    ));

    let netns = Netns::new();
    let home = format!("HOME={}", sandbox.path("killed").display());
    let mut words = clean(&netns, &[usual, &home]);
    words.extend(["sh", "-c", "ulimit -v 9000; exec \"$@\"", "sh"].map(str::to_owned));
    rows.push(Row(
        host("little-memory", netns, &words),
        "does not run there: signal",
        "a limit of memory",
    ));

    for (name, line, what, remedy) in [
        (
            "restricted",
            "exec env PATH=/nowhere /usr/bin/rbash -c \"$SSH_ORIGINAL_COMMAND\"",
            "rbash: line 1: sh: command not found",
            "link sh into a folder of its PATH",
        ),
        (
            "tmux",
            "exec tmux",
            "open terminal failed: not a terminal",
            "only in a terminal",
        ),
        (
            "no-login",
            "exec /usr/sbin/nologin",
            "This account is currently not available",
            "use an account that may log in there",
        ),
        (
            "prints",
            "echo Hello",
            "it wrote \"Hello\"",
            "run it by hand",
        ),
    ] {
        let netns = Netns::new();
        let server = forced(&sandbox, &netns, name, line);
        rows.push(Row(host(name, netns, &server.ssh()), what, remedy));
        servers.push(server);
    }
    assert_rows(&sandbox, rows);
}

#[test]
fn a_hostile_shell_is_left_and_harms_nobody() {
    let sandbox = Sandbox::new();
    let mut rows = Vec::new();
    for (name, text, what, remedy) in [
        (
            "endless",
            "exec python3 -c 'while True: print(\"\\x1b]0;owned\\x07\\x1b[2J\" * 999, end=\"\")'",
            "it wrote more than 1 MB",
            "remove the command that prints this",
        ),
        (
            "echo",
            "exec cat",
            "sends back what it is sent",
            "makes a terminal",
        ),
        (
            "closes",
            "head -c 100 >/dev/null; exit 3",
            "status 3",
            "run it by hand",
        ),
        (
            "wrong",
            "while read -r c; do case $c in if*) l=${c#*!= }; l=${l%%]*}; echo; echo nr-${l% } kept;; esac; done",
            "answers that no shell gives",
            "run it by hand to see what answers there",
        ),
        (
            "huge",
            "while read -r c; do case $c in if*) l=${c#*!= }; l=${l%%]*}; echo nr-${l% } have 99999999999999999999;; esac; done",
            "answers that no shell gives",
            "run it by hand to see what answers there",
        ),
    ] {
        let netns = Netns::new();
        let words = script(&netns, text);
        rows.push(Row(host(name, netns, &words), what, remedy));
    }
    let network = assert_rows(&sandbox, rows);
    let memory = fs::read_to_string(format!("/proc/{}/status", network.manager.pid())).unwrap();
    let peak = memory
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let peak: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("the manager has used {} MB at most", peak >> 10);
    assert!(peak < 200 << 10, "{memory}");
}

/// Asserts that every host fails as its row says, and that a host without a fault serves beside them.
#[track_caller]
fn assert_rows(sandbox: &Sandbox, rows: Vec<Row>) -> Network {
    let well = Netns::new();
    let home = format!("HOME={}", sandbox.path("well").display());
    let words = clean(&well, &["PATH=/usr/bin:/bin", &home]);
    let mut hosts = vec![Host::laptop(), host("well", well, &words)];
    let page = hosts[1].serve_name(sandbox);
    let mut expected = Vec::new();
    for Row(host, what, remedy) in rows {
        expected.push((host.name.clone(), what, remedy));
        hosts.push(host);
    }
    let mut network = Network::start(sandbox, hosts);
    network.wait(&["well"]);
    network.wait_for_page("laptop", "well");
    for (name, what, remedy) in expected {
        let trouble = wait_for(&format!("the loss of {name}"), || {
            let host = network.host_status(&name);
            // A command whose output has ended, but which has not ended itself, has no reason yet.
            let is_over = host["troubles"].get(0)?["code"] != "closed";
            let lost = is_over && ["waiting", "refused"].contains(&host["state"].as_str()?);
            lost.then(|| host["reason"].as_str().unwrap().to_owned())
        });
        println!("{name}: {trouble}");
        assert!(trouble.contains(what), "{name}: {trouble}");
        assert!(trouble.contains(remedy), "{name}: {trouble}");
        assert!(!trouble.contains('\u{1b}'), "{name}: {trouble:?}");
    }
    // The failing hosts have not disturbed the others.
    network.assert_page("laptop", "well");
    drop(page);
    network
}
