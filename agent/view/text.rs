//! Text from outside, made harmless: what an agent writes must not be able to move a cursor or hide a word.

/// The longest line that is shown, in bytes.
pub const LINE_MAX: usize = 4 << 10;

/// `text` with control characters and marks that change the direction of writing replaced by their escapes, cut at
/// [`LINE_MAX`] bytes.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LINE_MAX));
    for c in text.chars() {
        if out.len() >= LINE_MAX {
            out.push('\u{2026}');
            break;
        }
        if c == '\t' {
            out.push(c);
        } else if c.is_control() || is_directional(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Like [`clean`], of bytes that may not be UTF-8.
pub fn clean_bytes(bytes: &[u8]) -> String {
    // Four bytes make one character at most, so nothing beyond this can be shown.
    let shown = bytes.get(..4 * LINE_MAX).unwrap_or(bytes);
    clean(&String::from_utf8_lossy(shown))
}

/// The formatting characters of Unicode's bidirectional algorithm (UAX #9, section 2).
const fn is_directional(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_cannot_reach_the_terminal() {
        assert_eq!(clean("\u{1b}[2Jhi\u{7}\r"), "\\u{1b}[2Jhi\\u{7}\\u{d}");
        assert_eq!(clean("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(clean("abc\u{202e}fed"), "abc\\u{202e}fed");
        assert_eq!(clean("tab\tand \u{fc}"), "tab\tand \u{fc}");
    }

    #[test]
    fn a_line_without_end_has_one() {
        let long = "x".repeat(LINE_MAX * 3);
        assert_eq!(clean(&long).chars().count(), LINE_MAX + 1);
        assert!(clean_bytes(&vec![0xff; 100_000]).len() < LINE_MAX + 8);
    }
}
