//! Runs the tests and measurements that need a running program.

use std::{env, ffi::OsString, path::Path};

use crate::{
    dist,
    run::{Failure, cargo, run, step},
    setup,
};

/// Runs the default tests, which need neither root nor other programs.
pub(crate) fn tests() -> Result<(), Failure> {
    step("tests", || run(&mut cargo("test --locked")))?;
    // The README runs the program in this way.
    step("the program by cargo run", || {
        run(&mut cargo("run --locked -- --version"))
    })
}

/// Builds the static binary, and runs the tests on real hosts with it.
pub(crate) fn lab() -> Result<(), Failure> {
    if !setup::root_user() {
        return Err(Failure::new(
            "the lab makes network namespaces and containers: run it as root, on a machine made for that",
        ));
    }
    dist::binary_to_try()?;
    run_lab()
}

/// Runs the tests on real hosts with the static binary.
pub(crate) fn run_lab() -> Result<(), Failure> {
    step("lab", || {
        let binary = std::env::var_os(dist::BINARY).unwrap_or_else(|| dist::binary().into());
        let path = path_with(&setup::kubectl()?)?;
        run(
            cargo("test --locked --test lab -- --test-threads=2 --skip hostile:: --skip shell_speed:: --skip rollouts::")
                .env(dist::BINARY, &binary)
                .env("NOROUTER_LAB_AARCH64", setup::foreign_shell())
                .env("PATH", &path),
        )?;
        // These tests measure times, so no other tests may run at the same time.
        run(
            cargo("test --locked --test lab -- --test-threads=1 --nocapture shell_speed:: rollouts:: hostile::")
                .env(dist::BINARY, binary)
                .env("PATH", path),
        )
    })
}

/// The `PATH` with this folder before all others.
fn path_with(folder: &Path) -> Result<OsString, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [folder.to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    env::join_paths(path).map_err(|error| Failure::new(error.to_string()))
}

/// How long the soak test runs by default, in minutes.
const SOAK: u64 = 20;

/// Builds the static binary, and runs the soak test. The argument after the chore's name is its length in minutes.
pub(crate) fn soak() -> Result<(), Failure> {
    let minutes = match std::env::args().nth(2) {
        None => SOAK,
        Some(word) => word
            .parse()
            .map_err(|_| Failure::new(format!("{word:?} is not a number of minutes")))?,
    };
    let binary = dist::binary_to_try()?;
    step("soak", || {
        run(cargo("test --locked --test lab -- --nocapture soak::")
            .env(dist::BINARY, binary)
            .env("NOROUTER_LAB_SOAK", (minutes * 60).to_string()))
    })
}

/// How long each attack lasts by default, in seconds.
const ATTACK: u64 = 120;

/// Builds the static binary, and runs the attacks of hostile hosts. The argument after the chore's name says how many
/// seconds each attack lasts.
pub(crate) fn hostile() -> Result<(), Failure> {
    let seconds = match std::env::args().nth(2) {
        None => ATTACK,
        Some(word) => word
            .parse()
            .map_err(|_| Failure::new(format!("{word:?} is not a number of seconds")))?,
    };
    let binary = dist::binary_to_try()?;
    step("hostile", || {
        run(cargo("test --locked --test lab -- --nocapture hostile::")
            .env(dist::BINARY, binary)
            .env("NOROUTER_LAB_HOSTILE", seconds.to_string()))
    })
}

/// Builds the static binary, and runs the benchmark with it. The benchmark gets the words after the chore's name.
pub(crate) fn bench() -> Result<(), Failure> {
    if !setup::root_user() {
        return Err(Failure::new(
            "the benchmark starts servers and containers, and watches other processes: run it as root",
        ));
    }
    let mut words: Vec<OsString> = env::args_os().skip(2).collect();
    // The benchmark runs in the root of the repository. A relative path means a file below the person's current folder.
    for place in 1..words.len() {
        if ["--peer", "--json"]
            .iter()
            .any(|option| words[place - 1] == *option)
        {
            words[place] = std::path::absolute(&words[place])?.into();
        }
    }
    step("bench: what it needs", setup::measuring)?;
    let binary = dist::binary_to_try()?;
    step("bench", || {
        // The client and the server share the processors with what is measured, so they are optimized. Optimizing them
        // as a whole would take minutes and gain nothing.
        let mut bench = cargo("bench --locked --bench network --");
        bench
            .env("CARGO_PROFILE_BENCH_LTO", "off")
            .env("CARGO_PROFILE_BENCH_CODEGEN_UNITS", "16")
            .env(dist::BINARY, &binary);
        run(bench.args(words))
    })
}

/// Compares a few figures with bounds that only a mistake exceeds.
pub(crate) fn guard() -> Result<(), Failure> {
    step("bench: guard", || {
        // The bounds are generous, so a build for tests is good enough.
        let compare = |words: &str| {
            let bench =
                format!("test --locked --bench network -- --bench --guard --seconds 1 {words}");
            run(cargo(&bench).env(dist::BINARY, dist::binary()))
        };
        compare("--rounds 3 pipes")?;
        compare("--rounds 1 slow")
    })
}
