//! All commands accept a host by its name, an alias or its VIP, and report an unknown host in the same way.

use crate::home::Home;

/// Every command with a host as an argument (`HOST`), and its possible exit codes if the host exists.
const COMMANDS: &[(&[&str], &[i32])] = &[
    (&["wait", "HOST", "--timeout", "60"], &[0]),
    (&["logs", "HOST"], &[0]),
    (&["flows", "--host", "HOST"], &[0]),
    // `why` also explains a connection that does not work.
    (&["why", "laptop:80", "--from", "HOST"], &[0, 5]),
    (&["addr", "HOST"], &[0]),
    // This host publishes nothing, so it has no page to open.
    (&["open", "--print", "HOST"], &[1]),
    (&["answer", "HOST", "--list"], &[0]),
    (&["approve", "HOST", "--yes"], &[0]),
    (&["restart", "HOST"], &[0]),
    (&["stop", "HOST"], &[0]),
    (&["start", "HOST"], &[0]),
];

fn about<'a>(command: &[&'a str], host: &'a str) -> Vec<&'a str> {
    let words = command.iter();
    words
        .map(|&word| if word == "HOST" { host } else { word })
        .collect()
}

#[test]
fn every_command_knows_a_host_by_each_of_its_names_and_refuses_another_in_one_way() {
    let home = Home::new("named");
    let program = serde_json::json!([env!("CARGO_BIN_EXE_norouter")]);
    let alone = "stateDir: {disable: true}, dns: {disable: true}";
    let manifest = format!(
        "hosts:\n  laptop: {{vip: 127.0.61.40, {alone}}}\n  second: {{vip: 127.0.61.41, cmd: {program}, aliases: [other], \
         loopback: {{disable: true}}, {alone}}}\n"
    );
    let manifest = home.write("named.yaml", &manifest);
    let _manager = home.up(&[&manifest, "--no-watch"]);
    home.wait(&["laptop", "second"]);
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["hosts"][1]["aliases"], serde_json::json!(["other"]));

    for host in ["second", "other", "127.0.61.41", "SECOND"] {
        for (command, codes) in COMMANDS {
            let run = home.run(&about(command, host));
            let (code, talk) = (run.code, run.talk);
            assert!(codes.contains(&code), "{command:?} {host}: {code}, {talk}");
        }
        home.wait(&["second"]);
    }
    for (command, _) in COMMANDS {
        let run = home.run(&about(command, "nobody"));
        assert_eq!((run.code, run.data.as_str()), (1, ""), "{command:?}");
        for said in [
            "error: there is no host \"nobody\" in this network\n",
            "help: the hosts are: laptop, second\n",
        ] {
            assert!(run.talk.contains(said), "{command:?}: {}", run.talk);
        }
    }
    let stopped = home.run(&["stop", "second", "other", "--json"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&stopped.data).unwrap(),
        serde_json::json!({"host": "second", "asked": "stop", "state": "stopped"}),
        "one host is stopped once, by whatever names"
    );
    let started = home.run(&["start", "--all"]);
    assert_eq!(started.code, 0);
    assert_eq!(started.talk, "laptop: ready\nsecond: ready\n");
    let slip = home.run(&["stop", "secnod"]);
    assert!(slip.talk.contains("did you mean second?"), "{}", slip.talk);
}
