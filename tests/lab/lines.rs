//! Tests of lines between a manager and its agents. The lines stall, corrupt data, break and flood.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, WEB, assert_within, pass, processor_time},
    network::Host,
    sandbox::{Sandbox, command, output, wait_for},
    shim::Shim,
    traffic::Traffic,
};

#[test]
fn a_line_that_stalls_in_either_direction_is_given_up_and_nobody_else_notices() {
    let sandbox = Sandbox::new();
    let ways = ["both", "to", "from"];
    let shims = ways.map(|way| Shim::new(&sandbox, way));
    let mut hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("well", &sandbox).ports(WEB),
    ];
    for (way, shim) in ways.iter().zip(&shims) {
        hosts.push(Host::netns(way, &sandbox).behind(shim).ports(WEB));
    }
    let ground = Ground::start(&sandbox, hosts, &["laptop", "well", "both", "to", "from"]);
    // There is traffic in both directions. Bytes that the manager sends to a host do not show that the host receives
    // anything.
    let there = ground.traffic("laptop", &ways, 200_000);
    let back = ways.map(|way| ground.traffic(way, &["laptop", "well"], 200_000));
    let well = ground.traffic("laptop", &["well"], 20_000);
    wait_for("a baseline", || (well.done() > 150).then_some(()));
    let baseline = well.take();

    let idle = ways.map(|way| ground.talk("well", way));
    let stalled = ways.map(|way| ground.talk("laptop", way));
    let agents = ways.map(|way| ground.network.agent(way));
    let start = Instant::now();
    for (way, shim) in ways.iter().zip(&shims) {
        shim.order(&format!("stall {way}"));
    }
    for ((way, talk), idle) in ways.iter().zip(stalled).zip(idle) {
        for (talk, from) in [(talk, "laptop"), (idle, "well")] {
            let (at, end) = talk.end();
            assert!(end.is_err(), "{from} to {way}: a stall looked like an end");
            assert_within(
                &format!("the end of a talk of {from} to {way}"),
                at - start,
                Duration::from_secs(10),
            );
        }
    }
    let during = well.stop();
    for (way, old) in ways.iter().zip(agents) {
        let (lost, _) = ground.watch.state(way, "waiting", start);
        assert_within(
            &format!("the loss of {way}"),
            lost - start,
            Duration::from_secs(10),
        );
        let (back, _) = ground.watch.state(way, "ready", lost);
        assert_within(
            &format!("{way} being back"),
            back - lost,
            Duration::from_secs(2),
        );
        ground.wait_for_talk("laptop", way);
        wait_for("the end of the old agent", || {
            (!ground.network.agents(way).contains(&old)).then_some(())
        });
        let _ = ground.network.agent(way);
    }
    assert_eq!(during.wrong, Vec::<String>::new());
    assert_eq!(during.broken, 0, "of {}", during.done);
    let [before, after] = [&baseline, &during].map(|sum| sum.quantile(900));
    println!("nine talks of ten took {before:?} before the stall and {after:?} during it");
    // A stalled line must not slow down the other hosts. They may even become faster, because there is less traffic.
    assert!(after <= 3 * before + Duration::from_millis(50));
    let wrong = there.stop().wrong;
    assert_eq!(wrong, Vec::<String>::new());
    for traffic in back {
        assert_eq!(traffic.stop().wrong, Vec::<String>::new());
    }
    ground.assert_right();
}

#[test]
fn a_line_that_is_slow_or_pauses_for_7_s_is_not_given_up() {
    let sandbox = Sandbox::new();
    let (ground, shim) = Ground::with_a_line(&sandbox);
    let mut talk = ground.talk("laptop", "bad");
    let start = Instant::now();
    shim.order("stall both");
    pass(Duration::from_secs(7));
    shim.order("heal");
    talk.exchange(100_000).unwrap();
    shim.order("slow both 50000");
    let bulk = ground.traffic("laptop", &["bad"], 300_000);
    pass(Duration::from_secs(15));
    shim.order("heal");
    talk.exchange(100_000).unwrap();
    let sum = bulk.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
    assert_eq!(ground.watch.states("bad", start), []);
    ground.assert_right();
}

#[test]
fn whatever_a_shell_prints_before_the_agent_is_skipped_and_quoted_or_a_clear_error() {
    let lines = "Last login: yesterday\r\nYou have mail\r\n".repeat(20);
    let banners: &[(&str, Vec<u8>)] = &[
        ("words", b"Welcome to this host\n".to_vec()),
        ("letter", b"Be welcome. BBB\n".to_vec()),
        (
            "letters",
            "Gr\u{fc}\u{df} Gott, \u{3053}\u{3093}\u{306b}\u{3061}\u{306f}\n".into(),
        ),
        ("crlf", b"one\r\ntwo\r\n".to_vec()),
        ("frame", b"B\0\0\x04\0\x01\0\0 was a frame\n".to_vec()),
        (
            "brace",
            b"B\0\x10\0\0\x02\0\0{ is no frame of that length\n".to_vec(),
        ),
        ("slow", lines.into_bytes()),
    ];
    let sandbox = Sandbox::new();
    let mut hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("well", &sandbox).ports(WEB),
    ];
    let mut shims = Vec::new();
    let huge = ("huge", b"all work and no play\n".repeat(50_000));
    let mut promise = b"B\0\xff\0\0\x02\0\0{\"motd\": \"so much to say ".to_vec();
    promise.resize(1_000, b'.');
    let promise = ("promise", promise);
    for (name, banner) in banners.iter().chain([&huge, &promise]) {
        let file = sandbox.write(&format!("banner-{name}"), banner);
        let shim = Shim::new(&sandbox, name);
        let insert = format!("insert from {}", file.display());
        let rate = if *name == "slow" {
            "slow from 400"
        } else {
            "heal"
        };
        shim.order_at_start(&[&insert, rate]);
        hosts.push(Host::netns(name, &sandbox).behind(&shim).ports(WEB));
        shims.push(shim);
    }
    let ready: Vec<_> = banners.iter().map(|(name, _)| *name).collect();
    let start = Instant::now();
    let mut ground = Ground::start(&sandbox, hosts, &["laptop", "well"]);
    let (lost, line) = ground.watch.state("huge", "waiting", start);
    assert_within(
        "the verdict about a megabyte",
        lost - start,
        Duration::from_secs(15),
    );
    let reason = line["data"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("all work and no play"), "{reason}");
    ground.network.wait(&ready);
    for name in ready {
        ground.wait_for_talk("laptop", name);
        let quoted = format!("{name} (");
        let said = "wrote this before the agent started";
        ground.network.manager.wait_for_log("the banner", |log| {
            log.lines()
                .any(|line| line.contains(&quoted) && line.contains(said))
        });
    }
    // The stream of this host announces a frame, but never contains all of it. The host is reported as lost, too.
    let (lost, line) = ground.watch.state("promise", "waiting", start);
    assert_within(
        "the verdict about a promise",
        lost - start,
        Duration::from_secs(15),
    );
    let reason = line["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("so much to say"), "{reason}");
    ground.assert_right();
}

#[test]
fn bits_that_turn_on_the_way_end_an_agent_and_never_reach_a_program() {
    let sandbox = Sandbox::new();
    let (ground, shim) = Ground::with_a_line(&sandbox);
    let there = ground.traffic("laptop", &["bad"; 8], 300);
    let back = ground.traffic("bad", &["laptop", "well"], 100_000);
    let well = ground.traffic("laptop", &["well"], 20_000);
    let start = Instant::now();
    let mut losses = 0;
    for seed in 0..8 {
        shim.order(&format!("corrupt both 2000 {seed}"));
        let begun = Instant::now();
        // A flipped bit in the header of a frame puts the stream out of step, and the agent is ended. All other bytes
        // are protected by checksums.
        wait_for("a loss or many talks", || {
            let lost = ground
                .watch
                .states("bad", begun)
                .iter()
                .any(|(_, line)| line["data"]["state"] == "waiting");
            losses += u32::from(lost);
            (lost || begun.elapsed() > Duration::from_secs(6)).then_some(())
        });
        shim.try_order("heal");
        ground.network.wait(&["bad"]);
    }
    assert!(losses > 0, "no bit hit anything that matters");
    ground.wait_for_talk("laptop", "bad");
    let sums = [there, back].map(Traffic::stop);
    for sum in &sums {
        assert_eq!(sum.wrong, Vec::<String>::new());
    }
    assert!(sums[0].done > 0 && sums[0].broken > 0);
    let sum = well.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
    assert_eq!(ground.watch.states("well", start), []);
    println!("{losses} losses");
    ground.assert_right();
}

#[test]
fn an_agent_of_which_one_stream_has_ended_is_as_good_as_dead() {
    let sandbox = Sandbox::new();
    let (ground, shim) = Ground::with_a_line(&sandbox);
    for way in ["from", "to"] {
        let talk = ground.talk("laptop", "bad");
        shim.order("deaf");
        let start = Instant::now();
        shim.order(&format!("cut {way}"));
        let (at, end) = talk.end();
        assert!(end.is_err(), "{way}: a cut looked like an end");
        // The closed input is noticed at the next write, and there is a write at least every two seconds.
        let bar = Duration::from_secs(if way == "from" { 1 } else { 2 });
        assert_within(
            &format!("the end of a talk after a cut {way}"),
            at - start,
            bar,
        );
        let (_, line) = ground.watch.state("bad", "waiting", start);
        assert!(line["data"]["reason"].is_string());
        let (back, _) = ground.watch.state("bad", "ready", start);
        assert_within(
            "a deaf process being replaced",
            back - start,
            Duration::from_secs(6),
        );
        ground.wait_for_talk("laptop", "bad");
    }
    ground.assert_right();
}

#[test]
fn a_flood_of_words_costs_little_and_is_cut() {
    let sandbox = Sandbox::new();
    let (mut ground, shim) = Ground::with_a_line(&sandbox);
    let start = Instant::now();
    shim.order("flood");
    ground.network.manager.wait_for_text("more times)");
    let (manager, before) = (ground.network.manager.pid(), Instant::now());
    let used = processor_time(manager);
    pass(Duration::from_secs(5));
    let share =
        processor_time(manager).saturating_sub(used).as_secs_f64() / before.elapsed().as_secs_f64();
    println!("a flood costs {:.1} % of a processor", share * 100.0);
    assert!(share < 0.5, "the bar is 20 % for the program that ships");
    let mut talk = ground.talk("laptop", "bad");
    talk.exchange(100_000).unwrap();
    let lines = ground
        .network
        .manager
        .log()
        .matches("all work and no play")
        .count();
    assert!((1..100).contains(&lines), "{lines} lines of a flood");
    assert_eq!(ground.watch.states("bad", start), []);
    ground.assert_right();
}

/// A laptop and a host that are connected by a cable. The host is behind a real ssh server.
fn over_a_cable(sandbox: &Sandbox) -> (Ground, crate::sandbox::Sshd) {
    let laptop = Host::laptop().ports(WEB);
    let (far, server) = Host::ssh("far", sandbox, "");
    laptop
        .namespace()
        .lay_cable("10.77.0.1/24", far.namespace(), "10.77.0.2/24");
    let far = far.through(&server.ssh_to("10.77.0.2"), sandbox);
    let hosts = vec![
        laptop,
        far.ports(WEB),
        Host::netns("well", sandbox).ports(WEB),
    ];
    (
        Ground::start(sandbox, hosts, &["laptop", "far", "well"]),
        server,
    )
}

#[test]
fn a_cable_that_is_pulled_is_noticed_at_both_ends_and_the_host_is_back_when_it_is() {
    let sandbox = Sandbox::new();
    let (ground, _server) = over_a_cable(&sandbox);
    let cable = |state: &str| {
        let far = ground.network.host("far").namespace();
        output(&mut far.command(&["ip", "link", "set", "cable", state]));
    };
    let well = ground.traffic("laptop", &["well"], 20_000);
    let talk = ground.talk("laptop", "far");
    let old = ground.network.agent("far");
    let start = Instant::now();
    cable("down");
    let (at, end) = talk.end();
    assert!(end.is_err());
    assert_within("the end of a talk", at - start, Duration::from_secs(10));
    let (lost, line) = ground.watch.state("far", "waiting", start);
    assert_within("the loss", lost - start, Duration::from_secs(10));
    println!("{}", line["data"]["reason"]);
    // The cable is cut, so the agent learns of the loss only from the silence of its manager.
    let gone = wait_for("the end of the agent at the other end", || {
        (!ground.network.agents("far").contains(&old)).then(Instant::now)
    });
    assert_within(
        "the end of the agent at the other end",
        gone - start,
        Duration::from_secs(20),
    );
    cable("up");
    let up = Instant::now();
    ground.network.wait(&["far"]);
    let back = ground.wait_for_talk("laptop", "far");
    assert_within("the host being back", back - up, Duration::from_secs(30));
    let sum = well.stop();
    assert_eq!((sum.broken, sum.wrong), (0, vec![]));
    ground.assert_right();
}

#[test]
fn a_real_ssh_session_that_is_killed_is_followed_by_another_one() {
    let sandbox = Sandbox::new();
    let (ground, server) = over_a_cable(&sandbox);
    let talk = ground.talk("laptop", "far");
    let old = ground.network.agent("far");
    let start = Instant::now();
    // These processes serve only this connection. The main process of the server keeps running.
    let children = output(&mut command(&["pgrep", "-P", &server.pid().to_string()]));
    for child in children.lines() {
        kill_process(Pid::from_raw(child.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    }
    let (at, end) = talk.end();
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_within(
        "the end of a talk",
        at - start,
        Duration::from_millis(1_500),
    );
    let (lost, line) = ground.watch.state("far", "waiting", start);
    assert_within("the loss", lost - start, Duration::from_millis(1_500));
    assert!(
        line["data"]["reason"].as_str().unwrap().contains("255"),
        "{line}"
    );
    let (back, _) = ground.watch.state("far", "ready", lost);
    assert_within("the host being back", back - lost, Duration::from_secs(3));
    ground.wait_for_talk("laptop", "far");
    wait_for("the end of the old agent", || {
        (!ground.network.agents("far").contains(&old)).then_some(())
    });
    ground.assert_right();
}
