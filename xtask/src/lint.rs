//! Runs the checks of the code for which the program need not be run.

use crate::{
    run::{Failure, cargo, command, read, run, say, step},
    setup,
};

/// Runs all checks, the fastest first.
pub(crate) fn all() -> Result<(), Failure> {
    step("format", || run(&mut cargo("fmt --all --check")))?;
    step("clippy", || {
        // The lab is not a default target, so it is named explicitly.
        run(&mut cargo(
            "clippy --locked -p norouter -p xtask --all-targets -- -D warnings",
        ))?;
        run(&mut cargo(
            "clippy --locked -p norouter --test lab -- -D warnings",
        ))?;
        run(&mut cargo(
            "clippy --locked -p norouter --bin norouter-agent --no-default-features --features alone -- -D warnings",
        ))?;
        run(&mut cargo(
            "clippy --locked -p norouter-app --all-targets -- -D warnings",
        ))
    })?;
    step("the pure core has no runtime", pure)?;
    step("documentation", || {
        run(cargo("doc --locked --no-deps --document-private-items")
            .env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    step("dependencies", dependencies)
}

/// Checks that the library can be built without features, and that it does not depend on tokio then.
fn pure() -> Result<(), Failure> {
    run(&mut cargo("check --locked --lib --no-default-features"))?;
    let tree = read(&mut cargo(
        "tree --locked --no-default-features -e normal --prefix none",
    ))?;
    let crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    if !crates.contains(&"smoltcp") {
        return Err(Failure::new(
            "`cargo tree` does not list smoltcp: it was asked the wrong question",
        ));
    }
    say(&format!("{} crates, none of them tokio", crates.len()));
    if crates.contains(&"tokio") {
        return Err(Failure::new(
            "tokio is among the dependencies of the library without features",
        ));
    }
    Ok(())
}

/// Checks licences, sources and unwanted crates. The advisory database is checked only by the project's CI, because a
/// build machine may not be able to reach it.
fn dependencies() -> Result<(), Failure> {
    let deny = setup::deny()?;
    run(command(deny).args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}
