//! The part of a manifest, and its field, that a place in the text belongs to. With it, editors show problems beside the
//! fields that they are about.

use std::ops::Range;

use crate::{
    manifest::{
        fields::{Of, names},
        source::{Entry, Id, Source},
    },
    view::{FieldPlace, ListRef, OwnerRef},
};

/// The place of each of these ranges of bytes in a text; `None` if the text cannot be read.
pub fn places(text: &str, ranges: &[Range<usize>]) -> Vec<Option<FieldPlace>> {
    let source = (!ranges.is_empty()).then(|| Source::read(text)).flatten();
    let places = ranges.iter().map(|range| {
        let source = source.as_ref()?;
        let (begin, end) = (range.start, range.end);
        Some(Stretch { source, begin, end }.place())
    });
    places.collect()
}

/// A range of bytes in a text.
#[derive(Clone, Copy)]
struct Stretch<'s> {
    source: &'s Source,
    begin: usize,
    end: usize,
}

impl Stretch<'_> {
    fn place(self) -> FieldPlace {
        let root = self.source.root;
        let found = self.entry(root).and_then(|top| self.part(top));
        found.unwrap_or_else(|| FieldPlace {
            owner: OwnerRef::Manifest,
            field: self.field(Of::Manifest, root),
        })
    }

    /// The place in a part that has a table of fields of its own; `None` if the range begins in no such part.
    fn part(self, top: Entry) -> Option<FieldPlace> {
        match self.source.key(top) {
            "hosts" => {
                // Entries `x-...` and merge keys hold values for several hosts, and are not hosts.
                let host = self.entry(top.value)?;
                let is_host =
                    !self.source.is_merge(host) && !self.source.key(host).starts_with("x-");
                is_host.then(|| FieldPlace {
                    owner: OwnerRef::Host {
                        name: self.source.key(host).to_owned(),
                    },
                    field: self.field(Of::Host, host.value),
                })
            }
            "hostTemplate" => Some(FieldPlace {
                owner: OwnerRef::Template,
                field: self.field(Of::Template, top.value),
            }),
            "routes" => self.item(ListRef::Routes, Of::Route, top.value),
            "policy" => Some(self.policy(top.value).unwrap_or_else(|| FieldPlace {
                owner: OwnerRef::Manifest,
                field: Some("policy".to_owned()),
            })),
            _ => None,
        }
    }

    fn policy(self, policy: Id) -> Option<FieldPlace> {
        let part = self.entry(policy)?;
        match self.source.key(part) {
            "rules" => self.item(ListRef::Rules, Of::Rule, part.value),
            "tests" => self.item(ListRef::Tests, Of::Test, part.value),
            "groups" => Some(FieldPlace {
                owner: OwnerRef::Groups,
                field: Some(self.source.key(self.entry(part.value)?).to_owned()),
            }),
            _ => self
                .field(Of::Manifest, self.source.root)
                .map(|field| FieldPlace {
                    owner: OwnerRef::Manifest,
                    field: Some(field),
                }),
        }
    }

    fn item(self, list: ListRef, of: Of, items: Id) -> Option<FieldPlace> {
        let items = self.source.items(items);
        let begins = items.iter().map(|item| {
            let node = self.source.node(*item);
            node.dash.unwrap_or(node.span.start)
        });
        let at = begins.filter(|begin| *begin <= self.begin).count();
        let at = at.checked_sub(1)?;
        Some(FieldPlace {
            owner: OwnerRef::Item { list, at },
            field: self.field(of, items[at]),
        })
    }

    /// The field of the table in which the range begins.
    fn field(self, of: Of, map: Id) -> Option<String> {
        let entry = self.entry(map)?;
        let name = self.source.key(entry);
        let inner = self.entry(entry.value);
        let inner = inner.map(|inner| format!("{name}.{}", self.source.key(inner)));
        let mut known = names(of).into_iter();
        known.rfind(|known| inner.as_ref() == Some(known) || known == name)
    }

    /// The entry of a map in which the range begins: the last one that begins at or before it. Maps without braces begin
    /// with their first key, so a range that begins in a key and ends behind it is the whole map. The entries that a merge
    /// key brings are written elsewhere, and do not count.
    fn entry(self, map: Id) -> Option<Entry> {
        let key = |entry: &Entry| &self.source.node(entry.key).span;
        let begun = |entry: &&Entry| key(entry).start <= self.begin;
        let entry = self.source.entries(map).iter().rfind(begun)?;
        let is_inside = self.begin >= key(entry).end || self.end <= key(entry).end;
        is_inside.then_some(*entry)
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::plan::load;

    const TEXT: &str = r#"network: office
hosts:
  a: {ports: ["80:127.0.0.1:80"], http: {listen: "1", what: 1}}
  b:
    ssh: b
    # behind ssh
    docker:
      service: x
    aliases: &names [x,
      y]
    other: 2
  c:
    <<: *names
hostTemplate:
  loopback: {allow: any}
policy:
  default: deny
  rules: [{from: a1, to: b1}, {from: a2,
    to: [b2, b3]}]
  tests:
    - from: a4
      to: b4
    # behind the test
  groups:
    x.y: [a5]
  more: 3
routes:
  - via: a6
    to:
      - "*.x"
  -
    via: a7
unknown: 4
"#;

    /// A text that occurs once, and the place in which it is.
    const PLACES: &[(&str, &str)] = &[
        ("office", "network"),
        ("hosts:", "-"),
        ("a: {ports", "a -"),
        ("ports", "a ports"),
        ("127.0.0.1", "a ports"),
        ("listen", "a http.listen"),
        ("what", "a -"),
        ("b:\n", "b -"),
        ("ssh: b", "b ssh"),
        ("behind ssh", "b ssh"),
        ("docker:", "b docker"),
        ("service", "b docker.service"),
        ("y]", "b aliases"),
        ("other", "b -"),
        ("*names", "c -"),
        ("hostTemplate", "template -"),
        ("allow", "template loopback.allow"),
        ("policy:", "policy"),
        ("deny", "policy.default"),
        ("rules:", "policy"),
        ("a1", "rules0 from"),
        ("b1", "rules0 to"),
        ("{from: a2", "rules1 -"),
        ("a2", "rules1 from"),
        ("b3", "rules1 to"),
        ("tests:", "policy"),
        ("- from: a4", "tests0 -"),
        ("a4", "tests0 from"),
        ("behind the test", "tests0 to"),
        ("groups:", "policy"),
        ("a5", "groups x.y"),
        ("more", "policy"),
        ("routes:", "-"),
        ("- via: a6", "routes0 -"),
        ("*.x", "routes0 to"),
        ("-\n    via: a7", "routes1 -"),
        ("a7", "routes1 via"),
        ("unknown", "-"),
    ];

    fn shown(place: &FieldPlace) -> String {
        let field = place.field.as_deref();
        match &place.owner {
            OwnerRef::Manifest => field.unwrap_or("-").to_owned(),
            OwnerRef::Template => format!("template {}", field.unwrap_or("-")),
            OwnerRef::Host { name } => format!("{name} {}", field.unwrap_or("-")),
            OwnerRef::Item { list, at } => {
                let list = format!("{list:?}").to_lowercase();
                format!("{list}{at} {}", field.unwrap_or("-"))
            }
            OwnerRef::Groups => format!("groups {}", field.unwrap_or("-")),
        }
    }

    #[test]
    fn each_place_belongs_to_the_part_and_field_that_begin_last_before_it() {
        let ranges = PLACES.iter().map(|(what, _)| {
            let mut found = TEXT.match_indices(what);
            let (at, _) = found.next().unwrap();
            assert_eq!(found.next(), None, "{what} occurs twice");
            at..at + 1
        });
        let ranges: Vec<Range<usize>> = ranges.collect();
        for ((what, expected), place) in PLACES.iter().zip(places(TEXT, &ranges)) {
            assert_eq!(&shown(&place.unwrap()), expected, "{what}");
        }
    }

    #[test]
    fn a_problem_of_a_part_is_not_beside_the_first_field_of_the_part() {
        for (text, message, expected) in [
            (
                "hosts:\n  a: {}\npolicy:\n  rules:\n  - from: a\n    to: a\n",
                "action",
                "rules0 -",
            ),
            ("network: 42\nhostTemplate: {}\n", "hosts", "-"),
            ("hosts:\n  x-a: {}\n", "hosts", "-"),
            (
                "hosts:\n  x-base: &base {ports: [\"bad\"]}\n  a: {<<: *base}\n",
                "bad",
                "-",
            ),
            ("hosts:\n  a:\n    ports: [\"bad\"]\n", "bad", "a ports"),
        ] {
            let problems = load("n.yaml", text).problems;
            let mut problems = problems.iter().filter(|it| it.message.contains(message));
            let span = problems.next().expect(text).span;
            let range = span.start.byte..span.end.byte;
            let found = places(text, slice::from_ref(&range)).remove(0);
            assert_eq!(shown(&found.unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_has_no_places() {
        assert_eq!(places("hosts: {", &[0..1, 3..4]), [None, None]);
    }
}
