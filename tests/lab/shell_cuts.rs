//! Agents that are sent through connections that are cut in many places, or that change bytes.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    network::{Host, Network, program_alone},
    sandbox::{Netns, Sandbox, ended, output, wait_for},
    shells::{assert_kept, clean, host},
};

/// The number of hosts. The first cut comes after a different number of bytes for each of them.
const HOSTS: usize = 5;

/// How often the connection to each host is cut.
const CUTS: usize = 11;

/// The number of further connections to each host in which one byte is changed.
const FLIPS: usize = 1;

const CHUNK: usize = 64 << 10;

/// One start of the command of a host, as `cutter.py` has noted it.
#[derive(Debug)]
struct Start {
    /// `cut` if the connection was cut, `flip` if a byte was changed, `well` if neither has happened.
    how: String,
    /// How many bytes were sent to the shell.
    sent: usize,
    /// How many bytes of the agent the host had before; `None` if the shell has not reported it.
    had: Option<usize>,
    /// How often the shell has reported that it runs the agent.
    runs: usize,
}

fn starts(folder: &Path) -> Vec<Start> {
    let log = fs::read_to_string(folder.join("log")).unwrap();
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        Start {
            how: words[0].to_owned(),
            sent: words[1].parse().unwrap(),
            had: words[2].parse().ok(),
            runs: words[3].parse().unwrap(),
        }
    };
    log.lines().map(line).collect()
}

#[test]
fn fifty_cuts_and_some_changed_bytes_cost_only_what_they_hit() {
    let sandbox = Sandbox::new();
    program_alone(&sandbox);
    let cutter = sandbox.write("cutter.py", include_str!("cutter.py"));
    let (mut hosts, mut folders) = (vec![Host::laptop()], Vec::new());
    for number in 0..HOSTS {
        let name = format!("far{number}");
        let netns = Netns::new();
        let folder = sandbox.path(&name);
        fs::create_dir_all(&folder).unwrap();
        let first = (number * 12 * CHUNK).to_string();
        let (cuts, flips) = (CUTS.to_string(), FLIPS.to_string());
        let place = folder.to_str().unwrap();
        let before = [
            "python3",
            cutter.to_str().unwrap(),
            place,
            &first,
            &cuts,
            &flips,
        ];
        let home = format!("HOME={place}");
        let words = clean(&netns, &["PATH=/usr/bin:/bin", &home]);
        let words: Vec<String> = before.map(str::to_owned).into_iter().chain(words).collect();
        hosts.push(host(&name, netns, &words));
        folders.push(folder);
    }
    let names: Vec<String> = hosts[1..].iter().map(|host| host.name.clone()).collect();
    let network = Network::start(&sandbox, hosts);
    network.wait_until_it_answers();
    wait_for("agents on all hosts", || {
        let ready = ended(network.norouter(&["wait", "--timeout", "1"]).args(&names));
        // Without this restart, a host that is lost often would be tried less and less often.
        if ready.code != 0 {
            ended(network.norouter(&["start"]).args(&names));
        }
        (ready.code == 0).then_some(())
    });
    output(network.norouter(&["stop"]).args(&names));
    let (mut cut_in, mut cuts, mut flips, mut total) = (BTreeSet::new(), 0, 0, 0);
    for folder in &folders {
        assert_kept(&folder.join(".cache/norouter"));
        let starts = wait_for("the end of all connections", || {
            let starts = starts(folder);
            let is_over = starts.last().is_some_and(|start| start.how == "well");
            is_over.then_some(starts)
        });
        let size = starts.iter().filter_map(|start| start.had).max().unwrap();
        for pair in starts.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            assert_eq!(one.runs, 0, "a wrong agent was run: {starts:#?}");
            let (Some(had), Some(has)) = (one.had, next.had) else {
                continue;
            };
            match one.how.as_str() {
                "cut" => {
                    // Bytes that the shell has kept are not sent again. At most the chunk that was under way and the
                    // bytes in the pipe are lost.
                    let lost = 2 * CHUNK + 8_000;
                    assert!(has >= had && has + lost >= had + one.sent, "{starts:#?}");
                    cut_in.insert(has / CHUNK);
                    cuts += 1;
                }
                "flip" => {
                    assert_eq!(has, 0, "a changed agent was kept: {starts:#?}");
                    flips += 1;
                }
                _ => {}
            }
        }
        assert_eq!(starts.last().unwrap().runs, 1, "{starts:#?}");
        total += starts.iter().map(|start| start.sent).sum::<usize>();
        assert!(size > 0);
    }
    println!(
        "{cuts} cuts after {} different chunks, {flips} changed bytes, {total} bytes sent to {HOSTS} hosts",
        cut_in.len()
    );
    assert!(cuts >= 50 && flips == HOSTS * FLIPS, "{cuts} {flips}");
    assert!(cut_in.len() >= 25, "{cut_in:?}");
}
