//! The program on the command line: its standard output, its standard error, and its exit codes.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::golden::{check, check_plan, root};

/// The result of a run of the program.
#[must_use = "look at what the program said"]
struct Run {
    code: i32,
    data: String,
    talk: String,
}

/// Runs the program in a folder, without the environment of the person who runs the tests.
fn norouter(folder: &Path, args: &[&str], variables: &[(&str, &Path)], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(args)
        .current_dir(folder)
        .env_remove("NOROUTER_FILE")
        .env_remove("CLICOLOR_FORCE")
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Writing fails if the program has ended without reading its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        data: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(args: &[&str]) -> Run {
    norouter(root(), args, &[], b"")
}

/// An empty folder, which is removed at the end of the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[test]
fn every_command_that_people_see_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let all = norouter::cli::definition();
    let mut expected: Vec<String> = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| format!("norouter-{}.1", command.get_name()))
        .chain(["norouter.1".to_owned()])
        .collect();
    expected.sort();
    clap_mangen::generate_to(all, folder.path()).unwrap();
    for name in &expected {
        let page = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
        assert!(page.contains(".SH OPTIONS"), "{name}");
    }
    for hidden in ["norouter-agent.1", "norouter-demo-host.1"] {
        assert!(!folder.path().join(hidden).exists(), "{hidden}");
    }
}

#[test]
fn the_reference_of_the_command_line_is_current() {
    check(&root().join("docs/CLI.md"), &norouter::cli::reference());
}

#[test]
fn the_example_passes_check() {
    let example = run(&["show-example"]);
    assert_eq!((example.code, example.talk.as_str()), (0, ""));
    let checked = norouter(root(), &["check", "-"], &[], example.data.as_bytes());
    assert_eq!(checked.data, "<stdin>: can be run (3 hosts)\n");
    assert_eq!(checked.code, 0);
    assert_eq!(run(&["show-ex"]).data, example.data);
}

#[test]
fn the_program_prints_the_schema_of_manifests() {
    let printed = run(&["schema"]);
    assert_eq!((printed.code, printed.talk.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&printed.data).unwrap();
    assert_eq!(schema["$id"], norouter::manifest::json_schema::SCHEMA_URL);
}

#[test]
fn check_is_strict_about_warnings_only_when_asked() {
    for (text, code) in [
        ("hosts: {a: {}, b: {cmd: 'docker exec b norouter'}}", 4),
        ("hosts: {a: {command: 'ssh a norouter'}}", 4),
        ("hosts: {b: {cmd: 'ssh b norouter'}}", 0),
    ] {
        let checked = norouter(root(), &["check", "-"], &[], text.as_bytes());
        assert_eq!(checked.code, 0, "{}", checked.data);
        let strict = norouter(root(), &["check", "--strict", "-"], &[], text.as_bytes());
        assert_eq!(strict.code, code, "{}", strict.data);
    }
    let text = "hosts: {a: {}, b: {cmd: 'docker exec b norouter'}}";
    let json = norouter(root(), &["check", "--json", "-"], &[], text.as_bytes());
    let reports: serde_json::Value = serde_json::from_str(&json.data).unwrap();
    let problem = &reports[0]["problems"][0];
    assert_eq!(problem["code"], "noInput");
    assert_eq!(problem["hint"], "write cmd: docker exec -i b norouter");
}

/// If the command of a host does not pass on the arguments for the agent, the program starts without arguments. The
/// folder in which it starts may contain a manifest.
#[cfg(unix)]
#[test]
fn a_program_that_has_lost_its_arguments_runs_no_manifest_that_it_finds() {
    let folder = Folder::new();
    fs::write(
        folder.path().join("norouter.yaml"),
        "hosts: {a: {cmd: 'touch started'}}",
    )
    .unwrap();
    let lost = norouter(folder.path(), &[], &[], b"");
    assert_eq!((lost.code, lost.data.as_str()), (2, ""));
    assert!(
        lost.talk.contains("exec norouter \"$0\" \"$@\""),
        "{}",
        lost.talk
    );
    assert!(!lost.talk.contains("using"), "{}", lost.talk);
    assert!(!folder.path().join("started").exists());
    // A manifest that is named is read, even in a script.
    let named = folder.path().join("named.yaml");
    fs::write(&named, "hosts: {}").unwrap();
    for run in [
        norouter(folder.path(), &["named.yaml"], &[], b""),
        norouter(folder.path(), &[], &[("NOROUTER_FILE", &named)], b""),
    ] {
        assert_eq!(run.code, 4, "{}", run.talk);
    }
}

#[test]
fn check_looks_at_every_file_and_its_exit_code_is_that_of_the_worst() {
    let good = "docs/examples/minimal.yaml";
    let bad = "tests/data/manifests/invalid/bad_vips.yaml";
    let both = run(&["check", bad, good]);
    assert_eq!(both.code, 4);
    assert!(both.data.contains("bad_vips.yaml:2:12"), "{}", both.data);
    assert!(
        both.data.ends_with("minimal.yaml: can be run (2 hosts)\n"),
        "{}",
        both.data
    );
    let missing = run(&["check", "nowhere.yaml", good]);
    assert_eq!(missing.code, 1);
    assert!(
        missing
            .talk
            .contains("the file nowhere.yaml does not exist"),
        "{}",
        missing.talk
    );
    assert!(
        missing.data.contains("minimal.yaml: can be run"),
        "{}",
        missing.data
    );
}

#[test]
fn check_shows_who_may_reach_what_before_anything_runs() {
    let file = "docs/examples/policy.yaml";
    let table = run(&["check", "--matrix", file]);
    assert_eq!((table.code, table.talk.as_str()), (0, ""));
    check(&root().join("tests/data/matrix.txt"), &table.data);
    let json = run(&["check", "--matrix", "--json", file]);
    let reports: Value = serde_json::from_str(&json.data).unwrap();
    let matrix = &reports[0]["matrix"];
    assert_eq!(matrix["default"], "deny");
    let find = |list: &Value, key: &str, name: &str| {
        let mut entries = list.as_array().unwrap().iter();
        entries.position(|it| it[key] == name).unwrap()
    };
    let cell = |from: &str, to: &str| {
        let (row, column) = (
            find(&matrix["rows"], "from", from),
            find(&matrix["targets"], "name", to),
        );
        matrix["rows"][row]["cells"][column].clone()
    };
    assert_eq!(cell("ci-runner", "db")["reach"], "all");
    assert_eq!(cell("ci-runner", "web1")["ports"], "8080");
    assert_eq!(cell("ci-runner", "10.0.0.0/8")["reach"], "none");
    assert_eq!(cell("bastion", "10.0.0.0/8")["reach"], "own");
    // A table of forty hosts would be too wide, so lists are printed.
    let hosts: String = (1..=40)
        .map(|number| format!("  host-{number}: {{ports: ['80:x:80']}}\n"))
        .collect();
    let policy = "policy: {rules: [{from: host-1, to: [host-2, host-3], action: deny}]}";
    let many = norouter(
        root(),
        &["check", "--matrix", "-"],
        &[],
        format!("hosts:\n{hosts}{policy}").as_bytes(),
    );
    assert!(
        many.data.lines().all(|line| line.chars().count() < 140),
        "{}",
        many.data
    );
    assert!(
        many.data.contains("no       host-2, host-3"),
        "{}",
        many.data
    );
    assert!(many.data.contains("and 29 more"), "{}", many.data);
}

#[test]
fn check_gives_json_with_every_place() {
    let run = run(&[
        "check",
        "--json",
        "tests/data/manifests/invalid/duplicate_vips.yaml",
    ]);
    assert_eq!((run.code, run.talk.as_str()), (4, ""));
    let reports: Value = serde_json::from_str(&run.data).unwrap();
    assert_eq!(reports[0]["valid"], false);
    let problem = &reports[0]["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(
        problem["start"],
        serde_json::json!({"byte": 41, "line": 3, "column": 12})
    );
    assert_eq!(problem["related"]["start"]["line"], 2);
    assert!(problem["hint"].is_string());
}

#[test]
fn plan_shows_what_would_run_dial_and_listen() {
    let text = run(&["plan", "tests/data/manifests/valid/everything.yaml"]);
    assert_eq!(text.code, 0);
    assert!(
        text.talk.contains("UDP is not carried yet"),
        "{}",
        text.talk
    );
    check_plan(&root().join("tests/data/plan.txt"), &text.data);
    let json = run(&[
        "plan",
        "--json",
        "tests/data/manifests/valid/everything.yaml",
    ]);
    assert_eq!(json.code, 0);
    check_plan(&root().join("tests/data/plan.json"), &json.data);
}

#[test]
fn plan_as_json_keeps_every_character_of_a_command() {
    let text = r#"hosts: {b: {cmd: ["ssh", "w\x7fX\x9b2Jé", "norouter"]}}"#;
    for args in [
        &["plan", "--json", "-"][..],
        &["plan", "--grants", "--json", "-"],
    ] {
        let json = norouter(root(), args, &[], text.as_bytes()).data;
        assert!(json.contains(r"w\u007fX\u009b2Jé"), "{json}");
    }
}

#[test]
fn plan_of_a_broken_manifest_shows_the_problems_and_no_plan() {
    let run = run(&["plan", "tests/data/manifests/invalid/tab_indentation.yaml"]);
    assert_eq!((run.code, run.data.as_str()), (4, ""));
    assert!(
        run.talk.contains("a tab is used for indentation"),
        "{}",
        run.talk
    );
    assert!(run.talk.contains("cannot be run"), "{}", run.talk);
}

#[test]
fn a_manifest_is_found_where_people_keep_it() {
    let folder = Folder::new();
    let below = folder.path().join("a/b");
    let config = folder.path().join("config/norouter");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir_all(&config).unwrap();
    let home = [
        ("HOME", folder.path()),
        ("XDG_CONFIG_HOME", &folder.path().join("config")),
    ];

    let nothing = norouter(&below, &["plan"], &home, b"");
    assert_eq!(nothing.code, 2);
    assert!(
        nothing.talk.contains("no manifest is given"),
        "{}",
        nothing.talk
    );

    let mut places = vec![config.join("norouter.yaml")];
    places.push(folder.path().join("norouter.yml"));
    places.push(below.join("norouter.yaml"));
    for place in &places {
        fs::write(place, "hosts: {a: {}}").unwrap();
        let found = norouter(&below, &["plan"], &home, b"");
        assert_eq!(found.code, 0, "{}", found.talk);
        assert_eq!(found.talk, format!("using {}\n", place.display()));
    }

    let named = folder.path().join("named.yaml");
    fs::write(&named, "hosts: {a: }").unwrap();
    let variables = [("NOROUTER_FILE", named.as_path())];
    let found = norouter(&below, &["check"], &variables, b"");
    assert_eq!(
        found.talk,
        format!("using {} ($NOROUTER_FILE)\n", named.display())
    );
}

#[test]
fn text_from_outside_cannot_control_the_terminal() {
    let text = "hosts:\n  \"\\e[2J\\u202e\": {\u{1b}c: 1, x: \u{9b}31m\u{202e}}\n";
    for args in [&["check", "-"][..], &["plan", "-"]] {
        let run = norouter(root(), args, &[], text.as_bytes());
        assert_eq!(run.code, 4);
        let said = run.data + &run.talk;
        let safe = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(said.chars().all(safe), "{said:?}");
        assert!(said.contains("\\u{1b}[2J"), "{said}");
    }
}

#[test]
fn a_file_that_is_not_text_is_refused_with_the_line() {
    let run = norouter(root(), &["check", "-"], &[], b"hosts:\n  a: \xff\n");
    assert_eq!(run.code, 4);
    assert!(
        run.talk.contains("<stdin>:2: this is not UTF-8 text"),
        "{}",
        run.talk
    );
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    for (args, command) in [
        (&["chek"][..], "check"),
        (&["stauts", "--json"][..], "status"),
        (&["quit"][..], "down"),
    ] {
        let run = run(args);
        assert_eq!(run.code, 2);
        let tip = format!("did you mean '{command}'?");
        assert!(run.talk.contains(&tip), "{args:?}: {}", run.talk);
    }
}

#[test]
fn options_of_the_program_stand_before_or_behind_a_command() {
    let manifest = "docs/examples/minimal.yaml";
    for args in [
        ["--debug", "check", manifest],
        ["check", "--debug", manifest],
    ] {
        let run = run(&args);
        assert_eq!(run.code, 0, "{}", run.talk);
        assert!(run.data.contains("can be run"), "{}", run.data);
    }
    let both = run(&[manifest, "check"]);
    assert_eq!((both.code, both.data.as_str()), (2, ""));
    let told = format!("write: norouter check {manifest}\n");
    assert!(both.talk.ends_with(&told), "{}", both.talk);
    // A network is named after its manifest. All words of the command are kept.
    let looking = run(&["--debug", "../office.yaml", "why", "web1"]);
    let told = "write: norouter why --debug --network office web1\n";
    assert!(looking.talk.ends_with(told), "{}", looking.talk);
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run(&["completions", shell]);
        assert_eq!(run.code, 0);
        assert!(run.data.contains("complete"), "{shell}");
    }
    let own = norouter(
        root(),
        &["completions"],
        &[("SHELL", Path::new("/usr/bin/fish"))],
        b"",
    );
    assert_eq!(own.code, 0, "{}", own.talk);
    assert_eq!(own.data, run(&["completions", "fish"]).data);
    let unknown = [("SHELL", Path::new("/bin/tcsh"))];
    assert_eq!(norouter(root(), &["completions"], &unknown, b"").code, 2);
}

#[test]
fn a_file_with_limits_is_explained_or_refused_with_places() {
    let folder = Folder::new();
    let good = "dial: [127.0.0.1:80, \"*.internal\"]\nresolve: network\n";
    for (text, code, data, talk) in [
        (
            good,
            0,
            "limits.yaml: agents may do this, and nothing else:\n  dial=127.0.0.1:80,*.internal\n  resolve=network\n",
            "",
        ),
        (
            "dail: 127.0.0.1\n",
            1,
            "limits.yaml:1:1",
            "with limits.yaml no agent serves",
        ),
    ] {
        fs::write(folder.path().join("limits.yaml"), text).unwrap();
        let run = norouter(folder.path(), &["check-limits", "limits.yaml"], &[], b"");
        assert_eq!(run.code, code, "{text}: {}", run.talk);
        assert!(run.data.contains(data), "{text}: {}", run.data);
        assert!(run.talk.contains(talk), "{text}: {}", run.talk);
    }
    let absent = norouter(folder.path(), &["check-limits", "absent"], &[], b"");
    assert_eq!((absent.code, absent.data.as_str()), (1, ""));
}

#[test]
fn an_agent_whose_limits_cannot_be_understood_answers_with_the_reason() {
    let configure = |args: &[&str]| {
        let json = r#"{"type":"request","body":{"id":1,"op":"configure","args":{"me":"127.0.42.101","loopback":{"disable":true}}}}"#;
        let mut frame = bytes::BytesMut::new();
        norouter::wire::frame::put_control(&mut frame, json.as_bytes());
        let mut child = Command::new(env!("CARGO_BIN_EXE_norouter"))
            .args(["agent", "--automated"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(&frame).unwrap();
        // The agent answers before its input is closed.
        let mut head = [0; 4];
        let mut out = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut out, &mut head).unwrap();
        drop(child.stdin.take());
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut out, &mut rest).unwrap();
        child.wait().unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    };
    let refused = configure(&["--restrict", "dail=127.0.0.1:80"]);
    assert!(
        refused.contains(r#"--restrict: unknown key \"dail\"; did you mean dial?"#),
        "{refused}"
    );
    // Even if its limits permit nothing, an agent answers its manager.
    assert!(configure(&["--restrict"]).contains("features"));
}

#[cfg(unix)]
#[test]
fn a_file_that_does_not_exist_is_told_with_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("office.yaml"), "hosts: {a: {}}\n").unwrap();
    let told = |argument: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_norouter"))
            .args(["check", argument])
            .current_dir(folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(told("office.yml").contains("did you mean office.yaml?"));
    assert!(told("offise.yaml").contains("did you mean office.yaml?"));
    let unlike = told("elsewhere.yaml");
    assert!(unlike.contains("norouter init elsewhere.yaml"), "{unlike}");
}
