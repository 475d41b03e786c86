//! The control socket of the real program: its permissions, its answers, and the commands that use it.

use std::{
    collections::BTreeSet,
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::home::{Home, PATIENCE, alone, body, get, status};

/// The command of a host that never becomes an agent.
const MUTE: &str = r#"["sh", "-c", "echo hello from the shell >&2; cat > /dev/null; exit 1"]"#;

/// The network of [`alone`] with a host that never becomes ready.
fn with_mute(vip: &str, other: &str) -> String {
    alone(vip)
        + &format!(
            "  mute:\n    vip: \"{other}\"\n    cmd: {MUTE}\n    loopback: {{disable: true}}\n"
        )
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_socket_is_for_this_user_and_for_no_web_page() {
    let home = Home::new("own");
    let manifest = home.write("own.yaml", &alone("127.0.61.1"));
    let _manager = home.up(&[&manifest]);
    home.wait(&["--all"]);
    assert_eq!(mode(&home.folder()), 0o700);
    assert_eq!(mode(&home.socket("own")), 0o600);

    for headers in ["", "Host: localhost\r\n", "Host: LOCALHOST\r\n"] {
        let answer = home.ask("own", &get("/v1/snapshot", headers));
        assert_eq!(status(&answer), "200", "{answer}");
        let snapshot: Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(snapshot["network"], "own");
        assert_eq!(snapshot["manifest"], manifest);
        assert_eq!(snapshot["hosts"][0]["name"], "laptop");
        assert_eq!(snapshot["hosts"][0]["state"], "ready");
    }
    for headers in [
        "Host: evil.example\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Referer: http://localhost/\r\n",
    ] {
        let answer = home.ask("own", &get("/v1/snapshot", headers));
        assert_eq!(status(&answer), "403", "{headers}");
        assert!(!answer.contains("laptop"), "{answer}");
    }
    let absolute = get("http://evil.example/v1/snapshot", "");
    assert_eq!(status(&home.ask("own", &absolute)), "403");
    for path in [
        "/",
        "/v1",
        "/v2/snapshot",
        "/v1/snapshot/",
        "/v1/flows/nonsense",
    ] {
        assert_eq!(status(&home.ask("own", &get(path, ""))), "404", "{path}");
    }
    assert_eq!(
        status(&home.ask("own", &get("/v1/flows?limit=x", ""))),
        "400"
    );
    let wrong = home.ask("own", &get("/v1/down", ""));
    assert_eq!(status(&wrong), "405");
    assert!(wrong.contains("allow: POST\r\n"), "{wrong}");
    assert_eq!(status(&home.ask("own", "nonsense\r\n\r\n")), "400");
    home.wait(&["--all"]);
}

#[test]
fn metrics_are_in_the_form_that_prometheus_reads() {
    let home = Home::new("metrics");
    let manifest = home.write("metrics.yaml", &alone("127.0.61.2"));
    let _manager = home.up(&[&manifest]);
    home.wait(&["--all"]);
    let answer = home.ask("metrics", &get("/metrics", ""));
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    let (mut families, mut samples) = (Vec::new(), Vec::new());
    for line in body(&answer).lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            families.push(rest.split(' ').next().unwrap());
        } else if !line.starts_with("# HELP ") {
            let (name, rest) = line.split_once('{').unwrap();
            let (labels, value) = rest.split_once("} ").unwrap();
            value.parse::<f64>().unwrap();
            assert_eq!(families.last(), Some(&name), "{line}");
            for label in labels.split(',') {
                let (_, quoted) = label.split_once('=').unwrap();
                assert!(
                    quoted.len() > 2 && quoted.starts_with('"') && quoted.ends_with('"'),
                    "{line}"
                );
            }
            samples.push(line);
        }
    }
    assert!(
        families.len() > 5 && samples.len() >= families.len(),
        "{answer}"
    );
    let up = "norouter_host_up{network=\"metrics\",host=\"laptop\"} 1";
    assert!(samples.contains(&up), "{answer}");
}

#[test]
fn a_connection_is_seen_with_its_bytes_and_a_killed_one_is_reset_at_both_ends() {
    let home = Home::new("flows");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = service.local_addr().unwrap();
    let free = TcpListener::bind("127.0.61.4:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let program = serde_json::json!([env!("CARGO_BIN_EXE_norouter")]);
    let manifest = alone("127.0.61.3")
        + &format!(
            "  web:\n    vip: \"127.0.61.4\"\n    cmd: {program}\n    ports: [\"{}:{target}\"]\n    loopback: {{disable: true}}\n    stateDir: {{disable: true}}\n    dns: {{disable: true}}\n",
            address.port()
        );
    let manifest = home.write("flows.yaml", &manifest);
    let _manager = home.up(&[&manifest]);
    home.wait(&["laptop", "web"]);

    let mut client = TcpStream::connect(address).unwrap();
    let (mut server, _) = service.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    let mut byte = [0; 5];
    client.write_all(b"hello").unwrap();
    server.read_exact(&mut byte).unwrap();
    server.write_all(b"hi").unwrap();
    client.read_exact(&mut byte[..2]).unwrap();

    let told = home.json(&["flows", "--json"]);
    assert_eq!(told["total"], 1);
    let flow = &told["flows"][0];
    assert_eq!(
        (&flow["from"], &flow["to"]),
        (&"laptop".into(), &"web".into())
    );
    assert_eq!(flow["name"], format!("web:{}", address.port()));
    assert_eq!(flow["dst"], address.to_string());
    assert_eq!(
        (&flow["bytesFrom"], &flow["bytesTo"]),
        (&5.into(), &2.into())
    );
    assert_eq!(flow["state"], "open");
    assert!(flow["rttUs"].as_u64().unwrap() > 0);
    let table = home.run(&["flows", "--host", "web"]);
    assert_eq!(table.data.lines().count(), 2, "{}", table.data);
    let nobody = home.run(&["flows", "--host", "mute"]);
    assert_eq!((nobody.code, nobody.data.as_str()), (1, ""));
    assert!(nobody.talk.contains("no host \"mute\""), "{}", nobody.talk);

    let id = flow["id"].as_str().unwrap();
    let killed = home.json(&["flows", "--kill", id, "--json"]);
    assert_eq!(killed["killed"], id);
    for mut stream in [client, server] {
        let error = stream.read(&mut byte).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let again = home.run(&["flows", "--kill", id]);
    assert_eq!(again.code, 1);
    assert!(again.talk.contains("no such flow"), "{}", again.talk);
    assert_eq!(home.json(&["flows", "--json"])["total"], 0);

    let closing = TcpStream::connect(address).unwrap();
    let (_server, _) = service.accept().unwrap();
    closing.shutdown(Shutdown::Write).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while home.json(&["flows", "--json"])["flows"][0]["state"] != "closing" {
        assert!(
            Instant::now() < deadline,
            "the end of one direction is not seen"
        );
    }
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["hosts"][1]["traffic"]["flows"], 1);

    // A long list arrives in several pieces, and is complete.
    let connect = |_| {
        (
            TcpStream::connect(address).unwrap(),
            service.accept().unwrap(),
        )
    };
    let many: Vec<_> = (0..600).map(connect).collect();
    let mut stream = UnixStream::connect(home.socket("flows")).unwrap();
    let request = get("/v1/flows", "");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\r\ntransfer-encoding: chunked\r\n"));
    let told = home.json(&["flows", "--json", "--limit", "1000"]);
    let flows = told["flows"].as_array().unwrap();
    let ids: BTreeSet<_> = flows.iter().map(|flow| flow["id"].to_string()).collect();
    assert_eq!((told["total"].as_u64(), ids.len()), (Some(601), 601));
    let few = home.json(&["flows", "--json", "--limit", "300"]);
    assert_eq!(few["flows"].as_array().unwrap().len(), 300);
    drop(many);
}

#[test]
fn events_are_a_snapshot_and_then_what_happens_to_the_end() {
    let home = Home::new("events");
    let manifest = home.write("events.yaml", &with_mute("127.0.61.5", "127.0.61.6"));
    let manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    let mut stream = UnixStream::connect(home.socket("events")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(get("/v1/events?after=0", "").as_bytes())
        .unwrap();
    let mut lines = home
        .command(&["events", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 20];
    lines
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"{\"data\":{\"hosts\":[{\"");

    let down = home.run(&["down"]);
    assert_eq!((down.code, manager.ended()), (0, 0), "{}", down.talk);
    assert!(!home.socket("events").exists());
    assert_eq!(
        fs::read_dir(home.folder()).unwrap().count(),
        0,
        "something is left behind"
    );

    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    // In HTTP/1.1, a line with the length stands before each chunk. This line is not a part of a frame.
    let frames: Vec<&str> = answer.split("event: ").skip(1).collect();
    let data = |frame: &str| -> Value {
        let line = frame.lines().find_map(|line| line.strip_prefix("data: "));
        serde_json::from_str(line.unwrap()).unwrap()
    };
    assert!(frames[0].starts_with("snapshot"), "{answer}");
    let mut hosts = data(frames[0])["hosts"].clone();
    let (mut seq, mut stopped) = (0, 0);
    for frame in &frames[1..] {
        let data = data(frame);
        if frame.starts_with("event") {
            seq += 1;
            assert_eq!(data["seq"], seq, "a line is missing");
            assert!(frame.contains(&format!("id: {seq}\n")));
            stopped += usize::from(data["state"] == "stopped");
        } else {
            assert!(frame.starts_with("host"), "{frame}");
            let host = hosts.as_array_mut().unwrap().iter_mut();
            *host
                .into_iter()
                .find(|host| host["name"] == data["name"])
                .unwrap() = data.clone();
        }
    }
    assert_eq!(stopped, 2, "{answer}");
    for host in hosts.as_array().unwrap() {
        assert_eq!(
            host["state"], "stopped",
            "the changes do not lead to the last state"
        );
    }
    let mut rest = String::new();
    lines
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert!(lines.wait().unwrap().success());
    assert!(rest.lines().count() > 2, "{rest}");
    for line in rest.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(["host", "event"].contains(&line["event"].as_str().unwrap()));
    }
}

#[test]
fn a_network_has_one_manager_and_several_networks_have_names() {
    let home = Home::new("names");
    let none = home.run(&["status"]);
    assert_eq!(none.code, 3, "{}", none.talk);
    let first = home.write("a/dev/norouter.yaml", &alone("127.0.61.7"));
    let second = home.write("b/dev/norouter.yaml", &alone("127.0.61.8"));
    let manager = home.up(&[&first]);
    home.wait(&["--all"]);
    let again = home.run(&[&first]);
    assert_eq!(again.code, 1);
    assert!(
        again.talk.contains("runs already, as the network \"dev\""),
        "{}",
        again.talk
    );
    assert!(
        again.talk.contains("norouter down --network dev"),
        "{}",
        again.talk
    );
    let named = home.run(&["--name", "dev", &second]);
    assert_eq!(named.code, 1);
    assert!(
        named
            .talk
            .contains("a network with the name \"dev\" runs already"),
        "{}",
        named.talk
    );

    let other = home.up(&["up", &second]);
    home.wait(&["--all", "--network", "dev-2"]);
    let both = home.run(&["status"]);
    assert_eq!(both.code, 2);
    assert!(both.talk.contains("--network: dev, dev-2"), "{}", both.talk);
    let one = home.json(&["status", "--json", "--network", "dev-2"]);
    assert_eq!(one["manifest"], second);
    let unknown = home.run(&["flows", "--network", "prod"]);
    assert_eq!(unknown.code, 3);
    assert!(
        unknown.talk.contains("these run: dev, dev-2"),
        "{}",
        unknown.talk
    );
    assert_eq!(home.run(&["down", "--network", "dev-2"]).code, 0);
    assert_eq!(other.ended(), 0);

    manager.kill();
    assert!(home.socket("dev").exists());
    assert_eq!(
        home.run(&["status"]).code,
        3,
        "nobody listens there any more"
    );
    let _manager = home.up(&[&first]);
    home.wait(&["--all"]);
    assert_eq!(home.json(&["status", "--json"])["network"], "dev");
}

#[test]
fn scripts_can_wait_and_are_told_why_it_was_in_vain() {
    let home = Home::new("wait");
    let begun = Instant::now();
    let nobody = home.run(&["wait", "--all", "--timeout", "0.2"]);
    assert_eq!(nobody.code, 3, "{}", nobody.talk);
    assert!(begun.elapsed() < PATIENCE);
    let manifest = home.write("wait.yaml", &with_mute("127.0.61.9", "127.0.61.10"));
    let _manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    let late = home.run(&["wait", "--all", "--timeout", "0.2", "--json"]);
    assert_eq!(late.code, 5, "{}", late.talk);
    assert!(
        late.talk
            .contains("not ready within 0.2 s: mute (connecting)"),
        "{}",
        late.talk
    );
    let told: Value = serde_json::from_str(&late.data).unwrap();
    assert_eq!(
        (&told["ready"], &told["hosts"][0]["state"]),
        (&false.into(), &"ready".into())
    );
    let typo = home.run(&["wait", "laptpo"]);
    assert_eq!(typo.code, 1);
    assert!(
        typo.talk
            .contains("did you mean laptop? the hosts are: laptop, mute"),
        "{}",
        typo.talk
    );
    assert_eq!(home.run(&["wait"]).code, 2);
    assert_eq!(home.run(&["wait", "laptop", "--timeout", "-1"]).code, 2);

    let partly = home.run(&["status"]);
    assert_eq!(partly.code, 5);
    assert!(partly.data.contains("connecting"), "{}", partly.data);
}

#[test]
fn the_log_is_kept_and_followed() {
    let home = Home::new("logs");
    let manifest = home.write("logs.yaml", &with_mute("127.0.61.11", "127.0.61.12"));
    let manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    let follow = home
        .command(&["logs", "-f", "mute"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mute = loop {
        let mute = home.run(&["logs", "mute"]).data;
        if mute.contains("| hello from the shell\n") {
            break mute;
        }
        assert!(Instant::now() < deadline, "{mute}");
    };
    assert!(!mute.contains("laptop"), "{mute}");
    let json = home.run(&["logs", "--json", "-n", "1000", "mute"]).data;
    let lines = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kinds: Vec<_> = lines
        .inspect(|line| assert_eq!(line["host"], "mute"))
        .map(|line| line["type"].clone())
        .collect();
    assert!(kinds.contains(&"stderr".into()), "{kinds:?}");
    assert_eq!(home.run(&["logs", "nobody"]).code, 1);
    assert_eq!(home.run(&["down"]).code, 0);
    assert_eq!(manager.ended(), 0);
    let followed = follow.wait_with_output().unwrap();
    let followed = String::from_utf8(followed.stdout).unwrap();
    assert_eq!(
        followed.matches("| hello from the shell").count(),
        1,
        "{followed}"
    );
    assert!(followed.ends_with("is stopped\n"), "{followed}");
    assert!(!followed.contains("laptop"), "{followed}");
}

#[test]
fn the_screen_of_top_is_drawn_and_given_back() {
    let home = Home::new("top");
    let manifest = home.write("top.yaml", &with_mute("127.0.61.13", "127.0.61.14"));
    let _manager = home.up(&[&manifest]);
    home.wait(&["laptop"]);
    let no_terminal = home.run(&["top"]);
    assert_eq!(no_terminal.code, 1);
    assert!(
        no_terminal.talk.contains("needs a terminal"),
        "{}",
        no_terminal.talk
    );
    let program = format!(
        "stty rows 24 cols 100; '{}' top",
        env!("CARGO_BIN_EXE_norouter")
    );
    let mut command = Command::new("script");
    let mut child = command
        .args(["-qec", &program, "/dev/null"])
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path().join("run"))
        .env("TMPDIR", home.path())
        .env("TERM", "xterm")
        .env_remove("NOROUTER_NETWORK")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    let has = |seen: &[u8], text: &str| String::from_utf8_lossy(seen).contains(text);
    while !has(&seen, "k end a connection") {
        let count = screen.read(&mut bytes).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    assert!(has(&seen, "1 of 2 hosts ready") && has(&seen, "connecting"));
    child.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    screen.read_to_end(&mut seen).unwrap();
    assert!(child.wait().unwrap().success());
    // The cursor and the earlier contents of the terminal are restored.
    assert!(has(&seen, "\u{1b}[?25h") && has(&seen, "\u{1b}[?1049l"));
}

#[test]
fn a_running_network_takes_up_its_manifest_and_obeys_for_single_hosts() {
    let home = Home::new("reload");
    let text = |more: &str| {
        format!(
            "hosts:\n  laptop: {{vip: 127.0.61.20, stateDir: {{disable: true}}, dns: {{disable: true}}}}\n{more}"
        )
    };
    let manifest = home.write("reload.yaml", &text(""));
    let _manager = home.up(&[&manifest, "--no-watch"]);
    home.wait(&["laptop"]);

    home.write("reload.yaml", &text("  broken: {vip: 10.0.0.1}\n"));
    let refused = home.run(&["reload"]);
    assert_eq!(refused.code, 4, "{}", refused.talk);
    assert!(refused.talk.contains("reload.yaml:3:"), "{}", refused.talk);
    assert_eq!(home.run(&["status"]).code, 0, "the network goes on");

    let program = env!("CARGO_BIN_EXE_norouter");
    let second = format!(
        "  second: {{vip: 127.0.61.21, cmd: [{program:?}], loopback: {{disable: true}}, stateDir: {{disable: true}}}}\n"
    );
    home.write("reload.yaml", &text(&second));
    let changed = home.run(&["reload"]);
    assert_eq!(changed.code, 0, "{}", changed.talk);
    assert!(changed.data.contains("second"), "{}", changed.data);
    home.wait(&["--all"]);
    let plan = home.ask("reload", &get("/v1/plan", ""));
    let plan: Value = serde_json::from_str(body(&plan)).unwrap();
    assert_eq!(plan["hosts"][0]["command"], serde_json::json!([]));
    let command = serde_json::json!([program, "agent", "--automated"]);
    assert_eq!(plan["hosts"][1]["command"], command);
    assert_eq!(plan["routes"], serde_json::json!([]));

    // The exit code is 5, because a part of the network is down.
    let state = |host: usize| {
        let status: Value = serde_json::from_str(&home.run(&["status", "--json"]).data).unwrap();
        status["hosts"][host]["state"].clone()
    };
    assert_eq!(home.run(&["stop", "second"]).code, 0);
    let stopped = home.run(&["wait", "second", "--timeout", "20"]);
    assert_eq!(
        stopped.code, 5,
        "a stopped host does not come back by itself"
    );
    assert_eq!((state(0), state(1)), ("ready".into(), "stopped".into()));
    assert_eq!(home.run(&["start", "127.0.61.21"]).code, 0);
    home.wait(&["second"]);
    assert_eq!(home.run(&["restart", "nobody"]).code, 1);
    assert_eq!(home.run(&["restart", "second"]).code, 0);
    home.wait(&["--all"]);
}
