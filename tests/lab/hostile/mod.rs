//! Hostile hosts, and other users of the laptop, must not disturb the honest hosts.
//!
//! Each attack has a network of its own. Before and during the attack, the test measures round trips through one honest
//! host, and connections through another one. Other work on the machine makes both slower. A result beyond its limit is
//! therefore measured again, and counts only if it is beyond the limit a second time. Round trips without a network are
//! measured at the same time, and show whether the machine itself is slow. Results from a slow machine do not count,
//! unless there are no others.
//!
//! `cargo xtask hostile SECONDS` sets the length of each attack, and `NOROUTER_LAB_HOSTILE_ONLY` selects attacks by
//! parts of their names, separated by commas.

mod attacks;
mod probe;
mod service;
mod stage;

use std::{
    env,
    fmt::Write as _,
    panic,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use attacks::{ATTACKS, Attack};
use probe::Times;
use stage::{Measured, Stage};

use crate::ground::generous;

/// The variable for the length of an attack, in seconds.
const SECONDS: &str = "NOROUTER_LAB_HOSTILE";
/// The variable that selects attacks.
const ONLY: &str = "NOROUTER_LAB_HOSTILE_ONLY";
/// The length of an attack if the variable does not set it.
const SHORT: Duration = Duration::from_millis(1_800);

/// How long to measure before the attack.
const BEFORE: Duration = Duration::from_millis(900);

/// The maximum number of times that an attack is measured.
const MEASURES: usize = 5;

/// How much memory the manager may use, in KiB: 256 MiB for data that hosts make it keep, and 40 MiB that it uses
/// anyway.
const MEMORY: u64 = (256 + 40) << 10;

/// How long the manager may take to answer a person.
const ANSWER: Duration = Duration::from_secs(2);

/// The 99th percentile during an attack, and its limit. A long run needs an idle machine, and its limit is close to the
/// percentile before the attack. The limit of a short run is so high that only blocked hosts exceed it, on any machine.
fn bar(times: &[Times; 2], short: bool) -> (Duration, Duration) {
    let [calm, stormy] = times.clone().map(|times| times.quantile(990));
    let bar = (calm * 2).max(calm + Duration::from_millis(5));
    (stormy, if short { generous(bar) } else { bar })
}

impl Measured {
    /// Whether round trips without a network were also slower than before the attack.
    fn is_noise(&self) -> bool {
        let (stormy, bar) = bar(&self.machine, false);
        stormy > bar
    }

    /// Everything that is wrong with these results: what must never happen, and every value beyond its limit.
    fn faults(&self, attack: &Attack, short: bool) -> Vec<String> {
        let mut faults = self.wrong.clone();
        for (what, times) in [
            ("round trips", &self.round_trips),
            ("connects", &self.connects),
        ] {
            let (stormy, bar) = bar(times, short);
            if stormy > bar {
                faults.push(format!("{what}: p99 {stormy:.1?}, the bar is {bar:.1?}"));
            }
        }
        if let Some(failed) = self.failed.first() {
            faults.push(format!("{} failed: {failed}", self.failed.len()));
        }
        for (who, memory) in [("the manager", self.manager), ("an agent", self.agents)] {
            if memory > MEMORY {
                faults.push(format!("{who} took {} MiB", memory >> 10));
            }
        }
        if attack.named && self.named.iter().any(Option::is_none) {
            faults.push("nobody was told who it is".to_owned());
        }
        if self.status > ANSWER {
            faults.push(format!("status took {:.1?}", self.status));
        }
        faults.extend(self.unready.first().cloned());
        if attack.agents == ["fuzz-flows"] && self.witnessed == 0 {
            faults.push("nothing reached the witness".to_owned());
        }
        if short && self.sent.0 < attack.least {
            faults.push(format!(
                "only {} were sent: this was no attack",
                self.sent.0
            ));
        }
        faults
    }

    /// The row of an attack in the table of results.
    fn row(&self, attack: &Attack, faults: &[String]) -> String {
        let shown = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let three = |times: &Times| {
            let [usual, rare, most] = [500, 990, 1000].map(|part| shown(times.quantile(part)));
            format!("{usual} / {rare} / {most}")
        };
        let named = self
            .named
            .iter()
            .flatten()
            .next()
            .map_or("-", String::as_str);
        let named: String = named.trim().chars().take(110).collect();
        let mut row = String::new();
        let _ = write!(row, "| {} | {}", attack.name, self.sent.0);
        let _ = write!(row, ", {} MB", self.sent.1 / 1_000_000);
        for times in [&self.round_trips, &self.connects] {
            let _ = write!(row, " | {} | {}", three(&times[0]), three(&times[1]));
        }
        let _ = write!(row, " | {} / {}", self.manager >> 10, self.agents >> 10);
        let _ = write!(row, " | {} | {named}", self.states.join(" "));
        let verdict = if faults.is_empty() {
            "yes".to_owned()
        } else {
            format!("NO: {}", faults.join("; "))
        };
        let _ = write!(row, " | {verdict} |");
        row
    }
}

/// Repeats an attack until its results are within the limits, or were beyond them twice. Prints a line for each
/// attempt.
fn verdict(attack: &Attack, during: Duration) -> Vec<String> {
    let (mut last, mut counted) = (Vec::new(), 0);
    for _ in 0..MEASURES {
        let measure = || Stage::start(attack).measure(BEFORE.max(during / 10), during);
        let Ok(measured) = panic::catch_unwind(measure) else {
            println!("| {} | could not be measured; see above |", attack.name);
            return vec!["could not be measured".to_owned()];
        };
        let short = during == SHORT;
        last = measured.faults(attack, short);
        if measured.round_trips[1].count() < 400 || measured.connects[1].count() < 150 {
            last.push("too little was measured".to_owned());
        }
        if !last.is_empty() && measured.is_noise() {
            last.push("the machine was busy".to_owned());
        } else {
            counted += 1;
        }
        println!("{}", measured.row(attack, &last));
        if last.is_empty() || counted == 2 {
            break;
        }
    }
    last
}

#[test]
fn whatever_a_hostile_host_does_the_others_do_not_notice() {
    let during = env::var(SECONDS).map_or(SHORT, |text| Duration::from_secs(text.parse().unwrap()));
    let only = env::var(ONLY).unwrap_or_default();
    let chosen = |attack: &&Attack| only.split(',').any(|word| attack.name.contains(word));
    let attacks: Vec<_> = ATTACKS.iter().filter(chosen).collect();
    assert!(!attacks.is_empty(), "{only:?} is in no attack's name");
    // This process needs thousands of connections.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    println!(
        "| attack | sent | round trips p50 / p99 / max before (ms) | during | connects before | during | MiB manager / agents | state | named by | in bar |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let start = Instant::now();
    let mut out = Vec::new();
    for attack in &attacks {
        let faults = verdict(attack, during);
        if !faults.is_empty() {
            out.push(format!("{}: {}", attack.name, faults.join("; ")));
        }
    }
    println!("{} attacks in {:.0?}", attacks.len(), start.elapsed());
    assert!(
        out.is_empty(),
        "{} of {} are out of bar:\n{}",
        out.len(),
        attacks.len(),
        out.join("\n")
    );
}
