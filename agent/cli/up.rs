//! `norouter up`, and its short form `norouter FILE`: runs the network of a manifest.

#[cfg(unix)]
use std::ffi::OsString;
use std::{
    io::{self, Stderr},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc::UnboundedReceiver,
};

#[cfg(unix)]
use super::background;
use super::{
    edit,
    error::{Error, Exit},
    host_block::{Addresses, HostBlock},
    input::{Commands, Source},
    local_time::Clock,
    logging, output,
    prompt_line::PromptLine,
    trust,
};
use crate::{
    driver::{
        Handle, Manager,
        control::{self, Door, Identity, OpenError},
        manager::{
            Intent, NetworkName,
            origin::{Cause, Origin},
        },
        system::{
            describe,
            signals::{Request, Requests, Resizes},
            watch::Watch,
        },
    },
    manager::Hold,
    plan::Plan,
    text::{escape, quote},
    view::{Event, PlanView},
};

/// The time between two updates of a countdown.
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
    /// Run the network in the background: return when its hosts are ready, have failed or need a person, or after a
    /// minute
    ///
    /// "norouter ls" lists it, "norouter answer" answers the questions of its commands, and "norouter down" ends it. It
    /// outlives the terminal, but not a restart of the machine: see "norouter service" for that.
    #[cfg(unix)]
    #[arg(short = 'd', long, conflicts_with = "open_editor")]
    detach: bool,
    /// This process is the one that "--detach" has started
    #[cfg(unix)]
    #[arg(long, hide = true)]
    detached: bool,
    /// Edit the manifest in $VISUAL or $EDITOR first; a FILE that does not exist is made from the example. Without
    /// FILE, edit and run a temporary copy of the example, and offer to keep it as norouter.yaml
    #[arg(short = 'e', long)]
    open_editor: bool,
    /// Apply changes of the manifest only on request, by SIGHUP or "norouter reload"
    #[arg(long)]
    no_watch: bool,
    /// When the manifest changes, start new and changed commands only after asking
    #[arg(long)]
    confirm_commands: bool,
    /// Do not apply a change of the manifest that grants more than before until somebody has approved it
    ///
    /// Grants are commands, published ports, proxies, files, names and routes: "norouter plan --grants" lists them.
    #[arg(long, conflicts_with = "confirm_commands")]
    confirm: bool,
    /// Run the manifest only if everything that it grants is listed in FILE, which "norouter plan --grants --json" has
    /// written
    ///
    /// For scripts. If the manifest grants more, nothing is started, the additional grants are shown, and the exit code
    /// is 6. FILE and its folder must belong to you or root, and nobody else may write to them. While the network
    /// runs, changes of the manifest wait for approval as with --confirm.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["confirm_commands", "open_editor"])]
    require_trust: Option<PathBuf>,
    /// Keep the passwords and other answers that are typed in this terminal, in memory only, and use them again when a
    /// host is restarted
    #[arg(long)]
    remember: bool,
    /// The name by which other commands find the network; by default the name of the manifest file without its
    /// extension, or, for norouter.yaml, the name of its folder
    #[arg(long, value_name = "NAME")]
    name: Option<NetworkName>,
}

impl Args {
    /// The manifest that was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The first option or argument on the command line. `None` if there is none.
    pub(super) fn first(&self) -> Option<String> {
        let option = |given: bool, name: &str| given.then(|| name.to_owned());
        let option = option(self.open_editor, "--open-editor")
            .or_else(|| option(self.detaches(), "--detach"))
            .or_else(|| option(self.no_watch, "--no-watch"))
            .or_else(|| option(self.confirm_commands, "--confirm-commands"))
            .or_else(|| option(self.confirm, "--confirm"))
            .or_else(|| option(self.require_trust.is_some(), "--require-trust"))
            .or_else(|| option(self.remember, "--remember"))
            .or_else(|| option(self.name.is_some(), "--name"));
        option.or_else(|| Some(quote(&self.file.as_ref()?.display().to_string())))
    }

    #[cfg(unix)]
    const fn detaches(&self) -> bool {
        self.detach
    }

    #[cfg(not(unix))]
    const fn detaches(&self) -> bool {
        false
    }

    #[cfg(unix)]
    const fn is_detached(&self) -> bool {
        self.detached
    }

    #[cfg(not(unix))]
    const fn is_detached(&self) -> bool {
        false
    }

    /// Starts this manifest's network in the background.
    #[cfg(unix)]
    fn in_background(&self, debug: bool, commands: Commands) -> Result<Exit, Error> {
        let source = Source::of(self.file.as_deref())?;
        let failed =
            |error: io::Error| Error::new(Exit::Failure, crate::driver::system::describe(&error));
        let file = source.path().ok_or_else(|| {
            let message = "a network in the background cannot read its manifest from standard input or a pipe";
            Error::new(Exit::Usage, message).hint("write it into a file, and name that")
        })?;
        // The manifest is loaded here first, so that the person sees its problems.
        load(&source, commands)?;
        let mut arguments: Vec<OsString> = vec!["up".into(), "--detached".into()];
        for (given, option) in [
            (debug, "--debug"),
            (self.no_watch, "--no-watch"),
            (self.confirm_commands, "--confirm-commands"),
            (self.confirm, "--confirm"),
            (self.remember, "--remember"),
        ] {
            arguments.extend(given.then(|| OsString::from(option)));
        }
        if let Some(trusted) = &self.require_trust {
            arguments.extend([OsString::from("--require-trust"), trusted.into()]);
        }
        if let Some(name) = &self.name {
            arguments.extend([OsString::from("--name"), name.to_string().into()]);
        }
        let file = std::path::absolute(file).map_err(failed)?;
        let name = self.name.clone();
        let name = name.unwrap_or_else(|| NetworkName::of_manifest(&file));
        arguments.extend([OsString::from("--"), file.into()]);
        background::run(&name, &arguments)
    }
}

pub(super) fn run(args: &Args, debug: bool, commands: Commands) -> Result<Exit, Error> {
    #[cfg(unix)]
    {
        if args.detach {
            return args.in_background(debug, commands);
        }
        if args.detached {
            crate::driver::system::background::leave_terminal();
        }
    }
    #[cfg(not(unix))]
    let _ = debug;
    let outcome = run_here(args, commands);
    if args.is_detached()
        && let Err(error) = &outcome
    {
        // The error was also written into the log, unless the disk is full. It is sent to the process that has started
        // this one. If that process is gone, the error is only in the log.
        let _ = output::data(&error.lines());
    }
    outcome
}

/// Runs the network in this process.
fn run_here(args: &Args, commands: Commands) -> Result<Exit, Error> {
    let mode = Mode {
        watch: !args.no_watch,
        hold: if args.confirm || args.require_trust.is_some() {
            Hold::NewGrants
        } else if args.confirm_commands {
            Hold::Commands
        } else {
            Hold::Nothing
        },
        remember: args.remember,
        detached: args.is_detached(),
        trusted: args.require_trust.as_deref(),
    };
    let name = args.name.as_ref();
    if args.open_editor {
        return edit::run(args.file.as_deref(), |file| {
            run_source(&Source::File(file.to_owned()), name, mode, commands)
        });
    }
    run_source(&Source::of(args.file.as_deref())?, name, mode, commands)
}

/// The options with which a manifest is run and its changes are applied.
#[derive(Clone, Copy, Debug)]
struct Mode<'a> {
    watch: bool,
    hold: Hold,
    /// Whether a person's answers are kept for the next start of a host.
    remember: bool,
    /// Whether this process is in the background. If it is, people reach it only through its control socket.
    detached: bool,
    /// The file that lists what the manifest may grant; `None` without `--require-trust`.
    trusted: Option<&'a Path>,
}

/// The manifest file of a plan, and the options for applying changes of the file.
struct Manifest<'a> {
    /// The path of the file; `None` if the manifest came from standard input or a pipe, which can be read only once.
    file: Option<&'a Path>,
    watch: Option<io::Result<Watch>>,
    mode: Mode<'a>,
}

/// Loads a manifest, and shows its problems. Fails if it cannot be run.
fn load(source: &Source, commands: Commands) -> Result<Plan, Error> {
    let loaded = source.load(commands)?;
    if !loaded.problems.is_empty() {
        output::talk(&loaded.report(true));
    }
    loaded.plan.ok_or_else(|| {
        let message = format!("{} cannot be run", loaded.file_name);
        Error::new(Exit::InvalidManifest, message)
    })
}

/// Shows the problems of a manifest, and runs it if it has no errors.
fn run_source(
    source: &Source,
    name: Option<&NetworkName>,
    mode: Mode<'_>,
    commands: Commands,
) -> Result<Exit, Error> {
    let watch = source.path().filter(|_| mode.watch).map(Watch::start);
    let plan = &load(source, commands)?;
    if let Some(file) = mode.trusted {
        trust::check(plan, file)?;
    }
    let identity = match source {
        Source::Stdin | Source::Pipe(_) => Identity::named("stdin"),
        Source::File(file) => Identity::of_manifest(file),
    };
    let identity = identity.chosen(name.cloned());
    let from = Manifest {
        file: source.path(),
        watch,
        mode,
    };
    run_network(plan, &identity, Addresses::Plain, Some(from))
}

/// Runs a plan that has no file, until a signal or another command ends the network.
pub(super) fn run_plan(
    plan: &Plan,
    identity: &Identity,
    addresses: Addresses,
) -> Result<Exit, Error> {
    run_network(plan, identity, addresses, None)
}

/// Runs a network until a signal or another command ends it. The manager starts lost hosts again, except those that
/// need a person first.
fn run_network(
    plan: &Plan,
    identity: &Identity,
    addresses: Addresses,
    from: Option<Manifest<'_>>,
) -> Result<Exit, Error> {
    let failed = |error: io::Error| {
        Error::new(
            Exit::Failure,
            format!("the manager cannot be started: {}", describe(&error)),
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut requests = Requests::listen().map_err(failed)?;
        let is_needed = from.as_ref().is_some_and(|from| from.mode.detached);
        let door = open_door(identity, &plan.view(), is_needed).await?;
        let (mut manager, events) = Manager::start(plan, door).map_err(failed)?;
        let upkeep = Upkeep::new(from, &mut manager);
        let outcome = show(manager.handle(), events, &mut requests, addresses, upkeep).await;
        manager.join();
        outcome
    })
}

/// Opens the control socket for other commands. If that fails, the network runs without the socket unless `is_needed`
/// is true. But it is always an error if another network has the same name or the same addresses.
async fn open_door(
    identity: &Identity,
    plan: &PlanView,
    is_needed: bool,
) -> Result<Option<Door>, Error> {
    let error = match control::open(identity, plan).await {
        Ok(door) => return Ok(Some(door)),
        Err(error) => error,
    };
    let Some(name) = error.name() else {
        let message = format!("other commands cannot reach this network: {error}");
        if is_needed {
            return Err(Error::new(Exit::Failure, message)
                .hint("run it in the foreground, without --detach; it then ends with Ctrl-C"));
        }
        output::talk(&format!("warning: {}", escape(&message)));
        return Ok(None);
    };
    let other = match error {
        OpenError::Taken { .. } => "; --name gives this one another name",
        OpenError::Runs { .. } | OpenError::Overlaps { .. } | OpenError::Unavailable(_) => "",
    };
    let hint = format!(
        "\"norouter status --network {name}\" shows it, \"norouter down --network {name}\" ends it{other}"
    );
    Err(Error::new(Exit::Failure, error.to_string()).hint(hint))
}

/// Shows the state of the network until it has ended.
async fn show(
    manager: &Handle,
    mut events: broadcast::Receiver<Event>,
    requests: &mut Requests,
    addresses: Addresses,
    mut upkeep: Upkeep,
) -> Result<Exit, Error> {
    let mut snapshots = manager.snapshot();
    let mut block = HostBlock::on_stderr(&snapshots.borrow(), addresses);
    let mut prompts = PromptLine::new(block.is_drawn(), upkeep.remembers);
    let mut log = block.is_drawn().then(logging::divert);
    let mut resizes = Resizes::listen();
    block.hint("Ctrl-C ends the network");
    let mut asked = None;
    loop {
        // The block is drawn once for all events that happen together.
        if events.is_empty() {
            // The manager would wait for a borrowed snapshot, and so for the terminal.
            let (is_new, snapshot) = {
                let snapshot = snapshots.borrow_and_update();
                (snapshot.has_changed(), snapshot.clone())
            };
            prompts.look(&snapshot, &mut block);
            if is_new {
                block.draw(&snapshot, manager.now_ms());
            } else {
                block.redraw(&snapshot, manager.now_ms());
            }
        }
        tokio::select! {
            // All events are shown before the end is handled.
            biased;
            event = events.recv() => match event {
                Ok(event) => block.event(&event),
                Err(RecvError::Lagged(count)) => {
                    block.print(&format!("({count} events were too fast to be shown)"));
                }
                Err(RecvError::Closed) => {
                    block.end(&snapshots.borrow(), manager.now_ms());
                    return Ok(asked.unwrap_or(Exit::Ok));
                }
            },
            changed = snapshots.changed() => {
                // If this channel is closed, the channel of the events is closed as well. The error of that channel
                // ends the loop, so nothing has to be done here.
                let _ = changed;
            }
            Some(line) = next(&mut log) => block.print(&line),
            line = prompts.line() => {
                for intent in prompts.take(&line, &mut block) {
                    manager.tell(intent);
                }
            }
            cause = upkeep.next() => upkeep.reload(manager, &mut block, &mut prompts, cause).await,
            request = requests.next() => {
                if request == Request::HangUp && upkeep.can_reload() {
                    upkeep.reload(manager, &mut block, &mut prompts, Cause::Person).await;
                    continue;
                }
                if asked.is_some() {
                    block.leave();
                    prompts.close();
                    // The agents notice that their manager is gone, and end.
                    std::process::exit(Exit::Interrupted as i32);
                }
                asked = Some(match request {
                    Request::Interrupt => Exit::Interrupted,
                    Request::Terminate | Request::HangUp => Exit::Ok,
                });
                block.hint("stopping; Ctrl-C again does not wait for the hosts");
                manager.tell(Intent::Down);
            }
            () = resizes.next() => {}
            // While a countdown is visible, the block is redrawn every second.
            () = tokio::time::sleep(SECOND), if block.counts_down(&snapshots.borrow()) => {}
        }
    }
}

/// Whether the process has a controlling terminal. Such a terminal sends SIGHUP when it closes, even if the standard
/// streams are redirected.
fn has_terminal() -> bool {
    #[cfg(unix)]
    return std::fs::File::open("/dev/tty").is_ok();
    #[cfg(not(unix))]
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// The next item. Without a receiver this never completes.
async fn next<T>(receiver: &mut Option<UnboundedReceiver<T>>) -> Option<T> {
    match receiver {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

/// The manifest of a running network, and the requests to reload it.
struct Upkeep {
    /// The manifest file and its reload requests; `None` if the manifest cannot be read again.
    origin: Option<Origin>,
    /// Whether a person's answers are kept for the next start of a host.
    remembers: bool,
    /// Whether the process had a terminal at its start. This must be stored, because it cannot be found out after the
    /// terminal has closed.
    terminal: bool,
    /// When the manifest was last applied, in milliseconds since 1970.
    applied_ms: u64,
}

impl Upkeep {
    fn new(from: Option<Manifest<'_>>, manager: &mut Manager) -> Self {
        let remembers = from.as_ref().is_some_and(|from| from.mode.remember);
        let origin = from.and_then(|from| {
            let hold = from.mode.hold;
            Some(Origin::new(from.file?, hold, from.watch, manager))
        });
        if origin.is_none() {
            // Dropping the receiver answers all reload requests with the error that no manifest can be read again.
            drop(manager.take_reloads());
        }
        Self {
            origin,
            remembers,
            terminal: has_terminal(),
            applied_ms: Clock::now().now_ms(),
        }
    }

    /// Whether SIGHUP reloads the manifest. There must be a file to reload, and the process must not have a terminal:
    /// with a terminal, SIGHUP means that the terminal was closed.
    fn can_reload(&self) -> bool {
        self.origin.is_some() && !self.terminal
    }

    /// Waits until the manifest has to be reloaded.
    async fn next(&mut self) -> Cause {
        match &mut self.origin {
            Some(origin) => origin.next().await,
            None => std::future::pending().await,
        }
    }

    /// Reloads the manifest and applies its changes. Reports the result to the person, and to the program that has
    /// requested the reload.
    async fn reload(
        &mut self,
        manager: &Handle,
        block: &mut HostBlock<Stderr>,
        prompts: &mut PromptLine,
        cause: Cause,
    ) {
        let Some(origin) = &mut self.origin else {
            return;
        };
        // The manager itself reports the changes to everybody else.
        let Some(taken) = origin.take_up(manager, cause).await else {
            return;
        };
        let hold = origin.hold();
        if hold != Hold::Nothing && prompts.listen() {
            let what = match hold {
                Hold::NewGrants => "apply the change, once the lines below say that it waits",
                Hold::Commands | Hold::Nothing => {
                    "start new commands, once the lines below say that some wait"
                }
            };
            block.print(&format!("type yes and Enter to {what}"));
        }
        if !taken.report.is_empty() {
            block.print(taken.report.trim_end());
        }
        let outcome = taken.plan.as_ref().map(|(_, outcome)| outcome);
        if outcome.is_some_and(|outcome| outcome.held.is_none()) {
            self.applied_ms = Clock::now().now_ms();
        }
        if taken.plan.is_none() {
            // A change that was held is applied when a person approves it. That time is not known here.
            let with = match hold {
                Hold::Nothing => {
                    let since = Clock::now().shown(self.applied_ms);
                    format!("with the manifest of {since}")
                }
                Hold::Commands | Hold::NewGrants => "as it is".to_owned(),
            };
            block.print(&format!("nothing was applied; the network goes on {with}"));
        }
    }
}
