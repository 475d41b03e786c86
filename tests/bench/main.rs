//! Compares the network with direct TCP, socat and `ssh -L` in alternating rounds of one run, and prints a Markdown
//! table. `cargo xtask bench` runs it with the binary that is released.
//!
//! Only the ratios are meaningful. The numbers themselves depend on the machine and its load, which are the same for
//! all ways of a round.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints"
)]

#[path = "../lab/sandbox/mod.rs"]
mod sandbox;

mod load;
mod table;
mod ways;

use std::{env, time::Duration};

use load::Server;
use table::Table;

fn main() {
    // `cargo test --benches` starts benchmarks, too, but only to see whether they start. It does not pass `--bench`,
    // and nothing is measured.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rounds = number("BENCH_ROUNDS", 5);
    let span = Duration::from_secs(number("BENCH_SECONDS", 3));
    let round_trips = number("BENCH_ROUND_TRIPS", 2_000);
    let connections = number("BENCH_CONNECTIONS", 1_000);
    let many = number("BENCH_MANY", 10_000);
    let idle = number("BENCH_IDLE", 2_000);

    let server = Server::start();
    let ways = ways::all(server.port);
    let mut table = Table::new(&ways);
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (column, way) in ways.iter().enumerate() {
            let rate = load::throughput(way.address, span);
            table.add("throughput of one flow, Gbit/s", column, rate * 8.0 / 1e9);
            let times = load::round_trips(way.address, round_trips);
            table.add(
                "round trip of one byte, median, us",
                column,
                table::quantile(&times, 0.5) * 1e6,
            );
            table.add(
                "round trip of one byte, 99 %, us",
                column,
                table::quantile(&times, 0.99) * 1e6,
            );
            let rate = load::connections(way.address, connections);
            table.add("new connections one after another, 1/s", column, rate);
        }
    }
    for (column, way) in ways.iter().enumerate() {
        eprintln!("{many} connections through {}", way.name);
        let failures = load::sequential_failures(way.address, many);
        table.add(
            &format!("failures of {many} connections one after another"),
            column,
            failures,
        );
        let failures = load::parallel_failures(way.address, 64, many);
        table.add(
            &format!("failures of {many} connections, 64 at a time"),
            column,
            failures,
        );
        for (label, bytes) in load::idle_memory(way, idle) {
            table.add(
                &format!("memory per idle connection at {idle}, {label}, KiB"),
                column,
                bytes / 1024.0,
            );
        }
    }
    println!("{}", table.markdown("ssh -L"));
}

/// A number from an environment variable, or `usual` if the variable is not set.
fn number<T: std::str::FromStr>(name: &str, usual: T) -> T {
    env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
