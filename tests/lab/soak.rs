//! A network with a fault every five seconds. There must be no leak, no wrong byte, and no host that does not come
//! back. The test is short, unless `cargo xtask soak MINUTES` runs it.

use std::{
    collections::BTreeMap,
    env, fs,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ground::{Ground, WEB},
    network::Host,
    sandbox::{Sandbox, output, wait_for},
    shim::Shim,
};

/// The variable for the length of the test, in seconds.
const SECONDS: &str = "NOROUTER_LAB_SOAK";
/// The length of the test if the variable does not set it.
const SHORT: Duration = Duration::from_secs(40);
/// The variable for the seed of the faults.
const SEED: &str = "NOROUTER_LAB_SEED";

/// The time between two faults.
const EVERY: Duration = Duration::from_secs(5);

/// How long a host may take to become ready after the last fault. This is the sum of the longest pause, the detection
/// of a stall, and a start.
const RECOVERY: Duration = Duration::from_secs(45);

/// The hosts that have faults.
const HOSTS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// A host without faults, which must not be disturbed.
const STEADY: &str = "steady";

/// The faults of a line. The order `heal` ends those that have not ended the agent.
const ORDERS: &[&str] = &[
    "stall both",
    "stall to",
    "stall from",
    "slow both 20000",
    "lose from",
    "lose to",
    "cut from",
    "cut to",
    "corrupt both 20000 1",
    "insert from NOISE",
    "insert to NOISE",
    "flood",
    "deaf",
];

/// Random numbers from a seed.
struct Random(u64);

impl Random {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// The resources of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    /// Resident memory in KiB.
    memory: usize,
    /// Open files.
    descriptors: usize,
    threads: usize,
}

fn holding(pid: Pid) -> Option<Holding> {
    let folder = format!("/proc/{}", pid.as_raw_nonzero());
    let status = fs::read_to_string(format!("{folder}/status")).ok()?;
    let field = |name: &str| {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(name))?;
        line.trim_end_matches("kB").trim().parse().ok()
    };
    Some(Holding {
        memory: field("VmRSS:")?,
        descriptors: fs::read_dir(format!("{folder}/fd")).ok()?.count(),
        threads: field("Threads:")?,
    })
}

/// Causes a random fault of a random host. Returns its description.
fn happen(ground: &Ground, shims: &[Shim], noise: &str, random: &mut Random) -> String {
    let number = random.below(HOSTS.len());
    let (host, shim) = (HOSTS[number], &shims[number]);
    let what = match random.below(ORDERS.len() + 4) {
        // The agent itself is killed or suspended. A suspension lasts until `heal`, or until the agent is given up.
        kind @ 0..=1 => {
            let signal = [Signal::KILL, Signal::STOP][kind];
            for agent in ground.network.agents(host) {
                kill_process(agent, signal).ok();
            }
            format!("{signal:?}")
        }
        2 => {
            output(&mut ground.network.norouter(&["restart", host]));
            "restart".to_owned()
        }
        3 => {
            ground.network.manager.signal(Signal::HUP);
            "reload".to_owned()
        }
        order => {
            let order = ORDERS[order - 4].replace("NOISE", noise);
            shim.try_order(&order);
            order
        }
    };
    format!("{host}: {what}")
}

/// Ends all faults that do not end by themselves: faults of lines, and suspended agents.
fn heal(ground: &Ground, shims: &[Shim]) {
    for (host, shim) in HOSTS.iter().zip(shims) {
        shim.try_order("heal");
        for agent in ground.network.agents(host) {
            kill_process(agent, Signal::CONT).ok();
        }
    }
}

/// Ends all faults, waits until all hosts are ready, and returns the resources of the idle processes.
fn rest(ground: &Ground, shims: &[Shim]) -> BTreeMap<String, Holding> {
    let start = Instant::now();
    loop {
        heal(ground, shims);
        let hosts = ground.network.status()["hosts"].take();
        let hosts = hosts.as_array().unwrap();
        if hosts.iter().all(|host| host["state"] == "ready") {
            break;
        }
        assert!(
            start.elapsed() < RECOVERY,
            "somebody stays away: {hosts:#?}"
        );
    }
    println!("everybody is ready after {:.1?}", start.elapsed());
    for host in HOSTS {
        ground.wait_for_talk("laptop", host);
        ground.wait_for_talk(host, "laptop");
        // An agent that was replaced must not be left behind.
        wait_for("one agent for each host", || {
            (ground.network.agents(host).len() == 1).then_some(())
        });
    }
    let manager = Pid::from_raw(ground.network.manager.pid().cast_signed()).unwrap();
    let mut holdings = BTreeMap::from([("manager".to_owned(), holding(manager).unwrap())]);
    for host in HOSTS.into_iter().chain([STEADY]) {
        holdings.insert(
            host.to_owned(),
            holding(ground.network.agent(host)).unwrap(),
        );
    }
    holdings
}

#[test]
fn whatever_happens_every_few_seconds_nothing_leaks_and_nobody_stays_away() {
    let time = env::var(SECONDS).map_or(SHORT, |text| Duration::from_secs(text.parse().unwrap()));
    let seed = env::var(SEED).map_or(1, |text| text.parse().unwrap());
    let mut random = Random(seed);
    let sandbox = Sandbox::new();
    let noise = sandbox.write("noise", crate::sandbox::client::noise(seed, 3_000));
    let noise = noise.to_str().unwrap();
    let shims: Vec<_> = HOSTS.iter().map(|host| Shim::new(&sandbox, host)).collect();
    let steady = Host::netns(STEADY, &sandbox).ports(WEB);
    let mut hosts = vec![Host::laptop().ports(WEB), steady];
    for (host, shim) in HOSTS.iter().zip(&shims) {
        hosts.push(Host::netns(host, &sandbox).behind(shim).ports(WEB));
    }
    let ground = Ground::start(&sandbox, hosts, &[&["laptop", STEADY], &HOSTS[..]].concat());
    let mut traffic = vec![ground.traffic("laptop", &HOSTS, 150_000)];
    for (index, host) in HOSTS.iter().enumerate() {
        let next = HOSTS[(index + 1) % HOSTS.len()];
        traffic.push(ground.traffic(host, &["laptop", next], 150_000));
    }
    let calm = ground.traffic("laptop", &[STEADY], 150_000);
    let calm_back = ground.traffic(STEADY, &["laptop"], 150_000);
    let agent = ground.network.agent(STEADY);
    let warm = rest(&ground, &shims);
    let (start, mut faults, mut early) = (Instant::now(), 0, None);
    while start.elapsed() < time {
        let what = happen(&ground, &shims, noise, &mut random);
        faults += 1;
        println!("{:7.1} s  {what}", start.elapsed().as_secs_f64());
        let next = Instant::now() + EVERY;
        wait_for("the next fault", || (Instant::now() >= next).then_some(()));
        if faults % 3 == 0 {
            heal(&ground, &shims);
        }
        // The memory after a fifth of the time is the reference. Memory that is used once and then kept is not a leak.
        if early.is_none() && start.elapsed() > time / 5 {
            early = Some(rest(&ground, &shims));
        }
    }
    let late = rest(&ground, &shims);
    let (mut done, mut broken) = (0, 0);
    for traffic in traffic {
        let sum = traffic.stop();
        assert_eq!(sum.wrong, Vec::<String>::new());
        done += sum.done;
        broken += sum.broken;
    }
    println!("{faults} faults, {done} talks, {broken} of them broken");
    assert!(done > 100 && broken > 0, "{done} {broken}");
    for traffic in [calm, calm_back] {
        let sum = traffic.stop();
        assert_eq!(sum.wrong, Vec::<String>::new());
        assert_eq!(sum.broken, 0, "of {}", sum.done);
        let (usual, rare) = (sum.quantile(500), sum.quantile(990));
        println!(
            "{} talks of the host to which nothing happened: {usual:.1?}, 99 % {rare:.1?}",
            sum.done
        );
    }
    assert_eq!(ground.network.agent(STEADY), agent);
    let early = early.unwrap();
    for (who, late) in &late {
        let (warm, early) = (warm[who], early[who]);
        println!("{who:8} at first {warm:?}, early {early:?}, late {late:?}");
        // The manager keeps a part of the log in memory. The limit of that part is reached only after a while.
        let log = if who == "manager" { 6_144 } else { 0 };
        assert!(
            late.memory <= early.memory * 5 / 4 + 2_048 + log,
            "{who}: memory"
        );
        // Some connections of the traffic may be open.
        assert!(
            late.descriptors <= early.descriptors + 30,
            "{who}: descriptors"
        );
        assert!(late.threads <= early.threads + 8, "{who}: threads");
    }
    ground.assert_right();
}
