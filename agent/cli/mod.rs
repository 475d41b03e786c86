//! The command line. Nearly every command has a file of its own, where the doc comment of `Args` is the command's help.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use clap::{
    CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue},
};

mod addr;
mod agent;
mod amend;
mod answer;
mod approve;
#[cfg(unix)]
mod background;
mod check;
mod check_limits;
mod clean;
mod complete;
mod completions;
mod connect;
mod demo;
mod demo_host;
mod diff;
mod down;
mod edit;
mod env;
mod error;
mod events;
mod exec;
mod figures;
mod flows;
mod fmt;
mod help;
mod host;
mod host_block;
mod host_edit;
mod host_test;
mod hosts;
mod import;
mod init;
mod input;
mod local_time;
mod logging;
mod logs;
mod ls;
mod matrix;
mod misread;
mod open;
mod open_ports;
#[cfg(test)]
mod openapi;
mod output;
mod pick;
mod plan;
mod plan_yaml;
mod port;
mod progress;
mod prompt_line;
mod reach;
mod reload;
mod repeats;
mod route;
mod schema;
mod search;
mod service;
mod show_example;
mod show_installer;
mod status;
mod top;
mod trust;
mod typing;
mod up;
mod wait;
mod way;
mod why;

use crate::{driver::system::stdio, text::meant, view::HostAction};
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
    after_long_help = format!("{}\n\n{}\n\n{}", input::SEARCH_HELP, help::TOPICS, Exit::table()),
    override_usage = "norouter [OPTIONS] [FILE]\n       norouter [OPTIONS] <COMMAND>",
    max_term_width = 100,
    help_template = grouped(),
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
    Init(init::Args),
    Import(import::Args),
    Check(check::Args),
    CheckLimits(check_limits::Args),
    Plan(plan::Args),
    Host(host_edit::Args),
    Port(port::Args),
    Route(route::Args),
    Diff(diff::Args),
    Fmt(fmt::Args),
    #[command(aliases = ["ps", "list"])]
    Ls(ls::Args),
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
    /// Start hosts that were stopped, or that wait to be started again
    Start(host::Args),
    /// Stop hosts of a running network until they are started again
    Stop(host::Args),
    /// End the agents of hosts, and start them again
    Restart(host::Args),
    Addr(addr::Args),
    Connect(connect::Args),
    Open(open::Args),
    Env(env::Args),
    Exec(exec::Args),
    Hosts(hosts::Args),
    Clean(clean::Args),
    Service(service::Args),
    #[command(alias = "show-ex")]
    ShowExample(show_example::Args),
    ShowInstaller(show_installer::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Complete(complete::Args),
    Agent(agent::Args),
    DemoHost(demo_host::HostArgs),
}

/// The commands, grouped by what people do with them, in the order of the help.
const GROUPS: [(&str, &[&str]); 5] = [
    (
        "Run a network",
        &[
            "up", "demo", "down", "reload", "approve", "answer", "start", "stop", "restart",
        ],
    ),
    (
        "Look at a network",
        &["ls", "status", "top", "flows", "events", "logs", "wait"],
    ),
    (
        "Use or repair a network",
        &["why", "addr", "connect", "open", "env", "exec", "hosts"],
    ),
    ("Edit a manifest", &["host", "port", "route", "fmt", "diff"]),
    (
        "Set up",
        &[
            "init",
            "import",
            "check",
            "check-limits",
            "plan",
            "clean",
            "service",
            "show-example",
            "show-installer",
            "schema",
            "completions",
            "help",
        ],
    ),
];

/// The template of the program's help. It lists the commands in groups, which clap cannot do.
fn grouped() -> String {
    let all = Command::augment_subcommands(clap::Command::new("norouter"));
    let about = |name: &str| {
        let found = all.find_subcommand(name).and_then(clap::Command::get_about);
        match found {
            Some(about) => about.to_string(),
            None => {
                "Print this help, the help of a command, or a text (norouter help TOPIC)".to_owned()
            }
        }
    };
    let mut template = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let styles = clap::builder::Styles::styled();
    let head = styles.get_header();
    for (title, names) in GROUPS {
        let _ = write!(template, "\n{head}{title}:{head:#}\n");
        for name in names {
            let _ = writeln!(template, "  {name:15} {}", about(name));
        }
    }
    let _ = write!(
        template,
        "\n{head}Arguments:{head:#}\n{{positionals}}\n\n{head}Options:{head:#}\n{{options}}{{after-help}}"
    );
    template
}

impl Cli {
    /// Fails if an option or FILE of `up` stands before another command. The parser accepts them there because
    /// `norouter FILE` is short for `norouter up FILE`.
    fn is_one_thing(&self) -> Result<(), Error> {
        let Some(first) = self.up.first().filter(|_| self.command.is_some()) else {
            return Ok(());
        };
        let mut words = misread::arguments();
        let place = words.iter().position(|it| commands().contains(it));
        let command = place.map_or_else(String::new, |place| words.remove(place));
        let takes_file = ["up", "check", "plan"].contains(&command.as_str());
        let file = self.up.file().filter(|_| !takes_file);
        let mut is_file = words
            .iter_mut()
            .filter(|word| file == Some(Path::new(word)));
        // A network has the name of its manifest without the extension.
        if let (Some(word), Some(name)) = (is_file.next(), file.and_then(Path::file_stem)) {
            *word = format!("--network {}", name.to_string_lossy());
        }
        let right = format!("{command} {}", words.join(" "));
        let message = format!("{first} stands before the command {command}");
        Err(Error::new(Exit::Usage, message).hint(format!("write: norouter {right}")))
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
    let command_help = |name: &str| {
        let mut all = Cli::command();
        all.build();
        let command = all.find_subcommand_mut(name)?;
        Some(command.render_long_help().to_string())
    };
    let arguments = std::env::args_os().skip(1);
    if let Some(text) = help::asked(arguments, &commands(), command_help) {
        let written = output::data(&text).map_err(Error::from);
        return written.map_or_else(Error::report, |()| Exit::Ok).into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(error),
    };
    if let Err(error) = cli.is_one_thing() {
        return error.report().into();
    }
    // A shell runs this command while the person types, so nothing else may be written to the terminal.
    if let Some(Command::Complete(args)) = &cli.command {
        let _ = complete::run(args, &Cli::command());
        return Exit::Ok.into();
    }
    if let Err(error) = logging::begin(cli.debug) {
        return error.report().into();
    }
    let outcome = match cli.command {
        None if cli.up.first().is_none() => {
            lost_arguments().and_then(|()| up::run(&cli.up, cli.debug, commands))
        }
        None => up::run(&cli.up, cli.debug, commands),
        Some(Command::Up(args)) => up::run(&args, cli.debug, commands),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Check(args)) => check::run(&args, commands),
        Some(Command::CheckLimits(args)) => check_limits::run(&args),
        Some(Command::Plan(args)) => plan::run(&args, commands),
        Some(Command::Host(args)) => host_edit::run(&args, commands),
        Some(Command::Port(args)) => port::run(&args, commands),
        Some(Command::Fmt(args)) => fmt::run(&args, commands),
        Some(Command::Diff(args)) => diff::run(&args, commands),
        Some(Command::Route(args)) => route::run(&args, commands),
        Some(Command::Ls(args)) => ls::run(&args),
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
        Some(Command::Addr(args)) => addr::run(&args),
        Some(Command::Connect(args)) => connect::run(&args),
        Some(Command::Open(args)) => open::run(&args),
        Some(Command::Env(args)) => env::run(&args),
        Some(Command::Exec(args)) => exec::run(&args),
        Some(Command::Hosts(args)) => hosts::run(&args),
        Some(Command::Clean(args)) => clean::run(&args, commands),
        Some(Command::Service(args)) => service::run(&args, commands),
        Some(Command::ShowExample(args)) => show_example::run(&args),
        Some(Command::ShowInstaller(args)) => show_installer::run(&args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Complete(args)) => complete::run(&args, &Cli::command()),
        Some(Command::Agent(args)) => agent::run(&args),
        Some(Command::DemoHost(args)) => demo_host::run(&args),
    };
    outcome.unwrap_or_else(Error::report).into()
}

/// Shows clap's error, or its help. If it is known what the person meant, that is explained instead.
fn refuse(error: clap::Error) -> ExitCode {
    match misread::explained(&error, &misread::arguments(), &commands(), help::SUGGESTED) {
        Some(explained) => explained.report().into(),
        None => without_wrong_tips(error).exit(),
    }
}

/// Removes clap's tips that do not help. One tip explains how to pass an unknown option as a value, which nobody wants
/// here. The others suggest values that have little in common with the typed one.
fn without_wrong_tips(mut error: clap::Error) -> clap::Error {
    error.remove(ContextKind::Suggested);
    let text = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if let (Some(typed), Some(tip)) = (
        text(&error, ContextKind::InvalidValue),
        text(&error, ContextKind::SuggestedValue),
    ) && meant(&typed, [tip.as_str()]).is_none()
    {
        error.remove(ContextKind::SuggestedValue);
    }
    error
}

/// Fails if this process was probably meant to be an agent, but the command that has started it has lost the words
/// after `norouter`. In that case there are no arguments, and the standard streams are pipes, as managers give them to
/// agents. Without this check, the process would run a manifest that happens to be in its folder.
fn lost_arguments() -> Result<(), Error> {
    if std::env::var_os("NOROUTER_FILE").is_some_and(|file| !file.is_empty()) || !stdio::are_pipes()
    {
        return Ok(());
    }
    let message = "nothing is named, and standard input and output are pipes: if the cmd of a manifest has started this, \
                   \"agent --automated\" was lost on the way";
    let hint = "in cmd, write sh -c 'exec norouter \"$0\" \"$@\"' (for su, with -- behind it); to run a manifest in a \
                script, name it: norouter FILE";
    Err(Error::new(Exit::Usage, message).hint(hint))
}

/// The definition of the command line, from which the manual pages are made.
pub fn definition() -> clap::Command {
    Cli::command()
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
            describe(command, &format!("norouter {name}"), &mut section);
        }
    }
    text
}

/// Writes the section of a command, followed by the sections of its subcommands.
fn describe(command: &clap::Command, title: &str, section: &mut impl FnMut(&str, &str)) {
    let mut shown = command.clone().term_width(REFERENCE_WIDTH);
    section(title, &shown.render_long_help().to_string());
    let inner = command.get_subcommands();
    for inner in inner.filter(|inner| inner.get_name() != "help") {
        describe(inner, &format!("{title} {}", inner.get_name()), section);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_in_one_group_of_the_help() {
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).collect();
        grouped.sort_unstable();
        let mut commands = commands();
        commands.push("help".to_owned());
        commands.sort_unstable();
        assert_eq!(grouped, commands.iter().collect::<Vec<_>>());
        let help = Cli::command().render_help().to_string();
        assert!(help.contains("Run a network:\n  up "), "{help}");
    }

    #[test]
    fn a_tip_is_shown_only_if_it_helps() {
        let told = |args: &[&str]| {
            let args = std::iter::once("norouter").chain(args.iter().copied());
            let error = Cli::try_parse_from(args).unwrap_err();
            without_wrong_tips(error).to_string()
        };
        let unknown = told(&["status", "-d"]);
        assert!(unknown.contains("'-d'"), "{unknown}");
        assert!(!unknown.contains("as a value"), "{unknown}");
        let shell = told(&["completions", "tcsh"]);
        assert!(!shell.contains("similar"), "{shell}");
        let slip = told(&["completions", "bahs"]);
        assert!(slip.contains("'bash'"), "{slip}");
        let option = told(&["status", "--netwrok", "x"]);
        assert!(option.contains("'--network'"), "{option}");
    }

    #[test]
    fn a_word_of_another_program_leads_to_a_command_that_there_is() {
        let commands = commands();
        let meant = |word| misread::meant_command(word, &commands);
        for (word, command) in [
            ("stauts", "status"),
            ("wyh", "why"),
            ("new", "init"),
            ("example", "show-example"),
            ("quit", "down"),
            ("kill", "down"),
            ("run", "up"),
            ("doctor", "check"),
            ("ip", "addr"),
            ("proxy", "env"),
            ("delete", "down"),
        ] {
            assert_eq!(meant(word), Some(command), "{word}");
        }
        assert!(["ls", "status"].map(Some).contains(&meant("ps")));
        for word in ["edit", "man", "web1", "norouter.yaml"] {
            assert_eq!(meant(word), None, "{word}");
        }
    }

    #[test]
    fn what_belongs_to_up_stands_alone_or_behind_it() {
        let accepted = |args: &[&str]| {
            let args = std::iter::once("norouter").chain(args.iter().copied());
            let cli = Cli::try_parse_from(args).map_err(|error| error.to_string())?;
            cli.is_one_thing().map_err(|error| error.into_texts().0)
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
