//! Quotes of what an agent or its command has written.

/// A message quotes at most this many characters of an agent's output.
const QUOTE_MAX: usize = 200;

/// Turns a text from an agent into one line that is safe to show. A long text is cut at its end.
pub(super) fn said(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = crate::text::escape(&line);
    match clean.char_indices().nth(QUOTE_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &clean[..end]),
        None => clean,
    }
}
