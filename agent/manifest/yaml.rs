//! Turns YAML text into a tree of nodes with places. Only this file and `source.rs` use the YAML parser. The code never
//! panics, does not recurse over the input, and limits how many nodes can be repeated with anchors.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    ops::Range,
    rc::Rc,
};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{
    brackets::{self, Indented},
    places::Places,
    problem::{Problem, Problems, Span},
};
use crate::text::{Lookalike, lookalike, quote};

/// The maximum depth of nested lists and maps. A manifest needs six.
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
    /// A tag that means nothing to this program. It is an error where the value is used. Below keys that begin with
    /// `x-`, it is not.
    pub(super) foreign_tag: Option<Box<str>>,
    /// The number of nodes in this tree. It includes the node itself and all repetitions.
    size: usize,
    /// The number of levels of lists and maps in this tree.
    depth: usize,
}

/// The kind of a node, with its content.
#[derive(Debug)]
pub(super) enum Kind {
    /// A single value. `plain` says whether it can mean `true` or null: it is written without quotes, or has the tag
    /// `!!bool` or `!!null`.
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
    #[cfg(test)]
    super::reads::note();
    let places = Places::new(text);
    let mut attempt = Attempt::new(&places, places.body, None);
    if attempt.is_misindented
        && let Some(indented) = brackets::indent(places.body)
    {
        let again = Attempt::new(&places, &indented.text, Some(&indented));
        if again.is_sound(&places, &indented) {
            attempt = again;
        }
    }
    (attempt.root, attempt.problems)
}

/// The result of one attempt to parse a text.
struct Attempt {
    root: Option<Rc<Node>>,
    problems: Problems,
    /// Whether the parser stopped because a line begins too far left.
    is_misindented: bool,
    /// The bytes from each outermost opening bracket to the bracket that closes it. The last one may still be open
    /// where the parser stopped.
    brackets: Vec<Range<usize>>,
    /// The offset at which the parser stopped, in bytes; `usize::MAX` if it has read everything.
    end: usize,
}

impl Attempt {
    /// Parses `text`. Without `indented`, this is the body of `places`; with it, the same body with some lines
    /// indented.
    fn new(places: &Places<'_>, text: &str, indented: Option<&Indented>) -> Self {
        let original = |character| match indented {
            Some(indented) => indented.original(character),
            None => character,
        };
        let mut reader = Reader {
            places,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            repeated: 0,
            root: None,
            problems: Problems::default(),
            brackets: Vec::new(),
        };
        let mut end = usize::MAX;
        let mut is_misindented = false;
        let mut parser = Parser::new_from_str(text);
        while let Some(next) = parser.next_event() {
            let step = match next {
                Ok((event, span)) => {
                    let span =
                        places.span(original(span.start.index()), original(span.end.index()));
                    reader.event(event, span)
                }
                Err(error) => {
                    is_misindented = error.info().contains("invalid indentation");
                    Err(reader.syntax_error(error.info(), original(error.marker().index())))
                }
            };
            if let Err(problem) = step {
                end = problem.span.start.byte;
                let open = reader.open.iter().find_map(|open| open.bracket);
                let open = open.map(|bracket| bracket.start.byte..usize::MAX);
                reader.brackets.extend(open);
                reader.problems.push(*problem);
                reader.root = None;
                break;
            }
        }
        Self {
            root: reader.root,
            problems: reader.problems,
            is_misindented,
            brackets: reader.brackets,
            end,
        }
    }

    /// Whether each indented line that the parser has reached is inside brackets. There, blanks at the beginning of a
    /// line mean nothing.
    fn is_sound(&self, places: &Places<'_>, indented: &Indented) -> bool {
        let mut brackets = self.brackets.iter().peekable();
        let mut lines = indented.begins().map(|line| places.position(line).byte);
        lines.all(|line| {
            while brackets.next_if(|range| range.end <= line).is_some() {}
            let is_inside = |range: &&Range<usize>| range.start < line;
            self.end <= line || brackets.peek().is_some_and(is_inside)
        })
    }
}

/// A list or map whose end has not been read yet.
struct Open {
    span: Span,
    anchor: usize,
    is_map: bool,
    /// The opening bracket; `None` if the list or map is written without brackets.
    bracket: Option<Span>,
    foreign_tag: Option<Box<str>>,
    /// The items. For a map, these are keys and values in turn.
    items: Vec<Rc<Node>>,
}

struct Reader<'t> {
    places: &'t Places<'t>,
    open: Vec<Open>,
    /// The complete nodes that have an anchor, by the number that the parser gives to the anchor.
    anchors: BTreeMap<usize, Rc<Node>>,
    nodes: usize,
    repeated: usize,
    root: Option<Rc<Node>>,
    problems: Problems,
    /// As in [`Attempt::brackets`].
    brackets: Vec<Range<usize>>,
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
                let is_plain = style == ScalarStyle::Plain;
                if is_plain {
                    self.look_for_lookalikes(&text, span)?;
                    self.look_for_swallowed_items(&text, span);
                }
                let meaning = Meaning::of(tag.as_deref());
                let plain = meaning.plain(&text, is_plain);
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain,
                };
                self.complete(span, anchor, kind, meaning.foreign(), 1, 0)
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
        self.limit_depth(1, span)?;
        self.open.push(Open {
            span,
            anchor,
            is_map,
            bracket: self.places.bracket(span),
            foreign_tag: Meaning::of(tag).foreign(),
            items: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Step {
        let Some(mut open) = self.open.pop() else {
            return Ok(());
        };
        // A list or map with brackets ends with its closing bracket. Without brackets, it ends where its last item
        // ends, not where the parser noticed the end.
        let end = self.places.closing_bracket(end);
        let has_brackets = end.start.byte < end.end.byte;
        let is_outermost = self.open.iter().all(|outer| outer.bracket.is_none());
        if let Some(bracket) = open.bracket.filter(|_| has_brackets && is_outermost) {
            self.brackets.push(bracket.start.byte..end.end.byte);
        }
        let last = open.items.last().map(|item| item.span.end);
        open.span.end = match last {
            _ if has_brackets => end.end,
            Some(last) => last.max(open.span.start),
            None => open.span.end,
        };
        let size = open.items.iter().map(|item| item.size).sum::<usize>() + 1;
        let depth = open.items.iter().map(|item| item.depth).max().unwrap_or(0) + 1;
        let kind = if open.is_map {
            let is_own = self.is_own(open.anchor);
            let told = is_own.then(|| mem::take(&mut self.problems));
            let entries = self.map(open.items);
            // The map is below a key that begins with `x-`. This program does not use it, so the problems found in it
            // do not count.
            if let Some(told) = told {
                self.problems = told;
            }
            Kind::Map(entries?)
        } else {
            Kind::List(open.items)
        };
        self.complete(open.span, open.anchor, kind, open.foreign_tag, size, depth)
    }

    fn complete(
        &mut self,
        span: Span,
        anchor: usize,
        kind: Kind,
        foreign_tag: Option<Box<str>>,
        size: usize,
        depth: usize,
    ) -> Step {
        self.count(1, span)?;
        let node = Rc::new(Node {
            span,
            kind,
            foreign_tag,
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
            if let Some(problem) = key.tag_problem() {
                self.problems.push(problem);
                continue;
            }
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
        // If all lines below an anchor are commented out, the anchor stands for null, and there is nothing to merge.
        for source in sources.iter().filter(|source| !source.is_null()) {
            if let Some(problem) = source.tag_problem() {
                self.problems.push(problem);
                continue;
            }
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

    /// Whether the next node belongs to a key that begins with `x-`.
    fn is_below_own_key(&self) -> bool {
        self.open.iter().any(|open| {
            let key = open.items.last().filter(|_| open.is_map && open.items.len() % 2 == 1);
            matches!(key.map(|key| &key.kind), Some(Kind::Scalar { text, .. }) if text.starts_with("x-"))
        })
    }

    /// Whether the map that ends here is below a key that begins with `x-`, and no alias can lead to it. `anchor` is
    /// the map's own anchor, or 0 if it has none.
    fn is_own(&self, anchor: usize) -> bool {
        let mut anchors = self.open.iter().map(|open| open.anchor).chain([anchor]);
        self.is_below_own_key() && anchors.all(|anchor| anchor == 0)
    }

    /// Reports lookalikes in a text without quotes: characters that look like YAML's own spaces or quotes, but are part
    /// of the text.
    fn look_for_lookalikes(&mut self, text: &str, span: Span) -> Step {
        if text.is_ascii() || self.is_below_own_key() {
            return Ok(());
        }
        if let Some(at) = self.places.strange_blank(span.start.byte..span.end.byte) {
            return Err(strange_blank(at, self.places).into());
        }
        if let Some((character, Lookalike::Quote)) = lookalike(text.chars().take(1)) {
            self.problems.push_remark(|| {
                let message = format!("the text begins with {character}, which is not a quote for YAML");
                Problem::warning(span, message)
                    .hint("write \" or ' for it; if it belongs to the text, put such quotes around the text")
            });
        }
        Ok(())
    }

    /// Finds an item of a list that begins further right than the item before it. YAML takes such an item for more text
    /// of the item before.
    fn look_for_swallowed_items(&mut self, text: &str, span: Span) {
        let is_item = self
            .open
            .last()
            .is_some_and(|open| !open.is_map && open.bracket.is_none());
        if !is_item || !text.contains(" - ") || self.is_below_own_key() {
            return;
        }
        let mut below = span.start.line + 1..=span.end.line;
        let Some((item, column)) = below.find_map(|line| self.places.swallowed_item(line, span))
        else {
            return;
        };
        self.problems.push_remark(|| {
            let message =
                "this item is indented too far, so it continues the text of the item above";
            Problem::warning(item, message)
                .related(span, "the text goes on")
                .hint(format!(
                    "begin it in column {column}, below the '-' of that item"
                ))
        });
    }

    fn syntax_error(&self, info: &str, character: usize) -> Box<Problem> {
        let at = self.places.before_final_blanks(character);
        let span = self.places.span(at, at);
        if info.contains("unknown anchor")
            && let Some(name) = self.places.anchor_meant(span)
        {
            let message = "this alias refers to an anchor that does not exist";
            return Box::new(Problem::error(span, message).hint(format!("did you mean *{name}?")));
        }
        let problem = describe(info, span, self.places);
        let bracket = self.open.iter().rev().find_map(|open| open.bracket);
        Box::new(
            match bracket.filter(|bracket| bracket.start.line < span.start.line) {
                Some(bracket) => problem.related(bracket, "inside this bracket"),
                None => problem,
            },
        )
    }
}

impl Node {
    /// The problem if the node has a tag that means nothing to this program.
    pub(super) fn tag_problem(&self) -> Option<Problem> {
        let tag = self.foreign_tag.as_ref()?;
        let message = format!("the tag {} means nothing here", quote(tag));
        let hint = "remove it, or put quotes around a text that begins with '!'";
        Some(Problem::error(self.span, message).hint(hint))
    }
}

/// The meaning of a node's tag.
pub(super) enum Meaning {
    /// The node has no tag. A value without quotes may mean `true` or null, and a value with quotes is a text.
    Open,
    /// `!!bool` or `!!null`: the value is `true`, `false` or null, even if it has quotes.
    FlagOrNull,
    /// `!!merge`: the key `<<` merges, as it does without the tag.
    Merge,
    /// Another tag of YAML itself for texts, numbers, times, lists and maps: the value is taken as it is written.
    Fixed,
    /// A tag of another program, or a tag of YAML that would turn the value into something else (`!!binary`).
    Foreign(Box<str>),
}

impl Meaning {
    pub(super) fn of(tag: Option<&Tag>) -> Self {
        let Some(tag) = tag else {
            return Self::Open;
        };
        // The parser splits a tag in different places, depending on how it is written: !!str, !<tag:yaml.org,2002:str>.
        let whole = format!("{}{}", tag.handle, tag.suffix);
        match whole.strip_prefix("tag:yaml.org,2002:") {
            Some("bool" | "null") => Self::FlagOrNull,
            Some("merge") => Self::Merge,
            // `yaml` marks texts that look like a part of YAML itself: ruamel.yaml may write `!!yaml "*"`.
            Some("str" | "int" | "float" | "timestamp" | "seq" | "map" | "yaml") => Self::Fixed,
            Some(other) => Self::Foreign(format!("!!{other}").into()),
            None if whole == "!" => Self::Fixed,
            None if whole.starts_with('!') => Self::Foreign(whole.into()),
            None => Self::Foreign(format!("!<{whole}>").into()),
        }
    }

    /// Whether a text with this tag can mean `true`, null or a merge. `is_plain` says whether it is written without
    /// quotes.
    pub(super) fn plain(&self, text: &str, is_plain: bool) -> bool {
        match self {
            Self::Open => is_plain,
            Self::Merge => is_plain && text == "<<",
            Self::FlagOrNull => true,
            Self::Fixed | Self::Foreign(_) => false,
        }
    }

    fn foreign(self) -> Option<Box<str>> {
        match self {
            Self::Foreign(tag) => Some(tag),
            Self::Open | Self::FlagOrNull | Self::Merge | Self::Fixed => None,
        }
    }
}

/// The problem of a character that looks like a blank, but is not a blank for YAML.
fn strange_blank(at: Span, places: &Places<'_>) -> Problem {
    let name = lookalike(places.text(at).chars()).map_or_else(String::new, |(name, _)| name);
    Problem::error(
        at,
        format!("here stands {name}, which is not a blank for YAML"),
    )
    .hint("replace it by an ordinary space; put quotes around a text that holds it")
}

/// The parser's error, in words for the person who has written the file.
fn describe(info: &str, span: Span, places: &Places<'_>) -> Problem {
    // The parser may report a tab at the beginning of a line as an error in the line above.
    let lines = if info.contains("tab") { 2 } else { 1 };
    let tab =
        (span.start.line..span.start.line + lines).find_map(|line| places.tab_in_indentation(line));
    if let Some(tab) = tab {
        return Problem::error(tab, "a tab is used for indentation")
            .hint("YAML allows only spaces there: indent with two spaces more than the line that it belongs to, here and in other lines with tabs");
    }
    let line = span.start.line;
    let blank = [line, line.saturating_sub(1)]
        .into_iter()
        .find_map(|line| places.strange_blank(places.line(line)?));
    if let Some(blank) = blank {
        return strange_blank(blank, places);
    }
    let key = [line, line.saturating_sub(1)]
        .into_iter()
        .find_map(|line| places.key_without_blank(places.line(line)?));
    if let Some(key) = key {
        return Problem::error(key, "a space is missing behind this ':'")
            .hint("write \"key: value\" with a space behind the colon");
    }
    if info.contains("mapping values are not allowed")
        && let Some((begin, key)) = places.continued(line)
    {
        let (column, name) = (key.start.column, quote(places.text(key)));
        return Problem::error(
            begin,
            "this line is indented too far, so it continues the value above",
        )
        .related(key, "the value of this key goes on")
        .hint(format!("begin it in column {column}, below {name}"));
    }
    match in_words(info) {
        Some((message, hint)) => Problem::error(span, message).hint(hint),
        None => Problem::error(span, format!("this is not valid YAML: {info}"))
            .hint("check the quotes, the indentation and the ':' of this line and the one above"),
    }
}

/// A message of the parser in words for people, and what to do; `None` if the message is not known here.
fn in_words(info: &str) -> Option<(&'static str, &'static str)> {
    Some(match info {
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
        _ if info.contains("may not precede") => (
            "a space is missing behind this ':'",
            "write \"key: [value]\" and \"key: {a: b}\" with a space",
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
            "look for the quote that is never closed; or indent the lines that belong to the text",
        ),
        _ if info.contains("flow construct") => (
            "a '[' or '{' above this line is not closed",
            "close it with ']' or '}', or indent the lines that belong to it",
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
        _ if info.contains("illegal placement of ':'") => (
            "a ':' is not allowed here",
            "close the '[' or '{' above it, or put quotes around the text that holds the ':'",
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
        _ if info.contains("invalid Unicode character escape") => (
            "this escape is not a character by itself",
            "write the character itself, or \\U and its eight digits: JSON's \\ud83d\\ude00 is \\U0001F600 in YAML",
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
        _ => return None,
    })
}
