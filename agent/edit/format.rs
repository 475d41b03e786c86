//! Writes the same manifest in the usual form. Only bytes without a meaning change, each at its place.

use std::ops::Range;

use super::{
    apply::{Applied, Reading},
    refusal::Refusal,
    splice::{Splice, newline, spliced},
    write,
};
use crate::{
    manifest::{
        addresses::addresses,
        source::{Kind, Node, Source},
        value::Value,
    },
    text::figures::counted,
};

/// The characters that are removed from the ends of lines.
const BLANKS: [char; 2] = [' ', '\t'];
/// The characters that are removed from the end of a text.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The text with its ports and addresses between double quotes, with the same line break everywhere, without blanks at
/// the ends of lines, and with one line break at its end. Its content is the same.
pub fn formatted(text: &str) -> Result<Applied, Refusal> {
    let before = Reading::of(text)?;
    let source = &before.source;
    let (kept, is_end_kept) = kept(source);
    let quotes = quotes(source);
    let lines = Lines::of(text, &kept, is_end_kept);
    let also = [
        (quotes.len(), "value", "in double quotes"),
        (lines.blanks.len(), "line", "without blanks at the end"),
        (
            lines.breaks.len(),
            "line",
            "with the line break of the first line",
        ),
        (lines.end.len(), "line break", "at the end of the file"),
    ];
    let also = also.into_iter().filter(|(number, ..)| *number > 0);
    let also = also.map(|(number, noun, how)| format!("{} {how}", counted(number, noun)));
    let also = also.collect();
    let mut splices = quotes;
    splices.extend(lines.blanks);
    splices.extend(lines.breaks);
    splices.extend(lines.end);
    splices.sort_by_key(|splice| splice.range.start);
    let text = spliced(text, &splices);
    if Reading::of(&text)?.content != before.content {
        return Err(Refusal::Differs);
    }
    Ok(Applied {
        text,
        splices,
        changed: Vec::new(),
        also,
    })
}

/// The ranges in which blanks at the ends of lines stay, because a text over several lines is written there, and
/// whether the end of the file belongs to such a text.
fn kept(source: &Source) -> (Vec<Range<usize>>, bool) {
    let text = &source.text;
    let mut kept = Vec::new();
    for (_, node) in source.nodes() {
        if !matches!(node.kind, Kind::Scalar { .. }) {
            continue;
        }
        let mut range = node.inner..node.span.end;
        if text[range.clone()].starts_with(['|', '>']) {
            // Blank lines below such a text can belong to it.
            let rest = text[range.end..].trim_start_matches(WHITE);
            range.end = text.len() - rest.len();
        }
        if text[range.clone()].contains('\n') || range.end == text.len() {
            kept.push(range);
        }
    }
    kept.sort_by_key(|range| range.start);
    let is_block = |range: &Range<usize>| text[range.start..].starts_with(['|', '>']);
    let last = kept.last().filter(|last| last.end == text.len());
    let is_end_kept = last.is_some_and(is_block);
    (kept, is_end_kept)
}

/// The changes that put ports and addresses between double quotes. Values with a tag or over several lines stay.
fn quotes(source: &Source) -> Vec<Splice> {
    let text = &source.text;
    let is_plain = |node: &&Node| {
        let marks = &text[node.span.start..node.inner];
        let written = &text[node.inner..node.span.end];
        !marks.contains('!') && !written.starts_with('"') && !written.contains('\n')
    };
    let found = addresses(source).into_iter().filter_map(|id| {
        let node = Some(source.node(id)).filter(is_plain)?;
        let Value::Text(value) = source.value(id) else {
            return None;
        };
        let new = write::scalar(&value);
        let range = node.inner..node.span.end;
        new.starts_with('"').then_some(Splice { range, text: new })
    });
    found.collect()
}

/// The changes of the ends of lines.
struct Lines {
    blanks: Vec<Splice>,
    breaks: Vec<Splice>,
    end: Vec<Splice>,
}

impl Lines {
    fn of(text: &str, kept: &[Range<usize>], is_end_kept: bool) -> Self {
        let newline = newline(text);
        let mut lines = Self {
            blanks: Vec::new(),
            breaks: Vec::new(),
            end: Vec::new(),
        };
        let last = if is_end_kept {
            text.len()
        } else {
            text.trim_end_matches(WHITE).len()
        };
        let is_kept = |at: usize| {
            let next = kept.partition_point(|range| range.start <= at);
            let before = next.checked_sub(1).and_then(|before| kept.get(before));
            before.is_some_and(|range| at < range.end)
        };
        let splice = |range: Range<usize>, new: &str| Splice {
            range,
            text: new.to_owned(),
        };
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            let (from, end) = (begin + bare.len(), begin + line.len());
            begin = end;
            if from >= last {
                break;
            }
            let words = bare.trim_end_matches(BLANKS);
            let at = from - bare.len() + words.len();
            if words != bare && !is_kept(at) {
                lines.blanks.push(splice(at..from, ""));
            }
            if from < end && text[from..end] != *newline {
                lines.breaks.push(splice(from..end, newline));
            }
        }
        if !is_end_kept && text[last..] != *newline {
            lines.end.push(splice(last..text.len(), newline));
        }
        lines
    }
}
