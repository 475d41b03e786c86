//! Compares the network with direct connections, socat and OpenSSH in alternating rounds of one run. `cargo xtask bench`
//! runs it with the binary that is released; `docs/PERFORMANCE.md` explains the rows.
//!
//! Only the ratios of one round are meaningful. The numbers themselves depend on the machine and its load.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints"
)]

#[path = "../lab/sandbox/mod.rs"]
mod sandbox;

mod groups;
mod guard;
mod line;
mod load;
mod options;
mod processes;
mod table;
mod ways;

use std::{env, fs, process::ExitCode};

use options::Options;

fn main() -> ExitCode {
    // `cargo test --benches` starts benchmarks, too, but only to see whether they start. It does not pass `--bench`,
    // and nothing is measured.
    let mut words: Vec<String> = env::args().skip(1).collect();
    let measures = words.iter().any(|word| word == "--bench");
    words.retain(|word| word != "--bench");
    if !measures {
        return ExitCode::SUCCESS;
    }
    let options = match Options::read(&words) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n\n{}", options::usage());
            return ExitCode::from(2);
        }
    };
    let mut tables = Vec::new();
    for group in &options.groups {
        eprintln!("{}: {}", group.name, group.about);
        let table = (group.measure)(&options);
        println!("\n## {}\n\n{}", group.about, table.markdown());
        tables.push((group.name, table));
        // A later group may fail, and end the benchmark.
        if let Some(path) = &options.json {
            fs::write(path, table::json(&tables)).unwrap();
        }
    }
    if options.guards {
        return guard::check(&tables);
    }
    ExitCode::SUCCESS
}
