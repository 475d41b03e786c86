//! Builds the static binary: one file that runs on any `x86_64` Linux, even without a libc.

use std::{env, fs, path::PathBuf};

use crate::{
    run::{Failure, cargo, command, read, root, run, say, step, target},
    setup::{self, MUSL, Musl},
};

/// The greatest size of the stripped binary, in bytes.
const MOST_BYTES: u64 = (8 << 20) + (3 << 18);

/// The path of the finished binary.
pub(crate) fn binary() -> PathBuf {
    target().join("dist/norouter")
}

/// Builds the binary, and checks its size, its version, and that it is static.
pub(crate) fn build() -> Result<(), Failure> {
    step("dist: build", compile)?;
    step("dist: static, small, alone", prove)
}

fn compile() -> Result<(), Failure> {
    // A separate target folder, so that two compilers do not invalidate each other's results.
    let folder = target().join("musl");
    match setup::musl()? {
        Musl::Rustup => {
            let build = format!("build --locked --release --bin norouter --target {MUSL}");
            run(cargo(&build).env("CARGO_TARGET_DIR", &folder))?;
        }
        Musl::DebianAndZig => {
            let bin = setup::tools().join("bin");
            let build =
                "zigbuild --locked --release --bin norouter -Z build-std=std,panic_unwind --target";
            run(command(bin.join("cargo-zigbuild"))
                .args(build.split(' '))
                .arg(MUSL)
                .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
                .env("CARGO", "/usr/bin/cargo")
                .env("RUSTC", "/usr/bin/rustc")
                // Building std needs an unstable option. It is safe here, because the compiler and the source have the
                // same version.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_DIR", &folder)
                // zig provides the start files and the unwinder, which Debian's compiler does not have.
                .env(
                    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS",
                    "-C link-self-contained=no -C link-arg=-pie",
                ))?;
        }
    }
    fs::create_dir_all(target().join("dist"))?;
    fs::copy(folder.join(MUSL).join("release/norouter"), binary())?;
    Ok(())
}

fn prove() -> Result<(), Failure> {
    let binary = binary();
    let kind = read(command("file").arg("-b").arg(&binary))?;
    say(kind.trim());
    if !kind.contains("static-pie linked") || kind.contains("interpreter") {
        return Err(Failure::new(
            "the binary is not a static, position independent executable",
        ));
    }
    let bytes = fs::metadata(&binary)?.len();
    say(&format!("{bytes} bytes of at most {MOST_BYTES}"));
    if bytes > MOST_BYTES {
        return Err(Failure::new(format!(
            "the binary has {bytes} bytes; the budget is {MOST_BYTES}"
        )));
    }
    if !setup::root_user() {
        say("not root: the empty root is left to a machine that allows it");
        return Ok(());
    }
    let empty = target().join("empty-root");
    if empty.exists() {
        fs::remove_dir_all(&empty)?;
    }
    fs::create_dir_all(&empty)?;
    fs::copy(&binary, empty.join("norouter"))?;
    let version = read(
        command("chroot")
            .arg(&empty)
            .args(["/norouter", "--version"]),
    )?;
    say(&format!("in an empty root: {}", version.trim()));
    let expected = version_of_the_package()?;
    if version.trim() != format!("norouter {expected}") {
        return Err(Failure::new(format!("expected `norouter {expected}`")));
    }
    Ok(())
}

/// The version in Cargo.toml.
fn version_of_the_package() -> Result<String, Failure> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("Cargo.toml has no version line"))
}

/// The environment variable with the path of the binary that the lab and the benchmark test.
pub(crate) const BINARY: &str = "NOROUTER_BINARY";

/// Builds the binary, unless [`BINARY`] names another one.
pub(crate) fn binary_to_try() -> Result<PathBuf, Failure> {
    if let Some(binary) = env::var_os(BINARY) {
        return Ok(root().join(binary));
    }
    build()?;
    Ok(binary())
}
