//! Compares the time of edits in a large manifest with their time in a small one.

use std::{
    fmt::Write as _,
    hint::black_box,
    time::{Duration, Instant},
};

use norouter::{
    edit::{Change, Edit, Owner, apply, merge},
    editor::outline,
    plan,
};

/// A manifest with this many hosts, and ten ports for each of them.
fn manifest(hosts: usize) -> String {
    let mut text = "hostTemplate:\n  http: {listen: \"127.0.0.1:18080\"}\nhosts:\n".to_owned();
    for host in 0..hosts {
        let _ = write!(
            text,
            "  # host {host}\n  host{host}:\n    ssh: host{host}\n    ports:\n"
        );
        for port in 0..10 {
            let _ = writeln!(text, "      - \"{}:127.0.0.1:80\" # service", 1_000 + port);
        }
    }
    text.push_str("routes:\n");
    for host in 0..hosts / 10 {
        let _ = writeln!(text, "  - {{via: host{host}, to: [\"10.{host}.0.0/16\"]}}");
    }
    text
}

fn add_port(host: &str) -> Edit {
    Edit::Field {
        owner: Owner::Host(host.to_owned()),
        field: vec!["ports".to_owned()],
        change: Change::Add {
            at: None,
            item: "9999:127.0.0.1:80".to_owned(),
        },
        reach: None,
    }
}

/// The processor time that this thread has used. On systems other than Linux, this is the time since `begin`.
fn spent(begin: Instant) -> Duration {
    let read = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanoseconds = read
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

/// The average time of an action, in seconds. The action is repeated until the total time is long enough to be
/// measured.
fn each<T>(act: impl Fn() -> T) -> f64 {
    let begin = Instant::now();
    let before = spent(begin);
    let mut count = 0;
    loop {
        black_box(act());
        count += 1;
        let all = spent(begin).saturating_sub(before);
        if count >= 3 && all > Duration::from_millis(100) {
            return all.as_secs_f64() / f64::from(count);
        }
    }
}

/// An action on a text. It returns a number, so that the compiler cannot leave the action out.
type Act<'a> = &'a dyn Fn(&str) -> usize;

#[test]
fn ten_times_as_many_hosts_take_about_ten_times_as_long() {
    let (small, large) = (manifest(20), manifest(200));
    let rename = Edit::RenameHost {
        from: "host1".to_owned(),
        to: "other".to_owned(),
    };
    let acts: [(&str, Act<'_>); 5] = [
        ("check", &|text| plan::load("n", text).problems.len()),
        ("outline", &|text| outline(text).unwrap().hosts.len()),
        ("a port", &|text| {
            apply(text, &add_port("host7")).unwrap().text.len()
        }),
        ("a name", &|text| apply(text, &rename).unwrap().text.len()),
        ("merge", &|text| {
            let mine = text.replace("# host 3\n", "# host three\n");
            let theirs = text.replace("# host 9\n", "# host nine\n");
            let merged = merge(text, &mine, &theirs);
            assert!(merged.conflicts.is_empty());
            merged.text.len()
        }),
    ];
    for (name, act) in acts {
        let (few, many) = (each(|| act(&small)), each(|| act(&large)));
        let factor = many / few;
        let (few, many) = (few * 1_000.0, many * 1_000.0);
        println!("{name}: {few:.2} ms with 20 hosts, {many:.2} ms with 200: {factor:.1} times");
        assert!(factor < 15.0, "{name}: {few:.2} ms became {many:.2} ms");
    }
}
