//! `norouter exec`: runs a command that uses the network.

use std::{ffi::OsString, process::Command};

use super::{
    env::Folder,
    error::{Error, Exit},
};

/// Run a command that uses the network
///
/// Sets the variables of "norouter env" for the command and everything that it starts, and for
/// nothing else. The exit code is that of the command. If "norouter env" would fail, nothing is
/// started.
///
///   norouter exec -- curl web:8080
///   norouter exec -- bash
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let variables = args.folder.variables()?;
    let Some((program, rest)) = args.command.split_first() else {
        return Ok(Exit::Usage);
    };
    let mut command = Command::new(program);
    command.args(rest).envs(variables);
    let error = start(&mut command);
    let program = program.to_string_lossy();
    let message = format!(
        "cannot start {program}: {}",
        crate::driver::system::describe(&error)
    );
    Err(Error::new(Exit::Failure, message))
}

/// Replaces this process with the command (exec); returns only if that fails.
#[cfg(unix)]
fn start(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

/// Runs the command, and exits with its exit code; returns only if it cannot be started.
#[cfg(not(unix))]
fn start(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
