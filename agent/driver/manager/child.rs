//! The process of a host's command. Its standard streams are those of the host's agent.

use std::{io, process::Stdio};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use tokio::io::{AsyncRead, AsyncWrite};

use super::pass::Pass;
use crate::{
    driver::system::{describe, environment},
    link::{CannotStart, Ending},
};

/// The standard streams of a command.
pub(super) struct Pipes {
    pub(super) input: Box<dyn AsyncWrite + Unpin + Send>,
    pub(super) output: Box<dyn AsyncRead + Unpin + Send>,
    pub(super) errors: Box<dyn AsyncRead + Unpin + Send>,
}

/// A running command. If it does not ask at the terminal, it has a session (on Windows: a job) of its own. Therefore it
/// can be ended together with all processes that it has started, and Ctrl-C in the manager's terminal does not reach it.
pub(super) struct Child {
    process: Box<dyn ChildWrapper>,
}

/// The way in which a command can ask a person, for example for a password.
#[derive(Clone, Copy)]
pub(super) enum Asks<'a> {
    /// The command cannot ask anybody.
    Nobody,
    /// The command asks the manager, which passes the question on.
    Manager(&'a Pass),
    /// The command asks at the terminal of this program, as if the person had started it there.
    Terminal,
}

impl Child {
    /// Starts a command.
    pub(super) fn spawn(argv: &[String], asks: Asks<'_>) -> Result<(Self, Pipes), CannotStart> {
        let Some((program, arguments)) = argv.split_first() else {
            return Err("it is empty".to_owned().into());
        };
        let mut command = CommandWrap::with_new(program, |command| {
            command
                .args(arguments)
                .envs(
                    environment::adopted()
                        .iter()
                        .map(|(name, value)| (name, value)),
                )
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            if let Asks::Manager(pass) = asks {
                command.envs(pass.variables());
            }
        });
        // A command with a session of its own has no terminal.
        #[cfg(unix)]
        if !matches!(asks, Asks::Terminal) {
            command.wrap(process_wrap::tokio::ProcessSession);
        }
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);
        let mut process = command
            .spawn()
            .map_err(|error| reason(&error, program.clone()))?;
        let streams = Option::zip(process.stdin().take(), process.stdout().take())
            .zip(process.stderr().take());
        let Some(((input, output), errors)) = streams else {
            return Err("the operating system gave it no pipes".to_owned().into());
        };
        #[cfg(unix)]
        {
            use crate::driver::system::stdio;
            stdio::widen(&input);
            stdio::widen(&output);
        }
        let pipes = Pipes {
            input: Box::new(input),
            output: Box::new(output),
            errors: Box::new(errors),
        };
        Ok((Self { process }, pipes))
    }

    /// Waits until the process has ended. If the future is dropped, the function can be called again.
    pub(super) async fn wait(&mut self) -> Ending {
        match self.process.wait().await {
            Ok(status) => ending(status),
            Err(_) => Ending::Unknown,
        }
    }

    /// Sends SIGTERM to the process group.
    pub(super) fn terminate(&mut self) {
        #[cfg(unix)]
        let _ = self.process.signal(rustix::process::Signal::TERM.as_raw());
        // Windows does not have such a signal; [`Child::kill`] follows later.
    }

    /// Kills the process group.
    pub(super) fn kill(&mut self) {
        let _ = self.process.start_kill();
    }
}

fn reason(error: &io::Error, program: String) -> CannotStart {
    if error.kind() == io::ErrorKind::NotFound {
        CannotStart::NotFound(program)
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        CannotStart::NotExecutable(program)
    } else {
        CannotStart::Other(format!("{program:?}: {}", describe(error)))
    }
}

fn ending(status: std::process::ExitStatus) -> Ending {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ending::Signal(signal);
    }
    status.code().map_or(Ending::Unknown, Ending::Status)
}
