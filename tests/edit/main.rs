//! Random edits of hand-written manifests. Each edit may change only what it was asked to change: in the content, in
//! the bytes and in the comments.
//!
//! `EDIT_COUNT` sets the number of edits, and `EDIT_SEED` sets the first seed.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at what it did not expect"
)]
#![allow(clippy::print_stdout, reason = "how many edits were made")]

mod cases;
mod chance;
mod examples;
mod formatting;
mod growth;
mod kept;
mod meaning;
mod merging;
mod outlines;
mod places;
mod reading;

use std::{collections::BTreeMap, env, fs, path::Path, thread};

use chance::Chance;
use norouter::{
    edit::{Applied, Edit, Refusal, between, spliced},
    manifest::{
        source::{Kind, Source},
        value::{Content, content},
    },
};
use reading::Reading;

/// The default number of edits.
const COUNT: usize = 100_000;
/// How many edits follow each other in one text, before all of them are undone.
const CHAIN: usize = 12;
/// How long a text may become.
const LENGTH_MAX: usize = 3_000;

/// The hand-written manifests by name. Each is included as it was written, with LF and with CR LF, and with and without
/// a line break at its end.
fn corpus() -> Vec<(String, String)> {
    let folder = Path::new("tests/edit/corpus");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let written = fs::read_to_string(&path).unwrap();
        let lf = written.replace("\r\n", "\n");
        let bare = lf.trim_end_matches('\n').to_owned();
        for (variant, text) in [
            ("lf", format!("{bare}\n")),
            ("crlf", format!("{bare}\n").replace('\n', "\r\n")),
            ("lf, no end", bare.clone()),
            ("crlf, no end", bare.replace('\n', "\r\n")),
            ("as written", written.clone()),
        ] {
            found.push((format!("{name} ({variant})"), text));
        }
    }
    found.sort();
    found
}

fn number(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn the_corpus_is_large_and_every_manifest_in_it_has_a_plan() {
    let corpus = corpus();
    assert!(corpus.len() >= 40 * 5, "{}", corpus.len());
    let mut problems = String::new();
    for (name, text) in &corpus {
        let loaded = norouter::plan::load(name, text);
        if loaded.plan.is_none() {
            problems.push_str(&loaded.report(false));
        }
        let read = Source::read(text).map(|source| source.content());
        if read.is_none() || read != content(text) {
            problems.push_str(name);
            problems.push_str(" cannot be edited\n");
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn random_edits_change_what_was_asked_and_nothing_else() {
    let (count, seed) = (number("EDIT_COUNT", COUNT), number("EDIT_SEED", 1));
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let corpus = corpus();
    let each = count.div_ceil(threads);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|number| {
                let corpus = &corpus;
                scope.spawn(move || work(corpus, each, (seed * 1_000 + number) as u64))
            })
            .collect();
        workers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut all = Tally::default();
    for tally in tallies {
        all.made += tally.made;
        for (name, count) in tally.refused {
            *all.refused.entry(name).or_default() += count;
        }
    }
    println!("{} edits were made; refused: {:?}", all.made, all.refused);
    let refused: usize = all.refused.values().sum();
    assert!(all.made * 2 > refused, "too few edits were made");
    for unexpected in ["Differs", "Unusual", "Unreadable"] {
        let found = all.refused.get(unexpected).copied().unwrap_or_default();
        assert_eq!(found, 0, "{unexpected}");
    }
}

#[derive(Default)]
struct Tally {
    made: usize,
    refused: BTreeMap<String, usize>,
}

fn work(corpus: &[(String, String)], count: usize, seed: u64) -> Tally {
    let mut chance = Chance::new(seed);
    let mut tally = Tally::default();
    let mut tried = 0;
    while tried < count {
        let (name, first) = chance.of(corpus);
        let mut texts = vec![Reading::of(first)];
        for _ in 0..CHAIN {
            let before = texts.last().unwrap();
            let edit = cases::edit(&mut chance, &before.content);
            tried += 1;
            match before.edited(std::slice::from_ref(&edit)) {
                Ok((applied, after)) => {
                    let after = after.map(Reading::from);
                    check(name, before, &edit, &applied, after.as_ref());
                    tally.made += 1;
                    if applied.text.len() < LENGTH_MAX {
                        texts.extend(after);
                    }
                }
                Err((_, refusal)) => {
                    let kind = format!("{refusal:?}");
                    let kind = kind.split([' ', '(']).next().unwrap().to_owned();
                    if env::var("EDIT_SHOW").is_ok_and(|shown| shown == kind) {
                        println!(
                            "{name}: {refusal:?}\n{edit:?}\n{}\n----",
                            before.source.text
                        );
                    }
                    *tally.refused.entry(kind).or_default() += 1;
                    assert!(
                        !matches!(
                            refusal,
                            Refusal::Differs | Refusal::Unusual | Refusal::Unreadable
                        ),
                        "{name}: {refusal:?}\n{edit:?}\n{}",
                        before.source.text
                    );
                }
            }
        }
        undo_and_redo(name, &texts);
    }
    tally
}

/// Undoes all edits, the newest first, and makes them again.
fn undo_and_redo(name: &str, texts: &[Reading]) {
    let mut now = texts.last().unwrap().source.text.clone();
    for before in texts.iter().rev().skip(1) {
        now = spliced(&now, &between(&now, &before.source.text));
        assert_eq!(now, before.source.text, "{name}: undo");
    }
    for after in texts.iter().skip(1) {
        now = spliced(&now, &between(&now, &after.source.text));
        assert_eq!(now, after.source.text, "{name}: redo");
    }
}

fn has_aliases(source: &Source) -> bool {
    let mut nodes = source.nodes();
    nodes.any(|(_, node)| matches!(node.kind, Kind::Alias(_)))
}

/// Checks an edit that was made. `after` is `None` if the text has not changed.
fn check(name: &str, before: &Reading, edit: &Edit, applied: &Applied, after: Option<&Reading>) {
    let text = &before.source.text;
    let after = after.unwrap_or(before);
    let shown = || format!("{name}\n{edit:?}\n{text}\n---- became\n{}", applied.text);
    assert_eq!(after.source.text, applied.text, "{}", shown());
    assert_eq!(
        content(&applied.text).as_ref(),
        Some(&after.content),
        "{}",
        shown()
    );
    let meant = meaning::meant(edit, before);
    // A copy has a null for each field that it must not inherit by a merge key.
    let is = |meant: &Content| match edit {
        Edit::DuplicateHost { to, .. } => *meant == meaning::without_nulls(&after.content, to),
        // The name of a host is changed where it is written, and that may be under a key of the person's own.
        Edit::RenameHost { .. } | Edit::RemoveHost { .. } if has_aliases(&before.source) => {
            meaning::known(meant) == meaning::known(&after.content)
        }
        _ => *meant == after.content,
    };
    assert!(
        meant.as_ref().is_some_and(is),
        "{meant:?}\n{:?}\n{}",
        after.content,
        shown()
    );
    assert_eq!(spliced(text, &applied.splices), applied.text, "{}", shown());
    assert!(
        kept::bytes_are_kept(edit, before, applied),
        "bytes: {}",
        shown()
    );
    let lost = kept::lost_comments(edit, before, after);
    assert!(lost.is_empty(), "comments: {lost:?} {}", shown());
    let crlf = |text: &str| text.matches("\r\n").count();
    let lf = |text: &str| text.matches('\n').count() - crlf(text);
    if lf(text) == 0 || crlf(text) == 0 {
        let mixed =
            crlf(text) > 0 && lf(&applied.text) > 0 || crlf(&applied.text) > 0 && lf(text) > 0;
        assert!(!mixed, "line breaks: {}", shown());
    }
    assert!(
        text.ends_with('\n') == applied.text.ends_with('\n'),
        "end: {}",
        shown()
    );
    for written in meaning::to_be_quoted(edit) {
        assert!(
            applied.text.contains(&format!("\"{written}\"")),
            "quotes: {}",
            shown()
        );
    }
}
