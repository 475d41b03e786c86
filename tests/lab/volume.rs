//! Many requests. None of them may fail, and the memory of the processes must not grow.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    network::Host,
    office::{HTTP, Office},
    sandbox::{DEADLINE, Sandbox},
};

/// The variable for the number of requests while memory is measured.
const VARIABLE: &str = "NOROUTER_LAB_REQUESTS";
/// The number of these requests if the variable is not set.
const REQUESTS: usize = 20_000;

/// How often memory is measured during each half of the requests.
const PARTS: usize = 5;

/// How much the memory of a process may grow in 10,000 requests, in KiB.
const GROWTH_MAX: i64 = 1024;

/// How many requests are sent at the same time.
const WORKERS: usize = 64;

/// Sends one routed request on a new connection. The destination is either a name or an address.
fn request(number: usize) -> io::Result<()> {
    let address: SocketAddr = HTTP.parse().unwrap();
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let name = if number.is_multiple_of(2) {
        "db.corp.test:8000"
    } else {
        "10.99.0.5:8000"
    };
    let request = if number.is_multiple_of(3) {
        format!(
            "CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\nGET / HTTP/1.1\r\nHost: {name}\r\n\r\n"
        )
    } else {
        format!("GET http://{name}/{number} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")
    };
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.ends_with("\r\n\r\ndb\n") {
        Ok(())
    } else {
        Err(io::Error::other(answer))
    }
}

/// Sends `count` requests from a host, with `workers` of them in progress at the same time. Returns the errors.
fn failures(host: &Host, workers: usize, count: usize) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return failures;
            }
            if let Err(error) = request(number) {
                failures.push(format!("request {number}: {error}"));
            }
        }
    };
    host.namespace().inside(|| {
        // A thread begins in the namespace of the thread that starts it.
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        })
    })
}

/// The resident memory of the manager and of every agent, in KiB.
fn memory(office: &Office, sandbox: &Sandbox) -> BTreeMap<String, i64> {
    let program = crate::network::program(sandbox);
    let mut memory = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let folder = entry.unwrap().path();
        let Ok(exe) = fs::read_link(folder.join("exe")) else {
            continue;
        };
        if exe != program {
            continue;
        }
        let status = fs::read_to_string(folder.join("status")).unwrap();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        let pid = folder.file_name().unwrap().to_str().unwrap();
        let what = if pid == office.network.manager.pid().to_string() {
            "manager"
        } else {
            "agent"
        };
        let resident = resident.trim_end_matches("kB").trim().parse().unwrap();
        memory.insert(format!("{what} {pid}"), resident);
    }
    memory
}

#[test]
fn ten_thousand_requests_one_after_the_other_and_as_many_at_a_time_all_succeed() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    for workers in [1, WORKERS] {
        let failures = failures(office.network.laptop(), workers, 10_000);
        assert!(
            failures.is_empty(),
            "{} failures: {:?}",
            failures.len(),
            failures.first()
        );
    }
    assert_eq!(office.db.heads().len(), 20_000);
}

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    let sandbox = Sandbox::new();
    let office = Office::open(&sandbox);
    let count: usize = env::var(VARIABLE).map_or(REQUESTS, |count| count.parse().unwrap());
    // Requests in progress use memory during a measurement. Therefore the smallest values of both halves are compared.
    let [first, second] = [(); 2].map(|()| {
        let mut least = BTreeMap::new();
        for _ in 0..PARTS {
            let failures = failures(office.network.laptop(), WORKERS, count / 2 / PARTS);
            assert_eq!(failures, Vec::<String>::new());
            for (process, resident) in memory(&office, &sandbox) {
                println!("{process}: {resident} KiB");
                let known = least.entry(process).or_insert(resident);
                *known = resident.min(*known);
            }
        }
        least
    });
    assert_eq!(first.len(), 3, "the manager and two agents: {first:?}");
    let may = GROWTH_MAX * i64::try_from(count / 2).unwrap() / 10_000;
    for (process, first) in first {
        let grown = second[&process] - first;
        println!("{process}: {first} KiB, then {grown} KiB more");
        assert!(
            grown <= may,
            "{process} grew by {grown} KiB within {} requests",
            count / 2
        );
    }
}
