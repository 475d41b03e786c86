//! Valid and invalid manifests: the plan of each, or all of its problems.

use std::fs;

use norouter::{
    manifest::{
        Severity, any_error,
        json_schema::{SCHEMA_URL, json_schema},
    },
    plan::{self, Loaded},
};
use proptest::prelude::*;

use crate::golden::{check, check_plan, files, root};

fn load(path: &std::path::Path) -> Loaded {
    let name = path.file_name().unwrap().to_str().unwrap();
    plan::load(name, &fs::read_to_string(path).unwrap())
}

#[test]
fn every_valid_manifest_has_the_expected_plan() {
    let files = files("tests/data/manifests/valid", ".yaml");
    assert!(files.len() >= 10, "only {} files", files.len());
    for path in files {
        let loaded = load(&path);
        let plan = loaded
            .plan
            .as_ref()
            .unwrap_or_else(|| panic!("{}", loaded.report(false)));
        check_plan(
            &path.with_extension("plan"),
            &format!("{plan:#?}\n\n{}", loaded.report(false)),
        );
    }
}

#[test]
fn every_invalid_manifest_has_the_expected_problems() {
    let files = files("tests/data/manifests/invalid", ".yaml");
    assert!(files.len() >= 20, "only {} files", files.len());
    for path in files {
        let loaded = load(&path);
        assert!(loaded.plan.is_none(), "{} has a plan", path.display());
        assert!(
            any_error(&loaded.problems),
            "{} has no error",
            path.display()
        );
        assert!(
            loaded
                .problems
                .iter()
                .all(|problem| problem.severity < Severity::Error || problem.hint.is_some()),
            "an error without a next step in {}",
            path.display()
        );
        check(&path.with_extension("problems"), &loaded.report(false));
    }
}

#[test]
fn every_example_can_be_run() {
    let files = files("docs/examples", ".yaml");
    assert_eq!(files.len(), 9);
    for path in files {
        let loaded = load(&path);
        assert!(loaded.plan.is_some(), "{}", loaded.report(false));
        // Editors read this line, and then complete and check the rest.
        let line = format!("# yaml-language-server: $schema={SCHEMA_URL}\n");
        assert!(loaded.text.starts_with(&line), "{}", path.display());
    }
}

#[test]
fn the_json_schema_is_current() {
    check(&root().join("docs/manifest.schema.json"), &json_schema());
}

#[test]
fn a_hundred_thousand_brackets_are_refused_and_the_stack_survives() {
    for opening in ["[", "{a: ", "- ", "a: {b: [", "? "] {
        let loaded = plan::load("deep.yaml", &opening.repeat(100_000));
        assert!(loaded.plan.is_none());
        assert!(any_error(&loaded.problems));
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    let loaded = plan::load("bomb.yaml", &text);
    assert!(
        loaded.problems[0].message.contains("repeat too much"),
        "{}",
        loaded.report(false)
    );

    let keys: String = (0..2_000).map(|key| format!("k{key}: 1, ")).collect();
    let merges: String = (0..2_000)
        .map(|map| format!("m{map}: {{<<: *base}}\n"))
        .collect();
    let loaded = plan::load("merges.yaml", &format!("base: &base {{{keys}}}\n{merges}"));
    assert!(
        loaded.problems[0].message.contains("repeat too much"),
        "{}",
        loaded.report(false)
    );
}

#[test]
fn a_file_beyond_one_mebibyte_is_refused_unread() {
    let loaded = plan::load("big.yaml", &"# \n".repeat(400_000));
    assert_eq!(loaded.problems.len(), 1);
    assert!(loaded.problems[0].message.contains("larger than 1 MiB"));
}

#[test]
fn countless_problems_are_counted_after_the_hundredth() {
    let loaded = plan::load(
        "many.yaml",
        &format!("hosts: {{a: }}\n{}", "a: 1\n".repeat(1_000)),
    );
    assert_eq!(loaded.problems.len(), 101);
    assert!(
        loaded.problems[100]
            .message
            .starts_with("at least 900 more problems")
    );
    assert_eq!(loaded.problems[100].severity, Severity::Error);
    assert!(loaded.plan.is_none());
}

#[test]
fn columns_count_characters_also_behind_a_byte_order_mark_and_crlf() {
    let text = "\u{feff}x-日本: &日本 {é: 1, é: 2}\r\nhosts:\r\n  a: {vip: 10.0.0.1}\r\n";
    let loaded = plan::load("crlf.yaml", text);
    let places: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| {
            let (start, end) = (problem.span.start, problem.span.end);
            (start.line, start.column, &text[start.byte..end.byte])
        })
        .collect();
    assert_eq!(places, [(1, 18, "é"), (3, 12, "10.0.0.1")]);
}

#[test]
fn a_problem_is_marked_in_a_line_of_characters_that_are_not_shown() {
    let report = plan::load("hidden.yaml", "\u{e0100}\u{e0100}").report(false);
    assert!(report.contains("hidden.yaml:1:1"), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(text in any::<String>()) {
        plan::load("random.yaml", &text).report(true);
    }

    #[test]
    fn random_yaml_never_panics(text in "([-:?&*!|>%@`\"'{}\\[\\], #\t\r\n~a<]|hosts:|vip:|\n  |\u{feff}){0,80}") {
        plan::load("random.yaml", &text).report(true);
    }

    #[test]
    fn a_damaged_manifest_never_panics(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        length in 0usize..12,
        insert in "[-:?&*!|>%{}\\[\\], #\t\n\u{0}-\u{ff}]{0,6}",
    ) {
        let files = files("tests/data/manifests/valid", ".yaml");
        let text = fs::read_to_string(&files[which.index(files.len())]).unwrap();
        let mut characters: Vec<char> = text.chars().collect();
        let at = cut.index(characters.len());
        let end = (at + length).min(characters.len());
        characters.splice(at..end, insert.chars());
        let damaged: String = characters.into_iter().collect();
        let loaded = plan::load("damaged.yaml", &damaged);
        loaded.report(true);
        prop_assert_eq!(loaded.plan.is_none(), any_error(&loaded.problems));
    }
}
