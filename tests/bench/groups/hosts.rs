//! What many hosts cost that do nothing.

use std::{
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::names;
use crate::{
    load::{self, Server},
    options::{Options, Program},
    processes,
    sandbox::{Running, Sandbox, command, free_port, wait_for},
    table::Table,
};

/// How many hosts the networks have.
const COUNTS: [usize; 5] = [10, 200, 300, 500, 1_000];

/// How long the manager is watched while nothing happens.
const REST: Duration = Duration::from_secs(5);

/// How long a network needs after a change until it rests.
const SETTLING: Duration = Duration::from_secs(1);

/// How many round trips are made to measure what one costs.
const ROUND_TRIPS: u32 = 10_000;

pub(super) fn measure(options: &Options) -> Table {
    let server = Server::start();
    let mut table = Table::new(&[], names(options), &[]);
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
        log.matches("Ready: ").count() >= count
    });
    sample("time until all are ready, s", start.elapsed().as_secs_f64());
    let pid = manager.pid();
    load::echo(published(old)).unwrap();

    let memory = processes::resident(pid) / 1024.0;
    sample(
        "memory of the manager, KiB for each host",
        memory / number(count),
    );
    thread::sleep(SETTLING);
    let rest = used(pid, || thread::sleep(REST));
    sample("processor of the manager at rest, %", rest.time * 100.0);
    let busy = used(pid, || {
        load::round_trips(published(old), ROUND_TRIPS as usize)
    });
    let each = (busy.time - rest.time) * busy.span / f64::from(ROUND_TRIPS);
    sample(
        "processor time of the manager for a round trip, us",
        each * 1e6,
    );
    let reload = used(pid, || reload(&manifest, old, new));
    let each = (reload.written - rest.written) * reload.span / number(count);
    sample(
        "bytes written for a reload that changes one port, for each host",
        each,
    );
    // The agents end with their manager. Otherwise they would end beside the next network.
    manager.signal(Signal::INT);
    manager.wait();
}

/// What a process has used for each second.
struct Used {
    time: f64,
    written: f64,
    /// The number of seconds.
    span: f64,
}

fn used<T>(pid: u32, work: impl FnOnce() -> T) -> Used {
    let now = || (processes::processor_time(&[pid]), processes::written(pid));
    let (start, (time, written)) = (Instant::now(), now());
    work();
    let (time_after, written_after) = now();
    let span = start.elapsed().as_secs_f64();
    Used {
        time: (time_after - time) / span,
        written: (written_after - written) / span,
        span,
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

/// Changes the published port in the manifest, and waits until all agents know.
fn reload(manifest: &Path, old: u16, new: u16) {
    let text = fs::read_to_string(manifest).unwrap();
    let changed = manifest.with_extension("new");
    fs::write(
        &changed,
        text.replace(&format!("\"{old}:"), &format!("\"{new}:")),
    )
    .unwrap();
    fs::rename(changed, manifest).unwrap();
    wait_for("the new port", || load::echo(published(new)).ok());
    // The agents that do not listen for the port may hear of it later.
    thread::sleep(SETTLING);
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
