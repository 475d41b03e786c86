//! Tests of merging two changes of the same text: with examples, and with random edits on both sides.

use std::collections::{BTreeMap, BTreeSet};

use norouter::{
    edit::{Edit, apply, apply_all, merge},
    manifest::value::{Value, content},
    view::Merged,
};

use crate::{cases, chance::Chance, corpus, number};

const COUNT: usize = if cfg!(debug_assertions) {
    2_000
} else {
    20_000
};

const BASE: &str = "\
# the office
hosts:
  a: {vip: 127.0.42.1, ports: [\"1:a:1\"]} # first
  b:
    ssh: b
    ports:
      - \"2:b:2\"
      - \"3:b:3\"
  c:
routes:
  - {via: b, to: [10.0.0.0/8]}
";

fn merged(changes: [(&str, &str); 2]) -> Merged {
    let [mine, theirs] = changes.map(|(from, to)| {
        assert!(BASE.contains(from), "{from}");
        BASE.replace(from, to)
    });
    let found = merge(BASE, &mine, &theirs);
    let other = merge(BASE, &theirs, &mine);
    assert_eq!(
        found.conflicts.is_empty(),
        other.conflicts.is_empty(),
        "{changes:?}"
    );
    found
}

#[test]
fn changes_of_different_nodes_are_both_made() {
    for changes in [
        // The changes are in different lines, in adjacent lines, or in different words of one line.
        [("ssh: b", "ssh: bb"), ("10.0.0.0/8", "10.0.0.0/9")],
        [("ssh: b", "ssh: bb"), ("  b:\n", "  b: # second\n")],
        [("127.0.42.1", "127.0.42.7"), ("1:a:1", "1:a:2")],
        [("# first", "# 1st"), ("\"1:a:1\"", "\"1:a:1\", \"4:a:4\"")],
        [("\"2:b:2\"", "\"2:b:9\""), ("\"3:b:3\"", "\"3:b:9\"")],
        [
            ("      - \"2:b:2\"\n", ""),
            ("3:b:3\"\n", "3:b:3\"\n      - \"4:b:4\"\n"),
        ],
        [
            ("# the office", "# our office"),
            ("10.0.0.0/8", "10.0.0.0/9"),
        ],
    ] {
        let found = merged(changes);
        assert!(found.conflicts.is_empty(), "{found:?}");
        let [mine, theirs] = changes;
        let expected = BASE.replace(mine.0, mine.1).replace(theirs.0, theirs.1);
        assert_eq!(found.text, expected);
    }
}

#[test]
fn both_can_add_at_the_same_place() {
    let host = |name: &str| format!("  c:\n  {name}: {{}}\n");
    let found = merged([("  c:\n", &host("mine")), ("  c:\n", &host("theirs"))]);
    assert!(found.conflicts.is_empty(), "{found:?}");
    assert!(
        found.text.contains("  theirs: {}\n  mine: {}\n"),
        "{found:?}"
    );
    let port = |port: &str| format!("3:b:3\"\n      - \"{port}\"\n");
    let found = merged([("3:b:3\"\n", &port("8:b:8")), ("3:b:3\"\n", &port("9:b:9"))]);
    assert!(found.conflicts.is_empty(), "{found:?}");
    // The same change on both sides is made once.
    let found = merged([("ssh: b", "ssh: bb"), ("ssh: b", "ssh: bb")]);
    assert_eq!(
        (found.conflicts.len(), found.text),
        (0, BASE.replace("ssh: b", "ssh: bb"))
    );
}

#[test]
fn what_contradicts_is_a_conflict_and_theirs_stays() {
    for changes in [
        [("127.0.42.1", "127.0.42.7"), ("127.0.42.1", "127.0.42.8")],
        // One side removes the host that the other side changes.
        [
            (
                "  b:\n    ssh: b\n    ports:\n      - \"2:b:2\"\n      - \"3:b:3\"\n",
                "",
            ),
            ("3:b:3", "3:b:4"),
        ],
        // Both sides add a route, and the right order of these routes is not known.
        [
            ("10.0.0.0/8]}\n", "10.0.0.0/8]}\n  - {via: b, to: [x.y]}\n"),
            ("10.0.0.0/8]}\n", "10.0.0.0/8]}\n  - {via: b, to: [z.y]}\n"),
        ],
        // Both sides add a route, and one side also changes the route before it.
        [
            ("10.0.0.0/8]}\n", "10.0.0.0/9]}\n  - {via: b, to: [x.y]}\n"),
            ("10.0.0.0/8]}\n", "10.0.0.0/8]}\n  - {via: b, to: [z.y]}\n"),
        ],
        // Both sides add a host with the same name.
        [
            ("  c:\n", "  c:\n  d: {ssh: mine}\n"),
            ("  c:\n", "  c:\n  d: {ssh: theirs}\n"),
        ],
        // The sides add different lines, but the merged text would have the same key twice.
        [
            ("hosts:\n", "hosts:\n  d: {ssh: d}\n"),
            ("  c:\n", "  c:\n  d: {ssh: d} # theirs\n"),
        ],
    ] {
        let found = merged(changes);
        assert!(!found.conflicts.is_empty(), "{changes:?}: {found:?}");
        let theirs = BASE.replace(changes[1].0, changes[1].1);
        assert_eq!(found.text, theirs);
        let conflict = &found.conflicts[0];
        let lines: String = theirs
            .split_inclusive('\n')
            .skip(conflict.line - 1)
            .collect();
        assert!(lines.starts_with(&conflict.theirs), "{conflict:?}");
    }
}

#[test]
fn a_text_that_cannot_be_read_is_merged_by_its_lines() {
    let mine = BASE.replace("ssh: b", "ssh: \"b");
    let theirs = BASE.replace("10.0.0.0/8", "10.0.0.0/9");
    let found = merge(BASE, &mine, &theirs);
    assert!(found.conflicts.is_empty());
    assert_eq!(found.text, mine.replace("10.0.0.0/8", "10.0.0.0/9"));
    let theirs = BASE.replace("ssh: b", "ssh: c");
    let found = merge(BASE, &mine, &theirs);
    assert_eq!((found.conflicts.len(), found.text), (1, theirs));
}

/// Makes a few random edits. Returns the edits, the new text, and the names of the parts that have changed; `None` if
/// the text is still the same.
fn changed(chance: &mut Chance, base: &str) -> Option<(Vec<Edit>, String, BTreeSet<String>)> {
    let mut now = base.to_owned();
    let mut edits = Vec::new();
    let mut owners = BTreeSet::new();
    for _ in 0..=chance.below(2) {
        let edit = cases::edit(chance, &content(&now).unwrap());
        if let Ok(applied) = apply(&now, &edit) {
            owners.extend(applied.changed);
            now = applied.text;
            edits.push(edit);
        }
    }
    (now != base).then_some((edits, now, owners))
}

/// The lines that `text` has more often than `than`, each with the difference.
fn more<'t>(text: &'t str, than: &str) -> BTreeMap<&'t str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        *counts.entry(line).or_default() += 1;
    }
    for line in than.lines() {
        if let Some(count) = counts.get_mut(line) {
            *count = count.saturating_sub(1);
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// The content, with all lists of texts sorted, because their order does not matter here.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(key, value)| (key.clone(), unordered(value)))
                .collect(),
        ),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(unordered).collect();
            if items.iter().all(|item| item.text().is_some()) {
                items.sort_by(|a, b| a.text().cmp(&b.text()));
            }
            Value::List(items)
        }
        other => other.clone(),
    }
}

#[test]
fn random_changes_of_both_sides_are_both_made_or_both_shown() {
    let mut chance = Chance::new(number("EDIT_SEED", 7) as u64);
    let corpus = corpus();
    let (mut clean, mut conflicts, mut compared) = (0, 0, 0);
    let (mut apart, mut apart_in_conflict) = (0, 0);
    for _ in 0..number("MERGE_COUNT", COUNT) {
        let (name, base) = chance.of(&corpus);
        let (Some(mine), Some(theirs)) = (changed(&mut chance, base), changed(&mut chance, base))
        else {
            continue;
        };
        let (edits, mine, of_mine) = mine;
        let (others, theirs, of_theirs) = theirs;
        let is_apart = of_mine.is_disjoint(&of_theirs)
            && !is_of_all((&of_mine, &edits), (&of_theirs, &others));
        let found = merge(base, &mine, &theirs);
        let back = merge(base, &theirs, &mine);
        let shown = || {
            format!(
                "{name}: {edits:?} {others:?}\n{base}\n---- mine\n{mine}\n---- theirs\n{theirs}\n---- merged\n{}\n{:?}",
                found.text, found.conflicts
            )
        };
        assert_eq!(
            found.conflicts.is_empty(),
            back.conflicts.is_empty(),
            "not symmetric: {}",
            shown()
        );
        if found.conflicts.is_empty() {
            clean += 1;
            let root = |text: &str| unordered(&content(text).unwrap().root);
            assert_eq!(root(&found.text), root(&back.text), "{}", shown());
            // The same edits must give the same content if they are made in the text of the other side. Copies of hosts
            // are left out, because a copy that is made there also has the other side's changes of the host.
            let is_copy = |edit: &Edit| matches!(edit, Edit::DuplicateHost { .. });
            if is_apart
                && !edits.iter().any(is_copy)
                && let Ok(replayed) = apply_all(&theirs, &edits)
            {
                assert_eq!(root(&replayed.text), root(&found.text), "{}", shown());
                compared += 1;
            }
        } else {
            conflicts += 1;
        }
        // No line of either side is lost: it is in the merged text or in a conflict.
        let mine_shown = found.conflicts.iter().map(|it| it.mine.as_str());
        let there = format!(
            "{}\n{}",
            found.text,
            mine_shown.collect::<Vec<_>>().join("\n")
        );
        for side in [&mine, &theirs] {
            // Without conflicts, a line of the merged text may have words of both sides, so the lines are not compared.
            // Their meaning was compared above.
            for line in more(side, base)
                .keys()
                .filter(|_| !found.conflicts.is_empty())
            {
                assert!(there.contains(line), "lost {line:?}: {}", shown());
            }
        }
        if is_apart {
            apart += 1;
            apart_in_conflict += usize::from(!found.conflicts.is_empty());
        }
    }
    println!(
        "{clean} merged, {conflicts} in conflict; {apart} of different hosts, {apart_in_conflict} of them in conflict; {compared} compared"
    );
    assert!(clean > conflicts && compared * 5 > clean, "too few");
    // Changes of different hosts may be in conflict if they are too close to each other in one line.
    assert!(apart_in_conflict * 25 <= apart, "too many conflicts");
}

/// Whether the edits of one side depend on what the other side has changed: both have changed lists of the manifest, or one
/// has changed lists, in which the other one has looked for the name of a host.
fn is_of_all(mine: (&BTreeSet<String>, &[Edit]), theirs: (&BTreeSet<String>, &[Edit])) -> bool {
    let has_lists = |(names, _): (&BTreeSet<String>, &[Edit])| {
        let lists = ["route", "rule ", "test ", "the group ", "policy"];
        let mut names = names.iter();
        names.any(|name| lists.iter().any(|list| name.starts_with(list)))
    };
    let seeks = |(_, edits): (&BTreeSet<String>, &[Edit])| {
        let mut edits = edits.iter();
        edits.any(|edit| matches!(edit, Edit::RemoveHost { .. } | Edit::RenameHost { .. }))
    };
    let has_template = |(names, _): (&BTreeSet<String>, &[Edit])| names.contains("hostTemplate");
    has_template(mine)
        || has_template(theirs)
        || has_lists(mine) && (has_lists(theirs) || seeks(theirs))
        || has_lists(theirs) && seeks(mine)
}
