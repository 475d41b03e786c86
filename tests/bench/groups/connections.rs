//! Round trips of one byte, and new connections.

use std::{process::Stdio, thread};

use crate::{
    load,
    sandbox::{Running, command},
    table::{Table, quantile},
    ways::Way,
};

/// How many round trips and connections one sample has.
const ROUND_TRIPS: usize = 2_000;
const CONNECTIONS: u64 = 400;

/// How many connections have to succeed at a time.
const AT_A_TIME: usize = 64;

/// Measures the ways that have an address.
pub(super) fn measure(table: &mut Table, ways: &[Way]) {
    for (column, way) in ways.iter().enumerate() {
        let Some(address) = way.address() else {
            continue;
        };
        round_trips(table, column, way, "at rest");
        let busy = busy_processors();
        round_trips(table, column, way, "both cores busy");
        drop(busy);
        let rate = load::connections(address, CONNECTIONS);
        table.add("new connections one after another, 1/s", column, rate);
        let failures = load::failures(address, AT_A_TIME, 2_000);
        let row = format!("failures of 2,000 connections, {AT_A_TIME} at a time");
        table.add(&row, column, failures);
    }
}

fn round_trips(table: &mut Table, column: usize, way: &Way, when: &str) {
    let address = way.address().unwrap();
    let times = load::round_trips(address, ROUND_TRIPS);
    for (name, share) in [("median", 0.5), ("99 %", 0.99)] {
        let row = format!("round trip of one byte, {when}, {name}, us");
        table.add(&row, column, quantile(&times, share) * 1e6);
    }
}

/// A process on each processor that never rests.
fn busy_processors() -> Vec<Running> {
    let processors = thread::available_parallelism().map_or(2, usize::from);
    let spin = || {
        let mut shell = command(&["sh", "-c", "while :; do :; done"]);
        Running::start("other work", shell.stdin(Stdio::null()))
    };
    (0..processors).map(|_| spin()).collect()
}
