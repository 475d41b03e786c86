//! `norouter hosts`. The hosts files are created by the tests.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const BLOCK: &str =
    "# <Added-by-NoRouter>\n127.0.42.101 web\n127.0.42.102\tdb db.test\n# </Added-by-NoRouter>\n";
const OTHERS: &[u8] = b"127.0.0.1\tlocalhost\r\n10.0.0.1 caf\xe9 # no UTF-8, no line break";

/// Creates a folder with a hosts file.
fn hosts_file(name: &str, content: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hosts-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("hosts");
    fs::write(&file, content).unwrap();
    file
}

fn backup(file: &Path) -> PathBuf {
    file.with_file_name("hosts.bak.norouter")
}

fn norouter(file: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_norouter"))
        .arg("hosts")
        .arg("--file")
        .arg(file)
        .args(options)
        .output()
        .unwrap()
}

/// The exit code, the standard output and the standard error. In the texts, the path of the folder is removed.
fn seen(file: &Path, output: &Output) -> (i32, String, String) {
    let folder = format!("{}/", file.parent().unwrap().display());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "");
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn run(file: &Path, options: &[&str]) -> (i32, String, String) {
    seen(file, &norouter(file, options))
}

#[test]
fn the_block_is_shown_and_nothing_else() {
    let file = hosts_file("shown", &[OTHERS, b"\n", BLOCK.as_bytes()].concat());
    let shown = "127.0.42.101 web\n127.0.42.102 db db.test\n";
    assert_eq!(run(&file, &[]), (0, shown.to_owned(), String::new()));
    let (code, json, _) = run(&file, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    assert_eq!(
        json["entries"],
        serde_json::json!([
            {"address": "127.0.42.101", "names": ["web"]},
            {"address": "127.0.42.102", "names": ["db", "db.test"]},
        ])
    );
    assert_eq!(json["damage"], serde_json::json!([]));
}

#[test]
fn a_file_without_a_block_is_in_order() {
    let file = hosts_file("without", OTHERS);
    let told = "hosts has no names from NoRouter\n";
    assert_eq!(run(&file, &[]), (0, String::new(), told.to_owned()));
    let told = "hosts: nothing to repair\n";
    assert_eq!(
        run(&file, &["--repair"]),
        (0, told.to_owned(), String::new())
    );
    assert_eq!(fs::read(&file).unwrap(), OTHERS);
    assert!(!backup(&file).exists());
}

#[test]
fn a_block_that_was_left_behind_is_removed_and_the_file_kept() {
    let left = [OTHERS, b"\n", BLOCK.as_bytes(), b"10.0.0.2 later\n"].concat();
    let file = hosts_file("left", &left);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let told = "hosts: removed the block in lines 3 to 6\nhosts.bak.norouter: the file as it was\n";
    assert_eq!(
        run(&file, &["--repair"]),
        (0, told.to_owned(), String::new())
    );
    assert_eq!(
        fs::read(&file).unwrap(),
        [OTHERS, b"\n10.0.0.2 later\n"].concat()
    );
    assert_eq!(fs::read(backup(&file)).unwrap(), left);
    for path in [&file, &backup(&file)] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}

#[test]
fn damage_is_told_with_its_lines_and_mended() {
    let damaged = "a\n# <Added-by-NoRouter>\n127.0.42.101 web\n10.0.0.1 b\n# </Added-by-NoRouter>\n# </Added-by-NoRouter>";
    let file = hosts_file("damaged", damaged.as_bytes());
    let (code, data, talk) = run(&file, &[]);
    assert_eq!((code, data.as_str()), (1, ""));
    assert_eq!(
        talk,
        "error: hosts: line 6 ends a block that has no beginning\n  \
         help: \"norouter hosts --repair\" removes what is ours\n"
    );
    let (code, json, _) = run(&file, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 1);
    assert_eq!(
        json["damage"][0],
        "line 6 ends a block that has no beginning"
    );
    let (code, json, _) = run(&file, &["--repair", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["done"].as_array().unwrap().len()), (0, 2));
    assert_eq!(json["backup"], "hosts.bak.norouter");
    assert_eq!(fs::read(&file).unwrap(), b"a\n");
    assert_eq!(run(&file, &[]).0, 0);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let file = hosts_file("absent", b"");
    fs::remove_file(&file).unwrap();
    for options in [&[][..], &["--repair"]] {
        let (code, _, talk) = run(&file, options);
        assert_eq!(code, 1);
        assert!(talk.starts_with("error: cannot read hosts: "), "{talk}");
    }
    assert!(!file.exists());
}

#[test]
fn a_limit_on_the_size_of_files_loses_nothing() {
    // The limit of file sizes is below the size of this file, so neither the copy nor the new file can be written.
    let long = [
        vec![b'#'; 300_000],
        b"\n".to_vec(),
        BLOCK.as_bytes().to_vec(),
    ]
    .concat();
    let file = hosts_file("limit", &long);
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$0\" hosts --repair --file \"$1\"",
        ])
        .arg(env!("CARGO_BIN_EXE_norouter"))
        .arg(&file)
        .output()
        .unwrap();
    let (code, _, talk) = seen(&file, &output);
    assert_eq!(code, 1, "{talk}");
    assert!(talk.contains("make room on the disk"), "{talk}");
    assert_eq!(fs::read(&file).unwrap(), long);
    let names = fs::read_dir(file.parent().unwrap()).unwrap();
    assert_eq!(names.count(), 1, "something was left behind");
}

/// Runs a script as root in a mount namespace of its own. `$1` is the file, and `$2` the program.
#[cfg(target_os = "linux")]
fn in_own_mounts(file: &Path, script: &str) -> Output {
    Command::new("unshare")
        .args(["-rm", "sh", "-ec", script, "sh"])
        .arg(file)
        .arg(env!("CARGO_BIN_EXE_norouter"))
        .output()
        .unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let content = [&vec![b'#'; 20_000][..], b"\n", BLOCK.as_bytes()].concat();
    let file = hosts_file("full", &content);
    // The small disk holds the file, and has no free space left.
    let script = r#"
        cd "${1%/*}"; mkdir disk; mount -t tmpfs -o size=64k tmpfs disk; cp hosts disk/hosts
        cat /dev/zero >disk/filler 2>/dev/null || true
        "$2" hosts --repair --file disk/hosts && exit 9
        cmp hosts disk/hosts; ls -A disk
    "#;
    let output = in_own_mounts(&file, script);
    let (code, data, talk) = seen(&file, &output);
    assert_eq!((code, data.as_str()), (0, "filler\nhosts\n"), "{talk}");
    assert!(
        talk.contains("no copy could be made first") && talk.contains("make room"),
        "{talk}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_something_is_mounted_on_is_written_in_its_place() {
    let file = hosts_file("mounted", &[OTHERS, b"\n", BLOCK.as_bytes()].concat());
    let script = r#"
        cd "${1%/*}"; cp hosts inside; mount --bind inside hosts
        "$2" hosts --repair --file hosts; cat inside
    "#;
    let output = in_own_mounts(&file, script);
    let told = "hosts: removed the block in lines 3 to 6\nhosts.bak.norouter: the file as it was\n";
    let expected = [told.as_bytes(), OTHERS, b"\n"].concat();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.stdout, expected, "{talk}");
    let mut names: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["hosts", "hosts.bak.norouter", "inside"]);
}
