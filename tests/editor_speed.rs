//! Measures what the editor of manifests does after each edit, with 200 hosts and 2,000 ports, and how long a manifest of
//! 1 MiB takes to open. `cargo bench --bench editor` prints a Markdown table.
//!
//! An edit should be in all views within 50 ms, and the largest manifest open within 300 ms. A part of that time belongs to
//! the page.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints"
)]

use std::{
    env,
    fmt::Write as _,
    hint::black_box,
    time::{Duration, Instant},
};

use norouter::{
    editor::{edited, fields, outline},
    manifest::SIZE_MAX_BYTES,
    plan,
    view::{EditRequest, Edited, FieldValue, OwnerRef},
};

/// How many edits are made one after the other.
const EDITS: usize = 300;
/// How often the largest manifest is opened.
const OPENINGS: usize = 50;

fn main() {
    // As in the other benchmark: `cargo test --benches` only wants to know whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| | median, ms | 99 %, ms | longest, ms |\n|---|---:|---:|---:|");
    edits();
    openings();
}

/// Makes one edit after the other, and measures for each edit what the app is asked for until all views show it.
fn edits() {
    let mut text = manifest(200, 10);
    let (mut edit, mut check, mut typed, mut all) = (vec![], vec![], vec![], vec![]);
    for number in 0..EDITS {
        let (result, first) = timed(|| {
            let edited = edited(&text, vec![request(number)]);
            (serde_json::to_string(&edited).unwrap(), edited)
        });
        let Edited::Done { text: new, .. } = result.1 else {
            panic!("{}", result.0);
        };
        let (problems, second) = timed(|| plan::load("", &new).problems);
        assert!(problems.is_empty(), "{problems:?}");
        let (_, third) = timed(|| serde_json::to_string(&outline(&new)).unwrap());
        edit.push(first);
        check.push(second);
        all.push(first + second);
        // After a key in the text, there is no edit, but the outline is asked for.
        typed.push(second + third);
        text = new;
    }
    row("an edit and the new outline, 200 hosts, 2,000 ports", edit);
    row("the check of the new text", check);
    row("an edit, its outline and the check", all);
    row("a key in the text: its check and the outline", typed);
}

/// Opens a manifest that is nearly as large as one may be.
fn openings() {
    let text = manifest(1_000, 26);
    assert!((SIZE_MAX_BYTES * 9 / 10..SIZE_MAX_BYTES).contains(&text.len()));
    let (mut check, mut outlines, mut all) = (vec![], vec![], vec![]);
    for _ in 0..OPENINGS {
        let (problems, first) = timed(|| plan::load("", &text).problems);
        assert!(problems.is_empty(), "{problems:?}");
        let (_, second) = timed(|| serde_json::to_string(&(outline(&text), fields())).unwrap());
        check.push(first);
        outlines.push(second);
        all.push(first + second);
    }
    let size = text.len() / 1_024;
    row(&format!("the check of a manifest of {size} KiB"), check);
    row("its outline and the fields", outlines);
    row("both", all);
}

/// A manifest with so many hosts, and so many ports for each of them.
fn manifest(hosts: usize, ports: usize) -> String {
    let mut text = "network: 127.0.0.0/16\nhostTemplate:\n  http: {listen: \"127.0.0.1:18080\"}\nhosts:\n  laptop: {}\n".to_owned();
    for host in 1..hosts {
        let name = format!("host{host}");
        let _ = write!(text, "  # {name}\n  {name}:\n    ssh: {name}\n    ports:\n");
        for port in 0..ports {
            let _ = writeln!(text, "      - \"{}:127.0.0.1:80\" # service", 1_000 + port);
        }
    }
    text.push_str("routes:\n");
    for host in 1..20 {
        let _ = writeln!(text, "  - {{via: host{host}, to: [\"10.{host}.0.0/16\"]}}");
    }
    text
}

/// One of the edits that are made most often: a port is added, replaced and taken away, a command changes, and a host gets
/// another name.
fn request(number: usize) -> EditRequest {
    let name = format!("host{}", 21 + number / 5 % 150);
    let owner = OwnerRef::Host { name: name.clone() };
    let field = "ports".to_owned();
    let reach = None;
    match number % 5 {
        0 => EditRequest::AddItem {
            owner,
            field,
            at: None,
            item: "9998:127.0.0.1:80".to_owned(),
            reach,
        },
        1 => EditRequest::ReplaceItem {
            owner,
            field,
            at: 0,
            item: "9999:127.0.0.1:81".to_owned(),
            reach,
        },
        2 => EditRequest::TakeItem {
            owner,
            field,
            at: 1,
            reach,
        },
        3 => EditRequest::Set {
            owner,
            field: "ssh".to_owned(),
            value: FieldValue::Text("jump".to_owned()),
            reach,
        },
        _ => EditRequest::RenameHost {
            from: name,
            to: format!("renamed{number}"),
        },
    }
}

/// The result of an act, and how long this thread has run for it. The time in which other programs had the processor is
/// left out. Elsewhere than on Linux, it is the time that has passed.
fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let before = spent(begin);
    let result = black_box(act());
    (result, spent(begin).saturating_sub(before))
}

fn spent(begin: Instant) -> Duration {
    let read = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanoseconds = read
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} |",
        at(50),
        at(99),
        at(100)
    );
}
