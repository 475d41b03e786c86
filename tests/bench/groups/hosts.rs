//! What many hosts cost that do nothing.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::names;
use crate::{
    load::{self, Server},
    options::{Options, Program},
    processes,
    sandbox::{DEADLINE, Running, Sandbox, command, free_port},
    table::Table,
};

/// How many hosts the networks have.
const COUNTS: [usize; 4] = [10, 200, 500, 1_000];

/// How long the manager is watched while nothing happens.
const REST: Duration = Duration::from_secs(5);

/// How many round trips are made to measure what one costs.
const ROUND_TRIPS: u32 = 10_000;

pub(super) fn measure(options: &Options) -> Table {
    let server = Server::start();
    let mut table = Table::new(names(options).collect(), "norouter");
    for count in COUNTS {
        for round in 1..=options.rounds {
            eprintln!("  {count} hosts: round {round} of {}", options.rounds);
            for (column, program) in options.programs.iter().enumerate() {
                let mut sample =
                    |row: &str, value| table.add(&format!("{count} hosts: {row}"), column, value);
                network(program, count, server.port, &mut sample);
            }
        }
    }
    table
}

fn network(program: &Program, count: usize, port: u16, sample: &mut impl FnMut(&str, f64)) {
    let sandbox = Sandbox::new();
    let (old, new) = (free_port(), free_port());
    let manifest = sandbox.write("network.yaml", manifest(&program.path, count, old, port));
    let start = Instant::now();
    let mut manager = Running::start("norouter", command(&[&program.path]).arg(&manifest));
    manager.wait_for_log("hosts that are ready", |log| {
        log.matches("Ready: ").count() == count
    });
    sample("time until all are ready, s", start.elapsed().as_secs_f64());
    let pid = manager.pid();
    load::echo(published(old)).unwrap();

    let used = || processes::processor_time(&[pid]);
    sample(
        "memory of the manager, KiB each",
        processes::resident(pid) / 1024.0 / number(count),
    );
    let before = used();
    thread::sleep(REST);
    let share = (used() - before) / REST.as_secs_f64();
    sample("processor of the manager at rest, %", share * 100.0);
    let before = used();
    load::round_trips(published(old), ROUND_TRIPS as usize);
    let each = (used() - before) / f64::from(ROUND_TRIPS);
    sample(
        "processor time of the manager for a round trip, us",
        each * 1e6,
    );

    let before = processes::written(pid);
    if is_reloaded(&manifest, old, new) {
        let each = (processes::written(pid) - before) / number(count);
        sample(
            "bytes written for a reload that changes one port, each",
            each,
        );
    }
}

/// The manifest of a network in which the second host publishes a port, and the first one listens for it.
fn manifest(program: &Path, count: usize, own: u16, port: u16) -> String {
    let program = program.to_str().unwrap();
    let mut text = "hostTemplate:\n  stateDir: {disable: true}\nhosts:\n".to_owned();
    for place in 0..count {
        let more = match place {
            0 => String::new(),
            1 => format!(", loopback: {{disable: true}}, ports: [\"{own}:127.0.0.1:{port}\"]"),
            _ => ", loopback: {disable: true}".to_owned(),
        };
        let vip = vip(place);
        writeln!(
            text,
            "  host{place}: {{vip: {vip}, cmd: [{program:?}]{more}}}"
        )
        .unwrap();
    }
    text
}

fn vip(place: usize) -> Ipv4Addr {
    let place = u32::try_from(place).unwrap();
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 43, 1)) + place)
}

fn published(port: u16) -> SocketAddr {
    SocketAddr::from((vip(1), port))
}

/// Changes the published port in the manifest. Returns whether the network has noticed.
fn is_reloaded(manifest: &PathBuf, old: u16, new: u16) -> bool {
    let text = fs::read_to_string(manifest).unwrap();
    fs::write(
        manifest,
        text.replace(&format!("\"{old}:"), &format!("\"{new}:")),
    )
    .unwrap();
    let start = Instant::now();
    while load::echo(published(new)).is_err() {
        if start.elapsed() > DEADLINE / 4 {
            return false;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // The agents that do not listen for the port may hear of it later.
    thread::sleep(Duration::from_secs(1));
    true
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
