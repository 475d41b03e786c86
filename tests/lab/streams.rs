//! Tests of the guarantees of connections: all bytes arrive, each end is reported, and connections to closed ports are
//! refused.

use crate::{
    network::{Host, Network},
    sandbox::{Sandbox, client::noise, command, output},
};

/// A program that sends a megabyte from the server to the client, and then a megabyte back. After its megabyte, each
/// side closes its direction.
const HALF_CLOSER: &str = r#"
import hashlib, socket, sys
role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
block = bytes(range(256)) * 4096
def read_all(s):
    h, n = hashlib.sha256(), 0
    while data := s.recv(65536):
        h.update(data); n += len(data)
    return n, h.hexdigest()
if role == "serve":
    listener = socket.create_server((address, port))
    while True:
        s, _ = listener.accept()
        s.sendall(block); s.shutdown(socket.SHUT_WR)
        n, digest = read_all(s)
        print("server read", n, digest, flush=True)
        s.close()
s = socket.create_connection((address, port), 30)
n, digest = read_all(s)
print("client read", n, digest)
s.sendall(block); s.shutdown(socket.SHUT_WR)
assert s.recv(1) == b"", "bytes after the end"
"#;

/// A client that connects, sends, and prints how the connection ended.
const ASKER: &str = r#"
import errno, socket, sys
address, port = sys.argv[1], int(sys.argv[2])
s = socket.socket()
s.settimeout(20)
try:
    s.connect((address, port))
    s.sendall(b"hello?")
    answer = s.recv(100)
    print("bytes" if answer else "empty success")
except OSError as error:
    print(errno.errorcode.get(error.errno, repr(error)))
"#;

fn two_hosts(sandbox: &Sandbox, ports: &[&str]) -> (Network, Vec<crate::sandbox::Running>) {
    let mut all = vec!["8080:127.0.0.1:8000"];
    all.extend_from_slice(ports);
    let hosts = vec![
        Host::laptop().ports(&all),
        Host::netns("far", sandbox).ports(&all),
    ];
    let pages = hosts.iter().map(|host| host.serve_name(sandbox)).collect();
    let mut network = Network::start(sandbox, hosts);
    network.wait_for_page("laptop", "far");
    network.wait_for_page("far", "laptop");
    (network, pages)
}

#[test]
fn iperf3_runs_both_ways() {
    let sandbox = Sandbox::new();
    let (network, _pages) = two_hosts(&sandbox, &["5201:127.0.0.1:5201"]);
    for direction in ["--interval=1", "--reverse", "--bidir"] {
        // Each run has a server of its own, because after a run a server is busy for a moment.
        let words = ["iperf3", "-s", "-1", "-B", "127.0.0.1", "--forceflush"];
        let mut server = network.host("far").serve(&words);
        server.wait_for_text("Server listening");
        let words = [
            "iperf3",
            "-c",
            &network.vip("far"),
            "-t",
            "2",
            "-J",
            direction,
        ];
        let report = output(&mut network.laptop().command(&words));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let bytes = |name: &str| {
            report["end"][name]["bytes"]
                .as_u64()
                .unwrap_or_else(|| panic!("{direction}: {report}"))
        };
        assert!(
            bytes("sum_received") > 10_000_000,
            "{direction}: only {} bytes",
            bytes("sum_received")
        );
        let rate = report["end"]["sum_received"]["bits_per_second"]
            .as_f64()
            .unwrap();
        println!("{direction}: {:.2} Gbit/s", rate / 1e9);
    }
}

#[test]
fn a_client_that_has_finished_sending_still_gets_its_answer() {
    let sandbox = Sandbox::new();
    let (network, _pages) = two_hosts(&sandbox, &["9000:127.0.0.1:9000"]);
    // sha256sum prints its output only after the end of its input.
    let _server = network.host("far").serve(&[
        "socat",
        "TCP4-LISTEN:9000,bind=127.0.0.1,fork,reuseaddr",
        "EXEC:sha256sum",
    ]);
    let bytes = noise(11, 20 << 20);
    let file = sandbox.write("bytes", &bytes);
    let expected = output(command(&["sha256sum"]).arg(&file));
    let file = format!("OPEN:{},rdonly", file.display());
    let target = format!("TCP4:{}:9000", network.vip("far"));
    let script = format!("socat -t 50 '{file}'!!STDOUT {target}");
    let script = ["sh", "-c", &script];
    crate::sandbox::wait_for("the hashing service", || {
        let output = network.laptop().command(&script).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        (!answer.is_empty())
            .then(|| assert_eq!(answer.split(' ').next(), expected.split(' ').next()))
    });
}

#[test]
fn a_server_that_has_finished_sending_still_hears_the_client() {
    let sandbox = Sandbox::new();
    let (network, _pages) = two_hosts(&sandbox, &["9000:127.0.0.1:9000"]);
    let program = sandbox.write("half.py", HALF_CLOSER);
    let program = program.to_str().unwrap();
    for (serving, asking) in [("far", "laptop"), ("laptop", "far")] {
        let mut server =
            network
                .host(serving)
                .serve(&["python3", program, "serve", "127.0.0.1", "9000"]);
        let words = ["python3", program, "ask", &network.vip(serving), "9000"];
        let client = crate::sandbox::wait_for("the half-closing server", || {
            let output = network.host(asking).command(&words).output().unwrap();
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        let digest = client
            .trim()
            .strip_prefix("client read 1048576 ")
            .expect("the whole megabyte")
            .to_owned();
        server.wait_for_text(&format!("server read 1048576 {digest}"));
    }
}

#[test]
fn a_port_where_nobody_listens_is_reset_and_never_an_empty_success() {
    let sandbox = Sandbox::new();
    let (network, _pages) = two_hosts(&sandbox, &["9001:127.0.0.1:9001"]);
    let program = sandbox.write("ask.py", ASKER);
    let program = program.to_str().unwrap();
    for (from, to) in [("laptop", "far"), ("far", "laptop")] {
        for _ in 0..20 {
            let words = ["python3", program, &network.vip(to), "9001"];
            let end = output(&mut network.host(from).command(&words));
            assert!(
                ["ECONNRESET", "ECONNREFUSED", "EPIPE"].contains(&end.trim()),
                "{from} to {to}: {end}"
            );
        }
    }
    network.assert_page("laptop", "far");
}
