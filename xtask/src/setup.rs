//! Brings a bare Debian or Ubuntu machine to where every chore runs. What is there already is left alone.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::run::{Failure, cargo, command, has, read, run, say, step, succeeds, target};

/// A program that must be on the path (or a file that must exist), and the package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("/usr/include/stdio.h", "libc6-dev"),
    ("python3", "python3"),
    ("file", "file"),
    ("curl", "curl"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("podman", "podman"),
    ("runc", "runc"),
    ("/bin/busybox", "busybox-static"),
    ("iperf3", "iperf3"),
    ("socat", "socat"),
    ("pgbench", "postgresql"),
    // Clients of the proxies and of DNS.
    ("nc", "netcat-openbsd"),
    ("ncat", "ncat"),
    ("proxychains4", "proxychains4"),
    ("/usr/lib/python3/dist-packages/socks.py", "python3-socks"),
    ("dig", "bind9-dnsutils"),
    ("kdig", "knot-dnsutils"),
    ("musl-gcc", "musl-tools"),
    ("wget", "wget"),
    ("git", "git"),
    ("pip3", "python3-pip"),
    ("npm", "npm"),
    // The desktop app: what it is built with, and a screen and a tray for its tests.
    (
        "/usr/include/webkitgtk-4.1/webkit2/webkit2.h",
        "libwebkit2gtk-4.1-dev",
    ),
    ("Xvfb", "xvfb"),
    ("xauth", "xauth"),
    ("dbus-run-session", "dbus"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("import", "imagemagick"),
    ("xdotool", "xdotool"),
    ("openbox", "openbox"),
];

/// Libraries that a program loads by itself, and the package that brings each.
const LIBRARIES: &[(&str, &str)] = &[(
    "libayatana-appindicator3.so.1",
    "libayatana-appindicator3-1",
)];

/// Browsers, each of which will do, and the package that brings one.
const BROWSERS: (&[&str], &str) = (&["chromium", "google-chrome"], "chromium");

/// The linker, pinned. Version 0.17 brings an allocator of its own in place of musl's, which writes zeros into fresh
/// memory: an idle flow then costs 1 MiB where it costs 17 KiB with this version.
const ZIG: &str = "0.15.2";
const ZIGBUILD: &str = "0.24.0";
const CARGO_DENY: &str = "0.20.2";
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// How the static binary is compiled on this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Musl {
    /// The chosen toolchain knows the target.
    Rustup,
    /// Debian's compiler and its sources, which fit each other, with zig as the linker.
    DebianAndZig,
}

/// Everything.
pub(crate) fn all() -> Result<(), Failure> {
    step("setup: system packages", packages)?;
    step("setup: a compiler for the static binary", || {
        musl().map(drop)
    })?;
    step("setup: cargo-deny", || deny().map(drop))
}

fn packages() -> Result<(), Failure> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !(has(program) || Path::new(program).is_file()))
        .map(|(_, package)| *package)
        .collect();
    let (browsers, package) = BROWSERS;
    if !browsers.iter().any(|browser| has(browser)) {
        missing.push(package);
    }
    let known = read(command("/sbin/ldconfig").arg("-p")).unwrap_or_default();
    let absent = LIBRARIES
        .iter()
        .filter(|(library, _)| !known.contains(library));
    missing.extend(absent.map(|(_, package)| *package));
    install(&missing)
}

/// Installs Debian packages, as root or through `sudo`; touches nothing where none is asked for.
fn install(packages: &[&str]) -> Result<(), Failure> {
    if packages.is_empty() {
        say("nothing is missing");
        return Ok(());
    }
    if !has("apt-get") {
        return Err(Failure::new(format!(
            "this machine has no apt-get; install these yourself: {}",
            packages.join(" ")
        )));
    }
    let apt = |arguments: &[&str]| {
        let mut apt = if root_user() {
            command("env")
        } else {
            command("sudo")
        };
        if !root_user() {
            apt.args(["-n", "env"]);
        }
        apt.args([
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-qq",
            "-o",
            "DPkg::Lock::Timeout=300",
        ]);
        apt.args(arguments);
        run(&mut apt)
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

/// Whether this process may do anything on this machine.
pub(crate) fn root_user() -> bool {
    read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Makes sure that the static target can be compiled, and says how.
pub(crate) fn musl() -> Result<Musl, Failure> {
    let installed = || {
        read(cargo_rustc().args(["--print", "target-libdir", "--target", MUSL]))
            .is_ok_and(|dir| Path::new(dir.trim()).is_dir())
    };
    if installed() {
        say("the toolchain has the target already");
        return Ok(Musl::Rustup);
    }
    let debian = ["rustc-web", "cargo-web", "rust-web-src"];
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
    if !(Path::new("/usr/bin/cargo").is_file() && source.is_dir()) {
        let known = has("apt-cache") && succeeds(command("apt-cache").arg("show").args(debian));
        if !known {
            say("the target is not installed; asking rustup for it");
            run(command("rustup").args(["target", "add", MUSL]))?;
            return if installed() {
                Ok(Musl::Rustup)
            } else {
                Err(Failure::new(format!(
                    "rustup says that it added {MUSL}, but it is not there"
                )))
            };
        }
        install(&debian)?;
    }
    let bin = tools().join("bin");
    let python = tools().join(format!("zig-{ZIG}"));
    if !(python.join("bin/cargo-zigbuild").is_file()
        && bin
            .join("zig")
            .canonicalize()
            .is_ok_and(|zig| zig.starts_with(&python)))
    {
        if !succeeds(command("python3").args(["-m", "pip", "--version"])) {
            install(&["python3-pip"])?;
        }
        run(command("python3")
            .args(["-m", "pip", "install", "-q", "--upgrade", "--target"])
            .arg(&python)
            .args([
                format!("ziglang=={ZIG}"),
                format!("cargo-zigbuild=={ZIGBUILD}"),
            ]))?;
        fs::create_dir_all(&bin)?;
        for (name, place) in [
            ("zig", "ziglang/zig"),
            ("cargo-zigbuild", "bin/cargo-zigbuild"),
        ] {
            let link = bin.join(name);
            if link.symlink_metadata().is_ok() {
                fs::remove_file(&link)?;
            }
            std::os::unix::fs::symlink(python.join(place), link)?;
        }
    }
    say("Debian's compiler with its own sources, zig as the linker");
    Ok(Musl::DebianAndZig)
}

/// The compiler that plain `cargo` would use.
fn cargo_rustc() -> std::process::Command {
    let mut rustc = command("rustc");
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    rustc
}

/// Where the pinned tools live: `bin` inside has them all.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Makes sure that cargo-deny is there, and says where.
pub(crate) fn deny() -> Result<PathBuf, Failure> {
    let place = tools().join("bin/cargo-deny");
    let right =
        read(command(&place).arg("--version")).is_ok_and(|version| version.contains(CARGO_DENY));
    if !right {
        let arguments =
            format!("install --locked --force --version {CARGO_DENY} cargo-deny --root");
        run(cargo(&arguments)
            .arg(tools())
            .env("CARGO_TARGET_DIR", target().join("deny")))?;
    }
    Ok(place)
}
