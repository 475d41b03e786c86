//! Writes data to standard output, and messages to standard error. Colours are left out if a terminal would not show
//! them (no terminal, `NO_COLOR`, `TERM=dumb`).

use std::io::{self, Write as _};

/// Writes the output of a command unchanged.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes the output of a command as JSON.
pub(super) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&format!("{value:#}\n"))
}

/// Writes a line for the person. If that fails, the person cannot be told.
pub(super) fn talk(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
