//! Runs other programs of this machine. They are looked for in the `PATH` of the login shell, if the app took that over.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use norouter::driver::system::environment;
use tokio::process::Command;

use crate::{
    login_shell::environment_is_known,
    output::{Output, output_of},
};

/// How long a program may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

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

/// Runs a program and returns its output. If that fails, the error is a reason for people.
pub(crate) async fn run(program: &str, words: &[&str]) -> Result<Output, String> {
    environment_is_known().await;
    let file = find(program).ok_or_else(|| format!("{program} is not installed"))?;
    run_for(ANSWER_MAX, &file, words).await
}

async fn run_for(limit: Duration, file: &Path, words: &[&str]) -> Result<Output, String> {
    let mut command = Command::new(file);
    command.args(words);
    output_of(limit, command).await
}

#[cfg(test)]
mod tests {
    use super::*;

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
