//! Several networks on one machine. A person finds each of them, whatever the variables are and whatever happens to its
//! socket. The networks take nothing from each other.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpListener,
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    process::{Command, Output},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::home::{Home, Manager, PATIENCE, alone, body, get, status};

fn output(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Runs a command in a folder of the home.
fn run_in(home: &Home, folder: &str, arguments: &[&str]) -> (i32, String, String) {
    output(
        home.command(arguments)
            .current_dir(home.path().join(folder)),
    )
}

/// Repeats a command until it succeeds.
fn until_it_succeeds(home: &Home, arguments: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let run = home.run(arguments);
        if run.code == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{}", run.talk);
    }
}

fn pid(home: &Home) -> Pid {
    let pid = home.json(&["status", "--json"])["pid"].as_i64().unwrap();
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

#[test]
fn a_network_that_was_started_with_nohup_survives_the_end_of_its_terminal() {
    let home = Home::new("nohup");
    let manifest = home.write("nohup.yaml", &alone("127.0.66.1"));
    let mut command = Command::new("sh");
    let script = "trap '' HUP; exec \"$0\" up \"$1\"";
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_norouter"), &manifest])
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path().join("run"));
    let mut manager = command.spawn().unwrap();
    home.wait(&["--all"]);
    let pid = pid(&home);
    let of_process = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let ignored = of_process
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
    assert_eq!(ignored & 1, 1, "SIGHUP is caught: {of_process}");
    kill_process(pid, Signal::HUP).unwrap();
    assert_eq!(home.run(&["reload"]).code, 0);
    assert_eq!(home.run(&["down"]).code, 0);
    assert!(manager.wait().unwrap().success());
}

#[test]
fn a_network_is_found_whatever_the_variables_are() {
    let home = Home::new("variables");
    let manifest = home.write("found.yaml", &alone("127.0.66.2"));
    let manager = home.up(&[&manifest]);
    home.wait(&["--all"]);
    let link = home.path().join(".norouter/run/found.sock");
    assert_eq!(fs::read_link(&link).unwrap(), home.socket("found"));

    let elsewhere = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        output(command.env_remove("XDG_RUNTIME_DIR"))
    };
    let (code, _, talk) = elsewhere(&["status", "--network", "found"]);
    assert_eq!(code, 0, "{talk}");
    for again in [&["up", &manifest][..], &["up", "--name", "x", &manifest]] {
        let (code, _, talk) = elsewhere(again);
        assert_eq!(code, 1, "{talk}");
        let runs = "this manifest runs already, as the network \"found\"";
        assert!(talk.contains(runs), "{talk}");
    }
    let other = home.write("other.yaml", &alone("127.0.66.3"));
    let (code, _, talk) = elsewhere(&["up", "--name", "found", &other]);
    assert_eq!(code, 1, "{talk}");
    let taken = "a network with the name \"found\" runs already";
    assert!(talk.contains(taken), "{talk}");
    assert_eq!(elsewhere(&["down", "--network", "found"]).0, 0);
    assert_eq!(manager.ended(), 0);
    assert!(
        fs::symlink_metadata(&link).is_err(),
        "the link is left behind"
    );
}

#[test]
fn a_socket_that_was_removed_is_made_again() {
    let home = Home::new("removed");
    let manifest = home.write("removed.yaml", &alone("127.0.66.4"));
    let manager = home.up(&[&manifest]);
    home.wait(&["--all"]);
    fs::remove_dir_all(home.folder()).unwrap();
    until_it_succeeds(&home, &["status"]);
    assert!(home.socket("removed").exists());

    // After the person has logged out everywhere, there is no runtime folder, and none can be created.
    fs::remove_dir_all(home.path().join("run")).unwrap();
    until_it_succeeds(&home, &["status"]);
    let again = home.run(&["up", &manifest]);
    assert!(again.talk.contains("runs already"), "{}", again.talk);
    assert_eq!(home.run(&["down"]).code, 0);
    assert_eq!(manager.ended(), 0);
}

#[test]
fn a_runtime_folder_with_a_long_path_is_passed_over() {
    let home = Home::new("long");
    let manifest = home.write("long.yaml", &alone("127.0.66.5"));
    let runtime = home.path().join("x".repeat(100));
    fs::create_dir(&runtime).unwrap();
    let run = |arguments: &[&str]| output(home.command(arguments).env("XDG_RUNTIME_DIR", &runtime));
    let mut command = home.command(&["up", &manifest]);
    let mut manager = command.env("XDG_RUNTIME_DIR", &runtime).spawn().unwrap();
    let (code, _, talk) = run(&["wait", "--all"]);
    assert_eq!(code, 0, "{talk}");
    assert!(home.path().join(".norouter/run/long.sock").exists());
    assert_eq!(run(&["down"]).0, 0);
    assert!(manager.wait().unwrap().success());
}

/// A network of this machine that publishes a port.
fn publishing(vip: &str, port: u16) -> String {
    alone(vip) + &format!("    ports: [\"{port}:127.0.0.1:9\"]\n")
}

#[test]
fn a_second_network_with_the_same_addresses_is_refused_in_one_sentence() {
    let home = Home::new("overlap");
    let first = home.write("first.yaml", &publishing("127.0.66.6", 7001));
    let second = home.write("second.yaml", &publishing("127.0.66.6", 7001));
    let _manager = home.up(&[&first]);
    home.wait(&["--all"]);
    let refused = home.run(&["up", &second]);
    assert_eq!(refused.code, 1);
    let sentence = "the network \"first\" already uses 127.0.66.6 on this machine; end it, or give this one other \
                    addresses: other vips, or without any \"network: 127.0.43.0/24\"";
    assert!(refused.talk.contains(sentence), "{}", refused.talk);
    assert!(
        refused.talk.contains("norouter down --network first"),
        "{}",
        refused.talk
    );
    // A network with another port can be started.
    home.write("second.yaml", &publishing("127.0.66.6", 7002));
    let _other = home.up(&[&second]);
    home.wait(&["--all", "--network", "second"]);
    assert_eq!(home.run(&["status", "--network", "second"]).code, 0);
}

#[test]
fn the_network_of_the_present_folder_is_preferred_and_all_are_listed() {
    let home = Home::new("folders");
    let nothing = home.run(&["ls", "--json"]);
    assert_eq!((nothing.code, nothing.data.as_str()), (0, "[]\n"));
    let managers: Vec<Manager> = [("one", "127.0.66.7"), ("two", "127.0.66.8")]
        .into_iter()
        .map(|(name, vip)| {
            let manifest = home.write(&format!("{name}/norouter.yaml"), &alone(vip));
            let manager = home.up(&[&manifest]);
            home.wait(&["--all", "--network", name]);
            manager
        })
        .collect();
    for name in ["one", "two"] {
        let (code, data, talk) = run_in(&home, name, &["status", "--json"]);
        assert_eq!(code, 0, "{talk}");
        let network: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(network["network"], name);
    }
    let both = home.run(&["status"]);
    assert_eq!(both.code, 2);
    assert!(both.talk.contains("norouter ls"), "{}", both.talk);

    let listed = home.json(&["ls", "--json"]);
    for (place, name) in ["one", "two"].into_iter().enumerate() {
        let manifest = home.path().join(name).join("norouter.yaml");
        assert_eq!(listed[place]["network"], name);
        assert_eq!(listed[place]["manifest"], manifest.to_str().unwrap());
        assert_eq!(
            (&listed[place]["ready"], &listed[place]["hosts"]),
            (&1.into(), &1.into())
        );
    }
    let table = home.run(&["ps"]).data;
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("1/1"), "{table}");

    assert_eq!(run_in(&home, "one", &["down"]).0, 0);
    assert_eq!(home.json(&["ls", "--json"])[0]["network"], "two");
    assert_eq!(home.run(&["down"]).code, 0);
    for manager in managers {
        assert_eq!(manager.ended(), 0);
    }
}

#[test]
fn what_changes_a_network_is_not_done_to_that_of_another_folder() {
    let home = Home::new("elsewhere");
    let office = home.write("office/norouter.yaml", &alone("127.0.66.20"));
    let shop = home.write("shop/norouter.yaml", &alone("127.0.66.21"));
    let manager = home.up(&[&office]);
    home.wait(&["--all"]);
    let before = home.json(&["status", "--json"])["hosts"][0].clone();
    for command in [
        "down",
        "reload",
        "approve --yes",
        "answer --cancel",
        "start laptop",
        "stop --all",
        "restart laptop",
        "flows --kill laptop:1",
        "wait --all --timeout 0.2",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let (code, _, talk) = run_in(&home, "shop", &words);
        assert_eq!(code, 3, "{command}: {talk}");
        for told in [
            format!("the network \"shop\" of this folder ({shop}) does not run"),
            format!("only \"office\" ({office}) runs"),
            format!("if that one is meant: norouter {command} --network office"),
        ] {
            assert!(talk.contains(&told), "{command}: {talk}");
        }
    }
    assert_eq!(home.json(&["status", "--json"])["hosts"][0], before);
    // Commands that only read do not fail, and say which network they used.
    let note = "note: the network \"shop\" of this folder does not run; this is \"office\" (";
    for command in [
        &["status"][..],
        &["why"],
        &["logs"],
        &["flows"],
        &["answer", "--list"],
        &["addr", "laptop"],
    ] {
        let (code, _, talk) = run_in(&home, "shop", command);
        assert_eq!(code, 0, "{command:?}: {talk}");
        assert_eq!(talk.matches(note).count(), 1, "{command:?}: {talk}");
    }
    fs::create_dir(home.path().join("office/docs")).unwrap();
    let (code, _, talk) = run_in(&home, "office/docs", &["restart", "laptop"]);
    assert_eq!((code, talk.contains("note:")), (0, false), "{talk}");

    let (code, _, talk) = run_in(&home, "shop", &["down", "--network", "office"]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(manager.ended(), 0);
    let nothing = home.run(&["down"]);
    assert_eq!(nothing.code, 3);
    assert!(nothing.talk.contains("none to end"), "{}", nothing.talk);
}

/// A network of this machine with a proxy, and the proxy's port.
fn with_proxy(vip: &str) -> (String, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    let manifest = format!(
        "hosts:\n  laptop:\n    vip: \"{vip}\"\n    http: {{listen: \"127.0.0.1:{port}\"}}\n    dns: {{disable: true}}\n"
    );
    (manifest, port)
}

/// The proxy in the variables that a command prints. The agent writes the variables a moment after its host is ready,
/// and the command waits for that.
fn proxy(home: &Home, arguments: &[&str]) -> String {
    let variables = home.json(&[&["env", "--json"], arguments].concat());
    variables["http_proxy"].as_str().unwrap().to_owned()
}

#[test]
fn each_network_has_its_own_variables() {
    let home = Home::new("variables-of");
    let (first, first_port) = with_proxy("127.0.66.9");
    let (second, second_port) = with_proxy("127.0.66.10");
    let first = home.write("first.yaml", &first);
    let second = home.write("second.yaml", &second);
    let _first = home.up(&[&first]);
    home.wait(&["--all"]);
    assert!(proxy(&home, &[]).ends_with(&first_port));
    let other = home.up(&[&second]);
    home.wait(&["--all", "--network", "second"]);
    for (name, port) in [("first", &first_port), ("second", &second_port)] {
        assert!(proxy(&home, &["--network", name]).ends_with(port), "{name}");
        let status = home.run(&["status", "--network", name]);
        assert_eq!(status.code, 0, "{}", status.data);
    }
    let echo = ["--", "sh", "-c", "echo $http_proxy"];
    let inside = home.run(&[&["exec", "--network", "second"], &echo[..]].concat());
    assert!(
        inside.data.trim().ends_with(&second_port),
        "{}",
        inside.talk
    );
    // This folder contains both manifests, so it is not clear which network is meant.
    assert_eq!(home.run(&["env"]).code, 2);
    assert_eq!(home.run(&["down", "--network", "second"]).code, 0);
    assert_eq!(other.ended(), 0);
    assert!(proxy(&home, &[]).ends_with(&first_port));
}

#[test]
fn a_network_in_the_background_is_ready_when_the_command_returns() {
    let home = Home::new("background");
    let manifest = home.write("quiet.yaml", &alone("127.0.66.11"));
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        output(command.env_remove("XDG_STATE_HOME"))
    };
    let (code, _, talk) = run(&["up", "-d", &manifest]);
    let again = run(&["-d", &manifest]);
    let ready = home.run(&["status"]);
    let log = home.path().join(".local/state/norouter/quiet.log");
    let text = fs::read_to_string(&log).unwrap_or_default();
    let down = home.run(&["down"]);
    assert_eq!((code, ready.code, down.code), (0, 0, 0), "{talk}");
    assert!(talk.contains("quiet runs in the background"), "{talk}");
    assert!(talk.contains("norouter down --network quiet"), "{talk}");
    assert!(talk.contains(log.to_str().unwrap()), "{talk}");
    assert!(text.contains("Ready: 127.0.66.11"), "{text}");
    assert_eq!(again.0, 1, "{}", again.2);
    assert!(
        again.2.contains("this manifest runs already"),
        "{}",
        again.2
    );

    home.write("quiet.yaml", "hosts: {a: {vip: 10.0.0.1}}\n");
    let broken = run(&["-d", &manifest]);
    assert_eq!(broken.0, 4);
    assert!(broken.2.contains("quiet.yaml:1:"), "{}", broken.2);
    let stdin = run(&["-d", "-"]);
    assert_eq!(stdin.0, 2, "{}", stdin.2);
}

#[test]
fn a_network_in_the_background_tells_why_it_does_not_start_even_if_its_log_cannot_be_written() {
    let home = Home::new("no-space");
    let manifest = home.write("space.yaml", &alone("127.0.66.22"));
    let first = home.run(&["up", "-d", &manifest]);
    // With this limit, a program cannot write files, just as on a full disk.
    let mut second = Command::new("sh");
    let second = second
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" up -d \"$1\""])
        .args([env!("CARGO_BIN_EXE_norouter"), &manifest])
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env_remove("XDG_STATE_HOME");
    let (code, _, talk) = output(second);
    let down = home.run(&["down"]);
    assert_eq!((first.code, down.code), (0, 0), "{}", first.talk);
    assert_eq!(code, 1, "{talk}");
    let reason = "this manifest runs already, as the network \"space\"";
    assert_eq!(talk.matches(reason).count(), 1, "{talk}");
    let way_on = "norouter down --network space";
    assert!(talk.contains(way_on), "{talk}");
}

#[test]
fn a_network_that_no_command_could_end_does_not_stay_in_the_background() {
    let home = Home::new("closed");
    let user = rustix::process::getuid().as_raw();
    for taken in ["run/norouter", ".norouter", &format!("norouter-{user}")] {
        fs::write(home.path().join(taken), "").unwrap();
    }
    let manifest = home.write("closed.yaml", &alone("127.0.66.23"));
    let started = home.run(&["up", "-d", &manifest]);
    assert_eq!(started.code, 1, "{}", started.talk);
    for told in [
        "error: other commands cannot reach this network: ",
        "without --detach",
        "this command has started nothing",
    ] {
        assert_eq!(started.talk.matches(told).count(), 1, "{}", started.talk);
    }
}

#[test]
fn a_network_in_the_background_with_a_host_that_needs_a_person_says_so() {
    let home = Home::new("needy");
    let script = home.write("login.sh", "exec \"$SSH_ASKPASS\" \"ann's password: \"\n");
    let text = alone("127.0.66.12")
        + &format!("  far:\n    vip: \"127.0.66.13\"\n    cmd: [sh, \"-c\", \". {script}\"]\n");
    let manifest = home.write("needy.yaml", &text);
    let started = home.run(&["up", "-d", &manifest]);
    let down = home.run(&["down"]);
    assert_eq!((started.code, down.code), (5, 0), "{}", started.talk);
    for told in [
        "needy runs in the background",
        "far is not ready (needs input)",
        "\"norouter answer far --network needy\" answers that",
    ] {
        assert!(started.talk.contains(told), "{}", started.talk);
    }
}

#[test]
fn a_network_in_the_background_tells_what_has_failed_and_waits_for_nothing_else() {
    let home = Home::new("failed");
    let text = alone("127.0.66.16")
        + "  mute:\n    vip: \"127.0.66.17\"\n    cmd: [sh, \"-c\", \"exit 3\", norouter]\n"
        + "  nowhere:\n    vip: \"127.0.66.18\"\n    cmd: no-such-program norouter\n";
    let manifest = home.write("failed.yaml", &text);
    let begin = Instant::now();
    let started = home.run(&["up", "-d", &manifest]);
    let took = begin.elapsed();
    let why = home.run(&["why"]);
    let down = home.run(&["down"]);
    assert_eq!((started.code, down.code), (5, 0), "{}", started.talk);
    assert!(took < PATIENCE / 2, "{took:?}");
    for told in [
        "mute is not ready (retrying): its command exited with status 3, and wrote nothing; run it by hand: \
         sh -c 'exit 3' norouter --version - it has to print the version of norouter\n",
        "nowhere is not ready (retrying): its command could not be started: \"no-such-program\" is not in $PATH",
    ] {
        assert_eq!(started.talk.matches(told).count(), 1, "{}", started.talk);
    }
    assert!(why.data.contains("do what the reason says"), "{}", why.data);
    assert!(!why.data.contains("norouter logs"), "{}", why.data);
}

#[test]
fn files_for_programs_that_cannot_be_written_are_told_wherever_somebody_looks() {
    let home = Home::new("no-files");
    fs::write(home.path().join(".norouter"), "").unwrap();
    let text = "hosts:\n  laptop:\n    vip: \"127.0.66.19\"\n    dns: {disable: true}\n";
    let manifest = home.write("full.yaml", text);
    let started = home.run(&["up", "-d", &manifest]);
    let status = home.run(&["status"]);
    let logs = home.run(&["logs"]);
    let env = home.run(&["env"]);
    let exec = home.run(&["exec", "--", "true"]);
    let why = home.run(&["why"]);
    let why_host = home.run(&["why", "laptop"]);
    let why_as_data = home.json(&["why", "--json"]);
    let down = home.run(&["down"]);
    // Nobody has asked for these files, so the host is ready even if they are missing.
    assert_eq!(
        (started.code, status.code, down.code),
        (0, 0, 0),
        "{}",
        status.data
    );
    assert_eq!((env.code, exec.code), (3, 3));
    let told = "cannot write the files for programs of this host";
    let note = &why_as_data["notes"][0];
    assert_eq!(note["host"], "laptop", "{why_as_data:#}");
    assert!(note["note"].as_str().unwrap().starts_with(told), "{note}");
    assert_eq!((why.code, why_host.code), (0, 0), "{}", why.data);
    for text in [
        started.talk,
        status.data,
        logs.data,
        env.talk,
        exec.talk,
        why.data,
        why_host.data,
    ] {
        assert_eq!(text.matches(told).count(), 1, "{text}");
        assert!(
            text.contains("choose another with stateDir.pathOnAgent"),
            "{text}"
        );
    }
}

/// Sends a request, or a part of one, and keeps the connection.
fn send(home: &Home, request: &str) -> UnixStream {
    let mut stream = UnixStream::connect(home.socket("seats")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_program_that_holds_the_socket_keeps_nobody_else_from_it() {
    let home = Home::new("seats");
    let manifest = home.write("seats.yaml", &alone("127.0.66.14"));
    let manager = home.up(&[&manifest]);
    home.wait(&["--all"]);

    let mut halves: Vec<_> = (0..600).map(|_| send(&home, "GET /v1/ev")).collect();
    assert_eq!(home.run(&["status"]).code, 0);
    let mut readers = Vec::new();
    let mut busy = None;
    while busy.is_none() {
        assert!(readers.len() < 250, "readers take every seat");
        let mut reader = send(&home, &get("/v1/events", ""));
        let mut begin = [0; 12];
        reader.read_exact(&mut begin).unwrap();
        if begin == *b"HTTP/1.1 200" {
            readers.push(reader);
            continue;
        }
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        busy = Some(String::from_utf8_lossy(&begin).into_owned() + &rest);
    }
    let busy = busy.unwrap();
    assert_eq!(status(&busy), "503", "{busy}");
    let told: Value = serde_json::from_str(body(&busy)).unwrap();
    assert_eq!(told["code"], "busy");
    halves.extend((0..600).map(|_| send(&home, "POST /v1/hosts/laptop/answer HTTP/1.1\r\n")));
    // These clients request large answers again and again, and read nothing.
    let much = [
        "/v1/logs?limit=9999",
        "/v1/plan",
        "/v1/flows?limit=9999",
        "/v1/snapshot",
    ]
    .map(|path| format!("GET {path} HTTP/1.1\r\n\r\n").repeat(50))
    .concat();
    halves.extend((0..300).map(|_| send(&home, &much)));
    for arguments in [&["status"][..], &["flows"], &["logs"]] {
        let run = home.run(arguments);
        assert_eq!(run.code, 0, "{}", run.talk);
    }
    assert_eq!(home.run(&["down"]).code, 0);
    assert_eq!(manager.ended(), 0);
    // The oldest connections were closed to make room.
    let first = halves[0].read(&mut [0]);
    let gone = first.map_or_else(
        |error| error.kind() == ErrorKind::ConnectionReset,
        |it| it == 0,
    );
    assert!(gone);
}

/// Answers one request for events. The first answers say that there are too many readers, and later ones that the only
/// host is ready.
fn answer(stream: &mut UnixStream, refusals: &mut usize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // A client that only checks whether a manager is there sends nothing.
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let (kind, code, text) = if *refusals > 0 {
        *refusals -= 1;
        let refused = json!({"error": "too many", "code": "busy"});
        (
            "application/json",
            "503 Service Unavailable",
            refused.to_string(),
        )
    } else {
        let traffic = json!({"flows": 0, "bytesFrom": 0, "bytesTo": 0, "refused": 0, "shed": 0});
        let host = json!({"name": "a", "vip": "127.0.0.9", "ports": [], "state": "ready", "stderr": [], "traffic": traffic});
        let network =
            json!({"network": "late", "version": "1", "pid": 1, "uptimeMs": 1, "hosts": [host]});
        let frame = format!("event: snapshot\ndata: {network}\n\n");
        ("text/event-stream", "200 OK", frame)
    };
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {code}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
    );
    let _ = stream.write_all(answer.as_bytes());
}

#[test]
fn waiting_goes_on_while_the_manager_has_too_much_to_do() {
    let home = Home::new("late");
    fs::create_dir(home.folder()).unwrap();
    fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o700)).unwrap();
    let manager = UnixListener::bind(home.socket("late")).unwrap();
    thread::spawn(move || {
        let mut refusals = 3;
        for stream in manager.incoming() {
            answer(&mut stream.unwrap(), &mut refusals);
        }
    });
    let waited = home.run(&["wait", "--all"]);
    assert_eq!(waited.code, 0, "{}", waited.talk);
}

#[test]
fn a_service_keeps_the_variables_of_commands_and_is_not_installed_for_a_network_that_runs() {
    let home = Home::new("service");
    let manifest = home.write("service.yaml", &alone("127.0.66.15"));
    let install = |more: &[&str]| {
        let arguments = [&["service", "install", &manifest], more].concat();
        let mut command = home.command(&arguments);
        let command = command
            .env("KUBECONFIG", "/k")
            .env("SSH_AUTH_SOCK", "/agent")
            .env("SOME_SECRET", "never");
        output(command)
    };
    let (code, data, talk) = install(&["--dry-run"]);
    assert_eq!(code, 0, "{talk}");
    assert!(data.contains("Environment=\"KUBECONFIG=/k\"\n"), "{data}");
    assert!(
        data.contains("Environment=\"SSH_AUTH_SOCK=/agent\"\n"),
        "{data}"
    );
    assert!(!data.contains("SOME_SECRET"), "{data}");
    let _manager = home.up(&[&manifest]);
    home.wait(&["--all"]);
    let name = format!("norouter-test-{}", std::process::id());
    let (code, _, talk) = install(&["--name", &name]);
    assert_eq!(code, 1, "{talk}");
    assert!(talk.contains("this manifest runs already"), "{talk}");
}
