//! The failure of one host does not affect the others.

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    network::{Host, Network, processes_of, vip},
    sandbox::{Sandbox, wait_for},
};

const WEB: &[&str] = &["8080:127.0.0.1:8000"];

/// An agent that first answers correctly, and then sends invalid data. Its argument selects the kind of data.
const HOSTILE: &str = r#"
import json, struct, sys, time
kind = sys.argv[1]
read, write = sys.stdin.buffer, sys.stdout.buffer
def frame(type, payload, reserved=0):
    return b"\x42" + (len(payload) + 4).to_bytes(3, "big") + struct.pack(">HH", type, reserved) + payload
def send(data):
    write.write(data); write.flush()
def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def packet(source, destination, port, flags, seq=1):
    address = lambda text: bytes(map(int, text.split(".")))
    tcp = struct.pack(">HHIIBBHHH", 4000 + seq % 1000, port, seq, 0, 5 << 4, flags, 65535, 0, 0)
    pseudo = address(source) + address(destination) + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + address(source) + address(destination)
    return ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp
header = read.read(8)
request = json.loads(read.read(int.from_bytes(header[1:4], "big") - 4))["body"]
me = request["args"]["me"]
result = {"request_id": request["id"], "op": request["op"], "error": None,
          "data": {"features": ["loopback", "tcp", "loopback.disable"], "version": "0.6.5"}}
send(frame(2, json.dumps({"type": "result", "body": result}).encode()))
print("hostile is up: " + kind, file=sys.stderr, flush=True)
for n in range(200):
    if kind == "packets":
        send(frame(1, b"") + frame(1, b"\x45") + frame(1, b"\x45" * 19) + frame(1, b"\x60" + b"\0" * 39))
        send(frame(1, packet("127.0.42.11", "127.0.42.12", 8080, 2, n)))
        send(frame(1, packet("8.8.8.8", "127.0.42.12", 8080, 2, n)))
        send(frame(1, packet(me, "127.0.42.12", 22, 2, n)))
        send(frame(1, packet(me, "127.0.42.99", 8080, 2, n)))
        send(frame(1, packet("127.0.42.12", "127.0.42.11", 8080, 4, n)))
    elif kind == "frames":
        send(frame(7, b"what is this") + frame(9, b"x" * 70000, 9) + frame(1, b"x" * 60000, 9))
        send(frame(2, b"{") + frame(2, b"[]") + frame(2, b"\xff\xfe") + frame(2, b"[" * 5000))
        send(frame(2, b'{"type":"result","body":{"request_id":99,"op":"configure"}}'))
        send(frame(2, b'{"type":"event","body":{"type":"problems","data":{"problems":"all"}}}'))
        send(frame(2, b'{"type":"event","body":{"type":"routeSuggestion","data":{"ip":["127.0.42.12"],"route":"' + me.encode() + b'"}}}'))
    elif kind == "giants":
        send(frame(1, b"x" * 70000))
    elif kind == "sums":
        send(frame(2, b"{}", 9))
    elif kind == "noise":
        send(bytes(range(256)) * 64)
    elif kind == "talk":
        sys.stderr.buffer.write(b"\x1b[2J\x1b]0;gotcha\x07 line %d \xff\xfe\n" % n + b"x" * 20000 + b"\n")
        sys.stderr.flush()
print("hostile is done: " + kind, file=sys.stderr, flush=True)
time.sleep(1000)
"#;

#[test]
fn hosts_that_cannot_start_hurt_nobody() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::with_command("ends", &["/bin/false"]).ports(WEB),
        Host::with_command("missing", &["/nonexistent/program"]).ports(WEB),
        Host::with_command("unrunnable", &["/etc/passwd"]).ports(WEB),
        Host::with_command("silent", &["/bin/sleep", "1000"]).ports(WEB),
        Host::with_command("prints", &["/bin/echo", "usage:"]).ports(WEB),
        Host::netns("far", &sandbox).ports(WEB),
    ];
    let _pages = [hosts[0].serve_name(&sandbox), hosts[6].serve_name(&sandbox)];
    let mut network = Network::start(&sandbox, hosts);
    network.wait_for_page("laptop", "far");
    network.wait_for_page("far", "laptop");
    network
        .manager
        .wait_for_log("the names of the four that failed", |log| {
            ["ends", "missing", "unrunnable", "prints"]
                .iter()
                .all(|name| log.contains(name))
        });
    assert!(
        network.manager.log().contains("/nonexistent/program"),
        "the reason is missing"
    );
    assert!(network.manager.is_alive());
    network.assert_page("far", "laptop");
}

#[test]
fn an_agent_that_dies_is_told_of_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop().ports(WEB),
        Host::netns("first", &sandbox).ports(WEB),
        Host::netns("second", &sandbox).ports(WEB),
    ];
    let _pages: Vec<_> = hosts.iter().map(|host| host.serve_name(&sandbox)).collect();
    let mut network = Network::start(&sandbox, hosts);
    network.wait_for_page("laptop", "first");
    network.wait_for_page("first", "second");
    let before = network.manager.log().len();
    let program = crate::network::program(&sandbox);
    let agent = network
        .host("first")
        .namespace()
        .pids()
        .into_iter()
        .find(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(program.to_str().unwrap()) && line.contains("agent")
        })
        .expect("an agent in the namespace");
    kill_process(Pid::from_raw(agent.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    network
        .manager
        .wait_for_log("news of the lost host", |log| {
            log[before..].contains("first")
        });
    network.assert_page("laptop", "second");
    network.assert_page("second", "laptop");
    assert!(network.manager.is_alive());
}

#[test]
fn a_hostile_agent_hurts_nobody_else() {
    for (kind, verdict) in [
        (
            "packets",
            "evil (127.0.42.13) cannot start: its agent misbehaves",
        ),
        (
            "frames",
            "evil (127.0.42.13) cannot start: its agent misbehaves",
        ),
        ("giants", "the stream is out of step"),
        ("sums", "a message has a wrong sum"),
        ("noise", "the stream is out of step"),
        ("talk", "lines not shown)"),
    ] {
        let sandbox = Sandbox::new();
        let script = sandbox.write("hostile.py", HOSTILE);
        let hosts = vec![
            Host::laptop().ports(WEB),
            Host::netns("good", &sandbox).ports(WEB),
            Host::with_command("evil", &["python3", script.to_str().unwrap(), kind]).ports(WEB),
        ];
        let _pages = [hosts[0].serve_name(&sandbox), hosts[1].serve_name(&sandbox)];
        let mut network = Network::start(&sandbox, hosts);
        network.wait_for_page("laptop", "good");
        network.wait_for_page("good", "laptop");
        for _ in 0..20 {
            network.assert_page("laptop", "good");
            network.assert_page("good", "laptop");
        }
        network.manager.wait_for_text(verdict);
        assert!(network.manager.is_alive(), "{kind}");
        let log = network.manager.log();
        assert!(!log.contains("panicked"), "{kind}: {log}");
        assert!(
            !log.contains('\u{1b}') && !log.contains('\u{7}'),
            "{kind}: control characters reach the terminal"
        );
        assert!(log.len() < 600_000, "{kind}: {} bytes of log", log.len());
    }
}

#[test]
fn a_port_in_use_is_named_and_taken_as_soon_as_it_is_free() {
    let sandbox = Sandbox::new();
    let hosts = vec![
        Host::laptop(),
        Host::netns("far", &sandbox).ports(&["8080:127.0.0.1:8000", "8081:127.0.0.1:8000"]),
    ];
    let _page = hosts[1].serve_name(&sandbox);
    let listen = format!("TCP4-LISTEN:8080,bind={},reuseaddr,fork", vip(2));
    let mut squatter = hosts[0].serve(&["socat", "-d", "-d", &listen, "SYSTEM:echo squatter"]);
    squatter.wait_for_text("listening on");
    let mut network = Network::start(&sandbox, hosts);
    wait_for("the port beside the one in use", || {
        network.laptop().fetch(&vip(2), 8081).ok()
    });
    network.manager.wait_for_text(&format!("{}:8080", vip(2)));
    drop(squatter);
    network.wait_for_page("laptop", "far");
    assert!(processes_of(&sandbox).len() >= 2);
}
