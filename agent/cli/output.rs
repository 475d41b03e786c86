//! Writes data to standard output, and messages to standard error. Colours are left out if there is no terminal, or
//! with `NO_COLOR` or `TERM=dumb`.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

/// Writes requested data to standard output, unchanged.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes to a terminal. Sequences that move its cursor are kept.
pub(super) fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes requested data to standard output, as JSON.
pub(super) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&escaped(&format!("{value:#}\n")))
}

/// Escapes the control characters U+007F to U+009F of JSON. They occur only in strings, where JSON permits them
/// unescaped. But `data` would remove U+007F, and a terminal may obey the others.
pub(super) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if matches!(c, '\u{7f}'..='\u{9f}') {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Writes a line for the person to standard error. A failure is ignored, because nobody can be told about it.
pub(super) fn talk(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_a_terminal_means_the_same_and_has_no_control_character() {
        let value = serde_json::json!({"w\u{7f}X": ["\u{9b}2J", "é\u{1}\\"]});
        let text = escaped(&format!("{value:#}\n"));
        assert!(
            text.contains(r"w\u007fX") && text.contains(r"\u009b2J"),
            "{text}"
        );
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
        // The escaped text contains no escape sequence that could be removed.
        let stripped = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(stripped, text);
    }
}
