//! The usual form of a manifest: examples, and the corpus with random blanks, line breaks and edits.

use norouter::{
    edit::{Refusal, apply, formatted, spliced},
    manifest::{addresses::addresses, source::Source, value::content},
    plan,
};

use crate::{cases, chance::Chance, corpus, number, reading::Reading};

const COUNT: usize = if cfg!(debug_assertions) { 200 } else { 20_000 };

#[test]
fn only_quotes_line_breaks_and_blanks_at_ends_change() {
    let text = "\
network: 127.0.43.0/24 # ours \t
hostTemplate: {dns: {listen: 53}, http: {listen: '127.0.0.1:1'}}  \r
hosts:
  a: {vip: !!str 127.0.43.7,ports: [80:a:80,\"81:a:81\"]}   # first

  b:
    vip:  127.0.43.8 \t
    ports: &p
      - '82:127.0.0.1:82' # it's
    cmd: |\x20\x20
      ssh b  \t

      norouter\x20\x20
       \r
    x-port: 7
  c: {ports: *p, cmd: \"ssh c \t
    norouter\"}  \t
routes: [{via: b, to: [10.0.0.0/8, net, '*.x']}]
policy: {rules: [{from: a, to: b, ports: [5432, 80-81], action: allow}]}
\t
# end\x20

\x20\x20";
    let expected = "\
network: \"127.0.43.0/24\" # ours
hostTemplate: {dns: {listen: \"53\"}, http: {listen: \"127.0.0.1:1\"}}
hosts:
  a: {vip: !!str 127.0.43.7,ports: [\"80:a:80\",\"81:a:81\"]}   # first

  b:
    vip:  \"127.0.43.8\"
    ports: &p
      - \"82:127.0.0.1:82\" # it's
    cmd: |\x20\x20
      ssh b  \t

      norouter\x20\x20
       \n    x-port: 7
  c: {ports: *p, cmd: \"ssh c \t
    norouter\"}
routes: [{via: b, to: [\"10.0.0.0/8\", net, \"*.x\"]}]
policy: {rules: [{from: a, to: b, ports: [\"5432\", \"80-81\"], action: allow}]}

# end
";
    let made = formatted(text).unwrap();
    assert_eq!(made.text, expected);
    assert_eq!(
        made.also,
        [
            "10 values in double quotes",
            "5 lines without blanks at the end",
            "2 lines with the line break of the first line",
            "1 line break at the end of the file"
        ]
    );
    let crlf = expected.replace('\n', "\r\n");
    let first = text.replacen('\n', "\r\n", 1);
    assert_eq!(formatted(&first).unwrap().text, crlf);
    assert_eq!(formatted(&crlf).unwrap().text, crlf);
}

#[test]
fn the_end_of_a_text_that_ends_the_file_stays() {
    for mark in ["|", "|+", "|-", ">", ">+"] {
        for end in ["", "\n", "\n\n", "\n   \n \n", "\n     \n"] {
            let text = format!("hosts: {{}}\nx-text: {mark} \n  a \n  b{end}");
            let made = formatted(&text).unwrap();
            assert_eq!(made.text, text, "{text:?}");
            let more = format!("hosts:\n  a: \n    cmd: {mark}\n      a \n      b\n{end}# c \n\n");
            let made = formatted(&more).unwrap();
            assert!(made.text.ends_with("# c\n"), "{more:?}");
            assert_eq!(content(&made.text), content(&more), "{more:?}");
        }
    }
}

#[test]
fn a_text_that_cannot_be_edited_is_not_formatted() {
    let refused = |text| formatted(text).unwrap_err();
    assert_eq!(refused("hosts: {a: "), Refusal::Unreadable);
    assert_eq!(refused("hosts:\n  ? a\n  : {}\n"), Refusal::Unusual);
}

/// Checks everything that a formatted text has to be. Returns it.
fn check(name: &str, text: &str) -> String {
    let made = formatted(text).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}\n{text:?}"));
    let new = &made.text;
    let shown = || format!("{name}\n{text:?}\n{new:?}");
    assert_eq!(spliced(text, &made.splices), *new, "{}", shown());
    assert_eq!(content(text), content(new), "{}", shown());
    let plan = |text: &str| plan::load("n", text).plan;
    assert!(plan(text) == plan(new), "the plan: {}", shown());
    let again = formatted(new).unwrap();
    assert_eq!(again.text, *new, "not idempotent: {}", shown());
    assert!(again.also.is_empty() && again.splices.is_empty());
    let words = |text: &str| {
        let comments = Reading::of(text).comments.into_iter();
        let words = comments.map(|(_, comment)| comment.trim_end().to_owned());
        words.collect::<Vec<_>>()
    };
    assert_eq!(words(text), words(new), "the comments: {}", shown());
    let crlf = new.matches("\r\n").count();
    let lf = new.matches('\n').count() - crlf;
    assert!(crlf == 0 || lf == 0, "line breaks: {}", shown());
    let source = Source::read(new).unwrap();
    for id in addresses(&source) {
        if source.value(id).text().is_none() {
            continue;
        }
        let node = source.node(id);
        let written = &new[node.span.clone()];
        // A word needs no quotes, and keeps those that it has.
        let word = written.trim_matches('\'');
        let is_word = word.chars().all(|c| c.is_alphanumeric() || c == '-');
        let is_plain = is_word && word.starts_with(|c: char| c.is_alphabetic());
        let inner = &new[node.inner..node.span.end];
        assert!(
            inner.starts_with('"') || is_plain || written.contains(['!', '\n']),
            "{written}: {}",
            shown()
        );
    }
    made.text
}

/// The same text with blanks at the ends of some lines, with other line breaks, or with another end. What it means may
/// change where a text goes over several lines.
fn disturbed(chance: &mut Chance, text: &str) -> String {
    let mut new = String::new();
    let breaks = chance.below(3);
    for line in text.lines() {
        new.push_str(line);
        if chance.below(3) == 0 {
            new.push_str([" ", "\t", "   ", " \t "][chance.below(4)]);
        }
        let is_crlf = breaks == 0 || breaks == 1 && chance.flip();
        new.push_str(if is_crlf { "\r\n" } else { "\n" });
    }
    match chance.below(3) {
        0 => new.truncate(new.trim_end().len()),
        1 => new.push_str(["\n\n", "\r\n", "  ", " \n\t\n"][chance.below(4)]),
        _ => {}
    }
    new
}

#[test]
fn every_manifest_keeps_its_meaning_and_its_comments() {
    for (name, text) in corpus() {
        check(&name, &text);
    }
}

#[test]
fn a_disturbed_manifest_is_formatted_like_the_one_that_it_was() {
    let mut chance = Chance::new(number("EDIT_SEED", 11) as u64);
    let corpus = corpus();
    let (mut same, mut tried) = (0, 0);
    for _ in 0..number("FORMAT_COUNT", COUNT) {
        let (name, text) = chance.of(&corpus);
        let edit = cases::edit(&mut chance, &content(text).unwrap());
        let text = apply(text, &edit).map_or_else(|_| text.clone(), |applied| applied.text);
        let other = disturbed(&mut chance, &text);
        // A tab can end up where YAML does not allow it.
        let Some(meant) = content(&other) else {
            continue;
        };
        let (before, after) = (check(name, &text), check(name, &other));
        let has_texts =
            text.contains('|') || text.contains('>') || Some(&meant) != content(&text).as_ref();
        tried += 1;
        if !has_texts {
            let lines = |text: &str| text.replace("\r\n", "\n");
            let (before, after) = (lines(&before), lines(&after));
            // Inside other texts over several lines, blanks stay.
            let bare = |text: &str| {
                text.lines()
                    .map(|line| line.trim_end().to_owned() + "\n")
                    .collect::<String>()
            };
            assert_eq!(before, bare(&after), "{name}: {text:?}\n{other:?}");
            same += 1;
        }
    }
    println!("{tried} disturbed, {same} of them compared");
    assert!(
        same * 2 > tried && tried * 2 > number("FORMAT_COUNT", COUNT),
        "too few"
    );
}
