//! Hosts that have only a shell: the manager puts an agent there through the pipe, whatever the host has and lacks.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use crate::{
    network::{Host, Network, vip},
    sandbox::{Netns, Podman, Running, Sandbox, Sshd, command, output, static_norouter, wait_for},
};

/// The words that enter a namespace with an environment that has only these variables.
fn clean(netns: &Netns, variables: &[&str]) -> Vec<String> {
    let mut words = netns.cmd("env".as_ref());
    words.push("-i".to_owned());
    words.extend(variables.iter().map(|&variable| variable.to_owned()));
    words
}

/// The same, after a script has changed the mounts of the host.
fn mounted(netns: &Netns, script: &str, variables: &[&str]) -> Vec<String> {
    let mut words = netns.cmd("unshare".as_ref());
    let script = format!("{script} && exec env -i \"$@\"");
    let own = ["--mount", "sh", "-c", &script, "sh"];
    words.extend(own.iter().chain(variables).map(|&word| word.to_owned()));
    words
}

/// A host whose manifest names only the way to its shell.
fn host(name: &str, netns: Netns, words: &[String]) -> Host {
    let line = format!("shell: {}", serde_json::to_string(words).unwrap());
    Host::in_netns(name, netns)
        .line(&line)
        .ports(&["8080:127.0.0.1:8000"])
}

/// A folder with links to these programs of `/bin` or `/usr/bin`, or of one program that has several.
fn tools(sandbox: &Sandbox, name: &str, program: Option<&str>, names: &[&str]) -> String {
    let folder = sandbox.path(name);
    fs::create_dir_all(&folder).unwrap();
    for name in names {
        let target =
            program.map_or_else(|| PathBuf::from(format!("/usr/bin/{name}")), PathBuf::from);
        symlink(target, folder.join(name)).unwrap();
    }
    format!("PATH={}", folder.display())
}

/// Everything that an agent and its parts are called in a folder.
fn kept(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).map_or_else(|_| Vec::new(), Iterator::collect);
    names
        .into_iter()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn sum() -> String {
    let sum = output(command(&["sha256sum"]).arg(static_norouter()));
    sum.split(' ').next().unwrap().to_owned()
}

/// All hosts of a network get an agent, and serve a page through it.
#[track_caller]
fn assert_all_serve(sandbox: &Sandbox, hosts: Vec<Host>) -> (Network, Vec<Running>) {
    let services: Vec<_> = hosts[1..]
        .iter()
        .map(|host| host.serve_name(sandbox))
        .collect();
    let network = Network::start(sandbox, hosts);
    let names: Vec<_> = network.hosts[1..]
        .iter()
        .map(|host| host.name.as_str())
        .collect();
    network.wait(&names);
    for (number, name) in (2..).zip(names) {
        let page = wait_for("a page", || network.laptop().fetch(&vip(number), 8080).ok());
        assert_eq!(page, name);
    }
    (network, services)
}

#[test]
fn a_host_needs_nothing_but_a_shell() {
    let sandbox = Sandbox::new();
    let home = |name: &str| {
        let home = sandbox.path(name);
        fs::create_dir_all(&home).unwrap();
        format!("HOME={}", home.display())
    };
    let usual = "PATH=/usr/bin:/bin";
    let mut hosts = vec![Host::laptop()];
    let mut add = |name: &str, words: &dyn Fn(&Netns) -> Vec<String>| {
        let netns = Netns::new();
        let words = words(&netns);
        hosts.push(host(name, netns, &words));
    };
    add("plain", &|netns| clean(netns, &[usual, &home("plain")]));
    let toybox = tools(
        &sandbox,
        "toybox",
        Some("/usr/bin/toybox"),
        &[
            "mkdir",
            "chmod",
            "rm",
            "mv",
            "head",
            "wc",
            "sha256sum",
            "uname",
            "printf",
            "id",
        ],
    );
    symlink("/usr/bin/mksh", sandbox.path("toybox/sh")).unwrap();
    add("toybox", &|netns| {
        clean(netns, &[&toybox, &home("toybox-home")])
    });
    let bare = tools(
        &sandbox,
        "bare",
        None,
        &["sh", "mkdir", "chmod", "rm", "mv", "head"],
    );
    add("bare", &|netns| clean(netns, &[&bare, &home("bare-home")]));
    add("read-only", &|netns| {
        mounted(
            netns,
            "mount -t tmpfs none /dev/shm && mount -o remount,ro,bind /",
            &[usual, "HOME=/nonexistent", "XDG_RUNTIME_DIR=/dev/shm"],
        )
    });
    let work = sandbox.path("work");
    fs::create_dir_all(&work).unwrap();
    let noexec =
        "for d in /dev/shm /var/tmp /tmp; do mount -t tmpfs -o noexec none $d || exit; done";
    add("noexec", &|netns| {
        // The working folder is below the new mount of /tmp, and stays open.
        let script = format!("cd {} && {noexec}", work.display());
        mounted(netns, &script, &[usual, "HOME=/dev/shm"])
    });
    // Hosts of one machine share these folders, and would find each other's agents there.
    let own = "mount -t tmpfs -o mode=1777 none /dev/shm";
    add("homeless", &|netns| mounted(netns, own, &[usual]));
    add("nobody", &|netns| {
        let user = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        let mut words = netns.cmd("unshare".as_ref());
        let script = format!("{own} && exec {user} env -i \"$@\"");
        let own = [
            "--mount",
            "sh",
            "-c",
            &script,
            "sh",
            usual,
            "HOME=/nonexistent",
        ];
        words.extend(own.map(str::to_owned));
        words
    });
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    let log = output(&mut network.norouter(&["logs"]));
    let sent = log
        .lines()
        .filter(|line| line.contains("was sent an agent"));
    assert_eq!(sent.count(), network.hosts.len() - 1, "{log}");
    for name in ["plain", "toybox-home", "bare-home"] {
        let folder = sandbox.path(name).join(".cache/norouter");
        assert_eq!(kept(folder.to_str().unwrap()), [sum()], "{name}");
    }
    assert_eq!(kept(work.join(".norouter").to_str().unwrap()), [sum()]);
}

#[test]
fn the_shells_that_ssh_and_podman_lead_to_are_enough() {
    let sandbox = Sandbox::new();
    let mut hosts = vec![Host::laptop()];
    let mut servers = Vec::new();
    let mut add = |name: &str, server: Sshd, netns: Netns| {
        hosts.push(host(name, netns, &server.ssh()));
        servers.push(server);
    };
    for login in ["fish", "tcsh", "bash"] {
        let netns = Netns::new();
        let force = format!(
            "ForceCommand exec {login} -c \"$SSH_ORIGINAL_COMMAND\"\nSetEnv HOME={}\n",
            {
                let home = sandbox.path(&format!("home-{login}"));
                fs::create_dir_all(&home).unwrap();
                home.display().to_string()
            }
        );
        let server = Sshd::administrated(&sandbox, &netns, "", &force);
        add(login, server, netns);
    }
    let netns = Netns::new();
    let server = Sshd::with_banner(&sandbox, &netns, "Welcome to the machine.\n");
    add("banner", server, netns);
    let podman = Podman::new(&sandbox);
    let image = podman.busybox_image("only-busybox", &[]);
    let container = podman.start(&image);
    output(&mut container.command(&["/bin/busybox", "--install", "-s", "/bin"]));
    let mut words = container.cmd("".as_ref());
    words.pop();
    let line = format!("shell: {}", serde_json::to_string(&words).unwrap());
    hosts.push(
        Host::in_container("busybox", container)
            .entered_by(Vec::new())
            .line(&line)
            .ports(&["8080:127.0.0.1:8000"]),
    );
    let (_network, _services) = assert_all_serve(&sandbox, hosts);
}

#[test]
fn an_agent_that_is_there_is_run_without_being_sent_again() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let home = sandbox.path("far");
    fs::create_dir_all(&home).unwrap();
    let words = clean(
        &netns,
        &["PATH=/usr/bin:/bin", &format!("HOME={}", home.display())],
    );
    let hosts = vec![Host::laptop(), host("far", netns, &words)];
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    let log = || output(&mut network.norouter(&["logs"]));
    assert_eq!(log().matches("was sent an agent").count(), 1, "{}", log());
    output(&mut network.norouter(&["restart", "far"]));
    wait_for("a second answer of the shell", || {
        (log().matches("has a shell").count() == 2).then_some(())
    });
    network.wait(&["far"]);
    assert_eq!(log().matches("was sent an agent").count(), 1, "{}", log());
}

#[test]
fn a_file_that_somebody_has_changed_is_never_run() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let home = sandbox.path("far");
    let folder = home.join(".cache/norouter");
    fs::create_dir_all(&folder).unwrap();
    let words = clean(
        &netns,
        &["PATH=/usr/bin:/bin", &format!("HOME={}", home.display())],
    );
    let shim = sandbox.write_program(
        "changes",
        "#!/bin/sh\nf=$1; shift\nif [ -e \"$f\" ]; then exec \"$@\"; fi\n: >\"$f\"\n\
         python3 -c 'import sys,os\ni=0\nwhile True:\n b=os.read(0,65536)\n if not b: break\n if i<2000000<=i+len(b): b=bytearray(b); b[2000000-i]^=1\n i+=len(b); os.write(1,bytes(b))' | \"$@\"\n",
    );
    let mut all = vec![
        shim.to_str().unwrap().to_owned(),
        sandbox.path("once").display().to_string(),
    ];
    all.extend(words);
    let hosts = vec![Host::laptop(), host("far", netns, &all)];
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    let log = output(&mut network.norouter(&["logs"]));
    assert!(
        log.contains("the agent was changed on its way there"),
        "{log}"
    );
    assert_eq!(log.matches("was sent an agent").count(), 2, "{log}");
    assert_eq!(kept(folder.to_str().unwrap()), [sum()]);
}
