//! Indents lines inside brackets that are too far left for the parser. In YAML, such lines have to be further right
//! than the key above them. But nearly all programs read and write a closing bracket in the column of its key. The
//! search for these lines knows YAML only roughly, so its result must be compared with what the parser finds.

use super::tree::SIZE_MAX_BYTES;

/// A text in which some lines were indented further.
pub(super) struct Indented {
    pub(super) text: String,
    /// The lines that were indented, in order.
    lines: Vec<Line>,
}

/// A line that was indented further.
struct Line {
    /// The index of the character with which the line begins in the original text.
    begin: usize,
    /// The index of the same character in the indented text. It stands after the new blanks.
    moved: usize,
}

impl Indented {
    /// The index of a character in the original text, from its index in the indented text.
    pub(super) fn original(&self, character: usize) -> usize {
        let next = self.lines.partition_point(|line| line.moved <= character);
        let last = next.checked_sub(1).and_then(|last| self.lines.get(last));
        let original = last.map_or(character, |line| line.begin + (character - line.moved));
        // The new blanks count as the beginning of their line.
        self.lines
            .get(next)
            .map_or(original, |line| original.min(line.begin))
    }

    /// The indices at which the indented lines begin in the original text.
    pub(super) fn begins(&self) -> impl Iterator<Item = usize> {
        self.lines.iter().map(|line| line.begin)
    }
}

/// The text in which lines inside brackets are indented; `None` if no line has to be indented, or if far too many
/// blanks would be needed.
pub(super) fn indent(text: &str) -> Option<Indented> {
    let mut search = Search {
        text: text.chars().collect(),
        at: 0,
        found: Vec::new(),
    };
    search.document();
    let blanks: usize = search.found.iter().map(|(_, blanks)| blanks).sum();
    if search.found.is_empty() || blanks > SIZE_MAX_BYTES {
        return None;
    }
    let mut indented = String::with_capacity(text.len() + blanks);
    let mut lines = Vec::with_capacity(search.found.len());
    let (mut copied, mut added) = (0, 0);
    for (begin, blanks) in search.found {
        indented.extend(search.text.get(copied..begin)?);
        indented.extend(std::iter::repeat_n(' ', blanks));
        (copied, added) = (begin, added + blanks);
        lines.push(Line {
            begin,
            moved: begin + added,
        });
    }
    indented.extend(search.text.get(copied..)?);
    Some(Indented {
        text: indented,
        lines,
    })
}

struct Search {
    text: Vec<char>,
    /// The index in `text` of the next character.
    at: usize,
    /// The beginnings of the lines that need more blanks, and how many blanks each needs.
    found: Vec<(usize, usize)>,
}

impl Search {
    fn document(&mut self) {
        while self.peek(0).is_some() {
            self.block_line();
        }
    }

    /// Skips a line outside of brackets, together with everything that begins in it and continues below.
    fn block_line(&mut self) {
        let begin = self.at;
        self.skip_while(|c| c == ' ');
        let indentation = self.at - begin;
        while matches!(self.peek(0), Some('-' | '?' | ':')) && self.is_blank(1) {
            self.at += 1;
            self.skip_while(is_blank);
        }
        let key_column = self.at - begin;
        let (mut is_value, mut is_plain) = (false, false);
        loop {
            self.skip_while(is_blank);
            match self.peek(0) {
                None => return,
                Some('\n' | '\r') => {
                    self.skip_break();
                    if is_value && is_plain {
                        self.plain_below(key_column);
                    }
                    return;
                }
                Some('#') => self.skip_while(|c| !is_break(c)),
                Some('&' | '*' | '!') => self.skip_while(|c| !is_blank(c) && !is_break(c)),
                Some('[' | '{') => self.brackets(key_column + 2),
                Some(quote @ ('"' | '\'')) => self.quoted(quote, None),
                Some('|' | '>') => return self.block_text(indentation),
                Some(':') => {
                    (is_value, is_plain) = (true, false);
                    self.at += 1;
                }
                Some(_) => {
                    is_plain = true;
                    self.plain();
                }
            }
        }
    }

    /// Skips the lines that continue a text without quotes. These are the lines below it that are indented further than
    /// its key.
    fn plain_below(&mut self, key_column: usize) {
        loop {
            let begin = self.at;
            self.skip_while(|c| c == ' ');
            let is_below = self.at - begin > key_column && self.peek(0) != Some('#');
            if self.peek(0).is_none() || !(is_below || self.peek(0).is_some_and(is_break)) {
                self.at = begin;
                return;
            }
            self.skip_while(|c| !is_break(c));
            self.skip_break();
        }
    }

    /// Skips a text without quotes, up to the ':' after a key, to a comment or to the end of the line.
    fn plain(&mut self) {
        while let Some(c) = self.peek(0) {
            let is_comment = is_blank(c) && self.peek(1) == Some('#');
            if is_break(c) || is_comment || (c == ':' && self.is_blank(1)) {
                return;
            }
            self.at += 1;
        }
    }

    /// Skips a text that begins with `|` or `>`. Its lines are indented further than the line with this sign.
    fn block_text(&mut self, indentation: usize) {
        self.skip_while(|c| !is_break(c));
        self.skip_break();
        let mut least = indentation + 1;
        let mut is_first = true;
        loop {
            let begin = self.at;
            self.skip_while(|c| c == ' ');
            let column = self.at - begin;
            match self.peek(0) {
                None => return,
                Some('\n' | '\r') => {}
                Some(_) if column < least => {
                    self.at = begin;
                    return;
                }
                Some(_) if is_first => (least, is_first) = (column, false),
                Some(_) => {}
            }
            self.skip_while(|c| !is_break(c));
            self.skip_break();
        }
    }

    /// Skips everything from a bracket to the one that closes it, and notes the lines that begin left of `column`.
    fn brackets(&mut self, column: usize) {
        let mut depth = 0_usize;
        // Whether a text may begin here. In any other place, a quote is a part of a text.
        let mut at_begin = true;
        while let Some(c) = self.peek(0) {
            match c {
                '[' | '{' => {
                    (depth, at_begin) = (depth + 1, true);
                    self.at += 1;
                }
                ']' | '}' => {
                    (depth, at_begin) = (depth.saturating_sub(1), true);
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
                '\n' | '\r' => {
                    self.skip_break();
                    if !self.line_inside(column) {
                        return;
                    }
                }
                '#' if at_begin || self.is_behind_blank() => self.skip_while(|c| !is_break(c)),
                '"' | '\'' if at_begin => self.quoted(c, Some(column)),
                '&' | '*' | '!' if at_begin => {
                    self.skip_while(|c| !is_blank(c) && !is_break(c) && !"[]{},".contains(c));
                }
                ',' => (self.at, at_begin) = (self.at + 1, true),
                ':' => {
                    at_begin |= self.is_blank(1);
                    self.at += 1;
                }
                _ => {
                    at_begin &= is_blank(c) || (matches!(c, '-' | '?') && self.is_blank(1));
                    self.at += 1;
                }
            }
        }
    }

    /// Skips a text between quotes. Inside brackets, notes its lines that begin left of `column`.
    fn quoted(&mut self, quote: char, column: Option<usize>) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            if is_break(c) {
                self.skip_break();
                if column.is_some_and(|column| !self.line_inside(column)) {
                    return;
                }
                continue;
            }
            self.at += 1;
            if c == quote {
                if c == '"' || self.peek(0) != Some('\'') {
                    return;
                }
                self.at += 1;
            } else if c == '\\' && quote == '"' && !self.peek(0).is_some_and(is_break) {
                self.at += 1;
            }
        }
    }

    /// Skips the blanks before a line inside brackets, and notes the line if it begins left of `column`. Returns false
    /// if the line ends the document, and the brackets with it.
    fn line_inside(&mut self, column: usize) -> bool {
        let begin = self.at;
        let marker = self.text.get(begin..begin + 3);
        if (marker == Some(&['-'; 3]) || marker == Some(&['.'; 3])) && self.is_blank(3) {
            return false;
        }
        self.skip_while(|c| c == ' ');
        let is_empty = self.peek(0).is_none_or(is_break);
        let blanks = column.saturating_sub(self.at - begin);
        if blanks > 0 && !is_empty {
            self.found.push((begin, blanks));
        }
        true
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    /// Whether a blank, a line break or the end of the text is `ahead` characters further.
    fn is_blank(&self, ahead: usize) -> bool {
        self.peek(ahead).is_none_or(|c| is_blank(c) || is_break(c))
    }

    fn is_behind_blank(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
        before.is_none_or(|c| is_blank(*c) || is_break(*c))
    }

    fn skip_while(&mut self, fits: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&fits) {
            self.at += 1;
        }
    }

    fn skip_break(&mut self) {
        if self.peek(0) == Some('\r') && self.peek(1) == Some('\n') {
            self.at += 1;
        }
        self.at += 1;
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

fn is_break(c: char) -> bool {
    c == '\n' || c == '\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(text: &str) -> String {
        indent(text).map_or_else(|| text.to_owned(), |indented| indented.text)
    }

    #[test]
    fn lines_inside_brackets_go_to_the_right_of_their_key() {
        assert_eq!(
            indented("a:\n  b: [\n  x,\n# [\n\n  'y\n  ]', it's\n  ]\n  c: d\n"),
            "a:\n  b: [\n    x,\n    # [\n\n    'y\n    ]', it's\n    ]\n  c: d\n"
        );
        assert_eq!(
            indented("- k: {\r\n  l: \"\\\"}\",\r\n  }\r\n- [\n]"),
            "- k: {\r\n    l: \"\\\"}\",\r\n    }\r\n- [\n    ]"
        );
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for text in [
            "a: |\n  b: [\n  ]\nc: x[\nd: 'it''s [\n  ]'\n# [\ne: \"[\\\"\n\"\n",
            "a: [\n      b,\n      c]\n",
            "a: b\n  [c\n  d]\n\ne:\n  - f: [\n          g ]\n",
            "- a: >2\n    b: [\n  c: [ d ] # [\n",
            "a: [\n---\nb: c\n",
        ] {
            assert_eq!(indented(text), text);
        }
    }

    #[test]
    fn every_character_is_found_again() {
        let text = "é: [\n]\nb: {\nc: d}";
        let indented = indent(text).unwrap();
        let original: Vec<char> = text.chars().collect();
        let mut seen = 0;
        for (at, c) in indented.text.chars().enumerate() {
            let back = indented.original(at);
            if original[back] == c && back >= seen {
                seen = back;
            } else {
                assert!(
                    c == ' ' && indented.begins().any(|begin| begin == back),
                    "{at}"
                );
            }
        }
        let end = indented.text.chars().count();
        assert_eq!(indented.original(end), original.len());
    }

    #[test]
    fn what_would_grow_without_bound_is_left_alone() {
        let wide = format!("{}a: [\n{}", " ".repeat(20_000), "x\n".repeat(1_000));
        assert!(indent(&wide).is_none());
    }
}
