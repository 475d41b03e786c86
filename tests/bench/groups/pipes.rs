//! Two agents and a manager on one machine: what the programs themselves cost.

use super::{connections, names, streams};
use crate::{
    load::{Direction, Server},
    options::Options,
    processes,
    sandbox::{Sandbox, Sshd},
    table::Table,
    ways::{self, Way},
};

pub(super) fn measure(options: &Options) -> Table {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let sshd = Sshd::on_this_machine(&sandbox);
    let mut ways = vec![
        ways::direct(server.port),
        ways::socat(server.port),
        ways::forward("ssh -L", &sshd.ssh(), &sshd, server.port),
    ];
    let networks = options.programs.iter();
    ways.extend(networks.map(|it| ways::network_over_pipes(&sandbox, it, server.port)));
    let others = ["direct", "socat x 2", "ssh -L"];
    let mut table = Table::new(&others, names(options), &["socat x 2", "ssh -L"]);
    for round in 1..=options.rounds {
        eprintln!("  round {round} of {}", options.rounds);
        // The guard has no bounds for the other rows.
        let flows: &[usize] = if options.guards { &[1] } else { &[1, 8, 64] };
        streams::measure(&mut table, &ways, "", flows, options.span);
        connections::measure(&mut table, &ways);
        for (column, way) in ways.iter().enumerate() {
            // The relay of socat starts processes for each connection. They end with it, and take their figures along.
            if !way.processes().is_empty() && way.name != "socat x 2" {
                costs(&mut table, column, way, options);
            }
        }
    }
    table
}

/// Measures what one flow in each direction costs the processes of a way.
fn costs(table: &mut Table, column: usize, way: &Way, options: &Options) {
    let pids = way.processes();
    for direction in Direction::BOTH {
        let word = direction.word();
        let times = || {
            let roles = way
                .roles
                .iter()
                .map(|(_, pid)| processes::processor_time(&[*pid]));
            let all = processes::processor_time(&way.processes());
            (all, roles.collect::<Vec<_>>())
        };
        let send = || way.transfer(direction, 1, options.span).unwrap();
        let (before, of_roles) = times();
        let gigabytes = send().bytes / 1e9;
        let (after, of_roles_after) = times();
        let row = format!("processor time for 1 GB {word}, s");
        table.add(&row, column, (after - before) / gigabytes);
        for (place, (role, _)) in way.roles.iter().enumerate() {
            let used = of_roles_after[place] - of_roles[place];
            let row = format!("processor time for 1 GB {word}, {role}, s");
            table.add(&row, column, used / gigabytes);
        }
        if options.guards {
            continue;
        }
        if let Some((calls, transfer)) = processes::system_calls(&pids, send) {
            let row = format!("system calls for 1 MB {word}");
            table.add(&row, column, calls / (transfer.bytes / 1e6));
        }
        if let Some((copied, transfer)) = processes::copied_bytes(&pids, send) {
            let row = format!("copies by the system of each byte {word}");
            table.add(&row, column, copied / transfer.bytes);
        }
    }
}
