//! Runs other programs of this machine with a short time limit; their output is limited and made safe to show. An app
//! that was started from a menu does not have the person's `PATH`, so it is requested from the login shell.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use norouter::driver::system::{describe, environment};
use tokio::{io::AsyncReadExt as _, process::Command, sync::watch};

/// How long a program may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// How long the login shell may take to start. Some shells load a lot first.
const SHELL_MAX: Duration = Duration::from_secs(4);

/// How much of an answer is read, in bytes.
const OUTPUT_MAX: u64 = 4 << 20;

/// The text around each variable, which separates it from other output of the shell.
const MARK: &str = "__norouter__";

/// The variables that are taken from the login shell.
const WANTED: [&str; 2] = ["PATH", "SSH_AUTH_SOCK"];

/// Whether the variables are known; false only while the login shell is being asked for them.
static KNOWN: OnceLock<watch::Sender<bool>> = OnceLock::new();

fn known() -> &'static watch::Sender<bool> {
    KNOWN.get_or_init(|| watch::Sender::new(true))
}

/// Requests the variables from the login shell, once, without waiting. An app that was started from a terminal already
/// has them.
pub(crate) fn ask_the_login_shell() {
    if cfg!(windows) || io::stdin().is_terminal() {
        return;
    }
    known().send_replace(false);
    tokio::spawn(async {
        if let Some(variables) = login_environment().await {
            environment::adopt(variables);
        }
        known().send_replace(true);
    });
}

/// Waits for the login shell's answer, at most for [`SHELL_MAX`].
pub(crate) async fn environment_is_known() {
    // The sender is never dropped.
    let _ = known().subscribe().wait_for(|known| *known).await;
}

async fn login_environment() -> Option<Vec<(String, OsString)>> {
    let shell = env::var_os("SHELL").filter(|shell| Path::new(shell).is_absolute())?;
    // The shell is started not only as a login shell, but also as an interactive shell, because many people set `PATH`
    // in files that only interactive shells read.
    let print = WANTED
        .map(|name| format!("printf '{MARK}{name}=%s' \"${name}\"; "))
        .concat();
    let line = format!("{print}printf '{MARK}'");
    let words = ["-i", "-l", "-c", &line];
    let output = run_for(SHELL_MAX, Path::new(&shell), &words).await;
    let text = output
        .inspect_err(|error| tracing::warn!("the login shell: {error}"))
        .ok()?;
    let variables = variables(&text.out);
    (!variables.is_empty()).then_some(variables)
}

/// The variables in the output of the shell.
fn variables(text: &str) -> Vec<(String, OsString)> {
    let parts = text.split(MARK).skip(1);
    let pairs = parts.filter_map(|part| part.split_once('='));
    pairs
        .filter(|(name, value)| WANTED.contains(name) && !value.is_empty())
        .map(|(name, value)| (name.to_owned(), OsString::from(value)))
        .collect()
}

/// The folders in which programs are looked up.
pub(crate) fn search_path() -> OsString {
    let adopted = environment::adopted()
        .iter()
        .find(|(name, _)| name == "PATH");
    adopted.map_or_else(
        || env::var_os("PATH").unwrap_or_default(),
        |(_, path)| path.clone(),
    )
}

/// The path of a program; `None` if it is not found.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
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
pub(crate) struct Output {
    /// What the program wrote to its standard output.
    pub(crate) out: String,
    /// What the program wrote to its standard error.
    pub(crate) err: String,
}

/// Runs a program and returns its output. If that fails, the error is a reason for people.
pub(crate) async fn run(program: &str, words: &[&str]) -> Result<Output, String> {
    environment_is_known().await;
    let file = find(program).ok_or_else(|| format!("{program} is not installed"))?;
    run_for(ANSWER_MAX, &file, words).await
}

async fn run_for(limit: Duration, file: &Path, words: &[&str]) -> Result<Output, String> {
    let shown = file.display();
    let mut command = Command::new(file);
    command
        .args(words)
        .envs(
            environment::adopted()
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // In its own process group, the program cannot use the terminal from which the app was started.
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
pub(crate) fn safe(line: &str) -> String {
    norouter::text::escape_line(line.trim().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_may_say_what_it_likes_around_its_variables() {
        let text = format!("welcome=1\n{MARK}PATH=/a:/b=c{MARK}SSH_AUTH_SOCK={MARK}bye PATH=/x");
        assert_eq!(
            variables(&text),
            [("PATH".to_owned(), OsString::from("/a:/b=c"))]
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_hangs_or_fails_is_told_of() {
        let sh = Path::new("/bin/sh");
        let output = run_for(ANSWER_MAX, sh, &["-c", "echo out; echo err >&2"])
            .await
            .unwrap();
        assert_eq!(
            (output.out.as_str(), output.err.as_str()),
            ("out\n", "err\n")
        );
        let slow = run_for(Duration::from_millis(50), sh, &["-c", "exec sleep 100"]).await;
        assert!(slow.unwrap_err().contains("no answer"));
        let failed = run_for(
            ANSWER_MAX,
            sh,
            &["-c", "echo 'no \u{1b}[31mcluster' >&2; exit 3"],
        )
        .await;
        assert!(failed.unwrap_err().ends_with("no \\u{1b}[31mcluster"));
        assert!(
            run("norouter-no-such-program", &[])
                .await
                .unwrap_err()
                .contains("not installed")
        );
    }
}
