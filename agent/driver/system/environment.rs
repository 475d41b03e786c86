//! Additional variables in the environment of hosts' commands. A program that was not started from a shell lacks
//! variables of the person's shell; above all, its `PATH` is another one.

use std::{ffi::OsString, sync::OnceLock};

/// The adopted variables.
static ADOPTED: OnceLock<Vec<(String, OsString)>> = OnceLock::new();

/// Adds these variables to the environment of all commands that are started from now on. Only the first call has an
/// effect.
pub fn adopt(variables: Vec<(String, OsString)>) {
    // Running commands have the variables of the first call already.
    let _ = ADOPTED.set(variables);
}

/// The adopted variables. On Unix a command's program is looked up in an adopted `PATH` as well.
pub fn adopted() -> &'static [(String, OsString)] {
    ADOPTED.get().map_or(&[], Vec::as_slice)
}
