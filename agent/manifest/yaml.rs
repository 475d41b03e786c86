//! Turns YAML text into a tree of nodes with places. Only this file uses the YAML parser. The code never panics, does
//! not recurse over the input, and limits how many nodes anchors can repeat.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::problem::{Position, Problem, Problems, Span};
use crate::text::quote;

/// How many lists and maps may be inside one another; a manifest needs six.
const DEPTH_MAX: usize = 64;
/// The maximum number of nodes. A node counts again at each alias and merge that repeats it.
const NODES_MAX: usize = 1_000_000;
/// The maximum number of nodes that aliases and merges may repeat. The number of other nodes is limited by the size of
/// the file.
const REPEATED_MAX: usize = 100_000;

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
    /// The number of nodes in this tree, the node itself and repetitions included.
    size: usize,
    /// The number of levels of lists and maps in this tree.
    depth: usize,
}

/// The kind of a node, with its content.
#[derive(Debug)]
pub(super) enum Kind {
    /// A single value. `plain` is true if the value is written without quotes, so that it can mean `true` or null.
    Scalar { text: String, plain: bool },
    /// A list: `[a, b]`.
    List(Vec<Rc<Node>>),
    /// A map: `{key: value}`. Merge keys are resolved.
    Map(Vec<Entry>),
}

/// One `key: value` of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Rc<str>,
    pub(super) key_span: Span,
    pub(super) value: Rc<Node>,
}

impl Node {
    /// Whether the node is null: nothing is written (`key:`), or `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        self.plain_text()
            .is_some_and(|text| matches!(text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            Kind::Scalar { .. } | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The value of `true` or `false`, as YAML 1.2 writes them; `None` if the node is something else.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.plain_text()? {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// The items of a list; empty if the node is not a list.
    pub(super) fn items(&self) -> &[Rc<Node>] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Scalar { .. } | Kind::Map(_) => &[],
        }
    }

    /// The entries of a map; empty if the node is not a map.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar { .. } | Kind::List(_) => &[],
        }
    }

    /// The value of a key; `None` if the key is missing or its value is null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| &*entry.key == key)
            .map(|entry| &*entry.value)
            .filter(|value| !value.is_null())
    }

    fn plain_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => Some(text),
            Kind::Scalar { .. } | Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

/// The tree of the only document in `text`, and everything that is wrong with the YAML. There is no tree if the YAML is
/// broken.
pub(super) fn parse(text: &str) -> (Option<Rc<Node>>, Problems) {
    let mut reader = Reader {
        places: Places::new(text),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
        repeated: 0,
        root: None,
        problems: Problems::default(),
    };
    let mut parser = Parser::new_from_str(reader.places.body);
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((event, span)) => {
                let span = reader.places.span(span.start.index(), span.end.index());
                reader.event(event, span)
            }
            Err(error) => Err(reader.syntax_error(&error)),
        };
        if let Err(problem) = step {
            reader.problems.push(*problem);
            return (None, reader.problems);
        }
    }
    (reader.root, reader.problems)
}

/// A list or map whose end has not been read yet.
struct Open {
    span: Span,
    anchor: usize,
    is_map: bool,
    /// The items; keys and values in turn for a map.
    items: Vec<Rc<Node>>,
}

struct Reader<'t> {
    places: Places<'t>,
    open: Vec<Open>,
    /// Complete nodes, by the parser's numbers of their anchors.
    anchors: BTreeMap<usize, Rc<Node>>,
    nodes: usize,
    repeated: usize,
    root: Option<Rc<Node>>,
    problems: Problems,
}

type Step = Result<(), Box<Problem>>;

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                let problem = Problem::error(span, "a second document begins here");
                Err(problem
                    .hint("a manifest is one document: remove the \"---\"")
                    .into())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag.as_deref(), span)?;
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain && tag.is_none(),
                };
                self.complete(span, anchor, kind, 1, 0)
            }
            Event::SequenceStart(anchor, tag) => self.begin(span, anchor, tag.as_deref(), false),
            Event::MappingStart(anchor, tag) => self.begin(span, anchor, tag.as_deref(), true),
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    let problem = Problem::error(span, "this alias refers to what it stands in");
                    return Err(problem.hint("write the value out").into());
                };
                self.repeat(node.size, span)?;
                self.limit_depth(node.depth, span)?;
                self.put(node);
                Ok(())
            }
        }
    }

    fn begin(&mut self, span: Span, anchor: usize, tag: Option<&Tag>, is_map: bool) -> Step {
        check_tag(tag, span)?;
        self.limit_depth(1, span)?;
        self.open.push(Open {
            span,
            anchor,
            is_map,
            items: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Step {
        let Some(mut open) = self.open.pop() else {
            return Ok(());
        };
        // A list or map with brackets ends with its closing bracket. One without brackets ends where its last item
        // ends, and not where the parser noticed the end.
        let is_flow = end.start.byte < end.end.byte;
        let last = open.items.last().map(|item| item.span.end);
        open.span.end = match last {
            _ if is_flow => end.end,
            Some(last) => last.max(open.span.start),
            None => open.span.end,
        };
        let size = open.items.iter().map(|item| item.size).sum::<usize>() + 1;
        let depth = open.items.iter().map(|item| item.depth).max().unwrap_or(0) + 1;
        let kind = if open.is_map {
            Kind::Map(self.map(open.items)?)
        } else {
            Kind::List(open.items)
        };
        self.complete(open.span, open.anchor, kind, size, depth)
    }

    fn complete(
        &mut self,
        span: Span,
        anchor: usize,
        kind: Kind,
        size: usize,
        depth: usize,
    ) -> Step {
        self.count(1, span)?;
        let node = Rc::new(Node {
            span,
            kind,
            size,
            depth,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.put(node);
        Ok(())
    }

    fn put(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }

    /// Pairs keys with values, reports keys that are written twice, and resolves merge keys (`<<`). A key of the map
    /// itself replaces the same key of a merged map. If several merged maps have the same key, the first of these maps
    /// is used.
    fn map(&mut self, items: Vec<Rc<Node>>) -> Result<Vec<Entry>, Box<Problem>> {
        let mut entries: Vec<Entry> = Vec::with_capacity(items.len() / 2);
        let mut seen: BTreeMap<Rc<str>, Span> = BTreeMap::new();
        let mut merges = Vec::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if self.problems.is_full() {
                break;
            }
            let Kind::Scalar { text, plain } = &key.kind else {
                self.problems.push(
                    Problem::error(key.span, "a key must be a plain word")
                        .hint("put quotes around a text that begins with '[', '{' or '*'"),
                );
                continue;
            };
            let name: Rc<str> = text.as_str().into();
            if let Some(first) = seen.insert(Rc::clone(&name), key.span) {
                let what = quote(text);
                self.problems.push(
                    Problem::error(key.span, format!("the key {what} is written twice"))
                        .related(first, "the first one")
                        .hint("remove one of them, or rename it"),
                );
                seen.insert(name, first);
                continue;
            }
            if *plain && text == "<<" {
                merges.push(value);
            } else {
                entries.push(Entry {
                    key: name,
                    key_span: key.span,
                    value,
                });
            }
        }
        let mut names: BTreeSet<Rc<str>> = seen.into_keys().collect();
        for merge in merges {
            self.merge(&merge, &mut entries, &mut names)?;
        }
        Ok(entries)
    }

    fn merge(
        &mut self,
        value: &Rc<Node>,
        entries: &mut Vec<Entry>,
        names: &mut BTreeSet<Rc<str>>,
    ) -> Step {
        let sources = match &value.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Map(_) | Kind::Scalar { .. } => std::slice::from_ref(value),
        };
        for source in sources {
            let Kind::Map(merged) = &source.kind else {
                self.problems.push(
                    Problem::error(source.span, "\"<<\" can only merge a map")
                        .hint("write \"<<: *name\", where \"&name\" marks a map"),
                );
                continue;
            };
            self.repeat(merged.len(), value.span)?;
            for entry in merged {
                if names.insert(Rc::clone(&entry.key)) {
                    entries.push(entry.clone());
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, span: Span) -> Step {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let problem = Problem::error(span, "the manifest holds too many values");
        Err(problem
            .hint("a manifest may hold a million values, repetitions included")
            .into())
    }

    fn repeat(&mut self, nodes: usize, span: Span) -> Step {
        self.repeated = self.repeated.saturating_add(nodes);
        if self.repeated > REPEATED_MAX {
            let problem = Problem::error(span, "aliases repeat too much here");
            return Err(problem
                .hint("the aliases of a manifest may repeat a hundred thousand values in all")
                .into());
        }
        self.count(nodes, span)
    }

    fn limit_depth(&mut self, more: usize, span: Span) -> Step {
        if self.open.len() + more <= DEPTH_MAX {
            return Ok(());
        }
        let message = format!("more than {DEPTH_MAX} lists and maps inside one another");
        Err(Problem::error(span, message)
            .hint("a manifest needs six levels at most; is a bracket left open?")
            .into())
    }

    fn syntax_error(&self, error: &ScanError) -> Box<Problem> {
        let at = self.places.before_final_blanks(error.marker().index());
        let span = self.places.span(at, at);
        Box::new(describe(error.info(), span, &self.places))
    }
}

/// Refuses all tags except those of YAML's core schema, which add no information.
fn check_tag(tag: Option<&Tag>, span: Span) -> Step {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            let message = format!("the tag {} means nothing here", quote(&tag.to_string()));
            Err(Problem::error(span, message)
                .hint("remove it, or put quotes around a text that begins with '!'")
                .into())
        }
        Some(_) | None => Ok(()),
    }
}

/// The parser's error in words for the person who wrote the file.
fn describe(info: &str, span: Span, places: &Places<'_>) -> Problem {
    // The parser may report a tab at the beginning of a line as an error in the line above.
    let lines = if info.contains("tab") { 2 } else { 1 };
    let tab =
        (span.start.line..span.start.line + lines).find_map(|line| places.tab_in_indentation(line));
    if let Some(tab) = tab {
        return Problem::error(tab, "a tab is used for indentation")
            .hint("YAML allows only spaces there: replace each tab by two spaces");
    }
    let (message, hint) = match info {
        _ if info.contains("tab") => (
            "a tab stands where YAML allows only spaces",
            "replace it by spaces",
        ),
        _ if info.contains("trailing content") => (
            "the text goes on behind its closing quote",
            "put quotes around the whole of it; inside double quotes write \\\" for a quote",
        ),
        _ if info.contains("unexpected character") => (
            "a text cannot begin with this character",
            "put quotes around the text",
        ),
        _ if info.contains("must be followed by a valid YAML whitespace") => (
            "a space must stand before this place",
            "write \"key: value\" and \"- item\" with a space, not a tab",
        ),
        _ if info.contains("block scalar") => (
            "'>' and '|' begin a text of several lines, which is wrong here",
            "begin the text in the next line, indented, or put quotes around it",
        ),
        _ if info.contains("expected node content") => (
            "a value is expected here",
            "look for a '[' or '{' that is not closed, or a ',' too many",
        ),
        _ if info.contains("unknown anchor") => (
            "this alias refers to an anchor that does not exist",
            "a text that begins with '*' needs quotes: \"*\" or \"*.example.com\"",
        ),
        _ if info.contains("anchor or alias") => (
            "'*' and '&' begin an alias or an anchor",
            "a text that begins with one of them needs quotes: \"*\" or \"*.example.com\"",
        ),
        _ if info.contains("quoted scalar") && info.contains("indentation") => (
            "the text that begins with this quote goes on into the lines below",
            "look for the quote that is never closed",
        ),
        _ if info.contains("flow construct") => (
            "a '[' or '{' above this line is not closed",
            "close it with ']' or '}'",
        ),
        _ if info.contains("end of stream") || info.contains("unexpected eof") => (
            "the file ends inside a quoted text",
            "look for the quote that is never closed",
        ),
        _ if info.contains("',' or '}'") => (
            "a '{' is not closed, or a ',' is missing before this place",
            "put quotes around a text that holds any of { } [ ] ,",
        ),
        _ if info.contains("',' or ']'") => (
            "a '[' is not closed, or a ',' is missing before this place",
            "put quotes around a text that holds any of { } [ ] ,",
        ),
        _ if info.contains("misplaced bracket") => (
            "this bracket closes nothing",
            "put quotes around a text that holds any of { } [ ] ,",
        ),
        _ if info.contains("mapping values are not allowed") => (
            "a ':' is not allowed here",
            "put quotes around a text that holds ': '; if there is none, the line above may lack its ':'",
        ),
        _ if info.contains("simple key expect") || info.contains("did not find expected key") => (
            "a \"key: value\" is expected here",
            "check that the line is indented like its neighbours and that its key ends with ':'",
        ),
        _ if info.contains("expected '-' indicator") => (
            "a list item, \"- value\", is expected here",
            "check that the line is indented like its neighbours",
        ),
        _ if info.contains("unknown escape") || info.contains("escape code") => (
            "a backslash in a \"quoted\" text begins an escape that YAML does not know",
            "write '\\\\' for one backslash, or use single quotes",
        ),
        _ if info.contains("recursion limit") => (
            "too many brackets are open",
            "a manifest needs six levels at most; is a bracket left open?",
        ),
        _ if info.contains("unprintable") => (
            "a control character is not allowed here",
            "remove it, or write it as an escape inside double quotes",
        ),
        _ if info.contains("indent") => (
            "the indentation of this line fits no line above it",
            "indent lines that belong together with the same number of spaces",
        ),
        _ => {
            return Problem::error(span, format!("this is not valid YAML: {info}")).hint(
                "check the quotes, the indentation and the ':' of this line and the one above",
            );
        }
    };
    Problem::error(span, message).hint(hint)
}

/// Turns the parser's character counts into places.
struct Places<'t> {
    /// The text without the byte order mark.
    body: &'t str,
    /// The length of the byte order mark in bytes; 0 if the text has none.
    bom: usize,
    /// The byte offset in `body` of each character, and of the end.
    bytes: Vec<usize>,
    /// The number of the character at which each line begins.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
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

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            start: self.position(start),
            end: self.position(end.max(start)),
        }
    }

    fn position(&self, character: usize) -> Position {
        let character = character.min(self.bytes.len() - 1);
        let line = self.lines.partition_point(|begin| *begin <= character);
        Position {
            byte: self.bom + self.bytes[character],
            line,
            column: character - self.lines[line - 1] + 1,
        }
    }

    /// The position itself, or the end of the text if only blanks follow the position.
    fn before_final_blanks(&self, character: usize) -> usize {
        let end = self.body.trim_end().chars().count();
        character.min(end)
    }

    /// The first tab in front of the first word of a line.
    fn tab_in_indentation(&self, line: usize) -> Option<Span> {
        let begin = *self.lines.get(line.checked_sub(1)?)?;
        let white = self.body[self.bytes[begin]..]
            .chars()
            .take_while(|c| *c == ' ' || *c == '\t');
        let tab = white.enumerate().find(|(_, c)| *c == '\t')?.0;
        Some(self.span(begin + tab, begin + tab + 1))
    }
}
