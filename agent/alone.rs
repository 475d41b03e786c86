//! The agent alone, without the manager and the user interfaces. This program is sent to hosts that have no agent.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
    process::ExitCode,
};

use norouter::{
    VERSION,
    driver::command::{self, Words},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The message if the arguments are not those with which a manager starts an agent.
const EXPLAINED: &str = "this is only the part of NoRouter that its manager starts on hosts (\"agent --automated\"); \
                         install the whole program to do more with it: https://github.com/norouter/norouter";

/// The exit code for wrong arguments. Each exit code has the same meaning as in the full norouter.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let ["--version" | "-V"] = words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let told = writeln!(io::stdout(), "norouter {VERSION}");
        return told.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let Some(words) = Words::read(&words) else {
        say(EXPLAINED);
        return ExitCode::from(USAGE);
    };
    // Without a subscriber, nothing would be logged.
    let _ = tracing::subscriber::set_global_default(Warnings);
    match command::run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failed) => {
            say(&format!("error: {}", failed.message));
            if let Some(hint) = failed.hint {
                say(&format!("  help: {hint}"));
            }
            ExitCode::from(if failed.is_usage { USAGE } else { 1 })
        }
    }
}

fn say(line: &str) {
    // The manager keeps the lines that are written here. If the manager is gone, nobody can read them, so errors are
    // ignored.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes warnings to standard error, which the manager shows.
struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        say(&format!("{:>5}{}", event.metadata().level(), line.0));
    }

    // Spans are not enabled, so one id serves for all of them.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The text of an event, followed by its values.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
