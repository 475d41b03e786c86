//! `norouter up`, which is also `norouter FILE`: run the network of a manifest.

use std::{
    io::{IsTerminal as _, Stderr},
    path::PathBuf,
    time::Duration,
};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc::UnboundedReceiver,
};

use super::{
    desk::Desk,
    edit,
    error::{Error, Exit},
    input::Source,
    output,
    screen::{Addresses, Screen},
};
use crate::{
    driver::{
        Handle, Manager,
        control::{self, Door, Identity, Name},
        manager::{Intent, ReloadRequest},
        signals::{Request, Requests, Resizes},
        watch::Watch,
    },
    manager::Commands,
    plan::Plan,
    text::{escape, quote},
    view::Event,
};

/// How often a countdown is drawn.
const SECOND: Duration = Duration::from_secs(1);

/// Run the network of a manifest until Ctrl-C
///
/// Starts the commands of all hosts and connects the hosts with each other. A host that fails does not end
/// the others, and is started again.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that people know"
)]
pub(super) struct Args {
    /// The manifest; "-" is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Edit the manifest in $VISUAL or $EDITOR first; without FILE, begin with an example
    #[arg(short = 'e', long)]
    open_editor: bool,
    /// Do not take up the manifest when it changes; SIGHUP still does that
    #[arg(long)]
    no_watch: bool,
    /// When the manifest changes, start new and changed commands only after asking
    #[arg(long)]
    confirm_commands: bool,
    /// Give the answers that are typed here again when a host is started again; they are kept in memory only
    #[arg(long)]
    remember: bool,
    /// What other commands call the network; by default like its file, or the folder of a norouter.yaml
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
}

impl Args {
    /// The first thing that was asked for, if anything was.
    pub(super) fn first(&self) -> Option<String> {
        let option = |given: bool, name: &str| given.then(|| name.to_owned());
        let option = option(self.open_editor, "--open-editor")
            .or_else(|| option(self.no_watch, "--no-watch"))
            .or_else(|| option(self.confirm_commands, "--confirm-commands"))
            .or_else(|| option(self.remember, "--remember"))
            .or_else(|| option(self.name.is_some(), "--name"));
        option.or_else(|| Some(quote(&self.file.as_ref()?.display().to_string())))
    }
}

pub(super) fn run(args: &Args) -> Result<Exit, Error> {
    if args.open_editor {
        return edit::run(args.file.as_deref(), args.name.as_ref());
    }
    let mode = Mode {
        watch: !args.no_watch,
        commands: if args.confirm_commands {
            Commands::Hold
        } else {
            Commands::Start
        },
        remember: args.remember,
    };
    run_source(&Source::of(args.file.as_deref())?, args.name.as_ref(), mode)
}

/// How a manifest is taken up that changes while its network runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    watch: bool,
    commands: Commands,
    /// Whether what a person has answered is kept for the next life of the host.
    remember: bool,
}

impl Mode {
    /// What people want who say nothing.
    pub(super) const USUAL: Self = Self {
        watch: true,
        commands: Commands::Start,
        remember: false,
    };
}

/// Runs a manifest, after telling what is wrong with it.
pub(super) fn run_source(source: &Source, name: Option<&Name>, mode: Mode) -> Result<Exit, Error> {
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
    let identity = identity.chosen(name.cloned());
    run_network(plan, &identity, Addresses::Plain, Some((source, mode)))
}

/// Runs a network that has no file until a signal.
pub(super) fn run_plan(
    plan: &Plan,
    identity: &Identity,
    addresses: Addresses,
) -> Result<Exit, Error> {
    run_network(plan, identity, addresses, None)
}

/// Runs a network until a signal. Hosts that are lost come back by themselves; those that cannot wait for a person.
fn run_network(
    plan: &Plan,
    identity: &Identity,
    addresses: Addresses,
    origin: Option<(&Source, Mode)>,
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
        let origin = Origin::new(origin, &mut manager);
        let outcome = show(manager.handle(), events, &mut requests, addresses, origin).await;
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
async fn show(
    manager: &Handle,
    mut events: broadcast::Receiver<Event>,
    requests: &mut Requests,
    addresses: Addresses,
    mut origin: Origin<'_>,
) -> Result<Exit, Error> {
    let mut snapshots = manager.snapshot();
    let mut screen = Screen::on_stderr(&snapshots.borrow(), addresses);
    let mut desk = Desk::new(screen.has_block(), origin.remembers());
    let mut log = screen.has_block().then(output::divert_log);
    let mut resizes = Resizes::listen();
    screen.hint("Ctrl-C ends the network");
    let mut asked = None;
    loop {
        // What happens at the same time is drawn at the same time.
        if events.is_empty() {
            let snapshot = snapshots.borrow_and_update();
            desk.look(&snapshot, &mut screen);
            screen.draw(&snapshot, manager.now_ms());
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
            line = desk.line() => {
                if let Some(intent) = desk.take(&line, &mut screen) {
                    manager.tell(intent);
                }
            }
            reply = origin.next() => origin.reload(manager, &mut screen, &mut desk, reply).await,
            request = requests.next() => {
                if request == Request::HangUp && origin.can_reload() {
                    origin.reload(manager, &mut screen, &mut desk, None).await;
                    continue;
                }
                if asked.is_some() {
                    screen.leave();
                    desk.close();
                    // Agents whose manager is gone end by themselves.
                    std::process::exit(Exit::Interrupted as i32);
                }
                asked = Some(match request {
                    Request::Interrupt => Exit::Interrupted,
                    Request::Terminate | Request::HangUp => Exit::Ok,
                });
                screen.hint("stopping; Ctrl-C again does not wait for the hosts");
                manager.tell(Intent::Down);
            }
            () = resizes.next() => {}
            // Somebody watches a countdown.
            () = tokio::time::sleep(SECOND), if screen.counts_down(&snapshots.borrow()) => {}
        }
    }
}

/// What comes next, if anything can come.
async fn next<T>(receiver: &mut Option<UnboundedReceiver<T>>) -> Option<T> {
    match receiver {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

/// Where a network's manifest comes from, and what becomes of its changes.
struct Origin<'a> {
    source: Option<(&'a Source, Mode)>,
    watch: Option<Watch>,
    /// Other programs that want it to be read again.
    requests: Option<UnboundedReceiver<ReloadRequest>>,
    /// Whether there was a terminal. One that is gone does not say so any more.
    terminal: bool,
}

impl<'a> Origin<'a> {
    fn new(source: Option<(&'a Source, Mode)>, manager: &mut Manager) -> Self {
        let watch = match source {
            Some((Source::File(file), mode)) if mode.watch => Watch::start(file)
                .inspect_err(|error| {
                    tracing::warn!("the manifest cannot be watched for changes: {error}");
                })
                .ok(),
            Some(_) | None => None,
        };
        let requests = match source {
            Some((Source::File(_), _)) => manager.take_reloads(),
            // There is nothing that could be read a second time: whoever asks is told so.
            Some((Source::Stdin, _)) | None => {
                drop(manager.take_reloads());
                None
            }
        };
        Self {
            source,
            watch,
            requests,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Whether there is a file to read again. With a terminal, the signal says that the terminal is gone.
    fn can_reload(&self) -> bool {
        matches!(self.source, Some((Source::File(_), _))) && !self.terminal
    }

    /// Whether answers are kept.
    fn remembers(&self) -> bool {
        self.source.is_some_and(|(_, mode)| mode.remember)
    }

    /// Done when the manifest is to be read again: who is to be told, if somebody has asked.
    async fn next(&mut self) -> Option<ReloadRequest> {
        let changed = async {
            match &mut self.watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => None,
            Some(asker) = next(&mut self.requests) => Some(asker),
        }
    }

    /// Reads the manifest again, makes the network what it says, and tells who has asked. What is broken changes nothing.
    async fn reload(
        &mut self,
        manager: &Handle,
        screen: &mut Screen<Stderr>,
        desk: &mut Desk,
        asker: Option<ReloadRequest>,
    ) {
        let outcome = match self.plan(screen) {
            // The manager tells everybody what has changed.
            Ok((plan, commands)) => {
                if commands == Commands::Hold {
                    listen_for_approval(desk, screen);
                }
                let changes = manager.reload(plan, commands).await;
                changes.map_err(|_| "the network has ended".to_owned())
            }
            Err(report) => {
                screen.print(report.trim_end());
                screen.print("nothing was taken up; the network goes on as it is");
                Err(report)
            }
        };
        if let Some(asker) = asker {
            // Who has gone meanwhile does not want to know.
            let _ = asker.send(outcome);
        }
    }

    /// The plan of the manifest as it is now, or what is wrong with it.
    fn plan(&self, screen: &mut Screen<Stderr>) -> Result<(Plan, Commands), String> {
        let Some((source, mode)) = self.source else {
            return Err("this network has no manifest".to_owned());
        };
        let loaded = source.load().map_err(|error| {
            let message = error.message();
            format!("the manifest cannot be read: {message}")
        })?;
        let report = loaded.report(false);
        let Some(plan) = loaded.plan else {
            return Err(report);
        };
        if !report.is_empty() {
            screen.print(report.trim_end());
        }
        Ok((plan, mode.commands))
    }
}

fn listen_for_approval(desk: &mut Desk, screen: &mut Screen<Stderr>) {
    if desk.listen() {
        screen.print(
            "type yes and Enter to start new commands, once the lines below say that some wait",
        );
    }
}
