//! The command line. Nearly every command has a file of its own, where the doc comment of `Args` is the command's help.

use std::{fmt::Write as _, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

mod agent;
mod answer;
mod approve;
mod check;
mod check_limits;
mod completions;
mod demo;
mod demo_host;
mod down;
mod edit;
mod env;
mod error;
mod events;
mod exec;
mod figures;
mod flows;
mod host;
mod host_block;
mod hosts;
mod input;
mod logging;
mod logs;
mod matrix;
#[cfg(test)]
mod openapi;
mod output;
mod plan;
mod prompt_line;
mod reach;
mod reload;
mod service;
mod show_example;
mod show_installer;
mod status;
mod top;
mod trust;
mod typing;
mod up;
mod wait;
mod why;

use crate::view::HostAction;
use error::Error;
pub use error::Exit;

/// The width of the help in `docs/CLI.md`, in columns.
const REFERENCE_WIDTH: usize = 100;

/// One YAML file becomes one network
///
/// Connects hosts that can be reached with ssh, podman exec, kubectl exec or any other command that passes standard
/// input and output through to the host. Each host has a loopback address of its own (127.0.42.101, ...). This needs no
/// root, no daemons and no public addresses.
#[derive(Debug, Parser)]
#[command(
    name = "norouter",
    version,
    after_long_help = format!("{}\n\n{}", input::SEARCH_HELP, Exit::table()),
    override_usage = "norouter [OPTIONS] [FILE]\n       norouter [OPTIONS] <COMMAND>",
    max_term_width = 100,
)]
struct Cli {
    /// Write more details to standard error about what happens
    ///
    /// The variable `NOROUTER_LOG` sets a level for each part of the program instead:
    /// `NOROUTER_LOG=norouter::link=debug,norouter::edge=trace`. The parts are `norouter::manager`, `norouter::link`
    /// (the hosts), `norouter::edge` (what agents listen on), `norouter::flow` (connections) and `norouter::driver`
    /// (everything else).
    #[arg(long, global = true)]
    debug: bool,
    #[command(flatten)]
    up: up::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(aliases = ["manager", "m"])]
    Up(up::Args),
    Demo(demo::Args),
    Check(check::Args),
    CheckLimits(check_limits::Args),
    Plan(plan::Args),
    Status(status::Args),
    Top(top::Args),
    Flows(flows::Args),
    Events(events::Args),
    Logs(logs::Args),
    Wait(wait::Args),
    Why(why::Args),
    Answer(answer::Args),
    Down(down::Args),
    Reload(reload::Args),
    Approve(approve::Args),
    /// Start a host that was stopped, or that waits to be started again
    Start(host::Args),
    /// Stop one host of a running network until it is started again
    Stop(host::Args),
    /// End the agent of a host, and start it again
    Restart(host::Args),
    Env(env::Args),
    Exec(exec::Args),
    Hosts(hosts::Args),
    Service(service::Args),
    #[command(alias = "show-ex")]
    ShowExample(show_example::Args),
    ShowInstaller(show_installer::Args),
    Completions(completions::Args),
    Agent(agent::Args),
    DemoHost(demo_host::HostArgs),
}

impl Cli {
    /// Fails if options of `up` are followed by another command. They are accepted at the start because `norouter FILE`
    /// is short for `norouter up FILE`.
    fn is_one_thing(&self) -> Result<(), clap::Error> {
        let Some(first) = self.up.first().filter(|_| self.command.is_some()) else {
            return Ok(());
        };
        let message = format!(
            "{first} stands before a command; write the command first, and then what it is to work on"
        );
        Err(Self::command().error(ErrorKind::ArgumentConflict, message))
    }
}

/// The names of all commands that are not hidden.
fn commands() -> Vec<String> {
    let root = Cli::command();
    let shown = root
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = cli.is_one_thing() {
        error.exit();
    }
    if let Err(error) = logging::begin(cli.debug) {
        return error.report().into();
    }
    let outcome = match cli.command {
        None => up::run(&cli.up, commands),
        Some(Command::Up(args)) => up::run(&args, commands),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Check(args)) => check::run(&args, commands),
        Some(Command::CheckLimits(args)) => check_limits::run(&args),
        Some(Command::Plan(args)) => plan::run(&args, commands),
        Some(Command::Status(args)) => status::run(&args),
        Some(Command::Top(args)) => top::run(&args),
        Some(Command::Flows(args)) => flows::run(&args),
        Some(Command::Events(args)) => events::run(&args),
        Some(Command::Logs(args)) => logs::run(&args),
        Some(Command::Wait(args)) => wait::run(&args),
        Some(Command::Why(args)) => why::run(&args),
        Some(Command::Answer(args)) => answer::run(&args),
        Some(Command::Down(args)) => down::run(&args),
        Some(Command::Reload(args)) => reload::run(&args),
        Some(Command::Approve(args)) => approve::run(&args),
        Some(Command::Start(args)) => host::run(HostAction::Start, &args),
        Some(Command::Stop(args)) => host::run(HostAction::Stop, &args),
        Some(Command::Restart(args)) => host::run(HostAction::Restart, &args),
        Some(Command::Env(args)) => env::run(&args),
        Some(Command::Exec(args)) => exec::run(&args),
        Some(Command::Hosts(args)) => hosts::run(&args),
        Some(Command::Service(args)) => service::run(&args, commands),
        Some(Command::ShowExample(args)) => show_example::run(&args),
        Some(Command::ShowInstaller(args)) => show_installer::run(&args),
        Some(Command::Completions(args)) => completions::run(&args, &mut Cli::command()),
        Some(Command::Agent(args)) => agent::run(&args),
        Some(Command::DemoHost(args)) => demo_host::run(&args),
    };
    outcome.unwrap_or_else(Error::report).into()
}

/// The help of all commands as Markdown: the text of `docs/CLI.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# The command line\n\nMade from the program's own help; `UPDATE=1 cargo test` rewrites it.\n",
    );
    let mut root = Cli::command().term_width(REFERENCE_WIDTH);
    root.build();
    let names: Vec<String> = root
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .map(|command| command.get_name().to_owned())
        .collect();
    let mut section = |title: &str, help: &str| {
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(
            text,
            "\n## {title}\n\n```text\n{}\n```\n",
            lines.join("\n").trim_end()
        );
    };
    section("norouter", &root.render_long_help().to_string());
    for name in names {
        if let Some(command) = root.find_subcommand_mut(&name) {
            let help = command
                .clone()
                .term_width(REFERENCE_WIDTH)
                .render_long_help();
            section(&format!("norouter {name}"), &help.to_string());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_belongs_to_up_stands_alone_or_behind_it() {
        let accepted = |args: &[&str]| {
            let args = std::iter::once("norouter").chain(args.iter().copied());
            Cli::try_parse_from(args).and_then(|cli| cli.is_one_thing())
        };
        for good in [
            &[][..],
            &["f.yaml"],
            &["-e"],
            &["-e", "f.yaml"],
            &["--debug", "f.yaml"],
            &["f.yaml", "--debug"],
            &["--debug", "check", "f.yaml"],
            &["check", "--debug", "f.yaml"],
            &["up", "-e", "f.yaml"],
            &["m", "f.yaml"],
        ] {
            assert!(accepted(good).is_ok(), "{good:?}");
        }
        for bad in [
            &["f.yaml", "check"][..],
            &["f.yaml", "up", "f.yaml"],
            &["-e", "up"],
            &["-e", "check", "f.yaml"],
            &["f.yaml", "g.yaml"],
        ] {
            assert!(accepted(bad).is_err(), "{bad:?}");
        }
    }
}
