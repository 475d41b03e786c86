//! Turns a small change of the tree into changes of the text. The changes touch only the bytes of the changed node, and
//! the comma or dash that belongs to the node.
//!
//! When a node is removed, the comments inside it and behind it in its line are removed, too. The comments in the lines
//! above it stay. When a node is moved, the comments above it move with it.

use std::ops::Range;

use super::{op::Op, write};
use crate::manifest::{
    source::{Entry, Id, Kind, Node, Source},
    value::Value,
};

/// A range of bytes, and the text that replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// The range in the old text.
    pub range: Range<usize>,
    /// The text that replaces it.
    pub text: String,
}

/// The text after all of these changes, which must not overlap.
pub fn spliced(text: &str, splices: &[Splice]) -> String {
    let mut sorted: Vec<&Splice> = splices.iter().collect();
    sorted.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut result = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for splice in sorted {
        result.push_str(text.get(at..splice.range.start).unwrap_or_default());
        result.push_str(&splice.text);
        at = splice.range.end.max(at);
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// The changes of the text for an operation; `None` if the style of the place does not allow the operation.
pub(super) fn splices(source: &Source, op: &Op) -> Option<Vec<Splice>> {
    let writer = Writer {
        source,
        text: &source.text,
        newline: newline(&source.text),
        step: step(source),
    };
    match op {
        Op::Put { map, key, value } => match source.own(*map, key) {
            Some(at) => {
                let entry = source.entries(*map)[at];
                writer.replace(entry.value, Some(entry), value)
            }
            None => writer.put(*map, key, value),
        },
        Op::Remove { map, at } => writer.remove(*map, *at),
        Op::Rename { map, at, to } => {
            let key = source.node(source.entries(*map)[*at].key);
            Some(vec![splice(key.inner..key.span.end, write::scalar(to))])
        }
        Op::Copy { map, at, to } => writer.copy(*map, *at, to),
        Op::SetItem { list, at, value } => writer.replace(source.items(*list)[*at], None, value),
        Op::Insert { list, at, value } => writer.insert(*list, *at, value),
        Op::Take { list, at } => writer.remove(*list, *at),
        Op::Move { list, from, to } => writer.shift(*list, *from, *to),
    }
}

fn splice(range: Range<usize>, text: impl Into<String>) -> Splice {
    Splice {
        range,
        text: text.into(),
    }
}

/// The line break of the first line, which is used for new lines.
pub(super) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The number of columns by which this text indents a map inside another one.
fn step(source: &Source) -> usize {
    let column = |id: Id| {
        let entry = source.entries(id).first()?;
        let start = source.node(entry.key).span.start;
        let line = source.text[..start].rfind('\n').map_or(0, |at| at + 1);
        Some(start - line)
    };
    let is_block = |node: &Node| matches!(node.kind, Kind::Map { flow: false, .. });
    let mut steps = source.nodes().filter_map(|(id, node)| {
        let parent = node
            .parent
            .filter(|parent| is_block(source.node(*parent)))?;
        let is_below = is_block(node) && node.dash.is_none();
        is_below.then(|| column(id)?.checked_sub(column(parent)?))?
    });
    steps.find(|step| (1..=8).contains(step)).unwrap_or(2)
}

struct Writer<'s> {
    source: &'s Source,
    text: &'s str,
    newline: &'static str,
    step: usize,
}

impl Writer<'_> {
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// The end of the line without its line break.
    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |it| at + it);
        end - usize::from(self.text[at..end].ends_with('\r'))
    }

    /// The beginning of the next line.
    fn next_line(&self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |it| at + it + 1)
    }

    fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// Whether only blanks stand in front of this place in its line.
    fn begins_line(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at]
            .bytes()
            .all(|b| b == b' ')
    }

    /// Whether only blanks and a comment follow this place in its line.
    fn ends_line(&self, at: usize) -> bool {
        let rest = self.text[at..self.line_end(at)].trim_start();
        rest.is_empty() || rest.starts_with('#')
    }

    /// The next place that is not a blank, a line break or a comment.
    fn behind_blanks(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at = self.line_end(at);
        }
    }

    /// The beginning of the line of this place. If comment lines above that line belong to it, the beginning of the
    /// first of them.
    fn with_comments(&self, at: usize) -> usize {
        let column = self.column(at);
        let mut start = self.line_start(at);
        while start > 0 {
            let above = self.line_start(start - 1);
            let line = &self.text[above..start];
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if blanks != column || !line[blanks..].starts_with('#') {
                break;
            }
            start = above;
        }
        start
    }

    /// Removes whole lines. If the text does not end with a line break, the new text does not either. Blank lines that
    /// would become its last lines are removed as well.
    fn cut(&self, from: usize, to: usize) -> Splice {
        let mut start = self.line_start(from);
        let end = self.next_line(to);
        if end == self.text.len() && !self.text.ends_with('\n') && start > 0 {
            start = self.text[..start].trim_end_matches([' ', '\r', '\n']).len();
        }
        splice(start..end, "")
    }

    /// The end of a value's anchor and tag; if the value has neither, the place behind the colon or dash.
    fn behind_marks(&self, node: &Node) -> usize {
        let mut at = node.lead;
        loop {
            let rest = &self.text[at..node.inner];
            let next = at + rest.len() - rest.trim_start().len();
            if !self.text[next..node.inner].starts_with(['&', '!']) {
                return at;
            }
            let word = &self.text[next..node.inner];
            at = next + word.find(char::is_whitespace).unwrap_or(word.len());
        }
    }

    fn entry_range(&self, entry: Entry) -> Range<usize> {
        let (key, value) = (self.source.node(entry.key), self.source.node(entry.value));
        key.span.start..key.span.end.max(value.lead).max(value.span.end)
    }

    fn item_range(&self, id: Id) -> Range<usize> {
        let node = self.source.node(id);
        node.dash.unwrap_or(node.span.start)..node.span.end.max(node.lead)
    }

    /// The bytes that each child of a list or map takes up.
    fn children(&self, id: Id) -> Vec<Range<usize>> {
        match &self.source.node(id).kind {
            Kind::List { items, .. } => items.iter().map(|it| self.item_range(*it)).collect(),
            Kind::Map { entries, .. } => entries.iter().map(|it| self.entry_range(*it)).collect(),
            Kind::Scalar { .. } | Kind::Alias(_) => Vec::new(),
        }
    }

    fn is_flow(&self, id: Id) -> bool {
        matches!(
            self.source.node(id).kind,
            Kind::List { flow: true, .. } | Kind::Map { flow: true, .. }
        )
    }

    /// Whether the text of a value is empty.
    fn is_unwritten(node: &Node) -> bool {
        matches!(node.kind, Kind::Scalar { .. }) && node.inner == node.span.end
    }

    /// Replaces a value by one that is written in the line where the old one began.
    fn replace(&self, id: Id, entry: Option<Entry>, value: &Value) -> Option<Vec<Splice>> {
        let node = self.source.node(id);
        let new = write::flow(value);
        match &node.kind {
            Kind::Alias(_) => Some(vec![splice(node.span.clone(), new)]),
            Kind::Scalar { .. } if Self::is_unwritten(node) => {
                let at = node.span.end;
                let has_colon = self.text[..node.lead].ends_with([':', '-']);
                let is_key = entry.is_some_and(|it| self.source.node(it.key).span.end == node.lead);
                let colon = if is_key || !has_colon { ":" } else { "" };
                Some(vec![splice(at..at, format!("{colon} {new}"))])
            }
            Kind::List { flow: false, .. } | Kind::Map { flow: false, .. } => {
                let first = self.children(id).first()?.start;
                let is_below = self.begins_line(first) && self.line_start(first) > node.lead;
                if !is_below {
                    return Some(vec![splice(node.inner..node.span.end, new)]);
                }
                let at = self.behind_marks(node);
                let end = self.children(id).last()?.end;
                Some(vec![
                    splice(at..at, format!(" {new}")),
                    self.cut(first, end),
                ])
            }
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Map { .. } => {
                Some(vec![splice(node.inner..node.span.end, new)])
            }
        }
    }

    /// Adds an entry at the end of a map.
    fn put(&self, map: Id, key: &str, value: &Value) -> Option<Vec<Splice>> {
        let node = self.source.node(map);
        let key = write::scalar(key);
        let flow = || format!("{key}: {}", write::flow(value));
        match &node.kind {
            Kind::Map { flow: true, .. } => {
                let children = self.children(map);
                Some(self.insert_flow(map, children.len(), &flow()))
            }
            Kind::Map { entries, .. } => {
                let first = self.source.node(entries.first()?.key).span.start;
                let indent = self.column(first);
                let at = self.line_end(self.entry_range(*entries.last()?).end);
                let rest = write::behind(value, indent, self.step, self.newline);
                let (newline, margin) = (self.newline, " ".repeat(indent));
                Some(vec![splice(
                    at..at,
                    format!("{newline}{margin}{key}:{rest}"),
                )])
            }
            Kind::Scalar { plain: true, .. } => {
                let parent = node.parent?;
                if self.is_flow(parent) || !Self::is_unwritten(node) {
                    let space = if Self::is_unwritten(node) { " " } else { "" };
                    let range = node.inner..node.span.end;
                    return Some(vec![splice(range, format!("{space}{{{}}}", flow()))]);
                }
                let mut entries = self.source.entries(parent).iter();
                let own = entries.find(|entry| entry.value == map)?;
                let indent = self.column(self.source.node(own.key).span.start) + self.step;
                let at = self.line_end(node.span.end);
                let rest = write::behind(value, indent, self.step, self.newline);
                let (newline, margin) = (self.newline, " ".repeat(indent));
                Some(vec![splice(
                    at..at,
                    format!("{newline}{margin}{key}:{rest}"),
                )])
            }
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias(_) => None,
        }
    }

    fn insert(&self, list: Id, at: usize, value: &Value) -> Option<Vec<Splice>> {
        let children = self.children(list);
        if self.is_flow(list) {
            return Some(self.insert_flow(list, at, &write::flow(value)));
        }
        let dash = children.first()?.start;
        let (newline, indent) = (self.newline, self.column(dash));
        let margin = " ".repeat(indent);
        let new = write::item(value, indent, newline);
        if let Some(next) = children.get(at) {
            if !self.begins_line(next.start) {
                return None;
            }
            let at = self.with_comments(next.start);
            return Some(vec![splice(at..at, format!("{margin}-{new}{newline}"))]);
        }
        let at = self.line_end(children.last()?.end);
        Some(vec![splice(at..at, format!("{newline}{margin}-{new}"))])
    }

    /// Adds a child inside brackets, before the child with this number.
    fn insert_flow(&self, id: Id, at: usize, new: &str) -> Vec<Splice> {
        let children = self.children(id);
        let Some(last) = children.last() else {
            let at = self.source.node(id).inner + 1;
            return vec![splice(at..at, new)];
        };
        let newline = self.newline;
        if let Some(next) = children.get(at) {
            let gap = if self.begins_line(next.start) {
                format!(",{newline}{}", " ".repeat(self.column(next.start)))
            } else {
                ", ".to_owned()
            };
            let at = next.start;
            return vec![splice(at..at, format!("{new}{gap}"))];
        }
        let next = self.behind_blanks(last.end);
        let comma = self.text[next..].starts_with(',').then_some(next + 1);
        let end = comma.unwrap_or(last.end);
        let own_line = self.begins_line(last.start) && self.ends_line(end);
        let margin = " ".repeat(self.column(last.start));
        match comma {
            Some(end) if own_line => {
                let at = self.line_end(end);
                vec![splice(at..at, format!("{newline}{margin}{new},"))]
            }
            Some(end) => vec![splice(end..end, format!(" {new},"))],
            None if own_line => {
                let at = self.line_end(end);
                if at == end {
                    vec![splice(at..at, format!(",{newline}{margin}{new}"))]
                } else {
                    vec![
                        splice(end..end, ","),
                        splice(at..at, format!("{newline}{margin}{new}")),
                    ]
                }
            }
            None => vec![splice(end..end, format!(", {new}"))],
        }
    }

    fn remove(&self, id: Id, at: usize) -> Option<Vec<Splice>> {
        let children = self.children(id);
        let child = children.get(at)?.clone();
        if self.is_flow(id) {
            return Some(self.remove_flow(&children, at));
        }
        if children.len() == 1 {
            let node = self.source.node(id);
            node.parent?;
            let empty = match node.kind {
                Kind::List { .. } => "[]",
                Kind::Map { .. } | Kind::Scalar { .. } | Kind::Alias(_) => "{}",
            };
            let is_below =
                self.begins_line(child.start) && self.line_start(child.start) > node.lead;
            if !is_below {
                return Some(vec![splice(node.inner..node.span.end, empty)]);
            }
            let at = self.behind_marks(node);
            return Some(vec![
                splice(at..at, format!(" {empty}")),
                self.cut(child.start, child.end),
            ]);
        }
        if self.begins_line(child.start) {
            return Some(vec![self.cut(child.start, child.end)]);
        }
        // The child begins in the line of a dash. The dash stays, and the next child takes the place behind it.
        let next = children.get(at + 1)?.start;
        let end = if self.text[child.end..next].trim().is_empty() {
            next
        } else {
            self.line_end(child.end)
        };
        Some(vec![splice(child.start..end, "")])
    }

    fn remove_flow(&self, children: &[Range<usize>], at: usize) -> Vec<Splice> {
        let Range { start, end } = children[at];
        let next = self.behind_blanks(end);
        let begins_line = self.begins_line(start);
        if self.text[next..].starts_with(',') {
            let behind = next + 1;
            let is_near = !self.text[end..next].contains(['\n', '#']);
            if begins_line && is_near && self.ends_line(behind) && !self.is_last_line(behind) {
                return vec![self.cut(start, behind)];
            }
            if !is_near {
                return vec![splice(start..end, ""), splice(next..behind, "")];
            }
            let rest = &self.text[behind..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            // The blanks in front of a comment stay, because YAML requires one there.
            let is_comment = rest[blanks..].starts_with('#');
            let until = behind + if is_comment { 0 } else { blanks };
            return vec![splice(start..until, "")];
        }
        if begins_line && self.ends_line(end) && !self.is_last_line(end) {
            return vec![self.cut(start, end)];
        }
        let before = at.checked_sub(1).map(|before| children[before].end);
        match before {
            Some(before) if !self.text[before..start].contains('#') => {
                vec![splice(before..end, "")]
            }
            _ => vec![splice(start..end, "")],
        }
    }

    fn is_last_line(&self, at: usize) -> bool {
        self.next_line(at) == self.text.len()
    }

    /// Copies an entry to the end of its map, with another key. The anchors are left out, because each may exist only
    /// once.
    fn copy(&self, map: Id, at: usize, to: &str) -> Option<Vec<Splice>> {
        let entries = self.source.entries(map);
        let entry = *entries.get(at)?;
        let range = self.source.node(entry.key).span.end..self.entry_range(entry).end;
        let inner = self
            .source
            .nodes()
            .filter(|(id, node)| node.has_anchor && self.source.is_inside(*id, entry.value));
        let marks: Vec<Splice> = inner
            .filter_map(|(_, node)| {
                let text = &self.text[node.span.start..];
                let start = node.span.start + text.find('&')?;
                let length = self.text[start..].find([' ', '\r', '\n', ',', '}', ']']);
                let end = start + length.unwrap_or(self.text.len() - start);
                let blank = usize::from(self.text[end..].starts_with(' '));
                Some(splice(start - range.start..end + blank - range.start, ""))
            })
            .collect();
        let body = spliced(&self.text[range], &marks);
        let new = format!("{}{body}", write::scalar(to));
        if self.is_flow(map) {
            return Some(self.insert_flow(map, entries.len(), &new));
        }
        let margin = " ".repeat(self.column(self.source.node(entries.first()?.key).span.start));
        let at = self.line_end(self.entry_range(*entries.last()?).end);
        Some(vec![splice(
            at..at,
            format!("{}{margin}{new}", self.newline),
        )])
    }

    /// Moves an item with the comments above it.
    fn shift(&self, list: Id, from: usize, to: usize) -> Option<Vec<Splice>> {
        let children = self.children(list);
        let (moved, other) = (children.get(from)?.clone(), children.get(to)?.clone());
        if from == to {
            return Some(Vec::new());
        }
        if self.is_flow(list) {
            let mut order: Vec<usize> = (0..children.len()).collect();
            let item = order.remove(from);
            order.insert(to, item);
            let changed = order.iter().enumerate().filter(|(at, item)| at != *item);
            let texts = changed.map(|(at, item)| {
                splice(children[at].clone(), &self.text[children[*item].clone()])
            });
            return Some(texts.collect());
        }
        if !self.begins_line(moved.start) || !self.begins_line(other.start) {
            return None;
        }
        let start = self.with_comments(moved.start);
        let chunk = self.text[start..self.line_end(moved.end)].to_owned();
        let out = self.cut(start, moved.end);
        let newline = self.newline;
        let into = if to < from {
            let at = self.with_comments(other.start);
            splice(at..at, format!("{chunk}{newline}"))
        } else {
            let at = self.line_end(other.end);
            splice(at..at, format!("{newline}{chunk}"))
        };
        Some(vec![out, into])
    }
}
