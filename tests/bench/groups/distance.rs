//! One flow over ssh behind a long line, and behind a bastion.

use std::time::Duration;

use super::{names, streams};
use crate::{
    line::Line,
    load::Server,
    options::{Options, Program},
    sandbox::{Sandbox, Sshd},
    table::Table,
    ways::{self, Way},
};

/// The round trips of the lines, in milliseconds.
const ROUND_TRIPS: [u64; 3] = [0, 20, 50];

pub(super) fn measure(options: &Options) -> Table {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let sshd = Sshd::on_this_machine(&sandbox);
    let others = ["ssh -L"];
    let mut table = Table::new(&others, names(options), &others);
    // The networks with and without a bastion run at the same time, so they have different addresses.
    let open = |ssh: &[String], offset: u8| -> Vec<Way> {
        let mut ways = vec![ways::forward("ssh -L", ssh, &sshd, server.port)];
        for program in &options.programs {
            let mut words = ssh.to_vec();
            words.push(program.path.to_str().unwrap().to_owned());
            let program = Program {
                number: program.number + offset,
                ..program.clone()
            };
            ways.push(ways::network_over(&sandbox, &program, &words, server.port));
        }
        ways
    };
    for milliseconds in ROUND_TRIPS {
        let delay = Duration::from_millis(milliseconds) / 2;
        let far = Line { delay, rate: None }.to(sshd.port);
        let direct = through(&sshd, &["-o".to_owned(), format!("Port={far}")]);
        // The client reaches the bastion through the line, and the bastion reaches the server.
        let bastion = direct[..direct.len() - 1].join(" ");
        let proxy = format!("ProxyCommand={bastion} -W 127.0.0.1:{} host", sshd.port);
        let behind = through(&sshd, &["-o".to_owned(), proxy]);
        let places = [
            (open(&direct, 0), ""),
            (open(&behind, 10), ", behind a bastion"),
        ];
        for round in 1..=options.rounds {
            eprintln!("  {milliseconds} ms: round {round} of {}", options.rounds);
            for (ways, place) in &places {
                let prefix = format!("{milliseconds} ms{place}: ");
                // It takes a while until the windows are as large as they get.
                let span = options.span + Duration::from_millis(20 * milliseconds);
                streams::measure(&mut table, ways, &prefix, &[1], span);
            }
        }
    }
    table
}

/// The first words of a client with these options.
fn through(sshd: &Sshd, options: &[String]) -> Vec<String> {
    let mut words = sshd.ssh();
    words.splice(1..1, options.iter().cloned());
    words
}
