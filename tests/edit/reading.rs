//! A text that is read once, although many checks look at it.

use std::ops::{Deref, Range};

use norouter::{
    edit,
    manifest::source::{Kind, Source},
};

/// A text as the editor has read it, with its comments.
pub(crate) struct Reading {
    read: edit::Reading,
    /// The comments with their places.
    pub(crate) comments: Vec<(usize, String)>,
}

impl Reading {
    pub(crate) fn of(text: &str) -> Self {
        Self::from(edit::Reading::of(text).unwrap())
    }
}

impl From<edit::Reading> for Reading {
    fn from(read: edit::Reading) -> Self {
        Self {
            comments: comments(&read.source.text, &read.source),
            read,
        }
    }
}

impl Deref for Reading {
    type Target = edit::Reading;

    fn deref(&self) -> &edit::Reading {
        &self.read
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
