//! `norouter up`, which is also `norouter FILE`: run the network of a manifest.

use std::path::PathBuf;

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
        Manager,
        control::{self, Door, Identity, Name},
        signals::{Request, Requests, Resizes},
    },
    plan::Plan,
    text::{escape, quote},
    view::{Event, Snapshot},
};

/// Run the network of a manifest until Ctrl-C
///
/// Starts the commands of all hosts and connects the hosts with each other. A host that fails does not end the others.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The manifest; "-" is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Edit the manifest in $VISUAL or $EDITOR first; without FILE, begin with an example
    #[arg(short = 'e', long)]
    open_editor: bool,
    /// What other commands call the network; by default like its file, or the folder of a norouter.yaml
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
}

impl Args {
    /// The first thing that was asked for, if anything was.
    pub(super) fn first(&self) -> Option<String> {
        let editor = self.open_editor.then(|| "--open-editor".to_owned());
        let name = self.name.as_ref().map(|_| "--name".to_owned());
        editor
            .or(name)
            .or_else(|| Some(quote(&self.file.as_ref()?.display().to_string())))
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if args.open_editor {
        return edit::run(args.file.as_deref(), args.name.as_ref());
    }
    run_source(&Source::of(args.file.as_deref())?, args.name.as_ref())
}

/// Runs a manifest, after telling what is wrong with it.
pub(super) fn run_source(source: &Source, name: Option<&Name>) -> Result<Exit, Error> {
    let loaded = source.load()?;
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    let Some(plan) = &loaded.plan else {
        let message = format!("{} cannot be run", loaded.file_name);
        return Err(Error::new(Exit::InvalidManifest, message));
    };
    let identity = match source {
        Source::Stdin => Identity::named("stdin"),
        Source::File(file) => Identity::of_manifest(file),
    };
    run_plan(plan, &identity.chosen(name.cloned()), Addresses::Plain)
}

/// Runs a network until a signal, or until no host is left.
pub(super) fn run_plan(
    plan: &Plan,
    identity: &Identity,
    addresses: Addresses,
) -> Result<Exit, Error> {
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
        let door = open_door(identity).await?;
        let (mut manager, events) = Manager::start(plan, door).map_err(failed)?;
        let outcome = watch(&mut manager, events, &mut requests, addresses).await;
        manager.join();
        outcome
    })
}

/// The door for other commands. A network that nobody can ask is still a network; two that are the same are not.
async fn open_door(identity: &Identity) -> Result<Option<Door>, Error> {
    let error = match control::open(identity).await {
        Ok(door) => return Ok(Some(door)),
        Err(error) => error,
    };
    let Some(name) = error.name() else {
        let reason = escape(&error.to_string());
        output::talk(&format!(
            "warning: other commands cannot reach this network: {reason}"
        ));
        return Ok(None);
    };
    let hint = format!(
        "\"norouter status --network {name}\" shows it, \"norouter down --network {name}\" ends it; --name gives this one another name"
    );
    Err(Error::new(Exit::Failure, error.to_string()).hint(hint))
}

/// Shows the network until it has ended.
async fn watch(
    manager: &mut Manager,
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
            screen.draw(&snapshots.borrow_and_update());
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
                    screen.draw(&snapshots.borrow());
                    screen.leave();
                    let asked = asked.or_else(|| manager.was_asked_to_stop().then_some(Exit::Ok));
                    return asked.ok_or_else(|| all_gone(&snapshots.borrow()));
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

fn all_gone(snapshot: &Snapshot) -> Error {
    let count = snapshot.hosts.len();
    Error::new(Exit::Failure, format!("none of the {count} hosts is left"))
        .hint("the lines above say why each of them is gone; mend that and start again")
}
