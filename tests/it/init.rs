//! `norouter init` and `norouter import`, on a machine whose programs are small scripts.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use norouter::{
    import::{Candidate, Draft, HOSTS_MAX, NETWORK, Source, SshConfig, SshHost, ssh_candidates},
    plan::{Plan, load},
};
use serde_json::Value;
use tempfile::TempDir;

/// The script of each program of the machine. `ssh -G` is asked about each host.
const PROGRAMS: [(&str, &str); 7] = [
    (
        "ssh",
        "case $3 in box) echo 'remotecommand tmux new';; git*) echo 'user git';; esac; echo \"hostname $3.example.com\"",
    ),
    ("docker", "echo 'the daemon does not run' >&2; exit 1"),
    (
        "podman",
        r#"echo '[{"Names":["db"],"Image":"postgres","Ports":[{"container_port":5432,"protocol":"tcp"}]}]'"#,
    ),
    (
        "kubectl",
        r#"case $1 in
config) echo staging;;
*) echo '{"items":[{"metadata":{"name":"api-6f-a","namespace":"shop","labels":{"pod-template-hash":"6f"},"ownerReferences":[{"kind":"ReplicaSet","name":"api-6f"}]},"spec":{"containers":[{"name":"api","image":"api:3"}]}}]}';;
esac"#,
    ),
    (
        "lxc",
        r#"echo '[{"name":"c1","status":"Running","type":"container"}]'"#,
    ),
    ("incus", "echo '[]'"),
    ("wsl.exe", "echo Debian"),
];

/// A machine with an empty folder to work in.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = machine.path();
        for folder in ["bin", "work", "run", "home/.ssh"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (name, script) in PROGRAMS {
            let file = root.join("bin").join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let config = "Host web1 box\nHost github.com\n";
        fs::write(root.join("home/.ssh/config"), config).unwrap();
        Self(machine)
    }

    fn command(&self, program: &str) -> Command {
        let root = self.0.path();
        let mut command = Command::new(program);
        command
            .current_dir(root.join("work"))
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", root.join("bin").display()),
            )
            .env("HOME", root.join("home"))
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("NOROUTER_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program without a terminal. Returns its exit code, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.command(env!("CARGO_BIN_EXE_norouter"));
        let output = command.args(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        (code, text(output.stdout), text(output.stderr))
    }

    /// Runs the program in a terminal, in which these lines are typed. Returns everything that the terminal shows.
    #[cfg(target_os = "linux")]
    fn type_into(&self, arguments: &str, lines: &str) -> String {
        let program = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_norouter"));
        let mut command = self.command("script");
        command.args(["-qec", &program, "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // The keyboard stays open until the program has ended.
        let mut keys = child.stdin.take().unwrap();
        keys.write_all(lines.as_bytes()).unwrap();
        let mut screen = String::new();
        let mut shown = child.stdout.take().unwrap();
        shown.read_to_string(&mut screen).unwrap();
        drop(keys);
        child.wait().unwrap();
        screen.replace('\r', "")
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.0.path().join("work/norouter.yaml")).unwrap()
    }
}

/// The lines of a manifest that are not comments.
fn bare(text: &str) -> String {
    let lines = text.lines().filter(|it| !it.trim().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The manifest with the usual port of the proxy. The program proposes another port if that port is taken on the
/// machine of the test.
fn with_usual_proxy(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| match line.split_once("127.0.0.1:18") {
            Some((before, _)) if line.contains("http:") => format!("{before}127.0.0.1:18080\"}}\n"),
            _ => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn hosts_that_are_named_become_a_manifest_without_questions() {
    let machine = Machine::new();
    let (code, data, talk) = machine.run(&[
        "init",
        "--ssh",
        "web1",
        "--ssh",
        "box",
        "--podman",
        "db",
        "--lxc",
        "c1",
        "--port",
        "web1=80",
        "--port",
        "web1=9000:intern:9001",
        "--port",
        "db=5432",
    ]);
    assert_eq!((code, data.as_str()), (0, ""), "{talk}");
    assert!(
        talk.ends_with(
            "norouter.yaml was written\nnext: \"norouter\" runs the network, until Ctrl-C; web1:8080 is then at 127.0.42.101:8080\n"
        ),
        "{talk}"
    );
    assert_eq!(
        with_usual_proxy(&bare(&machine.manifest())),
        "hosts:\n  laptop:\n    vip: \"127.0.42.100\"\n    http: {listen: \"127.0.0.1:18080\"}\n  \
         web1:\n    vip: \"127.0.42.101\"\n    ssh: web1\n    ports: [\"8080:127.0.0.1:80\", \"9000:intern:9001\"]\n  \
         box:\n    vip: \"127.0.42.102\"\n    ssh: [\"-o\", \"RemoteCommand=none\", box]\n  \
         db:\n    vip: \"127.0.42.103\"\n    podman: db\n    ports: [\"5432:127.0.0.1:5432\"]\n  \
         c1:\n    vip: \"127.0.42.104\"\n    lxc: c1\n"
    );
    let (code, data, talk) = machine.run(&["check"]);
    assert_eq!(code, 0, "{data}{talk}");
    assert!(data.contains("can be run (5 hosts)"), "{data}");
    let before = machine.manifest();
    let (code, _, talk) = machine.run(&["init", "--ssh", "web1"]);
    assert_eq!(code, 2);
    assert!(talk.contains("norouter.yaml exists already"), "{talk}");
    assert!(talk.contains("\"norouter\" runs it"), "{talk}");
    assert_eq!(machine.manifest(), before);
}

#[test]
fn without_names_and_without_a_terminal_nothing_is_written_and_the_next_step_is_shown() {
    let machine = Machine::new();
    for (arguments, message) in [
        (&["init"][..], "no hosts are named, and without a terminal"),
        (&["init", "--port", "web1=80"], "without a terminal"),
        (&["init", "--ssh", "github.com"], "its user is git"),
        (
            &["init", "--ssh=-oProxyCommand=x"],
            "cannot be a destination of ssh",
        ),
        (
            &["init", "--kubernetes", "api"],
            "write deployment/NAME or pod/NAME",
        ),
        (
            &["init", "--ssh", "web1", "--port", "80"],
            "--port 80 has no host",
        ),
        (
            &["init", "--ssh", "web1", "--port", "web2=80"],
            "no host \"web2\"; its hosts are web1",
        ),
        (
            &["init", "--ssh", "web1", "--port", "web1=http"],
            "\"http\" is not a port",
        ),
    ] {
        let (code, _, talk) = machine.run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {talk}");
        assert!(talk.contains(message), "{arguments:?}: {talk}");
    }
    let entries = fs::read_dir(machine.0.path().join("work")).unwrap();
    assert_eq!(entries.count(), 0);
    let (code, _, talk) = machine.run(&[]);
    assert_eq!(code, 2);
    assert!(talk.contains("\"norouter init\" makes one"), "{talk}");
    let (code, data, talk) = machine.run(&["init", "-", "--kubernetes", "shop/deploy/api"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    assert!(
        data.contains("kubernetes: {context: staging, namespace: shop, deployment: api}"),
        "{data}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_terminal_the_person_chooses_and_answers_again_after_a_slip() {
    let machine = Machine::new();
    let screen = machine.type_into("init", "web2\n1 db api me@far\nx\n80\n\nnone\n\n\n");
    for text in [
        "docker: ",
        "the daemon does not run",
        "This machine knows 6 possible hosts",
        "     1  web1",
        "     -  github.com",
        "not available: its user is git",
        "postgres, port 5432",
        "\"web2\" is not in the list; did you mean web1?",
        "Ports of servers on web1, such as 80 or 8080:80 [none]: ",
        "\"x\" is not a port",
        "Ports of servers on db, or none [5432:127.0.0.1:5432]: ",
        "Write this to norouter.yaml? [Y/n] ",
        "next: \"norouter\" runs the network",
    ] {
        assert!(screen.contains(text), "{text}\n{screen}");
    }
    assert_eq!(
        with_usual_proxy(&bare(&machine.manifest())),
        "hosts:\n  laptop:\n    vip: \"127.0.42.100\"\n    http: {listen: \"127.0.0.1:18080\"}\n  \
         web1:\n    vip: \"127.0.42.101\"\n    ssh: web1\n    ports: [\"8080:127.0.0.1:80\"]\n  \
         db:\n    vip: \"127.0.42.102\"\n    podman: db\n    ports: [\"5432:127.0.0.1:5432\"]\n  \
         api:\n    vip: \"127.0.42.103\"\n    kubernetes: {context: staging, namespace: shop, deployment: api}\n  \
         far:\n    vip: \"127.0.42.104\"\n    ssh: me@far\n"
    );
    let screen = machine.type_into("init other.yaml", "1\n\nn\n");
    assert!(screen.contains("nothing was written"), "{screen}");
    assert!(!machine.0.path().join("work/other.yaml").exists());
}

#[test]
fn the_hosts_that_a_machine_knows_are_listed_for_people_and_for_scripts() {
    let machine = Machine::new();
    let (code, data, talk) = machine.run(&["import", "ssh", "podman", "kube"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    assert_eq!(
        data,
        "hosts:\n  web1:  # web1.example.com\n    ssh: web1\n  box:  # box.example.com\n    ssh: [\"-o\", \"RemoteCommand=none\", box]\n  \
         # ssh:github.com: its user is git: such a service gives nobody a shell\n  db:  # postgres, port 5432\n    podman: db\n  \
         api:  # api:3\n    kubernetes: {context: staging, namespace: shop, deployment: api}\n"
    );
    let (code, data, talk) = machine.run(&["import", "--json"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    let list: Value = serde_json::from_str(&data).unwrap();
    let lines = list["candidates"].as_array().unwrap().iter();
    let lines: Vec<_> = lines.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "ssh:web1",
            "ssh:box",
            "ssh:github.com",
            "podman:db",
            "kubernetes:staging/shop/deployment/api",
            "lxc:c1",
            "wsl:Debian"
        ]
    );
    assert_eq!(list["candidates"][3]["ports"], serde_json::json!([5432]));
    assert_eq!(list["notes"][0]["source"], "docker");
    let (code, _, talk) = machine.run(&["import", "docker"]);
    assert_eq!(code, 1);
    assert!(talk.contains("the daemon does not run"), "{talk}");
}

#[test]
fn pods_of_all_namespaces_are_listed_or_those_that_the_person_may_see() {
    let machine = Machine::new();
    let pods = |namespace: &str| {
        format!(r#"{{"items":[{{"metadata":{{"name":"db-0","namespace":"{namespace}"}}}}]}}"#)
    };
    let kubectl = |every: &str| {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in\n'config current-context') echo staging;;\n'--context=staging --all-namespaces get pods '*) {every};;\n'--context=staging get pods '*) echo '{}';;\n*) exit 9;;\nesac\n",
            pods("own")
        );
        fs::write(machine.0.path().join("bin/kubectl"), script).unwrap();
    };
    let list = || machine.run(&["import", "kubernetes", "--all-namespaces", "--json"]);
    kubectl(&format!("echo '{}'", pods("other")));
    let (code, out, _) = list();
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("kubernetes:staging/other/pod/db-0"), "{out}");
    // What is missing from the list is told.
    kubectl("echo 'Error from server (Forbidden): pods is forbidden' >&2; exit 1");
    let (code, out, _) = list();
    assert_eq!(code, 1, "{out}");
    let list: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        list["candidates"][0]["id"],
        "kubernetes:staging/own/pod/db-0"
    );
    let note = list["notes"][0]["note"].as_str().unwrap();
    assert!(
        note.starts_with("only the pods of the context's namespace: "),
        "{note}"
    );
    assert!(note.ends_with("pods is forbidden"), "{note}");
    // Another failure is not tried twice.
    kubectl("echo 'error: You must be logged in to the server' >&2; exit 1");
    let (code, out, _) = machine.run(&["import", "kubernetes", "--all-namespaces", "--json"]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("must be logged in") && !out.contains("own"),
        "{out}"
    );
}

fn plan(draft: &Draft) -> Plan {
    let text = draft.text();
    let loaded = load("norouter.yaml", &text);
    assert_eq!(loaded.report(false), "", "{text}");
    loaded.plan.unwrap()
}

fn named(source: Source, name: &str) -> Candidate {
    Candidate::named(source, name).unwrap()
}

#[test]
fn a_draft_is_a_manifest_without_problems_whose_names_do_not_collide() {
    let names = [
        "laptop",
        "web_1",
        "web.1",
        "0",
        "localhost",
        "no",
        "fe80::1%eth0",
    ];
    let hosts = names.map(|name| SshHost {
        name: name.to_owned(),
        address: None,
    });
    let config = SshConfig {
        hosts: hosts.to_vec(),
        ..SshConfig::default()
    };
    let candidates = ssh_candidates(&config, &std::collections::BTreeMap::new());
    let mut draft = Draft::new(43, 18_081);
    let added: Vec<_> = candidates.iter().map(|it| draft.add(it).unwrap()).collect();
    assert_eq!(
        added,
        [
            "laptop-2",
            "web-1",
            "web-1-2",
            "host",
            "host-2",
            "no",
            "fe80--1-eth0"
        ]
    );
    for source in [
        Source::Docker,
        Source::Podman,
        Source::Lxc,
        Source::Incus,
        Source::Wsl,
    ] {
        draft.add(&named(source, "app")).unwrap();
    }
    draft.publish("web-1", "80").unwrap();
    draft.publish("web_1", "5432").unwrap();
    draft.publish("podman:app", "81").unwrap();
    assert_eq!(draft.first_port(), Some(("web-1", "8080")));
    let plan = plan(&draft);
    assert_eq!(plan.hosts.len(), 13);
    let addresses: Vec<_> = plan.hosts.iter().map(|it| it.vip.to_string()).collect();
    assert_eq!(
        (addresses[0].as_str(), addresses[12].as_str()),
        ("127.0.43.100", "127.0.43.112")
    );
    assert_eq!(plan.hosts[2].forwards.len(), 2);
}

#[test]
fn the_largest_draft_has_an_address_for_each_host() {
    let mut draft = Draft::new(NETWORK, 18_080);
    let candidate = |number: usize| named(Source::Podman, &format!("c{number}"));
    for number in 0..HOSTS_MAX {
        draft.add(&candidate(number)).unwrap();
    }
    assert_eq!(
        draft.add(&candidate(HOSTS_MAX)).unwrap_err(),
        "choose at most 253 hosts"
    );
    assert_eq!(plan(&draft).hosts.len(), HOSTS_MAX + 1);
}
