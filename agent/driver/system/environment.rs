//! Additional variables for the environment of hosts' commands. A program that was not started from a shell lacks the
//! variables of the person's shell, above all its `PATH`.

use std::{ffi::OsString, sync::OnceLock};

/// The additional variables.
static ADOPTED: OnceLock<Vec<(String, OsString)>> = OnceLock::new();

/// Adds these variables to the environment of all commands that are started from now on. Only the first call has an
/// effect.
pub fn adopt(variables: Vec<(String, OsString)>) {
    // If a second call had an effect, some commands would have other variables than the rest.
    let _ = ADOPTED.set(variables);
}

/// The adopted variables. On Unix the program of a command is also searched for in an adopted `PATH`.
pub fn adopted() -> &'static [(String, OsString)] {
    ADOPTED.get().map_or(&[], Vec::as_slice)
}
