//! `norouter host`, `port` and `route` edit real files, and change nothing else in them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A manifest as somebody has written it by hand.
const WRITTEN: &str = r#"# The network of the office.

hostTemplate:
  http: {listen: "127.0.0.1:18080"} # everywhere
hosts:
  # My own machine
  laptop:
    vip: "127.0.42.100" # bookmarks use it

  web1: # the shop
    cmd:   ssh -o ControlMaster=no -o ClearAllForwardings=yes web1 -- norouter
    ports:
      # the shop
      - '8080:127.0.0.1:80'   # nginx
  db: {cmd: 'podman exec -i db norouter', x-rack: 7}   # unknown to norouter

routes:
  - {via: web1, to: ["10.0.0.0/8"]}     # wide
  - {via: db, to: ["10.8.0.0/16"]}      # narrow
"#;

struct File {
    folder: TempDir,
    path: PathBuf,
}

struct Run {
    code: i32,
    data: String,
    talk: String,
}

impl File {
    fn new(text: &str) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("norouter.yaml");
        fs::write(&path, text).unwrap();
        Self { folder, path }
    }

    /// Runs the program in the folder of the file, where it finds the file by itself.
    fn run(&self, args: &[&str]) -> Run {
        run(self.folder.path(), args)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// Makes an edit. Returns the lines that its diff removes and adds, after checking that the file has changed in the
    /// same way.
    fn edit(&self, args: &[&str]) -> Vec<String> {
        let before = self.text();
        let run = self.run(&[args, &["--yes"]].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.talk);
        let lines = run.data.lines().skip(2);
        let lines = lines.filter(|line| line.starts_with(['-', '+']));
        let shown: Vec<String> = lines.map(str::to_owned).collect();
        let after = self.text();
        for (line, text) in shown.iter().map(|line| (line, line.starts_with('+'))) {
            let text = if text { &after } else { &before };
            assert!(text.contains(&line[1..]), "{line} is not in:\n{text}");
        }
        let count = |text: &str| text.lines().count();
        let added = shown.iter().filter(|line| line.starts_with('+')).count();
        assert_eq!(count(&after) + shown.len() - added, count(&before) + added);
        shown
    }
}

fn run(folder: &Path, args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_norouter"))
        .args(args)
        .current_dir(folder)
        .env_remove("NOROUTER_FILE")
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_RUNTIME_DIR", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        data: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn each_edit_changes_only_its_own_lines() {
    let file = File::new(WRITTEN);
    assert_eq!(
        file.edit(&["host", "set", "laptop", "vip", "127.0.42.7"]),
        [
            "-    vip: \"127.0.42.100\" # bookmarks use it",
            "+    vip: \"127.0.42.7\" # bookmarks use it"
        ]
    );
    assert_eq!(
        file.edit(&["port", "add", "web1", "8443"]),
        ["+      - \"8443:127.0.0.1:8443\""]
    );
    assert_eq!(
        file.edit(&["port", "set", "web1", "8080", "8081"]),
        [
            "-      - '8080:127.0.0.1:80'   # nginx",
            "+      - \"8081:127.0.0.1:80\"   # nginx"
        ]
    );
    assert_eq!(
        file.edit(&["port", "set", "web1", "8081", "8082:127.0.0.1:82"])[1],
        "+      - \"8082:127.0.0.1:82\"   # nginx"
    );
    assert_eq!(
        file.edit(&["port", "rm", "web1", "8082"]),
        ["-      - \"8082:127.0.0.1:82\"   # nginx"]
    );
    assert_eq!(
        file.edit(&["host", "rename", "web1", "shop"]),
        [
            "-  web1: # the shop",
            "+  shop: # the shop",
            "-  - {via: web1, to: [\"10.0.0.0/8\"]}     # wide",
            "+  - {via: shop, to: [\"10.0.0.0/8\"]}     # wide",
        ]
    );
    assert_eq!(
        file.edit(&[
            "host",
            "add",
            "mail",
            "--ssh",
            "mail.example.com",
            "--port",
            "25",
            "--vip",
            "127.0.42.9"
        ]),
        [
            "+  mail:",
            "+    vip: \"127.0.42.9\"",
            "+    ssh: \"mail.example.com\"",
            "+    ports: [\"25:127.0.0.1:25\"]",
        ]
    );
    assert_eq!(
        file.edit(&["route", "add", "--via", "mail", "--to", "*.mail.internal"]),
        ["+  - via: mail", "+    to: [\"*.mail.internal\"]"]
    );
    assert_eq!(
        file.edit(&["route", "rm", "1"]),
        ["-  - {via: shop, to: [\"10.0.0.0/8\"]}     # wide"]
    );
    assert_eq!(
        file.run(&["route", "ls"]).data,
        "1  10.8.0.0/16 through db\n2  *.mail.internal through mail\n"
    );
    assert!(
        file.run(&["host", "ls"])
            .data
            .contains("mail    127.0.42.9       25\n")
    );
}

#[test]
fn routes_that_need_a_removed_host_are_removed_with_it() {
    let file = File::new(WRITTEN);
    let run = file.run(&["host", "rm", "web1", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.talk);
    assert!(
        run.talk.contains("route 1 is removed as well"),
        "{}",
        run.talk
    );
    let gone = "gone: connections to 10.0.0.0/8 go through web1";
    assert!(run.talk.contains(gone), "{}", run.talk);
    let left = file.text();
    assert!(
        !left.contains("web1") && left.contains("# The network of the office."),
        "{left}"
    );
    let refused = file.run(&["host", "rm", "web1", "--yes"]);
    assert_eq!((refused.code, refused.data.as_str()), (1, ""));
    assert!(
        refused.talk.contains("the host \"web1\" does not exist"),
        "{}",
        refused.talk
    );
}

#[test]
fn a_shared_value_is_changed_only_as_far_as_was_said() {
    let file = File::new(WRITTEN);
    let set = ["host", "set", "db", "http.listen", "127.0.0.1:28080"];
    let refused = file.run(&[&set[..], &["--yes"]].concat());
    assert_eq!(refused.code, 1);
    assert!(
        refused.talk.contains("hostTemplate") && refused.talk.contains("--here"),
        "{}",
        refused.talk
    );
    assert_eq!(file.text(), WRITTEN);
    let here = file.edit(&[&set[..], &["--here"]].concat());
    assert_eq!(
        here[1],
        "+  db: {cmd: 'podman exec -i db norouter', x-rack: 7, http: {listen: \"127.0.0.1:28080\"}}   # unknown to norouter"
    );
    let everywhere = [
        "host",
        "set",
        "web1",
        "http.listen",
        "127.0.0.1:38080",
        "--everywhere",
    ];
    assert_eq!(
        file.edit(&everywhere)[1],
        "+  http: {listen: \"127.0.0.1:38080\"} # everywhere"
    );
}

#[test]
fn nothing_is_written_unless_it_was_agreed_to_and_can_be_run() {
    let file = File::new(WRITTEN);
    for (args, code, told) in [
        (
            &["port", "add", "web1", "9000"][..],
            2,
            "without a terminal, nobody can be asked",
        ),
        (
            &["port", "add", "web1", "9000", "--dry-run"],
            0,
            "publishes 9000 now",
        ),
        (
            &["port", "add", "web1", "8080", "--yes"],
            4,
            "could not be run any more",
        ),
        (
            &["host", "set", "web1", "vip", "10.0.0.1", "--yes"],
            4,
            "could not be run any more",
        ),
        (
            &["host", "set", "web1", "colour", "red", "--yes"],
            2,
            "is not a field",
        ),
        (
            &["host", "set", "web1", "writeEtcHosts", "yes", "--yes"],
            2,
            "true or false",
        ),
        (
            &["port", "set", "web1", "81", "82", "--yes"],
            1,
            "does not publish port 81",
        ),
        (
            &["port", "set", "web1", "8080", "http", "--yes"],
            2,
            "is not a port",
        ),
        (&["host", "add", "DB", "--yes"], 1, "is taken"),
        (&["route", "rm", "3", "--yes"], 1, "route 3 does not exist"),
        (
            &[
                "host",
                "set",
                "web1",
                "cmd",
                "ssh -o ControlMaster=no -o ClearAllForwardings=yes web1 -- norouter",
                "--yes",
            ],
            0,
            "",
        ),
    ] {
        let run = file.run(args);
        assert_eq!(run.code, code, "{args:?}: {}", run.talk);
        assert!(run.talk.contains(told), "{args:?}: {}", run.talk);
        if code != 0 || args.contains(&"--dry-run") {
            assert_eq!(file.text(), WRITTEN, "{args:?}");
        }
    }
    let piped = file.run(&["host", "rm", "web1", "--file", "-", "--yes"]);
    assert_eq!(piped.code, 2);
}

#[test]
fn a_manifest_is_written_in_the_usual_form() {
    let file = File::new(WRITTEN);
    let checked = file.run(&["fmt", "--check"]);
    assert_eq!(checked.code, 7, "{}", checked.talk);
    let change =
        "-      - '8080:127.0.0.1:80'   # nginx\n+      - \"8080:127.0.0.1:80\"   # nginx\n";
    assert!(checked.data.contains(change), "{}", checked.data);
    for told in [
        "1 value in double quotes",
        "nothing changes",
        "norouter fmt",
    ] {
        assert!(checked.talk.contains(told), "{}", checked.talk);
    }
    assert_eq!(file.run(&["fmt"]).code, 2);
    assert_eq!(file.run(&["fmt", "--dry-run"]).code, 0);
    assert_eq!(file.run(&["fmt", "--check", "--yes"]).code, 2);
    assert_eq!(file.text(), WRITTEN);
    assert_eq!(file.edit(&["fmt"]).len(), 2);
    let checked = file.run(&["fmt", "--check"]);
    assert_eq!((checked.code, checked.data.as_str()), (0, ""));
    assert!(checked.talk.contains("has the usual form"));
    // Line breaks are not seen in the change, so they are said.
    fs::write(&file.path, WRITTEN.replacen('\n', "\r\n", 1)).unwrap();
    let run = file.run(&["fmt", "--yes"]);
    let told = "17 lines with the line break of the first line";
    assert!(run.talk.contains(told), "{}", run.talk);
    let crlf = WRITTEN.replace("'8080:127.0.0.1:80'", "\"8080:127.0.0.1:80\"");
    assert_eq!(file.text(), crlf.replace('\n', "\r\n"));
    fs::write(&file.path, "hosts: {a: ").unwrap();
    assert_eq!(file.run(&["fmt", "--check"]).code, 4);
}

#[test]
fn two_manifests_are_compared_by_what_they_mean() {
    let file = File::new(WRITTEN);
    let other = file.folder.path().join("other.yaml");
    let diff = |text: String| {
        fs::write(&other, text).unwrap();
        let run = file.run(&["diff", "norouter.yaml", "other.yaml"]);
        assert_eq!(run.code, 0, "{}", run.talk);
        run.data
    };
    assert_eq!(
        diff(format!("# new\n{WRITTEN}")),
        "nothing changes for a network\n"
    );
    let moved = diff(WRITTEN.replace("8080:", "8081:"));
    assert!(
        moved.contains("publishes 8081 now") && moved.contains("gone: "),
        "{moved}"
    );
    let narrower = diff(WRITTEN.replace("10.8.0.0/16", "10.8.0.0/17"));
    assert!(narrower.contains("10.8.0.0/17"), "{narrower}");
}

#[test]
fn the_file_keeps_its_mode_and_a_link_to_it_stays_a_link() {
    let file = File::new(WRITTEN);
    fs::set_permissions(&file.path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = file.folder.path().join("link.yaml");
    std::os::unix::fs::symlink(&file.path, &link).unwrap();
    let run = file.run(&[
        "port",
        "add",
        "laptop",
        "22",
        "--yes",
        "--file",
        "link.yaml",
    ]);
    assert_eq!(run.code, 0, "{}", run.talk);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&file.path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert!(file.text().contains("22:127.0.0.1:22"));
    // The program has left no other file in the folder.
    assert_eq!(fs::read_dir(file.folder.path()).unwrap().count(), 2);
}

#[test]
fn the_manifest_that_is_in_force_has_the_same_plan() {
    let file = File::new(WRITTEN);
    let yaml = file.run(&["plan", "--yaml"]);
    assert_eq!(yaml.code, 0, "{}", yaml.talk);
    assert!(!yaml.data.contains("hostTemplate"), "{}", yaml.data);
    fs::write(file.folder.path().join("effective.yaml"), &yaml.data).unwrap();
    let plan = |name: &str| file.run(&["plan", "--json", name]).data;
    assert_eq!(plan("effective.yaml"), plan("norouter.yaml"));
    assert!(plan("norouter.yaml").contains("127.0.0.1:18080"));
}

/// The file in a home folder, and the program that is about to edit it at a terminal.
#[cfg(target_os = "linux")]
fn at_a_terminal(name: &str) -> (crate::home::Home, PathBuf, crate::terminal::Terminal) {
    let home = crate::home::Home::new(name);
    let path = PathBuf::from(home.write("norouter.yaml", WRITTEN));
    let edit = ["host", "set", "laptop", "vip", "127.0.42.7"];
    let mut terminal = crate::terminal::Terminal::start(&home, &edit);
    terminal.reads("-    vip: \"127.0.42.100\" # bookmarks use it");
    terminal.reads("+    vip: \"127.0.42.7\" # bookmarks use it");
    terminal.reads("norouter.yaml? Type yes and Enter");
    assert_eq!(fs::read_to_string(&path).unwrap(), WRITTEN, "not yet");
    (home, path, terminal)
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_sees_the_change_and_is_asked() {
    for (typed, code, is_written) in [
        ("yes\n", 0, true),
        (" YES \n", 0, true),
        ("no\n", 1, false),
        ("y\n", 1, false),
        ("\n", 1, false),
        // The end of the input.
        ("\u{4}", 1, false),
    ] {
        let (_home, path, mut terminal) = at_a_terminal("amend-asked");
        terminal.types(typed);
        let (exit, screen) = terminal.ended();
        assert_eq!(exit, code, "{typed:?}: {screen}");
        let now = fs::read_to_string(&path).unwrap();
        let expected = if is_written {
            WRITTEN.replace("127.0.42.100", "127.0.42.7")
        } else {
            WRITTEN.to_owned()
        };
        assert_eq!(now, expected, "{typed:?}");
        let told = if is_written {
            "was written"
        } else {
            "nothing was written"
        };
        assert!(screen.contains(told), "{typed:?}: {screen}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_has_changed_while_the_person_thought_is_left_alone() {
    let (home, path, mut terminal) = at_a_terminal("amend-changed");
    let other = format!("{WRITTEN}# somebody else was here\n");
    fs::write(&path, &other).unwrap();
    terminal.types("yes\n");
    let (exit, screen) = terminal.ended();
    assert_eq!(exit, 1, "{screen}");
    assert!(
        screen.contains("has changed meanwhile, so nothing was written")
            && screen.contains("run the command again"),
        "{screen}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), other, "nothing is lost");
    let names = fs::read_dir(home.path()).unwrap();
    let names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_was_removed_while_the_person_thought_does_not_come_back() {
    let (_home, path, mut terminal) = at_a_terminal("amend-removed");
    fs::remove_file(&path).unwrap();
    terminal.types("yes\n");
    let (exit, screen) = terminal.ended();
    assert_eq!(exit, 1, "{screen}");
    assert!(!path.exists(), "{screen}");
}

#[test]
fn yes_asks_nobody_and_a_dry_run_shows_the_same_and_writes_nothing() {
    let file = File::new(WRITTEN);
    let edit = ["port", "add", "web1", "9000"];
    let dry = file.run(&[&edit[..], &["--dry-run"]].concat());
    assert_eq!((dry.code, file.text().as_str()), (0, WRITTEN));
    let wet = file.run(&[&edit[..], &["--yes"]].concat());
    assert_eq!(wet.code, 0, "{}", wet.talk);
    assert_eq!(wet.data, dry.data);
    let more = wet.talk.strip_prefix(&dry.talk);
    assert!(
        more.is_some_and(|more| more.ends_with("norouter.yaml was written\n")),
        "{}",
        wet.talk
    );
    let both = file.run(&[&edit[..], &["--yes", "--dry-run"]].concat());
    assert_eq!(both.code, 2);
}
