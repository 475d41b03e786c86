//! Measures how long it takes until a host with only a shell is a member, over a link of 20 Mbit/s with a round trip of
//! 50 ms, and compares that with `ssh` over the same link.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    network::{Host, Network, program},
    sandbox::{Netns, Sandbox, command, ended, output, wait_for},
    shells::{forced, host},
};

/// How many bytes the link carries in a second.
const RATE: u32 = 20_000_000 / 8;

const ROUND_TRIP: Duration = Duration::from_millis(50);

/// How often a start is measured.
const ROUNDS: usize = 5;

/// How long it takes to run `ssh` with these words, with this file as its input.
fn ssh(words: &[String], last: &str, input: Stdio) -> Duration {
    let begin = Instant::now();
    let status = command(words).arg(last).stdin(input).status().unwrap();
    assert!(status.success());
    begin.elapsed()
}

/// The log of the network.
fn log(network: &Network) -> Vec<Value> {
    let log = output(&mut network.norouter(&["logs", "--json", "--lines", "1000"]));
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The times of the steps with this name, and how many bytes each has sent.
fn steps(network: &Network, name: &str) -> Vec<(Duration, u64)> {
    let log = log(network);
    let steps = log.iter().filter(|line| line["step"] == name);
    steps
        .map(|step| {
            let took = Duration::from_millis(step["tookMs"].as_u64().unwrap());
            (took, step["bytes"].as_u64().unwrap())
        })
        .collect()
}

/// The time from the last start of the host until it was ready. The time of the programs that ask for it is not
/// included.
fn last_start(network: &Network) -> Duration {
    let log = log(network);
    let mut states = log.iter().rev().filter(|line| line["type"] == "host");
    let ready = states.find(|line| line["host"] == "far" && line["state"] == "ready");
    let begin = states
        .filter(|line| line["host"] == "far")
        .take_while(|line| {
            ["starting", "greeting", "configuring"]
                .map(Value::from)
                .contains(&line["state"])
        })
        .last();
    let time = |line: &Value| line["timeMs"].as_u64().unwrap();
    Duration::from_millis(time(ready.unwrap()) - time(begin.unwrap()))
}

/// Starts the host again, and returns how long it takes until it is ready and until the first byte of its page.
fn start(network: &Network) -> (Duration, Duration) {
    output(&mut network.norouter(&["stop", "far"]));
    wait_for("the end of the agent", || {
        (network.host_status("far")["state"] == "stopped").then_some(())
    });
    let begin = Instant::now();
    output(&mut network.norouter(&["start", "far"]));
    network.wait(&["far"]);
    network.assert_page("laptop", "far");
    let page = begin.elapsed();
    (last_start(network), page)
}

#[test]
fn a_host_with_only_a_shell_is_a_member_almost_as_fast_as_ssh_connects() {
    let sandbox = Sandbox::new();
    let netns = Netns::new();
    let server = forced(
        &sandbox,
        &netns,
        "far",
        "exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
    );
    let slow = sandbox.write("slow.py", include_str!("slow.py"));
    let usual = fs::read_to_string(server.client_config()).unwrap();
    let delay = ROUND_TRIP.as_secs_f64() / 2.0;
    let line = format!("ProxyCommand python3 {} {RATE} {delay} ", slow.display());
    let config = sandbox.write("ssh_config", usual.replace("ProxyCommand ", &line));
    let words = ["ssh", "-F", config.to_str().unwrap(), "host"].map(str::to_owned);

    let far = host("far", netns, &words);
    let page = far.serve_name(&sandbox);
    let network = Network::start(&sandbox, vec![Host::laptop(), far]);
    network.wait(&["far"]);
    let cache = sandbox.path("home-far/.cache");

    let (mut cold, mut uploads, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2 {
        fs::remove_dir_all(&cache).unwrap();
        let (_, page) = start(&network);
        let (upload, size) = *steps(&network, "upload").last().unwrap();
        cold.push(page.saturating_sub(upload));
        uploads.push(upload);
        // The same number of bytes is sent through the same link. Apart from the transfer, this takes as long as
        // running `true`.
        let mut bytes = fs::read(program(&sandbox)).unwrap();
        bytes.truncate(usize::try_from(size).unwrap());
        let file = fs::File::open(sandbox.write("bytes", bytes)).unwrap();
        copies.push(ssh(&words, "cat >$HOME/bytes", file.into()));
    }
    let (mut trues, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        trues.push(ssh(&words, "true", Stdio::null()));
        warm.push(start(&network).0);
    }
    let least = |times: &[Duration]| *times.iter().min().unwrap();
    let sent = steps(&network, "upload");
    let upload = least(&uploads);
    let size = u32::try_from(sent[0].1).unwrap();
    let shortest = Duration::from_secs_f64(f64::from(size) / f64::from(RATE));
    // Nothing is faster than the link. A smaller difference is an error of the two measurements.
    let copy = least(&copies).saturating_sub(least(&trues)).max(shortest);
    let ratio = copy.as_secs_f64() / upload.as_secs_f64();
    let ideal = shortest.as_secs_f64() / upload.as_secs_f64();
    println!(
        "cold: {:?} beyond the upload; upload {upload:?}, ssh cat {copy:?}: {ratio:.2} of ssh, {ideal:.2} of the link; \
         warm: {:?} beside {:?} of ssh true",
        least(&cold),
        least(&warm),
        least(&trues)
    );
    assert!(least(&cold) <= Duration::from_secs(3), "{cold:?}");
    assert!(ratio >= 0.9, "{uploads:?} beside {copies:?}");
    // The bytes follow the line that announces them, and only the answer to the last of them takes a round trip.
    assert!(ideal >= 0.88, "{uploads:?} for {size} bytes");
    let most = least(&trues) + 2 * ROUND_TRIP + Duration::from_millis(150);
    assert!(least(&warm) <= most, "{warm:?} beside {trues:?}");
    // A warm start sends no agent. Only the first start and the two cold starts have sent one.
    assert_eq!(sent.len(), 3, "{sent:?}");
    drop(page);
    drop(ended(&mut network.norouter(&["stop", "far"])));
}
