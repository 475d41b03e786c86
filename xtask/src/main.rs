//! The project's chores. `cargo xtask` without an argument lists them.
//!
//! A chore prints the commands that it runs, and how long each step took. It does not ask questions, stops at the first
//! failure, and never changes a tracked file.

mod agents;
mod app;
mod dist;
mod lab;
mod lint;
mod run;
mod setup;

use std::process::ExitCode;

use run::Failure;

/// A chore: its name, its description, and its function.
type Chore = (&'static str, &'static str, fn() -> Result<(), Failure>);

const CHORES: &[Chore] = &[
    (
        "ci",
        "everything below but `install`, `soak`, `hostile`, `package` and most of `bench`, from a bare machine to a verdict",
        ci,
    ),
    (
        "setup",
        "install what the other chores need and the machine lacks",
        setup::all,
    ),
    (
        "lint",
        "format, clippy, the pure core, documentation, dependencies",
        lint::all,
    ),
    (
        "test",
        "the tests that need no root and no other program",
        lab::tests,
    ),
    (
        "dist",
        "the static binary for any x86_64 Linux, and `agents`, in target/dist",
        dist::build,
    ),
    (
        "agents",
        "the small programs that are sent to hosts, for x86_64, aarch64, arm and riscv64, in target/dist/agents",
        agents::build,
    ),
    (
        "install",
        "`dist`, put below ~/.local; `install FOLDER` for another folder",
        dist::install,
    ),
    (
        "lab",
        "the tests on real sshd, containers and network namespaces",
        lab::lab,
    ),
    (
        "soak",
        "a network that has something happen to it every 5 s; `soak MINUTES`, or 20",
        lab::soak,
    ),
    (
        "hostile",
        "hosts that attack, each for two minutes; `hostile SECONDS` for another time",
        lab::hostile,
    ),
    (
        "ui",
        "the page: types, logic, and every view in a browser",
        app::ui,
    ),
    (
        "app",
        "the desktop app for this machine, in target/debug/norouter-app",
        app::build,
    ),
    (
        "app-test",
        "the desktop app's tests, on a screen of their own",
        app::tests,
    ),
    (
        "package",
        "the desktop app as .deb and .rpm, in target/release/bundle",
        app::package,
    ),
    (
        "bench",
        "figures beside socat and ssh, as tables; `docs/PERFORMANCE.md`",
        lab::bench,
    ),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let chore = match words.as_slice() {
        [word] => CHORES.iter().find(|(name, _, _)| name == word),
        [word, _] if ["install", "soak", "hostile"].contains(&word.as_str()) => {
            CHORES.iter().find(|(name, _, _)| name == word)
        }
        [word, ..] if word == "bench" => CHORES.iter().find(|(name, _, _)| name == word),
        _ => None,
    };
    let Some((name, _, run)) = chore else {
        run::say("Usage: cargo xtask CHORE\n");
        for (name, about, _) in CHORES {
            run::say(&format!("  {name:8} {about}"));
        }
        return ExitCode::from(2);
    };
    let result = run();
    run::summary();
    match result {
        Ok(()) => {
            run::say(&format!("\n{name}: all well"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            run::say(&format!("\n{name} FAILED: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn ci() -> Result<(), Failure> {
    setup::all()?;
    lint::all()?;
    lab::tests()?;
    app::ui()?;
    app::tests()?;
    dist::build_for_lab()?;
    lab::guard()?;
    lab::run_lab()
}
