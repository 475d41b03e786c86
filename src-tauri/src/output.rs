//! The output of other programs: taken with a time limit, limited in length, and made safe to show.

use std::{io, path::Path, process::Stdio, time::Duration};

use norouter::driver::system::{describe, environment};
use tokio::{io::AsyncReadExt as _, process::Command};

/// How much of an answer is read, in bytes.
const OUTPUT_MAX: u64 = 4 << 20;

/// The output of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// What the program wrote to its standard output.
    pub(crate) out: String,
    /// What the program wrote to its standard error.
    pub(crate) err: String,
}

/// Runs a command and returns its output, at most until the time limit.
pub(crate) async fn output_of(limit: Duration, mut command: Command) -> Result<Output, String> {
    let shown = Path::new(command.as_std().get_program()).to_owned();
    let shown = shown.display();
    command
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
