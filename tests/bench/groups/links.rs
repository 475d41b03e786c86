//! Networks over real links, beside the same link without a network.

use std::path::Path;

use super::{connections, names, streams};
use crate::{
    load::Server,
    options::Options,
    sandbox::{Podman, Sandbox, Sshd},
    table::Table,
    ways,
};

pub(super) fn over_ssh(options: &Options) -> Table {
    ssh(options, &[])
}

pub(super) fn over_ssh_with_aes(options: &Options) -> Table {
    ssh(options, &["-c", "aes128-gcm@openssh.com"])
}

fn ssh(options: &Options, cipher: &[&str]) -> Table {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let sshd = Sshd::on_this_machine(&sandbox);
    let mut words = sshd.ssh();
    words.splice(1..1, cipher.iter().map(|word| (*word).to_owned()));
    let mut ways = vec![
        ways::pipe("ssh pipe", &words),
        ways::forward("ssh -L", &words, &sshd, server.port),
    ];
    for program in &options.programs {
        let mut words = words.clone();
        words.push(program.path.to_str().unwrap().to_owned());
        ways.push(ways::network_over(&sandbox, program, &words, server.port));
    }
    let others = ["ssh pipe", "ssh -L"];
    let table = Table::new(&others, names(options), &others);
    rounds(options, table, &ways)
}

pub(super) fn over_podman(options: &Options) -> Table {
    let (server, sandbox) = (Server::start(), Sandbox::new());
    let podman = Podman::new(&sandbox);
    let places: Vec<String> = options
        .programs
        .iter()
        .map(|program| format!("/norouter{}", program.number))
        .collect();
    let programs = options
        .programs
        .iter()
        .map(|program| program.path.as_path());
    let files: Vec<(&str, &Path)> = places.iter().map(String::as_str).zip(programs).collect();
    let image = podman.busybox_image("bench", &files);
    let container = podman.start_on_this_machine(&image);
    let mut ways = vec![ways::pipe(
        "podman exec",
        &[container.cmd(Path::new("/bin/sh")), vec!["-c".to_owned()]].concat(),
    )];
    for (program, place) in options.programs.iter().zip(&places) {
        let words = container.cmd(Path::new(place));
        ways.push(ways::network_over(&sandbox, program, &words, server.port));
    }
    let others = ["podman exec"];
    let table = Table::new(&others, names(options), &others);
    rounds(options, table, &ways)
}

fn rounds(options: &Options, mut table: Table, ways: &[ways::Way]) -> Table {
    for round in 1..=options.rounds {
        eprintln!("  round {round} of {}", options.rounds);
        streams::measure(&mut table, ways, "", &[1, 8, 64], options.span);
        connections::measure(&mut table, ways);
    }
    table
}
