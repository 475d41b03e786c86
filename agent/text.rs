//! Text from outside, made safe to show: it can neither move a cursor nor reorder what a person reads.

use std::fmt::Write as _;

/// The largest number of edits between what was written and what may have been meant.
const TYPO_EDITS_MAX: usize = 2;

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

/// The whole text escaped, between double quotes: for words that a person is to judge.
pub fn quote_whole(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// The longest line from outside that is shown, in bytes.
pub const LINE_MAX: usize = 4 << 10;

/// A line that need not be UTF-8, escaped and cut at about [`LINE_MAX`] bytes.
pub fn escape_line(line: &[u8]) -> String {
    let shown = line.get(..LINE_MAX).unwrap_or(line);
    let mut safe = escape(&String::from_utf8_lossy(shown));
    if shown.len() < line.len() || safe.len() > LINE_MAX {
        safe.truncate(safe.floor_char_boundary(LINE_MAX));
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

/// A time span in milliseconds, in its largest unit: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..10 => format!("{seconds}.{} s", millis % 1_000 / 100),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The known word that an unknown one was probably meant to be: the nearest, if it is near enough to be a slip.
pub fn meant<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = unknown.to_lowercase();
    let (distance, nearest) = known
        .into_iter()
        .map(|word| (edits(&lower, &word.to_lowercase()), word))
        .min()?;
    (distance <= TYPO_EDITS_MAX.min(nearest.len() / 2)).then_some(nearest)
}

/// How many characters have to be inserted, removed or replaced to turn one word into the other (Levenshtein); words of
/// very different length are not compared.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.chars().count().abs_diff(b.len()) > TYPO_EDITS_MAX {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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
        assert!(escape_line(&vec![0x1b; 100_000]).len() < LINE_MAX + 8);
        assert_eq!(escape_line(b"\xff\x07"), "\u{fffd}\\u{7}");
    }

    #[test]
    fn a_long_quotation_is_cut_at_a_character() {
        let quoted = quote(&"é".repeat(100));
        assert_eq!(quoted, format!("\"{}...\"", "é".repeat(QUOTE_MAX)));
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("ports", "ports"), 0);
        assert_eq!(edits("prots", "ports"), 2);
        assert_eq!(edits("port", "ports"), 1);
        assert_eq!(edits("", "ports"), usize::MAX);
    }

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        assert_eq!(meant("Chek", ["plan", "check"]), Some("check"));
        assert_eq!(meant("web", ["plan", "check"]), None);
        assert_eq!(meant("web", []), None);
    }
}
