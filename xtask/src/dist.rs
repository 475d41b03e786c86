//! Builds the static binary: one file that runs on any `x86_64` Linux, even without a libc.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    agents,
    run::{Failure, cargo, command, read, root, run, say, step, target},
    setup::{self, MUSL, Musl},
};

/// The greatest size of the stripped binary, in bytes.
const MOST_BYTES: u64 = 10 << 20;

/// The path of the finished binary.
pub(crate) fn binary() -> PathBuf {
    target().join("dist/norouter")
}

/// The purpose for which a build is optimized.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// The program has to be fast and small.
    OfProgram,
    /// The build has to be fast.
    OfBuild,
}

/// Builds the binary and the agents beside it, as people get them.
pub(crate) fn build() -> Result<(), Failure> {
    program()?;
    agents::build()
}

/// Builds the binary as people get it, and those agents that the lab needs.
pub(crate) fn build_for_lab() -> Result<(), Failure> {
    program()?;
    agents::build_for_lab()
}

/// Builds the binary, and checks its size, its version, and that it is static.
fn program() -> Result<(), Failure> {
    step("dist: build", || {
        compile(&[MUSL], "norouter", "", Speed::OfProgram)?;
        fs::create_dir_all(target().join("dist"))?;
        fs::copy(compiled(MUSL, "norouter"), binary())?;
        Ok(())
    })?;
    step("dist: static, small, alone", prove)
}

/// Builds everything, and installs it below `~/.local`, or below the folder that is the argument of the chore.
pub(crate) fn install() -> Result<(), Failure> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".local"));
    let place = env::args_os().nth(2).map(PathBuf::from).or_else(home);
    let place = place.ok_or_else(|| Failure::new("HOME is not set; name a folder"))?;
    // A relative path means a folder below the person's current folder. Later commands run in the root of the
    // repository.
    let place = std::path::absolute(place)?;
    build()?;
    step("install", || {
        let agents = place.join("lib/norouter/agents");
        // An agent of an older build must not be sent.
        if agents.exists() {
            fs::remove_dir_all(&agents)?;
        }
        run(command("install")
            .arg("-D")
            .arg(binary())
            .arg(place.join("bin/norouter")))?;
        fs::create_dir_all(&agents)?;
        for entry in fs::read_dir(agents::folder())? {
            let entry = entry?;
            fs::copy(entry.path(), agents.join(entry.file_name()))?;
        }
        let bin = place.join("bin");
        let path = env::var_os("PATH").unwrap_or_default();
        if !env::split_paths(&path).any(|folder| folder == bin) {
            say(&format!("{} is not in your PATH yet", bin.display()));
        }
        Ok(())
    })
}

/// Compiles a static program for several targets at once. `words` has further options.
pub(crate) fn compile(
    triples: &[&str],
    name: &str,
    words: &str,
    speed: Speed,
) -> Result<(), Failure> {
    let mut ways: BTreeMap<Musl, String> = BTreeMap::new();
    for triple in triples {
        let targets = ways.entry(setup::musl(triple)?).or_default();
        targets.push_str(" --target ");
        targets.push_str(triple);
    }
    for (way, targets) in ways {
        let words = format!("--locked --release --bin {name}{words}{targets}");
        let mut build = match way {
            Musl::Rustup => cargo(&format!("build {words}")),
            Musl::RustupAndZig => {
                let mut build = zigbuild(&words)?;
                let path = env::var_os("PATH").unwrap_or_default();
                let own = [setup::tools().join("bin")];
                let path = env::join_paths(own.into_iter().chain(env::split_paths(&path)))
                    .map_err(|error| Failure::new(error.to_string()))?;
                build.env("PATH", path);
                build
            }
            Musl::DebianAndZig => {
                let mut build = zigbuild(&format!("{words} -Z build-std=std,panic_unwind"))?;
                let bin = setup::tools().join("bin");
                build
                    .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
                    .env("CARGO", "/usr/bin/cargo")
                    .env("RUSTC", "/usr/bin/rustc")
                    // Building std needs an unstable option. It is safe here, because the compiler and the source have
                    // the same version.
                    .env("RUSTC_BOOTSTRAP", "1");
                for triple in triples {
                    let triple = triple.to_uppercase().replace('-', "_");
                    // zig provides the start files and the unwinder, which Debian's compiler does not have.
                    build.env(
                        format!("CARGO_TARGET_{triple}_RUSTFLAGS"),
                        "-C link-self-contained=no -C link-arg=-pie",
                    );
                }
                build
            }
        };
        if speed == Speed::OfBuild {
            build
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        }
        run(build.env("CARGO_TARGET_DIR", musl_folder()))?;
    }
    Ok(())
}

/// The path of the static program with this name after [`compile`].
pub(crate) fn compiled(triple: &str, name: &str) -> PathBuf {
    musl_folder().join(triple).join("release").join(name)
}

/// The target folder is a separate one, because two compilers in one folder would invalidate each other's results.
fn musl_folder() -> PathBuf {
    target().join("musl")
}

fn zigbuild(words: &str) -> Result<Command, Failure> {
    let mut build = command(setup::zig()?.join("cargo-zigbuild"));
    build.arg("zigbuild").args(words.split(' '));
    Ok(build)
}

fn prove() -> Result<(), Failure> {
    let binary = binary();
    prove_static(&binary)?;
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
    prove_version(&version)
}

/// Fails unless a program needs no interpreter and no libraries.
pub(crate) fn prove_static(program: &Path) -> Result<(), Failure> {
    let kind = read(command("file").arg("-b").arg(program))?;
    say(kind.trim());
    if !kind.contains("static-pie linked") || kind.contains("interpreter") {
        return Err(Failure::new(format!(
            "{} is not a static, position independent executable",
            program.display()
        )));
    }
    Ok(())
}

/// Fails unless `told` is the right answer to `--version`.
pub(crate) fn prove_version(told: &str) -> Result<(), Failure> {
    let expected = version_of_the_package()?;
    if told.trim() != format!("norouter {expected}") {
        return Err(Failure::new(format!("expected `norouter {expected}`")));
    }
    Ok(())
}

/// The version in Cargo.toml.
pub(crate) fn version_of_the_package() -> Result<String, Failure> {
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
    build_for_lab()?;
    Ok(binary())
}
