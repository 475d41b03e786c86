//! Turns the indices of characters, as the parser counts them, into places with lines and columns.

use std::ops::Range;

use super::problem::{Position, Span};
use crate::text::{Lookalike, lookalike, meant};

/// The text of a manifest, with the places of its characters.
pub(super) struct Places<'t> {
    /// The text without the byte order mark.
    pub(super) body: &'t str,
    /// The length of the byte order mark in bytes; 0 if the text has none.
    bom: usize,
    /// The byte offset in `body` of each character, and of the end.
    bytes: Vec<usize>,
    /// The index of the character with which each line begins.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let bytes = body
            .char_indices()
            .map(|(byte, _)| byte)
            .chain([body.len()])
            .collect();
        let breaks = body.chars().enumerate().filter(|(_, c)| *c == '\n');
        Self {
            body,
            bom: text.len() - body.len(),
            bytes,
            lines: [0]
                .into_iter()
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
        }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span {
            start: self.position(start),
            end: self.position(end.max(start)),
        }
    }

    pub(super) fn position(&self, character: usize) -> Position {
        let character = character.min(self.bytes.len() - 1);
        let line = self.lines.partition_point(|begin| *begin <= character);
        Position {
            byte: self.bom + self.bytes[character],
            line,
            column: character - self.lines[line - 1] + 1,
        }
    }

    /// The opening bracket of the list or map that begins at this place; `None` if it has no bracket. An anchor, a tag
    /// and comments may stand before the bracket.
    pub(super) fn bracket(&self, beginning: Span) -> Option<Span> {
        let text = self.text(beginning);
        let mut rest = behind_comments(text);
        while rest.starts_with(['&', '!']) {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest = behind_comments(&rest[end..]);
        }
        let at = beginning.start.byte + text.len() - rest.len();
        rest.starts_with(['[', '{']).then(|| self.character(at))
    }

    /// The end of a list or map, from the place that the parser gives. If a comma stands before the closing bracket of
    /// a map, the parser instead gives the place from the comma to the end of its line.
    pub(super) fn closing_bracket(&self, end: Span) -> Span {
        if !self.text(end).starts_with(',') {
            return end;
        }
        let behind = self.body.get(end.start.byte - self.bom + 1..);
        let rest = behind_comments(behind.unwrap_or_default());
        self.character(self.bom + self.body.len() - rest.len())
    }

    /// The character that begins at this byte.
    fn character(&self, byte: usize) -> Span {
        let character = self.bytes.partition_point(|begin| self.bom + begin < byte);
        self.span(character, character + 1)
    }

    /// The characters between these bytes.
    fn between(&self, start: usize, end: usize) -> Span {
        let character = |byte| self.bytes.partition_point(|begin| self.bom + begin < byte);
        self.span(character(start), character(end))
    }

    /// The position itself, or the end of the text if only blanks follow the position.
    pub(super) fn before_final_blanks(&self, character: usize) -> usize {
        let end = self.body.trim_end().chars().count();
        character.min(end)
    }

    /// The name of an anchor that stands above this alias and is similar to the alias's name.
    pub(super) fn anchor_meant(&self, alias: Span) -> Option<&'t str> {
        let (above, from) = self
            .body
            .split_at_checked(alias.start.byte.checked_sub(self.bom)?)?;
        let word = |text: &'t str| {
            let end = |c: char| c.is_whitespace() || ",[]{}".contains(c);
            text.split(end).next().filter(|word| !word.is_empty())
        };
        let anchors = above.split('&').skip(1).filter_map(word);
        meant(word(from.strip_prefix('*')?)?, anchors)
    }

    /// The first tab in front of the first word of a line.
    pub(super) fn tab_in_indentation(&self, line: usize) -> Option<Span> {
        let begin = *self.lines.get(line.checked_sub(1)?)?;
        let white = self.body[self.bytes[begin]..]
            .chars()
            .take_while(|c| *c == ' ' || *c == '\t');
        let tab = white.enumerate().find(|(_, c)| *c == '\t')?.0;
        Some(self.span(begin + tab, begin + tab + 1))
    }

    /// The bytes of a line.
    pub(super) fn line(&self, line: usize) -> Option<Range<usize>> {
        let begin = *self.lines.get(line.checked_sub(1)?)?;
        let end = self.lines.get(line).copied().unwrap_or(usize::MAX);
        Some(self.position(begin).byte..self.position(end).byte)
    }

    /// The byte with which a line begins, and its text without the blanks at its end.
    fn line_text(&self, line: usize) -> Option<(usize, &'t str)> {
        let span = self.line(line)?;
        let bytes = span.start.checked_sub(self.bom)?..span.end - self.bom;
        Some((span.start, self.body.get(bytes)?.trim_end()))
    }

    /// The first of these characters that looks like a blank where YAML needs one: at the beginning of a line, or after
    /// ':' or '-'.
    pub(super) fn strange_blank(&self, bytes: Range<usize>) -> Option<Span> {
        let text = self
            .body
            .get(bytes.start.checked_sub(self.bom)?..bytes.end - self.bom)?;
        let mut before = '\n';
        for (at, c) in text.char_indices() {
            if c == '#' {
                break;
            }
            let is_strange = matches!(lookalike([c]), Some((_, Lookalike::Blank)));
            if is_strange && matches!(before, '\n' | '\r' | ':' | '-') {
                return Some(self.character(bytes.start + at));
            }
            if c != ' ' {
                before = c;
            }
        }
        None
    }

    /// The colon of a line that is only `key:value`. To YAML, such a line has no key, because no blank follows the
    /// colon.
    pub(super) fn key_without_blank(&self, bytes: Range<usize>) -> Option<Span> {
        let text = self
            .body
            .get(bytes.start.checked_sub(self.bom)?..bytes.end - self.bom)?;
        let (key, value) = text.split_once(':')?;
        let is_key = |key: &str| !key.is_empty() && key.chars().all(char::is_alphanumeric);
        let is_glued = value.starts_with(|c: char| !c.is_whitespace() && c != '/');
        let is_all = !value.trim_end().contains([' ', '"', '\'']);
        (is_key(key.trim_start()) && is_glued && is_all)
            .then(|| self.character(bytes.start + key.len()))
    }

    /// Checks whether YAML takes this line for a part of the value above it. YAML does so if the value stands in the
    /// line above, without quotes, and this line begins further right than the key of the value. Returns where this
    /// line begins, and the key.
    pub(super) fn continued(&self, line: usize) -> Option<(Span, Span)> {
        let text = |line| self.line_text(line);
        let is_empty = |line: &str| line.trim_start().is_empty();
        let (here, words) = text(line)?;
        let mut above = (1..line).rev().filter_map(text);
        let (begin, above) = above.find(|(_, above)| !is_empty(above))?;
        let mut rest = above.trim_start_matches(' ');
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start_matches(' ');
        }
        let indent = words.len() - words.trim_start_matches(' ').len();
        let column = above.len() - rest.len();
        let (key, value) = rest.split_once(": ")?;
        let value = value.trim_start();
        let is_plain = !value.is_empty() && !value.starts_with(|c| "\"'[{|>&*!#".contains(c));
        if !is_plain || key.starts_with(['"', '\'', '#', '[', '{']) || indent <= column {
            return None;
        }
        let key = self.between(begin + column, begin + column + key.len());
        Some((self.character(here + indent), key))
    }

    /// Checks whether a line looks like an item of a list although it belongs to the text of the item at `above`.
    /// Returns where the line begins, and the column in which an item would have to begin.
    pub(super) fn swallowed_item(&self, line: usize, above: Span) -> Option<(Span, usize)> {
        let (begin, words) = self.line_text(line)?;
        let rest = words.trim_start_matches(' ');
        let (_, item) = self.line_text(above.start.line)?;
        let before: Vec<char> = item.chars().take(above.start.column - 1).collect();
        let dash = before.iter().rposition(|c| *c == '-')?;
        let span = self.character(begin + words.len() - rest.len());
        rest.starts_with("- ").then_some((span, dash + 1))
    }

    /// The text of a span.
    pub(super) fn text(&self, span: Span) -> &'t str {
        let bytes =
            span.start.byte.saturating_sub(self.bom)..span.end.byte.saturating_sub(self.bom);
        self.body.get(bytes).unwrap_or_default()
    }
}

/// The rest of the text after the blanks, line breaks and comments at its beginning.
fn behind_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with('#') {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        rest = rest[end..].trim_start();
    }
    rest
}
