//! Text from outside, made safe to show: it can neither move a cursor nor reorder what a person reads.

use std::fmt::Write as _;

/// How many characters of a quoted text are shown.
const QUOTE_MAX: usize = 60;

/// The text with every character that a terminal would obey, or that would reorder the text around it, written
/// as a Rust escape (`\u{1b}`). Everything else, line breaks excepted, stays as it is.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            let _ = write!(safe, "{}", c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The text escaped, between double quotes, and cut where it is long.
pub fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTE_MAX).collect();
    let rest = if short.len() < text.len() { "..." } else { "" };
    format!("\"{}{rest}\"", escape(&short))
}

/// The longest line from outside that is shown, in bytes.
pub const LINE_MAX: usize = 4 << 10;

/// A line that need not be UTF-8, escaped and cut at about [`LINE_MAX`] bytes.
pub fn escape_line(line: &[u8]) -> String {
    let shown = line.get(..LINE_MAX).unwrap_or(line);
    let mut safe = escape(&String::from_utf8_lossy(shown));
    if shown.len() < line.len() {
        safe.push_str(" ...");
    }
    safe
}

/// Whether a terminal would obey this character (C0, DEL, C1), or it is invisible and changes the order or the
/// lines of the text around it (Unicode UAX 9 controls, line and paragraph separators).
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        )
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_was_escaped() {
        assert_eq!(escape("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(escape("\u{9b}31m\u{202e}x\n"), "\\u{9b}31m\\u{202e}x\\n");
        assert_eq!(escape("Zürich 東京"), "Zürich 東京");
    }

    #[test]
    fn a_line_without_end_has_one() {
        assert!(escape_line(&vec![b'x'; 100_000]).len() < LINE_MAX + 8);
        assert_eq!(escape_line(b"\xff\x07"), "\u{fffd}\\u{7}");
    }

    #[test]
    fn a_long_quotation_is_cut_at_a_character() {
        let quoted = quote(&"é".repeat(100));
        assert_eq!(quoted, format!("\"{}...\"", "é".repeat(QUOTE_MAX)));
    }
}
