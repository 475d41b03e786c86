//! Where output goes: data to standard output, messages to standard error. Colours are left out where nobody sees them
//! (no terminal, `NO_COLOR`, `TERM=dumb`).

use std::io::{self, Write as _};

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
