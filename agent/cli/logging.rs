//! Sets up the program's own log: the level, from `--debug` and `NOROUTER_LOG`, and the destination.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    sync::Mutex,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    error::{Error, Exit},
    local_time::Clock,
};

/// Receives the log in place of standard error while something is drawn there. `None` while nothing is drawn.
static DIVERTED: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

/// The environment variable with the level for each part of the program.
const FILTER: &str = "NOROUTER_LOG";

/// The first part of all log targets.
const PROGRAM: &str = "norouter";

/// Starts logging to standard error: warnings, more with `debug`, and whatever `NOROUTER_LOG` selects.
pub(super) fn begin(debug: bool) -> Result<(), Error> {
    let filter = std::env::var_os(FILTER).unwrap_or_default();
    let filter = filter.to_string_lossy();
    let targets = targets(debug, &filter)?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Log)
        .with_ansi(false)
        .with_timer(Times {
            for_person: io::stderr().is_terminal(),
        })
        .with_target(!filter.is_empty());
    let log = tracing_subscriber::registry().with(lines).with(targets);
    log.init();
    Ok(())
}

fn targets(debug: bool, filter: &str) -> Result<Targets, Error> {
    let mut targets = Targets::new().with_default(LevelFilter::WARN);
    if debug {
        targets = targets.with_target(PROGRAM, LevelFilter::DEBUG);
    }
    if filter.is_empty() {
        return Ok(targets);
    }
    let wrong = || {
        let message = format!("{FILTER} is not a list of targets and levels: {filter}");
        let example = format!("{FILTER}={PROGRAM}::link=debug,{PROGRAM}::edge=trace");
        Error::new(Exit::Usage, message).hint(format!("write for example {example}"))
    };
    // An empty part is refused here, because the parser would read it as a level.
    if filter.split(',').any(str::is_empty) {
        return Err(wrong());
    }
    let asked: Targets = filter.parse().map_err(|_| wrong())?;
    if let Some(level) = asked.default_level() {
        targets = targets.with_default(level);
    }
    for (target, level) in &asked {
        let rest = target.strip_prefix(PROGRAM).ok_or_else(wrong)?;
        if !rest.is_empty() && !rest.starts_with("::") {
            return Err(wrong());
        }
        targets = targets.with_target(target, level);
    }
    Ok(targets)
}

/// Sends the log to the caller instead of standard error, until the receiver is dropped.
pub(super) fn divert() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    if let Ok(mut diverted) = DIVERTED.lock() {
        *diverted = Some(sender);
    }
    lines
}

/// Writes the time of each log line: in the time zone of the person on a terminal, and otherwise in UTC.
struct Times {
    for_person: bool,
}

impl FormatTime for Times {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        if !self.for_person {
            return SystemTime.format_time(w);
        }
        let clock = Clock::now();
        let now_ms = clock.now_ms();
        write!(w, "{}.{:03}", clock.shown(now_ms), now_ms % 1_000)
    }
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = || String::from_utf8_lossy(bytes).trim_end().to_owned();
        let taken = DIVERTED.lock().is_ok_and(|diverted| {
            diverted
                .as_ref()
                .is_some_and(|lines| lines.send(text()).is_ok())
        });
        if !taken {
            io::stderr().write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_chooses_parts_of_the_program_and_one_that_is_not_understood_is_refused() {
        let logs = |debug, filter: &str, target: &str, level| {
            let targets = targets(debug, filter).unwrap();
            targets.would_enable(target, &level)
        };
        assert!(logs(false, "", "norouter::link", Level::WARN));
        assert!(!logs(false, "", "norouter::link", Level::INFO));
        assert!(logs(true, "", "norouter::link", Level::DEBUG));
        assert!(!logs(true, "", "norouter::link", Level::TRACE));
        assert!(!logs(true, "", "hyper", Level::DEBUG));
        let filter = "norouter::link=debug,norouter::edge=trace";
        assert!(logs(false, filter, "norouter::link", Level::DEBUG));
        assert!(!logs(false, filter, "norouter::link", Level::TRACE));
        assert!(logs(false, filter, "norouter::edge", Level::TRACE));
        assert!(!logs(false, filter, "norouter::flow", Level::DEBUG));
        assert!(logs(true, filter, "norouter::flow", Level::DEBUG));
        assert!(logs(false, "trace", "norouter::flow", Level::TRACE));
        for wrong in [
            "norouter::link=loud",
            "link=debug",
            "lots",
            "norouters",
            ",",
        ] {
            assert!(targets(false, wrong).is_err(), "{wrong}");
        }
    }
}
