//! Hosts that are sent an agent made for their processor, which need not be that of the manager's machine.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::{
    network::{Host, Network, program_alone, vip},
    sandbox::{Netns, Sandbox, output, static_norouter, wait_for},
};

/// The entry for programs for aarch64 in the kernel's list (`binfmt_misc`): the beginning of such a file, and its mask.
const AARCH64: &str = r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:";

/// The folder with the agents that were built with the program.
fn built() -> PathBuf {
    static_norouter().parent().unwrap().join("agents")
}

/// The SHA-256 of the agent for a processor.
#[track_caller]
fn sum(processor: &str) -> String {
    let names = fs::read_dir(built()).map_or_else(|_| Vec::new(), Iterator::collect);
    let mut names = names
        .into_iter()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let name = names.find(|name| name.starts_with(&format!("linux-{processor}-")));
    let folder = built();
    let name = name.unwrap_or_else(|| {
        panic!(
            "{} has no agent for {processor}: run `cargo xtask dist`",
            folder.display()
        )
    });
    let sum = name.trim_end_matches(".gz").rsplit('-').next();
    sum.unwrap().to_owned()
}

/// A root folder in which every program is for aarch64.
fn root(sandbox: &Sandbox) -> PathBuf {
    let shell = env::var_os("NOROUTER_LAB_AARCH64").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/aarch64/bin/busybox"),
        PathBuf::from,
    );
    let root = sandbox.path("aarch64");
    for folder in ["bin", "dev", "home", "proc", "tmp"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("dev/null"), "").unwrap();
    fs::copy(&shell, root.join("bin/busybox"))
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask setup`", shell.display()));
    for name in [
        "sh",
        "chmod",
        "dd",
        "env",
        "gzip",
        "head",
        "id",
        "mkdir",
        "mv",
        "rm",
        "sha256sum",
        "uname",
        "wc",
    ] {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    root
}

/// The command that enters the root folder. It creates a user namespace with a list of its own, by which the kernel
/// runs the programs there with qemu. The list of the machine does not change.
fn emulated(netns: &Netns, sandbox: &Sandbox) -> Vec<String> {
    let root = root(sandbox);
    let list = sandbox.path("binfmt");
    fs::create_dir_all(&list).unwrap();
    // qemu is opened when it is registered (F), because the root folder does not have it. It keeps the first word of a
    // command (P), because busybox chooses its program by that word.
    let kind = format!("{AARCH64}/usr/bin/qemu-aarch64-static:POCF");
    let (root, list) = (root.display(), list.display());
    let script = format!(
        "mount -t binfmt_misc none {list} && printf %s '{kind}' >{list}/register && \
         mount --bind /dev/null {root}/dev/null && mount --rbind /proc {root}/proc && \
         exec chroot {root} /bin/env -i PATH=/bin HOME=/home \"$@\""
    );
    let mut words = netns.cmd("unshare".as_ref());
    let own = [
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        "sh",
    ];
    words.extend(own.map(str::to_owned));
    words
}

fn plain(netns: &Netns, home: &Path) -> Vec<String> {
    fs::create_dir_all(home).unwrap();
    let mut words = netns.cmd("env".as_ref());
    let own = ["-i", "PATH=/usr/bin:/bin"].map(str::to_owned);
    words.extend(own);
    words.push(format!("HOME={}", home.display()));
    words
}

fn host(name: &str, netns: Netns, words: &[String]) -> Host {
    Host::in_netns(name, netns)
        .line(&format!("shell: {}", serde_json::to_string(words).unwrap()))
        .line("http: {listen: \"127.0.0.1:18080\"}")
        .ports(&["8080:127.0.0.1:8000"])
}

/// The only file in a folder.
#[track_caller]
fn only(folder: &Path) -> String {
    let names: Vec<_> = fs::read_dir(folder).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let name = names[0].as_ref().unwrap().file_name();
    name.into_string().unwrap()
}

#[test]
fn a_host_gets_the_agent_for_its_processor() {
    let sandbox = Sandbox::new();
    let (netns, home) = (Netns::new(), sandbox.path("near"));
    let words = plain(&netns, &home);
    let near = host("near", netns, &words);
    let netns = Netns::new();
    let words = emulated(&netns, &sandbox);
    let far = host("far", netns, &words);
    let hosts = vec![Host::laptop(), near, far];
    let _services: Vec<_> = hosts[1..]
        .iter()
        .map(|host| host.serve_name(&sandbox))
        .collect();
    let network = Network::start(&sandbox, hosts);
    network.wait(&["near", "far"]);

    let kept = home.join(".cache/norouter");
    assert_eq!(only(&kept), sum(env::consts::ARCH));
    let kept = sandbox.path("aarch64/home/.cache/norouter");
    assert_eq!(only(&kept), sum("aarch64"));

    let [laptop, near, far] = &network.hosts[..] else {
        panic!("three hosts")
    };
    for (from, to, page) in [(laptop, 3, "far"), (near, 3, "far"), (far, 2, "near")] {
        let fetched = wait_for("a page", || from.fetch(&vip(to), 8080).ok());
        assert_eq!(fetched, page, "by its address");
        if from.name != "laptop" {
            let url = format!("http://{page}:8080/");
            let fetched = from.curl(&["-x", "http://127.0.0.1:18080", &url]);
            assert_eq!(fetched.out.trim(), page, "by its name: {}", fetched.err);
        }
    }
    let version = output(&mut network.norouter(&["--version"]));
    let status = network.host_status("far");
    assert_eq!(
        status["version"]
            .as_str()
            .map(|it| format!("norouter {it}")),
        Some(version.trim().to_owned()),
        "{status}"
    );
}

#[test]
fn a_host_without_an_agent_for_its_processor_has_a_reason_and_a_next_step() {
    let sandbox = Sandbox::new();
    // Without the folder of agents, the program can send only itself.
    program_alone(&sandbox);
    let netns = Netns::new();
    let words = emulated(&netns, &sandbox);
    let far = host("far", netns, &words);
    let network = Network::start(&sandbox, vec![Host::laptop(), far]);
    network.wait_until_it_answers();
    let trouble = wait_for("the reason", || {
        let host = network.host_status("far");
        let trouble = &host["troubles"][0];
        (!trouble.is_null()).then(|| trouble.to_string())
    });
    for part in ["linux-aarch64", "cargo xtask agents"] {
        assert!(trouble.contains(part), "{trouble}");
    }
    let kept = sandbox.path("aarch64/home/.cache/norouter");
    assert_eq!(fs::read_dir(kept).unwrap().count(), 0);
}
