//! The grants of a manifest, and the agreement that they need. The tests change running networks, run manifests that
//! nobody has named, and use lists of trusted grants and paths that are not files.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    process::Command,
    time::Instant,
};

use serde_json::{Value, json};

use super::home::{Home, PATIENCE, Run, alone};

/// A network with this machine only, which does not publish a port.
fn closed(vip: &str) -> String {
    format!(
        "hosts:\n  laptop: {{vip: {vip}, dns: {{disable: true}}, stateDir: {{disable: true}}}}\n"
    )
}

/// The network of [`closed`] with a service of this machine that all hosts can reach.
fn open(vip: &str) -> String {
    closed(vip).replace("}}\n", "}, ports: ['2222:127.0.0.1:22']}\n")
}

const SENTENCE: &str = "all hosts can connect to 127.0.0.1:22 of this machine, as laptop:2222";

fn mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

impl Home {
    fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let snapshot = self.json(&["status", "--json"]);
            if is(&snapshot) {
                return snapshot;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {snapshot}");
        }
    }

    fn ports(&self) -> Value {
        self.json(&["status", "--json"])["hosts"][0]["ports"].clone()
    }
}

fn refused(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, code, "{}", run.talk);
    for word in words {
        assert!(run.talk.contains(word), "no {word:?} in {}", run.talk);
    }
}

#[test]
fn with_confirm_nothing_of_a_change_that_grants_more_is_in_force_before_it_is_approved() {
    let home = Home::new("confirm");
    let vip = "127.0.66.1";
    let file = home.write("confirm.yaml", &closed(vip));
    let _manager = home.up(&[&file, "--confirm"]);
    home.wait(&["--all"]);

    home.write("confirm.yaml", &open(vip));
    let snapshot = home.until("the change waits", |it| !it["held"].is_null());
    assert_eq!(snapshot["held"]["grants"], json!([SENTENCE]));
    let again = home.json(&["reload", "--json"]);
    assert_eq!(again["held"], snapshot["held"]["number"], "it is the same");
    assert_eq!(again["changes"], json!([]));
    let told = home.run(&["reload"]);
    assert!(told.talk.contains("norouter approve"), "{}", told.talk);
    assert_eq!(told.data, format!("new: {SENTENCE}\n"));
    assert_eq!(home.ports(), json!([]), "nothing is in force");
    let status = home.run(&["status"]);
    assert!(status.data.contains(SENTENCE), "{}", status.data);
    refused(
        &home.run(&["approve"]),
        2,
        &[SENTENCE, "nobody can be asked"],
    );
    assert_eq!(home.ports(), json!([]));

    // A change that only removes grants needs no agreement. It replaces the change that waits.
    let fewer = closed(vip).replace("laptop: {", "laptop: {loopback: {disable: true}, ");
    home.write("confirm.yaml", &fewer);
    home.until("it is taken up", |it| it["held"].is_null());
    home.write("confirm.yaml", &open(vip));
    home.until("the change waits", |it| !it["held"].is_null());
    let approved = home.run(&["approve", "--yes"]);
    assert_eq!(approved.code, 0, "{}", approved.talk);
    assert!(approved.talk.contains(SENTENCE), "{}", approved.talk);
    assert_eq!(home.ports(), json!([2222]));
    assert!(home.until("", |_| true)["held"].is_null());
    let none = home.run(&["approve", "--yes"]);
    assert!(none.talk.contains("nothing was approved"), "{}", none.talk);
    let said = fs::read_to_string(home.path().join("stderr")).unwrap();
    assert!(said.contains("the whole change waits"), "{said}");
    assert!(said.contains(&format!("new: {SENTENCE}")), "{said}");
}

#[test]
fn without_confirm_an_edit_of_the_named_file_is_taken_up_and_what_it_grants_is_told() {
    let home = Home::new("told");
    let vip = "127.0.66.2";
    let file = home.write("told.yaml", &closed(vip));
    let _manager = home.up(&[&file]);
    home.wait(&["--all"]);
    home.write("told.yaml", &open(vip));
    home.until("it is taken up", |it| {
        it["hosts"][0]["ports"] == json!([2222])
    });
    let start = Instant::now();
    let line = format!("\n  new: {SENTENCE}\n");
    while !fs::read_to_string(home.path().join("stderr"))
        .unwrap()
        .contains(&line)
    {
        assert!(start.elapsed() < PATIENCE, "no {line}");
    }
    let logs = home.run(&["logs"]);
    assert!(logs.data.contains(SENTENCE), "{}", logs.data);
}

#[test]
fn a_script_runs_only_what_it_trusts() {
    let home = Home::new("trust");
    let vip = "127.0.66.3";
    let file = home.write("trust.yaml", &open(vip));
    let shown = home.run(&["plan", "--grants", &file]);
    let reach = "every host may reach all that is published and routed";
    assert_eq!(shown.data, format!("{SENTENCE}\n{reach}\n"));
    let list = home.run(&["plan", "--grants", "--json", &file]).data;
    let trusted = home.write("trusted", &list);
    mode(home.path(), 0o755);
    let up = |file: &str, trusted: &str| home.run(&["up", "--require-trust", trusted, file]);

    let more = home.write(
        "more.yaml",
        &open(vip).replace("laptop: {", "laptop: {writeEtcHosts: true, "),
    );
    let words = [
        "not trusted: laptop writes",
        "nothing was started",
        "plan --grants --json",
    ];
    refused(&up(&more, &trusted), 6, &words);
    // Nothing is started if the list of trusted grants is invalid, is empty, does not exist, or could have been changed
    // by other users.
    for (text, word) in [
        ("", "not a list"),
        ("[]", SENTENCE),
        ("[{\"kind\": \"all\"}]", "not a list"),
    ] {
        let other = home.write("other", text);
        refused(&up(&file, &other), 6, &[word]);
    }
    refused(&up(&file, "/nowhere"), 6, &["trusts nothing"]);
    let writable = home.write("writable", &list);
    mode(writable.as_ref(), 0o666);
    refused(&up(&file, &writable), 6, &["other users may write"]);

    let _manager = home.up(&["--require-trust", &trusted, &file]);
    home.wait(&["--all"]);
    fs::copy(&more, &file).unwrap();
    home.until("more than it trusts waits", |it| !it["held"].is_null());
}

#[test]
fn a_manifest_that_nobody_has_named_is_used_only_where_nobody_else_may_write() {
    let home = Home::new("found");
    mode(home.path(), 0o755);
    let folder = home.path().join("shared");
    let file = home.write("shared/norouter.yaml", &alone("127.0.66.4"));
    let here = |arguments: &[&str]| {
        let output = home.command(arguments).current_dir(&folder).output();
        let output = output.unwrap();
        Run {
            code: output.status.code().unwrap(),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        }
    };
    let commands: [&[&str]; 4] = [
        &["up"],
        &["plan"],
        &["check"],
        &["service", "install", "--dry-run"],
    ];
    for (path, open) in [(folder.as_path(), 0o1777), (file.as_ref(), 0o666)] {
        mode(&folder, 0o755);
        mode(path, open);
        for arguments in commands {
            let words = ["is not used: other users may write", "name it", &file];
            refused(&here(arguments), 2, &words);
        }
        // A manifest that the person names is accepted.
        assert_eq!(here(&["check", "norouter.yaml"]).code, 0);
        assert_eq!(here(&["plan", &file]).code, 0);
    }
    mode(file.as_ref(), 0o644);
    mode(&folder, 0o755);
    let used = here(&["check"]);
    assert_eq!(used.code, 0, "{}", used.talk);
}

#[test]
fn what_is_no_file_is_refused_at_once_and_what_the_shell_feeds_is_read() {
    let home = Home::new("kinds");
    let pipe = home.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let pipe = pipe.to_str().unwrap();
    for arguments in [["check", pipe], ["plan", pipe], ["up", pipe]] {
        refused(&home.run(&arguments), 1, &["it is a pipe and not a file"]);
    }
    refused(
        &home.run(&["service", "install", "--dry-run", pipe]),
        1,
        &["a pipe"],
    );
    refused(
        &home.run(&["check", "/dev/zero"]),
        1,
        &["a device and not a file"],
    );
    refused(&home.run(&["check", "run"]), 1, &["is a folder"]);
    let trusted = [
        "up",
        "--require-trust",
        pipe,
        &home.write("n.yaml", "hosts: {a: {}}"),
    ];
    refused(&home.run(&trusted), 6, &["a pipe"]);

    let shell = |line: &str| {
        let program = env!("CARGO_BIN_EXE_norouter");
        let mut command = Command::new("bash");
        let command = command.args(["-c", line, program]).current_dir(home.path());
        let output = command.output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    for line in [
        "\"$0\" check <(sleep 0.1; echo 'hosts: {a: {}}')",
        "echo 'hosts: {a: {}}' | \"$0\" check /dev/stdin",
        "echo 'hosts: {a: {}}' | \"$0\" check -",
        "\"$0\" check /dev/stdin < n.yaml",
    ] {
        let (code, talk) = shell(line);
        assert_eq!(code, 0, "{line}: {talk}");
    }
    let (code, talk) = shell("\"$0\" service install --dry-run <(echo 'hosts: {a: {}}')");
    assert_eq!(code, 2, "{talk}");
    assert!(talk.contains("or a pipe"), "{talk}");
}

#[test]
fn a_path_that_would_be_several_lines_is_refused() {
    let home = Home::new("lines");
    for name in ["a\nb.yaml", "a\rb.yaml", "a\u{1b}b.yaml", "a\u{2028}b.yaml"] {
        let file = home.write(name, "hosts: {a: {}}\n");
        for arguments in [
            &["check", &file][..],
            &["service", "install", "--dry-run", &file],
        ] {
            let run = home.run(arguments);
            refused(&run, 2, &["line break or a control character"]);
            assert!(run.data.is_empty(), "{}", run.data);
        }
    }
    let install = |path: &OsStr, file: &OsStr| {
        let mut command = home.command(&["service", "install", "--dry-run"]);
        command.env("PATH", path).arg(file).output().unwrap()
    };
    let file = home.write("n.yaml", "hosts: {a: {}}\n");
    let lines = install("/bin:/a\nExecStart=/b".as_ref(), file.as_ref());
    assert_eq!(lines.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lines.stderr).contains("the variable PATH"));
    // If this path were converted to text, it would name another file.
    let strange = home.path().join(OsStr::from_bytes(b"\xff.yaml"));
    fs::copy(&file, &strange).unwrap();
    let run = install("/bin".as_ref(), strange.as_os_str());
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("bytes that are not text"));
    let good = install("/bin".as_ref(), file.as_ref());
    assert_eq!(good.status.code(), Some(0));
}

#[test]
fn a_command_that_others_can_change_is_a_problem_of_its_manifest() {
    let home = Home::new("doubts");
    mode(home.path(), 0o755);
    let script = home.write("run.sh", "");
    let file = home.write(
        "n.yaml",
        &format!("hosts:\n  a:\n    cmd: [sh, {script}]\n"),
    );
    mode(script.as_ref(), 0o755);
    assert!(!home.run(&["check", &file]).data.contains("warning"));
    mode(script.as_ref(), 0o777);
    let check = home.run(&["check", &file]);
    assert_eq!(check.code, 0);
    for word in ["n.yaml:3:", "can be changed by others", "1 warning"] {
        assert!(check.data.contains(word), "no {word:?} in {}", check.data);
    }
    assert!(
        home.run(&["plan", &file])
            .talk
            .contains("can be changed by others")
    );
    let relative = home.write("r.yaml", "hosts: {a: {cmd: ./run.sh}}\n");
    let check = home.run(&["check", &relative]);
    assert!(
        check.data.contains("another one in each folder"),
        "{}",
        check.data
    );
}
