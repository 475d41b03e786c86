//! A text that is read once, although many checks look at it.

use std::ops::Range;

use norouter::manifest::{
    source::{Kind, Source},
    value::{Content, content},
};

/// A text with its content, its tree and its comments.
pub(crate) struct Reading {
    pub(crate) text: String,
    pub(crate) content: Content,
    pub(crate) source: Source,
    /// The comments with their places.
    pub(crate) comments: Vec<(usize, String)>,
}

impl Reading {
    /// Reads a text; `None` if it is not YAML, or cannot be edited.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let source = Source::read(text)?;
        Some(Self {
            text: text.to_owned(),
            content: content(text)?,
            comments: comments(text, &source),
            source,
        })
    }
}

fn comments(text: &str, source: &Source) -> Vec<(usize, String)> {
    let scalars: Vec<Range<usize>> = source
        .nodes()
        .filter(|(_, node)| matches!(node.kind, Kind::Scalar { .. }))
        .map(|(_, node)| node.span.clone())
        .collect();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('#').map(|it| from + it) {
        from = at + 1;
        let before = text[..at].chars().next_back();
        if !before.is_none_or(|c| c.is_whitespace() || c == '\u{feff}')
            || scalars.iter().any(|span| span.contains(&at))
        {
            continue;
        }
        let end = text[at..]
            .find(['\r', '\n'])
            .map_or(text.len(), |it| at + it);
        found.push((at, text[at..end].to_owned()));
        from = end;
    }
    found
}
