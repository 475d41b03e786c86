//! Two hundred hosts. Some never answer, and all are lost at the same time.

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{assert_within, processor_time},
    network::{Host, Network, program},
    sandbox::{Sandbox, wait_for},
    watch::Watch,
};

/// How many hosts have to become ready.
const GOOD: usize = 150;
/// How many hosts never answer.
const MUTE: usize = 50;

/// Hosts that share this machine's loopback. Therefore they do not listen on it. Their many names and ports make every
/// configuration long.
fn hosts(sandbox: &Sandbox, mute: usize) -> Vec<Host> {
    let lean = |host: Host| {
        host.line("loopback: {disable: true}")
            .line("dns: {disable: true}")
            .ports(&[
                "8080:127.0.0.1:80",
                "8081:127.0.0.1:81",
                "8082:127.0.0.1:82",
                "8083:127.0.0.1:83",
            ])
    };
    let mut hosts = vec![Host::laptop()];
    let agent = [program(sandbox)];
    for number in 0..GOOD + mute {
        let is_mute = mute > 0 && number.is_multiple_of((GOOD + mute) / mute);
        let words = if is_mute {
            vec!["sleep", "infinity"]
        } else {
            vec![agent[0].to_str().unwrap()]
        };
        let mut name = String::new();
        write!(name, "{}-{number}", if is_mute { "mute" } else { "good" }).unwrap();
        let aliases: Vec<_> = (0..20)
            .map(|alias| format!("{name}-is-also-known-as-{alias}.example"))
            .collect();
        let aliases = format!("aliases: [{}]", aliases.join(", "));
        hosts.push(lean(Host::with_command(&name, &words)).line(&aliases));
    }
    hosts
}

/// The number of hosts that are ready.
fn ready(network: &Network) -> usize {
    let status = network.status();
    let hosts = status["hosts"].as_array().map_or(&[][..], Vec::as_slice);
    hosts.iter().filter(|host| host["state"] == "ready").count()
}

#[test]
fn a_hundred_and_fifty_hosts_are_ready_within_10_s_beside_fifty_that_never_answer() {
    let sandbox = Sandbox::new();
    let hosts = hosts(&sandbox, MUTE);
    let start = Instant::now();
    let mut network = Network::start(&sandbox, hosts);
    let good = |line: &str| line.starts_with("Ready: ") && line.contains("(good-");
    network
        .manager
        .wait_for_log("150 hosts that are ready", |log| {
            log.lines().filter(|line| good(line)).count() == GOOD
        });
    let took = start.elapsed();
    let manager = processor_time(network.manager.pid());
    println!("the manager has used {manager:.2?} of a processor");
    assert_within("150 hosts", took, Duration::from_secs(10));
    // The laptop listens for all other hosts, so it may be ready shortly after them.
    wait_for("the laptop", || (ready(&network) == GOOD + 1).then_some(()));
}

/// The processes of the agents that are children of the manager.
fn agents(network: &Network, sandbox: &Sandbox) -> Vec<Pid> {
    let (pid, program) = (network.manager.pid(), program(sandbox));
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    // The manager runs on a thread, and its agents are child processes of that thread.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let others =
        threads.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let all: String = others.fold(children, |all, more| all + " " + &more);
    let mut pids: Vec<_> = all
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    let is_agent =
        |pid: &i32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
    pids.into_iter()
        .filter(is_agent)
        .map(|pid| Pid::from_raw(pid).unwrap())
        .collect()
}

#[test]
fn a_hundred_and_fifty_hosts_that_are_lost_in_one_moment_come_back_in_steps() {
    let sandbox = Sandbox::new();
    let network = Network::start(&sandbox, hosts(&sandbox, 0));
    network.wait_until_it_answers();
    wait_for("everybody", || (ready(&network) == GOOD + 1).then_some(()));
    let watch = Watch::over(&network);
    let old = agents(&network, &sandbox);
    assert_eq!(old.len(), GOOD);
    let (start, used) = (Instant::now(), processor_time(network.manager.pid()));
    for pid in &old {
        kill_process(*pid, Signal::KILL).unwrap();
    }
    let told = |state: &str| {
        let of_state = |line: &serde_json::Value| {
            line["event"] == "event"
                && line["data"]["type"] == "host"
                && line["data"]["state"] == state
        };
        let all = watch.all().into_iter().filter(|(_, line)| of_state(line));
        all.map(|(at, _)| at).collect::<Vec<_>>()
    };
    wait_for("everybody again", || {
        (told("ready").len() >= GOOD && ready(&network) == GOOD + 1).then_some(())
    });
    let back = told("ready");
    assert_within(
        "150 hosts being back",
        *back.last().unwrap() - start,
        Duration::from_mins(1),
    );
    let share = processor_time(network.manager.pid())
        .saturating_sub(used)
        .as_secs_f64()
        / start.elapsed().as_secs_f64();
    println!("the manager has used {share:.2} of a processor");
    // 20 agents start at once, and then 20 in each second. A slow machine can only take longer.
    assert!(
        *back.last().unwrap() - start > Duration::from_secs(5),
        "a storm of starts"
    );
    let fresh = agents(&network, &sandbox);
    assert_eq!(fresh.len(), GOOD);
    assert!(fresh.iter().all(|pid| !old.contains(pid)));
}
