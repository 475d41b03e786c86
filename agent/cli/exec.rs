//! `norouter exec`: runs a command that uses the network.

use std::{env, ffi::OsString, process::Command};

use super::{
    env::Folder,
    error::{Error, Exit},
    reach,
};
use crate::{driver::system::describe, proxy::variables::java_options};

/// The environment variable from which every Java program reads additional options.
const JAVA: &str = "JAVA_TOOL_OPTIONS";

/// Run a command that uses the network
///
/// Sets the variables of "norouter env" for the command and everything that it starts, and for
/// nothing else. The exit code is that of the command, or 127 if there is no such command, or 126 if it
/// cannot be run. If "norouter env" would fail, nothing is started.
///
///   norouter exec -- curl web:8080
///   norouter exec -- bash
///   norouter exec --java -- mvn package
///
/// Some Go programs that use gRPC look up names themselves, and fail although the proxy knows the
/// names. Then write passthrough:///web:8080 instead of web:8080, or the VIP instead of the name,
/// or let the host write the names into /etc/hosts.
#[allow(
    clippy::doc_markdown,
    reason = "the help of a command shows what is typed, without backquotes"
)]
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// Lead Java programs to the proxies, too, by an addition to `JAVA_TOOL_OPTIONS`; each Java program prints that
    /// variable when it starts
    #[arg(long)]
    java: bool,
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
    if args.java {
        let own = env::var(JAVA).unwrap_or_default();
        command.env(JAVA, format!("{own} {}", java_options(&variables)).trim());
    }
    command.args(rest).envs(variables);
    let error = start(&mut command);
    let program = program.to_string_lossy();
    let message = format!("cannot start {program}: {}", describe(&error));
    // Shells, `env` and `nice` exit with the same codes in these two cases.
    let exit = if error.kind() == std::io::ErrorKind::NotFound {
        Exit::CommandNotFound
    } else {
        Exit::CommandNotRun
    };
    let error = Error::new(exit, message);
    Err(match reach::network_of_host(&program) {
        Some(_) if exit == Exit::CommandNotFound => error.hint(format!(
            "{program} is a host, and exec runs a command on this machine, as: norouter exec -- curl http://{program}; \
             to run a command on {program}, use what its cmd uses, as: ssh {program} COMMAND"
        )),
        _ => error,
    })
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
