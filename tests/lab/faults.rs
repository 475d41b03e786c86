//! Faults of processes, addresses and machines: kills, exits, suspensions, limits, reboots, agents of other versions.
//!
//! This table lists the faults of the service levels. For each fault, it names the test that shows that the network
//! survives it:
//!
//! | fault | shown by |
//! |---|---|
//! | an agent is killed under fifty connections | here |
//! | a command ends at once, always | here; `link/backoff.rs` |
//! | an agent stops, or its line stalls, in one direction or both | `supervision`, `lines` |
//! | something is printed before the agent starts | `lines`, `reach` |
//! | bits are flipped on the way | `lines`; `tests/sim` with many seeds |
//! | a line is half open, because a cable is pulled or a session is killed | `lines` |
//! | a manager is killed, or told to end | `stop`; `names` for the hosts file; here for a host that does not end |
//! | a port is in use: a published one, a mirrored one, a proxy's, DNS's | `failure`, here |
//! | a command does not exist, may not be run, is silent, or prints nonsense | `failure` |
//! | two hundred hosts of which fifty never answer, or which all die at once | `many` |
//! | a manifest is saved with errors, and corrected | here; `tests/it/control.rs`, `manager/tests/reload.rs` |
//! | the machine is suspended | here; `link/heartbeat.rs`, `system/clock.rs`; no adjustable clock: `tests/tidy.rs` |
//! | file descriptors run out | here |
//! | one address twice, or several hosts on one machine | `data/manifests/invalid/duplicate_vips.yaml`, here |
//! | an agent is hostile | `failure`; `tests/sim` |
//! | the stack inside an agent panics | `flow/tests.rs` |
//! | a machine is switched off and on again | here |
//! | name servers do not answer, or forge answers | `names`, `routes`; `system/resolver/tests.rs` |
//! | a line is slow, or pauses | `lines` |
//! | an agent of another version | here; `tests/it/frames.rs` |
//! | one stream of a process ends, and another one floods | `lines` |
//! | random faults, for a long time | `soak` |

use std::{
    fs,
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use crate::{
    ground::{Ground, WEB, assert_within, pass, processor_time},
    network::{Host, processes_of, program, vip},
    sandbox::{Sandbox, command, ended, output, wait_for},
    shim::Shim,
    traffic::Service,
};

/// The state letter and the command of each child process.
fn children(of: u32) -> Vec<String> {
    let words = ["ps", "-o", "stat=,args=", "--ppid", &of.to_string()];
    let listed = ended(&mut command(&words)).out;
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn fifty_connections_through_a_killed_agent_are_reset_at_once_and_the_host_is_back() {
    let sandbox = Sandbox::new();
    let (ground, _shim) = Ground::with_a_line(&sandbox);
    let well = ground.traffic("laptop", &["well"], 20_000);
    let talks: Vec<_> = (0..50)
        .map(|number| ground.talk(["laptop", "well"][number % 2], "bad"))
        .collect();
    let start = Instant::now();
    kill_process(ground.network.agent("bad"), Signal::KILL).unwrap();
    let ends: Vec<_> = thread::scope(|scope| {
        let ends: Vec<_> = talks
            .into_iter()
            .map(|talk| scope.spawn(|| talk.end()))
            .collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    });
    let last = ends.iter().map(|(at, _)| *at - start).max().unwrap();
    assert_within("the last reset of 50", last, Duration::from_millis(1_500));
    for (_, end) in ends {
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    let (gone, _) = ground.watch.state("bad", "waiting", start);
    assert_within("the loss", gone - start, Duration::from_millis(500));
    let (back, _) = ground.watch.state("bad", "ready", start);
    assert_within("the host being back", back - start, Duration::from_secs(2));
    ground.wait_for_talk("laptop", "bad");
    ground.wait_for_talk("well", "bad");
    let _ = ground.network.agent("bad");
    let children = children(ground.network.manager.pid());
    assert_eq!(children.len(), 2, "{children:?}");
    assert!(
        children.iter().all(|child| !child.starts_with('Z')),
        "{children:?}"
    );
    let sum = well.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
    ground.assert_right();
}

#[test]
fn a_command_that_always_ends_is_tried_ever_more_rarely_and_its_words_are_shown() {
    let sandbox = Sandbox::new();
    let script = "#!/bin/sh\necho a reason to end >&2\nexit 1\n";
    let script = sandbox.write_program("quits", script);
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::with_command("quits", &[script.to_str().unwrap()]).ports(WEB),
        Host::netns("well", &sandbox).ports(WEB),
    ];
    let ground = Ground::start(&sandbox, hosts, &["laptop", "well"]);
    let well = ground.traffic("laptop", &["well"], 20_000);
    let (_, line) = ground.watch.wait_for("the fifth try", |line| {
        line["data"]["host"] == "quits" && line["data"]["retry"]["attempt"] == 5
    });
    // This is the pause before the fifth retry: 8 s, shortened by up to 20 percent.
    let pause = line["data"]["retry"]["pauseMs"].as_u64().unwrap();
    assert!((6_400..=8_000).contains(&pause), "{line}");
    let reason = line["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("status 1"), "{reason}");
    let host = ground.network.host_status("quits");
    assert_eq!(host["stderr"][0], "a reason to end", "{host}");
    let sum = well.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
}

#[test]
fn a_sleep_of_everything_ends_nothing() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("first", &sandbox).ports(WEB),
        Host::netns("second", &sandbox).ports(WEB),
    ];
    let ground = Ground::start(&sandbox, hosts, &["laptop", "first", "second"]);
    let mut talks = [
        ground.talk("laptop", "first"),
        ground.talk("first", "second"),
        ground.talk("second", "laptop"),
    ];
    let everybody = || {
        let listed = processes_of(&sandbox).into_iter();
        let pids = listed.map(|line| line.split_whitespace().next().unwrap().parse().unwrap());
        pids.map(|pid| Pid::from_raw(pid).unwrap())
            .collect::<Vec<_>>()
    };
    let before = everybody();
    // One of these processes is the `norouter events` of the test.
    assert_eq!(before.len(), 4);
    let start = Instant::now();
    for pid in &before {
        kill_process(*pid, Signal::STOP).unwrap();
    }
    // If the machine were not suspended, a silence of this length would be a loss.
    pass(Duration::from_secs(17));
    for pid in &before {
        kill_process(*pid, Signal::CONT).unwrap();
    }
    let awake = Instant::now();
    for talk in &mut talks {
        talk.exchange(100_000).unwrap();
    }
    assert_within(
        "everything working again",
        awake.elapsed(),
        Duration::from_secs(5),
    );
    // The manager checks each agent once after the suspension. This wait is longer than the check.
    pass(Duration::from_secs(8));
    for host in ["laptop", "first", "second"] {
        assert_eq!(
            ground.watch.states(host, start),
            [],
            "{host} was lost needlessly"
        );
        assert_eq!(ground.network.host_status(host)["state"], "ready");
    }
    assert_eq!(everybody(), before);
    ground.assert_right();
}

#[test]
fn ports_in_use_of_every_kind_are_told_and_taken_when_they_are_free() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("far", &sandbox)
            .ports(WEB)
            .line("http: {listen: \"127.0.0.1:18080\"}")
            .line("socks: {listen: \"127.0.0.1:18081\"}"),
    ];
    let busy = [
        format!("{}:8080", vip(2)),
        format!("{}:8080", vip(1)),
        "127.0.0.1:18080".to_owned(),
        "127.0.0.1:18081".to_owned(),
        format!("{}:10053", vip(1)),
    ];
    let squatters: Vec<_> = hosts[1].namespace().inside(|| {
        let squat =
            |address: &String| TcpListener::bind(address.parse::<SocketAddr>().unwrap()).unwrap();
        busy.iter().map(squat).collect()
    });
    let ground = Ground::start(&sandbox, hosts, &[]);
    // Everything except these ports works.
    ground.wait_for_talk("laptop", "far");
    let problems = wait_for("a problem for each port", || {
        let problems = ground.network.host_status("far")["troubles"].to_string();
        busy.iter()
            .all(|address| problems.contains(address.as_str()))
            .then_some(problems)
    });
    println!("{problems}");
    let free = Instant::now();
    drop(squatters);
    let (ready, _) = ground.watch.state("far", "ready", free);
    assert_within(
        "the ports being taken",
        ready - free,
        Duration::from_secs(6),
    );
    ground.wait_for_talk("far", "laptop");
    ground.assert_right();
}

#[test]
fn a_manifest_that_is_saved_broken_changes_nothing_and_the_mended_one_is_taken_up() {
    let sandbox = Sandbox::new();
    let (mut ground, _shim) = Ground::with_a_line(&sandbox);
    let mut talk = ground.talk("laptop", "well");
    let (file, start) = (sandbox.path("network.yaml"), Instant::now());
    let good = fs::read_to_string(&file).unwrap();
    let half = &good[..good.len() / 2];
    for (broken, told) in [
        ("hosts:\n  a b: [\n", "network.yaml:"),
        (half, "network.yaml:"),
    ] {
        let told_before = ground.network.manager.log().matches(told).count();
        fs::write(&file, broken).unwrap();
        ground
            .network
            .manager
            .wait_for_log("the report", |log| log.matches(told).count() > told_before);
        talk.exchange(10_000).unwrap();
    }
    // A new file replaces the file, as many editors do it.
    let more = format!("{good}  new:\n    vip: 127.0.42.99\n    cmd: /bin/false\n");
    fs::rename(sandbox.write("other.yaml", more), &file).unwrap();
    ground
        .watch
        .wait_for("the new host", |line| line["data"]["host"] == "new");
    fs::remove_file(&file).unwrap();
    talk.exchange(10_000).unwrap();
    fs::write(&file, good).unwrap();
    ground.watch.wait_for("the old network", |line| {
        let hosts = line["data"]["hosts"].as_array();
        line["event"] == "snapshot" && hosts.is_some_and(|hosts| hosts.len() == 3)
    });
    wait_for("the end of the new host", || {
        let hosts = ground.network.status()["hosts"].as_array().unwrap().len();
        (hosts == 3).then_some(())
    });
    talk.exchange(10_000).unwrap();
    for host in ["laptop", "well", "bad"] {
        assert_eq!(ground.watch.states(host, start), [], "{host}");
    }
    ground.assert_right();
}

/// Allows a process only this many more open files than it has now. Returns the old limit.
fn leave_descriptors(pid: Pid, more: u64) -> Rlimit {
    let open = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).unwrap();
    let limit = Rlimit {
        current: Some(open.count() as u64 + more),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(Some(pid), Resource::Nofile, limit).unwrap()
}

#[test]
fn descriptors_that_run_out_hurt_new_connections_only_and_for_no_longer_than_that() {
    let sandbox = Sandbox::new();
    let (ground, _shim) = Ground::with_a_line(&sandbox);
    let manager = Pid::from_raw(ground.network.manager.pid().cast_signed()).unwrap();
    for (host, to, pid) in [
        ("bad", "well", ground.network.agent("bad")),
        ("laptop", "bad", manager),
    ] {
        let mut talk = ground.talk(host, to);
        let before = leave_descriptors(pid, 5);
        let lines = ground.network.manager.log().lines().count();
        let address: SocketAddr = ground.address(to).parse().unwrap();
        // The operating system accepts these connections, but the agent has no file descriptors left for them.
        let waiting: Vec<_> = ground.network.host(host).namespace().inside(|| {
            (0..40)
                .map(|_| TcpStream::connect(address).unwrap())
                .collect()
        });
        talk.exchange(100_000).unwrap();
        let (raw, start) = (pid.as_raw_nonzero().get().cast_unsigned(), Instant::now());
        let used = processor_time(raw);
        pass(Duration::from_secs(4));
        let share =
            processor_time(raw).saturating_sub(used).as_secs_f64() / start.elapsed().as_secs_f64();
        println!(
            "{host}: {:.1} % of a processor without descriptors",
            share * 100.0
        );
        assert!(share < 0.2, "the bar is 5 %");
        talk.exchange(100_000).unwrap();
        let said = ground.network.manager.log().lines().count() - lines;
        assert!(said <= 20, "{said} lines");
        prlimit(Some(pid), Resource::Nofile, before).unwrap();
        let raised = Instant::now();
        drop(waiting);
        let works = ground.wait_for_talk(host, to);
        assert_within("new connections", works - raised, Duration::from_secs(2));
        talk.exchange(100_000).unwrap();
    }
    ground.assert_right();
}

#[test]
fn of_two_hosts_on_one_machine_the_second_takes_what_is_free() {
    let sandbox = Sandbox::new();
    let one = Host::netns("one", &sandbox).ports(WEB);
    let words = one.namespace().cmd(&program(&sandbox));
    let two = Host::with_command("two", &words).ports(WEB);
    let hosts = vec![Host::laptop().ports(WEB), one, two];
    let ground = Ground::start(&sandbox, hosts, &["laptop"]);
    for host in ["one", "two"] {
        ground.wait_for_talk("laptop", host);
    }
    let state = |host: &str| ground.network.host_status(host)["state"].clone();
    let states = wait_for("one that has everything", || {
        let states = [state("one"), state("two")];
        (states.contains(&"ready".into()) || states == ["degraded", "degraded"]).then_some(states)
    });
    println!("{states:?}");
    assert!(
        states.contains(&"degraded".into()),
        "both listen on the same addresses"
    );
    let (first, second) = if states[0] == "ready" {
        ("one", "two")
    } else {
        ("two", "one")
    };
    output(&mut ground.network.norouter(&["stop", first]));
    wait_for("the second to take over", || {
        (state(second) == "ready").then_some(())
    });
    ground.wait_for_talk("laptop", second);
    ground.assert_right();
}

#[test]
fn a_machine_that_is_gone_for_a_while_is_back_soon_after_it_is() {
    let sandbox = Sandbox::new();
    let (ground, _shim) = Ground::with_a_line(&sandbox);
    let well = ground.traffic("laptop", &["well"], 20_000);
    let netns = ground.network.host("bad").namespace();
    let start = Instant::now();
    netns.destroy();
    // The machine is off for longer than one call of `pass` may wait, so `pass` is called several times.
    for _ in 0..6 {
        pass(Duration::from_secs(15));
    }
    let pauses: Vec<_> = ground.watch.states("bad", start);
    let pauses = pauses
        .iter()
        .filter_map(|(_, line)| line["data"]["retry"]["pauseMs"].as_u64());
    let longest = pauses.max().unwrap();
    assert!((8_000..=30_000).contains(&longest), "{longest} ms");
    let (up, service) = (Instant::now(), {
        netns.create();
        Service::start(netns, 8000)
    });
    let (ready, _) = ground.watch.state("bad", "ready", start);
    assert_within("the host being back", ready - up, Duration::from_secs(30));
    ground.wait_for_talk("laptop", "bad");
    ground.wait_for_talk("bad", "well");
    assert_eq!(service.wrong(), Vec::<String>::new());
    let sum = well.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
    ground.assert_right();
}

/// An agent that looks like another version to its manager. It announces the version and the features in its arguments,
/// and sends nothing else.
pub(crate) const OTHER: &str = r#"
import json, sys
read, write = sys.stdin.buffer, sys.stdout.buffer
header = read.read(8)
request = json.loads(read.read(int.from_bytes(header[1:4], "big") - 4))["body"]
result = {"request_id": request["id"], "op": request["op"], "error": None, "strange": [1],
          "data": {"features": sys.argv[2:], "version": sys.argv[1], "colour": {"of": "night"}}}
body = json.dumps({"type": "result", "body": result, "moon": "full"}).encode()
write.write(b"\x42" + (len(body) + 4).to_bytes(3, "big") + b"\0\2\0\0" + body); write.flush()
while read.read(1): pass
"#;

#[test]
fn agents_of_other_versions_do_what_both_can_and_are_refused_what_would_break_a_promise() {
    let sandbox = Sandbox::new();
    let script = sandbox.write("other.py", OTHER);
    let other = |name: &str, words: &[&str]| {
        let words = [&["python3", script.to_str().unwrap()], words].concat();
        Host::with_command(name, &words).ports(WEB)
    };
    let shim = Shim::new(&sandbox, "newer");
    let all = [
        "0.6.5",
        "loopback",
        "tcp",
        "http",
        "loopback.disable",
        "socks",
        "hostaliases",
        "etchosts",
        "routes",
        "dns",
    ];
    let hosts = vec![
        Host::laptop().ports(WEB),
        other("upstream", &all),
        other("unsafe", &["0.5.0", "loopback", "tcp"]).line("loopback: {disable: true}"),
        other("empty", &["0.1.0"]),
        Host::netns("newer", &sandbox).behind(&shim).ports(WEB),
    ];
    let mut ground = Ground::start(&sandbox, hosts, &["laptop", "upstream", "newer"]);
    for (host, feature) in [("unsafe", "loopback.disable"), ("empty", "tcp")] {
        let seen = wait_for("a refusal", || {
            let seen = ground.network.host_status(host);
            (seen["state"] == "refused").then_some(seen)
        });
        let reason = seen["reason"].as_str().unwrap();
        assert!(reason.contains(feature), "{reason}");
    }
    // Messages of a later version that may come between two frames.
    let mut news = Vec::new();
    for (kind, body) in [
        (
            2,
            r#"{"type":"event","body":{"type":"weather","data":{"sun":true}},"extra":1}"#,
        ),
        (9, "frames of a kind that is not known"),
    ] {
        news.extend((0x4200_0000 | (u32::try_from(body.len()).unwrap() + 4)).to_be_bytes());
        news.extend([0, kind, 0, 0]);
        news.write_all(body.as_bytes()).unwrap();
    }
    let news = sandbox.write("news", news);
    let start = Instant::now();
    shim.order(&format!("insert from {}", news.display()));
    let mut talk = ground.talk("laptop", "newer");
    talk.exchange(100_000).unwrap();
    // An agent without heartbeats is not ended because of its silence.
    pass(Duration::from_secs(12));
    talk.exchange(100_000).unwrap();
    for host in ["upstream", "newer"] {
        assert_eq!(ground.watch.states(host, start), [], "{host}");
    }
    assert!(ground.network.manager.is_alive());
    ground.assert_right();
}

#[test]
fn a_host_that_does_not_want_to_end_keeps_nobody_waiting() {
    for how in ["terminate", "down"] {
        let sandbox = Sandbox::new();
        let (mut ground, shim) = Ground::with_a_line(&sandbox);
        let mut talk = ground.talk("laptop", "well");
        // If there is no terminal, SIGHUP reloads the manifest.
        ground.network.manager.signal(Signal::HUP);
        talk.exchange(10_000).unwrap();
        shim.order("deaf");
        shim.order("stall both");
        let start = Instant::now();
        if how == "down" {
            output(&mut ground.network.norouter(&["down"]));
        } else {
            ground.network.manager.signal(Signal::TERM);
        }
        ground.network.manager.wait();
        assert_within(
            "the end of the manager",
            start.elapsed(),
            Duration::from_secs(3),
        );
        let (_, end) = talk.end();
        assert!(end.is_err(), "what was open looked as if it had ended well");
        wait_for("the end of everything", || {
            processes_of(&sandbox).is_empty().then_some(())
        });
    }
}
