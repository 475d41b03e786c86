//! `norouter up`, which is also `norouter FILE`: run the network of a manifest.

use std::path::PathBuf;

use tokio::sync::broadcast::error::RecvError;

use super::{
    error::{Error, Exit},
    input::Source,
    output,
    screen::Screen,
};
use crate::{
    driver::{
        Manager,
        signals::{Request, Requests},
    },
    plan::Plan,
    view::Snapshot,
};

/// Run the network of a manifest until Ctrl-C
///
/// Starts the commands of all hosts and connects the hosts with each other. A host that fails does not end the others.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The manifest; "-" is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    let loaded = Source::of(args.file.as_deref())?.load()?;
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    let Some(plan) = &loaded.plan else {
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    run_plan(plan)
}

/// Runs a network until a signal, or until no host is left.
pub(super) fn run_plan(plan: &Plan) -> Result<Exit, Error> {
    let failed = |error: std::io::Error| {
        Error::new(
            Exit::Failure,
            format!("the manager cannot be started: {error}"),
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut requests = Requests::listen().map_err(failed)?;
        let mut manager = Manager::start(plan).map_err(failed)?;
        let outcome = watch(&mut manager, &mut requests).await;
        manager.join();
        outcome
    })
}

/// Shows the network until it has ended.
async fn watch(manager: &mut Manager, requests: &mut Requests) -> Result<Exit, Error> {
    let mut events = manager.events();
    let mut snapshots = manager.snapshot();
    let mut screen = Screen::new(&snapshots.borrow());
    let mut asked = None;
    loop {
        screen.draw(&snapshots.borrow_and_update());
        tokio::select! {
            // Everything that has happened is shown before the end is.
            biased;
            event = events.recv() => match event {
                Ok(event) => screen.event(&event),
                Err(RecvError::Lagged(count)) => {
                    screen.print(&format!("({count} events were too fast to be shown)"));
                }
                Err(RecvError::Closed) => {
                    screen.draw(&snapshots.borrow());
                    screen.leave();
                    return asked.ok_or_else(|| all_gone(&snapshots.borrow()));
                }
            },
            changed = snapshots.changed() => {
                // Its sender ends together with that of the events.
                let _ = changed;
            }
            request = requests.next() => {
                if asked.is_some() {
                    screen.leave();
                    // Agents whose manager is gone end by themselves.
                    std::process::exit(Exit::Interrupted as i32);
                }
                asked = Some(match request {
                    Request::Interrupt => Exit::Interrupted,
                    Request::Terminate => Exit::Ok,
                });
                manager.stop();
            }
        }
    }
}

fn all_gone(snapshot: &Snapshot) -> Error {
    let count = snapshot.hosts.len();
    Error::new(Exit::Failure, format!("none of the {count} hosts is left"))
        .hint("the lines above say why each of them is gone; mend that and start again")
}
