//! Runs the fuzz targets on the stable compiler, with every file of the corpus and some thousand mutations. The seed is
//! fixed, so that a failure can be repeated. `cargo fuzz` searches for new inputs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and print its input"
)]

mod bodies;

use std::{fs, panic, path::Path};

/// How many mutations are tried for each target.
const MUTATIONS: usize = 4_000;

#[test]
fn frames_hold_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/frame"], bodies::frame);
}

#[test]
fn packets_hold_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/packet"], bodies::packet);
}

#[test]
fn control_messages_hold_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/control"], bodies::control);
}

#[test]
fn an_agent_holds_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/edge"], bodies::edge);
}

#[test]
fn dns_messages_hold_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/dns"], bodies::dns);
}

#[test]
fn hosts_files_hold_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/hosts_file"], bodies::hosts_file);
}

#[test]
fn manifests_hold_for_the_corpus_and_its_mutations() {
    replay(
        &["tests/data/manifests/valid", "tests/data/manifests/invalid"],
        bodies::manifest,
    );
}

#[test]
fn http_holds_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/http"], bodies::http);
}

#[test]
fn socks_holds_for_the_corpus_and_its_mutations() {
    replay(&["tests/fuzz/corpus/socks"], bodies::socks);
}

fn replay(folders: &[&str], body: fn(&[u8])) {
    let mut corpus: Vec<(String, Vec<u8>)> = folders
        .iter()
        .flat_map(|folder| {
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
                .unwrap_or_else(|error| panic!("{folder}: {error}"))
        })
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read(&path).unwrap())
        })
        .collect();
    corpus.sort();
    assert!(
        corpus.len() >= 3,
        "only {} files in {folders:?}",
        corpus.len()
    );
    for (name, bytes) in &corpus {
        check(name, bytes, body);
    }
    let mut random = Random(0x006e_6f72_6f75_7465);
    for number in 0..MUTATIONS {
        let mut bytes = corpus[random.below(corpus.len())].1.clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, &corpus, &mut random);
        }
        check(&format!("mutation {number}"), &bytes, body);
    }
}

/// Runs the body. If it fails, reports the input.
fn check(name: &str, bytes: &[u8], body: fn(&[u8])) {
    if let Err(reason) = panic::catch_unwind(|| body(bytes)) {
        println!(
            "{name} breaks it, {} bytes: {}",
            bytes.len(),
            bytes.escape_ascii()
        );
        panic::resume_unwind(reason);
    }
}

fn mutate(bytes: &mut Vec<u8>, corpus: &[(String, Vec<u8>)], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'{', 0x42][random.below(7)],
        2 => bytes.truncate(at),
        3 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        4 if at < bytes.len() => {
            bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()));
        }
        _ => {
            let other = &corpus[random.below(corpus.len())].1;
            let from = random.below(other.len() + 1);
            bytes.splice(at..at, other[from..].iter().copied());
        }
    }
}

/// A random number generator with the same results on every machine (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}
