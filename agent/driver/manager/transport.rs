//! The streams of an agent: those of a child process, or pipes in memory to a thread.

use std::thread;

use tokio::sync::oneshot;

use super::{
    child::{Asks, Child, Pipes},
    pass::Pass,
};
use crate::{
    driver::{
        agent::{self, May, permits},
        system::{
            describe,
            resources::{self, Alone},
        },
    },
    link::{CannotStart, Ending},
    plan::Start,
};

/// The capacity of a pipe in memory, in bytes.
const DUPLEX: usize = 256 << 10;

/// The process or thread of an agent.
pub(super) enum Process {
    Child(Child),
    /// An agent inside the manager: it can be asked to stop, can be cut off, and reports its end.
    Inside {
        ended: oneshot::Receiver<()>,
        stop: Option<oneshot::Sender<()>>,
        kill: Option<oneshot::Sender<()>>,
    },
}

/// Starts an agent. With a pass, the agent's command may ask people.
pub(super) fn launch(start: &Start, pass: Option<&Pass>) -> Result<(Process, Pipes), CannotStart> {
    match start {
        Start::InProcess => in_process().map_err(CannotStart::Other),
        // An instance should have been chosen before. That replaces this start with the command of a shell.
        Start::Chosen(_) => Err("no instance was chosen".to_owned().into()),
        Start::Command(argv) | Start::Shell(argv) => {
            let asks = pass.map_or(Asks::Nobody, Asks::Manager);
            let (child, pipes) = Child::spawn(argv, asks)?;
            Ok((Process::Child(child), pipes))
        }
    }
}

/// Starts an agent on its own thread, so that its work does not take time from the manager.
fn in_process() -> Result<(Process, Pipes), String> {
    let (input, far_input) = tokio::io::duplex(DUPLEX);
    let (output, far_output) = tokio::io::duplex(DUPLEX);
    let (stop, stopped) = oneshot::channel::<()>();
    let (kill, killed) = oneshot::channel::<()>();
    let (end, ended) = oneshot::channel();
    let runtime = agent::runtime().map_err(|error| describe(&error))?;
    let work = move || {
        let stopped = async {
            let _ = stopped.await;
        };
        let may = May {
            limits: permits::limits(None),
            capacity: resources::capacity(Alone::No),
        };
        runtime.block_on(async {
            tokio::select! {
                _ = agent::run(far_input, far_output, may, None, stopped) => {}
                _ = killed => {}
            }
        });
        // A lookup that does not return occupies a thread, which must not keep the agent alive.
        runtime.shutdown_background();
        // The manager may have ended before.
        let _ = end.send(());
    };
    let thread = thread::Builder::new().name("agent".to_owned());
    thread.spawn(work).map_err(|error| describe(&error))?;
    let pipes = Pipes {
        input: Box::new(input),
        output: Box::new(output),
        errors: Box::new(tokio::io::empty()),
    };
    let process = Process::Inside {
        ended,
        stop: Some(stop),
        kill: Some(kill),
    };
    Ok((process, pipes))
}

impl Process {
    /// Waits until the agent has ended. If the future is dropped, the function can be called again.
    pub(super) async fn wait(&mut self) -> Ending {
        match self {
            Self::Child(child) => child.wait().await,
            Self::Inside { ended, .. } => {
                // A thread that has panicked has ended, too.
                let _ = ended.await;
                Ending::Unknown
            }
        }
    }

    /// Asks the agent to end.
    pub(super) fn terminate(&mut self) {
        match self {
            Self::Child(child) => child.terminate(),
            Self::Inside { stop, .. } => drop(stop.take()),
        }
    }

    /// Ends the agent at once, without asking it.
    pub(super) fn kill(&mut self) {
        match self {
            Self::Child(child) => child.kill(),
            Self::Inside { kill, .. } => drop(kill.take()),
        }
    }
}
