//! Where words go: standard output is data, standard error is talk. Colours are left out where nobody sees them
//! (no terminal, `NO_COLOR`, `TERM=dumb`).

use std::io::{self, Write as _};

/// Writes what the command was asked for, as it is.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes what the command was asked for, as JSON.
pub(super) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&format!("{value:#}\n"))
}

/// Writes a line for the person. Nobody is told if even that fails.
pub(super) fn talk(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Sends what the program logs to standard error: warnings, and with `debug` everything.
pub(super) fn log(debug: bool) {
    let most = if debug {
        tracing::Level::DEBUG
    } else {
        tracing::Level::WARN
    };
    tracing_subscriber::fmt()
        .with_max_level(most)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}
