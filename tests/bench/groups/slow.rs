//! A keystroke while a transfer fills a slow link.

use std::{thread, time::Duration};

use super::names;
use crate::{
    line::Line,
    load::{self, Direction, Server},
    options::Options,
    sandbox::{Sandbox, Sshd},
    table::{Table, quantile},
    ways,
};

/// The line: 20 Mbit/s, with a round trip of 20 ms.
const LINE: Line = Line {
    delay: Duration::from_millis(10),
    rate: Some(20_000_000 / 8),
};

/// How long the transfer runs before the first keystroke.
const LEAD: Duration = Duration::from_secs(2);

/// How long keys are pressed during the transfer, and the pause after each.
const TYPING: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(50);

pub(super) fn measure(options: &Options) -> Table {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let sshd = Sshd::on_this_machine(&sandbox);
    let others = ["ssh -L"];
    let mut table = Table::new(&others, names(options), &others);
    let mut words = sshd.ssh();
    let port = format!("Port={}", LINE.to(sshd.port));
    words.splice(1..1, ["-o".to_owned(), port]);
    let mut ways = vec![ways::forward("ssh -L", &words, &sshd, server.port)];
    for program in &options.programs {
        let mut words = words.clone();
        words.push(program.path.to_str().unwrap().to_owned());
        ways.push(ways::network_over(&sandbox, program, &words, server.port));
    }
    for round in 1..=options.rounds {
        eprintln!("  round {round} of {}", options.rounds);
        for (column, way) in ways.iter().enumerate() {
            let address = way.address().unwrap();
            let alone = load::keystrokes(address, options.span, PAUSE);
            table.add(
                "keystroke without a transfer, median, ms",
                column,
                quantile(&alone, 0.5) * 1e3,
            );
            for direction in Direction::BOTH {
                let word = direction.word();
                let (times, transfer) = thread::scope(|scope| {
                    let transfer =
                        scope.spawn(|| load::transfer(address, direction, 1, LEAD + TYPING));
                    thread::sleep(LEAD);
                    let times = load::keystrokes(address, TYPING, PAUSE);
                    (times, transfer.join().unwrap())
                });
                for (name, share) in [("median", 0.5), ("95 %", 0.95)] {
                    let row = format!("keystroke during a transfer {word}, {name}, ms");
                    table.add(&row, column, quantile(&times, share) * 1e3);
                }
                let row = format!("the transfer {word}, Mbit/s");
                table.add(&row, column, transfer.rate() * 8.0 / 1e6);
            }
        }
    }
    table
}
