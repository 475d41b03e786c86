//! `norouter -e`: the editor, the network that runs afterwards, and the file that is kept or removed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A manifest with one host. Its command ends at once, and then the host waits for its retry.
const SHORT: &str = "hosts: {a: {vip: 127.0.42.231, cmd: 'false'}}";

/// A text that the program prints while the host of [`SHORT`] waits. At this text, the test sends Ctrl-C.
const WAITS: &str = "attempt 1 ";

/// A folder with an editor. The editor notes each file that it is given, and writes a text into the file.
struct Desk(TempDir);

impl Desk {
    fn new(name: &str, text: &str) -> Self {
        let above = env!("CARGO_TARGET_TMPDIR");
        let desk = TempDir::with_prefix_in(format!("edit-{name}-"), above).unwrap();
        let folder = desk.path();
        fs::create_dir(folder.join("temporary")).unwrap();
        let script = "echo \"$2\" >>\"${0%/*}/edited\"\ncat \"$1\" >\"$2\"\n";
        fs::write(folder.join("editor"), script).unwrap();
        fs::write(folder.join("text"), text).unwrap();
        Self(desk)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let file = |name| format!("'{}'", self.0.path().join(name).display());
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("VISUAL")
            .env("EDITOR", format!("sh {} {}", file("editor"), file("text")))
            .env("TMPDIR", self.0.path().join("temporary"))
            .env("XDG_RUNTIME_DIR", self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program. Returns its exit code and its output.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self
            .command(env!("CARGO_BIN_EXE_norouter"), arguments)
            .output()
            .unwrap();
        assert!(output.stdout.is_empty());
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// Runs a network until [`WAITS`] appears, and sends Ctrl-C. Returns the exit code and the output.
    fn run_until_ctrl_c(&self, arguments: &[&str]) -> (i32, String) {
        let mut child = self
            .command(env!("CARGO_BIN_EXE_norouter"), arguments)
            .spawn()
            .unwrap();
        let mut talk = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while lines.read_line(&mut talk).unwrap() > 0 {
            if talk.contains(WAITS) {
                kill_process(Pid::from_child(&child), Signal::INT).unwrap();
                lines.read_to_string(&mut talk).unwrap();
            }
        }
        (child.wait().unwrap().code().unwrap(), talk)
    }

    /// The files that the editor was given.
    fn edited(&self) -> Vec<PathBuf> {
        let edited = fs::read_to_string(self.0.path().join("edited")).unwrap_or_default();
        edited.lines().map(PathBuf::from).collect()
    }

    fn is_clean(&self) -> bool {
        fs::read_dir(self.0.path().join("temporary"))
            .unwrap()
            .count()
            == 0
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_temporary_manifest_that_cannot_be_run_is_kept_for_its_owner_alone() {
    let desk = Desk::new("broken", "hosts:\n  a: {vip: 8.8.8.8}\n");
    let (code, talk) = desk.run(&["-e"]);
    assert_eq!(code, 4, "{talk}");
    let files = desk.edited();
    assert_eq!(files.len(), 1);
    assert!(talk.contains("8.8.8.8"), "{talk}");
    assert!(
        talk.ends_with(&format!("the manifest is kept: {}\n", files[0].display())),
        "{talk}"
    );
    assert_eq!(
        (mode(&files[0]), mode(files[0].parent().unwrap())),
        (0o600, 0o700)
    );
    assert!(!talk.contains("[Y/n]"), "nobody is there to answer: {talk}");
}

#[test]
fn a_manifest_is_run_as_it_was_edited() {
    let desk = Desk::new("run", SHORT);
    let (code, talk) = desk.run_until_ctrl_c(&["--open-editor"]);
    assert_eq!(code, 130, "{talk}");
    assert!(talk.contains("a (127.0.42.231) is retrying"), "{talk}");
    assert!(talk.contains("the manifest is kept"), "{talk}");
}

#[test]
fn a_named_file_is_edited_in_its_place() {
    let desk = Desk::new("named", SHORT);
    let file = desk.0.path().join("mine.yaml");
    fs::write(&file, "hosts: {}").unwrap();
    let (code, talk) = desk.run_until_ctrl_c(&["up", "-e", file.to_str().unwrap()]);
    assert_eq!(code, 130, "{talk}");
    assert_eq!(desk.edited(), [file.as_path()]);
    assert_eq!(fs::read_to_string(&file).unwrap(), SHORT);
    assert!(desk.is_clean() && !talk.contains("kept"), "{talk}");
}

#[test]
fn a_named_file_that_does_not_exist_is_made_from_the_example() {
    let desk = Desk::new("new", SHORT);
    let file = desk.0.path().join("new.yaml");
    let (code, talk) = desk.run_until_ctrl_c(&["-e", "new.yaml"]);
    assert_eq!(code, 130, "{talk}");
    assert!(
        talk.starts_with("new.yaml is new: a copy of the example\n"),
        "{talk}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), SHORT);
    fs::remove_file(&file).unwrap();
    let mut command = desk.command(env!("CARGO_BIN_EXE_norouter"), &["-e", "new.yaml"]);
    let output = command.env("EDITOR", "false").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!file.exists(), "the editor has failed");
}

#[test]
fn an_editor_that_draws_is_not_started_without_a_terminal() {
    let desk = Desk::new("bare", SHORT);
    let mut command = desk.command(env!("CARGO_BIN_EXE_norouter"), &["-e"]);
    let output = command.env_remove("EDITOR").output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{talk}");
    assert!(
        talk.contains("the editor vi needs a terminal, and there is none"),
        "{talk}"
    );
    assert!(output.stdout.is_empty() && desk.is_clean());
}

#[test]
fn an_editor_that_fails_starts_nothing_and_leaves_nothing() {
    let desk = Desk::new("fails", "");
    let mut command = desk.command(env!("CARGO_BIN_EXE_norouter"), &["-e"]);
    let output = command.env("VISUAL", "false --wait").output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        talk.contains("the editor false --wait: it ended with exit status: 1"),
        "{talk}"
    );
    assert!(desk.is_clean());
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_editor_is_offered_again() {
    let desk = Desk::new("again", SHORT);
    let program = format!("'{}' -e", env!("CARGO_BIN_EXE_norouter"));
    let mut command = desk.command("script", &["-qec", &program, "/dev/null"]);
    let mut child = command
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut answers = ["y\n", "n\n", "y\n"].into_iter();
    let mut bytes = [0; 4096];
    let mut runs = false;
    loop {
        let count = screen.read(&mut bytes).unwrap_or(0);
        if count == 0 {
            break;
        }
        seen.extend_from_slice(&bytes[..count]);
        let text = String::from_utf8_lossy(&seen);
        let last = text.rsplit("[Y/n]").next().unwrap();
        if runs != last.contains(WAITS) {
            runs = !runs;
            if runs {
                keys.write_all(b"\x03").unwrap();
            }
        }
        if seen.ends_with(b"[Y/n] ") {
            keys.write_all(answers.next().expect("a fourth question").as_bytes())
                .unwrap();
        }
    }
    let seen = String::from_utf8_lossy(&seen);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{seen}");
    assert_eq!(seen.matches("Open the editor again?").count(), 2, "{seen}");
    let files = desk.edited();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0], files[1]);
    let kept = desk.0.path().join("norouter.yaml");
    assert_eq!(fs::read_to_string(kept).unwrap(), SHORT, "{seen}");
    assert!(desk.is_clean(), "{seen}");
}
