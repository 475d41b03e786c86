//! What can be known only by running the program.

use crate::{
    dist,
    run::{Failure, cargo, run, step},
    setup,
};

/// The default tests: no root, no other program.
pub(crate) fn tests() -> Result<(), Failure> {
    step("tests", || run(&mut cargo("test --locked")))
}

/// Builds the static binary, then the tests on real hosts.
pub(crate) fn lab() -> Result<(), Failure> {
    if !setup::root_user() {
        return Err(Failure::new(
            "the lab makes network namespaces and containers: run it as root, on a machine made for that",
        ));
    }
    dist::binary_to_try()?;
    run_lab()
}

/// The tests on real hosts, with the binary that ships.
pub(crate) fn run_lab() -> Result<(), Failure> {
    step("lab", || {
        let binary = std::env::var_os(dist::BINARY).unwrap_or_else(|| dist::binary().into());
        run(cargo("test --locked --test lab -- --test-threads=2").env(dist::BINARY, binary))
    })
}

/// Builds the static binary, then the figures.
pub(crate) fn bench() -> Result<(), Failure> {
    let binary = dist::binary_to_try()?;
    step("bench", || {
        run(cargo("bench --locked --bench network").env(dist::BINARY, binary))
    })
}
