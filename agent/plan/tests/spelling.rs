//! Tests that the meaning of a manifest does not depend on the program that has written it: tags, merge keys, brackets,
//! escapes, and characters that only look like others.

use super::place;
use crate::{
    manifest::Problem,
    plan::{Loaded, Plan, Severity},
};

const MERGED: &str = "x-h1: &h1\n  cmd: ssh web1 norouter\n  loopback: {disable: true}\nhosts:\n  web1:\n    <<: *h1\n";

/// Loads a manifest. Remarks about commands, and about a network without this machine, are left out, because other
/// tests are about them.
fn load(text: &str) -> Loaded {
    let mut loaded = crate::plan::load("test.yaml", text);
    let problems = &mut loaded.problems;
    problems.retain(|it| it.code.is_none() && !it.message.starts_with("every host has a cmd"));
    loaded
}

/// The plan of a manifest without problems.
#[track_caller]
fn plan(text: &str) -> Plan {
    let loaded = load(text);
    assert_eq!(loaded.problems, [], "{}", loaded.report(false));
    loaded.plan.unwrap()
}

/// The one problem of a manifest.
#[track_caller]
fn problem(text: &str) -> Problem {
    let loaded = load(text);
    let [problem] = &loaded.problems[..] else {
        panic!("{}", loaded.report(false));
    };
    problem.clone()
}

/// Checks that a manifest is without problems and means the same as another one.
#[track_caller]
fn same(text: &str, other: &str) -> Plan {
    let plan = plan(text);
    assert_eq!(format!("{plan:?}"), format!("{:?}", self::plan(other)));
    plan
}

#[test]
fn a_merge_key_merges_with_its_tag_as_without() {
    for key in ["!!merge <<", "!<tag:yaml.org,2002:merge> <<"] {
        let plan = same(&MERGED.replace("<<", key), MERGED);
        assert!(!plan.hosts[0].loopback);
    }
}

#[test]
fn a_merge_key_that_merges_nothing_is_an_error() {
    for key in ["\"<<\"", "!!str <<", "'<<'"] {
        let text = MERGED.replace("<<", key);
        let problem = problem(&text);
        assert_eq!(problem.severity, Severity::Error);
        assert!(problem.message.contains("merges nothing"), "{problem:?}");
        assert_eq!(problem.span.start.line, 6);
    }
    // Below a key that begins with `x-`, a key "<<" in quotes is the person's own.
    plan("{x-a: {'<<': b}, hosts: {a: {x-b: {'<<': b}}}}");
}

#[test]
fn what_is_commented_out_behind_an_anchor_merges_nothing() {
    same(
        "x-c: &c\n#  vip: x\nhosts:\n  a:\n    <<: *c\n  b: {cmd: x, <<: [*c, {aliases: [d]}]}\n",
        "hosts: {a: {}, b: {cmd: x, aliases: [d]}}",
    );
}

#[test]
fn tags_that_say_what_a_value_is_anyway_are_taken() {
    same(
        "!!map\nhosts: !<tag:yaml.org,2002:map>\n  a: !\n    cmd: !<tag:yaml.org,2002:str> ssh a\n    aliases: !!seq [! \"b\", !!str true]\n    \
         writeEtcHosts: !!bool \"true\"\n    ports: !!null ''\n",
        "hosts: {a: {cmd: ssh a, aliases: [b, 'true'], writeEtcHosts: true}}",
    );
    assert!(
        problem("hosts: {a: {writeEtcHosts: !!str true}}")
            .message
            .contains("without quotes")
    );
}

#[test]
fn a_tag_of_yaml_that_would_make_something_else_of_a_value_is_an_error() {
    for (tagged, tag) in [
        ("!!binary d2Vi", "!!binary"),
        ("!<tag:yaml.org,2002:binary> d2Vi", "!!binary"),
        ("!!strng web", "!!strng"),
        ("!!set {web: }", "!!set"),
        ("!!value web", "!!value"),
    ] {
        let text = format!("{{x-a: [{tagged}], hosts: {{a: {{aliases: [{tagged}]}}}}}}");
        let problem = problem(&text);
        let message = format!("the tag \"{tag}\" means nothing here");
        assert_eq!(problem.message, message);
        assert_eq!(place(&text, &problem), tagged);
    }
    same(
        "hosts: {a: {cmd: [!!int 7, !!float 1e3, !!timestamp b, !!yaml '*']}}",
        "hosts: {a: {cmd: ['7', '1e3', b, '*']}}",
    );
}

#[test]
fn a_foreign_tag_is_an_error_only_where_its_value_is_used() {
    plan("x-mine: !ENV ${X}\nhosts: {a: {x-more: [!vault {b: !c d}]}, x-e: !f }\n");
    for (text, tagged) in [
        (
            "x-mine: &mine !ENV x\nhosts: {a: {cmd: *mine}}",
            "&mine !ENV x",
        ),
        ("hosts: {a: {cmd: !ENV x}}", "!ENV x"),
        ("hosts: {a: {cmd: [ssh, !ENV x]}}", "!ENV x"),
        ("hosts: {a: {writeEtcHosts: !ENV true}}", "!ENV true"),
        ("hosts: {a: !include {cmd: x}}", "!include {cmd: x}"),
        ("!<me:x> {hosts: {a: {}}}", "!<me:x> {hosts: {a: {}}}"),
        ("hosts: {a: {}, !b c: {}}", "!b c"),
        ("x-b: &b !b {}\nhosts: {a: {<<: *b}}", "&b !b {}"),
        ("{hosts: {a: {}}, policy: {groups: {b: !c [a]}}}", "!c [a]"),
    ] {
        let problem = problem(text);
        assert!(
            problem.message.contains("means nothing here"),
            "{problem:?}"
        );
        assert_eq!(place(text, &problem), tagged, "{text}");
    }
}

#[test]
fn a_bracket_may_close_in_the_column_of_its_key_or_before_it() {
    let plain = "hosts: {a: {cmd: [ssh, 'a b'], ports: ['8080:127.0.0.1:80']}, b: {cmd: x, http: {listen: '127.0.0.1:1'}}}";
    for text in [
        "hosts:\n  a:\n    cmd: [\n    ssh,\n    'a\n    b'\n    ]\n    ports: [\n      \"8080:127.0.0.1:80\"\n    ]\n  b:\n    cmd: x\n    http: {\n    listen: \"127.0.0.1:1\"\n    }\n",
        "hosts:\n  a: &a\n    cmd: &c !!seq [ssh, a b\n    ]\n    ports: [\n    '8080:127.0.0.1:80']\n  b: !!map {\n  cmd: x, http: {listen: '127.0.0.1:1'}\n  }\n",
        "\u{feff}hosts:\r\n  a:\r\n    cmd: [ssh, # é [\r\n# ]\r\n'a\r\nb'\r\n]\r\n    ports: [ # x\r\n'8080:127.0.0.1:80'\r\n]\r\n  b: {cmd: x, http: {\r\nlisten: '127.0.0.1:1' }\r\n}\r\n",
        // A comma comes after the last entry.
        "hosts:\n  a: {\n  cmd: [ssh, a b,\n  ],\n  ports: ['8080:127.0.0.1:80',\n  ],\n  }\n  b: {cmd: x, http: {listen: '127.0.0.1:1',\n  },\n  # }\n\n # ,\n}\n",
        "hosts: {\na: {cmd: [ssh, a b], ports: ['8080:127.0.0.1:80']},\nb: {cmd: x, http: {\nlisten: '127.0.0.1:1', # }, é\n}}, \n}\n",
        "\u{feff}hosts: {\r\na: {cmd: [ssh, a b], ports: ['8080:127.0.0.1:80']},\r\nb: {cmd: x, http: {listen: '127.0.0.1:1',\r\n#}\r\n}}, # é\r\n}",
    ] {
        same(text, plain);
    }
}

#[test]
fn a_map_with_a_comma_behind_its_last_entry_ends_with_its_bracket() {
    for text in [
        "hosts: {b: {}}\nroutes: [{ to: ['*'], # }\n }]\n",
        "\u{feff}routes: [{to: [x],}]\nhosts: {b: {}}",
    ] {
        let loaded = load(text);
        let problem = &loaded.problems[0];
        assert!(problem.message.contains("needs \"via\""), "{problem:?}");
        let place = place(text, problem);
        assert!(place.starts_with('{') && place.ends_with('}'), "{place}");
    }
    let text = "hosts: {a: {aliases: [b: c, d]}}";
    assert_eq!(place(text, &problem(text)), "b: c");
}

#[test]
fn a_bracket_without_a_space_behind_its_colon_says_what_is_missing() {
    for text in ["hosts: {a:{vip: 127.0.42.1}}", "hosts: {a: {aliases:[b]}}"] {
        let problem = problem(text);
        assert_eq!(problem.message, "a space is missing behind this ':'");
        assert_eq!(place(text, &problem), "");
        assert!(
            text[..problem.span.start.byte].ends_with(['a', 's']),
            "{problem:?}"
        );
    }
}

#[test]
fn keys_of_the_person_may_hold_maps_that_mean_nothing() {
    for own in [
        "{a: 1, a: 2}",
        "[{a: {? {a: b} : c}, [d]: e}]",
        "{<<: 5}",
        "{<<: [{a: 1, a: 2}, b], !c d: e}",
        "{<<: !x {a: b}}",
    ] {
        plan(&format!("{{x-a: {own}, hosts: {{b: {{x-c: {own}}}}}}}"));
        // The map is checked like everything else if it is not below a key that begins with `x-`, or if an alias can
        // lead to it.
        for text in [
            format!("{{x-a: &a {own}, hosts: {{b: *a}}}}"),
            format!("{{x-a: &a {{b: {own}}}, hosts: *a}}"),
            format!("{{y: {own}, hosts: {{b: {{}}}}}}"),
        ] {
            assert!(load(&text).plan.is_none(), "{text}");
        }
    }
    let text = "{x-a: {a: 1, a: 2}, hosts: {b: {}, x-d: {vip: 1, vip: 2}}}";
    let problem = problem(text);
    assert_eq!(
        (problem.severity, place(text, &problem)),
        (Severity::Note, "x-d")
    );
}

#[test]
fn what_one_host_must_have_may_be_empty_in_the_template() {
    same(
        "hostTemplate: {vip: , cmd: ~, aliases: null}\nhosts: {a: {}}\n",
        "hosts: {a: {}}",
    );
    let text = "{hostTemplate: {vip: ''}, hosts: {a: {}}}";
    assert!(problem(text).message.contains("must not have"));
}

#[test]
fn what_stands_in_blocks_of_text_is_not_touched_for_the_sake_of_brackets() {
    let text = "x-a: |\n  b: [\n  ]\nx-c: d\n  [e\n  f]\nhosts:\n  a:\n    cmd: |\n      x [\n      ]\n    aliases: [\n    b\n    ]\n";
    let loaded = load(text);
    let words = loaded.plan.unwrap().view().hosts[0].command.clone();
    assert_eq!(words, ["x", "[", "]", "agent", "--automated"]);
}

#[test]
fn places_are_true_behind_lines_that_were_indented() {
    let text =
        "hosts:\n  é:\n    ports: [\n    'x',\n  '8080:127.0.0.1:80'\n    ]\n    vip: 10.0.0.1\n";
    let loaded = load(text);
    let places: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| place(text, problem))
        .collect();
    assert_eq!(places, ["é", "'x'", "10.0.0.1"]);
    // The place of an error that the parser itself reports is right, too.
    let text = "hosts:\n  a:\n    ports: [\n    ]\n    vip: \"\\z\"\n";
    let problem = problem(text);
    assert_eq!(
        (problem.span.start.line, problem.span.start.column),
        (5, 10),
        "{problem:?}"
    );
}

#[test]
fn a_bracket_that_is_never_closed_is_named() {
    let text = "hosts:\n  a:\n    aliases: [b,\n    vip: 127.0.42.1\n    cmd: x\n";
    let loaded = load(text);
    assert!(loaded.plan.is_none());
    let [problem] = &loaded.problems[..] else {
        panic!("{}", loaded.report(false));
    };
    let bracket = problem.related.as_ref().unwrap().span.start;
    assert_eq!((bracket.line, bracket.column), (3, 14), "{problem:?}");
}

#[test]
fn many_brackets_in_the_columns_of_their_keys_cost_no_more_than_reading_twice() {
    let host = |i: usize| format!("  h{i}:\n    cmd: [\n    x\n    ]\n    aliases: [\n    ]\n");
    let hosts: String = (0..1_000).map(host).collect();
    let text = format!("network: 127.0.0.0/8\nhosts:\n{hosts}");
    assert_eq!(plan(&text).hosts.len(), 1_000);
}

#[test]
fn a_line_of_a_command_goes_on_behind_a_backslash() {
    let text = "hosts:\n  a:\n    cmd: |\n      ssh -p 2222 \\\n        web1 -- norouter\n";
    same(text, "hosts: {a: {cmd: ssh -p 2222 web1 -- norouter}}");
}

#[test]
fn a_no_break_space_is_named_with_its_place() {
    for (text, line, column) in [
        ("hosts:\n\u{a0} a:\n\u{a0}   vip: 127.0.42.1\n", 2, 1),
        ("hosts:\n  a:\n  \u{a0} cmd: x\n", 3, 3),
        ("hosts:\n  a:\n    vip:\u{a0}127.0.42.1\n", 3, 9),
        ("hosts:\n  a:\n    cmd: x\n    vip:\u{a0}127.0.42.1\n", 4, 9),
        ("hosts:\n  a:\n    cmd:\n    -\u{a0}x\n", 4, 6),
        (
            "hosts:\n  a:\n    cmd: x\n\u{3000}   vip: 127.0.42.1\n",
            4,
            1,
        ),
    ] {
        let problem = problem(text);
        assert!(problem.message.contains("(U+"), "{problem:?}");
        let start = problem.span.start;
        assert_eq!((start.line, start.column), (line, column), "{problem:?}");
    }
    let problem = problem("hosts: {a: {cmd: \"ssh\u{a0}web1\"}}");
    assert_eq!(problem.severity, Severity::Warning);
    assert!(problem.message.contains("a no-break space (U+00A0)"));
    plan("# \u{a0}\nx-a: \u{a0}b\nhosts: {a: {x-b: [“c]}}");
}

#[test]
fn a_curly_quote_is_named_with_its_place() {
    let text = "hosts: {a: {cmd: “ssh web1 -- norouter”}}";
    let problem = problem(text);
    assert_eq!(problem.severity, Severity::Warning);
    assert!(
        problem.message.contains("a curly quote (“, U+201C)"),
        "{problem:?}"
    );
    assert_eq!(place(text, &problem), "“ssh web1 -- norouter”");
    let text = "hosts: {a: {vip: “127.0.42.1”}}";
    let loaded = load(text);
    let severities: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| problem.severity)
        .collect();
    assert!(
        loaded.plan.is_none() && severities.contains(&Severity::Warning),
        "{severities:?}"
    );
}

#[test]
fn names_and_ports_that_other_programs_take_for_something_else_are_what_is_written() {
    let plan = plan(
        "hosts:\n  no: {}\n  on: {cmd: x}\n  null: {cmd: x}\n  1e3: {cmd: x}\n  true: {cmd: x, ports: ['08080:127.0.0.1:080']}\n",
    );
    let names: Vec<_> = plan.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["no", "on", "null", "1e3", "true"]);
    let forward = &plan.hosts[4].forwards[0];
    assert_eq!(
        (forward.listen_port.get(), forward.target.port.get()),
        (8080, 80)
    );
    for text in ["hosts: {101: {}}", "hosts: {a: {loopback: {disable: yes}}}"] {
        assert_eq!(problem(text).severity, Severity::Error);
    }
}

#[test]
fn half_a_character_says_how_to_write_the_whole() {
    let hint = problem(r#"{hosts: {a: {}}, x-b: "\ud83d\ude00"}"#)
        .hint
        .unwrap();
    assert!(hint.contains("\\U0001F600"), "{hint}");
}

#[test]
fn an_own_key_that_looks_like_a_host_gets_a_note() {
    for fields in ["vip: 127.0.42.9", "cmd: x"] {
        let text = format!("hosts: {{a: {{}}, x-ray: {{{fields}}}}}");
        let problem = problem(&text);
        assert_eq!(
            (problem.severity, place(&text, &problem)),
            (Severity::Note, "x-ray")
        );
    }
    plan("hosts: {a: {}, x-ray: {b: c}, x-note: a text}");
}
