//! What the commands of hosts find in their environment. A program that was not started from a shell knows less than the
//! person's shell does: above all, another `PATH`.

use std::{ffi::OsString, sync::OnceLock};

/// What was adopted.
static ADOPTED: OnceLock<Vec<(String, OsString)>> = OnceLock::new();

/// Lets commands that are started from now on have these variables. The first call counts; others change nothing.
pub fn adopt(variables: Vec<(String, OsString)>) {
    // Commands that run have them already.
    let _ = ADOPTED.set(variables);
}

/// The variables that were adopted. On Unix a command's program is looked for in an adopted `PATH` as well.
pub fn adopted() -> &'static [(String, OsString)] {
    ADOPTED.get().map_or(&[], Vec::as_slice)
}
