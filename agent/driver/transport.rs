//! What an agent rides on: a child process and its pipes, or a task and pipes in memory.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    task::JoinHandle,
};

use super::{agent, askpass::Pass, child::Child, permits};
use crate::{link::Ending, plan::Start};

/// What a pipe in memory holds, in bytes.
const DUPLEX: usize = 256 << 10;

/// The streams of an agent.
pub(super) struct Pipes {
    pub(super) input: Box<dyn AsyncWrite + Unpin + Send>,
    pub(super) output: Box<dyn AsyncRead + Unpin + Send>,
    pub(super) errors: Box<dyn AsyncRead + Unpin + Send>,
}

/// What runs an agent.
pub(super) enum Process {
    Child(Child),
    /// An agent inside the manager, and what asks it to go.
    Task(JoinHandle<agent::End>, Option<oneshot::Sender<()>>),
}

/// Starts an agent; fails with a reason for people. A command with a pass may ask people something.
pub(super) fn launch(start: &Start, pass: Option<&Pass>) -> Result<(Process, Pipes), String> {
    match start {
        Start::InProcess => Ok(in_process()),
        Start::Command(argv) => {
            let (child, pipes) = Child::spawn(argv, pass)?;
            Ok((Process::Child(child), pipes))
        }
    }
}

fn in_process() -> (Process, Pipes) {
    let (input, far_input) = tokio::io::duplex(DUPLEX);
    let (output, far_output) = tokio::io::duplex(DUPLEX);
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        let _ = stopped.await;
    };
    let agent = tokio::spawn(agent::run(
        far_input,
        far_output,
        permits::limits(None),
        None,
        stopped,
    ));
    let pipes = Pipes {
        input: Box::new(input),
        output: Box::new(output),
        errors: Box::new(tokio::io::empty()),
    };
    (Process::Task(agent, Some(stop)), pipes)
}

impl Process {
    /// Waits for its end. Dropping the future loses nothing.
    pub(super) async fn wait(&mut self) -> Ending {
        match self {
            Self::Child(child) => child.wait().await,
            Self::Task(task, _) => {
                let _ = task.await;
                Ending::Unknown
            }
        }
    }

    /// Asks it to go.
    pub(super) fn terminate(&mut self) {
        match self {
            Self::Child(child) => child.terminate(),
            Self::Task(_, stop) => drop(stop.take()),
        }
    }

    /// Ends it.
    pub(super) fn kill(&mut self) {
        match self {
            Self::Child(child) => child.kill(),
            Self::Task(task, _) => task.abort(),
        }
    }
}
