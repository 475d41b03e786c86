//! Writes data to standard output, and messages to standard error. Colours are left out if there is no terminal, or
//! with `NO_COLOR` or `TERM=dumb`.

use std::io::{self, Write as _};

/// Writes requested data to standard output, unchanged.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes to a terminal with the sequences that move its cursor.
pub(super) fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes requested data to standard output, as JSON.
pub(super) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&format!("{value:#}\n"))
}

/// Writes a line for the person to standard error. A failure is ignored, because nobody can be told about it.
pub(super) fn talk(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
