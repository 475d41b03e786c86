//! Runs other programs, and measures how long they take. No other file of this crate prints.
#![allow(clippy::print_stderr, reason = "chores print messages for people")]

use std::{
    env, fmt,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

/// The reason why a chore has failed, for the person who started it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// The steps that have ended: name, duration, success.
static STEPS: Mutex<Vec<(String, Duration, bool)>> = Mutex::new(Vec::new());

pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Runs one step. Prints its name first, and records how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    eprintln!("\n=== {name}");
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    let verdict = if result.is_ok() { "ok" } else { "FAILED" };
    eprintln!("=== {name}: {verdict} after {:.1} s", took.as_secs_f64());
    if let Ok(mut steps) = STEPS.lock() {
        steps.push((name.to_owned(), took, result.is_ok()));
    }
    result.map_err(|failure| Failure(format!("{name}: {failure}")))
}

/// Prints all steps with their durations.
pub(crate) fn summary() {
    let Ok(steps) = STEPS.lock() else { return };
    eprintln!("\n{:>8}  step", "seconds");
    for (name, took, ok) in steps.iter() {
        let mark = if *ok { "" } else { "   FAILED" };
        eprintln!("{:8.1}  {name}{mark}", took.as_secs_f64());
    }
    let total: Duration = steps.iter().map(|(_, took, _)| *took).sum();
    eprintln!("{:8.1}  in all", total.as_secs_f64());
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder for everything that is built.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A command that runs in the repository's root, without keyboard input. The variables that cargo has set for this
/// program are removed, because they could select another toolchain.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    const OURS: &[&str] = &[
        "CARGO",
        "CARGO_MAKEFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "LD_LIBRARY_PATH",
        "MAKEFLAGS",
        "MFLAGS",
        "OUT_DIR",
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "RUST_RECURSION_COUNT",
    ];
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        let inherited = name.to_str().is_some_and(|name| {
            OURS.contains(&name)
                || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
        });
        if inherited {
            command.env_remove(name);
        }
    }
    command
}

/// `cargo` with these arguments, with the toolchain that the person has selected.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = command("cargo");
    command.args(arguments.split_whitespace());
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command
}

/// Prints and runs a command. Fails unless the command succeeds.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    eprintln!("$ {}", shown(command));
    let status = command
        .status()
        .map_err(|error| Failure(format!("cannot start `{}`: {error}", shown(command))))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure(format!("`{}` ended with {status}", shown(command))))
    }
}

/// The standard output of a command. Fails with its error output unless the command succeeds.
pub(crate) fn read(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| Failure(format!("cannot start `{}`: {error}", shown(command))))?;
    if !output.status.success() {
        io::stderr().write_all(&output.stderr)?;
        return Err(Failure(format!(
            "`{}` ended with {}",
            shown(command),
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds. Its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program is on the `PATH`.
pub(crate) fn has(program: &str) -> bool {
    find(program).is_some()
}

/// The path of a program on the `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|place| place.is_file())
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
