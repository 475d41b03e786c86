//! Tests of the completions that shells offer while a person types. They run a real bash, and other shells where they
//! are installed.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::home::{Home, PATIENCE};

/// Completion never takes this long, even on a machine that is busy with other work.
const AT_ONCE: Duration = Duration::from_secs(5);

const MANIFEST: &str = "\
hosts:
  laptop: {vip: 127.0.65.10, dns: {disable: true}, stateDir: {disable: true}}
  web1: {vip: 127.0.65.11, aliases: [www], cmd: [\"false\"], ports: ['80:127.0.0.1:9', '8080:127.0.0.1:9']}
  web2: {vip: 127.0.65.12, cmd: [\"false\"], ports: ['443:127.0.0.1:9']}
";

/// The completions that the program offers for a command line, without the descriptions.
fn offered(home: &Home, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let run = home.run(&[&["complete", "--", "norouter"], &words[..]].concat());
    assert_eq!((run.code, run.talk.as_str()), (0, ""), "{line}");
    let values = run
        .data
        .lines()
        .map(|line| line.split('\t').next().unwrap());
    values.map(str::to_owned).collect()
}

/// The completions that bash offers for the command line `line`. Bash has split the line into `words`.
fn bash(home: &Home, line: &str, words: &[&str]) -> Vec<String> {
    let script = home.run(&["completions", "bash"]).data;
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let last = words.last().unwrap();
    // In bash, the word before the cursor begins after the last colon or equal sign.
    let current = last.rsplit([':', '=']).next().unwrap();
    let script = format!(
        "compopt() {{ :; }}\n{script}\nCOMP_WORDS=({}) COMP_CWORD={} COMP_LINE='{line}' COMP_POINT={}\n\
         _norouter norouter '{current}' x\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        quoted.join(" "),
        words.len() - 1,
        line.len(),
    );
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_norouter"));
    let path = std::env::join_paths(
        [program.parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env("PATH", path.unwrap())
        .env_remove("NOROUTER_NETWORK")
        .env_remove("NOROUTER_FILE")
        .output()
        .unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(talk, "", "{line}");
    let values = String::from_utf8(output.stdout).unwrap();
    values
        .lines()
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Asserts that these completions are offered for a command line. A shell must not wait for a busy machine, so the
/// program offers nothing if its answer is late. Then it is asked again.
#[track_caller]
fn assert_offers(line: &str, offer: impl Fn() -> Vec<String>, expected: &[&str]) {
    let begin = Instant::now();
    loop {
        let offered = offer();
        if !offered.is_empty() || begin.elapsed() > PATIENCE {
            assert_eq!(offered, expected, "{line}");
            return;
        }
    }
}

#[test]
fn hosts_and_ports_of_the_manifest_are_offered_before_the_network_runs() {
    let home = Home::new("complete");
    assert_eq!(offered(&home, "stop w"), [""; 0], "nothing is known yet");
    home.write("norouter.yaml", MANIFEST);
    let assert_offers = |line: &str, expected: &[&str]| {
        assert_offers(line, || offered(&home, line), expected);
    };
    for command in [
        "start", "stop", "restart", "logs", "wait", "answer", "approve",
    ] {
        assert_offers(&format!("{command} w"), &["web1", "www", "web2"]);
    }
    assert_offers("why --from w", &["web1", "www", "web2"]);
    let with_equals = ["--host=web1", "--host=www", "--host=web2"];
    assert_offers("flows --host=w", &with_equals);
    // More hosts may follow.
    assert_offers("stop web1 w", &["web1", "www", "web2"]);
    for command in ["why", "addr", "open"] {
        let line = format!("{command} web1");
        assert_offers(&line, &["web1", "web1:80", "web1:8080"]);
        assert_offers(&format!("{line}:"), &["web1:80", "web1:8080"]);
    }
    assert_offers("connect web2", &["web2:443"]);
    assert_offers("connect 127.0.65.12", &["127.0.65.12:443"]);
    assert!(!home.folder().exists(), "nothing was started");
}

#[test]
fn files_and_commands_are_left_to_the_shell_and_hidden_commands_to_nobody() {
    let home = Home::new("hidden");
    for line in [
        "check ",
        "up x",
        "up --require-trust ",
        "env --state-dir ~/",
    ] {
        assert_eq!(offered(&home, line), [":files"], "{line}");
    }
    assert_eq!(offered(&home, "exec -- cu"), [":commands"]);
    assert_eq!(offered(&home, "exec -- cat x"), [":files"]);
    let all = offered(&home, "");
    assert!(all.contains(&"up".to_owned()) && all.contains(&"connect".to_owned()));
    for hidden in ["agent", "demo-host", "complete", "show-ex"] {
        let line = &hidden[..hidden.len() - 1];
        assert!(!all.contains(&hidden.to_owned()), "{hidden}");
        assert!(
            !offered(&home, line).contains(&hidden.to_owned()),
            "{hidden}"
        );
    }
    assert!(offered(&home, "stop --ne").contains(&"--network".to_owned()));
    assert!(!offered(&home, "up --deta").contains(&"--detached".to_owned()));
    assert_eq!(offered(&home, "env --shell f"), ["fish"]);
    assert_eq!(offered(&home, "no-such-command x --y").len(), 0);
}

#[test]
fn a_manager_that_hangs_is_not_waited_for() {
    let home = Home::new("hangs");
    fs::create_dir_all(home.folder()).unwrap();
    fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o700)).unwrap();
    let _hangs = UnixListener::bind(home.socket("hangs")).unwrap();
    home.write("norouter.yaml", MANIFEST);
    let begin = Instant::now();
    assert_eq!(offered(&home, "stop web1"), ["web1"], "from the manifest");
    assert_eq!(offered(&home, "stop --network hangs w"), [""; 0]);
    assert_eq!(offered(&home, "stop --network h"), ["hangs"]);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
}

#[test]
fn bash_offers_the_hosts_of_the_running_network_and_what_is_behind_a_colon() {
    let home = Home::new("bash");
    let manifest = home.write("elsewhere/office.yaml", MANIFEST);
    let _manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    for (line, words, expected) in [
        (
            "norouter stop w",
            &["norouter", "stop", "w"][..],
            &["web1", "www", "web2"][..],
        ),
        (
            "norouter stop ",
            &["norouter", "stop", ""],
            &["laptop", "web1", "www", "web2"],
        ),
        (
            "norouter connect web1:8",
            &["norouter", "connect", "web1", ":", "8"],
            &["80", "8080"],
        ),
        (
            "norouter addr web2:",
            &["norouter", "addr", "web2", ":"],
            &["443"],
        ),
        (
            "norouter why http://web1:808",
            &["norouter", "why", "http", "://", "web1", ":", "808"],
            &["8080"],
        ),
        (
            "norouter logs --network=o",
            &["norouter", "logs", "--network", "=", "o"],
            &["office"],
        ),
        (
            "norouter restart --network o",
            &["norouter", "restart", "--network", "o"],
            &["office"],
        ),
        (
            "norouter check els",
            &["norouter", "check", "els"],
            &["elsewhere"],
        ),
    ] {
        assert_offers(line, || bash(&home, line, words), expected);
    }
}

/// Whether a shell is installed.
fn has(shell: &str) -> bool {
    let run = Command::new(shell)
        .args(["-c", "exit 0"])
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

#[test]
fn every_script_can_be_read_by_its_shell() {
    let home = Home::new("scripts");
    for (shell, options) in [
        ("bash", &["-n"][..]),
        ("zsh", &["-f", "-n"]),
        ("fish", &["--no-execute"]),
    ] {
        let script = home.run(&["completions", shell]);
        let file = home.write(shell, &script.data);
        // Bash is installed on every machine that runs this test. Other shells may be missing.
        if shell != "bash" && !has(shell) {
            continue;
        }
        let read = Command::new(shell)
            .args(options)
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&read.stderr).into_owned();
        assert!(read.status.success() && said.is_empty(), "{shell}: {said}");
    }
}
