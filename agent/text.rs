//! Makes text from outside safe to show. Afterwards, it cannot control the terminal, reorder the text around it, or be
//! invisible. This file also guesses which known word a person has mistyped.

pub mod ascii_name;
pub mod figures;

use std::fmt::Write as _;

/// The maximum number of slips for which a known word is suggested in place of a mistyped one.
const SLIPS_MAX: usize = 2;

/// A word of up to this many characters may have only one slip, because two slips turn nearly any short word into
/// another one.
const SHORT_WORD: usize = 4;

/// The maximum number of characters of a quoted text that are shown.
const QUOTE_MAX: usize = 60;

/// The text with its unsafe characters ([`is_unsafe`]) written as Rust escapes (`\u{1b}`). Line breaks are unsafe, too.
/// All other characters stay as they are.
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

/// The text escaped, between double quotes. A long text is cut.
pub fn quote(text: &str) -> String {
    let short: String = text.chars().take(QUOTE_MAX).collect();
    let rest = if short.len() < text.len() { "..." } else { "" };
    format!("\"{}{rest}\"", escape(&short))
}

/// The whole text escaped, between double quotes. It is never cut, so it is used for text that a person has to judge.
pub fn quote_whole(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// A command as one line, which a shell splits into the same words again. A word with characters that are not safe to
/// show is instead escaped between double quotes. Different words never look the same.
pub fn shell_line(words: &[String]) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    let quoted: Vec<_> = words
        .iter()
        .map(|word| {
            if !word.is_empty() && word.chars().all(bare) {
                return word.clone();
            }
            if word.chars().any(is_unsafe) {
                return quote_whole(word);
            }
            // Quoting fails only for a word with a NUL. Such a word is not safe to show, so it was already handled
            // above.
            shlex::try_quote(word).map_or_else(|_| quote_whole(word), Into::into)
        })
        .collect();
    quoted.join(" ")
}

/// Joins a problem and its remedy, if one is known, into one sentence. All messages with a remedy use this function.
pub fn with_remedy(what: &str, remedy: Option<&str>) -> String {
    match remedy {
        Some(remedy) => format!("{what}; {remedy}"),
        None => what.to_owned(),
    }
}

/// The maximum number of bytes of a line from another program that are shown. The rest is cut off.
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

/// Whether a character is not safe to show: it controls the terminal (C0, DEL, C1), or it is invisible and can reorder
/// text, break lines, or make two different texts look the same.
pub fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let behind = INVISIBLE.partition_point(|(first, _)| *first <= c);
    let range = INVISIBLE[..behind].last();
    c.is_control() || range.is_some_and(|(_, last)| c <= *last)
}

/// The invisible characters, as ranges in order: the general categories Cf (format characters), Zl and Zp (line and
/// paragraph separators), the property `Default_Ignorable_Code_Point` of Unicode 16, and the blank of Braille.
const INVISIBLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// The ASCII character that a lookalike is mistaken for. Lookalikes come from text that was copied from a web page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookalike {
    /// A space.
    Blank,
    /// A quote.
    Quote,
}

/// The first of these characters that looks like an ASCII space or quote but is another character. It is described in
/// words: "a no-break space (U+00A0)".
pub fn lookalike(text: impl IntoIterator<Item = char>) -> Option<(String, Lookalike)> {
    text.into_iter().find_map(|c| {
        let code = u32::from(c);
        match c {
            '\u{a0}' | '\u{202f}' => {
                Some((format!("a no-break space (U+{code:04X})"), Lookalike::Blank))
            }
            '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => {
                Some((format!("a special space (U+{code:04X})"), Lookalike::Blank))
            }
            '\u{2018}'..='\u{201f}' => Some((
                format!("a curly quote ({c}, U+{code:04X})"),
                Lookalike::Quote,
            )),
            _ => None,
        }
    })
}

/// The known word that was probably intended: the one that is most similar to the unknown word. `None` if no known word
/// is similar enough.
pub fn meant<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = unknown.to_lowercase();
    let (distance, nearest) = known
        .into_iter()
        .map(|word| (slips(&lower, &word.to_lowercase()), word))
        .min()?;
    let allowed = match lower.chars().count().min(nearest.chars().count()) {
        0..=1 => 0,
        2..=SHORT_WORD => 1,
        _ => SLIPS_MAX,
    };
    (distance <= allowed).then_some(nearest)
}

/// Pairs of lists. The first list has words that people know from other programs. The second one has the words of this
/// program that mean the same, the best one first.
pub type Synonyms = [(&'static [&'static str], &'static [&'static str])];

/// Like [`meant`]. But if the table `synonyms` has the word, the result is the first of its counterparts that is in
/// `known`.
pub fn meant_or_synonym<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
    synonyms: &Synonyms,
) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let mut rows = synonyms.iter();
    let row = rows.find(|(words, _)| words.iter().any(|word| word.eq_ignore_ascii_case(unknown)));
    let counterparts = row.map_or(&[][..], |(_, counterparts)| counterparts);
    let mut found = counterparts
        .iter()
        .filter_map(|word| known.iter().find(|known| *known == word));
    found
        .next()
        .copied()
        .or_else(|| meant(unknown, known.iter().copied()))
}

/// The number of slips that turn one word into the other (optimal string alignment). A slip is an additional character,
/// a missing or a wrong one, or two neighbours in the wrong order. Words of very different length are not compared;
/// their result is `usize::MAX`.
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > SLIPS_MAX {
        return usize::MAX;
    }
    let mut two_above: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut fewest = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                fewest = fewest.min(two_above[j - 2] + 1);
            }
            row.push(fewest);
        }
        two_above = std::mem::replace(&mut above, row);
    }
    above[b.len()]
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
    fn nothing_is_invisible() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{206f}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fffb}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0020}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            let name = format!("we{c}b");
            assert_eq!(escape(&name), format!("we{}b", c.escape_unicode()));
        }
        for text in [
            "Zürich 東京 Ωμέγα שלום سلام हिन्दी ไทย 🎉",
            "a b\u{a0}c\u{3000}d",
        ] {
            assert_eq!(escape(text), text);
        }
        let in_order = INVISIBLE.windows(2).all(|pair| pair[0].1 < pair[1].0);
        assert!(in_order && INVISIBLE.iter().all(|(first, last)| first <= last));
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
    fn a_lookalike_is_named() {
        let named = |text: &str| lookalike(text.chars());
        assert_eq!(named("a b'\"é"), None);
        let blank = Some(("a no-break space (U+00A0)".into(), Lookalike::Blank));
        assert_eq!(named("a\u{a0}“"), blank);
        let quote = Some(("a curly quote (“, U+201C)".into(), Lookalike::Quote));
        assert_eq!(named("a“\u{a0}"), quote);
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(slips("ports", "ports"), 0);
        assert_eq!(slips("prots", "ports"), 1, "two neighbours are swapped");
        assert_eq!(slips("port", "ports"), 1);
        assert_eq!(slips("pots", "ports"), 1);
        assert_eq!(slips("ca", "abc"), 3, "nothing is edited twice");
        assert_eq!(slips("", "ports"), usize::MAX);
    }

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        assert_eq!(meant("Chek", ["plan", "check"]), Some("check"));
        assert_eq!(meant("stauts", ["start", "status"]), Some("status"));
        assert_eq!(meant("wyh", ["why", "wait"]), Some("why"));
        for short in ["init", "edit", "quit", "man", "ls"] {
            assert_eq!(meant(short, ["wait", "plan", "logs"]), None, "{short}");
        }
        assert_eq!(meant("web", ["plan", "check"]), None);
        assert_eq!(meant("web", []), None);
        assert_eq!(meant("", ["a"]), None);
    }

    #[test]
    fn a_word_of_another_program_means_the_first_counterpart_that_there_is() {
        let synonyms: &Synonyms = &[(&["ps", "list"], &["ls", "status"])];
        let meant = |unknown, known: [&'static str; 2]| meant_or_synonym(unknown, known, synonyms);
        assert_eq!(meant("ps", ["status", "up"]), Some("status"));
        assert_eq!(meant("List", ["status", "ls"]), Some("ls"));
        assert_eq!(meant("sttaus", ["status", "ls"]), Some("status"));
        assert_eq!(meant("ps", ["check", "down"]), None);
    }
}
