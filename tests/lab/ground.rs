//! A running network whose hosts have a service that checks its bytes. Also time limits for what happens in the
//! network.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    network::{Host, Network},
    sandbox::{DEADLINE, Sandbox, wait_for},
    shim::Shim,
    traffic::{Service, Talk, Traffic},
    watch::Watch,
};

pub(crate) const WEB: &[&str] = &["8080:127.0.0.1:8000"];

/// A running network. Every host that is a namespace has a service that checks its bytes.
pub(crate) struct Ground {
    pub(crate) network: Network,
    pub(crate) services: Vec<Service>,
    pub(crate) watch: Watch,
}

impl Ground {
    /// Starts the network, and waits until these hosts are ready.
    pub(crate) fn start(sandbox: &Sandbox, hosts: Vec<Host>, ready: &[&str]) -> Self {
        let places = hosts.iter().filter(|host| host.is_namespace());
        let services = places
            .map(|host| Service::start(host.namespace(), 8000))
            .collect();
        let network = Network::start(sandbox, hosts);
        network.wait_until_it_answers();
        let watch = Watch::over(&network);
        if !ready.is_empty() {
            network.wait(ready);
        }
        for host in ready {
            watch.wait_until_told_ready(host);
        }
        Self {
            network,
            services,
            watch,
        }
    }

    /// A network with the laptop, a host with a bad line, and one with a good line.
    pub(crate) fn with_a_line(sandbox: &Sandbox) -> (Self, Shim) {
        let shim = Shim::new(sandbox, "bad");
        let hosts = vec![
            Host::laptop().ports(WEB),
            Host::netns("bad", sandbox).behind(&shim).ports(WEB),
            Host::netns("well", sandbox).ports(WEB),
        ];
        (
            Self::start(sandbox, hosts, &["laptop", "bad", "well"]),
            shim,
        )
    }

    /// The address at which the other hosts reach a host's service.
    pub(crate) fn address(&self, of: &str) -> String {
        format!("{}:8080", self.network.vip(of))
    }

    /// A working connection from one host to the service of another.
    #[track_caller]
    pub(crate) fn talk(&self, from: &str, to: &str) -> Talk {
        let netns = self.network.host(from).namespace();
        Talk::open(netns, &self.address(to))
            .unwrap_or_else(|error| panic!("{from} to {to}: {error}"))
    }

    /// Waits until a new connection works. Returns the time.
    #[track_caller]
    pub(crate) fn wait_for_talk(&self, from: &str, to: &str) -> Instant {
        let netns = self.network.host(from).namespace();
        wait_for(&format!("a talk of {from} to {to}"), || {
            Talk::open(netns, &self.address(to))
                .ok()
                .map(|_| Instant::now())
        })
    }

    /// Starts clients on a host that exchange data with the services of others.
    pub(crate) fn traffic(&self, from: &str, to: &[&str], most: usize) -> Traffic {
        let addresses: Vec<_> = to.iter().map(|to| self.address(to)).collect();
        Traffic::start(self.network.host(from).namespace(), &addresses, most)
    }

    /// Panics if a service has received a wrong byte.
    #[track_caller]
    pub(crate) fn assert_right(&self) {
        let wrong: Vec<_> = self.services.iter().flat_map(Service::wrong).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(!self.network.manager.log().contains("panicked"), "a panic");
    }
}

/// Extends a time limit, because the machine may be busy with other work.
pub(crate) fn generous(bar: Duration) -> Duration {
    bar * 3 / 2 + Duration::from_secs(1)
}

/// Prints how long something took, and panics if it was longer than its limit.
#[track_caller]
pub(crate) fn assert_within(what: &str, took: Duration, bar: Duration) {
    println!("{what}: {took:.2?}, bar {bar:?}");
    assert!(
        took <= generous(bar),
        "{what} took {took:?}, the bar is {bar:?}"
    );
}

/// Waits for this long, so that a test can show that a state lasts.
pub(crate) fn pass(time: Duration) {
    let start = Instant::now();
    assert!(time < DEADLINE);
    wait_for("time to pass", || (start.elapsed() >= time).then_some(()));
}

/// The processor time that a process has used.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks: Vec<u64> = rest
        .split(' ')
        .skip(11)
        .take(2)
        .map(|text| text.parse().unwrap())
        .collect();
    // Linux always reports the processor time in hundredths of a second.
    Duration::from_millis(10 * (ticks[0] + ticks[1]))
}
