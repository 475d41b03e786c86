//! Problems as a person reads them: the line of the file, a marker under the place, and the next step.

use std::{borrow::Cow, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::problem::{Problem, Severity, Span};
use crate::text::{escape, is_unsafe};

/// Columns that a report may take; longer lines of the file are cut around the marker.
const WIDTH: usize = 100;

/// All problems, each as a paragraph; with ANSI colours if `styled`.
pub fn render(file_name: &str, text: &str, problems: &[Problem], styled: bool) -> String {
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(WIDTH);
    let file_name = escape(file_name);
    let paragraphs: Vec<String> = problems
        .iter()
        .map(|problem| renderer.render(&[report(&file_name, text, problem)]))
        .collect();
    let mut all = paragraphs.join("\n\n");
    if !all.is_empty() {
        all.push('\n');
    }
    all
}

fn report<'a>(file_name: &'a str, text: &'a str, problem: &'a Problem) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = level
        .primary_title(problem.message.as_str())
        .element(snippet(
            file_name,
            text,
            problem.span,
            AnnotationKind::Primary,
            None,
        ));
    if let Some(related) = &problem.related {
        let label = Some(related.message.as_str());
        group = group.element(snippet(
            file_name,
            text,
            related.span,
            AnnotationKind::Context,
            label,
        ));
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    group
}

/// The line on which the span begins, with the part of the span that is on it.
fn snippet<'a>(
    file_name: &'a str,
    text: &'a str,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let line = line_around(text, span.start.byte);
    let start = span.start.byte - line.start;
    let end = span.end.byte.min(line.end).max(span.start.byte) - line.start;
    Snippet::source(shown(&text[line]))
        .path(file_name)
        .line_start(span.start.line)
        .annotation(kind.span(start..end).label(label))
}

/// The bytes of the line that holds `byte`, without its end and without a byte order mark.
fn line_around(text: &str, byte: usize) -> Range<usize> {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let mut start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    if start == 0 && text.starts_with('\u{feff}') && byte >= '\u{feff}'.len_utf8() {
        start = '\u{feff}'.len_utf8();
    }
    let line = text[byte..].split('\n').next().unwrap_or_default();
    let end = byte + line.len();
    start..(start + text[start..end].trim_end_matches('\r').len()).max(byte)
}

/// The line with each unsafe character that the renderer would let through replaced by one of the same number of
/// bytes, so that places stay right.
fn shown(line: &str) -> Cow<'_, str> {
    let passes = |c: char| c.len_utf8() == 1 || !is_unsafe(c);
    if line.chars().all(passes) {
        return Cow::Borrowed(line);
    }
    let substitute = |c: char| match c.len_utf8() {
        _ if passes(c) => c,
        2 => '\u{b7}',
        _ => '\u{fffd}',
    };
    Cow::Owned(line.chars().map(substitute).collect())
}
