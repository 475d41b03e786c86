//! Where output goes: data to standard output, messages to standard error. Colours are left out where nobody sees them
//! (no terminal, `NO_COLOR`, `TERM=dumb`).

use std::{
    io::{self, Write as _},
    sync::Mutex,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Writes data that the command was asked for, as it is.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes data that the command was asked for, as JSON.
pub(super) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&format!("{value:#}\n"))
}

/// Writes a line for the person. If even that fails, there is nobody who could be told.
pub(super) fn talk(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Receives the log instead of standard error, while something else is drawn there.
static DIVERTED: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

/// Sends what the program logs to standard error: warnings, and with `debug` everything.
pub(super) fn log(debug: bool) {
    let most = if debug {
        tracing::Level::DEBUG
    } else {
        tracing::Level::WARN
    };
    tracing_subscriber::fmt()
        .with_max_level(most)
        .with_writer(|| Log)
        .with_ansi(false)
        .with_target(false)
        .init();
}

/// Gives the lines of the log to the caller, who shows them, until the receiver is dropped.
pub(super) fn divert_log() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    if let Ok(mut diverted) = DIVERTED.lock() {
        *diverted = Some(sender);
    }
    lines
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
