//! Runs other programs of this machine and returns their output, with limits on time and length. Errors are worded for
//! people, and are safe to show. Programs are looked up in the `PATH` that was adopted from the person's shell, or else
//! in that of this process.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncReadExt as _, process::Command};

use super::{environment, error::describe};
use crate::text::escape_line;

/// How many bytes of a program's output are read.
const OUTPUT_MAX: u64 = 16 << 20;

/// The folders in which programs are looked up.
pub fn search_path() -> OsString {
    let adopted = environment::adopted()
        .iter()
        .find(|(name, _)| name == "PATH");
    adopted.map_or_else(
        || env::var_os("PATH").unwrap_or_default(),
        |(_, path)| path.clone(),
    )
}

/// The path of a program; `None` if it is not found.
pub fn find(program: &str) -> Option<PathBuf> {
    let names = if cfg!(windows) {
        vec![format!("{program}.exe"), format!("{program}.cmd")]
    } else {
        vec![program.to_owned()]
    };
    let path = search_path();
    let places = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let mut files = places.flat_map(|folder| {
        names
            .iter()
            .map(move |name| folder.join(name))
            .collect::<Vec<_>>()
    });
    files.find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// The output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The program's standard output.
    pub out: String,
    /// The program's standard error.
    pub err: String,
}

/// Runs a program for at most the time limit, and returns its output. If that fails, the error is worded for people.
pub async fn run(limit: Duration, program: &str, words: &[&str]) -> Result<Output, String> {
    let file = find(program).ok_or_else(|| format!("{program} is not installed"))?;
    let mut command = Command::new(file);
    command.args(words);
    output_of(limit, command).await
}

/// Runs a command for at most the time limit, and returns its output.
pub async fn output_of(limit: Duration, mut command: Command) -> Result<Output, String> {
    let shown = Path::new(command.as_std().get_program()).to_owned();
    let shown = shown.display();
    let adopted = environment::adopted().iter();
    command
        .envs(adopted.map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // The program gets a process group of its own, so that it cannot use the terminal from which this one was started.
    #[cfg(unix)]
    command.process_group(0);
    let failed = |error: io::Error| format!("{shown}: {}", describe(&error));
    let mut child = command.spawn().map_err(failed)?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(format!("{shown}: it has no pipes"));
    };
    let talk = async {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let (mut out, mut err) = (out.take(OUTPUT_MAX), err.take(OUTPUT_MAX));
        tokio::try_join!(out.read_to_end(&mut one), err.read_to_end(&mut two))?;
        Ok((one, two, child.wait().await?))
    };
    let outcome = tokio::time::timeout(limit, talk).await;
    let outcome =
        outcome.map_err(|_| format!("{shown}: no answer within {} s", limit.as_secs()))?;
    let (out, err, status) = outcome.map_err(failed)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !status.success() {
        let said = text(&err);
        let last = said.trim().lines().last().unwrap_or_default();
        return Err(format!("{shown} ended with {status} {}", safe(last)));
    }
    Ok(Output {
        out: text(&out),
        err: text(&err),
    })
}

/// Makes one line from outside safe to show.
pub fn safe(line: &str) -> String {
    escape_line(line.trim().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_hangs_or_fails_is_reported() {
        let output = run(LONG, "sh", &["-c", "echo out; echo err >&2"]).await;
        let output = output.unwrap();
        assert_eq!(
            (output.out.as_str(), output.err.as_str()),
            ("out\n", "err\n")
        );
        let slow = run(Duration::from_millis(50), "sh", &["-c", "exec sleep 100"]).await;
        assert!(slow.unwrap_err().contains("no answer"));
        let script = "echo 'no \u{1b}[31mcluster' >&2; exit 3";
        let failed = run(LONG, "sh", &["-c", script]).await;
        assert!(failed.unwrap_err().ends_with("no \\u{1b}[31mcluster"));
        let missing = run(LONG, "norouter-no-such-program", &[]).await;
        assert!(missing.unwrap_err().contains("not installed"));
    }
}
