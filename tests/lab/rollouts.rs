//! Hosts that can be in any of several pods or containers, which come and go: pods behind the real `kubectl`, with an
//! API server of the test's own (`cluster.py`), and containers with the labels of compose, in the real `podman`.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    ground::{WEB, assert_within, pass},
    network::{Host, Network, vip},
    sandbox::{Netns, Podman, Running, Sandbox, command, ended, output, wait_for},
};

/// The time in which a new instance has to serve after it has become ready.
const SWITCH: Duration = Duration::from_secs(2);

/// How long podman's client may live after its container was removed. Podman 4.3 waits 5 s for an exit status that was
/// removed together with the container, which happens in one of twenty removals.
const CLIENT_END: Duration = Duration::from_secs(6);

/// The first version of kubectl that speaks the WebSocket protocol by default.
const KUBECTL_LEAST: (u32, u32) = (1, 31);

/// The API server of a cluster, on the laptop.
struct Cluster {
    _server: Running,
}

/// A pod, which is a namespace with a web server that tells its name.
struct Pod {
    host: Host,
    prefix: Vec<String>,
    _service: Running,
}

impl Cluster {
    /// Starts a server that speaks this version of the exec protocol, and writes the kubeconfig of the laptop.
    fn start(sandbox: &Sandbox, laptop: &Host, protocol: &str) -> Self {
        assert_kubectl();
        sandbox.write("spdy.py", include_str!("spdy.py"));
        let script = sandbox.write("cluster.py", include_str!("cluster.py"));
        let config = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": "http://127.0.0.1:6443"}}],
            "users": [{"name": "lab", "user": {}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "shop"}}],
        });
        sandbox.write("home/.kube/config", config.to_string());
        let words = [
            "/usr/bin/python3",
            script.to_str().unwrap(),
            "6443",
            protocol,
        ];
        let server = laptop.serve(&words);
        wait_for("the API server", || ask(laptop, &["/lab/asked"]));
        Self { _server: server }
    }
}

impl Pod {
    fn new(sandbox: &Sandbox, name: &str) -> Self {
        let netns = Netns::new();
        let home = sandbox.path(name);
        fs::create_dir_all(&home).unwrap();
        let mut prefix = netns.cmd("env".as_ref());
        prefix.push(format!("HOME={}", home.display()));
        let host = Host::in_netns(name, netns);
        let service = host.serve_name(sandbox);
        Self {
            host,
            prefix,
            _service: service,
        }
    }

    /// Tells the server the new state of the pod.
    fn becomes(&self, laptop: &Host, ready: bool, deleting: bool) {
        let pod = serde_json::json!({"prefix": self.prefix, "ready": ready, "deleting": deleting});
        let place = format!("/lab/pods/{}", self.host.name);
        ask(laptop, &["-d", &pod.to_string(), &place]).unwrap();
    }

    /// Removes the pod, and kills what runs in it.
    fn die(self, laptop: &Host) {
        let place = format!("/lab/pods/{}", self.host.name);
        ask(laptop, &["-X", "DELETE", &place]).unwrap();
    }
}

/// Asks the API server; `None` if it does not answer.
fn ask(laptop: &Host, words: &[&str]) -> Option<Value> {
    let (place, options) = words.split_last().unwrap();
    let url = format!("http://127.0.0.1:6443{place}");
    let mut curl = laptop.bare_command(&["curl", "-qsSf", "--max-time", "20"]);
    let output = curl.args(options).arg(url).output().unwrap();
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn assert_kubectl() {
    let version = output(&mut command(&[
        "kubectl",
        "version",
        "--client",
        "--output=json",
    ]));
    let version: Value = serde_json::from_str(&version).unwrap();
    let number = |key: &str| -> u32 {
        let text = version["clientVersion"][key].as_str().unwrap();
        text.trim_end_matches('+').parse().unwrap()
    };
    let version = (number("major"), number("minor"));
    println!("kubectl {version:?}");
    assert!(
        version >= KUBECTL_LEAST,
        "{version:?} is too old; run: cargo xtask setup"
    );
}

/// Waits until the network's second host serves the page with this name, and returns the time since `since`.
#[track_caller]
fn wait_for_page(network: &Network, since: Instant, name: &str) -> Duration {
    wait_for(&format!("the page of {name}"), || {
        let page = network.laptop().fetch(&vip(2), 8080);
        (page.as_deref() == Ok(name)).then(|| since.elapsed())
    })
}

/// The trouble of a host without a ready instance, in words; `None` if it has one, or if the network does not answer
/// yet.
fn unready(network: &Network, name: &str) -> Option<String> {
    let status = ended(&mut network.norouter(&["status", "--json"]));
    let status: Value = serde_json::from_str(&status.out).ok()?;
    let mut hosts = status["hosts"].as_array()?.iter();
    let host = hosts.find(|host| host["name"] == name)?;
    let trouble = host["troubles"].get(0)?;
    (trouble["code"] == "unready").then(|| trouble["what"].to_string())
}

/// The ids of the processes on the laptop whose command lines start with the name of this program.
fn clients(laptop: &Host, program: &str) -> Vec<String> {
    let mut pids = laptop.namespace().pids();
    pids.retain(|pid| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline"));
        line.is_ok_and(|line| line.starts_with(program))
    });
    pids
}

fn asked(network: &Network, what: &str) -> u64 {
    let asked = ask(network.laptop(), &["/lab/asked"]).unwrap();
    let counts = asked.as_object().unwrap().iter();
    let counts = counts.filter(|(key, _)| key.contains(what));
    counts.map(|(_, count)| count.as_u64().unwrap()).sum()
}

#[track_caller]
fn assert_rollouts_are_followed(protocol: &str) {
    let sandbox = Sandbox::new();
    let laptop = Host::laptop();
    let _cluster = Cluster::start(&sandbox, &laptop, protocol);
    let pods = ["api-1", "api-2", "api-3", "api-4", "api-5"].map(|name| Pod::new(&sandbox, name));
    let [first, second, third, fourth, fifth] = pods;
    first.becomes(&laptop, false, false);
    let api = Host::with_command::<&str>("api", &[])
        .line("kubernetes: {context: lab, deployment: api}")
        .ports(WEB);
    let network = Network::start(&sandbox, vec![laptop, api]);
    let laptop = network.laptop();
    let what = wait_for("a host that waits for a pod", || unready(&network, "api"));
    assert!(what.contains("not ready: api-1"), "{what}");
    first.becomes(laptop, true, false);
    let took = wait_for_page(&network, Instant::now(), "api-1");
    println!("{protocol}: the first pod serves after {took:.2?}");
    assert_eq!(network.host_status("api")["instance"], "api-1");

    // A rolling update: the old pod is told to end only when the new pod is ready. It takes a while to end.
    second.becomes(laptop, false, false);
    pass(Duration::from_secs(1));
    assert_eq!(
        network.laptop().fetch(&vip(2), 8080).as_deref(),
        Ok("api-1")
    );
    let ready = Instant::now();
    second.becomes(laptop, true, false);
    first.becomes(laptop, true, true);
    let took = wait_for_page(&network, ready, "api-2");
    assert_within(
        &format!("{protocol}: the switch to a new pod"),
        took,
        SWITCH,
    );
    first.die(laptop);

    // A pod is killed without notice while another one is ready.
    third.becomes(laptop, true, false);
    pass(Duration::from_secs(1));
    assert_eq!(
        network.laptop().fetch(&vip(2), 8080).as_deref(),
        Ok("api-2")
    );
    let killed = Instant::now();
    second.die(laptop);
    let took = wait_for_page(&network, killed, "api-3");
    assert_within(
        &format!("{protocol}: the switch from a killed pod"),
        took,
        SWITCH,
    );

    // The only pod is removed before the next one is created.
    third.die(laptop);
    fourth.becomes(laptop, false, false);
    pass(Duration::from_secs(3));
    let ready = Instant::now();
    fourth.becomes(laptop, true, false);
    let took = wait_for_page(&network, ready, "api-4");
    assert_within(&format!("{protocol}: a new pod after none"), took, SWITCH);

    // The server ends the watch, as every server does after a while.
    let watches = asked(&network, "watch");
    ask(laptop, &["-X", "POST", "/lab/hang-up"]).unwrap();
    wait_for("a second watch", || {
        (asked(&network, "watch") > watches).then_some(())
    });
    let ready = Instant::now();
    fifth.becomes(laptop, true, false);
    fourth.becomes(laptop, true, true);
    let took = wait_for_page(&network, ready, "api-5");
    assert_within(
        &format!("{protocol}: the switch after a new watch"),
        took,
        SWITCH,
    );

    assert_eq!(asked(&network, "exec"), 5, "each pod was entered once");
    let by_spdy = asked(&network, "['v5.channel.k8s.io', 'v4.channel.k8s.io'");
    assert_eq!(by_spdy, if protocol == "v5" { 0 } else { 5 });

    let agents = sandbox.path("api-5/.cache/norouter");
    assert_eq!(fs::read_dir(&agents).unwrap().count(), 1);
    output(
        network
            .norouter(&["clean", "api", "-f"])
            .arg(sandbox.path("network.yaml")),
    );
    assert!(!agents.exists(), "the agent is still there");

    output(&mut network.norouter(&["down"]));
    let left = clients(laptop, "kubectl");
    assert!(left.is_empty(), "these kubectl were left behind: {left:?}");
}

#[test]
fn a_rollout_is_followed_through_websockets() {
    assert_rollouts_are_followed("v5");
}

/// kubectl uses SPDY with a server that does not know its WebSocket protocol.
#[test]
fn a_rollout_is_followed_through_spdy() {
    assert_rollouts_are_followed("v4");
}

#[test]
fn a_service_of_compose_is_followed_from_container_to_container() {
    let sandbox = Sandbox::new();
    let podman = Podman::new(&sandbox);
    let image = podman.busybox_image("web", &[]);
    let start = |name: &str, service: &str| {
        let service = format!("com.docker.compose.service={service}");
        let labels = ["com.docker.compose.project=shop", &service];
        let container = podman.start_labelled(&image, &labels);
        let host = Host::in_container(name, container);
        let service = host.serve_name(&sandbox);
        (host, service)
    };
    let _other = start("other", "db");
    let (first, _page) = start("first", "web");
    let laptop = Host::laptop().with_programs(&podman.program("podman"));
    let web = Host::with_command::<&str>("web", &[])
        .line("podman: {service: web, project: shop}")
        .ports(WEB);
    let network = Network::start(&sandbox, vec![laptop, web]);
    let took = wait_for_page(&network, Instant::now(), "first");
    println!("the first container serves after {took:.2?}");

    // Compose removes a container before it makes the next one.
    drop(first);
    wait_for("a host that waits for a container", || {
        unready(&network, "web")
    });
    let (second, _page) = start("second", "web");
    let took = wait_for_page(&network, Instant::now(), "second");
    assert_within("a new container after none", took, SWITCH);

    let (_third, _page) = start("third", "web");
    pass(Duration::from_secs(1));
    assert_eq!(
        network.laptop().fetch(&vip(2), 8080).as_deref(),
        Ok("second")
    );
    let podmans = clients(network.laptop(), "podman");
    let [client] = podmans.as_slice() else {
        panic!("these clients run: {podmans:?}");
    };
    let removed = Instant::now();
    drop(second);
    let ended = wait_for("the end of the client", || {
        let now = Instant::now();
        let runs = clients(network.laptop(), "podman").contains(client);
        (!runs).then_some(now)
    });
    assert_within("the end of the client", ended - removed, CLIENT_END);
    // The network can only notice the end of the client.
    let took = wait_for_page(&network, ended, "third");
    assert_within("the switch to another container", took, SWITCH);
}
