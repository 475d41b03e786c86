//! A whole network in virtual time: a manager, its agents, and pipes that are cut, stalled and corrupted. A seed
//! determines the faults.
//!
//! `SIM_SEEDS=1000 cargo test --test sim` tries more seeds, and `SIM_SEED=7` repeats one. `SIM_INPUTS=1000000` makes
//! the hostile agent send that many inputs.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

mod forge;
mod hostile;
mod plans;
mod world;

use std::{env, panic, time::Duration};

use forge::Forge;
use world::{Fault, World};

/// How many seeds are tried by default.
const SEEDS: u64 = 100;

/// How many inputs the hostile agent sends by default, and how many of them in one network.
const INPUTS: u64 = 20_000;
const SHARE: u64 = 1_000;

/// How long faults happen.
const STORM: Duration = Duration::from_secs(40);

/// How long the network may take to recover: a silent agent has to be detected, the longest pause has to pass, and the
/// agent has to start.
const RECOVERY: Duration = Duration::from_secs(45);

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

fn run(seed: u64) -> World {
    let mut world = World::new(seed, 3);
    world.run_for(Duration::from_secs(5));
    world.assert_all_ready("at the start");
    let end = world.now + STORM;
    while world.now < end {
        let pause = 200 + world.random(4_000);
        world.run_for(Duration::from_millis(pause));
        match world.random(8) {
            0 => world.fault(Fault::Kill),
            1 => world.fault(Fault::Cut),
            2 => world.fault(Fault::Corrupt),
            3 => world.fault(Fault::Stall(Duration::from_secs(30))),
            4 => world.fault(Fault::Stall(Duration::from_secs(7))),
            5 => {
                let number = world.random(plans::VARIANTS);
                world.reload(number);
            }
            6 => world.connect(),
            _ => {}
        }
        world.connect();
        world.connect_anywhere();
    }
    world.mend();
    world.run_for(RECOVERY);
    world.assert_all_ready("after the storm");
    let before = world.completed;
    for _ in 0..10 {
        world.connect();
        world.run_for(Duration::from_secs(1));
    }
    assert_eq!(world.completed, before + 10, "new connections work");
    world.stop();
    world
}

#[test]
fn whatever_happens_no_byte_is_wrong_and_everybody_comes_back() {
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    let (mut completed, mut broken, mut starts) = (0, 0, 0);
    for seed in seeds {
        let world = panic::catch_unwind(|| run(seed)).unwrap_or_else(|panic| {
            let what = panic
                .downcast_ref::<String>()
                .map_or("a panic", String::as_str);
            panic!("SIM_SEED={seed}: {what}");
        });
        completed += world.completed;
        broken += world.broken;
        starts += world.starts;
    }
    assert!(completed > 0 && broken > 0, "{completed} {broken}");
    assert!(starts > 3, "nobody ever came back");
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(run(3).transcript, run(3).transcript);
}

#[test]
fn a_stall_that_is_shorter_than_death_ends_nothing() {
    let mut world = World::new(1, 3);
    world.run_for(Duration::from_secs(5));
    for _ in 0..10 {
        world.fault(Fault::Stall(Duration::from_millis(7_500)));
        world.run_for(Duration::from_secs(20));
    }
    assert_eq!(world.starts, 3);
}

#[test]
fn what_waits_for_a_host_that_takes_nothing_is_bounded_and_nobody_else_waits() {
    let mut world = World::new(1, 3);
    world.run_for(Duration::from_secs(5));
    let kept = world.flood(1_200);
    assert!(kept > 8 << 20, "only {kept} bytes: this is no test");
    assert!(kept <= 32 << 20, "{kept} bytes wait");
    assert!(world.traffic("h2").shed > 0, "more was sent than is kept");
    let before = world.completed;
    while world.completed < before + 5 {
        world.connect();
        world.run_for(Duration::from_millis(500));
    }
}

#[test]
fn nothing_that_is_forged_within_a_connection_or_a_message_is_delivered() {
    let inputs = number("SIM_INPUTS").unwrap_or(INPUTS);
    let seeds = match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..inputs.div_ceil(SHARE),
    };
    let (mut sent, mut flows, mut lives, mut delivered, mut honest) = (0, 0, 0, 0, 0);
    for seed in seeds.clone() {
        let sum = panic::catch_unwind(|| {
            let mut forge = Forge::new(seed);
            forge.run(SHARE);
            forge.sum
        });
        let sum = sum.unwrap_or_else(|panic| {
            let what = panic
                .downcast_ref::<String>()
                .map_or("a panic", String::as_str);
            panic!("SIM_SEED={seed}: {what}");
        });
        sent += sum.inputs;
        flows += sum.flows;
        lives += sum.lives;
        delivered += sum.delivered;
        honest += sum.honest;
    }
    println!(
        "{sent} inputs in {lives} lives and {flows} connections; {delivered} bytes of them taken, {honest} of others"
    );
    assert_eq!(sent, (seeds.end - seeds.start) * SHARE);
    // If nothing had been accepted, the test would prove nothing.
    assert!(flows > 10 && delivered > 100_000 && honest > 100_000);
}
