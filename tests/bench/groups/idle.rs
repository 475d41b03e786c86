//! What flows cost that carry nothing.

use rustix::process::{Resource, getrlimit, setrlimit};

use super::names;
use crate::{
    load::{self, Direction, Server},
    options::Options,
    processes,
    sandbox::Sandbox,
    table::Table,
    ways::{self, Way},
};

/// How many flows are idle.
const FLOWS: u32 = 8_000;

pub(super) fn measure(options: &Options) -> Table {
    // The program that measures has two descriptors for each flow, because it is client and server.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let mut table = Table::new(&[], names(options), &[]);
    for round in 1..=options.rounds {
        eprintln!("  round {round} of {}", options.rounds);
        for (column, program) in options.programs.iter().enumerate() {
            // Each network is new. An older one could use memory again that earlier flows have left, and would still be
            // busy with the ends of these flows.
            let open = || ways::network_over_pipes(&sandbox, program, server.port);
            let rate = |way: &Way| {
                let address = way.address().unwrap();
                load::transfer(address, Direction::Up, 1, options.span).rate() * 8.0 / 1e9
            };
            let alone = rate(&open());
            let way = open();
            let address = way.address().unwrap();
            let memory = || way.roles.iter().map(|(_, pid)| processes::resident(*pid));
            let before: Vec<f64> = memory().collect();
            let held: Vec<_> = (0..FLOWS).map(|_| load::echo(address).unwrap()).collect();
            for (place, after) in memory().enumerate() {
                let (role, _) = way.roles[place];
                let row = format!("memory of {FLOWS} idle flows, {role}, KiB each");
                let each = (after - before[place]) / f64::from(FLOWS) / 1024.0;
                table.add(&row, column, each);
            }
            let beside = rate(&way);
            drop(held);
            table.add("one flow up, alone, Gbit/s", column, alone);
            let row = format!("one flow up, beside {FLOWS} idle flows, Gbit/s");
            table.add(&row, column, beside);
            let row = format!("one flow up, beside {FLOWS} idle flows : alone");
            table.add(&row, column, beside / alone);
        }
    }
    table
}
