//! Two users and two networks on one machine. The tests are about the files and folders that both could write.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    network::program,
    sandbox::{Ended, Netns, Origin, Running, Sandbox, ended, wait_for},
};

/// The user of the network, and another user who attacks it.
const OWNER: u32 = 1000;
const OTHER: u32 = 1001;

/// A machine with two users, their home folders, and a folder for temporary files.
struct Machine {
    sandbox: Sandbox,
    netns: Netns,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            sandbox: Sandbox::new(),
            netns: Netns::new(),
        };
        for user in [OWNER, OTHER] {
            machine.folder(&format!("home-{user}"), user, 0o700);
        }
        machine.folder("tmp", 0, 0o1777);
        machine
    }

    fn folder(&self, name: &str, user: u32, mode: u32) -> PathBuf {
        let path = self.sandbox.path(name);
        fs::create_dir_all(&path).unwrap();
        chown(&path, Some(user), Some(user)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn file(&self, name: &str, user: u32, text: &str) -> PathBuf {
        let path = self.sandbox.write(name, text);
        chown(&path, Some(user), Some(user)).unwrap();
        path
    }

    /// Runs a command as a user, without the system's runtime folder.
    fn by(&self, user: u32, words: &[&str]) -> Command {
        let id = user.to_string();
        let become_user = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"];
        let mut command = self.netns.command(&[&become_user[..], words].concat());
        command
            .env("HOME", self.sandbox.path(&format!("home-{user}")))
            .env("TMPDIR", self.sandbox.path("tmp"))
            .env_remove("XDG_RUNTIME_DIR")
            .env_remove("HOSTALIASES")
            .current_dir(self.sandbox.path(&format!("home-{user}")));
        command
    }

    fn norouter(&self, user: u32, words: &[&str]) -> Command {
        let program = program(&self.sandbox);
        self.by(user, &[&[program.to_str().unwrap()], words].concat())
    }

    /// Starts the network of a manifest, and waits until its host `laptop` is in the expected state.
    fn network(&self, user: u32, name: &str, hosts: &str) -> Running {
        let file = self.file(
            &format!("home-{user}/{name}.yaml"),
            user,
            &format!("hosts:\n{hosts}"),
        );
        let mut start = self.norouter(user, &[file.to_str().unwrap()]);
        let running = Running::start(name, &mut start);
        wait_for("the network", || {
            let status = self.status(user, name);
            (status.contains("\"ready\"") || status.contains("\"degraded\"")).then_some(())
        });
        running
    }

    fn status(&self, user: u32, name: &str) -> String {
        ended(&mut self.norouter(user, &["status", "--json", "--network", name])).out
    }

    /// Waits until the output of `norouter status` contains a text.
    #[track_caller]
    fn told(&self, user: u32, name: &str, what: &str) {
        wait_for(what, || {
            self.status(user, name).contains(what).then_some(())
        });
    }
}

fn stop(mut network: Running) {
    network.signal(Signal::TERM);
    network.wait();
}

#[track_caller]
fn assert_untouched(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        assert_eq!(
            fs::read_to_string(folder.join(name)).unwrap(),
            *text,
            "{name}"
        );
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), files.len());
}

#[test]
fn a_folder_of_the_person_and_a_link_of_another_user_are_left_alone() {
    let machine = Machine::new();
    let theirs = [
        ("README.md", "# mine\n"),
        ("env", "A=1\n"),
        ("hosts", "mine\n"),
    ];
    let project = machine.folder("home-1000/project", OWNER, 0o755);
    for (name, text) in theirs {
        machine.file(&format!("home-1000/project/{name}"), OWNER, text);
    }
    // From now on the other user can enter the owner's home folder.
    fs::set_permissions(
        machine.sandbox.path("home-1000"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let shared = machine.folder("tmp/shared", OTHER, 0o755);
    symlink(&project, shared.join("agent")).unwrap();
    let empty = machine.folder("home-1000/empty", OWNER, 0o755);
    symlink(&empty, shared.join("empty")).unwrap();
    std::os::unix::fs::lchown(shared.join("empty"), Some(OTHER), Some(OTHER)).unwrap();
    for (path, reason) in [
        (project.clone(), "has files that are not of NoRouter"),
        (shared.join("agent"), "belongs to another user"),
        (shared.join("empty"), "belongs to another user"),
    ] {
        let hosts = format!(
            "  laptop: {{vip: 127.0.42.11, stateDir: {{pathOnAgent: {:?}}}}}\n",
            path.display().to_string()
        );
        let network = machine.network(OWNER, "careful", &hosts);
        machine.told(OWNER, "careful", reason);
        stop(network);
        let check = ended(&mut machine.norouter(OWNER, &["check", "careful.yaml"]));
        let said = format!("{}{}", check.out, check.err);
        assert!(check.code == 0 && said.contains(reason), "{said}");
        assert_untouched(&project, &theirs);
        assert_untouched(&empty, &[]);
    }
}

#[test]
fn a_runtime_folder_that_somebody_has_taken_is_done_without() {
    let machine = Machine::new();
    let taken = machine.folder("tmp/norouter-1000", OTHER, 0o777);
    let hosts = "  laptop: {vip: 127.0.42.11, stateDir: {disable: true}}\n";
    let network = machine.network(OWNER, "own", hosts);
    let run = machine.sandbox.path("home-1000/.norouter/run");
    assert_eq!(
        fs::metadata(&run).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert!(run.join("own.sock").exists() && fs::read_dir(&taken).unwrap().next().is_none());
    // Through neither folder can the other user reach the network.
    let Ended { code, .. } = ended(&mut machine.norouter(OTHER, &["status"]));
    assert_eq!(code, 3);
    // The network `own` was started while the other user's folder was in the place of the runtime folder. After that
    // folder has been removed, the network is still found, and no second network can take its name.
    fs::remove_dir(&taken).unwrap();
    let second = machine.network(OWNER, "second", &hosts.replace("42.11", "42.12"));
    assert!(
        machine
            .sandbox
            .path("tmp/norouter-1000/second.sock")
            .exists()
    );
    for name in ["own", "second"] {
        assert!(machine.status(OWNER, name).contains("laptop"), "{name}");
    }
    let again = ended(&mut machine.norouter(OWNER, &["own.yaml", "--name", "own"]));
    assert!(
        again.code != 0 && again.err.contains("runs already"),
        "{again:?}"
    );
    let down = ended(&mut machine.norouter(OWNER, &["down", "--network", "own"]));
    assert_eq!(down.code, 0, "{down:?}");
    drop(network);
    stop(second);
}

#[test]
fn two_networks_have_a_block_each_in_one_hosts_file() {
    const OLD: &str = "127.0.0.1\tlocalhost\r\n10.1.1.1 mail\n# no line break at the end";
    let machine = Machine::new();
    let file = machine.netns.etc("hosts", OLD);
    let hosts = |vip: &str, name: &str| {
        format!(
            "  laptop: {{vip: {vip}, writeEtcHosts: true, aliases: [{name}], stateDir: {{disable: true}}}}\n"
        )
    };
    let text = || fs::read_to_string(&file).unwrap();
    let first = machine.network(0, "first", &hosts("127.0.42.11", "one"));
    wait_for("the first block", || {
        text().contains("127.0.42.11 one").then_some(())
    });
    let second = machine.network(0, "second", &hosts("127.0.43.11", "two"));
    wait_for("the second block", || {
        text().contains("127.0.43.11 two").then_some(())
    });
    assert!(
        text().starts_with(OLD) && text().contains("127.0.42.11 one"),
        "{}",
        text()
    );
    // If both networks have a host with the same name, the first network keeps the name, and the second network reports
    // that.
    machine.told(0, "second", "laptop is left out, because line");
    let program = program(&machine.sandbox);
    let repair = || {
        ended(
            &mut machine
                .netns
                .command(&[program.to_str().unwrap(), "hosts", "--repair"]),
        )
    };
    let before = text();
    assert!(repair().out.contains("nothing to repair"));
    assert_eq!(text(), before);
    // The second network is killed. The first network keeps running, and has to restore the line break that the second
    // one has removed.
    second.signal(Signal::KILL);
    drop(second);
    let said = repair();
    assert!(said.out.contains("removed the block in lines"), "{said:?}");
    assert!(
        said.err.contains("because the agent of laptop is there"),
        "{said:?}"
    );
    assert!(
        text().contains("127.0.42.11 one") && !text().contains("two"),
        "{}",
        text()
    );
    let third = machine.network(0, "third", &hosts("127.0.43.11", "three"));
    wait_for("the third block", || {
        text().contains("127.0.43.11 three").then_some(())
    });
    stop(first);
    assert!(
        text().contains("127.0.43.11 three") && !text().contains(" one"),
        "{}",
        text()
    );
    stop(third);
    assert_eq!(text(), OLD);
}

#[test]
fn names_that_another_program_removes_from_the_hosts_file_come_back() {
    const OLD: &str = "127.0.0.1\tlocalhost\n10.1.1.1 mail\n";
    let machine = Machine::new();
    let file = machine.netns.etc("hosts", OLD);
    let hosts = "  laptop: {vip: 127.0.42.11, writeEtcHosts: true, aliases: [one], stateDir: {disable: true}}\n";
    let text = || fs::read_to_string(&file).unwrap();
    let has_block = || text().contains("127.0.42.11 one").then_some(());
    let network = machine.network(0, "first", hosts);
    wait_for("the block", has_block);
    wait_for("the warning", || {
        // Container engines mount the file, so it is overwritten in place here as well.
        fs::write(&file, OLD).unwrap();
        wait_for("the block again", has_block);
        assert!(text().starts_with(OLD), "{}", text());
        let status = machine.status(0, "first");
        let warns = status.contains("another program has removed them from");
        warns.then_some(())
    });
    stop(network);
    assert_eq!(text(), OLD);
}

#[test]
fn two_networks_do_not_write_into_one_state_folder() {
    let machine = Machine::new();
    let hosts =
        |vip: &str| format!("  laptop: {{vip: {vip}, socks: {{listen: \"{vip}:1080\"}}}}\n");
    let first = machine.network(OWNER, "first", &hosts("127.0.42.11"));
    let folder = machine.sandbox.path("home-1000/.norouter/agent");
    let env = |path: &Path| fs::read_to_string(path.join("env")).unwrap_or_default();
    wait_for("the variables", || {
        env(&folder).contains("42.11:1080").then_some(())
    });
    let second = machine.network(OWNER, "second", &hosts("127.0.43.11"));
    wait_for("the variables of the second", || {
        env(&folder.join("laptop"))
            .contains("43.11:1080")
            .then_some(())
    });
    let inside = folder.join("laptop");
    assert!(env(&folder).contains("42.11:1080") && env(&inside).contains("43.11:1080"));
    // Nobody has asked for this folder, so the second network is not degraded.
    let status = machine.status(OWNER, "second");
    assert!(!status.contains("another agent"), "{status}");
    let variables = |more: &[&str]| {
        let words = [&["env"], more].concat();
        ended(&mut machine.norouter(OWNER, &words)).out
    };
    assert!(variables(&["--network", "first"]).contains("42.11:1080"));
    assert!(variables(&["--network", "second"]).contains("43.11:1080"));
    stop(first);
    assert!(variables(&[]).contains("43.11:1080"));
    assert!(variables(&["--state-dir", inside.to_str().unwrap()]).contains("43.11:1080"));
    stop(second);
    assert!(!inside.exists() && !folder.join("hostaliases").exists());
}

#[test]
fn a_proxy_for_others_lets_nobody_guess_fast_or_reach_its_own_machine() {
    let machine = Machine::new();
    let other = Netns::new();
    machine
        .netns
        .lay_cable("10.5.0.1/24", &other, "10.5.0.2/24");
    let own = Origin::start(&machine.netns, "10.5.0.1:8000", "own");
    let far = Origin::start(&other, "10.5.0.2:8000", "far");
    let users = machine.file("home-1000/users", OWNER, "ann:secret\n");
    let hosts = format!(
        "  laptop:\n    vip: 127.0.42.11\n    stateDir: {{disable: true}}\n    \
         http: {{listen: \"10.5.0.1:18080\", allowRemote: true, credentials: {:?}}}\n",
        users.display().to_string()
    );
    let network = machine.network(OWNER, "remote", &hosts);
    let curl = |password: &str, url: &str| {
        let user = format!("ann:{password}");
        let words = [
            "curl",
            "-qsS",
            "--noproxy",
            "",
            "--max-time",
            "50",
            "--write-out",
            "%{http_code}",
            "--proxy",
            "http://10.5.0.1:18080",
            "--proxy-user",
            &user,
            url,
        ];
        ended(&mut other.command(&words)).out
    };
    assert!(curl("secret", "http://10.5.0.1:8000/").ends_with("403"));
    assert_eq!(own.heads().len(), 0);
    assert_eq!(curl("secret", "http://10.5.0.2:8000/"), "far\n200");
    assert_eq!(far.heads().len(), 1);
    for _ in 0..3 {
        assert!(curl("guess", "http://10.5.0.2:8000/").ends_with("407"));
    }
    let since = Instant::now();
    for password in ["guess", "secret"] {
        curl(password, "http://10.5.0.2:8000/");
    }
    assert!(
        since.elapsed() >= Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );
    stop(network);
}
