//! Problems as a person reads them: the line of the file, a marker under the place, and the next step.

use std::{borrow::Cow, ops::Range};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::problem::{Problem, Severity, Span};
use crate::text::{escape, is_unsafe};

/// The maximum width of a report, in columns. Longer lines of the file are cut around the marker.
const WIDTH: usize = 100;

/// The number of bytes before and after a place that the renderer gets of a very long line.
const LINE_PART: usize = 1_000;

/// All problems, each as a paragraph. The text has ANSI colours if `styled` is true.
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
    let title = level.primary_title(problem.message.as_str());
    let primary = place(file_name, text, problem.span, AnnotationKind::Primary, None);
    let mut group = title.elements(primary);
    if let Some(related) = &problem.related {
        let label = Some(related.message.as_str());
        group = group.elements(place(
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

/// The line on which the span begins, with the part of the span that is on this line. The renderer's work grows with
/// the length of the line, so from a very long line it gets only the text around the span.
fn place<'a>(
    file_name: &'a str,
    text: &'a str,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Vec<Element<'a>> {
    // The renderer slices the line at these positions, so both ends must be on the line and between characters.
    let line = line_around(text, span.start.byte);
    let start = text
        .floor_char_boundary(span.start.byte)
        .clamp(line.start, line.end);
    let end = text
        .ceil_char_boundary(span.end.byte)
        .clamp(start, line.end);
    let from = text.floor_char_boundary(start.saturating_sub(LINE_PART));
    let to = text.ceil_char_boundary((start + LINE_PART).min(line.end));
    let part = if line.len() <= 2 * LINE_PART {
        line.clone()
    } else {
        from.max(line.start)..to
    };
    let marked = start - part.start..end.min(part.end) - part.start;
    let snippet = Snippet::source(shown(&text[part.clone()]))
        .line_start(span.start.line)
        .annotation(kind.span(marked).label(label));
    if part.start == line.start {
        return vec![snippet.path(file_name).into()];
    }
    let origin = Origin::path(file_name)
        .line(span.start.line)
        .char_column(span.start.column);
    vec![origin.into(), snippet.into()]
}

/// The range of the line that contains `byte`, without its line break and without a byte order mark.
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

/// The line with its unsafe characters replaced, and with the password of `sshpass` masked. Characters that the
/// renderer itself replaces are left in place. Each replacement has as many bytes as what it replaces, so that
/// positions in the line stay correct.
fn shown(line: &str) -> Cow<'_, str> {
    let passes = |c: char| c.len_utf8() == 1 || !is_unsafe(c);
    if let Some(password) = password(line) {
        let (before, after) = (&line[..password.start], &line[password.end..]);
        let masked = format!("{before}{}{after}", "*".repeat(password.len()));
        return Cow::Owned(shown(&masked).into_owned());
    }
    if line.chars().all(passes) {
        return Cow::Borrowed(line);
    }
    let substitute = |c: char| match c.len_utf8() {
        _ if passes(c) => c,
        2 => '\u{b7}',
        3 => '\u{fffd}',
        _ => '\u{1f785}',
    };
    Cow::Owned(line.chars().map(substitute).collect())
}

/// The part of a line that is the password after `sshpass -p`; `None` if it is already masked. The command on the line
/// may be one string or a YAML list of words.
fn password(line: &str) -> Option<Range<usize>> {
    let program = line.find("sshpass")?;
    let is_end = |c: char| c.is_whitespace() || ",'\"".contains(c);
    let option = line[program..]
        .match_indices("-p")
        .find(|(at, _)| line[..program + at].ends_with(is_end))?;
    let after = program + option.0 + option.1.len();
    let start = after + line[after..].find(|c| !is_end(c))?;
    // A password with blanks is between quotes.
    let quote = line[..start]
        .chars()
        .next_back()
        .filter(|c| "'\"".contains(*c));
    let length = match quote {
        Some(quote) => line[start..].find(quote),
        None => line[start..].find(|c: char| is_end(c) || c == ']'),
    };
    let end = length.map_or(line.len(), |length| start + length);
    let is_masked = line[start..end].chars().all(|c| c == '*');
    (!is_masked).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_line_is_masked_at_its_length() {
        for (line, masked) in [
            (
                "    cmd: \"sshpass -p hunter2 ssh -p 22 web1\"",
                "    cmd: \"sshpass -p ******* ssh -p 22 web1\"",
            ),
            ("cmd: sshpass -phunter2 ssh", "cmd: sshpass -p******* ssh"),
            (
                "cmd: [sshpass, -p, hunter2, ssh]",
                "cmd: [sshpass, -p, *******, ssh]",
            ),
            (
                "cmd: \"sshpass -p 'ä b' ssh web1\"",
                "cmd: \"sshpass -p '****' ssh web1\"",
            ),
            ("cmd: sshpass -e ssh web1", "cmd: sshpass -e ssh web1"),
            ("cmd: sshpass -p", "cmd: sshpass -p"),
            ("cmd: ssh -p 22 web1", "cmd: ssh -p 22 web1"),
        ] {
            assert_eq!(shown(line), masked, "{line}");
        }
    }

    #[test]
    fn a_character_that_is_replaced_keeps_its_length() {
        for c in '\u{80}'..=char::MAX {
            let line = c.to_string();
            let shown = shown(&line);
            assert_eq!(shown.len(), line.len(), "{c:?}");
            assert!(!shown.chars().any(is_unsafe), "{c:?}");
        }
    }
}
