//! The text of a manifest as a tree in which nothing is resolved: it has the anchors, aliases and merge keys, and the
//! bytes that each value takes up. Editors change the text at these places.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{
    brackets::{self, Indented},
    places::Places,
    value::{Content, Value},
    yaml::Meaning,
};

/// The number of a node in its tree.
pub type Id = usize;

/// A text with its tree.
#[derive(Clone, Debug)]
pub struct Source {
    /// The text.
    pub text: String,
    /// The outermost node.
    pub root: Id,
    nodes: Vec<Node>,
}

/// A value in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// The bytes of the value, including its anchor and tag.
    pub span: Range<usize>,
    /// The offset at which the value itself begins, behind its anchor and tag.
    pub inner: usize,
    /// The offset right behind the colon or dash in front of the value.
    pub lead: usize,
    /// The offset of the dash, if this is an item of a list without brackets.
    pub dash: Option<usize>,
    /// Whether the value has an anchor.
    pub has_anchor: bool,
    /// The list or map that contains the value.
    pub parent: Option<Id>,
    /// The kind of the value.
    pub kind: Kind,
}

/// The kind of a node.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A single value.
    Scalar {
        /// The text without quotes and escapes.
        text: String,
        /// Whether the text can mean null or a flag.
        plain: bool,
    },
    /// A list.
    List {
        /// The items.
        items: Vec<Id>,
        /// Whether it has brackets.
        flow: bool,
    },
    /// A map.
    Map {
        /// The entries, merge keys among them.
        entries: Vec<Entry>,
        /// Whether it has brackets.
        flow: bool,
    },
    /// An alias, `*name`, which stands for another node.
    Alias(Id),
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The key.
    pub key: Id,
    /// The value.
    pub value: Id,
}

impl Source {
    /// The tree of a text; `None` if the text cannot be read, or is written in a way that this reader does not follow.
    pub fn read(text: &str) -> Option<Self> {
        #[cfg(test)]
        super::reads::note();
        let places = Places::new(text);
        if let Some(source) = build(text, &places, places.body, None) {
            return Some(source);
        }
        let indented = brackets::indent(places.body)?;
        build(text, &places, &indented.text, Some(&indented))
    }

    /// The node with this number.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The node itself, or the one that it stands for if it is an alias.
    pub fn target(&self, id: Id) -> Id {
        match self.nodes[id].kind {
            Kind::Alias(target) => target,
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Map { .. } => id,
        }
    }

    /// The entries of a map; empty if the node is not a map.
    pub fn entries(&self, id: Id) -> &[Entry] {
        match &self.nodes[id].kind {
            Kind::Map { entries, .. } => entries,
            Kind::Scalar { .. } | Kind::List { .. } | Kind::Alias(_) => &[],
        }
    }

    /// The items of a list; empty if the node is not a list.
    pub fn items(&self, id: Id) -> &[Id] {
        match &self.nodes[id].kind {
            Kind::List { items, .. } => items,
            Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias(_) => &[],
        }
    }

    /// The text of a key.
    pub fn key(&self, entry: Entry) -> &str {
        match &self.nodes[self.target(entry.key)].kind {
            Kind::Scalar { text, .. } => text,
            Kind::List { .. } | Kind::Map { .. } | Kind::Alias(_) => "",
        }
    }

    /// Whether a key is `<<` without quotes.
    pub fn is_merge(&self, entry: Entry) -> bool {
        matches!(&self.nodes[entry.key].kind, Kind::Scalar { text, plain: true } if text == "<<")
    }

    /// The number of the map's own entry with this key. Merged maps are not searched.
    pub fn own(&self, map: Id, key: &str) -> Option<usize> {
        let mut entries = self.entries(map).iter();
        entries.position(|entry| !self.is_merge(*entry) && self.key(*entry) == key)
    }

    /// Finds a key in a map and in the maps that it merges. Returns the map that has the key, and the number of its
    /// entry.
    pub fn find(&self, map: Id, key: &str) -> Option<(Id, usize)> {
        if let Some(own) = self.own(map, key) {
            return Some((map, own));
        }
        let mut merged = self.merged(map).into_iter();
        merged.find_map(|source| self.find(source, key))
    }

    /// The maps that a map merges, in the order in which they are searched for a key.
    fn merged(&self, map: Id) -> Vec<Id> {
        let mut found = Vec::new();
        for entry in self.entries(map) {
            if !self.is_merge(*entry) {
                continue;
            }
            let value = self.target(entry.value);
            match &self.nodes[value].kind {
                Kind::List { items, .. } => {
                    found.extend(items.iter().map(|item| self.target(*item)));
                }
                Kind::Scalar { .. } | Kind::Map { .. } | Kind::Alias(_) => found.push(value),
            }
        }
        found
    }

    /// The meaning of a node, with aliases and merge keys resolved.
    pub fn value(&self, id: Id) -> Value {
        match &self.nodes[id].kind {
            Kind::Scalar { text, plain } => Value::scalar(text, *plain),
            Kind::List { items, .. } => {
                Value::List(items.iter().map(|item| self.value(*item)).collect())
            }
            Kind::Alias(target) => self.value(*target),
            Kind::Map { .. } => {
                let entries = self.all(id).into_iter();
                let pairs = entries.map(|it| (self.key(it).to_owned(), self.value(it.value)));
                Value::Map(pairs.collect())
            }
        }
    }

    /// All entries that a map has, those of merged maps at the end. If a key occurs more than once, the first one
    /// counts.
    pub fn all(&self, map: Id) -> Vec<Entry> {
        let mut all = Vec::new();
        self.collect(map, &mut BTreeSet::new(), &mut all);
        all
    }

    fn collect<'s>(&'s self, map: Id, seen: &mut BTreeSet<&'s str>, all: &mut Vec<Entry>) {
        for entry in self.entries(map) {
            let is_scalar = matches!(self.nodes[entry.key].kind, Kind::Scalar { .. });
            if is_scalar && !self.is_merge(*entry) && seen.insert(self.key(*entry)) {
                all.push(*entry);
            }
        }
        for source in self.merged(map) {
            self.collect(source, seen, all);
        }
    }

    /// The meaning of the whole text.
    pub fn content(&self) -> Content {
        let hosts = self.find(self.root, "hosts");
        let hosts = hosts.map(|(map, at)| self.target(self.entries(map)[at].value));
        let hosts = hosts.map_or_else(Vec::new, |hosts| self.all(hosts));
        Content {
            root: self.value(self.root),
            order: hosts
                .iter()
                .map(|host| self.key(*host).to_owned())
                .collect(),
        }
    }

    /// All nodes with their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = (Id, &Node)> {
        self.nodes.iter().enumerate()
    }

    /// Whether `id` is `outer`, or is inside it.
    pub fn is_inside(&self, id: Id, outer: Id) -> bool {
        let mut next = Some(id);
        while let Some(id) = next {
            if id == outer {
                return true;
            }
            next = self.nodes[id].parent;
        }
        false
    }

    /// Adds a node that has no place in the text.
    pub fn add(&mut self, kind: Kind) -> Id {
        let end = self.text.len();
        self.nodes.push(Node {
            span: end..end,
            inner: end,
            lead: end,
            dash: None,
            has_anchor: false,
            parent: None,
            kind,
        });
        self.nodes.len() - 1
    }

    /// The kind of a node. Changing it does not change the text.
    pub fn kind_mut(&mut self, id: Id) -> &mut Kind {
        &mut self.nodes[id].kind
    }
}

/// Reads a text. `parsed` is the body of `places`; if `indented` is given, some of its lines are indented further than
/// in the text.
fn build(
    text: &str,
    places: &Places<'_>,
    parsed: &str,
    indented: Option<&Indented>,
) -> Option<Source> {
    let original = |character| match indented {
        Some(indented) => indented.original(character),
        None => character,
    };
    let mut builder = Builder {
        text,
        cursor: text.len() - places.body.len(),
        nodes: Vec::new(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
    };
    let mut parser = Parser::new_from_str(parsed);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.ok()?;
        let end = places.position(original(span.end.index())).byte;
        builder.event(event, end)?;
    }
    Some(Source {
        text: text.to_owned(),
        root: builder.root?,
        nodes: builder.nodes,
    })
}

/// A list or map whose end has not been read yet.
struct Open {
    id: Id,
    anchor: usize,
    /// The bracket that closes the list or map; `None` if it has no brackets.
    close: Option<char>,
    /// The key whose value comes next.
    key: Option<Id>,
    items: Vec<Id>,
    entries: Vec<Entry>,
    is_map: bool,
}

struct Builder<'t> {
    text: &'t str,
    /// The offset behind everything that has been read.
    cursor: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Id>,
    root: Option<Id>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, end: usize) -> Option<()> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Some(()),
            Event::DocumentStart(is_written) => {
                if is_written {
                    self.skip();
                    while self.rest().starts_with('%') {
                        self.cursor += self.rest().find('\n')?;
                        self.skip();
                    }
                    self.cursor += self.rest().starts_with("---").then_some(3)?;
                }
                self.root.is_none().then_some(())
            }
            Event::Alias(anchor) => {
                let target = *self.anchors.get(&anchor)?;
                let (id, _) = self.begin(0, true)?;
                self.nodes[id].span.end = end;
                self.nodes[id].kind = Kind::Alias(target);
                self.cursor = end;
                self.put(id);
                Some(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let is_written = !(is_plain && text.is_empty());
                let plain = Meaning::of(tag.as_deref()).plain(&text, is_plain);
                let marks = marks(anchor, tag.as_deref());
                let (id, begin) = self.begin(marks, is_written)?;
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let end = if !is_written {
                    self.cursor
                } else if is_block {
                    let header = begin + self.text[begin..].find('\n').unwrap_or(0);
                    let header = self.text[..header].trim_end().len();
                    self.text[..end].trim_end().len().max(header)
                } else {
                    // The end that the parser gives for a text between quotes may include a comment.
                    match style {
                        ScalarStyle::DoubleQuoted => closing(self.text, begin, '"')?,
                        ScalarStyle::SingleQuoted => closing(self.text, begin, '\'')?,
                        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => {
                            begin + self.text[begin..end].trim_end().len()
                        }
                    }
                };
                self.nodes[id].span.end = end;
                self.nodes[id].has_anchor = anchor != 0;
                self.nodes[id].kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain,
                };
                self.cursor = end;
                if anchor != 0 {
                    self.anchors.insert(anchor, id);
                }
                self.put(id);
                Some(())
            }
            Event::SequenceStart(anchor, tag) => self.enter(anchor, tag.as_deref(), false),
            Event::MappingStart(anchor, tag) => self.enter(anchor, tag.as_deref(), true),
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Skips blanks, line breaks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            self.cursor += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.cursor += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// Skips a comma, colon or dash in front of a value, and then its anchor and tag. `is_written` says whether the
    /// value has any text.
    fn begin(&mut self, marks: usize, is_written: bool) -> Option<(Id, usize)> {
        let before = self.cursor;
        let mut dash = None;
        if let Some(open) = self.open.last() {
            let (close, key, is_map) = (open.close, open.key, open.is_map);
            self.skip();
            if close.is_some() && key.is_none() && self.rest().starts_with(',') {
                self.cursor += 1;
                self.skip();
            }
            let next = self.rest().chars().next();
            match (key, next) {
                (Some(_), Some(':')) => self.cursor += 1,
                (Some(_), _) if is_written => return None,
                (Some(_), _) => self.cursor = before,
                (None, Some('-')) if !is_map && close.is_none() => {
                    dash = Some(self.cursor);
                    self.cursor += 1;
                }
                (None, _) if !is_map && close.is_none() => return None,
                (None, Some('?')) if is_map && self.rest()[1..].starts_with([' ', '\n', '\r']) => {
                    return None;
                }
                (None, _) => {}
            }
        }
        let lead = self.cursor;
        if is_written || marks > 0 {
            self.skip();
        }
        let start = self.cursor;
        for _ in 0..marks {
            let rest = self.rest();
            if !rest.starts_with(['&', '!']) {
                return None;
            }
            let is_end = |c: char| c.is_whitespace() || ",[]{}".contains(c);
            self.cursor += rest.find(is_end).unwrap_or(rest.len());
            let end = self.cursor;
            self.skip();
            if !is_written {
                self.cursor = end;
            }
        }
        self.nodes.push(Node {
            span: start..self.cursor,
            inner: self.cursor,
            lead,
            dash,
            has_anchor: false,
            parent: self.open.last().map(|open| open.id),
            kind: Kind::Alias(0),
        });
        Some((self.nodes.len() - 1, self.cursor))
    }

    fn enter(&mut self, anchor: usize, tag: Option<&Tag>, is_map: bool) -> Option<()> {
        let (id, begin) = self.begin(marks(anchor, tag), true)?;
        self.nodes[id].has_anchor = anchor != 0;
        let (bracket, close) = if is_map { ('{', '}') } else { ('[', ']') };
        let has_brackets = self.text[begin..].starts_with(bracket);
        self.cursor += usize::from(has_brackets);
        // `[a: b]` is a map without brackets of its own inside brackets.
        let is_inside = self.open.last().is_some_and(|open| open.close.is_some());
        if is_inside && !has_brackets {
            return None;
        }
        self.open.push(Open {
            id,
            anchor,
            close: has_brackets.then_some(close),
            key: None,
            items: Vec::new(),
            entries: Vec::new(),
            is_map,
        });
        Some(())
    }

    fn leave(&mut self) -> Option<()> {
        if self.open.last()?.close.is_some() {
            self.skip();
            if self.rest().starts_with(',') {
                self.cursor += 1;
                self.skip();
            }
        }
        let open = self.open.pop()?;
        if let Some(close) = open.close {
            if !self.rest().starts_with(close) {
                return None;
            }
            self.cursor += 1;
        }
        self.nodes[open.id].span.end = self.cursor;
        let flow = open.close.is_some();
        self.nodes[open.id].kind = if open.is_map {
            let entries = open.entries;
            Kind::Map { entries, flow }
        } else {
            let items = open.items;
            Kind::List { items, flow }
        };
        if open.anchor != 0 {
            self.anchors.insert(open.anchor, open.id);
        }
        self.put(open.id);
        Some(())
    }

    fn put(&mut self, id: Id) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(id);
            return;
        };
        if !open.is_map {
            open.items.push(id);
        } else if let Some(key) = open.key.take() {
            open.entries.push(Entry { key, value: id });
        } else {
            open.key = Some(id);
        }
    }
}

/// The end of a text between quotes that begins here.
fn closing(text: &str, begin: usize, quote: char) -> Option<usize> {
    let has_escapes = quote == '"';
    let mut rest = text[begin..].strip_prefix(quote)?.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if has_escapes && c == '\\' {
            rest.next();
        } else if c == quote && (has_escapes || rest.next_if(|(_, c)| *c == quote).is_none()) {
            return Some(begin + quote.len_utf8() + at + c.len_utf8());
        }
    }
    None
}

/// The number of marks in front of a value: its anchor and its tag.
fn marks(anchor: usize, tag: Option<&Tag>) -> usize {
    usize::from(anchor != 0) + usize::from(tag.is_some())
}
