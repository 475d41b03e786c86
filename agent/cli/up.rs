//! `norouter up`, which is also `norouter FILE`: run the network of a manifest.

use std::{path::PathBuf, time::Duration};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc::UnboundedReceiver,
};

use super::{
    edit,
    error::{Error, Exit},
    input::Source,
    output,
    screen::{Addresses, Screen},
};
use crate::{
    driver::{
        Handle, Manager,
        signals::{Request, Requests, Resizes},
    },
    plan::Plan,
    text::quote,
    view::Event,
};

/// How often a countdown is drawn.
const SECOND: Duration = Duration::from_secs(1);

/// Run the network of a manifest until Ctrl-C
///
/// Starts the commands of all hosts and connects the hosts with each other. A host that fails does not end
/// the others, and is started again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The manifest; "-" is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Edit the manifest in $VISUAL or $EDITOR first; without FILE, begin with an example
    #[arg(short = 'e', long)]
    open_editor: bool,
}

impl Args {
    /// The first thing that was asked for, if anything was.
    pub(super) fn first(&self) -> Option<String> {
        let editor = self.open_editor.then(|| "--open-editor".to_owned());
        editor.or_else(|| Some(quote(&self.file.as_ref()?.display().to_string())))
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if args.open_editor {
        return edit::run(args.file.as_deref());
    }
    run_source(&Source::of(args.file.as_deref())?)
}

/// Runs a manifest, after telling what is wrong with it.
pub(super) fn run_source(source: &Source) -> Result<Exit, Error> {
    let loaded = source.load()?;
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    let Some(plan) = &loaded.plan else {
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    run_plan(plan, Addresses::Plain)
}

/// Runs a network until a signal. Hosts that are lost come back by themselves; those that cannot wait for a person.
pub(super) fn run_plan(plan: &Plan, addresses: Addresses) -> Result<Exit, Error> {
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
        let (manager, events) = Manager::start(plan).map_err(failed)?;
        let outcome = watch(manager.handle(), events, &mut requests, addresses).await;
        manager.join();
        outcome
    })
}

/// Shows the network until it has ended.
async fn watch(
    manager: &Handle,
    mut events: broadcast::Receiver<Event>,
    requests: &mut Requests,
    addresses: Addresses,
) -> Result<Exit, Error> {
    let mut snapshots = manager.snapshot();
    let mut screen = Screen::on_stderr(&snapshots.borrow(), addresses);
    let mut log = screen.has_block().then(output::divert_log);
    let mut resizes = Resizes::listen();
    screen.hint("Ctrl-C ends the network");
    let mut asked = None;
    loop {
        // What happens at the same time is drawn at the same time.
        if events.is_empty() {
            screen.draw(&snapshots.borrow_and_update(), manager.now_ms());
        }
        tokio::select! {
            // Everything that has happened is shown before the end is.
            biased;
            event = events.recv() => match event {
                Ok(event) => screen.event(&event),
                Err(RecvError::Lagged(count)) => {
                    screen.print(&format!("({count} events were too fast to be shown)"));
                }
                Err(RecvError::Closed) => {
                    screen.hint("");
                    screen.draw(&snapshots.borrow(), manager.now_ms());
                    screen.leave();
                    return Ok(asked.unwrap_or(Exit::Ok));
                }
            },
            changed = snapshots.changed() => {
                // Its sender ends together with that of the events.
                let _ = changed;
            }
            Some(line) = next(&mut log) => screen.print(&line),
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
                screen.hint("stopping; Ctrl-C again does not wait for the hosts");
                manager.stop();
            }
            () = resizes.next() => {}
            // Somebody watches a countdown.
            () = tokio::time::sleep(SECOND), if screen.counts_down(&snapshots.borrow()) => {}
        }
    }
}

/// The next line of the log, if it is ours to show.
async fn next(log: &mut Option<UnboundedReceiver<String>>) -> Option<String> {
    match log {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}
