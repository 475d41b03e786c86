//! Hosts that have only a shell. The manager puts an agent there through the pipe, whatever is installed or missing on
//! the host.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{
    network::{Host, Network, program, vip},
    sandbox::{Dropbear, Netns, Podman, Running, Sandbox, Sshd, command, ended, output, wait_for},
};

/// The words that enter a namespace, with only these variables in the environment.
pub(crate) fn clean(netns: &Netns, variables: &[&str]) -> Vec<String> {
    let mut words = netns.cmd("env".as_ref());
    words.push("-i".to_owned());
    words.extend(variables.iter().map(|&variable| variable.to_owned()));
    words
}

/// The same as [`clean`], after a script has changed the mounts of the host.
pub(crate) fn mounted(netns: &Netns, script: &str, variables: &[&str]) -> Vec<String> {
    let mut words = netns.cmd("unshare".as_ref());
    let script = format!("{script} && exec env -i \"$@\"");
    let own = ["--mount", "sh", "-c", &script, "sh"];
    words.extend(own.iter().chain(variables).map(|&word| word.to_owned()));
    words
}

/// A host for which the manifest names only the way to its shell.
pub(crate) fn host(name: &str, netns: Netns, words: &[String]) -> Host {
    let line = format!("shell: {}", serde_json::to_string(words).unwrap());
    Host::in_netns(name, netns)
        .line(&line)
        .ports(&["8080:127.0.0.1:8000"])
}

/// A folder with links that have these names. Each leads to the program of that name in `/usr/bin`, or all of them lead
/// to `program`.
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

/// The names of all agents and parts of agents in a folder.
fn kept(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).map_or_else(|_| Vec::new(), Iterator::collect);
    names
        .into_iter()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Asserts that a folder contains one agent whose name is the sum of its content, and nothing else.
#[track_caller]
pub(crate) fn assert_kept(folder: &Path) {
    let names = kept(folder.to_str().unwrap());
    assert_eq!(names.len(), 1, "{names:?}");
    let sum = output(command(&["sha256sum"]).arg(folder.join(&names[0])));
    assert_eq!(sum.split(' ').next(), Some(names[0].as_str()));
}

/// Asserts that all hosts of a network get an agent, and serve a page through it.
#[track_caller]
pub(crate) fn assert_all_serve(sandbox: &Sandbox, hosts: Vec<Host>) -> (Network, Vec<Running>) {
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
    add("debian", &|netns| clean(netns, &[usual, &home("debian")]));
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
            "mount -t tmpfs none /dev/shm && mount -o remount,ro,bind / && mount -t tmpfs -o ro none /tmp && \
             mount -t tmpfs -o ro none /run",
            &[usual, "HOME=/nonexistent"],
        )
    });
    let work = sandbox.path("work");
    fs::create_dir_all(&work).unwrap();
    let noexec =
        "for d in /dev/shm /var/tmp /tmp; do mount -t tmpfs -o noexec none $d || exit; done";
    // The new mount of /tmp hides the working folder, which can still be used because the shell is in it.
    add("tmp-noexec", &|netns| {
        let script = format!("cd {} && {noexec}", work.display());
        mounted(netns, &script, &[usual, "HOME=/dev/shm"])
    });
    // Hosts on one machine share these folders. Without mounts of their own, they would find each other's agents there.
    let own = "mount -t tmpfs -o mode=1777 none /dev/shm";
    add("no-home", &|netns| mounted(netns, own, &[usual]));
    add("not-root", &|netns| {
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
    for name in ["debian", "toybox-home", "bare-home"] {
        assert_kept(&sandbox.path(name).join(".cache/norouter"));
    }
    assert_kept(&work.join(".norouter"));
    let read_only = network.host_status("read-only");
    assert_eq!(
        read_only["troubles"],
        serde_json::json!([]),
        "nothing is lost by a root that is read-only"
    );
}

#[test]
fn a_host_may_lack_any_of_the_tools() {
    const ALL: [&str; 14] = [
        "sh",
        "mkdir",
        "rmdir",
        "chmod",
        "rm",
        "mv",
        "head",
        "dd",
        "wc",
        "gzip",
        "sha256sum",
        "uname",
        "id",
        "printf",
    ];
    let sandbox = Sandbox::new();
    let mut hosts = vec![Host::laptop()];
    for (name, lacks, shell) in [
        ("no-uname", &["uname"][..], "dash"),
        ("no-sha256sum", &["sha256sum"], "dash"),
        ("no-head", &["head"], "dash"),
        ("no-gzip", &["gzip"], "dash"),
        ("no-printf", &["printf"], "mksh"),
        ("only-printf", &["head", "dd"], "bash"),
    ] {
        let rest: Vec<&str> = ALL
            .into_iter()
            .filter(|tool| !lacks.contains(tool))
            .collect();
        let path = tools(&sandbox, name, None, &rest[1..]);
        symlink(format!("/usr/bin/{shell}"), sandbox.path(name).join("sh")).unwrap();
        let netns = Netns::new();
        let home = format!("HOME={}", sandbox.path(&format!("{name}-home")).display());
        let words = clean(&netns, &[&path, &home]);
        hosts.push(host(name, netns, &words));
    }
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    for host in &network.hosts[1..] {
        let home = sandbox.path(&format!("{}-home", host.name));
        assert_kept(&home.join(".cache/norouter"));
    }
}

/// An ssh server that runs this line of `sh` for each command of a client. The user has a home folder of its own.
pub(crate) fn forced(sandbox: &Sandbox, netns: &Netns, name: &str, line: &str) -> Sshd {
    let home = sandbox.path(&format!("home-{name}"));
    fs::create_dir_all(&home).unwrap();
    let lines = format!("ForceCommand {line}\nSetEnv HOME={}\n", home.display());
    Sshd::administrated(sandbox, netns, "", &lines)
}

#[test]
fn the_login_shell_may_be_any() {
    let sandbox = Sandbox::new();
    let (mut hosts, mut servers) = (vec![Host::laptop()], Vec::new());
    for login in ["fish", "tcsh", "csh", "bash", "dash", "rbash"] {
        let netns = Netns::new();
        let line = format!("exec {login} -c \"$SSH_ORIGINAL_COMMAND\"");
        let server = forced(&sandbox, &netns, login, &line);
        hosts.push(host(&format!("login-{login}"), netns, &server.ssh()));
        servers.push(server);
    }
    assert_all_serve(&sandbox, hosts);
}

#[test]
fn start_up_files_may_read_the_input_or_start_another_shell() {
    let sandbox = Sandbox::new();
    let (mut hosts, mut servers) = (vec![Host::laptop()], Vec::new());
    let rows = [
        (
            "asks-twice",
            "read a; read b; exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
        ),
        (
            "takes-all",
            "timeout 2 cat >/dev/null; exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
        ),
        ("starts-dash", "exec dash"),
        ("starts-bash", "exec bash"),
    ];
    for (name, line) in rows {
        let netns = Netns::new();
        let server = forced(&sandbox, &netns, name, line);
        hosts.push(host(name, netns, &server.ssh()));
        servers.push(server);
    }
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    for (name, is_told) in [
        ("asks-twice", false),
        ("takes-all", true),
        ("starts-dash", true),
        ("starts-bash", true),
    ] {
        let log = output(&mut network.norouter(&["logs", name]));
        assert_eq!(
            log.contains("has taken the first line"),
            is_told,
            "{name}: {log}"
        );
    }
}

#[test]
fn the_shells_that_servers_jumps_and_containers_lead_to_are_enough() {
    let sandbox = Sandbox::new();
    let mut hosts = vec![Host::laptop()];

    let netns = Netns::new();
    let banner = Sshd::with_banner(&sandbox, &netns, "Welcome to the machine.\n");
    hosts.push(host("banner", netns, &banner.ssh()));

    let netns = Netns::new();
    let dropbear = Dropbear::start(&sandbox, &netns);
    hosts.push(host("dropbear", netns, &dropbear.ssh()));

    let (gate, inner) = (Netns::new(), Netns::new());
    gate.lay_cable("10.6.0.1/24", &inner, "10.6.0.2/24");
    let bastion = Sshd::in_netns(&sandbox, &gate);
    let target = forced(
        &sandbox,
        &inner,
        "jump",
        "exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
    );
    let read = |server: &Sshd| fs::read_to_string(server.client_config()).unwrap();
    let behind = read(&target).replace("HostName 127.0.0.1", "HostName 10.6.0.2");
    let behind = behind
        .lines()
        .filter(|line| !line.starts_with("ProxyCommand"));
    let behind: Vec<&str> = behind.collect();
    let config = sandbox.write(
        "jump",
        format!(
            "{}\n{}\n",
            read(&bastion).replace("Host host", "Host bastion"),
            behind.join("\n")
        ),
    );
    let words = [
        "ssh",
        "-F",
        config.to_str().unwrap(),
        "-J",
        "bastion",
        "host",
    ];
    hosts.push(host("jump", inner, &words.map(str::to_owned)));

    let podman = Podman::new(&sandbox);
    let image = podman.busybox_image("only-busybox", &[]);
    let container = podman.start(&image);
    output(&mut container.command(&["/bin/busybox", "--install", "-s", "/bin"]));
    let mut words = container.cmd("".as_ref());
    words.pop();
    let line = format!("shell: {}", serde_json::to_string(&words).unwrap());
    hosts.push(
        Host::in_container("podman-busybox", container)
            .entered_by(Vec::new())
            .line(&line)
            .ports(&["8080:127.0.0.1:8000"]),
    );
    assert_all_serve(&sandbox, hosts);
}

#[test]
fn a_program_of_another_processor_in_a_shared_home_is_not_taken_for_a_script() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let (home, owned) = (sandbox.path("far"), sandbox.path("owned"));
    let folder = home.join(".cache/norouter");
    let sum = "f".repeat(64);
    let mut foreign = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0\n".to_vec();
    foreign.extend(format!("touch {}\necho norouter 9\n", owned.display()).bytes());
    let agent = sandbox.write(&format!("far/.cache/norouter/{sum}"), foreign);
    output(command(&["chmod", "-R", "700"]).arg(&home));
    program(&sandbox);
    sandbox.write(&format!("agents/linux-aarch64-{sum}.gz"), "");
    let home = format!("HOME={}", home.display());
    // The shell of busybox would run such a file as a script.
    let path = tools(
        &sandbox,
        "busybox",
        Some("/bin/busybox"),
        &[
            "sh",
            "mkdir",
            "rmdir",
            "chmod",
            "rm",
            "mv",
            "head",
            "dd",
            "wc",
            "gzip",
            "sha256sum",
            "uname",
            "id",
            "touch",
        ],
    );
    let words = clean(&netns, &[&path, &home]);
    let tried = ended(netns.command(&["busybox", "sh", "-c"]).arg(&agent));
    assert!(owned.exists(), "{tried:?}");
    fs::remove_file(&owned).unwrap();
    let hosts = vec![Host::laptop(), host("far", netns, &words)];
    assert_all_serve(&sandbox, hosts);
    assert!(!owned.exists(), "it was run");
    assert_eq!(kept(folder.to_str().unwrap()).len(), 2);
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
         python3 -c 'import sys,os\ni=0\nwhile True:\n b=os.read(0,65536)\n if not b: break\n if i<700000<=i+len(b): b=bytearray(b); b[700000-i]^=1\n i+=len(b); os.write(1,bytes(b))' | \"$@\"\n",
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
    assert_kept(&folder);
}

/// Passes its input on to a command. Before the line that prepares the shell for an agent is whole, another part of that
/// agent is put into the folder, as a shell of an earlier connection could do.
const SHARES: &str = "import os, re, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, bufsize=0)
seen = b''
while data := os.read(0, 65536):
    seen = (seen + data)[-99999:]
    if found := re.search(rb'a=(\\w{64}); p=\\$w/\\$a([.\\w]+\\.part);', seen):
        name = (found[1] + found[2]).decode()
        open(os.path.join(sys.argv[1], name), 'w').write('not of this agent')
        seen = b''
    while data: data = data[child.stdin.write(data):]
child.stdin.close()
sys.exit(child.wait())
";

#[test]
fn a_part_that_appears_after_the_first_look_is_not_mixed_with_the_agent() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let folder = sandbox.path("far/.cache/norouter");
    let home = format!("HOME={}", sandbox.path("far").display());
    let shim = sandbox.write("shares.py", SHARES);
    let mut words = ["python3".to_owned(), shim.display().to_string()].to_vec();
    words.push(folder.display().to_string());
    words.extend(clean(&netns, &["PATH=/usr/bin:/bin", &home]));
    let hosts = vec![Host::laptop(), host("far", netns, &words)];
    let (network, _services) = assert_all_serve(&sandbox, hosts);
    let log = output(&mut network.norouter(&["logs"]));
    assert_eq!(log.matches("was sent an agent").count(), 1, "{log}");
    let mut names = kept(folder.to_str().unwrap());
    names.sort();
    let [agent, part] = &names[..] else {
        panic!("{names:?}")
    };
    let part = fs::read_to_string(folder.join(part)).unwrap();
    assert_eq!(part, "not of this agent");
    let sum = output(command(&["sha256sum"]).arg(folder.join(agent)));
    assert_eq!(sum.split(' ').next(), Some(agent.as_str()));
}

/// Runs a command in a terminal, and types a word when it asks for a password.
const TYPES: &str = "import os, pty, sys
child, terminal = pty.fork()
if not child: os.execvp(sys.argv[2], sys.argv[2:])
shown = b''
typed = False
while True:
    try: data = os.read(terminal, 4096)
    except OSError: break
    shown += data
    if b'password:' in shown and not typed:
        typed = os.write(terminal, sys.argv[1].encode() + b'\\n')
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

#[test]
fn agents_are_removed_from_a_host_whose_password_is_typed_in_the_terminal() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let hash = output(&mut command(&["openssl", "passwd", "-6", "tea"]));
    let line = format!("root:{}:19000:0:99999:7:::\n", hash.trim());
    netns.etc("shadow", &line);
    let line = "exec sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let server = forced(&sandbox, &netns, "far", line);
    let mut words = server.asking_cmd(
        &program(&sandbox),
        "PreferredAuthentications password\nNumberOfPasswordPrompts 1\n",
    );
    words.pop();
    let name = "home-far/.cache/norouter/".to_owned() + &"a".repeat(64);
    let agent = sandbox.write(&name, "");
    let manifest = format!(
        "hosts: {{laptop: {{}}, far: {{shell: {}}}}}\n",
        serde_json::to_string(&words).unwrap()
    );
    let manifest = sandbox.write("network.yaml", manifest);
    let clean = ["clean", "far", "--file", manifest.to_str().unwrap()];
    // Without a terminal, nobody can type the password.
    let refused = ended(&mut Network::ask(&sandbox, &clean));
    assert!(refused.err.contains("Permission denied"), "{refused:?}");
    assert!(agent.exists());
    let program = program(&sandbox);
    let mut typed = command(&["python3", "-c", TYPES, "tea"]);
    let done = ended(typed.arg(program).args(clean));
    assert!(done.out.contains("far: removed 1 file"), "{done:?}");
    assert!(!agent.exists());
}
